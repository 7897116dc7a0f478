"""The rules of an inbox, changed on a page: each save counts at once and is kept as a version, which can be restored."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from console import workflows
from console.auth import access
from console.authoring.versioned_documents import Documents, Version
from console.core.actor import Actor
from console.core.errors import Conflict, DefinitionError, Invalid, NotAllowed, NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.work import due_times, tickets
from console.work.tickets import Preview
from console.workflows import inboxes
from console.workflows.inboxes import Document, Inbox


class Rules(Document):
    """What an inbox says, with the due time of its tickets; a version that does not name `clock` was saved without."""

    clock: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The document as in a file, and the terms of the due time."""
        return super().to_json() | ({"clock": self.clock} if "clock" in self.model_fields_set else {})


def _read(text: Any) -> Rules:
    return Rules.model_validate_json(text)


def _parts(document: Rules | None) -> dict[str, Any]:
    return document.to_json() if document is not None else {}


DOCUMENTS: Documents[Rules] = Documents("inbox", tables.inbox_version, tables.inbox_version, _read, _parts)
"""Only its versions: an inbox has no draft."""


def teams_of(actor: Actor) -> list[str]:
    """The teams for which the actor may make inboxes."""
    return [team for team in actor.teams if access.can(actor, team, "inbox:new", "manage")]


def workflows_of(actor: Actor) -> list[workflows.Known]:
    """The workflows whose records may come into an inbox of the actor: those of their teams that they see."""
    mine = teams_of(actor)
    return [
        each
        for each in workflows.all_known()
        if each.team in mine
        and each.live
        and each.collection
        and access.can(actor, each.team, f"workflow:{each.slug}", "see")
    ]


def rules(actor: Actor, inbox_id: str) -> Rules:
    """What the inbox says now. Raises NotFound, and NotAllowed for who does not manage it."""
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    return _rules(inbox)


def _rules(inbox: Inbox) -> Rules:
    clock = due_times.rule_of_inbox(inbox.id)
    return Rules(**dict(inbox.document), clock=clock.to_json() if clock is not None else None)


def versions(actor: Actor, inbox_id: str) -> list[Version[Rules]]:
    """What it said before, newest first; those that were saved on a page. Raises as `rules` does."""
    rules(actor, inbox_id)
    with hot_engine().connect() as connection:
        return DOCUMENTS.versions(connection, inbox_id)


def save(actor: Actor, document: Mapping[str, Any], seen: str | None) -> str:
    """Make the inbox (`seen` None), or change it where it still says what the editor saw, the hash of it; returns its id. A document without `clock` leaves the due time as it is.

    Raises Invalid with the field that is wrong, NotFound, NotAllowed, Conflict `stale_revision`.
    """
    ident, before = str(document.get("id", "")), _judge(actor, document, seen)
    with transaction() as connection:
        DOCUMENTS.lock(connection, ident)
        inboxes.forget()
        known = next((_rules(inbox) for inbox in inboxes.all_inboxes() if inbox.id == ident), None)
        if (known.hash if known is not None else None) != seen:
            raise Conflict(
                "Somebody else changed this inbox: look at what it says now.", code="stale_revision"
            )
        kept = DOCUMENTS.versions(connection, ident)
        number = kept[0].number if kept else 0
        with _refusals():
            made = inboxes.save(connection, actor, _without_clock(document))
        clock = document.get("clock", known.clock if known is not None else None)
        due_times.put_for_inbox(connection, actor, ident, made.team, clock)
        if made.source is not None and (known is None or made.source != known.source):
            due_times.recount(connection, actor, workflow=workflows.live(made.source.workflow).id)
        if before is not None and not kept:
            number += 1
            DOCUMENTS.add_version(connection, ident, number, before, "found", actor)
        DOCUMENTS.add_version(connection, ident, number + 1, Rules(**dict(made), clock=clock), "page", actor)
    inboxes.forget()
    return ident


def preview(actor: Actor, document: Mapping[str, Any], seen: str | None) -> Preview:
    """What would come of saving this document. Raises as `save` does."""
    before = _judge(actor, document, seen)
    with _refusals():
        wanted = Inbox.from_document(inboxes.check(_without_clock(document)))
    now = Inbox.from_document(Document(**_without_clock(dict(before)))) if before is not None else None
    same_clock = before is None or before.clock == document.get("clock", before.clock)
    return tickets.preview(actor, wanted, now, same_clock=same_clock)


def _without_clock(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "clock"}


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except DefinitionError as wrong:
        raise Invalid("The inbox was not saved.", details=wrong.details) from None


def _judge(actor: Actor, document: Mapping[str, Any], seen: str | None) -> Rules | None:
    """What the inbox says now; None for a new one. Raises as `save` does."""
    ident, team = str(document.get("id", "")), str(document.get("team", ""))
    before = rules(actor, ident) if seen is not None else None
    if not access.can(actor, team, f"inbox:{ident or 'new'}", "manage"):
        raise NotAllowed(
            "Choose a team whose inboxes you manage.", need=(f"inbox:{ident or 'new'}", "manage")
        )
    if before is None and (ident == "new" or any(inbox.id == ident for inbox in inboxes.all_inboxes())):
        raise Invalid("There is an inbox of this name: choose another one.", at="title")
    begins = (document.get("source") or {}).get("workflow")
    former = before.source.workflow if before is not None and before.source is not None else None
    if begins and begins != former and begins not in [each.slug for each in workflows_of(actor)]:
        raise Invalid("The inbox was not saved.", at=("source.workflow", "Choose a workflow of your teams."))
    return before


def restore(actor: Actor, inbox_id: str, number: int) -> None:
    """Let the inbox say what it said in this version. Raises as `save` does."""
    wanted = next((each for each in versions(actor, inbox_id) if each.number == number), None)
    if wanted is None:
        raise NotFound("There is no such version.")
    save(actor, wanted.document.to_json(), rules(actor, inbox_id).hash)
