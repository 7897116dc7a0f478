"""What a dry run gets at the steps where a run waits: an approval, a message, a task, an answer, documents, an event, a model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console import log
from console.core import contacting
from console.core.errors import Invalid
from console.core.forms import FormField, clean
from console.core.run import commands, simulation
from console.core.run.simulation import Question
from console.runs.engine.stepping import prompt_of, step_at

if TYPE_CHECKING:
    from console.runs.simulation.dry_runs import Simulation

MODEL = "proposal"
NOT_SENT = "The tester chose that it does not leave."
NO_ANSWER = "The tester chose that no answer comes."
CALLED_AGAIN = frozenset({"no_answer", "voicemail", "busy"})
ENDS_OF_MESSAGES = frozenset(
    {
        "sent",
        "skipped",
        "expired",
        "failed",
        "unknown",
        "answered",
        "no_answer",
        "voicemail",
        "busy",
        "default",
        "error",
    }
)
"""How messages and calls end by themselves; any other way of such a step is the label of an answer."""
DONE = ({"value": "done", "label": "Done"}, {"value": "not_done", "label": "Not done"})
DECIDED = ({"value": "approved", "label": "Approved"}, {"value": "rejected", "label": "Rejected"})
EXPIRED = {"value": "expired", "label": "Nobody answers in time"}
ANSWERED = "answered"


def answer(dry: "Simulation") -> Question | None:
    """Go on with what the tester chose. Returns what has to be chosen if they chose nothing."""
    waiting = dry.run.waiting or {}
    match waiting.get("for"):
        case "approval":
            return _approval(dry)
        case "message":
            return _message(dry)
        case "task":
            return _task(dry)
        case "answer":
            return _question(dry)
        case "documents":
            return _documents(dry)
        case "proposal":
            return _model(dry)
    return _event(dry)


def _key(dry: "Simulation") -> str:
    return str((dry.run.waiting or {}).get("key"))


def _step_and_attempt(dry: "Simulation") -> tuple[str, int]:
    attempt = dry.run.attempt
    return (attempt.step, attempt.attempt) if attempt is not None else ("", 1)


def _in_vain(dry: "Simulation", code: str, message: str, *, asks: bool = False) -> None:
    dry.give(commands.Unanswered(_key(dry), code, message, asks))


def _expire(dry: "Simulation") -> bool:
    """Let time pass until the wait is over; False if the wait has no end."""
    due = simulation.fired(dry.run)
    if due is not None:
        dry.jump(*due)
    return due is not None


def _approval(dry: "Simulation") -> Question | None:
    chosen = dry.script.answer(*_step_and_attempt(dry))
    if chosen is not None and chosen.outcome == "expired" and _expire(dry):
        return None
    command = simulation.approval_command(dry.run, chosen) if chosen is not None else None
    if command is not None:
        dry.give(command)
        return None
    attempt = dry.run.attempt
    approval = (
        next((each for each in attempt.approvals if each.id == _key(dry)), None)
        if attempt is not None
        else None
    )
    ends = (EXPIRED,) if approval is not None and approval.until is not None and approval.decides else ()
    return dry.question(
        "approval", why=approval.why if approval is not None else "", outcomes=[*DECIDED, *ends]
    )


def _message(dry: "Simulation") -> Question | None:
    """What becomes of the message: what the tester chose, else what the rules for reaching people say. A call is tried again as in every run."""
    request = dry.requests.get(_key(dry), {})
    call = request.get("channel") == "call"
    tries, pause = max(1, int(request.get("most") or 1)), timedelta(seconds=int(request.get("again_s") or 0))
    named = tuple(dry.definition.document.step(_step_and_attempt(dry)[0]).next)
    number, result, outcome, label = 0, dict[str, Any](), "", ""
    while not number or (outcome in CALLED_AGAIN and call and dry.gate is not None and number < tries):
        dry.now += pause if number else timedelta()
        number += 1
        outcome, label, result = _one_try(dry, request, named)
    way = contacting.way_on(outcome, label, named)
    if way is None:
        _in_vain(
            dry,
            f"message_{outcome}",
            str(result.get("reason") or NOT_SENT),
            asks=outcome in ("unknown", "expired"),
        )
        return None
    output = {
        "message": None,
        "status": outcome,
        "to": (request.get("content") or {}).get("to"),
        "reason": result.get("reason"),
    }
    if call:
        output |= {"outcome": outcome, "attempts": number, "label": label or None}
        output |= {name: result.get(name) for name in ("transcript", "recording")}
    dry.give(commands.Arrive(_key(dry), way, output=output))
    return None


def _one_try(
    dry: "Simulation", request: Mapping[str, Any], named: Sequence[str]
) -> tuple[str, str, dict[str, Any]]:
    """(outcome, label of an answer, what comes back) of the message, or of one try of a call; time passes until it leaves."""
    chosen, told = dry.script.ending(*_step_and_attempt(dry)), dry.deliver(request)
    result = dict(chosen.result or {}) if chosen is not None else {}
    if told is not None:
        dry.now = told.at
        if not told.leaves and chosen is None:
            return told.status, "", {"reason": told.reason}
    usual = "answered" if request.get("channel") == "call" else "sent"
    outcome = str(
        result.get("outcome")
        or {"failed": "failed", "unknown": "unknown"}.get(chosen.outcome if chosen else "", usual)
    )
    label = str(result.get("label") or "")
    if outcome in named and outcome not in ENDS_OF_MESSAGES:  # the label of an answer
        outcome, label = usual, label or outcome
    if told is not None and dry.run.attempt is not None:
        dry.deliveries[dry.run.attempt.n][-1] = replace(told, outcome=outcome)
    return outcome, label, result


def _task(dry: "Simulation") -> Question | None:
    chosen = dry.script.answer(*_step_and_attempt(dry))
    if chosen is None or chosen.outcome not in ("done", "not_done"):
        return dry.question("task", outcomes=list(DONE))
    request = (
        dry.run.attempt.effects[-1].request.get("asked") or {}
        if dry.run.attempt is not None and dry.run.attempt.effects
        else {}
    )
    output = {
        "title": request.get("title"),
        "due": request.get("due"),
        "result": chosen.outcome,
        "note": str(chosen.values.get("note", "")),
    }
    dry.give(commands.Arrive(_key(dry), chosen.outcome, output=output | {"closed_by": dry.actor.id}))
    return None


def _question(dry: "Simulation") -> Question | None:
    request = dry.requests.get(_key(dry), {})
    chosen = dry.script.answer(*_step_and_attempt(dry))
    offered = [str(option["value"]) for option in request.get("outcomes", ())]
    expires = (dry.run.waiting or {}).get("until") is not None
    question: dict[str, Any] = {
        "text": request.get("text"),
        "fields": list(request.get("fields", ())),
        "outcomes": [*request.get("outcomes", ()), *((EXPIRED,) if expires else ())],
    }
    if chosen is None:
        return dry.question("question", **question)
    if chosen.outcome == "expired" and "expired" not in offered and _expire(dry):
        return None
    if offered and chosen.outcome not in offered:
        errors = [{"field": "outcome", "reason": f"One of: {', '.join(offered)}."}]
        return dry.question("question", **question, errors=errors, answered=True, refused=True)
    fields = [
        FormField(**{name: field[name] for name in FormField.__slots__ if name in field})
        for field in request.get("fields", ())
    ]
    try:
        values = clean(fields, dict(chosen.values))
    except Invalid as error:
        return dry.question(
            "question", **question, errors=error.details, why=error.message, answered=True, refused=True
        )
    way = chosen.outcome if offered and chosen.outcome else ANSWERED
    people = list(request.get("people", ()))[: int(request.get("needs", 1))]
    given = [
        {"by": person, "outcome": way, "at": log.body.moment(dry.now), "values": values} for person in people
    ]
    dry.give(commands.Arrive(_key(dry), way, output={"answers": given}))
    return None


def _documents(dry: "Simulation") -> Question | None:
    chosen = dry.script.answer(*_step_and_attempt(dry))
    if chosen is None or chosen.outcome not in ("received", "expired"):
        outcomes = [
            {"value": "received", "label": "They come"},
            {"value": "expired", "label": "They do not come in time"},
        ]
        return dry.question("documents", outcomes=outcomes)
    wanted = [str(entry["id"]) for entry in dry.requests.get(_key(dry), {}).get("documents", ())]
    former = dict((dry.run.attempt.output if dry.run.attempt is not None else None) or {})
    came = {"received": wanted, "lacking": []} if chosen.outcome == "received" else {}
    dry.give(commands.Arrive(_key(dry), chosen.outcome, output={**former, **came, **chosen.values}))
    return None


def _model(dry: "Simulation") -> Question | None:
    """The answer of the model is what the tester says it is; no model is asked."""
    step, number = _step_and_attempt(dry)
    ending = dry.script.ending(step, number)
    if ending is not None and ending.outcome != "succeeded":
        _in_vain(dry, "no_answer", NO_ANSWER)
        return None
    chosen = dry.script.answer(step, number)
    values = (
        dict(chosen.values)
        if chosen is not None
        else dict(ending.result or {})
        if ending is not None
        else None
    )
    open_step = step_at(dry.definition, dry.run)
    context = dry.context(open_step)
    if values is None:
        prompt = prompt_of(open_step, context)
        outcomes = [option.to_json() for option in prompt.outcomes]
        return dry.question(
            "model", text=prompt.text, fields=[field.to_json() for field in prompt.fields], outcomes=outcomes
        )
    proposal = {
        "fields": [{"name": name, "value": value, "sources": []} for name, value in values.items()],
        "outcome": (outcome := chosen.outcome if chosen is not None else None),
        "choice": {"reason": "", "sources": []} if outcome is not None else None,
    }
    try:
        completion = open_step.kind.complete(
            open_step.view, replace(context, proposal=proposal, answered=True), values, outcome
        )
    except Invalid as error:
        prompt = prompt_of(open_step, context)
        fields = [field.to_json() for field in prompt.fields]
        return dry.question(
            "model",
            text=prompt.text,
            fields=fields,
            errors=error.details,
            why=error.message,
            answered=True,
            refused=True,
        )
    dry.give(commands.Arrive(_key(dry), completion.outcome, completion.values, completion.output))
    return None


def _event(dry: "Simulation") -> Question | None:
    """The event happens if the tester says so; otherwise the wait ends without it, if it has an end."""
    step, number = _step_and_attempt(dry)
    ending, chosen = dry.script.ending(step, number), dry.script.answer(step, number)
    waiting = dry.run.waiting or {}
    settings = dry.definition.document.step(step).config
    happens = (ending is not None and ending.outcome == "succeeded") or (
        chosen is not None and chosen.outcome == "event"
    )
    if happens:
        result = dict(ending.result or {}) if ending is not None else {}
        output = {
            "until": waiting.get("until"),
            "event": settings.get("event"),
            "at": log.body.moment(dry.now),
            **result,
        }
        dry.give(commands.Arrive(_key(dry), "event", output=output))
        return None
    if _expire(dry):
        return None
    return dry.question("event", outcomes=[{"value": "event", "label": "It happens"}])
