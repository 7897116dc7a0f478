"""Stored workspaces: the rows of the tables workspace, workspace_draft and workspace_version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console.core import former_documents
from console.core.actor import Actor
from console.core.documents.workspaces import Workspace, read
from console.core.errors import NotFound
from console.core.former_documents import FormerDocument
from console.infra.db import tables

MOST_FORMER = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft of a workspace; `document` None: there is none. `revision` grows with each change, also across drafts.

    `former` are the previous documents of the draft, oldest first.
    """

    document: Workspace | None
    revision: int
    changed_by: str = ""
    changed_at: datetime | None = None
    former: Sequence[FormerDocument] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A published version. `origin`: page or file."""

    number: int
    document: Workspace
    hash: str
    origin: str
    made_by: str
    made_at: datetime


def lock(connection: Connection, workspace_id: str) -> None:
    """Hold the workspace until the transaction ends, whether it is there or not."""
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtext('console.workspace'), hashtext(:id))"),
        {"id": workspace_id},
    )


def read_live(connection: Connection, workspace_id: str) -> tuple[Workspace | None, int]:
    """(what counts, its version number); None if nothing was published. Raises NotFound for a workspace that nobody made."""
    table = tables.workspace
    row = connection.execute(sa.select(table).where(table.c.id == workspace_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such workspace, or it is not yours to see.")
    return (None if row.document is None else read(row.document)), row.version


def read_draft(connection: Connection, workspace_id: str) -> Draft:
    """The draft of the workspace."""
    table = tables.workspace_draft
    row = connection.execute(sa.select(table).where(table.c.workspace == workspace_id)).one_or_none()
    if row is None:
        return Draft(None, 0)
    document = None if row.document is None else read(row.document)
    return Draft(document, row.revision, row.changed_by, row.changed_at, former_documents.loaded(row.former))


def read_versions(connection: Connection, workspace_id: str) -> list[Version]:
    """The versions of the workspace, newest first."""
    table = tables.workspace_version
    rows = connection.execute(
        sa.select(table).where(table.c.workspace == workspace_id).order_by(table.c.number.desc())
    )
    return [
        Version(row.number, read(row.document), row.hash, row.origin, row.made_by, row.made_at)
        for row in rows
    ]


def write_draft(
    connection: Connection,
    workspace_id: str,
    document: Workspace | None,
    former: Sequence[FormerDocument],
    revision: int,
    actor: Actor,
) -> int:
    """Store the draft, and the workspace if it is new; returns the draft's revision."""
    connection.execute(postgresql.insert(tables.workspace).values(id=workspace_id).on_conflict_do_nothing())
    text = document.canonical().decode() if document else None
    values = {
        "document": text,
        "former": former_documents.stored(former),
        "revision": revision,
        "changed_by": actor.id,
        "changed_at": sa.func.now(),
    }
    insert = postgresql.insert(tables.workspace_draft).values(workspace=workspace_id, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["workspace"], set_=values))
    return revision


def write_version(
    connection: Connection, document: Workspace, number: int, origin: str, actor: Actor
) -> None:
    """Make the document the version that counts."""
    text = document.canonical().decode()
    connection.execute(postgresql.insert(tables.workspace).values(id=document.id).on_conflict_do_nothing())
    version = {
        "workspace": document.id,
        "number": number,
        "document": text,
        "hash": document.hash,
        "origin": origin,
        "made_by": actor.id,
    }
    connection.execute(sa.insert(tables.workspace_version).values(version))
    kept = {"document": text, "version": number, "changed_at": sa.func.now()}
    connection.execute(sa.update(tables.workspace).where(tables.workspace.c.id == document.id).values(kept))
