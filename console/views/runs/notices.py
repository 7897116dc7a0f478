"""The notices above the form of a run: what is wrong, who holds it, why a command was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError
from console.core.run import FINAL
from console.infra.db import request_writes
from console.messaging import messages
from console.messaging.messages import message_reasons
from console.runs import RunView
from console.views import errors, formats, frame, refusals
from console.views.formats import Look
from console.views.runs import effects, proposal
from console.workflows import inboxes


@dataclass(frozen=True, slots=True)
class Typed:
    """The content of a form: as values, and as plain text for when its boxes are gone."""

    step: str
    revision: int
    values: Mapping[str, Any]
    outcome: str | None
    unread: Mapping[str, str]
    marks: proposal.Marks | None = None

    @property
    def item(self) -> str | None:
        """Return the key of the list item that it was typed for."""
        key = self.values.get("item")
        return key if isinstance(key, str) else None


@dataclass(frozen=True, slots=True)
class Note:
    """A notice above the form. `fields` are (id of the box, reason), `shown` is text to copy, `post` or `href` is the target of its button."""

    head: str
    text: str = ""
    tone: str = "info"
    mark: str = "info-circle"
    alert: bool = False
    fields: Sequence[tuple[str, str]] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""
    href: str = ""
    post: str = ""
    button: str = ""
    key: str = ""
    facts: Sequence[tuple[str, str]] = ()


def lost_texts(typed: Typed | None, screen: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts typed for a list item that is no longer the present one."""
    if (
        typed is None
        or typed.item is None
        or "progress" not in screen
        or screen["progress"]["key"] == typed.item
    ):
        return {}
    return {name: value for name, value in typed.unread.items() if name != "item"}


LEFT_OF = {
    "hands_off": " Whoever was enrolled and is deleted leaves within minutes; what an event or a schedule started goes on as far as its steps do without the record. Any run can be cancelled."
}
"""Mode of a run → what can be done without its record."""


def notices_of(
    view: RunView,
    actor: Actor,
    look: Look,
    wrong: ConsoleError | None,
    details: Sequence[Mapping[str, Any]],
    given_back: Mapping[str, str] | None = None,
) -> list[Note]:
    """Return the notices of the page: what is wrong, who else holds the run, what is wrong with the record."""
    notes = [
        _wrong(view, wrong, details, given_back),
        _take_over(view, look),
        _handed_on(view, look),
        _sent_back(view),
        _holder(view, actor, look),
        _record(view),
        _vanished(view, actor),
        _newer(view),
        *_failed_afterwards(view, actor),
    ]
    return [note for note in notes if note is not None]


def _failed_afterwards(view: RunView, actor: Actor) -> list[Note]:
    """That a message, with which the run went on when it left, did not arrive."""
    if not any(attempt["type"] in message_reasons.FAILED_LATER for attempt in view.json["attempts"]):
        return []
    titles = {attempt["step"]: attempt["title"] for attempt in view.json["attempts"]}
    return [
        Note(
            f"{message_reasons.FAILED_LATER[line.message.channel]}: {titles.get(line.message.step or '', '')}".rstrip(
                ": "
            ),
            *(line.reason, "warn", "alert-triangle"),
        )
        for line in messages.failed_afterwards(actor, view.json["id"])
    ]


def _wrong(
    view: RunView,
    wrong: ConsoleError | None,
    details: Sequence[Mapping[str, Any]],
    given_back: Mapping[str, str] | None = None,
) -> Note | None:
    if wrong is None and not details:
        return None
    made = _made(view)
    if details and all(
        detail.get("code") == "withdrawn" for detail in details
    ):  # one's own doing: nothing is wrong
        done = f"Only a part was done: {'; '.join(made)}." if made else "Nothing was done."
        return Note(str(details[0]["reason"]), f"{done} What you typed is still here.", "info", "hand-stop")
    labels = {entry["name"]: entry["label"] for entry in (view.screen or {}).get("fields", ())}
    listed = []
    for detail in details:
        name = str(detail.get("field", ""))
        target = (
            "outcome"
            if name == "outcome"
            else frame.dom_id("f", name)
            if name in labels
            else name
            if name in ("result", "reason")
            else ""
        )
        label = labels.get(name, "Your decision" if name == "outcome" else "")
        listed.append((target, refusals.line(label, str(detail.get("reason", "")))))
    part = f"Only a part was done: {'; '.join(made)}. The rest" if made else "The change"
    head = f"{part} was refused. What you typed is still here."
    if wrong is not None:
        head = (
            f"Not done yet: {len(listed)} {'thing needs' if len(listed) == 1 else 'things need'} another look."
            if listed
            else wrong.message
        )
    elif not made and all(
        detail.get("field") == "approval" for detail in details
    ):  # nobody tried it: the request came to nothing
        head = "Nothing was done. What you typed is still here."
    return Note(head, tone="bad", mark="alert-triangle", alert=True, fields=listed, typed=given_back or {})


def _made(view: RunView) -> list[str]:
    """What the open attempt has done before something else of it was refused, in words."""
    step = (view.json["current"] or {}).get("step")
    attempt = next((each for each in reversed(view.json.get("attempts", ())) if each["step"] == step), None)
    effects = attempt["effects"] if attempt is not None else ()
    back = {effect["compensates"] for effect in effects}
    return [
        each["summary"]
        for each in effects
        if each["status"] == "succeeded" and not each["compensates"] and each["id"] not in back
    ]


STOPS_AGAIN = frozenset({"already_done", "no_address", "message_unknown"})
"""Causes with which trying again comes to the same, or may send a message twice: the form has *Send it*, for who has looked."""
KEEP_OR_AGAIN = " The button below asks you: keep its result, or do it again."


def _take_over(view: RunView, look: Look) -> Note | None:
    cause = (view.json["current"] or {}).get("take_over") or (view.screen or {}).get("take_over")
    if not cause or cause.get("code") == "withdrawn":  # what was taken back is said above
        return None
    code = cause.get("code")
    made, wrong = code == "already_done", code not in proposal.NOTHING_WRONG
    stopped = code == "stepped_in"
    way = _way_back(view)
    again = frame.run_url(view.json["id"], "retry") if "retry" in view.can and code not in STOPS_AGAIN else ""
    return Note(
        "This step stopped and asks a person"
        if wrong
        else "Waiting was stopped: fill this in by hand"
        if stopped
        else "This step asks a person",
        "" if stopped else f"{cause.get('message', '')}{KEEP_OR_AGAIN if made else ''}",
        "warn" if wrong else "info",
        "hand-stop",
        post=again,
        href=way[0],
        button="Retry" if again else way[1],
        facts=effects.tried_before(view.json, look) if wrong else (),
    )


def _way_back(view: RunView) -> tuple[str, str]:
    """(address, words of its button) of the way to revise the last step that somebody did, where the run can neither go on nor be tried again."""
    stuck = not {"complete", "retry"} & view.can and "revise" in view.can
    last = next((step for step in reversed(view.steps) if step["revisable"]), None) if stuck else None
    if last is None:
        return "", ""
    href = frame.run_url(view.json["id"], "revise", step=last["step"], attempt=last["attempt"])
    return href, f"Revise “{last['title']}”"


def _handed_on(view: RunView, look: Look) -> Note | None:
    """Why it was handed on, until the next step is done."""
    last = view.handed_on
    if last is None:
        return None
    who = f"{view.names.get(last.by, 'A former colleague')} handed this on" if last.by else "Handed on"
    return Note(f"{who}, {formats.ago(last.at, look)}", f"“{last.reason}”", "info", "message")


def _sent_back(view: RunView) -> Note | None:
    """Why an approval was refused that led back to this step, until somebody does a step."""
    standing = [
        each for each in view.json["attempts"] if each["status"] != "cancelled" and not each["revised"]
    ]
    *before, here = standing or [{"status": ""}]
    asked = next((each for each in reversed(before) if each["by"] or each["approvals"]), None)
    again = any(each["step"] == here["step"] and each["status"] == "done" for each in before)
    if here["status"] != "open" or not again or asked is None or not asked["approvals"]:
        return None
    last = asked["approvals"][-1]
    if last["status"] not in REFUSED:
        return None
    answer = last["decided"][-1] if last["decided"] else {"by": None, "reason": ""}
    who = view.names.get(answer["by"], "A former colleague") if answer["by"] else "Nobody"
    return Note(
        f"{who} {REFUSED[last['status']]} “{asked['title']}”",
        f"“{answer['reason']}”" if answer["reason"] else "",
        "warn",
        "arrow-back-up",
    )


REFUSED = {"rejected": "rejected", "expired": "decided in time on"}
"""Status of a request → what an approver did with it."""


def _holder(view: RunView, actor: Actor, look: Look) -> Note | None:
    run = view.json
    if ticket := run.get("ticket"):
        by = f"{view.names.get(ticket['by'], 'A former colleague')}: " if ticket["by"] else ""
        why = f" {by}“{ticket['reason']}”" if ticket["reason"] else ""
        return Note(
            f"In the inbox “{inboxes.title_of(ticket['inbox'])}”",
            f"{ticket['priority'].capitalize()} priority, waiting since {formats.clock(ticket['at'], look)}.{why}",
            "warn",
            "inbox",
        )
    if run["status"] == "saved":
        words = (
            "Resume goes on with this step, with what was typed so far."
            if "resume" in view.can
            else "You may look at it. Resuming needs a right that you do not have here."
        )
        return Note("Saved, to continue", words, "warn", "player-pause")
    if run["status"] not in ("waiting_person", "running") or not run["holder"] or run["holder"] == actor.id:
        return None
    who = view.names.get(run["holder"], "A colleague")
    since = next((step["at"] for step in view.steps if step["state"] == "now"), None)
    long = f"The step began {formats.ago(since, look)}." if since else ""
    idle = " Nothing was typed for over 10 minutes." if view.holder_idle else ""
    may = " You can take over; what they typed stays with them." if "take_over" in view.can else ""
    return Note(f"{who} has this run open", f"{long}{idle}{may}".strip(), "info", "user")


def _record(view: RunView) -> Note | None:
    if view.lacking and not view.json["ended_at"]:
        return Note("You can look, but not do this step", view.lacking, "info", "lock")
    if view.changed is not None:
        return Note(
            "The database has changed",
            f"{errors.error_message(view.changed)} What is typed is kept.",
            "warn",
            "database",
        )
    if view.down:
        return Note(
            "The data source does not answer",
            f"{view.down} What is typed is kept; try again in a moment.",
            "warn",
            "database",
        )
    if view.gone:
        left = (
            ""
            if view.json["ended_at"]
            else " This step does without it."
            if "complete" in view.can
            else LEFT_OF.get(view.json.get("mode", ""), " The run can be saved or aborted.")
        )
        return Note(
            "The record is no longer there",
            f"It was deleted, or moved out of what you may see.{left}",
            "warn",
            "alert-triangle",
        )
    return None


def _vanished(view: RunView, actor: Actor) -> Note | None:
    """For whoever may change the workflow: the way to the step that names what its table no longer has. Everybody reads of it above the form."""
    run = view.json
    if (
        not view.vanished
        or not run["current"]
        or not access.can(actor, run["team"], f"workflow:{run['workflow']['slug']}", "edit")
    ):
        return None
    return Note(
        f"This step writes what the database no longer has: {', '.join(view.vanished)}",
        "You may change the workflow: take it out of the step or name its new column, publish, and move this run to the new version.",
        "warn",
        "database",
        href=f"/workflows/{run['workflow']['slug']}/edit?step={run['current']['step']}",
        button="Change the step",
    )


def _newer(view: RunView) -> Note | None:
    if view.newer_version is None or view.json["status"] in FINAL:
        return None
    return Note(
        f"Version {view.newer_version} is live",
        "This run is a test of a draft, and goes on with the draft as it was then."
        if view.json["version"] < 0
        else f"This run goes on with version {view.json['version']}, with which it began.",
        "",
        "info-circle",
    )


_HEADS = {
    "nothing": "Not done",
    "done": "Done in part: look at how it stands",
    "unknown": "We do not know whether it was done: look at how it stands",
}


def refused_note(
    view: RunView, conflict: Conflict, actor: Actor, typed: Typed | None, *, kept: bool = True
) -> Note:
    """Return why a command from an old screen was refused, with a link to the present step. `kept`: the command came with a form that was filled in."""
    still = " What you typed is kept below." if kept else ""
    run, current = view.json, view.json["current"]
    note = Note(
        "",
        tone="warn",
        mark="refresh",
        alert=True,
        typed=typed.unread if typed else {},
        href=frame.run_url(run["id"]),
        button="Go to current step",
    )
    if conflict.code == "not_holder":
        who = view.names.get(run["holder"] or "", "")
        words = f"{who} holds it now.{still}" if who else conflict.message
        return replace(note, head="This run is no longer with you", text=words, mark="user")
    if conflict.code == "stale_revision":
        where = (
            f"It now stands at “{current['title']}”"
            if current
            else f"It has ended: {frame.status_badge(run['status']).label}"
        )
        holder = view.names.get(run["holder"] or "", "") if run["holder"] != actor.id else ""
        return replace(
            note, head="This run moved on", text=f"{where}{f', with {holder}' if holder else ''}.{still}"
        )
    reasons = [
        reason for detail in conflict.details if (reason := str(detail.get("reason", ""))) != conflict.message
    ]
    stays = conflict.code == "require"  # the step did not move on: nothing leads elsewhere
    return replace(
        note,
        head=_HEADS[request_writes.so_far().state],
        text=conflict.message,
        mark="alert-triangle",
        fields=[("", reason) for reason in reasons],
        href="" if stays else note.href,
        button="" if stays else note.button,
    )
