"""The guided panel: one run in three panes, and what the person who holds it may do.

A command that works answers the next screen; one that does not stands where it happened, with what was typed still there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from console import document_requests, inboxes, runs, settings
from console.core.run.proposal import MARKS
from console.errors import Conflict, ConsoleError, Invalid, NotFound
from console.runs import RunView
from console.views import files, frame
from console.views.formats import clock
from console.views.run import consequences, effects, notices, page, pane, panes
from console.views.run.notices import Note, Typed

blueprint = Blueprint("runner", __name__, url_prefix="/runs")

PAGE, FRAGMENT, NOTICES = "runner/page.html", "runner/fragment.html", "runner/notices.html"


@blueprint.get("/<run_id>")
def show(run_id: str) -> Response:
    """The run as it stands. Asked again by a page that waits, it answers 204 while nothing moved."""
    waiting = frame.wants_fragment() and "revision" in request.args
    most = None if request.args.get("steps") == "all" else runs.PATH_SHOWN
    view = runs.get(frame.actor(), run_id, request.args.get("item"), most=most)
    seen = (request.args.get("revision"), request.args.get("status"))
    if waiting and seen == (str(view.json["revision"]), view.json["status"]):
        return make_response("", 204)
    return drawn(view)


@blueprint.post("/<run_id>/complete")
def complete(run_id: str) -> Response:
    """Done: the next step, or the same one with an error at each field that is wrong."""
    if request.form.get("only") == "files":
        return draft(run_id)
    return command(
        run_id,
        lambda typed: runs.complete_and_look(
            frame.actor(),
            run_id,
            step=typed.step,
            revision=typed.revision,
            values=typed.values,
            outcome=typed.outcome,
            handled_manually=request.form.get("handled_manually") == "true",
            reason=request.form.get("reason", ""),
            repeat=effects.repeat(request.form),
        ),
    )


@blueprint.post("/<run_id>/draft")
def draft(run_id: str) -> Response:
    """Keep what is being typed, unchecked."""
    typed = typed_form()
    try:
        typed = replace(typed, values=files.received(run_id, typed.step, typed.values))
        saved_at = drafted(run_id, typed)
    except Conflict as conflict:
        return conflicted(run_id, conflict, typed)
    except Invalid as wrong:
        return drawn(runs.get(frame.actor(), run_id), typed=typed, wrong=wrong, status=422)
    if frame.wants_fragment():
        return make_response(f"Draft saved {clock(saved_at, frame.look())}{_will(run_id, typed)}")
    return frame.moved(frame.run_url(run_id))


def _will(run_id: str, typed: Typed) -> str:
    """What the button does now, in place of what it would have done before this was typed."""
    screen, look = runs.preview_screen(frame.actor(), run_id, typed.values, typed.outcome), frame.look()
    if screen is None:
        return ""
    found = consequences.consequences(screen, look, typed.outcome)
    return frame.render("runner/consequences.html", {"consequences": found, "button": screen["button"], "swapped": True})


@blueprint.post("/<run_id>/save")
def save(run_id: str) -> Response:
    """Save: the run waits for whoever resumes it, with what was typed so far."""
    typed = typed_form()
    to = page.local(request.form.get("to"))

    def do(typed: Typed) -> None:
        put_aside(run_id, typed)
        runs.save(frame.actor(), run_id, revision=typed.revision)

    return command(run_id, do, typed=typed, to=to, toast="Saved. Anyone entitled can resume it.")


@blueprint.post("/<run_id>/resume")
def resume(run_id: str) -> Response:
    """Resume a saved run."""
    return command(run_id, lambda typed: runs.resume(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/take-over")
def take_over(run_id: str) -> Response:
    """Become the holder of a run that somebody else has open."""
    return command(run_id, lambda typed: runs.take_over(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/release")
def release(run_id: str) -> Response:
    """Let the run go, so that a colleague may take it, with what was typed so far."""

    def do(typed: Typed) -> None:
        put_aside(run_id, typed)
        runs.release(frame.actor(), run_id, revision=typed.revision)

    return command(run_id, do)


@blueprint.post("/<run_id>/retry")
def retry(run_id: str) -> Response:
    """Try the step that stopped once more."""
    return command(run_id, lambda typed: runs.retry(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/step-in")
def step_in(run_id: str) -> Response:
    """Wait no longer: do the step by hand."""
    return command(run_id, lambda typed: runs.step_in(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/request/<do>")
def request_documents(run_id: str, do: str) -> Response:
    """What the asker may do while the run waits for documents; the link is shown once, by this answer alone."""
    who, form = frame.actor(), request.form
    base = settings.current().base_url or request.host_url.rstrip("/")
    sent = request.files.get("file")
    known: dict[str, Callable[[], object]] = {
        "link": lambda: document_requests.link(who, run_id, base),
        "remind": lambda: document_requests.remind(who, run_id),
        "renew": lambda: document_requests.renew(who, run_id),
        "revoke": lambda: document_requests.revoke(who, run_id, form.get("reason", "").strip()),
        "hand": lambda: document_requests.by_hand(
            who,
            run_id,
            form.get("wanted", ""),
            sent.filename or "" if sent else "",
            sent.stream.read() if sent else b"",
            form.get("sender", ""),
        ),
        "finish": lambda: document_requests.finish(who, run_id),
    }
    if do not in known:
        raise NotFound
    try:
        told = known[do]()
    except (Invalid, Conflict) as wrong:
        return drawn(runs.get(who, run_id), wrong=wrong if isinstance(wrong, Invalid) else Invalid(wrong.message), status=422)
    if do == "link":
        note = Note(
            "The link, shown this once",
            "Send it to them yourself. Whoever has it can hand in documents.",
            typed={"it": str(told)},
            mark="mail",
        )
        return drawn(runs.get(who, run_id), notes=(note,))
    if not frame.wants_fragment():
        return frame.moved(frame.run_url(run_id))
    return drawn(runs.get(who, run_id))


@blueprint.post("/<run_id>/stop-trying")
def stop_trying(run_id: str) -> Response:
    """Do not try again by itself what failed for a reason that may pass."""
    return command(run_id, lambda typed: runs.stop_trying(frame.actor(), run_id, revision=typed.revision))


@blueprint.post("/<run_id>/check")
def check(run_id: str) -> Response:
    """Ask the other side about a change that nobody knows about."""
    typed = typed_form()
    try:
        found = runs.check(frame.actor(), run_id, revision=typed.revision, effect=request.form.get("effect", ""))
    except Conflict as conflict:
        return conflicted(run_id, conflict, typed)
    if not frame.wants_fragment():
        flash(effects.CHECKED[found])
        return frame.moved(frame.run_url(run_id))
    return drawn(runs.get(frame.actor(), run_id), notes=(Note(effects.CHECKED[found], tone="info" if found == "done" else "warn"),))


@blueprint.post("/<run_id>/settle")
def settle(run_id: str) -> Response:
    """Say what came of a change that nobody knows about."""
    result, reason = request.form.get("result", ""), request.form.get("reason", "").strip()
    wrong = [("result", "Say whether it was done.")] if result not in ("done", "not_done", "left") else []
    wrong += [("reason", "Say how you know.")] if not reason else []

    def do(typed: Typed) -> None:
        if wrong:
            raise Invalid("This cannot be settled yet.", details=[{"field": name, "reason": words} for name, words in wrong])
        effect = request.form.get("effect", "")
        runs.settle(
            frame.actor(), run_id, revision=typed.revision, effect=effect, done=result == "done", left=result == "left", reason=reason
        )

    return command(run_id, do)


@blueprint.route("/<run_id>/abort", methods=["GET", "POST"])
def abort(run_id: str) -> Response:
    """Ask for the reason; then end the run."""
    to, back = page.local(request.values.get("to")), request.form.getlist("compensate")
    more = {"to": to, "typed_back": back, "effects_done": runs.abort_preview(frame.actor(), run_id).json["effects_done"]}
    if request.method != "POST":
        return question_page("runner/abort.html", run_id, more)
    return _with_reason(
        "runner/abort.html",
        run_id,
        lambda typed, reason: runs.abort(frame.actor(), run_id, revision=typed.revision, reason=reason, compensate=back),
        more,
        to=to if not back else None,
    )


@blueprint.route("/<run_id>/escalate", methods=["GET", "POST"])
def escalate(run_id: str) -> Response:
    """Ask for the inbox and the reason; then hand the run on."""
    template, chosen, priority = "runner/escalate.html", request.form.get("inbox", ""), request.form.get("priority", "normal")
    team = runs.get(frame.actor(), run_id).json["team"]
    more: dict[str, Any] = {"inboxes": inboxes.used_by(team), "chosen": chosen, "priority": priority}
    if request.method != "POST":
        return question_page(template, run_id, more)
    if not chosen:
        more |= {"inbox_error": "Choose an inbox.", "typed_reason": request.form.get("reason", "").strip()}
        return question_page(template, run_id, more, status=422)
    return _with_reason(
        template,
        run_id,
        lambda typed, reason: runs.escalate(frame.actor(), run_id, revision=typed.revision, inbox=chosen, reason=reason, priority=priority),
        more,
    )


@blueprint.route("/<run_id>/assign", methods=["GET", "POST"])
def assign(run_id: str) -> Response:
    """Ask to whom; then give the run to them."""
    template, user = "inbox/assign.html", request.form.get("user", "")
    people = runs.candidates(frame.actor(), run_id, request.values.get("q", ""))
    view = runs.get(frame.actor(), run_id)
    more = page.assigning(view, people, request.values)
    typed = Typed("", request.form.get("revision", type=int, default=-1), {}, None, {})
    if request.method != "POST":
        return question_page(template, run_id, more, blocks={"people": "people", "*": "dialog"})
    try:
        if not user:
            raise Invalid("Choose a person.")
        runs.assign(frame.actor(), run_id, revision=typed.revision, user=user, reason=request.form.get("reason", "").strip())
    except (Invalid, Conflict) as wrong:
        words = str(wrong.details[0]["reason"]) if isinstance(wrong, Invalid) and wrong.details else wrong.message
        return question_page(template, run_id, more | {"error": words}, status=wrong.status)
    if not frame.wants_fragment():
        return frame.moved(frame.run_url(run_id))
    return drawn(runs.get(frame.actor(), run_id))


@blueprint.get("/<run_id>/leave")
def leave(run_id: str) -> Response:
    """Save, Abort, or keep working: asked when a person goes elsewhere with a run in hand."""
    to = page.local(request.args.get("to")) or "/"
    return question_page("runner/leave.html", run_id, {"to": to, "abort_url": frame.run_url(run_id, "abort", to=to)})


@blueprint.route("/<run_id>/revise", methods=["GET", "POST"])
def revise(run_id: str) -> Response:
    """Show what redoing a step cancels and what cannot be undone; then redo it."""
    step, attempt = request.values.get("step", ""), request.values.get("attempt", type=int)
    back = request.form.getlist("compensate")
    more = page.preview(runs.preview(frame.actor(), run_id, step, attempt)) | {"typed_back": back}
    if request.method != "POST":
        return question_page("runner/revise.html", run_id, more)
    return _with_reason(
        "runner/revise.html",
        run_id,
        lambda typed, reason: runs.revise(
            frame.actor(), run_id, revision=typed.revision, step=step, attempt=attempt, reason=reason, compensate=back
        ),
        more,
    )


# -- answers


def typed_form() -> Typed:
    """What the form holds, as values and as plain text."""
    return Typed(
        step=request.form.get("step", ""),
        revision=request.form.get("revision", type=int, default=-1),
        values=panes.read_form(request.form, frame.look()),
        outcome=request.form.get("outcome") or None,
        unread=panes.unread(request.form),
        marks=panes.read_marks(request.form),
    )


def drafted(run_id: str, typed: Typed) -> datetime:
    """Keep what was typed, and how far the person came with the proposal; when that was."""
    marks = {MARKS: typed.marks.to_json()} if typed.marks and not typed.marks.empty else {}
    values = {**typed.values, **marks, **effects.half_settled(request.form)}
    return runs.draft(frame.actor(), run_id, step=typed.step, revision=typed.revision, values=values)


def put_aside(run_id: str, typed: Typed) -> None:
    """What stands in the form, before the run goes out of the person's hands."""
    if typed.step and (typed.values or typed.marks or effects.half_settled(request.form)):
        drafted(run_id, typed)


def command(
    run_id: str,
    do: Callable[[Typed], RunView | None],
    *,
    typed: Typed | None = None,
    to: str | None = None,
    toast: str | None = None,
) -> Response:
    """Do it, then the next screen (as `do` answers it, else read again); what cannot be done is shown on the screen that asked for it."""
    typed = typed or typed_form()
    try:
        typed = replace(typed, values=files.received(run_id, typed.step, typed.values))
        view = do(typed)
    except Conflict as conflict:
        if conflict.code == "already_done":
            return question_page("runner/repeat.html", run_id, effects.repeating(conflict, request.form), status=409)
        return conflicted(run_id, conflict, typed)
    except Invalid as wrong:
        return drawn(runs.get(frame.actor(), run_id, typed.item), typed=typed, wrong=wrong, status=422)
    if to:
        return frame.moved(to)
    if not frame.wants_fragment():
        if toast:
            flash(toast)
        return frame.moved(frame.run_url(run_id))
    answer = drawn(view or runs.get(frame.actor(), run_id), toast=toast)
    # the item that was turned to is handed in: a reload shows where the run stands, and the same pane beside it
    answer.headers["HX-Replace-Url"] = frame.run_url(run_id, **pane.kept(run_id))
    return answer


def drawn(
    view: RunView,
    *,
    typed: Typed | None = None,
    wrong: ConsoleError | None = None,
    status: int = 200,
    notes: tuple[Note, ...] = (),
    toast: str | None = None,
) -> Response:
    """The run as it stands, with what was typed and what is wrong: a page, or its fragment."""
    context = page.live(
        view, frame.actor(), frame.look(), typed=typed, wrong=wrong, tab=pane.kept(view.json["id"]).get("tab", "record"), notes=notes
    ) | {"toast": toast}
    fragment = frame.wants_fragment()
    answer = make_response(frame.render(FRAGMENT if fragment else PAGE, context), status)
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def conflicted(run_id: str, conflict: Conflict, typed: Typed) -> Response:
    """The run moved on, or somebody else holds it: said above the form, which stays as it was typed."""
    view = runs.get(frame.actor(), run_id)
    note = notices.moved_on(view, conflict, frame.actor(), typed if not frame.wants_fragment() else None)
    if not frame.wants_fragment():
        return drawn(view, notes=(note,), status=409)
    answer = make_response(frame.render(NOTICES, {"notices": [note], "run": view.json}), 409)
    answer.headers["HX-Retarget"] = "#notice"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def question_page(
    template: str, run_id: str, more: Mapping[str, Any], *, status: int = 200, blocks: Mapping[str, str] | None = None
) -> Response:
    """A question about the run: a page of its own, or the dialog of the page that is open."""
    view = runs.get(frame.actor(), run_id)
    answer = frame.page(template, page.named(view) | dict(more), blocks=blocks or {"*": "dialog"}, status=status)
    if frame.wants_fragment() and request.method == "POST":
        answer.headers["HX-Retarget"] = "#dialog"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _with_reason(
    template: str, run_id: str, do: Callable[[Typed, str], None], more: Mapping[str, Any], *, to: str | None = None
) -> Response:
    """A command that needs a reason: asked again, with what was typed, where it is missing or refused."""
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
        return frame.moved(to or frame.run_url(run_id))
    return drawn(runs.get(frame.actor(), run_id))
