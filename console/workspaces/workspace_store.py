"""Stored workspaces: the rows of the table workspace, their drafts and versions."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console.authoring.versioned_documents import Documents
from console.core.actor import Actor
from console.core.documents.workspaces import Workspace, read
from console.core.errors import NotFound
from console.infra.db import tables


def _parts(document: Workspace | None) -> dict[str, Any]:
    """The document with its components by id, so that a difference names the component and not its number: `components.refunds.limit`.

    Where a component stands is `in` and its place among the others there.
    """
    if document is None:
        return {"components": {}}
    fields = {name: value for name, value in document.to_json().items() if name not in ("format", "id")}
    by_id: dict[str, Any] = {}
    _flatten(fields.pop("components"), "", by_id)
    return {**fields, "components": by_id}


def _flatten(components: list[dict[str, Any]], parent: str, into: dict[str, Any]) -> None:
    for number, each in enumerate(components):
        own = {name: value for name, value in each.items() if name not in ("id", "components", "tabs")}
        into[each["id"]] = {**own, "place": [parent, number] if parent else [number]}
        _flatten(each.get("components", []), each["id"], into)
        for tab in each.get("tabs", ()):
            own.setdefault("tabs", []).append(tab["title"])
            into[each["id"]]["tabs"] = own["tabs"]
            _flatten(tab.get("components", []), f"{each['id']}.{tab['id']}", into)


DOCUMENTS: Documents[Workspace] = Documents(
    "workspace", tables.workspace_draft, tables.workspace_version, read, _parts
)


def read_live(connection: Connection, workspace_id: str) -> tuple[Workspace | None, int]:
    """(what counts, its version number); None if nothing was published. Raises NotFound for a workspace that nobody made."""
    table = tables.workspace
    row = connection.execute(sa.select(table).where(table.c.id == workspace_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such workspace, or it is not yours to see.")
    return (None if row.document is None else read(row.document)), row.version


def add_row(connection: Connection, workspace_id: str) -> None:
    """Add the row of the workspace if it is new."""
    connection.execute(postgresql.insert(tables.workspace).values(id=workspace_id).on_conflict_do_nothing())


def write_version(
    connection: Connection, document: Workspace, number: int, origin: str, actor: Actor
) -> None:
    """Make the document the version that counts."""
    add_row(connection, document.id)
    DOCUMENTS.add_version(connection, document.id, number, document, origin, actor)
    kept = {"document": document.canonical().decode(), "version": number, "changed_at": sa.func.now()}
    connection.execute(sa.update(tables.workspace).where(tables.workspace.c.id == document.id).values(kept))
