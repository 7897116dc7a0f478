"""The page of a run in words: which face it shows to this reader, what stands above the form, what the buttons say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import request

from console import access, activity, browse, document_requests, documents, inbox, runs, tickets
from console.core.actor import Actor
from console.core.proposal import READY
from console.errors import Conflict, ConsoleError
from console.proposals import feedback, measure, standing, words
from console.runs import Candidate, Preview, RunView
from console.views import contextpane, files, formats, frame, hints, panes, runeffects
from console.views.approvals import words_of_wait
from console.views.formats import Kind, Look
from console.views.identity import local as local_path

RELATED_ROWS = 5
MOST_RELATED = 8
FINAL = frozenset({"completed", "aborted", "failed", "cancelled", "timed_out"})
_STATE_WORDS = {"done": "Done", "now": "Current step", "cancelled": "Cancelled", "skipped": "Skipped", "failed": "Failed", "todo": "To do"}
_ITEM_WORDS = {"todo": "To do", "done": "Done", "failed": "Could not be done", "second": "Waits for a second person"}
_ENDED = {
    "completed": "{title} is done", "aborted": "{title} was aborted", "cancelled": "{title} was cancelled",
    "failed": "{title} failed", "timed_out": "{title} ran out of time",
}  # fmt: skip
_WAITS = {
    "time": "Waiting. Continues at {until}.", "retry": "The step could not be done. It is tried again at {until}.", "event": "Waiting for something to happen outside.", "approval": "Waiting for an approval.",
    "run": "Waiting for another run to end.", "documents": "Waiting for documents.", "task": "Waiting for a task.", "answer": "Waiting for an answer, until {until}.",
    "effect": "Making the change. Should no answer come, the console looks what came of it; this page follows.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held: as values, and as plain text to be shown where its boxes are gone."""

    step: str
    revision: int
    values: Mapping[str, Any]
    outcome: str | None
    unread: Mapping[str, str]
    marks: hints.Marks | None = None

    @property
    def item(self) -> str | None:
        """Which one of a list it was typed for."""
        key = self.values.get("item")
        return key if isinstance(key, str) else None


@dataclass(frozen=True, slots=True)
class Note:
    """A notice above the form. `fields` are (id of the box, reason), `shown` is to be copied, `post` and `href` what its one button does."""

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


def local(path: str | None) -> str | None:
    """A path of ours to go to afterwards; None where none was given."""
    return local_path(path) if path else None


def named(view: RunView) -> dict[str, Any]:
    """What every page about the run shows of it."""
    collections = browse.collections(frame.actor())
    own = next((one for one in collections if one.id == view.json["collection"]), None)
    return {
        "run": view.json,
        "record_title": view.record_title,
        "collection_label": own.label if own else view.collection_label,
        "result_kinds": {item.name: formats.kind(item, own.key) for item in own.fields} if own else {},
        "states_of": {one.id: str(one.summary["badge"]) for one in collections if one.summary.get("badge")},
    }


def live(
    view: RunView,
    actor: Actor,
    look: Look,
    *,
    typed: Typed | None = None,
    wrong: ConsoleError | None = None,
    tab: str = "record",
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """Everything that the page of a run draws."""
    run, screen, face = view.json, view.screen or {}, mode(view)
    details = list(wrong.details) if wrong else list((run["current"] or {}).get("errors") or screen.get("errors") or [])
    context = named(view) | {
        "mode": face,
        "can": view.can,
        "status": frame.status_badge(run["status"], run["holder"], actor.id, view.names, ticket=bool(run.get("ticket"))),
        "steps": outline(view, look),
        "steps_done": done_of(view),
        "earlier": view.earlier,
        "guarded": face in ("form", "settle"),
        "poll": _poll(view, actor),
        "notices": [*notes, *_notices(view, actor, look, wrong, details, _lost(typed, screen))],
        "saved_words": _saved_words(view, actor, look),
        "foot_words": "",
        "read_only": False,
    }
    context["next_inbox"] = _next_inbox(view, actor, face)
    context["results"] = results(run, look, context["result_kinds"]) if face == "ended" else []
    context |= _titles(view, look, face)
    chosen = typed.outcome if typed else None
    kept = dict(_typed_values(run, typed, screen))
    drafted = hints.marks_of(kept.pop(hints.MARKS, None))
    marks = typed.marks if typed and typed.marks else drafted
    chosen = chosen if typed else marks.outcome
    proposed = (
        hints.drawn(run, screen, look, reader=actor.id, kept=kept, chosen=chosen, marks=marks, rates=_rates(run), **_refused(run, actor))
        if face == "form"
        else hints.Drawn()
    )
    chosen = proposed.proposed if proposed.choice and proposed.choice.state == "fill" else chosen
    context |= step_context(screen, look, context["states_of"], typed={**kept, **proposed.fills}, errors=details, chosen=chosen)
    context["boxes"] = [replace(box, hint=proposed.hints.get(box.source)) for box in context["boxes"]]
    context["feedback"] = _feedback(run, actor) if proposed.strip and proposed.strip.status == READY else None
    context |= {"strip": proposed.strip, "choice": proposed.choice, "proposed_option": proposed.proposed}
    if face == "form" and screen.get("checks"):
        context["checks_url"] = frame.run_url(run["id"], "checks", item=(screen.get("progress") or {}).get("key"))
    context |= _settling(run, wrong, look)
    context["asked"] = document_requests.state(actor, run["id"]) if face == "wait" and _waits_for_documents(run) else None
    if context["asked"] is not None:
        context["asked_until"] = formats.text(Kind("until", "Until", "datetime"), context["asked"].request.until.isoformat(), look)
    context |= _beside(view, actor, look, tab, context["states_of"])
    context["said"] = f"{context['step_title']}. {context['status'].label}." if face != "ended" else context["ended_title"]
    if context["progress"] is not None and context["progress"]["title"]:
        context["said"] = f"{context['progress']['title']}. {context['progress']['done']} of {context['progress']['total']} done."
    return context


def _rates(run: Mapping[str, Any]) -> hints.Rates:
    """How often people accepted what is proposed at the open step."""
    current = run["current"] or {}
    return measure.measured(run["workflow"]["id"], current["step"]) if current.get("proposal") else {}


def _feedback(run: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """What this reader has said of the proposal so far: it stays as it was pressed, and may be said anew."""
    call = run["current"]["proposal"]["call"]
    thumb = feedback.given(actor, call)
    return {"run_id": run["id"], "call": call, "thumb": thumb, "comment": feedback.commented(actor, call) if thumb else ""}


def _refused(run: Mapping[str, Any], actor: Actor) -> dict[str, bool]:
    """Whether asking for a proposal again changes nothing yet, and whether this reader can put that right."""
    proposal = (run["current"] or {}).get("proposal")
    if proposal is None or proposal["code"] not in words.MENDED_BY_OTHERS:
        return {}
    return {"refused": standing.refused(proposal["purpose"]) is not None, "mends": access.can(actor, None, "ai", "manage")}


def _waits_for_documents(run: Mapping[str, Any]) -> bool:
    return ((run["current"] or {}).get("waiting") or {}).get("for") == "documents"


def _next_inbox(view: RunView, actor: Actor, face: str) -> inbox.Inbox | None:
    """The inbox whose next ticket is offered: the run's own, to who has done something in it and has it no longer in hand."""
    run = view.json
    if face in ("form", "settle") or run["holder"] == actor.id or not any(attempt["by"] == actor.id for attempt in run["attempts"]):
        return None
    return tickets.behind(actor, run["id"], run["workflow"]["slug"])


def mode(view: RunView) -> str:
    """Which face: form, settle, look (read-only), wait or ended."""
    run = view.json
    if run["status"] in FINAL:
        return "ended"
    current = run["current"] or {}
    if current.get("type") == "settle":
        return "settle" if "settle" in view.can else "look"
    if "complete" in view.can and view.screen is not None:
        return "form"
    return "wait" if run["status"] in ("running", "waiting_time", "waiting_event") else "look"


def step_context(
    screen: Mapping[str, Any],
    look: Look,
    states_of: Mapping[str, str],
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    answers: Mapping[str, Any] | None = None,
    chosen: str | None = None,
) -> dict[str, Any]:
    """The middle pane: text, gaps, tables, documents, boxes and choices. `states_of` names the field of a collection that is its state."""
    wrong = {str(detail.get("field")): str(detail.get("reason", "")) for detail in errors}
    belongs = panes.belonging(screen.get("outcomes", ()))
    return {
        "text": frame.markdown(screen["text"]) if screen.get("text") else None,
        "notes": screen.get("notes", ()),
        "missing": screen.get("missing", ()),
        "tables": panes.tables(screen, look, states_of),
        "documents": screen.get("documents", ()),
        "checks_url": None,
        "boxes": panes.with_words(panes.boxes(screen, look, typed=typed, errors=errors, answers=answers), belongs),
        "outcomes": screen.get("outcomes", ()),
        "not_offered": screen.get("not_offered") or (),
        "picks": _picks(screen, look, states_of),
        "progress": _progress(screen.get("progress"), look, states_of),
        "belongs": belongs,
        "outcome_error": wrong.get("outcome"),
        "chosen": chosen,
    }


def _picks(screen: Mapping[str, Any], look: Look, states_of: Mapping[str, str]) -> panes.Picks | None:
    """The records to choose from, as a table."""
    return panes.picks(screen["picks"], look, states_of) if screen.get("picks") else None


def _progress(given: Mapping[str, Any] | None, look: Look, states_of: Mapping[str, str]) -> dict[str, Any] | None:
    """The list that a step goes through: its lines, and what is known of the item at hand."""
    if given is None:
        return None
    here = next((place for place, item in enumerate(given["items"]) if item["key"] == given["key"]), None)
    return dict(given) | {
        "title": given["items"][here]["title"] if here is not None else None,
        "facts": panes.facts(given["item"], look, states_of) if given["item"] else (),
        "items": [dict(item) | {"word": _ITEM_WORDS[item["state"]], "here": item["key"] == given["key"]} for item in given["items"]],
    }


def outline(view: RunView, look: Look, *, links: bool = True) -> list[dict[str, Any]]:
    """The left pane: the path taken, the step of now, and what surely comes."""
    last = max((index for index, step in enumerate(view.steps) if step["revisable"]), default=-1)
    made = []
    number = view.earlier.counted if view.earlier else 0
    for index, step in enumerate(view.steps):
        number += step["state"] not in ("cancelled", "skipped")
        revise = (
            frame.run_url(view.json["id"], "revise", step=step["step"], attempt=step["attempt"]) if links and step["revisable"] else None
        )
        made.append(dict(step) | {
            "number": number,
            "state_word": "Handled manually" if step["handled_manually"] else _STATE_WORDS[step["state"]],
            "revise_url": revise if revise and "revise" in view.can else None,
            "last_done": index == last,
            "words": _step_words(step, look),
        })  # fmt: skip
    return made


def done_of(view: RunView) -> int:
    """How many steps are done, those too that the list leaves out."""
    return (view.earlier.done if view.earlier else 0) + sum(1 for step in view.steps if step["state"] == "done")


def _step_words(step: Mapping[str, Any], look: Look) -> str:
    parts = [str(step["type"]) if step["type"] else ""]
    if step.get("items"):
        parts.append(f"{step['items']} handed in")
    if step["state"] == "todo":
        return parts[0]
    if step.get("automatic"):
        parts.append("automatic")
    elif step["state"] == "now":
        parts.append(f"started {formats.clock(step['at'], look)}" if step["at"] else "")
    elif step["by_name"]:
        parts += [str(step["by_name"]), formats.clock(step["at"], look) if step["at"] else ""]
    if step["attempt"] and step["attempt"] > 1:
        parts.append(f"attempt {step['attempt']}")
    return ", ".join(part for part in parts if part)


def _titles(view: RunView, look: Look, face: str) -> dict[str, Any]:
    run = view.json
    current, here = run["current"] or {}, next((step for step in view.steps if step["state"] == "now"), None)
    title = "What came of the change?" if current.get("type") == "settle" else current.get("title", "")
    thing = ended_title(run) if face == "ended" else title
    decision = words_of_wait(run) if face == "wait" else None
    return {
        "step_title": title,
        "step_family": here["family"] if here else "action",
        "step_icon": here["icon"] if here else "bolt",
        "step_words": _what_it_does(view, here),
        "ended_title": ended_title(run),
        "window_title": ", ".join(part for part in (thing, run["workflow"]["title"], view.record_title) if part),
        "button": (view.screen or {}).get("button") or current.get("button") or "Done",
        "wait_words": decision[0] if decision else _wait_words(run, look),
        "wait_href": decision[1] if decision else None,
    }


def ended_title(run: Mapping[str, Any]) -> str:
    """How the run ended, in a heading; its workflow while it has not."""
    shown = _ENDED.get(run["status"], "{title}").format(title=run["workflow"]["title"])
    return f"{shown}: {run['ending']}" if run.get("ending") and run["status"] == "completed" else shown


def _what_it_does(view: RunView, here: Mapping[str, Any] | None) -> str:
    screen, kind = view.screen or {}, here["type"] if here else ""
    columns = (screen.get("record") or {}).get("values", {})
    count = sum(1 for one in screen.get("fields", ()) if not one.get("readonly") and one["name"] in columns)
    if screen.get("type") == "settle":
        return "A change was sent and the answer never came."
    if screen.get("type") == "update_data" and not count:
        return "Notes what you found; the record stays as it is."
    if screen.get("type") == "update_data" and view.record_title:
        return (
            f"Updates {count} {'field' if count == 1 else 'fields'} on {view.record_title} when you press {screen.get('button', 'Done')}."
        )
    return str(kind)


def _wait_words(run: Mapping[str, Any], look: Look) -> str:
    waiting = (run["current"] or {}).get("waiting")
    if not waiting:
        return "Working. This page follows by itself."
    if trying := runeffects.trying(run, look):
        return trying
    until = formats.full_moment(waiting["until"], look) if waiting.get("until") else "later"
    return _WAITS.get(waiting["for"], "Waiting.").format(until=until)


def _poll(view: RunView, actor: Actor) -> int | None:
    """Seconds until the page asks again: often while the engine works, seldom while somebody else does; never under a person's typing."""
    status = view.json["status"]
    if status in FINAL or (view.json["holder"] == actor.id and status == "waiting_person"):
        return None
    waiting = (view.json["current"] or {}).get("waiting") or {}
    return 1 if status == "running" or waiting.get("for") in ("effect", "retry") else 15


def _typed_values(run: Mapping[str, Any], typed: Typed | None, screen: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands in the boxes in place of what the form starts with; of a list only what was typed for the item at hand."""
    draft = (run["current"] or {}).get("draft") or {}
    kept = [dict(draft.get("values", {})), dict(typed.values if typed else {})]
    if "progress" in screen:
        key = screen["progress"]["key"]
        others = draft.get("values", {}).get("others") or {}
        kept = [dict(others.get(key, {})), *(values for values in kept if values.get("item") == key)]
    return {name: value for values in kept for name, value in values.items()}


def _saved_words(view: RunView, actor: Actor, look: Look) -> str:
    draft = (view.json["current"] or {}).get("draft")
    if not draft:
        return ""
    at = formats.clock(draft["saved_at"], look)
    return f"Draft saved {at}" if draft["by"] == actor.id else f"Draft of {view.names.get(draft['by'], 'a colleague')}, {at}"


# -- notices


def _lost(typed: Typed | None, screen: Mapping[str, Any]) -> dict[str, str]:
    """What was typed for an item of a list that is not at hand any more."""
    if typed is None or typed.item is None or "progress" not in screen or screen["progress"]["key"] == typed.item:
        return {}
    return {name: value for name, value in typed.unread.items() if name != "item"}


def _notices(
    view: RunView,
    actor: Actor,
    look: Look,
    wrong: ConsoleError | None,
    details: Sequence[Mapping[str, Any]],
    lost: Mapping[str, str] | None = None,
) -> list[Note]:
    found = [_wrong(view, wrong, details, lost), _take_over(view, look), _holder(view, actor, look), _record(view), _newer(view)]
    return [note for note in found if note is not None]


def _wrong(
    view: RunView, wrong: ConsoleError | None, details: Sequence[Mapping[str, Any]], lost: Mapping[str, str] | None = None
) -> Note | None:
    if wrong is None and not details:
        return None
    labels = {one["name"]: one["label"] for one in (view.screen or {}).get("fields", ())}
    listed = []
    for detail in details:
        name = str(detail.get("field", ""))
        target = (
            "outcome" if name == "outcome" else frame.dom_id("f", name) if name in labels else name if name in ("result", "reason") else ""
        )
        label = labels.get(name, "Your decision" if name == "outcome" else "")
        reason = str(detail.get("reason", ""))
        listed.append((target, f"{label}: {reason}" if label and not reason.startswith(label) else reason))
    head = "The change was refused. What you typed is still here."
    if wrong is not None:
        head = (
            f"Not done yet: {len(listed)} {'thing needs' if len(listed) == 1 else 'things need'} another look." if listed else wrong.message
        )
    return Note(head, tone="bad", mark="alert-triangle", alert=True, fields=listed, typed=lost or {})


def _take_over(view: RunView, look: Look) -> Note | None:
    cause = (view.json["current"] or {}).get("take_over") or (view.screen or {}).get("take_over")
    if not cause:
        return None
    again = frame.run_url(view.json["id"], "retry") if "retry" in view.can else ""
    return Note(
        "This step stopped and asks a person",
        str(cause.get("message", "")),
        "warn",
        "hand-stop",
        post=again,
        button="Retry" if again else "",
        facts=runeffects.tried(view.json, look),
    )


def _holder(view: RunView, actor: Actor, look: Look) -> Note | None:
    run = view.json
    if ticket := run.get("ticket"):
        by = view.names.get(ticket["by"] or "", "The engine")
        may = " Resume goes on with it." if "resume" in view.can else ""
        return Note(f"In the inbox “{inbox.title_of(ticket['inbox'])}”", f"{by}: “{ticket['reason']}”{may}", "warn", "inbox")
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
    long = f"At this step since {formats.clock(since, look)} ({formats.ago(since, look)})." if since else ""
    idle = " Nothing was typed for over 10 minutes." if view.holder_idle else ""
    may = " You can take over; what they typed stays with them." if "take_over" in view.can else ""
    return Note(f"{who} has this run open", f"{long}{idle}{may}".strip(), "info", "user")


def _record(view: RunView) -> Note | None:
    if view.lacking and not view.json["ended_at"]:
        return Note("You can look, but not do this step", view.lacking, "info", "lock")
    if view.down:
        return Note("The data source does not answer", f"{view.down} What is typed is kept; try again in a moment.", "warn", "database")
    if view.gone:
        return Note(
            "The record is no longer there",
            "It was deleted, or moved out of what you may see. The run can be saved or aborted.",
            "warn",
            "alert-triangle",
        )
    return None


def _newer(view: RunView) -> Note | None:
    if view.newer_version is None or view.json["status"] in FINAL:
        return None
    return Note(
        f"Version {view.newer_version} is live",
        f"This run goes on with version {view.json['version']}, with which it began.",
        "",
        "info-circle",
    )


def moved_on(view: RunView, conflict: Conflict, actor: Actor, typed: Typed | None) -> Note:
    """Why a command was refused that came from a screen of the past, and the way to the present."""
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
        words = f"{who} holds it now. What you typed is kept below." if who else conflict.message
        return replace(note, head="This run is no longer with you", text=words, mark="user")
    if conflict.code == "stale_revision":
        where = f"It now stands at “{current['title']}”" if current else f"It has ended: {frame.status_badge(run['status']).label}"
        holder = view.names.get(run["holder"] or "", "") if run["holder"] != actor.id else ""
        return replace(note, head="This run moved on", text=f"{where}{f', with {holder}' if holder else ''}. What you typed is kept below.")
    return replace(
        note,
        head="Not done",
        text=conflict.message,
        mark="alert-triangle",
        fields=[("", str(one.get("reason", ""))) for one in conflict.details],
    )


def assigning(view: RunView, people: Sequence[Candidate], sent: Mapping[str, str]) -> dict[str, Any]:
    """What the dialog shows that asks to whom the run goes."""
    run = view.json
    about = f"{run['workflow']['title']} of {view.record_title}" if view.record_title else run["workflow"]["title"]
    return {
        "head": f"Assign {about}",
        "crumbs": [(frame.run_url(run["id"]), run["workflow"]["title"])],
        "action": frame.run_url(run["id"], "assign"),
        "back": frame.run_url(run["id"]),
        "hidden": [("revision", run["revision"])],
        "people": people,
        "q": sent.get("q", ""),
        "reason": sent.get("reason", ""),
        "chosen": sent.get("user", ""),
        "target": "#run",
    }


def preview(shown: Preview) -> dict[str, Any]:
    """What revising a step would do, with names in place of ids."""
    cancels = [
        dict(one) | {"by_name": shown.names.get(one["by"], "a former colleague") if one.get("by") else "automatic"}
        for one in shown.json["cancels"]
    ]
    return {"preview": dict(shown.json) | {"cancels": cancels}, "preview_title": shown.title}


# -- the rest


def _settling(run: Mapping[str, Any], wrong: ConsoleError | None, look: Look) -> dict[str, Any]:
    effect = (run["current"] or {}).get("effect")
    return {
        "effect": effect,
        "facts": runeffects.facts(effect, look),
        "settle_errors": {str(detail.get("field")): detail.get("reason") for detail in wrong.details} if wrong else {},
        "typed_result": request.form.get("result", ""),
        "typed_reason": request.form.get("reason", ""),
    }


def results(run: Mapping[str, Any], look: Look, kinds: Mapping[str, formats.Kind]) -> list[panes.Line]:
    """What the last output step named as the result, as far as there is something; what is named as a field of the record reads like it."""
    outputs = [attempt for attempt in run["attempts"] if attempt["type"] == "output" and attempt["status"] == "done"]
    shown = run["context"].get(outputs[-1]["step"], {}) if outputs else {}
    named_so = [(kinds.get(name) or formats.Kind(name, name.replace("_", " ").capitalize()), value) for name, value in shown.items()]
    there = [(what, value) for what, value in named_so if what.name != "missing" and value not in (None, "", [])]
    return [panes.Line(what.label, formats.html(what, value, look)) for what, value in there]


def _beside(view: RunView, actor: Actor, look: Look, tab: str, states_of: Mapping[str, str]) -> dict[str, Any]:
    """The right pane: the record as it was shown with the step, what is related to it, what happened to it."""
    record = (view.screen or {}).get("record")
    quoted = _quoted(view, actor, look, states_of)
    chosen = "source" if quoted and tab != "documents" else tab
    if chosen not in ((*TABS, "source") if record else ("documents", "context", "source")):
        chosen = "record" if record else "documents"
    if not record:
        return _without_record(view, actor, look, chosen, tab) | {"quoted": quoted}
    key, collection = record["key"], record["collection"]
    beside = documents_pane(view, actor, always=True) or {} if chosen == "documents" else {}
    tabs = _tabs(view, chosen)
    return beside | {
        "quoted": quoted,
        "known": contextpane.known(view, actor, look) if chosen == "context" else None,
        "pane": True,
        "record": record,
        "record_kind": view.collection_label,
        "context_tabs": tabs,
        "context_tab": chosen,
        "sections": panes.sections(record, look, state=states_of.get(collection)) if chosen == "record" else [],
        "related": related(actor, view.json["id"], collection, key, look) if chosen == "related" else [],
        "activity": activity.on_record(actor, collection, key, limit=15).rows if chosen == "activity" else [],
    }


TABS = {"documents": "Documents", "related": "Related", "context": "Context", "activity": "Activity"}
"""Tabs beside the record's own, by their names in addresses."""


def _tabs(view: RunView, chosen: str, names: Sequence[str] = ("record", *TABS)) -> list[dict[str, Any]]:
    words = {"record": "Record", **TABS}
    made = [(name, words[name], None if name == "record" else name) for name in names]
    return [{"label": label, "href": frame.run_url(view.json["id"], tab=to), "here": chosen == name} for name, label, to in made]


def _without_record(view: RunView, actor: Actor, look: Look, chosen: str, tab: str) -> dict[str, Any]:
    """The right pane of a run without a record: its documents where there are some, its context, a source."""
    shown = documents_pane(view, actor, always=tab == "documents") if chosen == "documents" else None
    chosen = "context" if shown is None and chosen == "documents" and view.json["context"] else chosen
    tabs = _tabs(view, chosen, ("documents", "context")) if view.json["context"] else []
    common = {"record": None, "context_tabs": tabs, "context_tab": chosen, "sections": [], "pane": shown is not None or bool(tabs)}
    return common | (shown or {}) | {"known": contextpane.known(view, actor, look) if chosen == "context" else None}


def _quoted(view: RunView, actor: Actor, look: Look, states_of: Mapping[str, str]) -> contextpane.Quoted | None:
    """The source that the address names, as it is shown at the right; that it was opened is noted."""
    found = contextpane.asked_for(view, request.args, actor.id)
    if found is None:
        return None
    if not found[0].get("document"):  # the page of a document is noted by what shows it
        contextpane.opened(actor, view, found[0])
    return contextpane.quoted(view, actor, look, *found, states_of)


def documents_pane(view: RunView, actor: Actor, *, always: bool) -> dict[str, Any] | None:
    """The documents of a run and the one that is open; None where there are none, unless it is shown `always`."""
    run = view.json
    listed = documents.beside(actor, run["id"], run["collection"], run["record"]) if always or files.sent(actor, run["id"]) else []
    if not listed and not always:
        return None
    ref = request.args.get("doc")
    shown = None
    if ref:
        document, pages, why = files.look(ref)
        document = next((one for one in listed if one.ref == ref), document)

        def to(**changed: Any) -> str:
            told = {name: request.args.get(name) for name in ("page", "zoom", "turn", "box", "item")} | changed
            return frame.run_url(run["id"], tab="documents", doc=ref, **told)

        shown = files.viewer(document, pages, why, to, run["id"])
    item = request.args.get("item")
    return {"listed": [(one, frame.run_url(run["id"], tab="documents", doc=one.ref, item=item)) for one in listed], "shown": shown}


def related(actor: Actor, run_id: str, collection: str, key: str, look: Look) -> list[panes.Table]:
    """The first few records of the relations that lead to many, as far as the reader may follow them."""
    found = [one for one in browse.describe(actor, collection)["relations"] if one["kind"] == "to_many"]
    runs.source_opened(actor, run_id, source="related", collection=collection, key=key)
    return [panes.related(browse.related(actor, collection, key, one["name"], RELATED_ROWS), look) for one in found[:MOST_RELATED]]
