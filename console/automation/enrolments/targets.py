"""The workflow that somebody is enrolled in: its live version or, where none is published, its draft."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from console import records, steps
from console.auth import access
from console.core.actor import Actor
from console.core.documents.fields import OWN_INPUT, FieldDefinition, submitted_values
from console.core.documents.workflow import AfterDays, Exit, Workflow, read
from console.core.errors import Conflict, Invalid, NotFound
from console.infra.db import tables
from console.infra.db.engine import read_row
from console.workflows import OBJECT

PAUSED = "paused"
CLOSED = {
    "completed": "is completed: nobody is enrolled any more",
    "cancelled": "is cancelled: nobody is enrolled any more",
    PAUSED: "is paused: nobody is enrolled until it is switched on again",
}
FIRST = "start"


@dataclass(frozen=True, slots=True)
class Target:
    """A workflow as enrolling needs it. `number` is its live version, None for a draft; `document` None for a draft that cannot be read yet."""

    id: str
    slug: str
    title: str
    status: str
    team: str
    label: str | None
    collection: str | None
    number: int | None
    document: Workflow | None
    archived: bool = False

    @property
    def open(self) -> bool:
        """Whether somebody may be enrolled, as far as its status goes."""
        return not self.archived and self.status not in CLOSED

    @property
    def places(self) -> bool:
        """Whether whoever comes in is judged by their place first, as `judges_entries` says."""
        return self.document is not None and judges_entries(self.document)

    @property
    def fields(self) -> list[FieldDefinition]:
        """The fields of the start step."""
        return [] if self.document is None else start_fields(self.document)

    @property
    def first_step(self) -> str:
        """The step at which whoever waits to begin is counted."""
        return FIRST if self.document is None else self.document.start.id

    @property
    def exits(self) -> list[Exit]:
        """When somebody leaves early."""
        return [] if self.document is None else self.document.exits

    def barred_since(self, now: datetime) -> datetime | None:
        """Who left after this moment may not be enrolled again; None: everybody may."""
        match self.document.reenrol if self.document else None:
            case "never":
                return datetime.min.replace(tzinfo=now.tzinfo)
            case AfterDays(days=days):
                return now - timedelta(days=days)
        return None

    @property
    def again_words(self) -> str:
        """Why somebody who was in the workflow before is not enrolled again."""
        rule = self.document.reenrol if self.document else None
        if isinstance(rule, AfterDays):
            return f"Left less than {rule.days} day{'' if rule.days == 1 else 's'} ago: this workflow takes nobody again before."
        return "Was in this workflow before: it takes nobody twice."

    def wrong_values(self, given: Mapping[str, Any]) -> list[dict[str, str]]:
        """The errors in the values of somebody without a record; those of a record are judged when its run begins."""
        if self.collection is not None or not self.fields:
            return []
        known = {entry.name for entry in self.fields}
        roots: dict[str, Any] = {"record": None, "related": {}, "variables": {}, OWN_INPUT: {}}
        _, details = submitted_values(
            self.fields, roots, {}, OWN_INPUT, {name: value for name, value in given.items() if name in known}
        )
        return [{"field": str(detail["field"]), "reason": str(detail["reason"])} for detail in details]

    def unknown_values(self, given: Iterable[str]) -> list[dict[str, str]]:
        """The names among those given for somebody that the start does not ask for: their values would be in no run."""
        known = [entry.name for entry in self.fields]
        if self.document is None or (self.collection is None and not known):
            return []
        asked = f"but for {', '.join(known)}" if known else "nor for any other"
        reason = f"The start of this workflow asks for no such value, {asked}."
        return [{"field": name[:200], "reason": reason} for name in given if name not in known]


def judges_entries(document: Workflow) -> bool:
    """Whether whoever comes into a workflow with this document is enrolled before their run begins, as it says how one leaves it or comes again. In others the run gives
    whoever it is about their place (the function `give_place` of the database).
    """
    return bool(document.exits) or document.reenrol is not None


def start_fields(document: Workflow) -> list[FieldDefinition]:
    """The fields of the document's start step. Raises Invalid for a draft in which they cannot be read."""
    try:
        return document.start_fields
    except ValidationError:
        raise Invalid("The fields of the start step cannot be read: see the problems of the draft.") from None


def find(slug_or_id: str) -> Target:
    """The workflow. Raises NotFound."""
    known = tables.workflow.c
    columns = [
        known[name]
        for name in (
            "id",
            "slug",
            "title",
            "status",
            "team",
            "label",
            "collection",
            "live_version",
            "draft",
            "archived_at",
        )
    ]
    made = tables.workflow_version.c
    joined = sa.outerjoin(
        tables.workflow,
        tables.workflow_version,
        sa.and_(made.workflow == known.id, made.number == known.live_version),
    )
    wanted = (
        sa.select(*columns, made.document)
        .select_from(joined)
        .where(sa.or_(known.slug == slug_or_id, known.id == slug_or_id))
    )
    row = None
    if "\x00" not in slug_or_id:
        row = read_row(wanted)
    if row is None:
        raise NotFound
    try:
        document: Workflow | None = read(bytes(row.document) if row.document is not None else row.draft)
        if document is not None and not steps.is_readable(document.start):
            document = None  # a draft may have no start yet, or one that is unfinished
    except (ValueError, KeyError):
        document = None
    return Target(
        row.id,
        row.slug,
        row.title,
        row.status,
        row.team,
        row.label,
        row.collection,
        row.live_version,
        document,
        row.archived_at is not None,
    )


def require_target(actor: Actor, slug_or_id: str, act: str = "see") -> Target:
    """The workflow, as far as the actor may see it and do this. Raises NotFound, NotAllowed."""
    target = find(slug_or_id)
    obj = f"{OBJECT}:{target.slug}"
    if not access.can(actor, target.team or None, obj, "see"):
        raise NotFound(hidden=not target.label)
    if act != "see":
        access.require(actor, target.team or None, obj, act)
    return target


def keeps_consent(target: Target) -> bool:
    """Whether the records of the workflow say who agreed to be reached by which channel."""
    contact = records.collection(target.collection).contact if target.collection is not None else None
    return contact is not None and bool(contact.consent)


def require_open(target: Target) -> None:
    """Raise Conflict `not_active` where nobody is enrolled (now, or any more), `not_possible` where no run can be about its records."""
    if target.archived:
        raise Conflict(f"{target.title} is archived: nobody is enrolled any more.", code="not_active")
    if target.status in CLOSED:
        raise Conflict(f"{target.title} {CLOSED[target.status]}.", code="not_active")
    if target.collection is not None:
        records.require_plain_key(target.collection)
