"""What revising or aborting does away with, in as few lines as it takes: steps that are cancelled, changes that stay."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.actor import Actor
from console.core.plain_words import uncapitalised
from console.messaging.messages import Line, outbox
from console.runs import Preview, abort_preview
from console.runs.engine.made_by_runs import MOST
from console.views.messaging.outbox import KIND_WORDS, OUTCOME_WORDS, STATUS_WORDS


def revise_context(shown: Preview, back: Sequence[str] | None) -> dict[str, Any]:
    """Return what revising a step would do, with names instead of ids. `back`: what is ticked to be taken back, None before anybody has ticked anything."""
    named = [
        {
            **attempt,
            "by_name": shown.names.get(attempt["by"], "a former colleague")
            if attempt.get("by")
            else "automatic",
        }
        for attempt in shown.json["cancels"]
    ]
    fields = {"cancels": _once(named, ("step", "by_name")), "effects_done": once(shown.json["effects_done"])}
    return {
        "preview": dict(shown.json) | fields,
        "preview_title": shown.title,
        "typed_back": _ticked(shown, back),
    }


def abort_context(actor: Actor, run_id: str, back: Sequence[str] | None) -> dict[str, Any]:
    """Return what aborting leaves as it is, and what of it is ticked to be taken back; `back` as for `revise_context`."""
    shown = abort_preview(actor, run_id)
    sent = outbox.find(actor, outbox.OutboxQuery(run=run_id)).lines if outbox.may_read(actor) else []
    return {
        "effects_done": once(_with_messages(shown.json["effects_done"], sent)),
        "typed_back": _ticked(shown, back),
    }


def _with_messages(effects: Iterable[Mapping[str, Any]], sent: Sequence[Line]) -> list[dict[str, Any]]:
    """The effects, newest first, as the messages are; a message with what became of it, and whether ending the run keeps it from leaving."""
    of_step: dict[str | None, list[Line]] = {}
    for line in sent:
        of_step.setdefault(line.message.step, []).append(line)
    found = []
    for effect in effects:
        lines = of_step.get(effect["step"], []) if effect["kind"] == "message" else []
        words = {"summary": _message_words(lines[0]), "leaves": lines[0].status != "waiting"} if lines else {}
        del lines[:1]
        found.append({**effect, **words})
    return found


def _message_words(line: Line) -> str:
    message = line.message
    became = OUTCOME_WORDS.get(message.outcome or "") if message.channel == "call" else None
    reason = f" ({line.reason.rstrip('.')})" if line.reason and line.status != "waiting" else ""
    return f"{KIND_WORDS[message.channel]}: {uncapitalised(became or STATUS_WORDS[line.status][0])}{reason}"


def once(effects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each change once, with how many `times` it was made, `or_more` where no more were counted; one that can be taken back stands alone."""
    lines = _once(
        ({**effect, "alone": effect["id"] if effect["compensation"] else ""} for effect in effects),
        ("summary", "alone", "leaves"),
    )
    return [line | {"or_more": line["times"] >= MOST} for line in lines]


def _ticked(shown: Preview, back: Sequence[str] | None) -> list[str]:
    """Return the ids of the changes whose box is ticked: at first those that their action says are dangerous if they stand."""
    if back is not None:
        return list(back)
    return [
        effect["id"]
        for effect in shown.json["effects_done"]
        if effect["compensation"] and effect["compensation"]["ticked"]
    ]


def _once(lines: Iterable[Mapping[str, Any]], alike: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the lines in their order, those that agree in these values once, as the first of them."""
    made: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        found = made.setdefault(tuple(line.get(name) for name in alike), {**line, "times": 0})
        found["times"] += 1
    return list(made.values())
