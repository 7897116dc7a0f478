"""Words from names: labels of tables and columns, the singular of a label, the help from a comment."""

import re
from collections.abc import Mapping, Sequence

from console.core.plain_words import slug

KEY_WORDS = frozenset({"ID", "no", "nr", "num", "number", "code", "cd", "key", "UUID", "uuid", "fk"})
"""Last words of labels that say only that a column holds a key."""


ONE: Mapping[str, str] = {
    "analyses": "analysis",
    "buses": "bus",
    "crises": "crisis",
    "diagnoses": "diagnosis",
    "gases": "gas",
    "hypotheses": "hypothesis",
    "lenses": "lens",
    "quizzes": "quiz",
    "shelves": "shelf",
    "theses": "thesis",
    "caches": "cache",
    "niches": "niche",
    "aliases": "alias",
    "canvases": "canvas",
    "viruses": "virus",
    **{
        f"{word}s": word
        for word in (
            "brownie",
            "calorie",
            "cookie",
            "hoodie",
            "movie",
            "pie",
            "selfie",
            "smoothie",
            "tie",
            "zombie",
        )
    },
}
"""Last words that no ending tells, in small letters, and what one of them is called."""
ALONE = (
    "ss",
    "us",
    "is",
    "as",
    "os",
    "news",
    "series",
    "species",
    "means",
    "lens",
    "logistics",
    "analytics",
    "statistics",
    "earnings",
    "premises",
    "proceeds",
    "headquarters",
    "goods",
)
"""Endings of words in -s that are no plural, or that are the same for one and many."""
ENDINGS = (
    ("atuses", "atus"),
    ("onuses", "onus"),
    ("mpuses", "mpus"),
    ("nsuses", "nsus"),
    ("ies", "y"),
    ("sses", "ss"),
    ("xes", "x"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("roes", "ro"),
    ("toes", "to"),
)


def one_of(label: str) -> str:
    """The singular of a label, where its last word is surely a plural in English: "Order detail" for "Order details"."""
    last = re.split(r"[\s_-]", label)[-1]
    small = last.lower()
    if small in ONE:
        return label[: -len(last)] + last[:1] + ONE[small][1:]
    if (
        not small.endswith("s")
        or small.endswith((*ALONE, "yys"))
        or len(small) <= len("gas")
        or (last.isupper() and len(last) <= len("HTTPS"))
    ):
        return label
    ending, instead = next(
        ((long, short) for long, short in ENDINGS if small.endswith(long) and len(small) > len(long) + 1),
        ("s", ""),
    )
    return label[: -len(ending)] + instead


def led_to(label: str) -> str:
    """The label of a column with the key of another record, whose title it shows: "Customer" for "Customer ID", "Customer no", "ID customer" and "Customerid"."""
    first, _, after = label.partition(" ")
    if after and first.lower() in ("id", "fk"):
        return after[:1].upper() + after[1:]
    named, _, last = label.rpartition(" ")
    if not named and last.endswith("id") and len(last) > len("Paid"):
        return last[:-2]
    return named if named and last in KEY_WORDS else label


def explained(comment: str | None, label: str) -> str | None:
    """The help from a comment; None without one, and where it says no more than the label."""
    text = (comment or "").strip()
    return None if text.casefold() in ("", label.casefold()) else text


def free_id(label: str, taken: Sequence[str]) -> str:
    """An id made of the label of a segment that no other one has."""
    plain = slug(label)[:50]
    plain = plain if plain[:1].isalpha() else f"segment-{plain}".rstrip("-")
    return next(
        name for name in (plain, *(f"{plain}-{number}" for number in range(2, 200))) if name not in taken
    )
