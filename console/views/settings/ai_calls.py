"""Settings, AI: the log of calls to models, for auditors. The filters are in the address; prompts have an address of their own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from console import workflows
from console.ai.proposals import audit, call_log
from console.ai.proposals.call_log import Call
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Malformed
from console.core.plain_words import uncapitalised
from console.views import formats, frame
from console.views.forms import Cell, Column, Field, Form, Group, Table
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("ai_calls", __name__, url_prefix="/settings/ai/calls")

PAGE_SIZE = 50
NAME = "ai/calls"
FILTERS = ("workflow", "step", "status", "code", "model", "mode", "person", "run")
Known = Mapping[str, tuple[str, Mapping[str, str]]]
"""Workflow → its title and its steps with AI."""
COLUMNS = (
    "When",
    "Step",
    "For",
    Column("Model", "mono"),
    "Came to",
    Column("Took", "r num"),
    Column("Cost", "r num"),
)
LABELS = {
    "workflow": "Workflow",
    "step": "Step",
    "status": "Came to",
    "code": "Because",
    "model": "Model",
    "mode": "Mode",
    "person": "For",
    "run": "Run",
}
STATUSES = {
    "pending": Badge("Under way", "info", "loader-2"),
    "ok": Badge("Proposed", "good", "check"),
    "declined": Badge("Declined", "", "minus"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "off": Badge("Not asked", "", "ban"),
}
CODES = {
    "no_key": "No provider is set up",
    "timeout": "No answer in time",
    "rate_limited": "Too many requests there",
    "overloaded": "Provider out of order",
    "auth": "Key not taken",
    "billing": "Not paid there",
    "bad_request": "Question not taken",
    "model_not_found": "Model not known there",
    "refused": "Model refused",
    "truncated": "Answer cut off",
    "malformed": "Answer unreadable",
    "not_in_form": "Answer did not fit",
    "nothing_supported": "Nothing was supported",
    "budget": "Budget used up",
    "breaker": "Left alone for a minute",
    "connection": "No connection",
    "internal_error": "Our own fault",
}
MODES = {
    "shadow": "Shadow: not shown",
    "assist": "Shown",
    "blind": "Blind sample: not shown",
    "auto": "By itself",
    "second": "A second look",
}
OUTCOMES = {
    "accepted": Badge("Accepted", "good", "check"),
    "small_edit": Badge("Slightly changed", "info", "pencil"),
    "edited": Badge("Changed", "warn", "pencil"),
    "cleared": Badge("Emptied", "warn", "eraser"),
    "ignored": Badge("Not used", "", "hand-stop"),
    "blind_equal": Badge("Same, unseen", "good", "check"),
    "blind_different": Badge("Different, unseen", "warn", "git-compare"),
}
DROPPED = {
    "not_allowed": "It is no field of this step",
    "duplicate": "It was proposed twice",
    "wrong_type": "It is of another type",
    "not_in_choices": "It is none of the choices",
    "out_of_range": "It is out of range",
    "too_long": "It is too long",
    "no_source": "No source was cited",
    "unknown_source": "The source that was cited is none that was given",
    "untrusted_source": "It has to stand in something that staff or code wrote",
    "not_in_source": "It does not stand in the source that was cited",
    "low_confidence": "The confidence was too low",
}
LEVELS = {"high": Badge("High", "good"), "medium": Badge("Medium", "info"), "low": Badge("Low", "warn")}
GONE = {
    "none": "Nobody was asked for this: no words went out.",
    "expired": "The words are gone: they were kept for as long as the settings say. Counts, hashes and what became of each value stay.",
    "gone": "The words are gone: what was held about the person was erased, or they were never kept.",
}


@blueprint.get("")
def show() -> Response:
    """Show the list, newest first."""
    actor = frame.actor()
    given = {name: request.args[name].strip() for name in FILTERS if request.args.get(name, "").strip()}
    after, wrong = request.args.get("after") or None, ""
    try:
        calls, following = call_log.find(actor, given, limit=PAGE_SIZE, after=after)
    except Malformed as error:
        wrong, given, after = error.message, {}, None
        calls, following = call_log.find(actor, given, limit=PAGE_SIZE)
    known = _known(actor)
    people = accounts.names(
        {call.person for call in calls if call.person} | {given["person"]}
        if "person" in given
        else {call.person for call in calls if call.person}
    )
    context = {
        "calls": Table("Calls, newest first", COLUMNS, [_cells(call, known, people) for call in calls]),
        "chips": frame.filter_chips(
            {name: f"{LABELS[name]}: {_spoken(name, value, known, people)}" for name, value in given.items()}
        ),
        "form": _filter_form(given, known),
        **frame.page_places(following, after),
        "wrong": wrong,
    }
    return area.page(
        "settings/ai_calls.html", NAME, context, blocks={"calls": "calls"}, status=400 if wrong else 200
    )


def _cells(call: Call, known: Known, people: Mapping[str, str]) -> list[Any]:
    notes = [words.replace("_", " ") for words in (call.code, ", ".join(call.flags)) if words]
    if call.mode in ("shadow", "blind"):
        notes.append(MODES[call.mode])
    return [
        Cell(formats.when(call.at, frame.look()), f"/settings/ai/calls/{call.id}"),
        Cell(_step(known, call), note=known.get(call.workflow or "", ("", {}))[0]),
        people.get(call.person, "A former colleague") if call.person else "The engine",
        call.model,
        Cell(badge=STATUSES[call.status], note=" · ".join(notes)),
        f"{call.ms:,} ms" if call.ms is not None else "",
        "" if call.cost is None else f"{call.cost:.4f}" if call.cost else "0",
    ]


def _filter_form(given: Mapping[str, str], known: Known) -> Form:
    steps = {
        (step, label)
        for ident, (_, named) in known.items()
        for step, label in named.items()
        if given.get("workflow") in (None, ident)
    }
    everybody = sorted(
        ((person.id, person.name) for person in accounts.people()), key=lambda pair: pair[1].casefold()
    )
    statuses = [(name, status.label) for name, status in STATUSES.items()]
    items = [
        _select(
            "workflow",
            "Any",
            sorted(((ident, title) for ident, (title, _) in known.items()), key=lambda pair: pair[1]),
        ),
        _select("step", "Any", sorted(steps)),
        Group([_select("status", "Anything", statuses), _select("code", "Anything", CODES.items())]),
        _select("mode", "Any", MODES.items()),
        _select("person", "Anybody", everybody),
        Field("model", LABELS["model"]),
        Field("run", LABELS["run"], placeholder="run_…"),
    ]
    clear = "/settings/ai/calls"
    return Form(
        items,
        given,
        "Show",
        action=clear,
        method="get",
        css="sheet",
        cancel=clear,
        cancel_label="Clear",
        prefix="of-",
    )


def _select(name: str, blank: str, choices: Iterable[tuple[str, str]]) -> Field:
    return Field(name, LABELS[name], "select", choices=[("", blank), *choices])


@blueprint.get("/<call_id>")
def show_call(call_id: str) -> Response:
    """Show everything about a call except its prompt and answer."""
    return _call_page(audit.call(frame.actor(), call_id))


@blueprint.get("/<call_id>/words")
def words(call_id: str) -> Response:
    """Show the prompt and the answer; viewing them is an event."""
    actor = frame.actor()
    call = audit.call(actor, call_id)
    _, spoken, state = audit.words(actor, call_id)
    answer = _call_page(call, spoken, GONE.get(state, ""))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _call_page(audited: audit.Audited, spoken: Mapping[str, Any] | None = None, gone: str = "") -> Response:
    call = audited.call
    context = {
        "found": audited,
        "call": call,
        "people": accounts.names({name for name in (call.person, call.submitted_by) if name}),
        "facts": _facts(call),
        "rows": Table(
            "Fields",
            ("Field", "Proposed", "Submitted", "Came to"),
            [_field_cells(row) for row in audited.fields],
        ),
        "status": STATUSES[call.status],
        "modes": MODES,
        "told": spoken,
        "told_schema": _text(spoken.get("schema")) if spoken else "",
        "gone": gone,
        "gone_words": GONE,
        "may_house": access.can(frame.actor(), None, "ai", "manage"),
    }
    return area.page("settings/ai_call.html", NAME, context, heading=audited.step or "Call")


def _field_cells(row: audit.Compared) -> list[Any]:
    outcome = Cell(badge=OUTCOMES.get(row.field.outcome or ""))
    if dropped := row.field.dropped:
        return [
            row.label,
            f"Dropped: {uncapitalised(DROPPED.get(dropped, dropped))}",
            _text(row.submitted),
            outcome,
        ]
    sources = [
        f"{source['title']}{'' if source['trusted'] else ' (written by others)'}" for source in row.sources
    ]
    note = Markup("<br>").join(text for text in (row.reason, *sources) if text)
    proposed = Cell(_text(row.proposed) or "–", badge=LEVELS.get(row.field.confidence or ""), note=note)
    return [row.label, proposed, _text(row.submitted), outcome]


def _facts(call: Call) -> Sequence[tuple[str, str]]:
    """Return how the call was made and what it used."""
    tokens = [
        (words, count)
        for words, count in (
            ("sent", call.input_tokens),
            ("from the provider's cache", call.cached_tokens),
            ("answered", call.output_tokens),
        )
        if count is not None
    ]
    lines: list[tuple[str, Any]] = [
        ("Provider", call.provider),
        ("Model", call.model),
        ("Purpose", call.purpose),
        ("Version of the prompt", call.prompt_version),
        ("Form asked for as", (call.schema_mode or "").replace("_", " ")),
        ("From the console's cache", "Yes, nobody was asked again" if call.from_cache else None),
        ("Took", None if call.ms is None else f"{call.ms:,} ms"),
        ("Tokens", ", ".join(f"{count:,} {words}" for words, count in tokens)),
        (
            "Cost",
            None if call.cost is None else f"{call.cost.normalize():f} by the prices {call.price_version}",
        ),
        ("Flags", ", ".join(flag.replace("_", " ") for flag in call.flags)),
        ("Request at the provider", call.request_id),
        ("SHA-256 of the prompt", call.prompt_sha256),
        ("Sources opened before", call.opened),
        ("Submitted after", None if call.seconds is None else f"{call.seconds.normalize():f} s"),
    ]
    return [(label, f"{value}") for label, value in lines if value not in (None, "")]


def _known(actor: Actor) -> Known:
    """Return the workflows that this reader may know of: id → (title, steps with AI)."""
    made: dict[str, tuple[str, Mapping[str, str]]] = {}
    for known in workflows.all_known():
        if not access.exists_for(actor, f"workflow:{known.slug}"):
            continue
        steps = workflows.version(known.id, known.live).document.steps if known.live else []
        made[known.id] = (known.title, {step.id: step.title for step in steps if step.ai is not None})
    return made


def _step(known: Known, call: Call) -> str:
    return known.get(call.workflow or "", ("", {}))[1].get(call.step or "", call.step or "")


def _spoken(name: str, value: str, known: Known, people: Mapping[str, str]) -> str:
    """Return the value of a filter in words."""
    match name:
        case "workflow":
            return known.get(value, (value, {}))[0]
        case "person":
            return people.get(value, value)
        case "status":
            return STATUSES[value].label
        case "mode":
            return MODES.get(value, value)
        case "code":
            return CODES.get(value, value)
    return value


def _text(value: Any) -> str:
    """Return any value as text; None is the empty text."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return (
        formats.text(formats.Kind("value", "Value", "boolean"), value, frame.look())
        if isinstance(value, bool)
        else f"{value}"
    )
