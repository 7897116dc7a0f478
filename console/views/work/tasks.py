"""Work beside runs: tasks, questions to answer, and notices."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from flask import Blueprint, Response, flash, make_response, request

from console import browse
from console.core.errors import Conflict, ConsoleError, Invalid
from console.runs import RunHead
from console.views import frame, rail, refusals
from console.views.runs import form_boxes, page
from console.views.work import my_work
from console.work import notices, questions, tasks

blueprint = Blueprint("tasks", __name__)
FOLDED = 4
"""So many notices of one kind stand in one line that opens."""
ENOUGH = 15
MOST_READ = 4 * notices.SHOWN
_Line: TypeAlias = tuple[str, list[notices.Notice]]
TABS = (("mine", "Mine"), ("team", "My team's"), ("done", "Done"))
NOTHING = {
    "mine": "No task waits for you. Workflows make tasks, for a person or for a team; those for your team stand beside yours.",
    "team": "No task waits for your team. Workflows make tasks, for a person or for a team.",
    "done": "No task of yours or of your team was closed yet.",
}


@blueprint.get("/tasks")
def show() -> Response:
    """Show tasks in three lists, and above them the questions to the reader."""
    return _listed()


def _listed(wrong: ConsoleError | None = None, task: str = "", status: int = 200) -> Response:
    tab = request.args.get("tab", "mine")
    tab = tab if tab in dict(TABS) else "mine"
    actor = frame.actor()
    listed = {"mine": tasks.tasks_of, "team": tasks.of_teams, "done": tasks.closed}[tab](actor)
    known = browse.names_of(actor, {one.of for one in listed if one.of})
    context = {
        "tab": tab,
        "tabs": TABS,
        "tasks": listed,
        "of": {
            pair: frame.record_url(pair[0], there.key)
            for pair, there in known.items()
            if there.key and not there.absent
        },
        "nothing": NOTHING[tab],
        "questions": questions.open_for(actor),
        "wrong": wrong,
        "wrong_task": task,
        "typed_note": request.form.get("note", ""),
        "due": lambda due: my_work.due_badge(due, frame.look()),
    }
    return frame.page("tasks/list.html", context, status=status)


def on_record(heads: Sequence[RunHead]) -> list[dict[str, Any]]:
    """The open tasks that these runs on a record have made, each with its due day in words: whoever opens the record sees what waits there for whom."""
    look = frame.look()
    return [
        {"task": one, "due": my_work.due_badge(one.due_on, look)}
        for one in tasks.open_of_runs(frame.actor(), [head.id for head in heads])
    ]


@blueprint.post("/tasks/<task_id>/close")
def close(task_id: str) -> Response:
    """Close a task as done, or as not done with the reason."""
    try:
        tasks.close(frame.actor(), task_id, request.form.get("result", ""), request.form.get("note", ""))
    except (Invalid, Conflict) as wrong:
        return _listed(wrong, task_id, wrong.status)
    flash("The task is closed.")
    return frame.redirect_to("/tasks?tab=team" if request.args.get("tab") == "team" else "/tasks")


@blueprint.route("/answers/<question_id>", methods=["GET", "POST"])
def answer(question_id: str) -> Response:
    """Show the form of a question; a POST answers it."""
    actor, look = frame.actor(), frame.look()
    question = questions.question(actor, question_id)
    values, outcome = form_boxes.read_form(request.form, look), request.form.get("outcome") or None
    wrong: ConsoleError | None = None
    if request.method == "POST":
        try:
            questions.answer(actor, question_id, values, outcome)
        except (Invalid, Conflict) as error:
            wrong = error
        else:
            flash("Your answer is in. Thank you.")
            return frame.redirect_to("/tasks")
    details: list[Any] = list(wrong.details) if wrong is not None else []
    drawn = page.step_context(
        question.screen, look, {}, typed=values if wrong else None, errors=details, chosen=outcome
    )
    head = refusals.head(
        wrong, {str(field["name"]): str(field["label"]) for field in question.screen.get("fields", ())}
    )
    return frame.page("tasks/answer.html", {"asked": question, "wrong": head, **drawn}, error=wrong)


@blueprint.get("/notices")
def show_notices() -> Response:
    """Show the notices, newest first. The bell polls for itself and gets 204 while its number is unchanged; at first the rail's numbers come along."""
    if not (frame.wants_fragment() and frame.htmx.target == "bell"):
        groups, last = _page(request.args.get("before", "").replace("\0", "") or None)
        older = frame.with_query("/notices", {"before": last}) if last else None
        return frame.page(
            "tasks/notices.html", {"groups": groups, "unread": notices.unread(frame.actor()), "older": older}
        )
    unread, shown = notices.unread(frame.actor()), request.args.get("shown", "")
    body = "" if shown == str(unread) else frame.render("layouts/bell.html", {"unread": unread})
    if not shown:  # the first time on a page, what the rail counts comes along
        body += frame.render("layouts/waiting.html", rail.waiting(frame.actor()))
    answer = make_response(body, 200 if body else 204)
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def _page(before: str | None) -> tuple[list[_Line], str | None]:
    """The lines of a page, and its last notice if there are older ones. Where most of them fold, the next ones are read too: a hundred of a kind hide nothing else."""
    listed: list[notices.Notice] = []
    while True:
        known = notices.notices_of(frame.actor(), notices.SHOWN + 1, listed[-1].id if listed else before)
        listed += known[: notices.SHOWN]
        lines, last = _folded(listed), listed[-1].id if len(known) > notices.SHOWN else None
        if last is None or len(lines) >= ENOUGH or len(listed) >= MOST_READ:
            return lines, last


def _folded(told: Sequence[notices.Notice]) -> list[_Line]:
    """What is of one kind, `FOLDED` and more, under its words where the newest of it stands; everything else by itself, under no words."""
    of_kind: dict[str, list[notices.Notice]] = {}
    for notice in told:
        of_kind.setdefault(notice.alike, []).append(notice)
    lines: list[_Line] = []
    for notice in told:
        alike = of_kind[notice.alike]
        if len(alike) < FOLDED:
            lines.append(("", [notice]))
        elif notice is alike[0]:
            lines.append((notice.kind, alike))
    return lines


@blueprint.post("/notices/read")
def read_all() -> Response:
    """Mark all notices as read."""
    notices.read_all(frame.actor())
    return frame.redirect_to("/notices")


@blueprint.post("/notices/<notice_id>/read")
def read(notice_id: str) -> Response:
    """Mark a notice as read and go to what it is about."""
    return frame.redirect_to(notices.read(frame.actor(), notice_id))
