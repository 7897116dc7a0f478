"""The guided panel: one run in three panes, and the commands of its holder.

A command that works returns the next screen. One that fails shows the same screen with everything that was typed.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from console import runs
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.run.proposal import MARKS
from console.documents import requests
from console.infra import settings
from console.messaging.messages import test_messages
from console.runs import RunView
from console.views import errors, frame
from console.views.documents import files
from console.views.formats import clock
from console.views.identity import local as local_path
from console.views.runs import (
    consequences,
    done_before,
    effects,
    form_boxes,
    gathered,
    narrow_sheet,
    notices,
    page,
    pane,
    steps_pane,
)
from console.views.runs.notices import Note, Typed
from console.views.runs.parts import parts_context
from console.views.runs.workspace_return import note_start
from console.workflows import inboxes

blueprint = Blueprint("runner", __name__, url_prefix="/runs")

PAGE, FRAGMENT, NOTICES = "runner/page.html", "runner/fragment.html", "runner/notices.html"


@blueprint.get("/<run_id>")
def show(run_id: str) -> Response:
    """Show the run. Asked by a page that waits, it answers 204 while nothing changed."""
    revision, status = request.args.get("revision"), request.args.get("status", "")
    waiting = frame.wants_fragment() and revision is not None
    if waiting and runs.is_unchanged(frame.actor(), run_id, str(revision), status):
        return make_response("", 204)
    most = None if request.args.get("steps") == "all" else runs.PATH_SHOWN
    item = request.args["item"] if "item" in request.args else narrow_sheet.fitting_item(run_id)
    view = runs.get(frame.actor(), run_id, item, most=most)
    if (instead := errors.served_again(view.changed) or steps_pane.unfolding(view, frame.look())) is not None:
        return instead
    return run_response(view)


@blueprint.get("/<run_id>/parts/<step_id>")
def show_parts(run_id: str, step_id: str) -> Response:
    """Show what a step of the run has started, and how far each of it is."""
    who = frame.actor()
    run, parts = runs.head(who, run_id), parts_context(who, run_id, step_id, frame.look())
    if run is None or parts is None:
        raise NotFound
    context = page.context_of_run(run.to_json(), run.record_title, "")
    return frame.page("runner/parts_page.html", context | {"parts": parts})


@blueprint.post("/<run_id>/complete")
def complete(run_id: str) -> Response:
    """Complete the step: the next step, or the same one with an error at each wrong field."""
    if request.form.get("only") == "files":
        return draft(run_id)
    if "change" in request.form:
        return _changed(run_id, form_boxes.read_change(request.form))
    pressed = form_boxes.read_pressed(request.form)
    if pressed and _asks_more(run_id, typed_form().values):
        return _changed(run_id, pressed)
    if "do" in request.form:  # a button of a proposal, without script: the same form goes to where it is read
        return frame.repeated_at(frame.run_url(run_id, "suggestion"))

    def do(typed: Typed) -> RunView:
        submission = runs.Submission(
            step=typed.step,
            revision=typed.revision,
            values=typed.values,
            outcome=typed.outcome,
            handled_manually=request.form.get("handled_manually") == "true",
            reason=request.form.get("reason", ""),
            repeat=effects.repeat_choice(request.form.get("repeat"), request.form.get("reason")),
        )
        first, later = gathered.submissions(typed, submission)
        return narrow_sheet.next_fitting(runs.complete_and_look(frame.actor(), run_id, first, later))

    return command(run_id, do)


@blueprint.post("/<run_id>/draft")
def draft(run_id: str) -> Response:
    """Keep what is being typed, unchecked."""
    typed = typed_form()
    try:
        typed = _with_files(run_id, typed)
        saved_at = keep_draft(run_id, typed)
    except Conflict as conflict:
        return conflict_response(run_id, conflict, typed)
    except Invalid as wrong:
        return run_response(runs.get(frame.actor(), run_id), typed=typed, wrong=wrong, status=422)
    if frame.wants_fragment():
        return make_response(f"Draft saved {clock(saved_at, frame.look())}{_consequences_now(run_id, typed)}")
    return frame.redirect_to(frame.run_url(run_id))


def _asks_more(run_id: str, values: Mapping[str, Any]) -> bool:
    """Return whether these values ask for fields with a condition that are still empty."""
    screen = runs.preview_screen(frame.actor(), run_id, values)
    asked = {field["name"] for field in screen["fields"] if field.get("asked")} if screen else set()
    return not asked.isdisjoint(consequences.lacking(screen))


def _changed(run_id: str, changes: Mapping[str, Any]) -> Response:
    """Change the form by a way out of a refusal, or a choice that asks for more, and show it again; nothing is completed."""
    typed = typed_form()
    try:
        typed = replace(typed, values={**_with_files(run_id, typed).values, **changes})
        keep_draft(run_id, typed)
    except Conflict as conflict:
        return conflict_response(run_id, conflict, typed)
    if not frame.wants_fragment():
        return frame.redirect_to(frame.run_url(run_id, item=typed.item))
    return run_response(runs.get(frame.actor(), run_id, typed.item), typed=typed)


def _consequences_now(run_id: str, typed: Typed) -> str:
    """Return what the button does with the values typed so far, and at each field what contradicts them."""
    screen, look = runs.preview_screen(frame.actor(), run_id, typed.values, typed.outcome), frame.look()
    if screen is None:
        return ""
    foretold = consequences.consequences(screen, look, typed.outcome)
    below = gathered.parts(run_id, typed.values, typed.outcome) if gathered.STEPS in request.form else []
    foretold = gathered.combined_consequences(foretold, below, look)
    boxes = [
        box
        for each in (screen, *(part.screen for part in below))
        for box in page.said_at(
            each, form_boxes.boxes(each, look, typed=typed.values, errors=each.get("wrong", ()))
        )
    ]
    drawn = frame.render(
        "runner/foretold.html",
        {
            "consequences": foretold,
            "button": (below[-1].screen if below else screen)["button"],
            "swapped": True,
            "boxes": boxes,
        },
    )
    changed = gathered.changed(below)
    if not changed:
        return drawn
    context = page.page_context(runs.get(frame.actor(), run_id), frame.actor(), look, typed=typed)
    return drawn + "".join(
        page.part_html(part, context, look, values=typed.values, swapped=True) for part in changed
    )


@blueprint.post("/<run_id>/copy")
def send_copy(run_id: str) -> Response:
    """Send the e-mail as it is typed to oneself, and show the form again."""

    def do(typed: Typed) -> RunView:
        submission = runs.Submission(typed.step, typed.revision, typed.values)
        test_messages.send_copy(frame.actor(), run_id, submission)
        keep_draft(run_id, typed)
        return runs.get(frame.actor(), run_id)

    return command(run_id, do, toast=f"A copy is on its way to {frame.actor().email}.")


@blueprint.post("/<run_id>/save")
def save(run_id: str) -> Response:
    """Save the run for whoever resumes it, with what was typed so far."""
    typed = typed_form()
    to = _local_or_none(request.form.get("to"))

    def do(typed: Typed) -> None:
        keep_before_leaving(run_id, typed)
        runs.save(frame.actor(), run_id, revision=typed.revision)

    return command(run_id, do, typed=typed, to=to, toast="Saved. Anyone entitled can resume it.")


@blueprint.post("/<run_id>/resume")
def resume(run_id: str) -> Response:
    """Resume a saved run."""
    note_start(run_id)
    return command(run_id, lambda typed: runs.resume(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/take-over")
def take_over(run_id: str) -> Response:
    """Become the holder of a run that somebody else has open."""
    return command(run_id, lambda typed: runs.take_over(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/release")
def release(run_id: str) -> Response:
    """Release the run for a colleague, with what was typed so far."""

    def do(typed: Typed) -> None:
        keep_before_leaving(run_id, typed)
        runs.release(frame.actor(), run_id, revision=typed.revision)

    return command(run_id, do)


@blueprint.post("/<run_id>/retry")
def retry(run_id: str) -> Response:
    """Try the stopped step once more."""
    return command(run_id, lambda typed: runs.retry(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/step-in")
def step_in(run_id: str) -> Response:
    """Stop waiting and do the step by hand."""
    return command(
        run_id, lambda typed: requests.stop_waiting(frame.actor(), run_id, revision=typed.revision)
    )


@blueprint.post("/<run_id>/request/<do>")
def request_documents(run_id: str, do: str) -> Response:
    """Act on the request for documents that the run waits for. The link is shown only in this response."""
    who, form = frame.actor(), request.form
    base = settings.current().base_url or request.host_url.rstrip("/")
    sent = request.files.get("file")
    known: dict[str, Callable[[], object]] = {
        "link": lambda: requests.link(who, run_id, base),
        "remind": lambda: requests.remind(who, run_id),
        "renew": lambda: requests.renew(who, run_id),
        "revoke": lambda: requests.revoke(who, run_id, form.get("reason", "").strip()),
        "hand": lambda: requests.by_hand(
            who,
            run_id,
            form.get("wanted", ""),
            sent.filename or "" if sent else "",
            sent.stream.read() if sent else b"",
            form.get("sender", ""),
        ),
        "finish": lambda: requests.finish(who, run_id),
    }
    if do not in known:
        raise NotFound
    try:
        link = known[do]()
    except (Invalid, Conflict) as wrong:
        return run_response(
            runs.get(who, run_id),
            wrong=wrong if isinstance(wrong, Invalid) else Invalid(wrong.message),
            status=422,
        )
    if do == "link":
        note = Note(
            "The link, shown this once",
            "Send it to them yourself. Whoever has it can hand in documents.",
            typed={"it": str(link)},
            mark="mail",
        )
        return run_response(runs.get(who, run_id), notes=(note,))
    if not frame.wants_fragment():
        return frame.redirect_to(frame.run_url(run_id))
    return run_response(runs.get(who, run_id))


@blueprint.post("/<run_id>/stop-trying")
def stop_trying(run_id: str) -> Response:
    """Stop the automatic retries of a change."""
    return command(run_id, lambda typed: runs.stop_trying(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/check")
def check(run_id: str) -> Response:
    """Ask the other system whether an unknown change happened."""
    typed = typed_form()
    try:
        result = runs.check(
            frame.actor(), run_id, revision=typed.revision, effect=request.form.get("effect", "")
        )
    except Conflict as conflict:
        return conflict_response(run_id, conflict, typed)
    if not frame.wants_fragment():
        flash(effects.CHECKED[result])
        return frame.redirect_to(frame.run_url(run_id))
    return run_response(
        runs.get(frame.actor(), run_id),
        notes=(Note(effects.CHECKED[result], tone="info" if result == "done" else "warn"),),
    )


@blueprint.post("/<run_id>/settle")
def settle(run_id: str) -> Response:
    """Record whether an unknown change happened."""
    result, reason = request.form.get("result", ""), request.form.get("reason", "").strip()
    wrong = [("result", "Say whether it was done.")] if result not in ("done", "not_done", "left") else []
    wrong += [("reason", "Say how you know.")] if not reason else []

    def do(typed: Typed) -> None:
        if wrong:
            raise Invalid(
                "This cannot be settled yet.",
                details=[(name, words) for name, words in wrong],
            )
        effect = request.form.get("effect", "")
        runs.settle(
            frame.actor(),
            run_id,
            revision=typed.revision,
            effect=effect,
            done=result == "done",
            left=result == "left",
            reason=reason,
        )

    return command(run_id, do)


@blueprint.route("/<run_id>/<any(abort, cancel):act>", methods=["GET", "POST"])
def end_run(run_id: str, act: str) -> Response:
    """Ask for the reason, then end the run: its holder aborts it, and whoever has the right cancels it, whoever holds it."""
    who, to, back = (
        frame.actor(),
        _local_or_none(request.values.get("to")),
        request.form.getlist("compensate"),
    )
    more = {
        "act": act,
        "to": to,
        "parts": runs.live_parts(run_id),
        "parts_change": runs.parts_change_outside(run_id),
    }
    more |= done_before.abort_context(who, run_id, back if request.method == "POST" else None)
    if request.method != "POST":
        return question_page("runner/abort.html", run_id, more)
    ends = partial(runs.cancel if act == "cancel" else partial(runs.abort, compensate=back), who, run_id)
    then = None if back else to
    return _with_reason(
        "runner/abort.html",
        run_id,
        lambda typed, why: ends(revision=typed.revision, reason=why),
        more,
        to=then,
    )


@blueprint.route("/<run_id>/escalate", methods=["GET", "POST"])
def escalate(run_id: str) -> Response:
    """Ask for the inbox and the reason, then hand the run on."""
    template, chosen, priority = (
        "runner/escalate.html",
        request.form.get("inbox", ""),
        request.form.get("priority", "normal"),
    )
    team = runs.get(frame.actor(), run_id, shown=False).json["team"]
    more: dict[str, Any] = {"inboxes": inboxes.used_by(team), "chosen": chosen, "priority": priority}
    if request.method != "POST":
        return question_page(template, run_id, more)
    if not chosen:
        wrong = {"inbox_error": "Choose an inbox.", "typed_reason": request.form.get("reason", "").strip()}
        return question_page(template, run_id, more | wrong, status=422)
    return _with_reason(
        template,
        run_id,
        lambda typed, reason: runs.escalate(
            frame.actor(), run_id, revision=typed.revision, inbox=chosen, reason=reason, priority=priority
        ),
        more,
    )


@blueprint.route("/<run_id>/assign", methods=["GET", "POST"])
def assign(run_id: str) -> Response:
    """Ask for the person, then assign the run."""
    template, user = "inbox/assign.html", request.form.get("user", "")
    people = runs.candidates(frame.actor(), run_id, request.values.get("q", ""))
    more = page.assign_context(runs.get(frame.actor(), run_id, shown=False), people, request.values)
    typed = Typed("", request.form.get("revision", type=int, default=-1), {}, None, {})
    if request.method != "POST":
        return question_page(template, run_id, more, blocks={"people": "people", "*": "dialog"})
    try:
        if not user:
            raise Invalid("Choose a person.")
        runs.assign(
            frame.actor(),
            run_id,
            revision=typed.revision,
            user=user,
            reason=request.form.get("reason", "").strip(),
        )
    except (Invalid, Conflict) as wrong:
        words = (
            str(wrong.details[0]["reason"]) if isinstance(wrong, Invalid) and wrong.details else wrong.message
        )
        return question_page(template, run_id, more | {"error": words}, status=wrong.status)
    if not frame.wants_fragment():
        return frame.redirect_to(frame.run_url(run_id))
    return run_response(runs.get(frame.actor(), run_id))


@blueprint.get("/<run_id>/leave")
def leave(run_id: str) -> Response:
    """Offer to save, abort or keep working when a person leaves an open run."""
    to = _local_or_none(request.args.get("to")) or "/"
    return question_page(
        "runner/leave.html", run_id, {"to": to, "abort_url": frame.run_url(run_id, "abort", to=to)}
    )


@blueprint.route("/<run_id>/revise", methods=["GET", "POST"])
def revise(run_id: str) -> Response:
    """Show what revising a step cancels and what cannot be undone, then revise it."""
    step, attempt = request.values.get("step", ""), request.values.get("attempt", type=int)
    back = request.form.getlist("compensate")
    ticked = back if request.method == "POST" else None
    more = {
        "parts": runs.live_parts(run_id),
        **done_before.revise_context(runs.preview(frame.actor(), run_id, step, attempt), ticked),
    }
    if request.method != "POST":
        return question_page("runner/revise.html", run_id, more)
    return _with_reason(
        "runner/revise.html",
        run_id,
        lambda typed, reason: runs.revise(
            frame.actor(),
            run_id,
            revision=typed.revision,
            step=step,
            attempt=attempt,
            reason=reason,
            compensate=back,
        ),
        more,
    )


# -- answers


def typed_form() -> Typed:
    """Return what the form holds, as values and as plain text."""
    return Typed(
        step=request.form.get("step", ""),
        revision=request.form.get("revision", type=int, default=-1),
        values=form_boxes.read_form(request.form, frame.look()) | form_boxes.read_pressed(request.form),
        outcome=request.form.get("outcome") or None,
        unread=form_boxes.typed_texts(request.form),
        marks=form_boxes.read_marks(request.form),
    )


def keep_draft(run_id: str, typed: Typed) -> datetime:
    """Keep the typed values and the marks of the proposal as a draft; return when it was kept."""
    marks = {MARKS: typed.marks.to_json()} if typed.marks and not typed.marks.empty else {}
    values = {**typed.values, **marks, **effects.settling_for_draft(request.form)}
    return runs.draft(frame.actor(), run_id, step=typed.step, revision=typed.revision, values=values)


def keep_before_leaving(run_id: str, typed: Typed) -> None:
    """Keep the form's content as a draft before the person gives the run away."""
    if typed.step and (typed.values or typed.marks or effects.settling_for_draft(request.form)):
        keep_draft(run_id, typed)


def _with_files(run_id: str, typed: Typed) -> Typed:
    """The form with the files that came with it, and without those that were ticked for removal."""
    if not request.files and files.AWAY not in request.form:
        return typed
    return replace(typed, values=files.with_uploads(run_id, typed.step, typed.values))


def command(
    run_id: str,
    do: Callable[[Typed], RunView | None],
    *,
    typed: Typed | None = None,
    to: str | None = None,
    toast: str | None = None,
) -> Response:
    """Execute a command and return the next screen (the one that `do` returns, else read again). If it fails, show the same screen with the reason."""
    typed = typed or typed_form()
    try:
        view = do(typed := _with_files(run_id, typed))
    except Conflict as conflict:
        if conflict.code == "already_done":
            return question_page(
                "runner/repeat.html", run_id, effects.repeat_context(conflict, request.form), status=409
            )
        if conflict.code == "require" and any(
            detail.get("field") for detail in conflict.details
        ):  # about what was typed: said there
            return run_response(
                runs.get(frame.actor(), run_id, typed.item), typed=typed, wrong=conflict, status=409
            )
        return conflict_response(run_id, conflict, typed)
    except Invalid as wrong:
        with suppress(Conflict):
            keep_before_leaving(run_id, typed)  # the draft that was on its way gave way to this form
        return run_response(runs.get(frame.actor(), run_id, typed.item), typed=typed, wrong=wrong, status=422)
    if to:
        return frame.redirect_to(to)
    if not frame.wants_fragment():
        if toast:
            flash(toast)
        return frame.redirect_to(frame.run_url(run_id, **narrow_sheet.kept_query()))
    answer = run_response(view or runs.get(frame.actor(), run_id), toast=toast)
    # the item in the address is completed: a reload must show the present step, with the same pane
    answer.headers["HX-Replace-Url"] = frame.run_url(
        run_id, **pane.pane_query(run_id), **narrow_sheet.kept_query()
    )
    return answer


def run_response(
    view: RunView,
    *,
    typed: Typed | None = None,
    wrong: ConsoleError | None = None,
    status: int = 200,
    notes: tuple[Note, ...] = (),
    toast: str | None = None,
) -> Response:
    """Return the run's page or its fragment, with what was typed and what is wrong."""
    context = page.page_context(
        view,
        frame.actor(),
        frame.look(),
        typed=typed,
        wrong=wrong,
        tab=pane.pane_query(view.json["id"]).get("tab", ""),
        notes=notes,
    ) | {"toast": toast}
    answer = make_response(frame.render(FRAGMENT if frame.wants_fragment() else PAGE, context), status)
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def conflict_response(run_id: str, conflict: Conflict, typed: Typed) -> Response:
    """Say above the form that the run moved on or that somebody else holds it; the typed values stay in the form."""
    view = runs.get(frame.actor(), run_id, shown=not frame.wants_fragment())
    note = notices.refused_note(
        view, conflict, frame.actor(), typed if not frame.wants_fragment() else None, kept=bool(typed.step)
    )
    if not frame.wants_fragment():
        return run_response(view, notes=(note,), status=409)
    answer = make_response(frame.render(NOTICES, {"notices": [note], "run": view.json}), 409)
    answer.headers["HX-Retarget"] = "#notice"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def question_page(
    template: str,
    run_id: str,
    more: Mapping[str, Any],
    *,
    status: int = 200,
    blocks: Mapping[str, str] | None = None,
) -> Response:
    """Return a question about the run: its own page, or a dialog over the open page."""
    view = runs.get(frame.actor(), run_id, shown=False)
    if view.json["ended_at"] and request.method != "POST":  # by its address, or after somebody else ended it
        template, blocks = "runner/over.html", None
    answer = frame.page(
        template, page.run_context(view) | dict(more), blocks=blocks or {"*": "dialog"}, status=status
    )
    if frame.wants_fragment() and request.method == "POST":
        answer.headers["HX-Retarget"] = "#dialog"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _with_reason(
    template: str,
    run_id: str,
    do: Callable[[Typed, str], None],
    more: Mapping[str, Any],
    *,
    to: str | None = None,
) -> Response:
    """Execute a command that needs a reason; ask again if the reason is missing or refused."""
    reason = request.form.get("reason", "").strip()
    kept = dict(more) | {"typed_reason": reason}
    typed = Typed("", request.form.get("revision", type=int, default=-1), {}, None, {})
    if not reason:
        return question_page(template, run_id, kept | {"reason_error": "Write the reason."}, status=422)
    try:
        do(typed, reason)
    except Invalid as wrong:
        return question_page(template, run_id, kept | {"reason_error": wrong.message}, status=422)
    except Conflict as conflict:
        return question_page(template, run_id, kept | {"error": conflict.message}, status=409)
    if to or not frame.wants_fragment():
        return frame.redirect_to(to or frame.run_url(run_id))
    return run_response(runs.get(frame.actor(), run_id))


def _local_or_none(path: str | None) -> str | None:
    """Return a local path to go to afterwards; None if none was given."""
    return local_path(path) if path else None
