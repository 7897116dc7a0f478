"""Enrolling people in a workflow, following it, and who is where in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request

from console import browse, formats, workflows
from console.auth import access
from console.automation import enrolments, triggers as automation
from console.automation.enrolments import Batch, Counts, Lead, Question, Target
from console.core.actor import Actor
from console.core.documents.fields import OWN_INPUT, fields_with_values
from console.core.errors import Invalid, Malformed, NotFound
from console.core.plain_words import uncapitalised
from console.infra import jobs
from console.messaging import messages
from console.messaging.imports import contact_files
from console.messaging.imports.encodings import ENCODINGS
from console.views import frame, refusals
from console.views.browse import reference_boxes
from console.views.forms import Field, Form
from console.views.frame import Badge
from console.views.runs import form_boxes, step_values, workspace_return
from console.views.runs.wait_words import waits_shortly
from console.views.start_words import unable_words
from console.views.workflows import tabs
from console.workflows import Known

blueprint = Blueprint("enrolled", __name__)

PREFIX = "enrol:"
MATCH = "match"
COLUMN = "c."
STATES = {
    "waiting": Badge("Queued", "", "clock"),
    "active": Badge("Started", "info", "player-play"),
    "paused": Badge("Paused", "", "player-pause"),
    "left": Badge("Exited", "", "check"),
    "refused": Badge("Could not begin", "bad", "alert-triangle"),
}
ENDINGS = {
    "completed": Badge("Went through", "", "flag"),
    "exited": Badge("Exit", "", "logout"),
    "unenrolled": Badge("Taken out", "", "x"),
    "record_gone": Badge("Record gone", "", "x"),
    "erased": Badge("Erased", "", "x"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "timed_out": Badge("Timed out", "bad", "alert-triangle"),
    "cancelled": Badge("Cancelled", "", "x"),
    "aborted": Badge("Aborted", "", "x"),
}
WAYS_IN = {
    "by_hand": "chosen by hand",
    "segment": "a segment",
    "filter": "a filtered list",
    "csv": "a file",
    "rows": "a program",
    "api": "a program",
    "mcp": "an assistant",
    "event": "an event",
    "schedule": "a schedule",
    "webhook": "a webhook",
    "workflow": "a step of another workflow",
}
BATCH_WORDS = {"running": "under way", "done": "finished", "cancelled": "stopped", "failed": "broken off"}
CHANNEL_WORDS = {
    "email": "E-mail",
    "sms": "SMS",
    "call": "Calls",
    "ai_call": "Calls by an AI",
    "chat": "Chat",
}
ANSWERS = {"already_enrolled": Badge("In already", ""), "refused": Badge("Left out", "warn")}


def _number(actor: Actor, known: Known) -> int:
    """Return how many are in the workflow now."""
    return enrolments.counts_for(actor, known.id, known.collection).enrolled


tabs.register(tabs.Section("Executions", 20, "enrolled", "Enrolled", "/enrolled", count=_number))


def wanted_version() -> int | None:
    """Return the version whose people are meant; None for every version. Raises Malformed."""
    version = request.values.get("version", "")
    if version and not (version.isascii() and version.isdigit() and len(version) < 9):
        raise Malformed("There is no such version.", at=("version", "A number."))
    return int(version) if version else None


@blueprint.get("/workflows/<slug>/enrolled")
def listed(slug: str) -> Response:
    """Show who is in the workflow, narrowed by step, status and version."""
    target = enrolments.require_target(frame.actor(), slug)
    args = request.args
    page = enrolments.places.page(
        frame.actor(),
        target,
        status=args.get("status") or None,
        step=args.get("step") or None,
        version=wanted_version(),
        after=args.get("after") or None,
    )
    counts = enrolments.counts_for(frame.actor(), target.id, target.collection)
    context = {
        "target": target,
        "counts": counts,
        "rows": [
            (lead, _badge(lead, target), lead_url(target, lead.id), _way_in(lead, target))
            for lead in page.rows
        ],
        "waits": waits_shortly(
            [lead.run for lead in page.rows if lead.run and lead.status == "active"], frame.look()
        ),
        "full": enrolments.full_until(target) if counts.waiting and target.open else None,
        "held_up": enrolments.held_up(target) if counts.waiting and target.open else "",
        "ends": {lead.id: _end(lead) for lead in page.rows if lead.left_at},
        "unsent": messages.unsent([lead.run for lead in page.rows if lead.run and lead.left_at]),
        **frame.page_places(page.next, args.get("after")),
        "steps": _titles(target),
        "chosen": {name: args.get(name, "") for name in ("status", "step", "version")},
        "narrowed": any(args.get(name) for name in ("status", "step", "version")),
        "states": _states(counts),
        "ways_in": WAYS_IN,
        "may_enrol": target.collection is not None
        and access.can(frame.actor(), target.team or None, f"workflow:{target.slug}", "start"),
        "older": sum(
            n
            for version, n in counts.versions.items()
            if target.number is not None and version < target.number
        ),
        "may_move": access.can(frame.actor(), target.team or None, f"workflow:{target.slug}", "publish"),
        "take_out": _take_out_url(target, counts) if page.rows else None,
        "batches": enrolments.batches.newest(frame.actor(), target, most=3),
        "batch_words": BATCH_WORDS,
        "address": workflow_url(target.slug),
    }
    return frame.page(
        "enrolments/enrolled.html", context | tabs.context(tabs.known_of(target.slug), "enrolled")
    )


@blueprint.route("/workflows/<slug>/enrolled/<lead_id>", methods=["GET", "POST"])
def lead(slug: str, lead_id: str) -> Response:
    """Show one of them with the path taken; a POST takes them out."""
    who = frame.actor()
    target = enrolments.require_target(who, slug)
    form = Form(
        [Field("reason", "Why", required=True, max_length=2000)],
        submit="Take out",
        title="Take out",
        intro="The run ends at once, and what is pending is done no more. Nothing that was sent is taken back.",
        tone="danger",
        css="card pad form",
    )

    def take_out(sent: dict[str, Any]) -> Response:
        enrolments.unenrol(who, slug, lead_id, sent["reason"])
        return frame.redirect_to(lead_url(target, lead_id))

    if answer := form.submit_to(take_out):
        return answer
    one = enrolments.places.lead(who, target, lead_id)
    context = {
        "target": target,
        "lead": one,
        "badge_now": _badge(one, target),
        "waits": waits_shortly([one.run], frame.look()).get(one.run)
        if one.run and one.status == "active"
        else None,
        "steps": _titles(target),
        "outcome_of": _outcomes(target, one.version),
        "labels": {entry.name: entry.label or entry.name for entry in target.fields},
        "way_in": _way_in(one, target),
        "may_take_out": one.left_at is None
        and access.can(who, target.team or None, f"workflow:{target.slug}", "cancel"),
        "form": form,
        "unable": unable_words(target.id),
        "address": workflow_url(target.slug),
    }
    return frame.page("enrolments/lead.html", context, error=form.error)


@blueprint.route("/workflows/<slug>/enrol", methods=["GET", "POST"])
def enrol(slug: str) -> Response:
    """Ask whom to enrol, or with records chosen in a list what is the same for them. A POST shows what would become of each."""
    target = enrolments.require_target(frame.actor(), slug, "start")
    typed = form_boxes.read_form(request.form, frame.look()) if request.method == "POST" else {}
    if request.method != "POST":
        return _form(target, typed)
    try:
        enrolments.targets.require_open(target)
        question = _question(target, {name: value for name, value in typed.items() if value is not None})
        batch = enrolments.batches.begin(frame.actor(), slug, question, preview=True)
    except Invalid as wrong:
        return _form(target, typed, wrong=wrong)
    return frame.redirect_to(batch_url(batch.id))


@blueprint.route("/enrolments/<batch_id>", methods=["GET", "POST"])
def follow(batch_id: str) -> Response:
    """Show how far it is, or what a preview found; a POST stops it, begins it, or reads the file's columns as something else."""
    who = frame.actor()
    found = enrolments.batches.get(who, batch_id)
    if (begun := enrolments.batches.begun_from(found)) is not None:
        return frame.redirect_to(batch_url(begun.id))  # a preview is begun once
    wrong = ""
    if request.method == "POST":
        try:
            return frame.redirect_to(batch_url(_done(found, request.form.get("do", "")).id))
        except Invalid as invalid:
            wrong = refusals.first_reason(invalid)
    if (
        answer := frame.poll_answer(found, reload=True)
    ) is not None:  # who is left out, and why, stands below what is followed
        return answer
    return frame.page(
        "enrolments/batch.html",
        _progress(found, wrong),
        blocks={"*": "progress"},
        status=422 if wrong else 200,
    )


def _done(found: Batch, what: str) -> Batch:
    """Do what the button of the page says; return the batch to show next."""
    who = frame.actor()
    if what == "stop":
        return enrolments.batches.cancel(who, found.id)
    if what == "resume":
        return enrolments.batches.resume(who, found.id)
    if what == "columns":
        columns = {
            name.removeprefix(COLUMN): value
            for name, value in request.form.items()
            if name.startswith(COLUMN) and value
        }
        question = enrolments.batches.with_columns(
            found.question,
            columns,
            match=request.form.get(MATCH) or None,
            encoding=request.form.get("encoding"),
            first_line=request.form.get("first_line"),
        )
        enrolments.batches.cancel(who, found.id)
        return enrolments.batches.begin(who, found.workflow, question, preview=True)
    return enrolments.batches.confirmed(who, found.id)


def _question(target: Target, values: Mapping[str, Any]) -> Question:
    """Return whom the form names. Raises Invalid."""
    form = request.form
    if sent := request.files.get("file"):
        return enrolments.batches.question_of_file(frame.actor(), target, sent.stream, values)
    if "file" in request.files or form.get("way") == "file":
        raise Invalid(
            "No file was chosen.", at=("file", "Choose a CSV file or a workbook from your computer.")
        )
    if form.getlist("key") and not form.get("all"):
        return Question(keys=form.getlist("key"), values=values)
    if form.get("all") and not (form.get("segment") or form.get("filter") or form.get("q")):
        return Question(whole=True, values=values)
    segment, where, words = (form.get(name) or None for name in ("segment", "filter", "q"))
    extended, inside = (form.get(name) == "1" for name in ("extended", "inside"))
    return Question(segment=segment, filter=where, q=words, extended=extended, inside=inside, values=values)


def _form(target: Target, typed: Mapping[str, Any], *, wrong: Invalid | None = None) -> Response:
    """Return the page that asks whom, with what was typed."""
    given = request.values
    details = (
        [{**each, "field": str(each["field"]).removeprefix("values.")} for each in wrong.details]
        if wrong
        else []
    )
    roots: dict[str, Any] = {
        "record": None,
        "related": {},
        "variables": {},
        "currentUser": frame.actor().attributes,
        OWN_INPUT: {},
    }
    fields = [
        field.to_json()
        for field in fields_with_values(
            [e for e in target.fields if not e.readonly], roots | {"now": frame.look().now}, {}, OWN_INPUT
        )
    ]
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    described = browse.describe(frame.actor(), target.collection) if target.collection else None
    chosen = given.getlist("key")
    titles = _chosen_titles(target, chosen[:SHOWN])
    way = workspace_return.titled(workspace_return.came_from())
    kept = {name: given[name] for name in ("segment", "filter", "q", "extended", "inside") if name in given}
    context = {
        "target": target,
        "described": described,
        "chosen": chosen,
        "titles": titles,
        "kept": [
            *kept.items(),
            *([("all", given["all"])] if given.get("all") else []),
            *([(workspace_return.FROM, way[1])] if way else []),
        ],
        "from_list": bool(chosen or given.get("all")),
        "whole": bool(given.get("all")),
        "boxes": form_boxes.boxes(
            {"fields": fields},
            reference_boxes.look_for(fields, typed),
            typed=dict(typed) or None,
            errors=details,
        ),
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines([each for each in details if each["field"] in labels], labels),
        "told": [str(each["reason"]) for each in details if each["field"] not in labels],
        "again": automation.again_words(target.document) if target.document is not None else "",
        "exits": [automation.exit_words(one, target.collection) for one in target.exits],
        "address": workflow_url(target.slug),
        "back": way[1]
        if way
        else frame.collection_url(target.collection, **kept)
        if target.collection
        else workflow_url(target.slug),
        "enrol_url": enrol_url(target.slug),
        "unable": unable_words(target.id),
    }
    return frame.page("enrolments/enrol.html", context, status=422 if wrong else 200)


SHOWN = 8


def _chosen_titles(target: Target, keys: Sequence[str]) -> list[str]:
    if target.collection is None or not keys:
        return []
    found = browse.titles(
        frame.actor(), target.collection, keys, access.scope_for(frame.actor(), target.collection, "read")
    )
    return [found[key] for key in keys if key in found]


def _progress(found: Batch, wrong: str = "") -> dict[str, Any]:
    who = frame.actor()
    target = enrolments.require_target(who, found.workflow, "start")
    answers, more = enrolments.batches.answers(
        who, found.id, limit=100, after=request.args.get("after", type=int)
    )
    return {
        "batch": found,
        "target": target,
        "paused": jobs.paused(),
        "causes": [
            (ANSWERS[status], reason, count) for status, reason, count in enrolments.batches.causes(found)
        ],
        "rows": [(row, ANSWERS[row.status]) for row in answers],
        "more": frame.present_address(after=more) if more else None,
        "of_file": found.origin in ("csv", "rows"),
        "mapping": _mapping(found, target) if found.preview and found.question.file is not None else None,
        "wrong": wrong,
        "exits": list(found.exits.items()) if found.preview else (),
        "reach": found.reach if found.preview and found.reach.looked else None,
        "channel_words": CHANNEL_WORDS,
        "consent_words": _consent_words(target),
        "words": BATCH_WORDS[found.status],
        "url": batch_url(found.id),
        "unable": unable_words(target.id),
        "address": workflow_url(target.slug),
    }


def _consent_words(target: Target) -> str:
    """Return where consent is kept, for whoever wonders why there is none."""
    collection = browse.describe(frame.actor(), target.collection) if target.collection else None
    if collection is None:
        return ""
    label, one = collection["label"], str(collection["label_one"]).casefold()
    if not enrolments.targets.keeps_consent(target):
        return f"{label} say nowhere who agreed to be written to or called."
    return f"Consent stands on the page of each {one}; Import brings it in by columns such as “SMS consent”."


def _take_out_url(target: Target, counts: Counts) -> str | None:
    """Return where those of the list are taken out together; None where nobody of them is in it, or the reader may not."""
    narrowed = {
        name: value for name in ("status", "step", "version") if (value := request.args.get(name, ""))
    }
    may = access.can(frame.actor(), target.team or None, f"workflow:{target.slug}", "cancel")
    if not may or not counts.enrolled or narrowed.get("status", "active") not in enrolments.HERE:
        return None
    return f"{workflow_url(target.slug)}/take-out" + (f"?{urlencode(narrowed)}" if narrowed else "")


def _mapping(found: Batch, target: Target) -> dict[str, Any]:
    """Return what each column of the file is read as, with its first cells."""
    file = found.question.file
    if file is None:
        raise NotFound
    try:
        headings, lines = contact_files.sample(file, found.person)
    except (Invalid, OSError):
        return {"columns": []}
    choices = enrolments.whom_to_enrol.choices(frame.actor(), target)
    described = browse.describe(frame.actor(), target.collection) if target.collection else None
    known = {name for name, _ in choices}
    extra = [(name, name) for name in found.question.columns.values() if name not in known]
    return {
        "columns": [
            (
                f"{COLUMN}{number}",
                f"Column “{heading}” is" if heading else f"Column {number + 1}, which has no name, is",
                [line[number] for line in lines if number < len(line) and line[number]],
                found.question.columns.get(str(number), ""),
            )
            for number, heading in enumerate(headings)
        ],
        "choices": [*choices, *extra],
        "matches": choices if target.collection else [],
        "match": found.question.match or "",
        "one": uncapitalised(str(described["label_one"])) if described else "",
        "encodings": list(ENCODINGS.items()),
        "encoding": file.encoding,
        "first_lines": contact_files.first_lines(file),
        "remarks": file.remarks,
    }


def workflow_url(slug: str) -> str:
    """Return the address of the workflow's page."""
    return f"/workflows/{quote(slug, safe='')}"


def enrol_url(slug: str, keys: Sequence[str] = ()) -> str:
    """Return the address at which people are enrolled, or these records."""
    chosen = "&".join(f"key={quote(key, safe='')}" for key in keys)
    return f"{workflow_url(slug)}/enrol" + (f"?{chosen}" if chosen else "")


@dataclass(frozen=True, slots=True)
class Way:
    """What a list offers for the chosen records."""

    id: str
    title: str


def offered(actor: Actor, collection_id: str) -> list[Way]:
    """Return the workflows in which the reader may enrol records of the collection: those whose runs nobody holds."""
    return [
        Way(PREFIX + definition.slug, f"Enrol in {definition.title}")
        for definition in workflows.startable(actor, collection_id, "list")
        if definition.document.run_as is not None
    ]


def slug_of(action: str | None) -> str | None:
    """Return the slug of the workflow in which the chosen records are to be enrolled; None for another action."""
    return action.removeprefix(PREFIX) if action is not None and action.startswith(PREFIX) else None


def chosen_in_list(slug: str) -> Response:
    """Show the form for the records that were chosen in a list."""
    return _form(enrolments.require_target(frame.actor(), slug, "start"), {})


def lead_url(target: Target, lead_id: str) -> str:
    """Return the address of one who is enrolled."""
    return f"{workflow_url(target.slug)}/enrolled/{quote(lead_id, safe='')}"


def batch_url(batch_id: str) -> str:
    """Return the address of a batch."""
    return f"/enrolments/{quote(batch_id, safe='')}"


def _titles(target: Target) -> dict[str, str]:
    return {} if target.document is None else target.document.step_names


def _outcomes(target: Target, version: int | None) -> Callable[[str, str | None], str]:
    """Return what tells the outcome of a step in words."""
    described = step_values.of_version(target.id, version) if version is not None else {}
    return lambda step, outcome: described.get(step, step_values.NOTHING).outcome(outcome)


def _end(lead: Lead) -> str:
    """Return how it ended for somebody who has left: the end that the run came to, else why they left, unless their state says it."""
    if lead.ending == "completed" and lead.outcome:
        return formats.label_of(lead.outcome)
    why, state = (lead.reason or "").removeprefix("exited: "), ENDINGS.get(lead.ending or "")
    return "" if state is not None and why.casefold() == state.label.casefold() else why


def _way_in(lead: Lead, target: Target) -> str:
    """Return how somebody came in; by a trigger, what it waits for in words, where it is there still."""
    triggers = target.document.triggers if target.document is not None else ()
    named = [
        uncapitalised(each.title or automation.trigger_words(each))
        for each in triggers
        if each.id == lead.trigger
    ]
    way = WAYS_IN.get(lead.origin, lead.origin)
    return f"{way}: {named[0]}" if named else way


def _badge(lead: Lead, target: Target) -> Badge:
    """Return the state of a lead in a word."""
    if lead.status == "left":
        return ENDINGS.get(
            lead.ending or "", Badge((lead.ending or "left").replace("_", " ").capitalize(), "", "check")
        )
    if target.status == "paused" and lead.status in enrolments.HERE:
        return STATES["paused"]
    return STATES[lead.status]


def _states(counts: Counts) -> list[dict[str, Any]]:
    """Return the states with their numbers, as links."""
    chosen_status = request.args.get("status", "")
    listing = [
        ("", "Active", counts.enrolled),
        ("waiting", "Queued", counts.waiting),
        ("active", "Started", counts.active),
    ]
    listing += [("left", "Exited", counts.left)]
    if counts.refused:
        listing.append(("refused", "Could not begin", counts.refused))
    return [
        {
            "label": label,
            "count": count,
            "href": frame.present_address(status=status or None, after=None),
            "here": status == chosen_status,
        }
        for status, label, count in listing
    ]
