"""Runs by workflow: how many were begun, what came of them, and how long they took; for who hands out a team's work."""

from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa

from console import log, workflows
from console.core.actor import Actor
from console.infra.db import replica, tables
from console.monitoring.reports.tables.base import Cell, Column, Link, TableReport
from console.runs.views import lists, record_reach
from console.runs.views.run_filters import is_whole

COMPLETED = "completed"


class RunsByWorkflow(TableReport):
    """Of the runs begun in the window, one line for each workflow, items of a loop and branches not counted; confidential runs only for who is cleared for them."""

    title, icon = "Runs by workflow", "route"
    gist = "How many runs were begun, what came of them, and how long they took"
    columns = (
        Column("Workflow"),
        Column("Started", "number"),
        Column("Completed", "number"),
        Column("Ended otherwise", "number"),
        Column("Still open", "number"),
        Column("Half were completed within", "time"),
    )

    def may_read(self, actor: Actor) -> bool:
        """Where they hand out the work of a workflow."""
        return bool(lists.visible_pairs(actor, "assign"))

    def rows(self, actor: Actor, days: int) -> Iterator[tuple[Cell, ...]]:
        """The busiest workflow first; one statement, and for a reader with a record scope one more and those to the sources."""
        run = tables.run.c
        named = {
            known.id: Link(known.title, f"/workflows/{known.slug}/metrics") for known in workflows.all_known()
        }
        took = (
            sa.func.percentile_cont(0.5)
            .within_group(run.ended_at - run.created_at)
            .filter(run.status == COMPLETED)
        )
        counted = (
            sa.select(
                run.workflow,
                sa.func.count().label("begun"),
                sa.func.count().filter(run.status == COMPLETED).label("completed"),
                sa.func.count().filter(run.ended_at.is_not(None), run.status != COMPLETED).label("otherwise"),
                sa.func.count().filter(run.ended_at.is_(None)).label("open"),
                took.label("took"),
            )
            .where(
                record_reach.countable_runs(
                    actor,
                    ~run.test,
                    is_whole(),
                    run.created_at >= log.now() - timedelta(days=days),
                    act="assign",
                )
            )
            .group_by(run.workflow)
        )
        rows = replica.read_rows(counted)
        for row in sorted(
            rows, key=lambda row: (-row.begun, named[row.workflow].text if row.workflow in named else "")
        ):
            yield (
                named.get(row.workflow, row.workflow),
                row.begun,
                row.completed,
                row.otherwise,
                row.open,
                row.took,
            )
