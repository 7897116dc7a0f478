"""The rules of an inbox, changed on a page: each save counts at once and is kept as a version, which can be restored."""

from collections.abc import Mapping
from typing import Any

from console import workflows
from console.auth import access
from console.authoring.versioned_documents import Documents, Version
from console.core.actor import Actor
from console.core.errors import Conflict, DefinitionError, Invalid, NotAllowed, NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.workflows import inboxes
from console.workflows.inboxes import Document


def _read(text: Any) -> Document:
    return Document.model_validate_json(text)


def _parts(document: Document | None) -> dict[str, Any]:
    return document.to_json() if document is not None else {}


DOCUMENTS: Documents[Document] = Documents("inbox", tables.inbox_version, tables.inbox_version, _read, _parts)
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


def rules(actor: Actor, inbox_id: str) -> Document:
    """What the inbox says. Raises NotFound, and NotAllowed for who does not manage it."""
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    return inbox.document


def versions(actor: Actor, inbox_id: str) -> list[Version[Document]]:
    """What it said before, newest first; those that were saved on a page. Raises as `rules` does."""
    rules(actor, inbox_id)
    with hot_engine().connect() as connection:
        return DOCUMENTS.versions(connection, inbox_id)


def save(actor: Actor, document: Mapping[str, Any], seen: str | None) -> str:
    """Make the inbox (`seen` None), or change it where it still says what the editor saw, the hash of it; returns its id.

    Raises Invalid with the field that is wrong, NotFound, NotAllowed, Conflict `stale_revision`.
    """
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
    with transaction() as connection:
        DOCUMENTS.lock(connection, ident)
        inboxes.forget()
        known = next((inbox.document for inbox in inboxes.all_inboxes() if inbox.id == ident), None)
        if (known.hash if known is not None else None) != seen:
            raise Conflict(
                "Somebody else changed this inbox: look at what it says now.", code="stale_revision"
            )
        kept = DOCUMENTS.versions(connection, ident)
        number = kept[0].number if kept else 0
        try:
            made = inboxes.save(connection, actor, document)
        except DefinitionError as wrong:
            raise Invalid("The inbox was not saved.", details=wrong.details) from None
        if before is not None and not kept:
            number += 1
            DOCUMENTS.add_version(connection, ident, number, before, "found", actor)
        DOCUMENTS.add_version(connection, ident, number + 1, made, "page", actor)
    inboxes.forget()
    return ident


def restore(actor: Actor, inbox_id: str, number: int) -> None:
    """Let the inbox say what it said in this version. Raises as `save` does."""
    wanted = next((each for each in versions(actor, inbox_id) if each.number == number), None)
    if wanted is None:
        raise NotFound("There is no such version.")
    save(actor, wanted.document.to_json(), rules(actor, inbox_id).hash)
