"""Words from names: labels of tables and columns, the singular of a label, the help from a comment."""

import re
from collections.abc import Sequence

KEY_WORDS = frozenset({"ID", "no", "nr", "num", "number", "code", "cd", "key", "UUID", "uuid", "fk"})
"""Last words of labels that say only that a column holds a key."""


def one_of(label: str) -> str:
    """The singular of a label, where its last word is surely a plural in English: "Order detail" for "Order details"."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if label.endswith(ending) and len(label.rsplit(maxsplit=1)[-1]) > len(ending) + 1:
            return label.removesuffix(ending) + instead
    plural = (
        label.endswith("s")
        and not label.lower().endswith(("ss", "us", "is", "as", "os", "news"))
        and len(label.rsplit(maxsplit=1)[-1]) > len("gas")
    )
    return label[:-1] if plural else label


def led_to(label: str) -> str:
    """The label of a column with the key of another record, whose title it shows: "Customer" for "Customer ID" and "Customer no"."""
    named, _, last = label.rpartition(" ")
    return named if named and last in KEY_WORDS else label


def explained(comment: str | None, label: str) -> str | None:
    """The help from a comment; None without one, and where it says no more than the label."""
    text = (comment or "").strip()
    return None if text.casefold() in ("", label.casefold()) else text


def free_id(label: str, taken: Sequence[str]) -> str:
    """An id made of the label of a segment that no other one has."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:50]
    plain = plain if plain[:1].isalpha() else f"segment-{plain}".rstrip("-")
    return next(name for name in (plain, *(f"{plain}-{number}" for number in range(2, 200))) if name not in taken)
