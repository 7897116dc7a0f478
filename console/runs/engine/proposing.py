"""Proposals at the current step: when one is requested, and what of it is shown."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from console import steps
from console.core.actor import Actor
from console.core.documents.workflow import StepAI
from console.core.forms import FormField, is_empty
from console.core.moments import moment_text
from console.core.run import MISSING_MANUAL, Event, Run, proposal_comparison
from console.core.run.proposal import (
    FAILED,
    HIDDEN_MODES,
    OFF,
    PENDING,
    READY,
    SECOND,
    UNFILLED,
    fills,
    is_second_call,
)
from console.core.run.step_requests import Awaited, SideRow
from console.infra import settings
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id
from console.runs.views.step_stakes import at_stake
from console.steps.base import AsksPerson
from console.workflows import Definition

LATEST_S = 5.0  # so long after the deadline a waiting step stops waiting
GRACE_S = 1.0  # so long after the deadline the first reader records that no answer came
NEWEST = 2000  # the newest events of a run in which opened sources are counted
WAITS, DECIDE = "proposal", "decide"
TAKEN_UP = frozenset({"run_resumed", "run_taken_over", "run_assigned"})
FORM_WANTED = frozenset({"asks_person", "no_rule"})
"""Codes of take-overs with which an automatic step needs a form although nothing went wrong."""
UNSHOWN = (
    "This time the step is done without a proposal: a few are, so that it can be told whether proposals help."
)


def settings_of(definition: Definition, step_id: str) -> StepAI | None:
    """What the AI may propose at the step; None if it is not asked. A step of the family `llm` needs no settings."""
    step = definition.document.step(step_id)
    found = step.ai or (StepAI.model_validate({}) if steps.get(step.type).family == "llm" else None)
    return found if found is not None and found.mode != "off" else None


def goes_on_with_answer(definition: Definition, step_id: str) -> bool:
    """Whether a step may wait for an answer and go on with it: not if proposals are only recorded."""
    ai_settings = settings_of(definition, step_id)
    return ai_settings is not None and ai_settings.mode == "assist"


_RUNG = (
    "select mode from console.ai_ladder where workflow = %s and step = %s order by at desc, id desc limit 1"
)


def require_promoted(definition: Definition, step_id: str) -> None:
    """Raise AsksPerson where the AI may not decide alone: something is at stake, or the step was not promoted to that."""
    if at_stake(definition.document, step_id):
        raise AsksPerson("Money moves, somebody is restricted, or it cannot be recalled: please decide.")
    rows = fetch(_RUNG, (definition.id, step_id))
    if not rows or rows[0][0] != "auto":
        raise AsksPerson("The AI does not decide alone here yet: please decide.")


def waits_for(run: Run, call: str) -> bool:
    """Whether the answer to the call is still needed: the step is open, and held by the person for whom it was requested."""
    attempt = run.attempt
    if attempt is None or attempt.proposal is None:
        return False
    requested = attempt.proposal[SECOND] if is_second_call(attempt.proposal, call) else attempt.proposal
    if requested["call"] != call or requested["status"] != PENDING:
        return False
    if run.status == "waiting_event":
        return (run.waiting or {}).get("key") == call
    return (
        run.status == "waiting_person" and attempt.status == "open" and run.holder == attempt.proposal["for"]
    )


def request_proposal(definition: Definition, run: Run, at: datetime, *, anew: bool = False) -> Event | None:
    """The event that requests a proposal, if a person now has the form and there is none for them; else None.

    `anew`: somebody has just taken the run, so that a failed proposal is requested again.
    """
    attempt = run.attempt
    if attempt is None or run.holder is None or not form_is_open(run):
        return None
    ai_settings = settings_of(definition, attempt.step)
    if ai_settings is None or _by_items(definition, attempt.step):
        return None
    before = attempt.proposal
    if (
        before is not None
        and before["for"] == run.holder
        and not (anew and before["status"] in (OFF, FAILED))
    ):
        return None
    return request(definition, run, run.holder, at)


def request_item_proposal(
    definition: Definition, run: Run, person: str, item: str | None, at: datetime
) -> Event | None:
    """The event that requests a proposal for this item of a list, if the holder has its form and there is none; else None."""
    attempt = run.attempt
    if (
        item is None
        or attempt is None
        or run.holder != person
        or not form_is_open(run)
        or settings_of(definition, attempt.step) is None
    ):
        return None
    if not _by_items(definition, attempt.step) or (
        attempt.proposal is not None
        and (attempt.proposal["for"], attempt.proposal.get("item")) == (person, item)
    ):
        return None
    return request(definition, run, person, at, item=item)


def _by_items(definition: Definition, step_id: str) -> bool:
    return steps.get(definition.document.step(step_id).type).by_items


def form_is_open(run: Run) -> bool:
    """Whether a person has a form that could be filled in. After an error they look at that first."""
    attempt = run.attempt
    if (
        run.status != "waiting_person"
        or attempt is None
        or attempt.status != "open"
        or run.unknown is not None
    ):
        return False
    return run.take_over is None or run.take_over["code"] in FORM_WANTED


def request_second_look(definition: Definition, run: Run, answer: Event, now: datetime) -> list[Event]:
    """The event that requests a second look at a proposal that was just answered; empty if the step does not want one. `run` is before the answer."""
    ai_settings, attempt = settings_of(definition, (answer.step or ("",))[0]), run.attempt
    shown = (
        answer.type == "proposal_made"
        and (answer.open.get("mode") or "assist") == "assist"
        and answer.open.get("origin") != "rules"
    )
    if (
        attempt is None
        or ai_settings is None
        or not (ai_settings.second_look and shown and run.status == "waiting_person")
    ):
        return []
    before = attempt.proposal or {}
    if before.get("call") != answer.open["call"]:
        return []
    requested = request(definition, run, str(before["for"]), now, item=before.get("item"))
    return [requested._replace(open={**requested.open, "of": before["call"]})]


def request(definition: Definition, run: Run, person: str, at: datetime, *, item: str | None = None) -> Event:
    """The event that requests a proposal for the current step, with the rights of this person. Raises ValueError after the run's end."""
    attempt = run.attempt
    if attempt is None:
        raise ValueError(f"run {run.id} stands at no attempt")
    ai_settings = settings_of(definition, attempt.step) or StepAI.model_validate({})
    kind = steps.get(definition.document.step(attempt.step).type)
    open_data: dict[str, Any] = {
        "call": new_id("aic"),
        "n": attempt.n,
        "for": person,
        "purpose": kind.purpose,
        "fields": _names(definition, attempt.step, ai_settings),
        "fill": UNFILLED if at_stake(definition.document, attempt.step) else ai_settings.fill,
        "deadline": moment_text(at + timedelta(seconds=settings.current().ai_seconds)),
    } | ({"item": item} if item is not None else {})
    return Event("proposal_requested", at, open_data, {}, (attempt.step, attempt.attempt))


@functools.lru_cache(maxsize=1024)
def _known(definition: Definition, step_id: str) -> tuple[str, ...]:
    step = definition.document.step(step_id)
    return steps.get(step.type).ai_fields(steps.view(step).config) or ()


def _names(definition: Definition, step_id: str, ai_settings: StepAI) -> list[str]:
    """Names of the requested fields, as far as the document names them."""
    return list(ai_settings.fields) if ai_settings.fields is not None else list(_known(definition, step_id))


def can_be_supplied(definition: Definition, step_id: str) -> bool:
    """Whether values can be supplied to the step later: it has one form."""
    step = definition.document.step(step_id)
    kind = steps.get(step.type)
    return not (kind.by_items or kind.choices(steps.view(step).config))


def lacks_context(definition: Definition, step_id: str, output: Mapping[str, Any]) -> bool:
    """Whether a step that was handled manually left something empty that could have been proposed, and can be supplied."""
    if output.get("missing") != MISSING_MANUAL or not can_be_supplied(definition, step_id):
        return False
    names = _names(definition, step_id, settings_of(definition, step_id) or StepAI.model_validate({}))
    left = [is_empty(output.get(name)) for name in names or output.keys() - {"missing"}]
    return any(left) if names else all(left)


@functools.lru_cache(maxsize=1024)
def tick_lists_of(definition: Definition, step_id: str) -> tuple[FormField, ...]:
    """The tick lists of the step's form with their options."""
    step = steps.view(definition.document.step(step_id))
    return steps.get(step.type).tick_lists(step.config)


def request_and_wait(definition: Definition, run: Run, person: str, at: datetime) -> tuple[SideRow, Awaited]:
    """(the request, what the run waits for) at a step that goes on with the answer."""
    event = request(definition, run, person, at)
    until = at + timedelta(seconds=settings.current().ai_seconds + LATEST_S)
    return SideRow(event.type, {name: value for name, value in event.open.items() if name != "n"}), Awaited(
        WAITS, event.open["call"], until
    )


def proposal_for(run: Run, actor: str, item: str | None) -> Mapping[str, Any] | None:
    """The proposal for this person (and this item of a list); None if there is none."""
    attempt = run.attempt
    proposal = attempt.proposal if attempt is not None else None
    if (
        proposal is None
        or proposal["for"] != actor
        or (proposal.get("item") is not None and proposal["item"] != item)
    ):
        return None
    return proposal


def if_shown(proposal: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The proposal if it was shown to the person; else None."""
    return (
        proposal
        if proposal is not None and proposal["status"] == READY and proposal["mode"] not in HIDDEN_MODES
        else None
    )


def comparison_of(
    run: Run,
    proposal: Mapping[str, Any],
    fields: Sequence[FormField],
    values: Mapping[str, Any],
    choice: str | None,
    at: datetime,
    *,
    manual: bool,
) -> dict[str, Any]:
    """What the event of the step records about its proposal: the call, its mode, what the person did with each value, how many seconds it was
    shown, and how many sources were opened.
    """
    outcomes = proposal_comparison.outcomes(
        proposal, {field.name: field.type for field in fields}, values, choice, manual=manual
    )
    since = proposal["answered_at"]
    seconds = round((at - datetime.fromisoformat(since)).total_seconds(), 1) if since is not None else None
    return {
        "call": proposal["call"],
        "mode": proposal["mode"],
        "outcomes": outcomes,
        "seconds": None if seconds is None else str(max(seconds, 0.0)),
        "opened": _opened(run, proposal["for"]),
    }


_OPENED = """
select count(*) from console.event where run = %(run)s and run_seq > %(since)s and position(%(mark)s in body) > 0
and convert_from(body, 'UTF8')::jsonb #>> '{actor,id}' = %(person)s and convert_from(body, 'UTF8')::jsonb #>> '{data,open,n}' = %(n)s
"""


def _opened(run: Run, person: str) -> int:
    """How many sources this person opened at the current step."""
    rows = fetch(
        _OPENED,
        {
            "run": run.id,
            "mark": b'"type":"source_opened"',
            "person": person,
            "n": str(run.current),
            "since": run.seq - NEWEST,
        },
    )
    return int(rows[0][0])


def overdue_call(run: Run, at: datetime) -> str | None:
    """The overdue call for whose answer the run still waits; None if there is none."""
    proposal = run.attempt.proposal if run.attempt is not None else None
    if proposal is None or proposal["status"] != PENDING or not waits_for(run, proposal["call"]):
        return None
    return (
        str(proposal["call"])
        if datetime.fromisoformat(proposal["deadline_at"]) + timedelta(seconds=GRACE_S) < at
        else None
    )


def as_shown(proposal: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The proposal as its person gets it, without its contents if it is only recorded."""
    if proposal is None:
        return None
    if proposal["mode"] not in HIDDEN_MODES or proposal["status"] not in ("ready", "declined"):
        return dict(proposal) | _marked(proposal)
    nothing: dict[str, Any] = {
        "status": OFF,
        "fields": [],
        "outcome": None,
        "choice": None,
        "flags": [],
        "banner": None,
        "warned": [],
        "dropped": [],
        "message": UNSHOWN,
    }
    return dict(proposal) | nothing


def _marked(proposal: Mapping[str, Any]) -> dict[str, Any]:
    """The proposed values and the choice, each with whether it is filled into the form."""
    choice = proposal["choice"]
    return {
        "fields": [
            {**each, "preselected": fills(each["confidence"], proposal["fill"])}
            for each in proposal["fields"]
        ],
        "choice": {**choice, "preselected": fills(choice["confidence"], proposal["fill"])}
        if choice
        else choice,
    }


def on_screen(run: Run, person: str) -> dict[str, Any] | None:
    """The proposal as part of the screen: only when it is final, and only for its person."""
    proposal = run.attempt.proposal if run.attempt is not None else None
    if proposal is None or proposal["status"] == PENDING or proposal["for"] != person:
        return None
    seen = as_shown(proposal)
    if seen is not None and (seen.get(SECOND) or {}).get("status") == PENDING:
        del seen[SECOND]
    return seen


_PENDING = """
select 1 from console.ai_call where id = %s and run = %s and n = %s and person = %s and status = 'pending' and now() < deadline_at + interval '1 second'
"""


def proposal_pending(actor: Actor, run_id: str, n: int, call: str) -> bool:
    """Whether the answer to this call, made for this person at this attempt, can still come. A waiting page asks every second: it costs one row."""
    return bool(fetch(_PENDING, (call, run_id, n, actor.id)))
