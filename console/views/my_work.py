"""My work: everything that waits for the reader on one page, each with its age and a link."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zlib import crc32

from flask import Blueprint, Response, make_response, request

from console.core.actor import Actor
from console.runs import RunHead
from console.views import frame
from console.work import approvals, my_work, questions, tasks
from console.work.tickets import Count

blueprint = Blueprint("my_work", __name__)

POLL_S = 15
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that waits. `words` say its state, `at` since when; `resume` is the revision if a button resumes it."""

    title: str
    words: str
    href: str
    at: datetime | None
    badge: frame.Badge | None = None
    button: str = "Open"
    resume: int | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A list of the page. `rows` reads what waits for a person, earliest due first; `nothing` is shown if there is none."""

    name: str
    title: str
    nothing: str
    icon: str
    rows: Callable[[Actor], list[Row]]


def _approvals(who: Actor) -> list[Row]:
    return [
        Row(line.record_title or line.label, " · ".join(filter(None, [line.label, line.requester_name])), f"/approvals/{line.id}",
            line.approval.requested_at, due=line.approval.until)
        for line in approvals.to_review(who, limit=SHOWN).lines
    ]  # fmt: skip


def _tasks(who: Actor) -> list[Row]:
    waiting_questions = [
        Row(question.title, question.about, f"/answers/{question.id}", question.asked_at, button="Answer", due=question.until)
        for question in questions.open_for(who)
    ]
    due = [
        Row(task.title, task.about, "/tasks", task.created_at,
            due=datetime.combine(task.due_on, time.max, UTC) if task.due_on else None)
        for task in tasks.tasks_of(who)
    ]  # fmt: skip
    return waiting_questions + due


MORE: tuple[Section, ...] = (
    Section("approvals", "To approve", "Nobody waits for your approval.", "shield-check", _approvals),
    Section("tasks", "Tasks and questions", "You have no task, and nobody asks you anything.", "checklist", _tasks),
)
"""Sections of other families, below runs and inboxes."""


@blueprint.get("/my-work")
def show() -> Response:
    """Show the page. Polled by the page, it answers 204 while nothing changed."""
    context = waiting(frame.actor())
    if frame.wants_fragment() and request.args.get("seen") == context["seen"]:
        return make_response("", 204)
    return frame.page("my_work/page.html", context, blocks={"work": "work"})


def waiting(who: Actor) -> dict[str, object]:
    """Return everything that the page draws, and `seen`, which changes only if something changed."""
    work = my_work.work_of(who)
    held, saved = [row(head) for head in work.in_hand], [row(head) for head in work.to_continue]
    inboxes = [(inbox, count, count_words(count)) for inbox, count in work.inboxes]
    more = [(section, section.rows(who)) for section in MORE]
    state = [work.in_hand, work.to_continue, [(inbox.id, words) for inbox, _, words in inboxes], [rows for _, rows in more]]
    return {"held": held, "saved": saved, "inboxes": inboxes, "more": more, "seen": f"{crc32(repr(state).encode()):x}", "poll": POLL_S}


def row(head: RunHead) -> Row:
    """Return a run as something that waits."""
    takes_up = head.status == "saved"
    return Row(
        title=head.record_title or head.workflow_title,
        words=" · ".join(filter(None, [head.workflow_title, head.step_title])),
        href=frame.run_url(head.id),
        at=head.active_at,
        badge=frame.status_badge(
            head.status, head.holder, frame.actor().id, {head.holder or "": head.holder_name}, ticket=bool(head.ticket)
        ),
        button="Resume" if takes_up else "Open",
        resume=head.revision if takes_up else None,
    )


def count_words(count: Count) -> str:
    """Return how many tickets there are: "10,000+" if not all were counted, "?" if their data source does not answer."""
    return f"{count.to_do:,}{'+' if count.more or count.down else ''}" if count.to_do or not count.down else "?"
