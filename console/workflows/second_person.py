"""Whether publishing a workflow needs a second person: where its team says so, or the setting for all teams."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict
from console.infra import settings
from console.infra.db import tables
from console.infra.db.engine import hot_engine

_LIVE_TEAM = "select convert_from(v.document, 'UTF8')::jsonb ->> 'team' from console.workflow_version v where v.workflow = :workflow and v.number = :number"


def needs_second_person(row: Any, *others: str | None, connection: Connection | None = None) -> bool:
    """Whether publishing the workflow of this row needs a second person, by its team, that of its live version, or one of the others.

    So a workflow does not escape by being given to another team in the same draft.
    """
    if settings.current().publish_review:
        return True
    if connection is not None:
        return _team_asks(connection, row, others)
    with hot_engine().connect() as own:
        return _team_asks(own, row, others)


def _team_asks(connection: Connection, row: Any, others: tuple[str | None, ...]) -> bool:
    teams = {row.team, *others}
    if row.live_version is not None:
        teams.add(connection.scalar(sa.text(_LIVE_TEAM), {"workflow": row.id, "number": row.live_version}))
    named = sorted(team for team in teams if team)
    wanted = sa.select(sa.exists().where(tables.team.c.id.in_(named), tables.team.c.second_person))
    return bool(named) and bool(connection.scalar(wanted))


def require_reviewed(connection: Connection, actor: Actor, row: Row[Any], document: Workflow) -> None:
    """Raise Conflict `review_needed` where a second person has to approve it first. The command line is trusted."""
    if actor.kind != "system" and needs_second_person(row, document.team, connection=connection):
        raise Conflict(
            f"Publishing {row.title} needs a second person: ask for it to be approved, and say in a note what changes.",
            code="review_needed",
        )
