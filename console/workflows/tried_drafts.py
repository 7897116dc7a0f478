"""Drafts that are executed: kept as they were under a negative number, so that their runs can be read and replayed. No such number ever goes live."""

import sqlalchemy as sa

from console.auth import access
from console.core.actor import Actor
from console.core.documents.workflow import read
from console.core.errors import Conflict
from console.infra.db import tables
from console.infra.db.engine import transaction
from console.workflows.definitions import locked_row
from console.workflows.second_person import needs_second_person
from console.workflows.versions import (
    OBJECT,
    Definition,
    around,
    check,
    note_version,
    refused,
    require_account,
    version,
)


def keep_tried_draft(actor: Actor, slug_or_id: str, revision: int) -> Definition:
    """The draft as a definition that runs can have; the live version, where the draft is the same.

    What an executed draft does is real, so it needs what publishing it needs. Raises NotFound, NotAllowed without the right to publish, DefinitionError
    with each problem, Conflict `stale_revision`, `review_needed` where a second person has to see it first, `not_ready` where the draft changes who may know
    of its runs.
    """
    made = tables.workflow_version.c
    with transaction() as connection:
        row = locked_row(connection, actor, slug_or_id, "publish")
        if revision != row.draft_revision:
            raise Conflict(
                "Nothing was started: the draft was changed in the meantime. Look at it again.",
                code="stale_revision",
            )
        problems = check(row.draft, around())
        if any(problem.severity == "error" for problem in problems):
            raise refused("The draft", problems)
        document = read(row.draft)
        access.require(actor, document.team, f"{OBJECT}:{row.slug}", "publish")
        require_account(actor, document)
        tried = sa.select(made.hash, made.number).where(made.workflow == row.id, made.number < 0)
        known = {each.hash: each.number for each in connection.execute(tried)}
        if row.live_version is not None:
            live = connection.scalar(
                sa.select(made.hash).where(made.workflow == row.id, made.number == row.live_version)
            )
            if live == document.hash:
                return version(row.id, row.live_version)
        if needs_second_person(row, document.team, connection=connection):
            reason = "Here a second person sees a draft before it does anything real. Try it in a dry run, and ask for it to be published."
            raise Conflict(reason, code="review_needed")
        if document.clearance != row.label:
            raise Conflict(
                "The draft changes who may know of its runs, which counts once it is published. Try it in a dry run.",
                code="not_ready",
            )
        number = known.get(document.hash)
        if number is None:
            number = min(known.values(), default=0) - 1
            values = {
                "workflow": row.id,
                "number": number,
                "document": document.canonical(),
                "hash": document.hash,
            }
            connection.execute(
                sa.insert(tables.workflow_version).values(
                    **values, published_at=sa.func.now(), published_by=actor.id
                )
            )
            note_version(actor, "workflow_tried", row, number, document.hash, connection)
    return version(row.id, number)
