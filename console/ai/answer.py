"""Parses a model's answer strictly: one JSON object of the requested shape. Text around it, a repeated name, a bad number or deep nesting make it malformed."""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from console.core.proposal_types import Code

LONGEST = 1_000_000  # characters; a form's values are a few thousand
MOST_ITEMS = 1_000
LONGEST_DIGITS = 400
TOP = frozenset({"decision", "decline_reason", "flags", "fields"})
NEEDED = frozenset({"decision", "fields"})
ITEM = frozenset({"name", "value", "confidence", "rationale", "sources"})


class Unreadable(Exception):
    """An answer that cannot be judged; `code` says why."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer. `items` are the proposed values, not checked yet: each may be anything."""

    declines: bool
    reason: str
    flags: tuple[str, ...]
    items: tuple[Any, ...]


def read(text: str) -> Answer:
    """The parsed answer. Raises Unreadable: `malformed` if it is not a JSON object, `not_in_form` if it has another shape."""
    if len(text) > LONGEST:
        raise Unreadable("malformed")
    try:
        parsed = json.loads(
            text,
            object_pairs_hook=_unique_members,
            parse_constant=_no_number,
            parse_float=_decimal,
            parse_int=_integer,
        )
    except (ValueError, RecursionError, InvalidOperation, MemoryError):
        raise Unreadable("malformed") from None
    if not isinstance(parsed, dict):
        raise Unreadable("malformed")
    return _shaped(parsed)


def _shaped(parsed: dict[str, Any]) -> Answer:
    reason, flags = parsed.get("decline_reason", ""), parsed.get("flags", [])
    fits = (
        parsed.keys() <= TOP
        and parsed.keys() >= NEEDED
        and parsed["decision"] in ("propose", "decline")
        and isinstance(parsed["fields"], list)
        and len(parsed["fields"]) <= MOST_ITEMS
        and (reason is None or isinstance(reason, str))
        and isinstance(flags, list)
    )
    if not fits:
        raise Unreadable("not_in_form")
    return Answer(
        parsed["decision"] == "decline",
        reason or "",
        tuple(flag for flag in flags if isinstance(flag, str)),
        tuple(parsed["fields"]),
    )


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of a JSON object. Raises ValueError for a repeated name, because nobody knows which value is meant."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _decimal(text: str) -> Decimal:
    """The number as a Decimal, with exactly the digits that were written."""
    if len(text) > LONGEST_DIGITS:
        raise ValueError("too many digits")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > LONGEST_DIGITS:
        raise ValueError("too many digits")
    return int(text)
