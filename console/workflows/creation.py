"""New workflows: with only a start step, from a template, or as a copy of another."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console.auth import access
from console.core import plain_words
from console.core.actor import Actor
from console.core.documents.workflow import FORMAT, Workflow
from console.core.errors import NotAllowed
from console.infra.db import tables
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.workflows.definitions import Entry, check_texts, entry_of, not_ready
from console.workflows.draft_edits import LONGEST_TITLE, changed_body, stored_document
from console.workflows.ownership import is_personal, require_person
from console.workflows.queries import forget
from console.workflows.store import OBJECT, locked_row, note_event
from console.workflows.versions import check, connected, refused

TAKEN = {"new", "lately", "order"}
"""Names that pages have: `/workflows/new`."""
BY_ITSELF = ("schedule", "event", "webhook")
"""Kinds of triggers that start runs without anybody at hand."""


def create(
    actor: Actor,
    title: str,
    *,
    description: str = "",
    status: str = "draft",
    team: str | None = None,
    document: Mapping[str, Any] | None = None,
    slug: str = "",
    whose: str | None = None,
) -> Entry:
    """Create a workflow with only a start step, or with the steps and settings of a document, in the actor's team (or `team`). `slug`: its name for addresses, if that is free, else one of the title. `whose`: `organisation` (as none is) or `personal`, the actor's own.

    Raises Invalid with a detail per field, NotAllowed, and Conflict `not_ready` for any status but draft.
    """
    wanted = check_texts(title=title, description=description, status=status)["status"]
    home, owner = _home(actor, team), _own(actor) if is_personal(whose) else None
    if wanted != "draft":
        wrong = refused("", check(_skeleton("new", title, home), connected()))
        raise not_ready("A new workflow has no steps", wrong.details)
    with transaction() as connection:
        slug = _free_slug(connection, title, slug)
        begun = (
            _skeleton(slug, title, home, description)
            if document is None
            else _copied(document, slug, title, home, description)
        )
        made = _insert(connection, begun, home, owner)
        note_event(
            actor,
            "workflow_created",
            made,
            connection,
            {"before": None, "after": changed_body(made)},
            status=made.status,
        )
    _make_known(made)
    return entry_of(made)


def duplicate(actor: Actor, slug_or_id: str, whose: str | None = None) -> Entry:
    """Create a new draft as a copy of this one, whose triggers are new and off: nothing starts it by itself. `whose`: as `create` has it; none: as the original.

    Raises NotFound, NotAllowed, Invalid.
    """
    personal = None if whose is None else is_personal(whose)
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "edit")
        title = f"Copy of {row.title}"[:LONGEST_TITLE]
        slug = _free_slug(connection, title)
        access.require(actor, row.team or None, f"{OBJECT}:{slug}", "edit")
        owner = _own(actor) if personal or (personal is None and row.owner is not None) else None
        made = _insert(
            connection,
            without_starts({**stored_document(row.draft), "slug": slug, "title": title}),
            row.team,
            owner,
        )
        sealed = {"before": None, "after": changed_body(made) | {"copy_of": row.id}}
        note_event(actor, "workflow_created", made, connection, sealed, status=made.status)
    _make_known(made)
    return entry_of(made)


def without_starts(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a copy: its triggers have ids of their own, and those that start runs by themselves are off until somebody switches them on."""
    triggers = [
        {**each, "id": new_id("trg")} | ({"enabled": False} if each.get("kind") in BY_ITSELF else {})
        for each in document.get("triggers") or ()
    ]
    return {**document, "triggers": triggers} if triggers else dict(document)


def _own(actor: Actor) -> str:
    """The owner of a new personal workflow. Raises Invalid for a service account."""
    require_person(actor)
    return actor.id


def _make_known(made: Row[Any]) -> None:
    """Let this process know of the new workflow, and at once that a personal one is nobody else's."""
    forget()
    if made.owner is not None:
        access.refresh()


def _home(actor: Actor, team: str | None) -> str:
    """The team of a new workflow: the given one, or the first of the actor's in which they may edit workflows. Raises NotAllowed."""
    places = [team] if team is not None else [*actor.teams]
    for place in places:
        if access.can(actor, place, f"{OBJECT}:*", "edit"):
            return place
    raise NotAllowed(
        f"Needs workflow.edit in a team of yours. {access.who_grants()} can grant it.",
        need=(f"{OBJECT}:*", "edit"),
        words=f"You may not edit workflows in any team. {access.who_grants()} can grant it.",
    )


def _skeleton(slug: str, title: str, team: str, description: str = "") -> dict[str, Any]:
    """The document of a new workflow."""
    start = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {}}
    document = {"format": FORMAT, "slug": slug, "title": title, "team": team, "steps": [start]}
    return Workflow.model_validate(document | ({"description": description} if description else {})).to_json()


def _copied(
    document: Mapping[str, Any], slug: str, title: str, team: str, description: str
) -> dict[str, Any]:
    """The document under another name. Its clearance does not come along: nobody is hidden from what is new."""
    body = {"slug": slug, "title": title, "team": team} | (
        {"description": description} if description else {}
    )
    return {name: value for name, value in document.items() if name != "clearance"} | body


def _free_slug(connection: Connection, title: str, wanted: str = "") -> str:
    """A name for addresses: the wanted one if it can be had, else made of the title, `kyc-review`, and `kyc-review-2` where that is taken."""
    made = plain_words.slug(title).lstrip("0123456789-")[:50].strip("-")
    base = made if len(made) > 1 else "workflow"
    slugs = tables.workflow.c.slug
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.workflow.slug'))"))
    taken = (
        set(
            connection.scalars(
                sa.select(slugs).where(sa.or_(slugs.in_([base, wanted]), slugs.startswith(f"{base}-")))
            )
        )
        | TAKEN
    )
    if (
        len(wanted) > 1
        and wanted == plain_words.slug(wanted).lstrip("0123456789-")[:50].strip("-")
        and wanted not in taken
    ):
        return wanted
    return (
        base
        if base not in taken
        else next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)
    )


def _insert(connection: Connection, document: Mapping[str, Any], team: str, owner: str | None) -> Row[Any]:
    values = {
        "id": new_id("wf"),
        "slug": document["slug"],
        "title": document["title"],
        "description": document.get("description") or "",
        "status": "draft",
        "team": team,
        "collection": document.get("collection"),
        "draft": dict(document),
        "label": document.get("clearance"),
        "owner": owner,
    }
    return connection.execute(sa.insert(tables.workflow).values(**values).returning(*tables.workflow.c)).one()
