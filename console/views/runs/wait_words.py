"""What a run waits for, in words; for a message when it leaves, and why not now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console import log, runs, workflows
from console.core.actor import Actor
from console.messaging.messages import outbox
from console.views import formats
from console.views.formats import Look
from console.views.runs import effects

_WAITS = {
    "time": "Waiting. Continues at {until}.",
    "retry": "The step could not be done. It is tried again at {until}.",
    "event": "Waiting for something to happen outside.",
    "approval": "Waiting for an approval.",
    "run": "Waiting for another run to end.",
    "documents": "Waiting for documents.",
    "task": "Waiting for a task.",
    "answer": "Waiting for an answer, until {until}.",
    "effect": "Making the change since {since}. Should no answer come, the console looks what came of it; this page follows.",
}
_LEAVES = {
    "email": "The e-mail is about to leave.",
    "sms": "The SMS is about to leave.",
    "call": "The call is under way; the run goes on when it has ended.",
    "chat": "The chat message is about to leave.",
}
HAPPENS = {
    "record.created": "the record is added",
    "record.updated": "the record is changed",
    "record.deleted": "the record is deleted",
    "contact.created": "the contact is added",
    "tag.added": "a tag is added",
    "tag.removed": "a tag is removed",
    "stage.changed": "the stage is changed",
    "message.received": "they answer",
    "message.failed": "a message cannot be sent",
    "message.opened": "they open an e-mail",
    "call.ended": "a call has ended",
    "consent.given": "consent is given",
    "consent.withdrawn": "consent is withdrawn",
    "run.completed": "another run is completed",
    "run.failed": "another run fails",
}
"""Event → what a step that waits for it waits for, after “until”."""
_SHORTLY = {
    "time": "until {until}",
    "retry": "until {until}, when it is tried again",
    "event": "for something to happen outside",
    "approval": "for an approval",
    "run": "for another run to end",
    "documents": "for documents",
    "task": "for somebody to do a task",
    "answer": "for an answer",
    "effect": "for the outcome of a change",
}
"""What a run waits for in a list, after “waits”."""
_MESSAGES = {
    "email": "for the e-mail to leave",
    "sms": "for the SMS to leave",
    "call": "for the call to end",
    "chat": "for the chat message to leave",
}
_HELD = ("time", "retry")
"""What a run waits for that does not move it while its workflow is paused."""
SOURCE_DOWN = "source_down"
PAUSED = "The workflow is paused: this goes on by itself when it is activated again."
UNCLEAR = "No answer came, so it is being looked up whether the message left. Nothing is sent twice."


@dataclass(frozen=True, slots=True)
class Waiting:
    """What runs wait for, asked once: `waits` by run, the messages of those that wait for one, and the workflows that are paused."""

    waits: Mapping[str, runs.Waits]
    messages: Mapping[str, Any]
    paused: frozenset[str] = frozenset()

    def until(self, run: str) -> datetime | None:
        """Return until when the run waits, of a message when it leaves; None where it waits for no moment."""
        waits = self.waits.get(run)
        if waits is not None and waits.kind == "message" and run in self.messages:
            due: datetime | None = self.messages[run].due_at
            return due
        return waits.until if waits is not None else None

    def shortly(self, run: str, look: Look) -> str:
        """Return what the run waits for and until when, in a few words; empty where it waits for nothing."""
        if run not in self.waits:
            return ""
        waits = self.waits[run]
        held = waits.kind in _HELD and waits.workflow in self.paused
        return _shortly(waits, self.messages.get(run), look) + (
            ", once the workflow is no longer paused" if held else ""
        )


def waiting(run_ids: Sequence[str]) -> Waiting:
    """Return what these runs wait for; for a reader who may see them."""
    found = runs.waits(run_ids)
    messages = outbox.pending_of([run for run, waits in found.items() if waits.kind in ("message", "person")])
    return Waiting(
        found,
        messages,
        frozenset(each.id for each in workflows.all_known() if each.status == "paused")
        if found
        else frozenset(),
    )


def waits_shortly(run_ids: Sequence[str], look: Look) -> dict[str, str]:
    """Return what each of these runs waits for, in a few words; those that wait for nothing are left out."""
    found = waiting(run_ids)
    return {run: found.shortly(run, look) for run in found.waits}


def _shortly(waits: runs.Waits, message: Any, look: Look) -> str:
    until = _moment(waits.until, look) if waits.until is not None else ""
    if waits.kind == "person":
        if message is None or message.status != "unknown":
            return "for a person"
        return (
            "for somebody to say how the call ended"
            if message.channel == "call"
            else "for somebody to say whether the message left"
        )
    if waits.kind == "message" and message is not None:
        if message.status == "unknown":
            return "while it is looked up whether the message left"
        if message.status == "waiting" and message.due_at is not None and message.due_at > log.now():
            at, reason = _moment(message.due_at, look), str(message.result.get("reason", "")).strip()
            return f"until {at}. {reason}" if reason else f"until {at}"
        return _MESSAGES.get(message.channel, "for a message")
    definition = workflows.readable_version(waits.workflow, waits.version)
    step = definition.document.step(waits.step) if definition is not None and waits.step is not None else None
    named = [step.config.get("event"), *step.config.get("also", ())] if step is not None else []
    if waits.kind == "event" and (happens := " or ".join(HAPPENS[each] for each in named if each in HAPPENS)):
        return f"until {until}, or until {happens}" if until else f"until {happens}"
    if "{until}" in _SHORTLY.get(waits.kind, ""):
        return _SHORTLY[waits.kind].format(until=until or "later")
    return _SHORTLY.get(waits.kind, "for something") + (f", at the latest {until}" if until else "")


def _moment(at: datetime, look: Look) -> str:
    return formats.in_words(at.astimezone(UTC).isoformat(timespec="minutes"), look)


def wait_words(run: Mapping[str, Any], look: Look) -> str:
    """Return what the run waits for, for a reader who may see it."""
    current = run["current"] or {}
    waiting = current.get("waiting")
    since = _since(run, look)
    if not waiting or (waiting["for"] == "run" and current.get("type") in ("loop", "parallel")):
        return f"Working since {since}."
    if asks_ai(run):
        return f"Asking the AI since {since}."
    if trying := effects.retry_words(run, look):
        return trying
    if waiting["for"] == "message":
        return _message_words(run["id"], look)
    if waiting["for"] == "event" and (happening := _happening_words(run, waiting, look)):
        return happening
    until = formats.full_moment(waiting["until"], look) if waiting.get("until") else "later"
    if waiting["for"] == "retry" and waiting.get("code") == SOURCE_DOWN:
        return f"The data source does not answer. It is asked again at {until}; the run goes on by itself when it answers."
    return _WAITS.get(waiting["for"], "Waiting.").format(until=until, since=since)


def asks_ai(run: Mapping[str, Any]) -> bool:
    """Return whether the run waits for an answer of the AI."""
    current = run["current"] or {}
    return bool(current.get("waiting") and (current.get("proposal") or {}).get("status") == "pending")


def _since(run: Mapping[str, Any], look: Look) -> str:
    """Return when the present step began."""
    step = (run["current"] or {}).get("step")
    begun = next((each["entered_at"] for each in reversed(run["attempts"]) if each["step"] == step), None)
    return formats.clock(begun, look)


def words_of_pause(run: Mapping[str, Any]) -> str:
    """Return that the workflow is paused, where that holds back what the run waits for; else nothing."""
    current = run["current"] or {}
    held = current.get("type") == "loop" or (current.get("waiting") or {}).get("for") in _HELD
    paused = held and any(
        each.id == run["workflow"]["id"] and each.status == "paused" for each in workflows.all_known()
    )
    return PAUSED if paused else ""


def awaited_run(actor: Actor, run: Mapping[str, Any]) -> runs.RunHead | None:
    """Return the live run that a step waits for, where the reader may see it too."""
    current = run["current"] or {}
    if current.get("type") != "sub_workflow" or (current.get("waiting") or {}).get("for") != "run":
        return None
    live = next((child.id for child in runs.children_of(run["id"]) if not child.ended), None)
    return next(iter(runs.find(actor, {"id": live}, limit=1)[0]), None) if live else None


def _happening_words(run: Mapping[str, Any], waiting: Mapping[str, Any], look: Look) -> str | None:
    """What has to happen to the record, and until when it is waited for; None at a step that waits for something else."""
    if run["current"]["type"] != "wait":
        return None
    step = workflows.version(run["workflow"]["id"], run["version"]).document.step(run["current"]["step"])
    what = HAPPENS[step.config["event"]]
    fitting = " and the step's condition holds" if step.config.get("filter") else ""
    latest = f", at the latest {formats.full_moment(waiting['until'], look)}" if waiting.get("until") else ""
    return f"Waits until {what}{fitting}{latest}."


def _message_words(run_id: str, look: Look) -> str:
    message = outbox.pending(run_id)
    if message is None:
        return "Waiting for a message."
    if message.status == "unknown":
        return UNCLEAR
    reason = str(message.result.get("reason", "")).strip()
    if message.status == "waiting" and message.due_at is not None and (reason or message.number > 1):
        until = formats.full_moment(message.due_at.isoformat(), look)
        return (
            f"{reason} It leaves at {until}."
            if reason
            else f"Try {message.number} of {message.most} is made at {until}."
        )
    return _LEAVES.get(message.channel, "Waiting for a message.")
