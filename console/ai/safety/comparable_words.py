"""Words in the form in which they are compared whoever wrote them: other accents, capitals, alphabets and lookalike letters make no difference."""

import functools
import re
import unicodedata

from console.core.papers.name_matching import LETTERS

LEAST = 4  # letters from which other spellings count: shorter words have too many neighbours
LOOKALIKES = str.maketrans(
    "аеіоурсхѕјһԁɡɩΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχвкмнт", "aeioypcxsjhdgiabezhikmnoptyxaeikvoptuxbkmht"
)
_ALIKE = (
    ("AE", "A"),
    ("OE", "O"),
    ("UE", "U"),
    ("AA", "A"),
    ("KH", "H"),
    ("PH", "F"),
    ("TH", "T"),
    ("CK", "K"),
    ("J", "I"),
    ("Y", "I"),
    ("W", "V"),
    ("IU", "U"),
    ("IA", "A"),
    ("IE", "E"),
)
_DOUBLE = re.compile(r"([A-Z])\1+")


@functools.lru_cache(maxsize=65_536)
def skeleton(word: str) -> str:
    """A key that all spellings of one word share: `Müller`, `MUELLER` and `Мюллер` each have one; words with digits and very short ones as they are."""
    if not word.isalpha() or len(word) < LEAST:
        return latin(word).casefold()
    upper = unicodedata.normalize("NFC", latin(word)).upper()
    letters = "".join(LETTERS.get(sign) or unicodedata.normalize("NFKD", sign) for sign in upper)
    letters = "".join(sign for sign in letters if not unicodedata.combining(sign))
    for long, short in _ALIKE:
        letters = letters.replace(long, short)
    return _DOUBLE.sub(r"\1", letters).casefold()


def latin(word: str) -> str:
    """A word that mixes alphabets in Latin letters alone: what only looks like one of them was put there to mislead."""
    if word.isascii() or not any("a" <= sign <= "z" or sign.isdigit() for sign in word.casefold()):
        return word
    return word.translate(LOOKALIKES)
