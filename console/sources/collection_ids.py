"""Ids of collections, made of the names of source, schema and table."""

from collections.abc import Iterable
from typing import Any

from console.core.plain_words import latinised

LONGEST_ID = 200


def ids_of(stored: Iterable[Any]) -> dict[tuple[str | None, str], str]:
    """(schema, table) → id of stored collections of one source: rights and runs name it, and must not lead to another table one day."""
    return {(item.structure["schema"], item.structure["table"]): item.id for item in stored}


def default_id(name: str, schema: str | None, table: str) -> str:
    """Default collection id: source, schema outside the default one, table, joined by points.

    Letters become Latin ones without accents, those of other scripts their codes; blanks, slashes and other signs become `_`, because URLs, documents and
    policy rows cannot contain them.
    """
    text = latinised(".".join(part for part in (name, schema, table) if part is not None))
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "_" for letter in text
    )[:LONGEST_ID]
