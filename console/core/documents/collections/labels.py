"""Words from names: labels of tables and columns, the singular of a label, the help from a comment."""

import re
from collections.abc import Sequence

SPELLED_LARGE = 4
"""Letters of a word in capitals that may be an abbreviation: USD, SEPA. A longer one is a word: CANCELLED."""
ABBREVIATIONS = {
    word.lower(): word
    for word in (
        "AI", "AML", "API", "BIC", "CEO", "CSV", "EU", "FX", "IBAN", "ID", "IDs", "IP", "ISO", "JSON", "KYB", "KYC", "LEI", "MCC", "MLRO", "MRZ",
        "PDF", "PEP", "SAR", "SEPA", "SKU", "SMS", "SQL", "TIN", "UBO", "URL", "UTC", "UUID", "VAT", "eID",
    )
}  # fmt: skip
"""Words with special spelling in labels. "is", "no" and "us" are ordinary words and not included."""


def humanised(name: str) -> str:
    """A label from a name: "Customer no" for `customer_no`, "KYC case ID" for `kyc_case_id`, "First name" for `FirstName`.

    Words that somebody has set apart by blanks stay as they are written, and so do codes such as `FW-INT`.
    """
    if name.isupper() and "-" in name:
        return name
    if " " in name.strip():
        words = name.replace("_", " ").replace("-", " ").split()
    elif name.isupper() and ("_" in name or len(name) > SPELLED_LARGE):
        words = name.lower().replace("-", " ").replace("_", " ").split()
    else:
        split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
        words = split.replace("_", " ").replace("-", " ").split()
        words = [*words[:1], *(word.lower() if word[:1].isupper() and word[1:].islower() else word for word in words[1:])]
    text = " ".join(ABBREVIATIONS.get(word.lower(), word) for word in words).replace("E mail", "E-mail").replace("e mail", "e-mail") or name
    return text if words and words[0].lower() in ABBREVIATIONS else text[:1].upper() + text[1:]


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
    """The label of a column with the key of another record, whose title it shows: "Customer" for "Customer ID"."""
    return label.removesuffix(" ID") or label


def explained(comment: str | None, label: str) -> str | None:
    """The help from a comment; None without one, and where it says no more than the label."""
    text = (comment or "").strip()
    return None if text.casefold() in ("", label.casefold()) else text


def free_id(label: str, taken: Sequence[str]) -> str:
    """An id made of the label of a segment that no other one has."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:50]
    plain = plain if plain[:1].isalpha() else f"segment-{plain}".rstrip("-")
    return next(one for one in (plain, *(f"{plain}-{number}" for number in range(2, 200))) if one not in taken)
