"""Ids of collections, made of the names of source, schema and table."""

import unicodedata
from collections.abc import Iterable
from typing import Any

LONGEST_ID = 200


def ids_of(stored: Iterable[Any]) -> dict[tuple[str | None, str], str]:
    """(schema, table) → id of stored collections of one source: rights and runs name it, and must not lead to another table one day."""
    return {(item.structure["schema"], item.structure["table"]): item.id for item in stored}


def default_id(name: str, schema: str | None, table: str) -> str:
    """Default collection id: source, schema outside the default one, table, joined by points.

    Accents are removed; blanks, slashes and other signs become `_`, because URLs, documents and policy rows cannot contain them. A name of letters that
    have no such form (客户) is written in punycode: names that differ stay different.
    """
    return ".".join(_plain_name(part) for part in (name, schema, table) if part is not None)[:LONGEST_ID]


def _plain_name(name: str) -> str:
    plain = [letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter)]
    if sum(letter.isalpha() and not letter.isascii() for letter in plain) > sum(letter.isascii() and letter.isalnum() for letter in plain):
        plain = list(name.encode("punycode").decode())
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "_" for letter in plain)
