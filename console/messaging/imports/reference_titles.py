"""References of a file by what people call the record: "Acme Ltd" in place of its key, where that means one record that the reader may see."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console import records
from console.browse import browsed_collection
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import NotFound
from console.core.filters import Test
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.records import Record

NUMBER = re.compile(r"[-+]?[0-9]{1,19}")
ASKED, MOST = 200, 5_000
"""Titles that one statement asks for, and records that are looked at for them."""


def with_keys(
    actor: Actor, fields: Sequence[Field], lines: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """(values, why they cannot be taken) of each line, the key in place of the title of a record. Raises SourceDown."""
    found = {
        field.name: _keys(actor, field, [str(line[field.name]) for line in lines if line.get(field.name)])
        for field in fields
        if field.references
    }
    for line in lines:
        values, wrong = dict(line), []
        for field in fields:
            keys = found.get(field.name, {}).get(str(line.get(field.name)))
            if keys is not None and len(keys) == 1:
                values[field.name] = keys[0]
            elif keys is not None:
                there = (
                    f"{len(keys)} records are"
                    if keys
                    else f"no {uncapitalised(records.collection(field.references or '').label_one)} is"
                )
                wrong.append(
                    f"{field.label}: {there} called {line[field.name]}.{' Write the key of one.' if keys else ''}"
                )
        yield values, wrong


def _keys(actor: Actor, field: Field, texts: Sequence[str]) -> dict[str, list[Any]]:
    """Text that is no key → the keys of the records that it names."""
    try:
        target, scope = browsed_collection(actor, field.references or "")
    except NotFound:
        return {}
    first = min(target.title_fields, key=target.title.index, default=None)
    if (
        len(target.key) != 1
        or first is None
        or scope.hidden & {*target.title_fields, *target.key}
        or target.by_name[first].stored != "text"
    ):
        return {}
    numbered = target.by_name[target.key[0]].stored == "integer"
    wanted = {text for text in texts if not (numbered and NUMBER.fullmatch(text))}
    wanted -= (
        set()
        if numbered
        else records.visible_keys(
            target.id, {text: records.key_of_value(text) for text in wanted}.values(), scope
        )
    )
    named: dict[str, list[Any]] = {}
    for record in _called(target, scope, first, wanted) if wanted else ():
        named.setdefault(" ".join(record.title.split()), []).append(record.values[target.key[0]])
    known = {text: named.get(" ".join(text.split()), []) for text in wanted}
    return known if numbered else {text: keys for text, keys in known.items() if keys}


def _called(target: Collection, scope: Scope, first: str, texts: set[str]) -> Iterator[Record]:
    """Records whose title may be one of these texts: the first part of it begins them."""
    alone = len(target.title_fields) == 1
    words = sorted(
        {
            text if alone else " ".join(text.split()[:end])
            for text in texts
            for end in ((1,) if alone else range(1, len(text.split()) + 1))
        }
    )
    names = [first, *target.key]
    for start in range(0, len(words), ASKED):
        where, after, seen = Test(first, "in", words[start : start + ASKED]), None, 0
        while seen < MOST:
            page = records.page(
                target.id, scope, where=where, limit=records.MOST_ROWS, after=after, fields=names
            )
            yield from page.rows
            seen, after = seen + len(page.rows), page.next
            if after is None:
                break
