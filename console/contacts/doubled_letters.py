"""Letters of a file that somebody read in an older encoding and wrote again as UTF-8: MÃ¼ller for Müller. They are counted, and mended where somebody says so."""

import re

ENCODING, BASE = "utf-8-twice", "utf-8-sig"
"""What a file is read as whose letters are mended, and how its bytes are read before."""
_BYTES = {
    **{chr(byte): byte for byte in range(0x80, 0x100)},
    **{bytes([byte]).decode("cp1252"): byte for byte in range(0x80, 0x100) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)},
}
"""What Windows-1252 and Latin-1 made of a byte → the byte."""
_FOLLOWING = "".join(re.escape(letter) for letter, byte in _BYTES.items() if byte < 0xC0)
_DOUBLED = re.compile(f"[\xc2-\xdf][{_FOLLOWING}]|[\xe0-\xef][{_FOLLOWING}]{{2}}|[\xf0-\xf4][{_FOLLOWING}]{{3}}")
"""The bytes of one letter in UTF-8, as letters of their own."""


def is_doubled(text: str) -> bool:
    """Whether some of its letters look as if they were written twice over."""
    return not text.isascii() and mended(text) != text


def mended(text: str) -> str:
    """The text with such letters as they were meant."""
    return text if text.isascii() else _DOUBLED.sub(_meant, text)


def _meant(doubled: re.Match[str]) -> str:
    try:
        return bytes(_BYTES[letter] for letter in doubled[0]).decode()
    except UnicodeDecodeError:
        return doubled[0]
