"""Proposals of a run: the page asks whether one has come, a person takes, leaves or asks for one anew.

With script the page does all this by itself; each answer here is what a browser without script gets for the same button.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import runs
from console.errors import Conflict, NotFound
from console.runs import RunView
from console.views import frame
from console.views.run import page, proposal, runner, source_links
from console.views.run.notices import Typed
from console.views.run.proposal import Drawn, Hint, Marks

blueprint = Blueprint("proposing", __name__, url_prefix="/runs")

MOST_CALL = 64


@blueprint.get("/<run_id>/proposal")
def arrived(run_id: str) -> Response:
    """204 while it is still to come; then what of the page belongs to it. Without htmx the page of the run."""
    actor, call, n = frame.actor(), request.args.get("call", "")[:MOST_CALL], request.args.get("n", 0, type=int)
    if frame.wants_fragment() and runs.proposal_pending(actor, run_id, min(n, 1_000_000), call):
        return make_response("", 204)
    view = runs.get(actor, run_id, request.args.get("item"))
    if not frame.wants_fragment():
        return runner.drawn(view)
    same = n == len(view.json["attempts"]) + view.json["left_out"] and page.mode(view) == "form"
    return _part("runner/arrived.html", view) if same else make_response("", 200)  # the page that asks is of the past


@blueprint.post("/<run_id>/propose")
def propose(run_id: str) -> Response:
    """Ask for a proposal once more."""
    typed = runner.typed_form()
    try:
        runs.propose_again(frame.actor(), run_id, revision=typed.revision, item=typed.item)
    except Conflict as conflict:
        return runner.conflicted(run_id, conflict, typed)
    if not frame.wants_fragment():
        return frame.moved(frame.run_url(run_id))
    return _part("runner/proposal.html", runs.get(frame.actor(), run_id, typed.item))


@blueprint.post("/<run_id>/suggestion")
def suggestion(run_id: str) -> Response:
    """Take or leave what is proposed, or do the step by hand: kept as a draft, and shown."""
    typed = runner.typed_form()
    do, _, name = request.form.get("do", "").partition(":")
    view = runs.get(frame.actor(), run_id, typed.item)
    if do not in DOES:
        raise NotFound
    try:
        if page.mode(view) == "form":
            runner.drafted(run_id, done(do, name, typed, view))
    except Conflict as conflict:
        return runner.conflicted(run_id, conflict, typed)
    return frame.moved(frame.run_url(run_id, item=typed.item))


# -- what a button does to what is typed


def done(do: str, name: str, typed: Typed, view: RunView) -> Typed:
    """What the form holds once the button was pressed."""
    screen, marks = view.screen or {}, typed.marks or Marks()
    there = proposal.drawn(view.json, screen, frame.look(), reader=frame.actor().id, kept=typed.values, chosen=typed.outcome, marks=marks)
    proposed = {one["name"]: one["value"] for one in (view.json["current"]["proposal"] or {"fields": ()})["fields"]}
    starts = {one["name"]: one.get("value") for one in screen.get("fields", ())}
    known = _Form(dict(typed.values), dict(marks.fields), typed.outcome, proposed, starts, there)
    made = DOES[do](known, name, marks)
    return replace(typed, values=known.values, outcome=known.outcome, marks=replace(made, fields=known.marks, outcome=known.outcome))


class _Form:
    """The values and marks of a form, and what may be put into it."""

    def __init__(
        self,
        values: dict[str, Any],
        marks: dict[str, str],
        outcome: str | None,
        proposed: Mapping[str, Any],
        starts: Mapping[str, Any],
        there: Drawn,
    ) -> None:
        self.values, self.marks, self.outcome, self.proposed, self.starts, self.there = values, marks, outcome, proposed, starts, there

    @property
    def every(self) -> list[Hint]:
        """The hints of all fields for which something is proposed, and of the choice."""
        return [one for one in (*self.there.hints.values(), *([self.there.choice] if self.there.choice else [])) if one.there]

    def put(self, one: Hint, mark: str) -> None:
        """The proposed value into its field."""
        if one.name == source_links.OUTCOME:
            self.outcome = self.there.proposed
        else:
            self.values[one.name] = self.proposed[one.name]
        self.marks[one.name] = mark

    def back(self, one: Hint, mark: str) -> None:
        """The field as it was before."""
        if one.name == source_links.OUTCOME:
            self.outcome = None
        else:
            self.values[one.name] = self.starts.get(one.name)
        self.marks[one.name] = mark


def _take(form: _Form, name: str, marks: Marks) -> Marks:
    for one in form.every:
        if one.name == name:
            form.put(one, "accepted")
    return marks


def _restore(form: _Form, name: str, marks: Marks) -> Marks:
    for one in form.every:
        if one.name == name:
            form.put(one, "")
    return marks


def _discard(form: _Form, name: str, marks: Marks) -> Marks:
    for one in form.every:
        if one.name == name:
            form.back(one, "cleared")
    return marks


def _confident(form: _Form, _: str, marks: Marks) -> Marks:
    for one in form.every:
        if one.state == "fill" and one.level == "high":
            form.put(one, "accepted")
    return marks


def _by_hand(form: _Form, _: str, marks: Marks) -> Marks:
    for one in form.every:
        if one.state in ("fill", "accepted"):
            form.back(one, "")
    return replace(marks, by_hand=True)


def _undo(_: _Form, __: str, marks: Marks) -> Marks:
    return replace(marks, by_hand=False, why="")


DOES = {
    "accept": _take,
    "use": _take,
    "restore": _restore,
    "discard": _discard,
    "confident": _confident,
    "by-hand": _by_hand,
    "undo": _undo,
}
"""What follows "do" in the form: the button that was pressed."""


def _part(template: str, view: RunView) -> Response:
    answer = make_response(frame.render(template, page.live(view, frame.actor(), frame.look())))
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer
