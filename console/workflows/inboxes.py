"""Inboxes: queues of records and runs that wait for people, who may work in them, and how they are made.

An inbox gets runs that are handed on to it, and with a source every record of a segment that has no live run of its workflow: nothing is
copied. What is in it now is the business of `console.work.tickets`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console import log, records, workflows
from console.auth import access, notify
from console.core import expressions
from console.core.actor import COMMAND_LINE, Actor
from console.core.documents import json_shape
from console.core.documents.collections import Collection
from console.core.documents.fields import OWN_INPUT, submitted_values
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict, ConsoleError, DefinitionError, Invalid, NotFound
from console.core.expressions import Expression
from console.core.plain_words import humanised, uncapitalised
from console.infra.db import tables
from console.infra.db.engine import read_rows, transaction
from console.infra.db.process_cache import ProcessCache
from console.records import sql_conditions

CHAIN = "sys:config"
MAX_BYTES = 256 * 1024
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Due(BaseModel):
    """By when a record is to be worked on: so many days after the day of a field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    field: str = Field(max_length=100, description="A field with a day or a moment")
    days: int = Field(0, ge=-3650, le=3650, description="Days after it; 0: on that day")


class Source(BaseModel):
    """Records that come by themselves: those of a segment (or for which `filter` holds) that have no live run of the workflow."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    collection: str = Field(max_length=200)
    workflow: str = Field(max_length=100, description="Its slug; taking a record starts it")
    segment: str | None = Field(None, max_length=100, description="A segment of the collection")
    filter: str | None = Field(
        None, max_length=2000, description="In place of a segment: an expression over `record`"
    )
    sort: str | None = Field(
        None,
        max_length=100,
        description="Field whose order is the order of taking, `-` before it for descending",
    )
    input: dict[str, Any] = Field(default_factory=dict, description="What the workflow's start is given")
    due: Due | None = Field(
        None, description="By when its records are to be worked on; none: nothing in it is ever overdue"
    )

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if (self.segment is None) == (self.filter is None):
            raise ValueError("name a segment or a filter, one of the two")
        return self

    def expression(self, collection: Collection) -> Expression:
        """Which records are in it. Raises DefinitionError where the segment is no longer there."""
        named = collection.segment(self.segment) if self.segment is not None else None
        text = self.filter if self.segment is None else named.filter if named else None
        if text is None:
            raise DefinitionError(
                f"{collection.label} has no segment “{humanised(self.segment or '')}” any more.",
                code="segment_gone",
            )
        if named is not None and named.sql is not None:
            raise Invalid(f"The segment {named.label} is a SELECT. An inbox needs one of conditions.")
        return expressions.parse(text)

    def due_before(self, collection: Collection, day: date) -> Expression | None:
        """Which of its records are due before the day; None where nothing is ever due."""
        if self.due is None:
            return None
        late = f'record.{self.due.field} < date("{day - timedelta(days=self.due.days)}")'
        return expressions.parse(f"({self.expression(collection).text}) && {late}")


class Document(BaseModel):
    """An inbox as it stands in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str = Field(max_length=60)
    title: str = Field(min_length=1, max_length=60)
    help: str | None = Field(None, max_length=300, description="One sentence for those who work in it")
    team: str = Field(min_length=1, max_length=63, description="The team whose workflows use it")
    roles: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Only these roles work in it; none: everybody with the right",
    )
    source: Source | None = None
    most: int | None = Field(
        None, ge=1, le=1000, description="How many of its tickets one person may have; none: any number"
    )
    own_tool_calls: bool = Field(
        False, description="Whoever is behind a program may approve the tool calls that it asks for here"
    )

    def to_json(self) -> dict[str, Any]:
        """The document as in a file."""
        return self.model_dump(exclude_defaults=True)

    def canonical(self) -> bytes:
        """The bytes as they are stored."""
        return json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False).encode()

    @property
    def hash(self) -> str:
        """The hash of its canonical bytes."""
        return sha256(self.canonical()).hexdigest()


@dataclass(frozen=True, slots=True)
class Inbox:
    """A queue. `roles` empty means everybody who has the right `work`."""

    id: str
    title: str
    help: str | None
    team: str
    roles: tuple[str, ...] = ()
    source: Source | None = field(default=None, compare=False)
    position: int = 0
    most: int | None = None
    own_tool_calls: bool = False

    @classmethod
    def from_document(cls, document: Document) -> "Inbox":
        """The inbox as it would be with this document."""
        return cls(**dict(document) | {"roles": tuple(document.roles)})

    @property
    def document(self) -> Document:
        """What it says, as in a file."""
        return Document(
            id=self.id,
            title=self.title,
            help=self.help,
            team=self.team,
            roles=list(self.roles),
            source=self.source,
            most=self.most,
            own_tool_calls=self.own_tool_calls,
        )

    def to_json(self) -> dict[str, Any]:
        """The inbox as one of a list of the API."""
        return {
            "id": self.id,
            "title": self.title,
            "help": self.help,
            "team": self.team,
            "collection": self.source.collection if self.source else None,
            "workflow": self.source.workflow if self.source else None,
        }


def all_inboxes() -> list[Inbox]:
    """Every open inbox in order, as it was at most a second ago. Without rights: callers judge."""
    return _inboxes.get()


def _read_all(_: object) -> list[Inbox]:
    table = tables.inbox.c
    columns = (
        table.id,
        table.title,
        table.help,
        table.team,
        table.roles,
        table.source,
        table.position,
        table.most,
        table.own_tool_calls,
    )
    wanted = (
        sa.select(*columns).where(table.closed_at.is_(None)).order_by(table.position, table.title, table.id)
    )
    rows = read_rows(wanted)
    return [
        Inbox(
            row.id,
            row.title,
            row.help,
            row.team,
            tuple(row.roles),
            Source.model_validate(row.source) if row.source else None,
            row.position,
            row.most,
            row.own_tool_calls,
        )
        for row in rows
    ]


_inboxes: ProcessCache[list[Inbox]] = ProcessCache(_read_all)
forget = _inboxes.forget


def title_of(inbox_id: str) -> str:
    """How the inbox is called; its id where it was closed."""
    return next((inbox.title for inbox in all_inboxes() if inbox.id == inbox_id), inbox_id)


def rule(here: Inbox) -> str:
    """The order in which tickets are taken, in sentences for people."""
    words = "Urgent first, then high, then what has waited longest."
    if here.source is None:
        return words
    words += " What was begun and saved comes before records that nobody has begun"
    collection = records.collection(here.source.collection)
    name = (here.source.sort or "").removeprefix("-")
    field = collection.field(name) if name else None
    if field is not None:
        within = " within each currency" if name in collection.currencies else ""
        words += f", those by {uncapitalised(field.label)}{within}{', the last first' if (here.source.sort or '').startswith('-') else ''}"
    due = here.source.due
    counted = collection.field(due.field) if due is not None else None
    if due is None or counted is None:
        return f"{words}."
    return f"{words}. Due {f'{due.days} days after' if due.days else 'on the day of'} “{counted.label}”."


def may(actor: Actor, inbox: Inbox, act: str) -> bool:
    """Whether the actor may `work` in the inbox or `manage` it: the right in its team, and for work one of the roles that it names."""
    if not access.can(actor, inbox.team, f"inbox:{inbox.id}", act):
        return False
    return act != "work" or not inbox.roles or bool(access.held(actor, inbox.team) & set(inbox.roles))


def inboxes_of(actor: Actor) -> list[Inbox]:
    """Inboxes in which the actor may work, or which they manage, in order."""
    return [inbox for inbox in all_inboxes() if may(actor, inbox, "work") or may(actor, inbox, "manage")]


def visible_inbox(actor: Actor, inbox_id: str) -> Inbox:
    """The inbox, if the actor works in it or manages it. Raises NotFound, in the same words for what is not there."""
    found = next((inbox for inbox in all_inboxes() if inbox.id == inbox_id), None)
    if found is None or not (may(actor, found, "work") or may(actor, found, "manage")):
        raise NotFound(hidden=found is not None)
    return found


def used_by(team: str) -> list[Inbox]:
    """Inboxes that runs of the team are handed on to, in order."""
    return [inbox for inbox in all_inboxes() if inbox.team == team]


def require_used(inbox_id: str, team: str) -> None:
    """Raise Invalid on the field `inbox` where the team's runs cannot be handed on to it; the same words for an unknown one."""
    offered = used_by(team)
    if any(inbox.id == inbox_id for inbox in offered):
        return
    ways = ", ".join(inbox.id for inbox in offered)
    reason = (
        f"One of: {ways}."
        if ways
        else "This team has no inbox yet; an administrator makes one with `console inbox import`."
    )
    raise Invalid("There is no such inbox for this run.", at=("inbox", reason))


# -------------------------------------------------------------------------------------------------------------- making


def import_file(path: Path) -> list[Inbox]:
    """Make or change the inboxes that the file lists, in its order; those that it does not name stay. Raises DefinitionError, nothing is kept then."""
    try:
        content = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise DefinitionError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise DefinitionError(f"{path} is larger than {MAX_BYTES // 1024} KiB.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"{path} is not JSON: {error}.") from None
    if not isinstance(found, list):
        raise DefinitionError(f'{path} holds no list of inboxes: write [{{"id": …, "title": …, "team": …}}].')
    return import_all(found)


def import_all(documents: Sequence[Mapping[str, Any]], by: Actor = COMMAND_LINE) -> list[Inbox]:
    """As `import_file`, of documents."""
    read = [_read(number, document) for number, document in enumerate(documents)]
    twice = sorted({inbox.id for inbox in read if [other.id for other in read].count(inbox.id) > 1})
    if twice:
        raise _wrong(twice[0], "id", "is named twice")
    changed: list[tuple[Document, list[str]]] = []
    with transaction() as connection:
        before = {row.id: row for row in connection.execute(sa.select(tables.inbox).with_for_update())}
        for number, document in enumerate(read):
            fields = _put(connection, document, number, before.get(document.id), by)
            changed += [(document, fields)] if fields else []
        for document, fields in changed:
            _note(connection, by, document.id, document.title, fields)
    forget()
    return [inbox for inbox in all_inboxes() if inbox.id in {document.id for document in read}]


def save(connection: Connection, by: Actor, document: Mapping[str, Any]) -> Document:
    """Make or change one inbox in this transaction; it keeps its place. Callers judge the right. Raises DefinitionError with the field that is wrong."""
    made = check(document)
    former = connection.execute(
        sa.select(tables.inbox).where(tables.inbox.c.id == made.id).with_for_update()
    ).one_or_none()
    place = former.position if former is not None else len(all_inboxes())
    if fields := _put(connection, made, place, former, by):
        _note(connection, by, made.id, made.title, fields)
    return made


def close(inbox_id: str, by: Actor = COMMAND_LINE) -> None:
    """Close the inbox; imported again it opens. Raises NotFound, Conflict while runs that were handed on wait in it."""
    with transaction() as connection:
        counted = f"select count(*) from {access.runs(by).sql()} where r.ticket->>'inbox' = :inbox and r.ticket is not null"  # noqa: S608 (a text of ours)
        waiting = connection.scalar(sa.text(counted), {"inbox": inbox_id})
        if waiting:
            runs = "1 run waits" if waiting == 1 else f"{waiting} runs wait"
            raise Conflict(f"{runs} in {inbox_id}: take or hand on what is in it before it is closed.")
        notify.before_change(connection, by, "inbox_closed", inbox_id)
        table = tables.inbox
        found = connection.execute(
            sa.update(table)
            .where(table.c.id == inbox_id, table.c.closed_at.is_(None))
            .values(closed_at=sa.func.now())
            .returning(table.c.title)
        ).first()
        if found is None:
            raise NotFound(f"There is no open inbox {inbox_id}.")
        _note(connection, by, inbox_id, found.title, ["closed"])
    forget()


def _note(connection: Connection, by: Actor, inbox_id: str, title: str, fields: list[str]) -> None:
    told = {"inbox": inbox_id, "fields": fields}
    log.note(by, "inbox_changed", open=told, sealed={"name": title}, chain=CHAIN, connection=connection)


def check(document: Mapping[str, Any]) -> Document:
    """The document of one inbox, as `save` would make it. Raises DefinitionError with the field that is wrong."""
    return _read(0, document)


def _read(number: int, document: Mapping[str, Any]) -> Document:
    """The document, checked by itself and against what is connected and published."""
    which = (
        str(document.get("id") or f"inbox {number + 1}")
        if isinstance(document, Mapping)
        else f"inbox {number + 1}"
    )
    try:
        made = Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(
            which,
            ".".join(str(part) for part in first["loc"]) or "source",
            json_shape.reason(first, Document).rstrip("."),
        ) from None
    if not NAME.fullmatch(made.id):
        raise _wrong(which, "id", "takes small letters and digits, joined by -")
    for name, text in (("title", made.title), ("help", made.help or ""), ("roles", "".join(made.roles))):
        if "\x00" in text:  # PostgreSQL raises an error for NUL
            raise _wrong(which, name, "holds a NUL character")
    if made.source is not None:
        _check_source(made.id, made.team, made.source)
    return made


def _check_source(which: str, team: str, source: Source) -> None:
    """The collection, segment, order and workflow are there and fit each other."""
    try:
        collection = records.collection(source.collection)
    except NotFound:
        raise _wrong(which, "source.collection", f"there is no collection {source.collection}") from None
    place = "source.filter" if source.segment is None else "source.segment"
    try:
        sql_conditions.check(source.expression(collection), collection)
    except ConsoleError as error:
        raise _wrong(which, place, error.message) from None
    try:
        if (late := source.due_before(collection, log.now().date())) is not None:
            sql_conditions.check(late, collection)
    except ConsoleError as error:
        raise _wrong(which, "source.due", error.message) from None
    if source.sort is not None:
        ordered = collection.by_name.get(source.sort.removeprefix("-"))
        if ordered is None or not ordered.sortable:
            raise _wrong(
                which,
                "source.sort",
                f"{collection.label} cannot be sorted by {source.sort.removeprefix('-')}",
            )
    try:
        document = workflows.live(source.workflow).document
    except NotFound:
        raise _wrong(
            which, "source.workflow", f"there is no published workflow {source.workflow}; publish it first"
        ) from None
    if document.collection != source.collection or (document.team or "") != team:
        raise _wrong(
            which,
            "source.workflow",
            f"{source.workflow} is not about records of {source.collection}, or not of the team {team}",
        )
    if not document.settings.exclusive:
        raise _wrong(
            which,
            "source.workflow",
            f"{source.workflow} may run several times on one record; in an inbox each is taken once",
        )
    if wrong := _wrong_input(document, source.input):
        named = "; ".join(f"source.input.{name}: {reason}" for name, reason in wrong)
        details = [(f"source.input.{name}", reason) for name, reason in wrong]
        raise DefinitionError(f"{which}: {named}", details=details)


def _wrong_input(document: Workflow, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, reason) for each value of the start that is wrong or missing whatever the record is."""
    fields = [
        entry.model_copy(
            update={
                "must": [
                    rule
                    for rule in entry.must
                    if {path[0] for path in expressions.paths(expressions.parse(rule.if_))} <= {OWN_INPUT}
                ]
            }
        )
        for entry in document.start_fields
    ]
    roots: dict[str, Any] = {"record": None, "related": {}, "variables": {}, OWN_INPUT: {}}
    _, details = submitted_values(fields, roots, {}, OWN_INPUT, given)
    computed = {entry.name for entry in fields if entry.value is not None} - given.keys()
    return [(each["field"], each["reason"]) for each in details if each["field"] not in computed]


def _put(connection: Connection, document: Document, number: int, former: Any, by: Actor) -> list[str]:
    """Write the inbox; names of what changed, `made` for a new one."""
    source = document.source.model_dump(exclude_defaults=True) if document.source else None
    columns = document.model_dump(include={"title", "help", "team", "roles", "most", "own_tool_calls"}) | {
        "source": source,
        "position": number,
    }
    changed = (
        ["made"]
        if former is None
        else sorted(name for name, value in columns.items() if getattr(former, name) != value)
    )
    if former is not None and former.closed_at is not None:
        changed.append("opened")
    if changed:
        insert = postgresql.insert(tables.inbox).values(id=document.id, made_by=by.id, **columns)
        connection.execute(
            insert.on_conflict_do_update(index_elements=["id"], set_=columns | {"closed_at": None})
        )
    if "source" in changed or "opened" in changed:
        slugs = {each["workflow"] for each in (source, former.source) if each}
        known = [workflow.id for workflow in map(workflows.find_known, slugs) if workflow is not None]
        connection.execute(_FORGET_DUE, {"workflows": known})
    return changed


_FORGET_DUE = sa.text(
    "update console.run set due_at = null, due_known = null where workflow = any(:workflows) and ended_at is null and due_known"
)
"""The worker computes again when they are due."""


def _wrong(which: str, place: str, reason: str) -> DefinitionError:
    return DefinitionError(f"{which}: {place}: {reason}.", at=(place, reason))
