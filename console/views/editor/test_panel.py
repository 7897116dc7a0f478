"""`/workflows/<slug>/test`: a dry run of the draft, answered step by step on the page; what was chosen travels in the form, and nothing is kept here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse, log, records, runs, workflows
from console.auth import access
from console.authoring import diagrams
from console.core.drafting import SetDocument
from console.core.errors import ConsoleError, Invalid, SourceDown
from console.core.run.simulation import Question, Simulated
from console.messaging.messages import contact_trials
from console.messaging.messages.delivery_gate import DeliveryGate
from console.runs.simulation import test_results, workflow_trials
from console.views import frame, refusals
from console.views.browse import reference_boxes
from console.views.editor import trial_words
from console.views.editor.new import start_fields
from console.views.frame import Badge
from console.views.runs import form_boxes
from console.views.workflows import tabs
from console.views.workflows.tabs import Section, may_edit
from console.workflows import Definition, Draft, ResultOfTest

blueprint = Blueprint("workflow_test", __name__, url_prefix="/workflows")
tabs.register(Section("Editor", 30, "test", "Test", "/test", may_edit))

INPUT, ANSWER = "input.", "answer."
MOST_STATE = 256 * 1024
STATES = {
    "done": Badge("Passed", "good", "check"),
    "now": Badge("Stops here", "info", "player-play"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "missed": Badge("Not passed"),
}
ASKS = {
    "form": "What does the person answer here?",
    "approval": "Others have to approve. What do they say?",
    "question": "Others are asked. What do they answer?",
    "task": "The run waits for the task. What comes of it?",
    "documents": "The run waits for documents. Do they come?",
    "event": "The run waits for something to happen.",
    "model": "A model is asked here. What does it answer?",
    "unknown": "Nobody can tell whether the change was made: in a real run a person has to find out. Choose another ending below to go on.",
    "stuck": "The run cannot go on here.",
}


@dataclass
class State:
    """What the tester chose so far: it travels in the form."""

    record: str | None
    given: dict[str, Any]
    answers: dict[str, list[dict[str, Any]]]
    effects: dict[str, str]
    order: list[tuple[str, int]]

    def to_json(self) -> str:
        """The choices as the hidden part of the form."""
        return json.dumps({"answers": self.answers, "effects": self.effects, "order": self.order})

    def answered(self) -> dict[str, Any]:
        """The answers in the shape of a kept test: an object for a step that is answered once."""
        return {step: each[0] if len(each) == 1 else each for step, each in self.answers.items()}

    def endings(self) -> dict[str, dict[str, Any]]:
        """The endings that differ from the usual ones, in the shape of a kept test."""
        return {step: _ending(chosen) for step, chosen in self.effects.items() if chosen != "succeeded"}


def _ending(chosen: str) -> dict[str, Any]:
    """The ending as a kept test has it: of a message also the way that it takes."""
    if chosen.startswith(trial_words.WAY):
        return {"outcome": "succeeded", "result": {"outcome": chosen.removeprefix(trial_words.WAY)}}
    return {"outcome": "succeeded" if chosen == trial_words.HAPPENS else chosen}


@blueprint.route("/<slug>/test", methods=["GET", "POST"])
def test(slug: str) -> Response:
    """Show the panel; a POST goes on with what was chosen: `do` is run, look (no new answer), back, again, keep, tests or execute."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    try:
        definition = workflow_trials.definition_to_try(actor, slug)
    except ConsoleError as wrong:
        if wrong.code != "definition":
            raise
        return _page(draft, None, State(None, {}, {}, {}, []), wrong=wrong)
    if request.method != "POST":
        return _page(draft, definition, State(request.args.get("record"), {}, {}, {}, []))
    if "remove" in request.form:
        return _remove(draft, definition, request.form["remove"])
    state, doing = _state(), request.form.get("do", "run")
    if doing == "execute":
        return _execute(draft, definition, state)
    if doing == "tests":
        results = test_results.results_of_tests(actor, draft.slug, draft.id, definition.document)
        return _page(draft, definition, state, results=results)
    if doing == "again":
        state = State(state.record, state.given, {}, {}, [])
    if doing == "back" and state.order:
        step, number = state.order.pop()
        state.answers[step] = state.answers[step][: number - 1]
        state.answers = {name: each for name, each in state.answers.items() if each}
    before = json.loads(state.to_json())
    typed = _take_answer(state) if doing == "run" else None
    try:
        found = _tried(draft, state)
    except (Invalid, ConsoleError) as wrong:
        if isinstance(wrong, SourceDown) or wrong.status not in (404, 409, 422):
            raise
        return _page(draft, definition, state, wrong=wrong)
    if found.question is not None and found.question.refused and typed is not None:
        state.answers, state.order = before["answers"], [(step, number) for step, number in before["order"]]
    if doing == "keep":
        return _keep(draft, definition, state, found)
    return _page(draft, definition, state, found=found, typed=typed)


@blueprint.get("/<slug>/test/past")
def past(slug: str) -> Response:
    """Show which of the newest completed runs would go another way by the draft; nothing is written."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    found: Sequence[runs.Redecided] = ()
    following, wrong = None, None
    try:
        found, following = runs.redecide(actor, slug, after=request.args.get("after") or None)
    except ConsoleError as error:
        if error.code != "definition":
            raise
        wrong = error
    context = tabs.context(tabs.known_of(draft.slug), "test") | {
        "draft": draft,
        "title": draft.document.get("title") or draft.slug,
        "found": found,
        "wrong": wrong,
        "differing": sum(each.differs for each in found),
        "address": tabs.address,
        "older": tabs.address(draft.slug, "/test/past", after=following) if following else None,
    }
    return frame.page("editor/past.html", context)


@blueprint.get("/<slug>/test/contacts")
def contacts(slug: str) -> Response:
    """Show what the draft's messages would come to now for the first contacts of a segment; nothing is written or sent."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    found: contact_trials.ContactTrial | None = None
    wrong: ConsoleError | None = None
    segments: list[Any] = []
    chosen = request.args.get("segment", "")
    try:
        document = workflow_trials.definition_to_try(actor, slug).document
        if document.collection is not None:
            segments = list(browse.describe(actor, document.collection)["segments"])
        found = contact_trials.try_contacts(actor, document, browse.BrowseQuery(segment=chosen or None))
    except ConsoleError as error:
        if error.code != "definition" and error.status not in (400, 404, 422, 503):
            raise
        wrong = error
    context = tabs.context(tabs.known_of(draft.slug), "test") | {
        "draft": draft,
        "title": draft.document.get("title") or draft.slug,
        "found": found,
        "wrong": wrong,
        "segments": segments,
        "chosen": chosen,
    }
    return frame.page("editor/contacts.html", context, error=wrong)


def _tried(draft: Draft, state: State) -> Simulated:
    actor = frame.actor()
    gate = DeliveryGate(actor, str(draft.document.get("title") or draft.slug), draft.id)
    return runs.try_workflow(
        actor,
        draft.slug,
        record=state.record,
        given=state.given,
        answers=state.answers,
        effects=state.endings(),
        gate=gate,
    )


def _state() -> State:
    """What the form says was chosen. Raises Invalid for a form that was not ours."""
    form, text = request.form, request.form.get("kept", "{}")
    try:
        kept: dict[str, Any] = json.loads(text) if len(text) <= MOST_STATE else {}
        answers = {
            str(step): [dict(each) for each in given] for step, given in kept.get("answers", {}).items()
        }
        order = [(str(step), int(number)) for step, number in kept.get("order", [])]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Invalid("What was chosen cannot be read. Begin again.") from None
    values = form_boxes.read_form(form, frame.look())
    given = {
        name.removeprefix(INPUT): value
        for name, value in values.items()
        if name.startswith(INPUT) and value is not None
    }
    effects = {name.removeprefix("effect."): form[name] for name in form if name.startswith("effect.")}
    return State(values.get("record") or None, log.body.canonical_value(given), answers, effects, order)


def _take_answer(state: State) -> dict[str, Any] | None:
    """Add what was answered at the step that the form is about; the typed values, None where the form asks for nothing."""
    form = request.form
    step, number, kind = form.get("asked", ""), form.get("attempt", 1, int), form.get("kind", "")
    if not step:
        return None
    values = form_boxes.read_form(form, frame.look())
    typed = {name.removeprefix(ANSWER): value for name, value in values.items() if name.startswith(ANSWER)}
    given = state.answers.setdefault(step, [])
    answer = dict(given[number - 1]) if len(given) >= number else {}
    outcome = form.get("outcome")
    if kind == "approval" and outcome in ("approved", "rejected"):
        answer["approval"] = outcome
    elif outcome:
        answer["outcome"] = outcome
    if typed or kind in ("form", "model"):
        answer["values"] = log.body.canonical_value(
            {name: value for name, value in typed.items() if value is not None}
        )
    state.answers[step] = [*given[: number - 1], *({} for _ in range(number - 1 - len(given))), answer]
    state.order = [*(each for each in state.order if each != (step, number)), (step, number)]
    return typed


def _execute(draft: Draft, definition: Definition, state: State) -> Response:
    """Start a real run of the draft, marked as a test, once the tester has said that they know what it does."""
    try:
        if request.form.get("sure") != "yes":
            raise Invalid(
                "Say that you know that it writes and sends.",
                at="sure",
            )
        revision = request.form.get("revision", draft.revision, int)
        run_id = runs.execute_draft(frame.actor(), draft.slug, state.record, state.given, revision=revision)
    except ConsoleError as wrong:
        if isinstance(wrong, SourceDown) or wrong.status not in (403, 404, 409, 422):
            raise
        return _page(draft, definition, state, wrong=wrong)
    return frame.redirect_to(frame.run_url(run_id))


def _keep(draft: Draft, definition: Definition, state: State, found: Simulated) -> Response:
    """Keep the dry run with the draft as a test that expects what came of it."""
    name = request.form.get("name", "").strip()
    kept = [test.to_json() for test in definition.document.tests]
    if not name or len(name) > 200 or name in {test["name"] for test in kept}:
        reason = "Give it a name that no other test has." if name else "Give the test a name."
        wrong = Invalid(reason, at="name")
        return _page(draft, definition, state, found=found, wrong=wrong)
    expect: dict[str, Any] = {"path": [each.step for each in found.path]}
    expect |= {"outcome": found.outcome} if found.outcome is not None else {"status": found.status}
    expect["effects"] = [{"step": each.step, "summary": each.summary} for each in found.would_send]
    effects = _as_judged(found) | state.endings()
    test: dict[str, Any] = (
        {"name": name}
        | ({"record": state.record} if state.record else {})
        | ({"input": state.given} if state.given else {})
    )
    test |= (
        ({"answers": state.answered()} if state.answers else {})
        | ({"effects": effects} if effects else {})
        | {"expect": expect}
    )
    workflows.edit(
        frame.actor(),
        draft.slug,
        draft.revision,
        [SetDocument(field="tests", value=[*kept, log.body.canonical_value(test)])],
    )
    flash(f"Kept as the test “{name}”. It is run before the workflow is published.")
    return frame.redirect_to(f"/workflows/{draft.slug}/test")


def _as_judged(found: Simulated) -> dict[str, Any]:
    """The endings of messages that may not leave, as a kept test has them: it holds whatever becomes of the contact's consent."""
    judged: dict[str, list[dict[str, Any]]] = {}
    for each in found.would_send:
        if each.deliveries:
            told = each.deliveries[-1]
            result = {} if told.leaves else {"result": {"outcome": told.status, "reason": told.reason}}
            judged.setdefault(each.step, []).append({"outcome": "succeeded", **result})
    return {
        step: endings[0] if len(endings) == 1 else endings
        for step, endings in judged.items()
        if any("result" in each for each in endings)
    }


def _remove(draft: Draft, definition: Definition, name: str) -> Response:
    """Take a kept test out of the draft."""
    kept = [test.to_json() for test in definition.document.tests if test.name != name]
    change = SetDocument(field="tests", value=kept) if kept else SetDocument(field="tests")
    workflows.edit(frame.actor(), draft.slug, draft.revision, [change])
    flash(f"Removed the test “{name}”. Undo in the editor brings it back.")
    return frame.redirect_to(f"/workflows/{draft.slug}/test")


# ---------------------------------------------------------------------------------------------------------------- the page


def _page(
    draft: Draft,
    definition: Definition | None,
    state: State,
    *,
    found: Simulated | None = None,
    typed: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
    results: Sequence[ResultOfTest] = (),
) -> Response:
    document = workflows.readable(draft.document)
    picture = diagrams.picture_of(document, workflows.connected() or {})
    words = (
        trial_words.TrialWords.of(definition.document, found, frame.actor())
        if definition is not None and found is not None
        else None
    )
    states = _states(found)
    nodes = [
        replace(
            node,
            state=states.get(node.id, "missed") if found is not None else "",
            ways=[
                replace(way, taken=found is not None and (node.id, way.to) in _taken(found))
                for way in node.ways
            ],
        )
        for node in picture.nodes
    ]
    question = found.question if found is not None else None
    details = [dict(each) for each in wrong.details] if wrong is not None else []
    context: dict[str, Any] = tabs.context(tabs.known_of(draft.slug), "test") | {
        "draft": draft,
        "title": draft.document.get("title") or draft.slug,
        "nodes": nodes,
        "groups": picture.groups,
        "state_badge": (lambda node: STATES[node.state]) if found is not None else None,
        "target": lambda node: f"#step-{node.id}",
        "address": tabs.address,
        "tried": found,
        "state": state.to_json(),
        "question": question,
        "question_text": frame.prose(question.text, frame.look()) if question and question.text else "",
        "asks": ASKS.get(question.kind, "") if question else "",
        "boxes": _start_boxes(definition, state, details) if definition is not None else [],
        "answer_boxes": _answer_boxes(question, typed) if question is not None else [],
        "outcomes": question.outcomes if question is not None else (),
        "chosen": request.form.get("outcome", "") if question is not None and question.refused else "",
        "told": _question_lines(question),
        "path": [words.passed(each) for each in found.path]
        if words is not None and found is not None
        else [],
        "sent": words.sent(found.would_send, state.effects)
        if words is not None and found is not None
        else [],
        "waited": trial_words.waited(found, state.effects) if found is not None else [],
        "ended": trial_words.ended(found) if found is not None else "",
        "wrong": wrong,
        "reasons": [str(each.get("reason", "")) for each in details],
        "results": results,
        "tests": definition.document.tests if definition is not None else [],
        "answered": bool(state.order),
        "name": request.form.get("name", ""),
        "to_contacts": definition is not None and contact_trials.has_messages(document),
        "executes": _may_execute(draft),
        "second": workflows.needs_second_person(workflows.entry(frame.actor(), draft.id), document.team),
    }
    return frame.page(
        "editor/test.html",
        context,
        status=wrong.status if wrong is not None and request.method == "POST" else 200,
    )


def _may_execute(draft: Draft) -> bool:
    named = (draft.team or None, f"workflow:{draft.slug}")
    return all(access.can(frame.actor(), *named, act) for act in ("start", "publish"))


def _states(found: Simulated | None) -> dict[str, str]:
    """Step → its state in the picture."""
    states: dict[str, str] = {}
    for each in found.path if found is not None else ():
        states[each.step] = {"done": "done", "failed": "failed"}.get(each.status, "now")
    return states


def _taken(found: Simulated) -> set[tuple[str, str]]:
    path = [each.step for each in found.path]
    return set(pairwise(path))


def _start_boxes(
    definition: Definition, state: State, details: Sequence[Mapping[str, Any]]
) -> list[form_boxes.Box]:
    """The record and the input of the run."""
    fields: list[dict[str, Any]] = []
    if definition.document.collection is not None:
        label = records.collection(definition.document.collection).label_one
        known = {
            "name": "record",
            "label": label,
            "type": "text",
            "required": True,
            "references": definition.document.collection,
        }
        fields.append(known | {"value": state.record})
    fields += [{**each, "name": f"{INPUT}{each['name']}"} for each in start_fields(definition.document)]
    typed = {f"{INPUT}{name}": value for name, value in state.given.items()}
    return form_boxes.boxes(
        {"fields": fields}, reference_boxes.look_for(fields, typed), typed=typed, errors=details
    )


def _answer_boxes(question: Question, typed: Mapping[str, Any] | None) -> list[form_boxes.Box]:
    fields = [{**each, "name": f"{ANSWER}{each['name']}"} for each in question.fields]
    errors = (
        [{**each, "field": f"{ANSWER}{each.get('field', '')}"} for each in question.errors]
        if question.refused
        else []
    )
    given = {f"{ANSWER}{name}": value for name, value in (typed or {}).items()} if question.refused else None
    return form_boxes.boxes({"fields": fields}, frame.look(), typed=given, errors=errors)


def _question_lines(question: Question | None) -> list[str]:
    """What stands above the question: why the run stops, and what the step did not take."""
    if question is None:
        return []
    labels = {str(each["name"]): str(each.get("label", "")) for each in question.fields}
    own = (
        [line for _, line in refusals.lines(question.errors, labels)]
        if question.refused or question.answered
        else []
    )
    return list(dict.fromkeys(own)) or ([question.why] if question.why else [])
