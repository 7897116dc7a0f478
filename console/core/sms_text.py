"""How many SMS a text becomes: 160 characters of the GSM alphabet, 70 of any other, less where it takes several.

Source: 3GPP TS 23.038, TS 23.040 (six bytes of each part say which part it is).
"""

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("^{}\\[~]|€\f")
"""Characters of the GSM alphabet's second table, which take two places."""


@dataclass(frozen=True, slots=True)
class Size:
    """`characters` are places of the alphabet. `plain`: the GSM alphabet is enough; `costly` are the characters for which it is not."""

    segments: int
    characters: int
    plain: bool
    costly: str = ""

    @property
    def words(self) -> str:
        """The size for people."""
        said = (
            f"{self.segments} SMS, {self.characters} characters"
            if self.segments != 1
            else f"1 SMS, {self.characters} characters"
        )
        return said if self.plain or not self.costly else f"{said}; “{self.costly[:5]}” make it longer"


def size_of(text: str) -> Size:
    """The size of the text; an empty one takes one SMS."""
    costly = "".join(dict.fromkeys(letter for letter in text if letter not in GSM and letter not in TWICE))
    if not costly:
        lengths = [2 if letter in TWICE else 1 for letter in text]
        return Size(_parts(lengths, 160, 153), sum(lengths), plain=True)
    lengths = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    return Size(_parts(lengths, 70, 67), sum(lengths), plain=False, costly=costly)


def _parts(lengths: list[int], whole: int, part: int) -> int:
    """How many parts these characters take; one that takes two places is not cut."""
    if sum(lengths) <= whole:
        return 1
    parts, left = 1, part
    for length in lengths:
        if length > left:
            parts, left = parts + 1, part
        left -= length
    return parts
