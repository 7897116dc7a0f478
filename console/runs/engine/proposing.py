"""Proposals at the step where a run stands: when one is asked for, what came of it, and what of it somebody is shown."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from console import settings, steps
from console.core.actor import Actor
from console.core.documents.workflow import StepAI
from console.core.forms import FormField
from console.core.moments import moment_text
from console.core.run import Event, Run, proposal_comparison
from console.core.run.proposal import FAILED, HIDDEN_MODES, OFF, PENDING, READY, SECOND, UNFILLED, fills, is_second_call
from console.core.run.step_requests import Awaited, SideRow
from console.db.engine import fetch
from console.db.ids import new_id
from console.runs.showing.step_stakes import at_stake
from console.workflows import Definition

LATEST_S = 5.0  # after the deadline a step that waits for its answer waits no longer, whoever should have said so
GRACE_S = 1.0  # after the deadline whoever looks first says that no answer came
NEWEST = 2000  # events of a run that are looked through for what was opened
WAITS = "proposal"
TAKEN_UP = frozenset({"run_resumed", "run_taken_over", "run_assigned"})
FORM_WANTED = frozenset({"asks_person", "no_rule"})
"""Why a step that goes on by itself asks for a form where nothing went wrong."""
UNSHOWN = "This time the step is done without a proposal: a few are, so that it can be told whether proposals help."


def settings_of(definition: Definition, step_id: str) -> StepAI | None:
    """What the AI may propose at the step; None where it is not asked. A step that is there to ask a model needs no settings for it."""
    step = definition.document.step(step_id)
    found = step.ai or (StepAI.model_validate({}) if steps.get(step.type).family == "llm" else None)
    return found if found is not None and found.mode != "off" else None


def goes_on_with_answer(definition: Definition, step_id: str) -> bool:
    """Whether a step that goes on with an answer may ask for one: what is only recorded is nothing to go on with."""
    wanted = settings_of(definition, step_id)
    return wanted is not None and wanted.mode == "assist"


def waits_for(run: Run, call: str) -> bool:
    """Whether the call's answer still matters: the run stands where it was asked, open, and with the one for whom it was asked."""
    attempt = run.attempt
    if attempt is None or attempt.proposal is None:
        return False
    asked = attempt.proposal[SECOND] if is_second_call(attempt.proposal, call) else attempt.proposal
    if asked["call"] != call or asked["status"] != PENDING:
        return False
    if run.status == "waiting_event":
        return (run.waiting or {}).get("key") == call
    return run.status == "waiting_person" and attempt.status == "open" and run.holder == attempt.proposal["for"]


def request_proposal(definition: Definition, run: Run, at: datetime, *, anew: bool = False) -> Event | None:
    """That a proposal is asked for, where the run has just come to stand before a person for whom there is none yet; else None.

    `anew`: somebody has just taken the run up, and what could not be had before is asked for once more.
    """
    attempt = run.attempt
    if attempt is None or run.holder is None or not form_is_open(run):
        return None
    wanted = settings_of(definition, attempt.step)
    if wanted is None or _by_items(definition, attempt.step):
        return None
    before = attempt.proposal
    if before is not None and before["for"] == run.holder and not (anew and before["status"] in (OFF, FAILED)):
        return None
    return request(definition, run, run.holder, at)


def request_item_proposal(definition: Definition, run: Run, person: str, item: str | None, at: datetime) -> Event | None:
    """That a proposal is asked for, where a step goes through a list and the run's holder has just this item's form before them; else None."""
    attempt = run.attempt
    if item is None or attempt is None or run.holder != person or not form_is_open(run) or settings_of(definition, attempt.step) is None:
        return None
    if not _by_items(definition, attempt.step) or (
        attempt.proposal is not None and (attempt.proposal["for"], attempt.proposal.get("item")) == (person, item)
    ):
        return None
    return request(definition, run, person, at, item=item)


def _by_items(definition: Definition, step_id: str) -> bool:
    return steps.get(definition.document.step(step_id).type).by_items


def form_is_open(run: Run) -> bool:
    """Whether a person has a form before them that could be filled in for them; where something went wrong, they look at that first."""
    attempt = run.attempt
    if run.status != "waiting_person" or attempt is None or attempt.status != "open" or run.unknown is not None:
        return False
    return run.take_over is None or run.take_over["code"] in FORM_WANTED


def request_second_look(definition: Definition, run: Run, answer: Event, now: datetime) -> list[Event]:
    """That a model's proposal, which has just come before the person, is to be looked at again; nothing where the step does not want that. `run` is as it was before."""
    wanted, attempt = settings_of(definition, (answer.step or ("",))[0]), run.attempt
    shown = answer.type == "proposal_made" and (answer.open.get("mode") or "assist") == "assist" and answer.open.get("origin") != "rules"
    if attempt is None or wanted is None or not (wanted.second_look and shown and run.status == "waiting_person"):
        return []
    before = attempt.proposal or {}
    if before.get("call") != answer.open["call"]:
        return []
    asked = request(definition, run, str(before["for"]), now, item=before.get("item"))
    return [asked._replace(open={**asked.open, "of": before["call"]})]


def request(definition: Definition, run: Run, person: str, at: datetime, *, item: str | None = None) -> Event:
    """The event that asks for a proposal at the open attempt, with the rights of this person. The step's settings must let it be asked."""
    attempt = run.attempt
    if attempt is None:
        raise ValueError(f"run {run.id} stands at no attempt")
    wanted = settings_of(definition, attempt.step) or StepAI.model_validate({})
    kind = steps.get(definition.document.step(attempt.step).type)
    told: dict[str, Any] = {
        "call": new_id("aic"),
        "n": attempt.n,
        "for": person,
        "purpose": kind.purpose,
        "fields": _names(definition, attempt.step, wanted),
        "fill": UNFILLED if at_stake(definition, attempt.step) else wanted.fill,
        "deadline": moment_text(at + timedelta(seconds=settings.current().ai_seconds)),
    } | ({"item": item} if item is not None else {})
    return Event("proposal_requested", at, told, {}, (attempt.step, attempt.attempt))


@functools.lru_cache(maxsize=1024)
def _known(definition: Definition, step_id: str) -> tuple[str, ...]:
    step = definition.document.step(step_id)
    return steps.get(step.type).ai_fields(steps.view(step).config) or ()


def _names(definition: Definition, step_id: str, wanted: StepAI) -> list[str]:
    """Names of the fields that are asked for, as far as the document tells."""
    return list(wanted.fields) if wanted.fields is not None else list(_known(definition, step_id))


@functools.lru_cache(maxsize=1024)
def tick_lists_of(definition: Definition, step_id: str) -> tuple[FormField, ...]:
    """The tick lists of the step's form, with their options, as the document has them."""
    step = steps.view(definition.document.step(step_id))
    return steps.get(step.type).tick_lists(step.config)


def request_and_wait(definition: Definition, run: Run, person: str, at: datetime) -> tuple[SideRow, Awaited]:
    """(that a proposal is asked for, what the run waits for) at a step that goes on with the answer by itself."""
    event = request(definition, run, person, at)
    until = at + timedelta(seconds=settings.current().ai_seconds + LATEST_S)
    return SideRow(event.type, {name: value for name, value in event.open.items() if name != "n"}), Awaited(
        WAITS, event.open["call"], until
    )


def proposal_for(run: Run, actor: str, item: str | None) -> Mapping[str, Any] | None:
    """The proposal that belongs to what this person hands in (for this item, of a list); None where there is none of theirs."""
    attempt = run.attempt
    proposal = attempt.proposal if attempt is not None else None
    if proposal is None or proposal["for"] != actor or (proposal.get("item") is not None and proposal["item"] != item):
        return None
    return proposal


def if_shown(proposal: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The proposal, where the person had it before them."""
    return proposal if proposal is not None and proposal["status"] == READY and proposal["mode"] not in HIDDEN_MODES else None


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
    """What the event of the step tells of its proposal: which call, how it was shown, what became of each value, how long it was there, how many sources
    were opened.
    """
    outcomes = proposal_comparison.outcomes(proposal, {field.name: field.type for field in fields}, values, choice, manual=manual)
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
    """How many sources this person opened at the open attempt."""
    rows = fetch(
        _OPENED, {"run": run.id, "mark": b'"type":"source_opened"', "person": person, "n": str(run.current), "since": run.seq - NEWEST}
    )
    return int(rows[0][0])


def overdue_call(run: Run, at: datetime) -> str | None:
    """The call whose answer the run still waits for though its time is over; None where there is none."""
    proposal = run.attempt.proposal if run.attempt is not None else None
    if proposal is None or proposal["status"] != PENDING or not waits_for(run, proposal["call"]):
        return None
    return str(proposal["call"]) if datetime.fromisoformat(proposal["deadline_at"]) + timedelta(seconds=GRACE_S) < at else None


def as_shown(proposal: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The proposal as the person it is for gets it: one that is only recorded shows nothing of what it holds."""
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
    """The proposed values and the choice, each with whether a form holds it before a person has put it there."""
    choice = proposal["choice"]
    return {
        "fields": [{**each, "preselected": fills(each["confidence"], proposal["fill"])} for each in proposal["fields"]],
        "choice": {**choice, "preselected": fills(choice["confidence"], proposal["fill"])} if choice else choice,
    }


def on_screen(run: Run, person: str) -> dict[str, Any] | None:
    """The proposal as it is part of what this person has on the screen: once it is final, and only before whom it was made for."""
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
