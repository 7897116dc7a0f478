"""Compares names of persons or firms, ignoring alphabet, accents, order and blanks.

Names are compared in every English spelling: `ö` as `o` or `oe`, Cyrillic and Greek letters by ICAO Doc 9303-3 section 6. Similar but
different names are `close`, for a person to decide.
"""

import re
import unicodedata
from typing import Literal

from console.core.papers import similarity

Likeness = Literal["match", "close", "no_match"]
CLOSE = 84.0  # of 100: one or two letters in an ordinary name
SPACED = 92.0  # if they differ only in blanks
LEAST_SHARED = 2  # names that only one of them has
LONGEST = 200

LETTERS = {
    "Ä": "AE",
    "Ö": "OE",
    "Ü": "UE",
    "ß": "SS",
    "ẞ": "SS",
    "Æ": "AE",
    "Ø": "OE",
    "Å": "AA",
    "Œ": "OE",
    "Þ": "TH",
    "Ð": "D",
    "Đ": "D",
    "Ł": "L",
    "Ħ": "H",
    "Ŋ": "N",
    "Ĳ": "IJ",
    "ı": "I",
    "Ñ": "N",
    "А": "A",
    "Б": "B",
    "В": "V",
    "Г": "G",
    "Ґ": "G",
    "Д": "D",
    "Е": "E",
    "Ё": "E",
    "Є": "IE",
    "Ж": "ZH",
    "З": "Z",
    "И": "I",
    "І": "I",
    "Ї": "I",
    "Й": "I",
    "К": "K",
    "Л": "L",
    "М": "M",
    "Н": "N",
    "О": "O",
    "П": "P",
    "Р": "R",
    "С": "S",
    "Т": "T",
    "У": "U",
    "Ў": "U",
    "Ф": "F",
    "Х": "KH",
    "Ц": "TS",
    "Ч": "CH",
    "Ш": "SH",
    "Щ": "SHCH",
    "Ъ": "IE",
    "Ы": "Y",
    "Ь": "",
    "Э": "E",
    "Ю": "IU",
    "Я": "IA",
    "Ђ": "D",
    "Ј": "J",
    "Љ": "LJ",
    "Њ": "NJ",
    "Ћ": "C",
    "Џ": "DZ",
    "Ќ": "KJ",
    "Ѓ": "GJ",
    "Α": "A",
    "Β": "V",
    "Γ": "G",
    "Δ": "D",
    "Ε": "E",
    "Ζ": "Z",
    "Η": "I",
    "Θ": "TH",
    "Ι": "I",
    "Κ": "K",
    "Λ": "L",
    "Μ": "M",
    "Ν": "N",
    "Ξ": "X",
    "Ο": "O",
    "Π": "P",
    "Ρ": "R",
    "Σ": "S",
    "Τ": "T",
    "Υ": "Y",
    "Φ": "F",
    "Χ": "CH",
    "Ψ": "PS",
    "Ω": "O",
}
_ONE = {**LETTERS, "Ä": "A", "Ö": "O", "Ü": "U", "Ø": "O", "Å": "A"}
_OTHER = {**LETTERS, "Ё": "YO", "Й": "Y", "Ю": "YU", "Я": "YA", "Х": "H", "Ж": "J", "Е": "YE"}


def name_match(left: str, right: str) -> Likeness:
    """`match` for equal names, `close` for similar ones or if one leaves out names of the other, else `no_match`."""
    ours, theirs = _forms(left), _forms(right)
    if not all(ours) or not all(theirs):
        return "no_match"
    pairs = [(our, other) for our in ours for other in theirs]
    if any(sorted(one) == sorted(other) for one, other in pairs):
        return "match"
    return "close" if any(_close(one, other) for one, other in pairs) else "no_match"


def _forms(name: str) -> list[list[str]]:
    """The words of a name in each spelling."""
    upper = unicodedata.normalize("NFC", name[:LONGEST]).upper()
    return [_words(upper, table) for table in (_ONE, LETTERS, _OTHER)]


def _words(upper: str, table: dict[str, str]) -> list[str]:
    written = "".join(table[sign] if sign in table else unicodedata.normalize("NFKD", sign) for sign in upper)
    plain = "".join(table.get(sign, sign) for sign in written if not unicodedata.combining(sign))
    return re.sub(r"[^A-Z0-9 ]", "", re.sub(r"[-/_,;\s]+", " ", plain)).split()


def _close(one: list[str], other: list[str]) -> bool:
    fewer, more = sorted((set(one), set(other)), key=len)
    if len(fewer) >= LEAST_SHARED and fewer <= more:
        return True
    if similarity.ratio("".join(one), "".join(other)) >= SPACED:
        return True
    return similarity.sorted_ratio(" ".join(one), " ".join(other)) >= CLOSE
