"""`/workflows/<slug>/executions`: the runs of a workflow, filtered in the address; and the journal of one, from which it is done again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request

from console import formats, runs, workflows
from console.auth import access
from console.automation import enrolments, triggers
from console.core.documents.fields import OWN_INPUT, fields_with_values
from console.core.errors import ConsoleError, Malformed, NotFound
from console.core.plain_words import uncapitalised
from console.core.policy import rules
from console.formats.sentences import cause_words
from console.messaging import messages
from console.messaging.messages import message_reasons
from console.monitoring import incidents
from console.runs.views import lists, run_filters
from console.views import frame, refusals
from console.views.browse import reference_boxes
from console.views.runs import form_boxes, sources, step_values, steps_pane
from console.views.runs.wait_words import waits_shortly
from console.views.workflows import due_time, tabs
from console.views.workflows.tabs import Section
from console.workflows import Known

blueprint = Blueprint("workflow_executions", __name__)

PAGE = 50
TRIGGER_WORDS: Mapping[str, str] = {
    "record": "From a record",
    "manual": "Manual",
    "api": "API",
    "report": "A report",
    "schedule": "Schedule",
    "event": "Event",
    "webhook": "Webhook",
    "mcp": "Assistant",
    "enrolment": "Enrolment",
    "workflow": "Another workflow",
}
STATUS_ORDER = (
    *("running", "waiting_person", "waiting_time", "waiting_event", "saved"),
    *("completed", "failed", "timed_out", "aborted", "cancelled"),
)
_WORDS = {
    "waiting_person": "With a person",
    "waiting_time": "Waiting for a time",
    "waiting_event": "Waiting for an event",
}

_at = datetime.fromisoformat

tabs.register(Section("Executions", 10, "executions", "Runs", "/executions"))


@blueprint.get("/workflows/<slug>/executions")
def listed(slug: str) -> Response:
    """Show the runs, newest first. `status`, `trigger`, `version`, `from`, `to`, `ended_from`, `ended_to` (days or moments), `id`, `live`, `test` and `error` filter them; all are in the address."""
    known = tabs.known_of(slug)
    given = {
        name: value.strip()
        for name in (
            "status",
            "trigger",
            "version",
            *("from", "to", "ended_from", "ended_to"),
            "id",
            "live",
            "error",
            "test",
        )
        if (value := request.args.get(name, ""))
    }
    wrong = None
    heads: list[runs.RunHead] = []
    following = None
    try:
        heads, following = runs.find(
            frame.actor(), _filters(known, given), limit=PAGE, after=request.args.get("after")
        )
    except Malformed as error:
        wrong = error
    look = frame.look()
    context = tabs.context(known, "executions") | {
        "rows": [
            {
                "head": head,
                "status": frame.status_badge(
                    head.status,
                    head.holder,
                    frame.actor().id,
                    {head.holder or "": head.holder_name},
                    ticket=bool(head.ticket),
                ),
                "end": (head.reason or formats.label_of((head.ending or "").removeprefix("completed")))
                if head.status == "completed"
                else "",
                "took": formats.span(((head.ended_at or look.now) - head.created_at).total_seconds(), look),
                "trigger": TRIGGER_WORDS.get(head.trigger, head.trigger),
            }
            for head in heads
        ],
        "starter_head": "Runs as"
        if heads and all(head.mode == "hands_off" for head in heads)
        else "Started by",
        "waits": waits_shortly(
            [
                head.id
                for head in heads
                if head.live and (head.mode == "hands_off" or head.status not in ("saved", "waiting_person"))
            ],
            look,
        ),
        "settled": incidents.settled([head.id for head in heads if head.status in ("failed", "timed_out")]),
        "unsent": messages.unsent([head.id for head in heads if not head.live]),
        "following": frame.present_address(after=following) if following else None,
        "given": given,
        "filtered": bool(given),
        "periods": [] if wrong else _periods(given),
        "wrong": wrong,
        "several": " or ".join(
            status_words(one) for one in given.get("status", "").split(",") if one in STATUS_ORDER
        ),
        "statuses": [(status, status_words(status)) for status in STATUS_ORDER],
        "triggers": _triggers(known, given.get("trigger", "")),
        "versions": range(known.live or 0, 0, -1)[:50],
        "address": tabs.address,
    }
    return frame.page("workflows/executions.html", context, error=wrong)


def _triggers(known: Known, chosen: str) -> list[tuple[str, str]]:
    """The kinds of triggers to choose from, and the one trigger that an address names."""
    kinds = [(name, TRIGGER_WORDS[name]) for name in run_filters.TRIGGERS]
    if not chosen or chosen in run_filters.TRIGGERS:
        return kinds
    document = enrolments.find(known.slug).document
    named = [
        one.title or triggers.trigger_words(one)
        for one in (document.triggers if document else ())
        if one.id == chosen
    ]
    return [*kinds, (chosen, named[0] if named else f"{chosen} (no trigger of this workflow)")]


@blueprint.get("/workflows/<slug>/executions/<run_id>")
def journal(slug: str, run_id: str) -> Response:
    """Show one run as a journal: each attempt at a step with what it was given, what came of it, and its error."""
    known = tabs.known_of(slug)
    return frame.page("workflows/journal.html", _journal(known, run_id))


@blueprint.route("/workflows/<slug>/executions/<run_id>/retry", methods=["GET", "POST"])
def retry(slug: str, run_id: str) -> Response:
    """Ask where the run is to begin and with which version; a POST does it again, as a new run."""
    known, who = tabs.known_of(slug), frame.actor()
    view = _view(known, run_id)
    access.require(who, view.json["team"] or None, f"{workflows.OBJECT}:{known.slug}", "start")
    if request.method != "POST":
        return _dialog(known, view)
    form = request.form
    origin = incidents.checked_origin(form.get("from", "start"))
    version = incidents.checked_version(form.get("version", "live"))
    try:
        made = enrolments.rerun(
            who,
            run_id,
            origin=origin,
            version=version,
            given=_input(known, view) if origin == "start" else None,
        )
    except NotFound:
        raise
    except ConsoleError as wrong:
        return _dialog(known, view, wrong)
    flash("Started again, as a new run")
    return frame.redirect_to(tabs.address(known.slug, f"/executions/{made}"))


def status_words(status: str) -> str:
    """Return a status of a run for a filter."""
    return _WORDS.get(status, frame.status_badge(status).label)


def _filters(known: Known, given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of `runs.find`: days become moments of the reader's zone. Raises Malformed for what is no day."""
    found = {name: value for name, value in given.items() if not name.endswith(("from", "to"))} | {
        "workflow": known.id
    }
    if not given.keys() & {"id", "error"}:  # whoever looks for an error finds the item of a loop that failed
        found["parts"] = "0"
    for name, filter_name, later in (
        ("from", "started.gte", 0),
        ("to", "started.lt", 1),
        ("ended_from", "ended.gte", 0),
        ("ended_to", "ended.lt", 1),
    ):
        if (moment := frame.midnight(given, name, later=later)) is not None:
            found[filter_name] = moment.isoformat()
    return found


def _periods(given: Mapping[str, str]) -> list[str]:
    """Return the times that no field of the form shows, in words: moments, and when runs ended."""
    look, found = frame.look(), list[str]()
    for what, first, last in (("Started", "from", "to"), ("Ended", "ended_from", "ended_to")):
        bounds = [(word, frame.midnight(given, name)) for word, name in (("from", first), ("to", last))]
        if what == "Ended" or any("T" in given.get(name, "") for name in (first, last)):
            said = [f"{word} {formats.clock(at, look)}" for word, at in bounds if at is not None]
            found += [f"{what} {' '.join(said)}."] if said else []
    return found


def _view(known: Known, run_id: str) -> runs.RunView:
    view = runs.get(frame.actor(), run_id, shown=False)
    if view.json["workflow"]["id"] != known.id:
        raise NotFound
    return view


def _journal(known: Known, run_id: str) -> dict[str, Any]:
    view, look = _view(known, run_id), frame.look()
    run = view.json
    described = step_values.of_version(known.id, run["version"])
    loaded = {
        step.step: [(value.label, value.shown) for value in step.values]
        for step in sources.known_values(view, frame.actor(), look).steps
    }
    last = {entry["step"]: number for number, entry in enumerate(run["attempts"])}
    failed = run["status"] in ("failed", "timed_out")
    entries = []
    failed_later = messages.failed_afterwards(frame.actor(), run_id)
    late = {
        str(event.open.get("effect")): str(event.open.get("result")) for event in runs.late_reports(run_id)
    }
    for number, attempt in enumerate(run["attempts"]):
        own = described.get(attempt["step"], step_values.NOTHING)
        later = next((line for line in failed_later if _asked_by(line, attempt)), None)
        given = _pairs(own, attempt["values"], look)
        came = (
            loaded.get(attempt["step"], [])
            if last[attempt["step"]] == number and attempt["status"] in ("done", "failed")
            else []
        )
        entries.append(
            {
                "attempt": attempt,
                "badge": _FAILED_LATER if later else _badge(attempt, run["context"]),
                "took": formats.span(
                    (_at(attempt["completed_at"]) - _at(attempt["entered_at"])).total_seconds(), look
                )
                if attempt["completed_at"]
                else "",
                "by": view.names.get(attempt["by"] or "", ""),
                "outcome": own.outcome(attempt["outcome"]) if attempt["status"] != "cancelled" else "",
                "effects": [
                    (each["summary"], _effect_words(each, late, ended=bool(run["ended_at"])))
                    for each in attempt["effects"]
                ],
                "input": given,
                "output": [pair for pair in came if pair not in given],
                "error": run["reason"] if failed and number == len(run["attempts"]) - 1 else None,
                "later": later,
                "later_words": message_reasons.FAILED_LATER[later.message.channel] if later else "",
                "open": later is not None
                or attempt["status"] == "failed"
                or (failed and number == len(run["attempts"]) - 1),
            }
        )
    document = workflows.version(known.id, run["version"]).document
    started = _at(run["created_at"])
    ended = _at(run["ended_at"]) if run["ended_at"] else None
    return tabs.context(known, "executions") | {
        "run": run,
        "record_title": view.record_title,
        "item": head.item if (head := lists.head(frame.actor(), run_id)) is not None else None,
        "status": frame.status_badge(
            run["status"], run["holder"], frame.actor().id, view.names, ticket=bool(run.get("ticket"))
        ),
        "asks": None if ended else (run["current"] or {}).get("take_over"),
        "entries": entries,
        "started": started,
        "ended": ended,
        "took": formats.span(((ended or look.now) - started).total_seconds(), look),
        "trigger": _trigger_words(run["trigger"], document),
        "causes": [(cause_words(cause, view.names), cause["run"]) for cause in run["caused_by"]],
        "ended_by": view.ended_by,
        "ended_because": view.ended_because,
        "starter": view.names.get(run["started_by"], ""),
        "by_itself": document.run_as is not None,
        "variables": [
            (formats.label_of(name), formats.html(formats.undescribed(name, value), value, look))
            for name, value in _variables(document)
        ],
        "again": runs.find(frame.actor(), {"rerun_of": run["id"]}, limit=AGAIN)[0],
        "due": due_time.clock(known, run["id"]),
        "may_cancel": "cancel" in view.can,
        "may_retry": ended is not None
        and access.can(frame.actor(), run["team"] or None, f"{workflows.OBJECT}:{known.slug}", "start"),
        "address": tabs.address,
    }


EFFECT_WORDS = {
    "requested": "under way",
    "succeeded": "done",
    "failed": "not done",
    "unknown": "nobody knows whether it was done",
}


def _effect_words(effect: Mapping[str, Any], late: Mapping[str, str], *, ended: bool) -> str:
    """Return what became of a change, also where that was found out after the run had ended."""
    if effect["status"] != "requested" or not ended:
        return EFFECT_WORDS[effect["status"]]
    heard = EFFECT_WORDS.get(late.get(effect["id"], ""))
    return (
        f"{heard}, as was found out after the run had ended"
        if heard
        else "was under way when the run ended; what came of it is not known yet"
    )


AGAIN = 5
"""So many of the runs that did a run again are named."""

_ATTEMPT = {
    "done": frame.Badge("Done", "good", "check"),
    "open": frame.Badge("Here now", "info", "player-play"),
    "performing": frame.Badge("Under way", "info", "player-play"),
    "cancelled": frame.Badge("Cancelled", "", "ban"),
    "skipped": frame.Badge("Skipped", "", "circle-dashed"),
    "failed": frame.Badge("Failed", "bad", "alert-triangle"),
}


_FAILED_LATER = frame.Badge("Failed afterwards", "bad", "alert-triangle")


def _asked_by(line: messages.Line, attempt: Mapping[str, Any]) -> bool:
    """Whether this attempt at a step asked for the message."""
    until = attempt["completed_at"]
    asked, message = line.message.asked_at, line.message
    entered = datetime.fromisoformat(attempt["entered_at"])
    return (
        message.step == attempt["step"]
        and entered <= asked
        and (until is None or asked <= datetime.fromisoformat(until))
    )


def _badge(attempt: Mapping[str, Any], context: Mapping[str, Any]) -> frame.Badge:
    left = context.get(attempt["step"], {}) if attempt["status"] == "done" else {}
    failed, total = steps_pane.failed_items(left)
    if failed:
        words = steps_pane.failed_words(left)
        return frame.Badge(
            words[0].upper() + words[1:], "bad" if failed == total else "warn", "alert-triangle"
        )
    return _ATTEMPT.get(attempt["status"], frame.Badge(attempt["status"].capitalize()))


def _trigger_words(given: Mapping[str, Any], document: Any) -> str:
    """What began the run: the kind, and which of the triggers in words, as far as the version has it."""
    kind = TRIGGER_WORDS.get(given["kind"], given["kind"])
    named = [
        uncapitalised(each.title or triggers.trigger_words(each))
        for each in document.triggers
        if each.id == given.get("id")
    ]
    return f"{kind}: {named[0]}" if named else kind


def _pairs(
    own: step_values.Described, values: Mapping[str, Any], look: formats.Look
) -> list[tuple[str, Any]]:
    kinds = [
        (own.kinds.get(name) or formats.undescribed(name, value), value)
        for name, value in values.items()
        if name not in own.technical
    ]
    return [
        (what.label or formats.label_of(what.name), formats.html(what, value, look)) for what, value in kinds
    ]


def _variables(document: Any) -> list[tuple[str, Any]]:
    """Return the variables of the version; of one that changes on given days the whole list."""
    plain = document.to_json().get("variables") or {}
    return [
        (name, value["dated"] if isinstance(value, Mapping) and "dated" in value else value)
        for name, value in sorted(plain.items())
    ]


def _input(known: Known, view: runs.RunView) -> dict[str, Any] | None:
    """Return the input as the form gives it; None where the start asks for nothing."""
    fields = _fields(known, view)
    if not fields:
        return None
    typed = form_boxes.read_form(request.form, frame.look())
    return {
        name: value
        for name, value in typed.items()
        if value is not None and name in {field["name"] for field in fields}
    }


def _fields(known: Known, view: runs.RunView) -> list[dict[str, Any]]:
    """Return the fields of the start step in the version that runs start with, filled with the input of the run."""
    document = workflows.version(known.id, known.live or view.json["version"]).document
    now = frame.look().now
    roots = {
        "record": {},
        "currentUser": frame.actor().attributes,
        "now": now,
        **rules(document, now).roots,
        "steps": {},
        OWN_INPUT: {},
    }
    given = view.json["attempts"][0]["values"] if view.json["attempts"] else {}
    return [
        field.to_json() | {"value": given.get(field.name)}
        for field in fields_with_values(document.start_fields, roots, {}, OWN_INPUT)
    ]


def _dialog(known: Known, view: runs.RunView, wrong: ConsoleError | None = None) -> Response:
    run = view.json
    completed = run["status"] == "completed"
    details = refusals.plain_details(wrong)
    fields = _fields(known, view)
    typed = form_boxes.read_form(request.form, frame.look()) if request.method == "POST" else None
    context = {
        "known": known,
        "run": run,
        "record_title": view.record_title,
        "boxes": form_boxes.boxes(
            {"fields": fields}, reference_boxes.look_for(fields, typed), typed=typed, errors=details
        ),
        "origin": request.form.get("from", "start" if completed or len(run["attempts"]) == 1 else "failure"),
        "version": request.form.get("version", "live"),
        "completed": completed,
        "again": runs.find(frame.actor(), {"rerun_of": run["id"]}, limit=AGAIN)[0],
        "acts": incidents.acted([run["id"]]),
        "error": refusals.head(wrong, {str(field["name"]): str(field["label"]) for field in fields}) or None,
        "listing": tabs.address(known.slug, "/executions"),
        "action": tabs.address(known.slug, f"/executions/{run['id']}/retry"),
        "back": tabs.address(known.slug, f"/executions/{run['id']}"),
    }
    return frame.page("workflows/retry.html", context, blocks={"*": "dialog"}, error=wrong)
