"""What the comment of a column says of the codes in it: "A=active, C=closed"."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

EXPLAINED = "explained"
"""Key of a column whose comment explains all codes that a sample of it held."""
PARTS = re.compile(r"\s*[,;|\n]\s*")
CODE = re.compile(
    r"""(?:[^=:,;]{1,40}:\s+)?["']?(?P<code>[^\s"'=:]{1,12})["']?(?:\s*=>?\s*|:\s*|\s+[-–]\s+|\s*→\s*)["']?(?P<words>[^=:"']{1,60})["']?\.?"""
)
FEWEST, MOST = 2, 30


def codes_of(comment: str | None) -> dict[str, str]:
    """Code → words, where the comment is nothing but such a list, with or without what it lists before it; else nothing."""
    parts = PARTS.split((comment or "").strip(" \n.()"))
    found = [CODE.fullmatch(part) for part in parts]
    made = {each["code"]: each["words"].strip() for each in found if each}
    return made if all(found) and FEWEST <= len(made) == len(parts) <= MOST else {}


def explains(comment: str | None, values: Iterable[str]) -> bool:
    """Whether the comment explains all of these values, and there are any; empty texts need no explanation."""
    codes, known = codes_of(comment), {value for value in values if value}
    return bool(known) and known <= codes.keys()


def options_of(column: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The options of a column whose comment explains its codes; None without one. What must not be null and may be empty has that as one, too."""
    if not column.get(EXPLAINED):
        return None
    codes = codes_of(column.get("comment"))
    empty = [{"value": "", "label": "Empty"}] if column.get("blank") and not column["nullable"] else []
    return [*({"value": code, "label": words[:1].upper() + words[1:]} for code, words in codes.items()), *empty] or None
