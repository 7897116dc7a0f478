"""What the comment of a column says of the codes in it: "A=active, C=closed"."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

EXPLAINED = "explained"
"""Key of a column whose comment explains all codes that a sample of it held."""
PARTS = re.compile(r"\s*[,;|\n]\s*")
CODE = re.compile(
    r"""(?:[^=:,;(]{1,40}(?::\s+|\s*\(\s*))?(?:["']?(?P<code>[^\s"'=:()]{1,12})["']?(?:\s*=>?\s*|:\s*|\s+[-–]\s+|\s*→\s*)|(?P<number>-?[0-9]{1,4})(?:\s+|\s*[-–.)]\s*)(?=[^\W\d]))"""
    r"""["']?(?P<words>[^=:"']{1,60})["']?\.?"""
)
KINDS = ("text", "integer")
"""Kinds of columns that hold codes."""
FEWEST, MOST = 2, 30


def codes_of(comment: str | None) -> dict[str, str]:
    """Code → words, where the comment is nothing but such a list, with or without what it lists before it; else nothing."""
    parts = PARTS.split((comment or "").strip(" \n.()"))
    found = [CODE.fullmatch(part) for part in parts]
    made = {each["code"] or each["number"]: each["words"].strip() for each in found if each}
    return made if all(found) and FEWEST <= len(made) == len(parts) == len({*made.values()}) <= MOST else {}


def explains(comment: str | None, values: Iterable[str]) -> bool:
    """Whether the comment explains all of these values, and there are any; empty texts need no explanation."""
    codes, known = codes_of(comment), {value for value in values if value}
    return bool(known) and known <= codes.keys()


def options_of(column: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The options of a column whose comment explains its codes; None without one. What must not be null and may be empty has that as one, too."""
    codes = codes_of(column.get("comment"))
    if listed := column.get("options"):  # of the database: the comment gives the words
        return [_option(code, codes[code]) for code in listed] if codes and codes.keys() >= {*listed} else None
    if not column.get(EXPLAINED):
        return None
    empty = [{"value": "", "label": "Empty"}] if column.get("blank") and not column["nullable"] else []
    return [*(_option(code, words) for code, words in codes.items()), *empty] or None


def _option(code: str, words: str) -> dict[str, str]:
    return {"value": code, "label": words[:1].upper() + words[1:]}
