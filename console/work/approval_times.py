"""Approvals that wait: after so much working time, in the hours of the workflow's due time, who may decide is reminded, then who stands in for them is told.

The clock of an approval begins when it was asked for and never stands still. It is a row of `due_clock` under the approval's id, so that two workers do each thing once.
"""

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from console import log, runs, workflows
from console.auth import access, notify
from console.auth.accounts import absences
from console.core.run import Run
from console.core.run.approval_request import Approval
from console.core.working_time import after, worked_seconds
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.runs.commands.approval_requests import MOST_TOLD, possible_approvers
from console.runs.store.run_store import load
from console.work.due_times import AT_ONCE, RULE, ApprovalStage, Rule, rule_of

logger = logging.getLogger(__name__)
_CANDIDATES = f"""
select a.id, a.run, d.id from console.approval a join {access.EVERY_RUN.sql()} on r.id = a.run and r.ended_at is null
join console.due_rule d on d.workflow = r.workflow and d.approvals <> '[]' left join console.due_clock c on c.rule = d.id and c.run = a.id
where a.status = 'open' and (c.run is null or c.next_at <= now()) order by c.next_at nulls first limit %s
"""  # noqa: S608 (texts of this file)
_CLOCK = sa.text(
    "insert into console.due_clock (rule, run, begun_at) values (:rule, :run, :begun)"
    " on conflict (rule, run) do update set begun_at = excluded.begun_at returning reached"
)
_TURN = sa.text(
    "update console.due_clock set reached = :reached, worked_s = :worked, next_at = cast(:next as timestamptz) where rule = :rule and run = :run"
)


def look() -> int:
    """Tell who has to know of every open approval that waits too long; returns how many clocks were checked. While everything is paused, nobody is told."""
    if jobs.paused():
        return 0
    rules = {row[0]: rule_of(row) for row in fetch(f"{RULE} where approvals <> '[]'")}
    found = fetch(_CANDIDATES, (AT_ONCE,)) if rules else []
    for approval_id, run_id, rule_id in found:
        try:
            _turn(approval_id, run_id, rules[rule_id])
        except Exception:
            logger.exception("approval %s of run %s", approval_id, run_id)
    return len(found)


def _turn(approval_id: str, run_id: str, rule: Rule) -> None:
    """Tell what is due by the approval's clock, and set when to check it again. Of what was missed everybody is told once."""
    with transaction() as connection:
        loaded = load(run_id, whole=True)
        run = loaded.run if loaded is not None else Run()
        waits = (
            each
            for attempt in run.attempts.values()
            for each in attempt.approvals
            if each.id == approval_id and each.status == "open"
        )
        approval = next(waits, None)
        if approval is None:
            return
        key = {"rule": rule.id, "run": approval.id}
        reached = connection.execute(_CLOCK, key | {"begun": approval.requested_at}).scalar_one()
        worked = worked_seconds(rule.hours, approval.requested_at, log.now())
        passed = [stage for stage in rule.approvals if reached < stage.minutes <= worked / 60]
        coming = next((stage.minutes for stage in rule.approvals if stage.minutes > worked / 60), None)
        next_at = None if coming is None else after(rule.hours, approval.requested_at, coming * 60.0)
        minutes = passed[-1].minutes if passed else reached
        connection.execute(_TURN, key | {"reached": minutes, "worked": worked, "next": next_at})
        if passed:
            _tell(connection, run, approval, rule, passed, worked)


def _tell(
    connection: sa.Connection,
    run: Run,
    approval: Approval,
    rule: Rule,
    passed: Sequence[ApprovalStage],
    worked_s: float,
) -> None:
    """A notice to each who may decide, in whose place too where it is for somebody else, and one event of all of them."""
    able = [
        person
        for person, lacks in possible_approvers(run, approval).items()
        if lacks is None and not approval.answered_by(person)
    ]
    does, minutes = {stage.do for stage in passed}, passed[-1].minutes
    told: dict[str, str | None] = dict.fromkeys(able, None) if "remind" in does else {}
    if "substitute" in does:
        told |= {deputy: person for person, deputy in absences.substitutes(able).items() if deputy in able}
    for person, absent in list(told.items())[:MOST_TOLD]:
        notify.add_notices(
            connection,
            [person],
            f"{approval.id}:{minutes}",
            "approval_waits",
            at=log.now(),
            run=run.id,
            by=approval.requested_by,
            link=f"/approvals/{approval.id}",
            stands_in_for=absent,
        )
    opened = {
        "workflow": run.workflow,
        "slug": workflows.version(run.workflow, run.version).slug,
        "rule": rule.id,
        "late_run": run.id,
        "approval": approval.id,
        "minutes": minutes,
        "worked_seconds": int(worked_s),
        "told": list(told)[:MOST_TOLD],
    }
    chain = None if run.label else workflows.CHAIN
    log.note(
        runs.ENGINE,
        "approval_waited",
        open=opened,
        team=run.team or None,
        chain=chain,
        label=run.label,
        connection=connection,
    )
