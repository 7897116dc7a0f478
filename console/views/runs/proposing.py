"""Proposals of a run: the page polls for one; a person accepts it, declines it or asks again.

With script the page does this by itself; each response here serves browsers without script.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import runs
from console.core.errors import Conflict, NotFound
from console.runs import RunView
from console.views import frame
from console.views.runs import page, proposal, runner, source_links
from console.views.runs.notices import Typed
from console.views.runs.proposal import Drawn, Hint, Marks

blueprint = Blueprint("proposing", __name__, url_prefix="/runs")

MOST_CALL = 64


@blueprint.get("/<run_id>/proposal")
def arrived(run_id: str) -> Response:
    """Answer 204 while the proposal is pending, then the parts of the page that it changes. Without htmx, redirect to the run."""
    actor, call, n = (
        frame.actor(),
        request.args.get("call", "")[:MOST_CALL],
        request.args.get("n", 0, type=int),
    )
    item = request.args.get("item")
    if not frame.wants_fragment():
        return runner.run_response(runs.get(actor, run_id, item))
    if runs.proposal_pending(actor, run_id, min(n, 1_000_000), call):
        return make_response("", 204)
    outdated = make_response("", 200)
    if not runs.is_shown_last(
        actor, run_id, n, item
    ):  # drawn again, it would count as the form that the person has before them
        return outdated
    view = runs.get(actor, run_id, item)
    return _part("runner/arrived.html", view) if page.mode(view) == "form" else outdated


@blueprint.post("/<run_id>/propose")
def propose(run_id: str) -> Response:
    """Ask for a proposal again."""
    typed = runner.typed_form()
    try:
        runs.propose_again(frame.actor(), run_id, revision=typed.revision, item=typed.item)
    except Conflict as conflict:
        return runner.conflict_response(run_id, conflict, typed)
    if not frame.wants_fragment():
        return frame.redirect_to(frame.run_url(run_id))
    return _part("runner/proposal.html", runs.get(frame.actor(), run_id, typed.item))


@blueprint.post("/<run_id>/suggestion")
def suggestion(run_id: str) -> Response:
    """Accept or decline a proposed value, or do the step by hand; the result is kept as a draft."""
    typed = runner.typed_form()
    do, _, name = request.form.get("do", "").partition(":")
    view = runs.get(frame.actor(), run_id, typed.item)
    if do not in DOES:
        raise NotFound
    try:
        if page.mode(view) == "form":
            runner.keep_draft(run_id, form_after(do, name, typed, view))
    except Conflict as conflict:
        return runner.conflict_response(run_id, conflict, typed)
    return frame.redirect_to(frame.run_url(run_id, item=typed.item))


# -- what a button does to what is typed


def form_after(do: str, name: str, typed: Typed, view: RunView) -> Typed:
    """Return the form's content after the button was pressed."""
    screen, marks = view.screen or {}, typed.marks or Marks()
    there = proposal.proposal_context(
        view.json,
        screen,
        frame.look(),
        reader=frame.actor().id,
        kept=typed.values,
        chosen=typed.outcome,
        marks=marks,
    )
    proposed = {
        field["name"]: field["value"]
        for field in (view.json["current"]["proposal"] or {"fields": ()})["fields"]
    }
    starts = {field["name"]: field.get("value") for field in screen.get("fields", ())}
    form = _Form(dict(typed.values), dict(marks.fields), typed.outcome, proposed, starts, there)
    concerns, act, mark = DOES[do]
    for hint in form.every:
        if concerns(hint, name):
            act(form, hint, mark)
    by_hand = {"by-hand": True, "undo": False}.get(do, marks.by_hand)
    marks = Marks(form.marks, by_hand, "" if do == "undo" else marks.why, form.outcome)
    return replace(typed, values=form.values, outcome=form.outcome, marks=marks)


@dataclass(slots=True)
class _Form:
    """The values and marks of a form, and what may be put into it."""

    values: dict[str, Any]
    marks: dict[str, str]
    outcome: str | None
    proposed: Mapping[str, Any]
    starts: Mapping[str, Any]
    there: Drawn

    @property
    def every(self) -> list[Hint]:
        """Return the hints of all fields with a proposed value, and of the choice."""
        return [
            hint
            for hint in (*self.there.hints.values(), *([self.there.choice] if self.there.choice else []))
            if hint.there
        ]

    def put(self, hint: Hint, mark: str) -> None:
        """Put the proposed value into its field."""
        if hint.name == source_links.OUTCOME:
            self.outcome = self.there.proposed
        else:
            self.values[hint.name] = self.proposed[hint.name]
        self.marks[hint.name] = mark

    def back(self, hint: Hint, mark: str) -> None:
        """Restore the field's earlier value."""
        if hint.name == source_links.OUTCOME:
            self.outcome = None
        else:
            self.values[hint.name] = self.starts.get(hint.name)
        self.marks[hint.name] = mark


def _is_named(hint: Hint, name: str) -> bool:
    return hint.name == name


DOES: dict[str, tuple[Callable[[Hint, str], bool], Callable[[_Form, Hint, str], None], str]] = {
    "accept": (_is_named, _Form.put, "accepted"),
    "use": (_is_named, _Form.put, "accepted"),
    "restore": (_is_named, _Form.put, ""),
    "discard": (_is_named, _Form.back, "cleared"),
    "confident": (lambda hint, _: hint.state == "fill" and hint.level == "high", _Form.put, "accepted"),
    "by-hand": (lambda hint, _: hint.state in ("fill", "accepted"), _Form.back, ""),
    "undo": (lambda _, __: False, _Form.back, ""),
}
"""Button ("do" in the form) → the hints that it concerns, what is done with them, and their new mark."""


def _part(template: str, view: RunView) -> Response:
    answer = make_response(frame.render(template, page.page_context(view, frame.actor(), frame.look())))
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer
