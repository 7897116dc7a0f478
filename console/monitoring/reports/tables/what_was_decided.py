"""What was decided in a period: decisions, approvals, exceptions, overruled proposals, reveals and exports; for who audits."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from console import activity, workflows
from console.ai.evaluation import cases
from console.ai.evaluation.measure import Window
from console.ai.proposals import field_labels
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Malformed, NotAllowed
from console.log.event_lists import LogFilter
from console.monitoring.reports import choice_reasons
from console.monitoring.reports.tables.base import Cell, Column, Given, Link, PeriodReport

PAGE, MOST = 100, 10_000
CHOICE = "outcome_chosen"
OVERRULED = "Proposal overruled"
MATTERS: Mapping[str, tuple[str, ...]] = {
    "Decision": (CHOICE,),
    "Approval": ("approval_decided", "workflow_review_approved", "clearance_granted", "clearance_refused"),
    "Approval without an answer": ("approval_expired", "approval_voided"),
    "Exception": (
        "run_aborted",
        "run_cancelled",
        "step_revised",
        "effect_settled",
        "wait_left",
        "hold_placed",
        "hold_released",
    ),
    OVERRULED: ("handled_manually",),
    "Reveal": ("value_revealed",),
    "Export": ("log_exported", "records_exported", "table_exported", "case_file_made", "ai_cases_exported"),
}
"""What a line is about → the kinds of events that are it."""
Line: TypeAlias = tuple[datetime, str, str, Link | str | None, str, Given | str | None]
_MATTER_OF = {kind: matter for matter, kinds in MATTERS.items() for kind in kinds}


class WhatWasDecided(PeriodReport):
    """One line for each event of these kinds that the reader finds in the activity log, and for each step where a person changed a proposal."""

    title, icon = "What was decided", "gavel"
    gist = "Who decided, approved, made an exception, overruled a proposal, revealed or exported something, and why"
    export_right = ("activity", "export")  # its lines are those of the log
    columns = (
        Column("When", "moment"),
        Column("Matter"),
        Column("Who"),
        Column("On"),
        Column("Event", wide=True),
        Column("Why", wide=True),
    )

    def may_read(self, actor: Actor) -> bool:
        """Who reads the activity log."""
        return access.can(actor, None, "activity", "read")

    def between(self, actor: Actor, since: datetime, until: datetime) -> Sequence[Sequence[Cell]]:
        """Newest first. Raises Malformed for a period of more than MOST events."""
        where = LogFilter(kinds=tuple(_MATTER_OF), gte=since, lt=until)
        lines: list[Line] = [
            (row.at, _MATTER_OF[row.event.type], row.actor_name, _case(row), row.sentence, why)
            for row, why in _events(actor, where)
        ]
        return sorted([*lines, *_overruled(actor, since, until)], key=lambda line: line[0], reverse=True)

    def counted(self, rows: Sequence[Sequence[Cell]]) -> Mapping[str, int]:
        """In the order of MATTERS."""
        found = Counter(row[1] for row in rows)
        return {matter: found[matter] for matter in MATTERS}


def _events(actor: Actor, where: LogFilter) -> Iterator[tuple[activity.ActivityRow, Given | str | None]]:
    """Each event with why; of a choice what was handed in with it."""
    reader, after, count = activity.reader_of_log(actor, "read"), None, 0
    while True:
        page = activity.page(actor, where, PAGE, after)
        given = choice_reasons.reasons_of_choices(
            reader, [row for row in page.rows if row.event.type == CHOICE]
        )
        yield from (
            (row, given.get(row.event.id) or str(row.json["data"].get("reason") or "") or None)
            for row in page.rows
        )
        count, after = count + len(page.rows), page.next
        if count > MOST:
            raise Malformed(
                f"This period has more than {MOST:,} events. Choose a shorter one, or export the activity log."
            )
        if after is None:
            return


def _case(row: activity.ActivityRow) -> Link | str | None:
    """The replay of the run at that event, by the name of its record; the record's name alone where there was no run."""
    run = row.json["run"]
    return (
        Link(row.record_title or "The run", f"/runs/{run}/replay?at={row.event.n}")
        if run
        else row.record_title
    )


def _overruled(actor: Actor, since: datetime, until: datetime) -> Iterator[Line]:
    window, after = Window(until, (until - since) // timedelta(days=1) + 1), None
    while True:
        try:
            page = cases.find_cases(actor, window, cases.Wanted(became="changed", after=after))
        except NotAllowed:  # whoever reads the log without the measures of AI
            return
        for case in page.rows:
            at = case.submitted_at or case.at
            if since <= at < until:
                by = page.names.get(case.person or "", "A former colleague")
                title, what = _changed(case)
                yield at, OVERRULED, by, Link(title, f"/runs/{case.run}/replay"), what, None
        if (after := page.next) is None:
            return


def _changed(case: cases.Case) -> tuple[str, str]:
    """(title of the workflow, what was changed) by the names of the version that ran."""
    definition = workflows.version(case.workflow, case.version)
    step = next((each for each in definition.document.steps if each.id == case.step), None)
    changed = (
        name for name, _, became in case.values if became in ("edited", "small_edit", "cleared", "ignored")
    )
    labels = ", ".join(field_labels.of_step(definition.document, step, name) for name in changed)
    return definition.title, f"Changed what was proposed at “{step.title if step else case.step}”: {labels}"
