"""Enrolling a few at once: what a trigger fires for, and the leads that a program sends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy.engine import Connection

from console import log, runs, workflows
from console.auth import access
from console.auth.access import EVERY_RUN
from console.automation.enrolments import exits, places
from console.automation.enrolments.admission import (
    ALREADY,
    ENROLLED,
    REFUSED,
    Answer,
    Candidate,
    Entry,
    admit,
    consent_of,
    judge,
    told_again,
    wrong_lead,
)
from console.automation.enrolments.targets import Target, find, require_open, require_target
from console.automation.enrolments.whom_to_enrol import (
    LABELLED,
    UNSEEN,
    labelled,
    outside,
    with_visible_references,
    wrong_records,
)
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.run.causes import Causes
from console.infra import faults
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.messaging.messages import reachable
from console.runs import ENGINE, RecordRef, StartedBy

MOST_LEADS = 1_000
_WITH_RUN = f"""
update console.enrolment e set run = %s, begun_at = %s, version = r.version, step = coalesce(a.step, e.step), left_at = r.ended_at,
    status = case when r.ended_at is null then 'active' else 'left' end, ending = case when r.ended_at is not null then r.status end, reason = null
from {EVERY_RUN.sql()} left join console.attempt a on a.run = r.id and a.n = r.current where r.id = %s and e.id = %s
"""  # noqa: S608 (texts of ours)
_PLACE_OF = """
select e.id, e.workflow, e.record, other.run from console.enrolment e
left join console.enrolment other on other.workflow = e.workflow and other.who = e.who and other.left_at is null and other.id <> e.id where e.run = %s
"""


def enrol(
    workflow: str,
    *,
    record: str | None,
    values: Mapping[str, Any],
    key: str,
    trigger: str | None = None,
    origin: str = "event",
    actor: Actor | None = None,
    caused_by: Causes = (),
) -> Answer:
    """Enrol one record of the workflow's collection, or a lead with values, for a trigger of this kind (`origin`). The same `key` gives the same enrolment.

    `caused_by` is what led to it, for the run to know. The caller has judged the rights; the run's own account is judged when the run begins. Raises NotFound without such a workflow, Conflict `not_active`.
    """
    target = find(workflow)
    require_open(target)
    wrong: list[Mapping[str, str]] = [] if record is not None else wrong_lead(target, values)
    if (record is None) != (target.collection is None):
        wrong = [
            {
                "field": "record",
                "reason": "Name the record that it is about."
                if target.collection
                else "This workflow is about no record.",
            }
        ]
    if record is not None and not wrong and target.document is not None and target.document.settings.only_in:
        account = actor or runs.account_of(workflows.live(target.id))
        wrong += [{"field": "record", "reason": why} for why in outside(account, target, [record]).values()]
    candidate = Candidate(0, record, values, wrong, key)
    with transaction() as connection:
        return admit(
            connection, target, [candidate], Entry(actor or ENGINE, origin, trigger, caused_by=caused_by)
        )[0]


def enrol_at_once(
    workflow: str,
    *,
    by: StartedBy,
    record: RecordRef | None,
    values: Mapping[str, Any],
    key: str,
    identity: Actor | None = None,
    run_id: str | None = None,
) -> str:
    """Start the run of a record, or of a lead with these values, for a trigger that answers with it, and give it its place in the workflow: the run's id.

    The same `key` gives the same run. `run_id`: the id that was promised.

    `identity` is who asks, whom the run acts for where the document names no account. The caller has judged the right to start. Raises Conflict (`already_enrolled` with the
    `run_id`; `not_again`, `exited`) where they may not come in, and what a start raises: then nothing is written.
    """
    target = find(workflow)
    require_open(target)
    candidate = Candidate(0, record.key if record is not None else None, values, (), key)

    def begun_before() -> str | None:
        answer = told_again(target, [candidate])[0]
        return places.run_of(str(answer.lead)) if answer.status == ENROLLED else None

    def start(also: runs.Also | None = None) -> str:
        return runs.start_hands_off(
            target.id,
            by=by,
            record=record,
            values=values,
            key=key,
            identity=identity,
            run_id=run_id,
            also=also,
        )

    if (known := begun_before()) is not None:
        return known
    if record is not None and (
        labelled(target, [record.key]) or (identity is not None and _hidden_from(identity, target, candidate))
    ):
        return start()  # which says what is wrong; who needs a clearance stands in no list
    try:
        return _placed(
            target, candidate, Entry(identity or ENGINE, by.kind, by.id, caused_by=by.caused_by), start
        )
    except Conflict:
        if (known := begun_before()) is not None:  # the same delivery at the same moment was first
            return known
        raise


def start(
    actor: Actor, slug_or_id: str, collection: str | None, record: str | None, values: Mapping[str, Any]
) -> str:
    """Start a run as `runs.start` does. Where nobody holds the run, and the document says how one leaves or comes again, it has its place in the workflow.

    Raises what `runs.start` raises, and Conflict `already_enrolled`, `not_again`, `exited`.
    """

    def begin(also: runs.Also | None = None) -> str:
        return runs.start(actor, slug_or_id, collection, record, values, also=also)

    try:
        target, candidate = find(slug_or_id), Candidate(0, record, values)
    except NotFound:
        return begin()  # in the words for what the actor may not know of either
    hands_off = target.document is not None and target.document.run_as is not None
    may = workflows.may(actor, target, "start") and (record is None) == (target.collection is None)
    if not hands_off or not target.places or not may or _hidden_from(actor, target, candidate):
        return begin()  # which says what is wrong
    return _placed(
        target,
        candidate,
        Entry(actor, "by_hand" if actor.kind != "key" else "mcp" if access.by_assistant(actor) else "api"),
        begin,
    )


def rerun(
    actor: Actor,
    run_id: str,
    *,
    origin: Literal["start", "failure"],
    version: Literal["original", "current"],
    given: Mapping[str, Any] | None = None,
) -> str:
    """Start a new run as `runs.rerun` does. Whose run had a place in its workflow is in it again: exits apply to them, and they are counted and taken out as before.

    Raises what `runs.rerun` raises, and Conflict `already_enrolled` where they came in again meanwhile, `exited`.
    """
    left: ConsoleError | None = None
    for _, workflow, record, _ in fetch(_PLACE_OF, (run_id,)) if "\x00" not in run_id else ():
        target = find(workflow)
        try:  # before the transaction: a source may be slow, and its answer is told only where the run may be done again
            if record is not None and exits.applies(target, record, {}):
                left = Conflict(
                    f"An exit of {target.title} applies already: nothing was started.", code="exited"
                )
        except ConsoleError as error:
            left = error

    def place(connection: Connection, again: str) -> None:
        for lead, workflow, _, other in connection.exec_driver_sql(_PLACE_OF, (run_id,)).all():
            if other is not None:
                raise Conflict(
                    f"They are in {find(workflow).title} again already.",
                    code="already_enrolled",
                    run_id=other,
                )
            if left is not None:
                raise left
            connection.exec_driver_sql(_WITH_RUN, (again, log.now(), again, lead))

    return runs.rerun(actor, run_id, origin=origin, version=version, given=given, also=place)


def _hidden_from(actor: Actor, target: Target, candidate: Candidate) -> bool:
    """Whether the actor does not see the record, and is told nothing of it."""
    return candidate.record is not None and wrong_records(actor, target, [candidate.record]).get(
        candidate.record
    ) in (UNSEEN, LABELLED)


def _placed(target: Target, candidate: Candidate, entry: Entry, begin: Callable[[runs.Also], str]) -> str:
    """Begin the run of somebody who may come in now, with their place in the same transaction: the run's id. Raises Conflict where they may not."""
    _require_free(target, judge(target, [candidate])[0])
    if exits.applies(target, candidate.record, candidate.values):
        raise Conflict(f"An exit of {target.title} applies already: nothing was started.", code="exited")

    def place(connection: Connection, run_id: str) -> None:
        faults.point("enrolments.at_once")
        answer = admit(connection, target, [candidate], entry)[0]
        _require_free(target, answer)  # somebody else may have let them in meanwhile
        connection.exec_driver_sql(_WITH_RUN, (run_id, log.now(), run_id, answer.lead))

    try:
        return begin(place)
    except Conflict as error:
        if error.code == "run_is_live":
            _require_free(target, judge(target, [candidate])[0])
        raise


def _require_free(target: Target, answer: Answer) -> None:
    """Raise Conflict where the record is in the workflow already, or may not come again."""
    if answer.status == ALREADY:
        what = "This record is" if target.collection is not None else "They are"
        conflict = Conflict(f"{what} in {target.title} already.", code="already_enrolled")
        if (run_id := places.run_of(str(answer.lead))) is not None:
            conflict.extra["run_id"] = run_id
        raise conflict
    if answer.status == REFUSED:
        raise Conflict(" ".join(str(reason["reason"]) for reason in answer.reasons), code="not_again")


def enrol_leads(
    actor: Actor, slug_or_id: str, leads: Sequence[Mapping[str, Any]]
) -> tuple[Target, list[Answer]]:
    """Enrol leads that a program sends with their values, also in a draft: they begin when it is activated. An answer for each in their order.

    A workflow about records takes `record`, the key of one. Raises NotFound, NotAllowed, Conflict `not_active`, Invalid for more than 1,000.
    """
    target = require_target(actor, slug_or_id, "start")
    require_open(target)
    chain = new_id("enr")
    candidates = _candidates(actor, target, leads, chain)
    with transaction() as connection:
        answers = admit(connection, target, candidates, Entry(actor, "api", chain=chain))
    return target, _with_warnings(target, candidates, answers)


def _with_warnings(
    target: Target, candidates: Sequence[Candidate], answers: Sequence[Answer]
) -> list[Answer]:
    """The answers; of who is enrolled although messages of the workflow do not reach them it is told why, of a lead by channel."""
    entered = [each for each, answer in zip(candidates, answers, strict=True) if answer.status == ENROLLED]
    leads, keys = (
        [each for each in entered if each.record is None],
        [each.record for each in entered if each.record is not None],
    )
    if target.document is None or not entered:
        return list(answers)
    try:
        found = reachable.unreached(target.document, keys)
        by_channel = reachable.refused_channels(
            target.document, target.id, [(each.values, each.consent) for each in leads]
        )
    except ConsoleError:
        return list(answers)  # their source does not answer: it is told when their messages are due
    why = {
        each.line: [{"field": "record", "reason": found[each.record]}]
        for each in entered
        if each.record in found
    }
    why |= {each.line: reasons for each, reasons in zip(leads, by_channel, strict=True) if reasons}
    return [replace(each, reasons=why[each.line]) if each.line in why else each for each in answers]


def enrolled_before(
    actor: Actor, slug_or_id: str, leads: Sequence[Mapping[str, Any]], chain: str
) -> list[Answer]:
    """What became of the leads of the request that wrote this chain. Enrols nobody. Raises NotFound, NotAllowed."""
    target = require_target(actor, slug_or_id, "start")
    return told_again(target, _candidates(actor, target, leads, chain))


def _candidates(
    actor: Actor, target: Target, leads: Sequence[Mapping[str, Any]], chain: str
) -> list[Candidate]:
    if len(leads) > MOST_LEADS:
        raise Invalid("These are too many leads.", at=("leads", f"At most {MOST_LEADS:,} in one request."))
    found = with_visible_references(
        actor, target, [_candidate(actor, target, row, lead) for row, lead in enumerate(leads)]
    )
    return [replace(candidate, key=f"{chain}|{candidate.line}") for candidate in found]


def _candidate(actor: Actor, target: Target, row: int, lead: Mapping[str, Any]) -> Candidate:
    if target.collection is None:
        values, consent, refused = consent_of(target, lead)
        wrong = [*refused, *target.unknown_values(values), *wrong_lead(target, values)]
        if not any(value not in (None, "") for value in values.values()):
            wrong = [{"field": "lead", "reason": "There is nothing in this row."}]
        return Candidate(row, None, values, wrong, consent=consent)
    key = lead.get("record")
    if not isinstance(key, str) or "\x00" in key:
        return Candidate(
            row,
            None,
            {},
            [{"field": "record", "reason": f"Name the key of a record of {target.collection}."}],
        )
    reason = wrong_records(actor, target, [key]).get(key)
    values = {name: value for name, value in lead.items() if name != "record"}
    return Candidate(
        row,
        key,
        values,
        [*([{"field": "record", "reason": reason}] if reason else []), *target.unknown_values(values)],
    )


def gives_places(workflow: str) -> bool:
    """Whether a run gets its place in this workflow as it begins, be it about a record or a lead: its document says how one leaves it or comes again."""
    return find(workflow).places


def takes_in(workflow: str) -> bool:
    """Whether what a trigger finds is enrolled in this workflow and not started at once: its document says how one leaves it or comes again."""
    target = find(workflow)
    return target.places and target.collection is not None
