"""Answers to requested proposals: recording them in the run, and going on where no person is needed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from console import log, workflows
from console.auth import accounts
from console.core.errors import ConsoleError
from console.core.run import Event, Run, commands, decisions
from console.core.run.commands import Command
from console.core.run.proposal import AT_STAKE, LEVELS, UNFILLED
from console.infra.db.engine import fetch
from console.runs.commands.approval_requests import notify_approvers
from console.runs.engine import proposing
from console.runs.engine.advancing import completing_command, go_on
from console.runs.engine.stepping import (
    OpenStep,
    completion_of,
    context_of,
    plan_of,
    prompt_of,
    record_of,
    require_step,
    step_at,
)
from console.runs.store import typed_drafts
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_rows import with_loaded_rows
from console.runs.store.run_store import after_events, load, retried, write
from console.steps.base import Context
from console.steps.proposable import gathered
from console.workflows import Definition

Kind = Literal["proposal_made", "proposal_failed"]
HELD_BACK = "Money moves, somebody is restricted, or it cannot be recalled: nothing goes on here before a person has decided. What was answered stands beside the form."
ASKS_PERSON = "asks_person"
NOT_CERTAIN = "The AI does not decide this case alone: please decide."
UNSURE = "The answer is not certain enough to go on with it: please look at it."
NO_ANSWER = "No answer came in time, so the step is yours to fill in. Try again, or go on by hand."
_PENDING = "select run, n from console.ai_call where id = %s and status = 'pending'"
_OVERDUE = "select id from console.ai_call where status = 'pending' and deadline_at < %s and run is not null order by deadline_at limit 200"


def record_answer(call: str, kind: Kind, open_data: Mapping[str, Any], sealed: Mapping[str, Any]) -> None:
    """Record the answer to a call, once; a second answer is dropped. If the run has gone on, nothing else changes.

    A step that waited for the answer goes on with it, or becomes a person's. A promoted step is completed if everything is certain.
    """
    rows = fetch(_PENDING, (call,))
    if not rows:
        return
    run_id, n = rows[0]

    def once() -> tuple[Definition, Loaded] | None:
        loaded = load(run_id, whole=True)
        if loaded is None or not fetch(_PENDING, (call,)):
            return None
        definition, now = workflows.version(loaded.run.workflow, loaded.run.version), log.now()
        attempt = loaded.run.attempts[n]
        open_, kept = (
            _join_tick_lists(definition, loaded.run, n, open_data, sealed)
            if kind == "proposal_made"
            else (open_data, sealed)
        )
        answer = Event(
            kind, now, {**open_, "call": call, "n": n}, dict(kept), (attempt.step, attempt.attempt)
        )
        more = _events_after_answer(definition, loaded, call, answer, now)
        looks = (
            []
            if more or not proposing.waits_for(loaded.run, call)
            else proposing.request_second_look(definition, loaded.run, answer, now)
        )
        written = write(
            ENGINE, definition, loaded, [answer, *more, *looks], keep_draft=not more, hand_on=bool(more)
        )
        return (definition, written) if more else None  # another process goes on with the run

    moved = retried(once)
    if moved is not None and moved[1].run.moving:
        _go_on(*moved)


def _go_on(definition: Definition, loaded: Loaded) -> None:
    """Do the next steps now. If that fails, the job in the queue does them."""
    run = loaded.run
    try:
        notify_approvers(
            go_on(
                accounts.actor_of_person(run.holder or run.last_holder or run.started_by, "sys:engine"),
                definition,
                loaded,
            ).run
        )
    except ConsoleError:
        return


def _join_tick_lists(
    definition: Definition, run: Run, n: int, open_data: Mapping[str, Any], sealed: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """(open, sealed) values of the answer, with the single ticks of a tick list joined to one value, as the form has it."""
    proposal = sealed.get("proposal") or {}
    fields = proposal.get("fields") or ()
    lists = {str(each["name"]).partition(".")[0] for each in fields if "." in str(each["name"])}
    if not lists:
        return open_data, sealed
    forms = {
        field.name: field
        for field in proposing.tick_lists_of(definition, run.attempts[n].step)
        if field.name in lists
    }
    made = gathered(fields, forms, LEVELS)
    return {**open_data, "fields": [each["name"] for each in made]}, {
        **sealed,
        "proposal": {**proposal, "fields": made},
    }


def _events_after_answer(
    definition: Definition, loaded: Loaded, call: str, answer: Event, now: datetime
) -> list[Event]:
    """The events with which the run goes on after the answer; empty if a person looks at it, or it came too late."""
    run = loaded.run
    if not proposing.waits_for(run, call):
        return []
    after = after_events(loaded, [answer])
    if run.status == "waiting_event":
        return _waiting_step_events(definition, after, call, now)
    proposal = (after.run.attempt.proposal if after.run.attempt else None) or {}
    if proposal["mode"] != "auto" or answer.type != "proposal_made":
        return []
    return _promoted_step_events(definition, after, proposal, now)


def _waiting_step_events(definition: Definition, loaded: Loaded, call: str, now: datetime) -> list[Event]:
    """The events of a step that waited: completed with the answer, or given to a person with the reason."""
    open_step = step_at(definition, loaded.run)
    proposal = open_step.attempt.proposal or {}
    decides = open_step.kind.purpose == proposing.DECIDE
    certain = proposal["status"] == "ready" and proposal["mode"] == "auto" and proposal["outcome"] is not None
    command: Command
    if decides and (not certain or _reason_for_person(proposal, LEVELS[0])):
        command = commands.Unanswered(call, ASKS_PERSON, NOT_CERTAIN, asks=True)
    elif proposal["status"] != "ready":
        command = commands.Unanswered(
            call, proposal["code"] or proposal["status"], proposal["message"] or NO_ANSWER
        )
    elif not decides and (doubts := _reason_for_person(proposal, proposal["fill"])):
        command = commands.Unanswered(
            call, doubts, proposal["banner"] or (HELD_BACK if doubts == AT_STAKE else UNSURE)
        )
    else:
        command = _arrive_command(open_step, proposal, call, now)
    return decisions.decide(plan_of(definition), loaded.run, command, now)


def _arrive_command(open_step: OpenStep, proposal: Mapping[str, Any], call: str, now: datetime) -> Command:
    try:
        context = _context(open_step, proposal, now)
        completion = open_step.kind.complete(open_step.view, context, _values(proposal), proposal["outcome"])
        chosen = prompt_of(open_step, context).label_of(completion.outcome)
    except ConsoleError as error:
        if open_step.kind.purpose == proposing.DECIDE:
            return commands.Unanswered(call, ASKS_PERSON, NOT_CERTAIN, asks=True)
        return commands.Unanswered(call, error.code, error.message)
    open_data = {"call": call, "mode": proposal["mode"], "outcomes": {}, "seconds": None, "opened": 0}
    return commands.Arrive(
        call, completion.outcome, completion.values, completion.output, proposal=open_data, chosen=chosen
    )


def _promoted_step_events(
    definition: Definition, loaded: Loaded, proposal: Mapping[str, Any], now: datetime
) -> list[Event]:
    """The events that complete a promoted step as proposed; empty if a person has to look."""
    run = loaded.run
    open_step = step_at(definition, run)
    if (
        open_step.view.type not in PROMOTED
        or _reason_for_person(proposal, LEVELS[0])
        or typed_drafts.latest(run.id, open_step.attempt.n, loaded.subject) is not None
    ):
        return []
    if open_step.kind.purpose == "decide" and proposal["outcome"] is None:
        return []
    try:
        context = _context(open_step, proposal, now)
        completion = completion_of(open_step, context, _values(proposal), proposal["outcome"])
        open_data = {
            "call": proposal["call"],
            "mode": proposal["mode"],
            "outcomes": {},
            "seconds": None,
            "opened": 0,
        }
        chosen = (
            prompt_of(open_step, context).label_of(completion.outcome)
            if proposal["outcome"] is not None
            else None
        )
        completing = completing_command(None, open_step.attempt.step, run, completion)
        command = replace(
            completing, chosen=chosen, proposal=open_data, proposed=proposal["outcome"], by_ai=True
        )
        return with_loaded_rows(decisions.decide(plan_of(definition), loaded.run, command, now), context)
    except ConsoleError:
        return []


PROMOTED = frozenset({"decision", "llm"})
"""Step types that may be promoted: they change nothing outside."""


def _context(open_step: OpenStep, proposal: Mapping[str, Any], now: datetime) -> Context:
    """The step's context with the rights of the person for whom the proposal was requested. Raises if they are no longer entitled."""
    actor = accounts.actor_of_person(proposal["for"], "sys:engine")
    require_step(actor, open_step, named=False)
    context = context_of(actor, open_step, record_of(actor, open_step.run), now)
    return replace(context, proposal=proposal, answered=True)


def _values(proposal: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in proposal["fields"]}


def _reason_for_person(proposal: Mapping[str, Any], least: str) -> str | None:
    """The code why a person must look at the answer; None if all values have at least this confidence and nothing is flagged, dropped or at stake."""
    if proposal["fill"] == UNFILLED:
        return AT_STAKE
    if proposal["flags"]:
        return str(proposal["flags"][0])
    confidences = [
        each["confidence"]
        for each in [*proposal["fields"], *([proposal["choice"]] if proposal["choice"] else [])]
    ]
    unsure = any(LEVELS.index(level) > LEVELS.index(least) for level in confidences)
    return "unsure" if unsure or proposal["dropped"] else None


def give_up(call: str) -> None:
    """Record that no answer came in time."""
    record_answer(call, "proposal_failed", {"status": "failed", "code": "timeout"}, {"message": NO_ANSWER})


def fail_overdue_proposals() -> int:
    """Record for all overdue proposals that no answer came, because their worker is gone. Returns how many there were."""
    rows = fetch(_OVERDUE, (log.now() - timedelta(seconds=proposing.GRACE_S),))
    for (call,) in rows:
        give_up(call)
    return len(rows)
