"""What a collection looks like to somebody as a draft would make it: a record as each role sees it, and what a segment finds.

Whoever shapes a collection sees records with their own rights, never more. Who may not browse it sees an example that is made up from the
kinds of its fields, so that the layout can still be judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from console import browse, log, records
from console.auth import access
from console.browse import RecordPage
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, fields_of
from console.core.errors import NotAllowed, SourceDown, TooSlow
from console.records import KeySelect, Record, sql_conditions, sql_segments
from console.sources.collections.collection_checks import require_shaper, unread

FEW = 5
MOST_COUNTED = 10_000
EXAMPLES_OF_CODES = {"country": "DE", "language": "en", "currency": "EUR", "zone": "Europe/Berlin"}
EXAMPLES: Mapping[str, Any] = {
    "integer": 42,
    "decimal": "1234.50",
    "money": "1234.50",
    "boolean": True,
    "date": "2026-11-20",
    "datetime": "2026-11-20T09:30:00Z",
    "time": "09:30:00",
    "email": "ada@example.com",
    "phone": "+44 20 7946 0018",
    "url": "https://example.com",
    "uuid": "3f2b8c1e-0d4a-4b7e-9a51-6c1d2e3f4a5b",
    "json": {},
    "array": [],
    "multi_enum": [],
}


@dataclass(frozen=True, slots=True)
class Look:
    """A record as somebody sees it. `page` None: there is none, `why` says the reason. `made_up`: an example, no record of the source.

    `updates` and `creates`: whether they may, with or without a condition; `closed` are fields that they may not write.
    """

    page: RecordPage | None
    why: str = ""
    made_up: bool = False
    updates: bool = True
    creates: bool = True
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What a segment finds for its author: the number of records, 10 001 for more than 10 000, and the titles of the first ones."""

    total: int
    titles: tuple[str, ...]


def roles() -> list[str]:
    """Roles that a layout can be looked at as."""
    return sorted(access.rights().roles)


def look(actor: Actor, becoming: Collection, role: str = "") -> Look:
    """The first record that the actor sees, as the draft shows it to them or to people of a role. Raises NotAllowed, NotFound."""
    require_shaper(actor, becoming.id)
    obj, rights = f"collection:{becoming.id}", access.rights()
    hidden: frozenset[str] = frozenset()
    closed = access.scope_for(actor, becoming.id, "update").fixed
    may = {act: access.can(actor, None, obj, act) for act in ("update", "create")}
    if role in rights.roles:
        if not rights.may(role, None, obj, "browse"):
            return Look(
                None, f"People with the role {role.replace('_', ' ')} may not browse {becoming.label}."
            )
        hidden, closed = rights.closed(role, None, becoming.id)
        may = {act: rights.may(role, None, obj, act) for act in may}
    made_up = not access.can(actor, None, obj, "browse")
    try:
        page = _example(becoming) if made_up else browse.sample(actor, becoming)
    except SourceDown as down:
        return Look(None, down.message)
    if page is None:
        page, made_up = _example(becoming), True
    page = replace(
        page,
        fields=tuple(item for item in page.fields if item.name not in hidden and not item.inputs & hidden),
    )
    return Look(page, made_up=made_up, updates=may["update"], creates=may["create"], closed=closed)


def find(
    actor: Actor,
    becoming: Collection,
    *,
    text: str | None = None,
    sql: str | None = None,
    sort: str | None = None,
) -> Found:
    """What a segment finds for the actor, by an expression or by a SELECT. Raises Malformed, DefinitionError, NotAllowed, TooSlow, SourceDown."""
    require_shaper(actor, becoming.id)
    scope = browse.reach(actor, becoming)
    if scope is None:
        raise NotAllowed(
            f"You may not browse {becoming.label}, so that it cannot be tried.",
            need=(f"collection:{becoming.id}", "browse"),
        )
    if (fields_of(text or "") | {(sort or "").removeprefix("-")}) & unread(actor, becoming):
        raise NotAllowed(
            f"It names a field of {becoming.label} that you may not read.",
            need=(f"collection:{becoming.id}", "read"),
        )
    segment: Any
    if sql is not None:
        segment = KeySelect(sql, partial(browse.reach, actor))
        total = sql_segments.count(segment, becoming, scope)
    else:
        segment = expressions.parse(text or "")
        sql_conditions.check(segment, records.collection(becoming.id))
        total = records.count(
            becoming.id, scope, cap=MOST_COUNTED, segment=segment, seconds=sql_segments.SECONDS
        )
    try:
        rows = (
            records.page(
                becoming.id, scope, segment=segment, sort=sort, limit=FEW, seconds=sql_segments.SECONDS
            ).rows
            if total
            else []
        )
    except TooSlow:
        rows = []  # how many there are is known, and more than which are first
    data = {"count": len(rows), "sort": sort or "", "more": total > len(rows), "has_filter": True}
    log.note(actor, "record_listed", open=data, source=becoming.source, collection=becoming.id)
    return Found(total, tuple(row.title for row in rows))


def _example(becoming: Collection) -> RecordPage:
    """A record that is made up from the kinds of the fields."""
    values = {item.name: _value(item) for item in becoming.fields}
    record = Record(becoming.id, "1", becoming.title_of(values, "1"), values)
    return RecordPage(becoming, record, becoming.fields, (), False)


def _value(item: Field) -> Any:
    if item.options:
        return [item.options[0].value] if item.stored == "array" else item.options[0].value
    if item.stored in ("date", "datetime"):
        now = datetime.now(UTC)
        return now.date().isoformat() if item.stored == "date" else now.isoformat().replace("+00:00", "Z")
    if item.widget in EXAMPLES_OF_CODES and item.stored == "text":
        return EXAMPLES_OF_CODES[item.widget]
    return EXAMPLES.get(item.type, EXAMPLES.get(item.stored, item.label))
