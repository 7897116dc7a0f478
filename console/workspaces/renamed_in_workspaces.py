"""Columns that were renamed in a database: what is published and what is drafted follows, also where a relation is named after its column."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.workspaces import Workspace, check, read
from console.core.documents.workspaces.new_names import Names, with_columns
from console.infra.db import tables
from console.workflows import inboxes
from console.workspaces import workspace_list
from console.workspaces.workspace_publication import Editing, publish_within
from console.workspaces.workspace_store import lock, read_draft, read_live, write_draft


def follow(
    connection: Connection,
    columns: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Collection],
    after: Mapping[str, Collection],
    actor: Actor,
) -> None:
    """Publish each workspace again under the new names of `columns` (collection → former → new), and put them into its draft, whose revision stays:
    whoever has it open goes on in it.

    `before` and `after` are all collections by id. One that the new names would make invalid stays as it is and says what it misses.
    """
    names = {ident: found for ident in before if (found := _names(ident, columns, before, after)) != Names()}
    if not names:
        return
    of_inbox = {each.id: each.source.collection for each in inboxes.known() if each.source is not None}

    def way(collection: str, relation: str) -> str | None:
        known = before[collection].relation(relation) if collection in before else None
        return known.collection if known is not None else None

    def renamed(document: Workspace) -> Workspace:
        made = with_columns(document, names, way, of_inbox)
        return document if check(made) else read(made)

    for workspace_id in connection.execute(sa.select(tables.workspace.c.id)).scalars().all():
        lock(connection, workspace_id)
        live, version = read_live(connection, workspace_id)
        draft = read_draft(connection, workspace_id)
        if live is not None and (made := renamed(live)).canonical() != live.canonical():
            publish_within(connection, Editing(workspace_id, live, version, draft), made, actor, "page")
        elif draft.document is None or renamed(draft.document).canonical() == draft.document.canonical():
            continue
        if draft.document is not None:
            former = [
                each._replace(text=renamed(read(each.text)).canonical().decode()) for each in draft.former
            ]
            write_draft(connection, workspace_id, renamed(draft.document), former, draft.revision, actor)
    workspace_list.forget()


def _names(
    ident: str,
    columns: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Collection],
    after: Mapping[str, Collection],
) -> Names:
    """What is called otherwise in a collection now: its columns, and relations over the same columns as before."""
    own, now = columns.get(ident, {}), after.get(ident)
    relations = {}
    for relation in before[ident].relations if now is not None else ():
        there = columns.get(relation.collection, {})
        pairs = tuple((own.get(mine, mine), there.get(other, other)) for mine, other in relation.columns)
        same = [
            each
            for each in now.relations  # type: ignore[union-attr]
            if (each.collection, each.kind, each.columns) == (relation.collection, relation.kind, pairs)
        ]
        if pairs != relation.columns and len(same) == 1 and same[0].name != relation.name:
            relations[relation.name] = same[0].name
    return Names(own, relations)
