"""My work, as rows of Home: each thing that waits for the reader, why, since when, by when, and the one button that goes on with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect

from console import steps, workflows
from console.auth import accounts
from console.authoring import publication
from console.permissions.second_admin import Request
from console.runs import RunHead
from console.views import assets, formats, frame
from console.views.formats import Look
from console.work.approvals import Line
from console.work.due_times import earliest, end_of_day
from console.work.my_work import MOST, Work
from console.work.questions import Asked
from console.work.tasks import Task
from console.work.tickets import Count
from console.work.waiting_reasons import Reason
from console.workflows import Review

blueprint = Blueprint("my_work", __name__)

SOON_S = 2 * 3600
WEEK_DAYS = 7
NO_NAME = "A record that you cannot see now"
RESUMES = "resume"
"""Parameter of a record's address with the saved run that goes on when the page opens."""
TABS = {
    "with": "Assigned",
    "continue": "To Continue",
    "decide": "Approvals",
    "asked": "Tasks",
    "instead": "In place of others",
}
"""Kinds of work, as in `?show=`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that waits. `kind` is one of TABS; `resume` is the revision if a button resumes it; `tile` is (family, icon).

    `record` is the address of its record, where a saved run resumes by itself; empty where the reader may not see it.
    """

    kind: str
    title: str
    words: str
    why: str
    href: str
    at: datetime
    due: date | None = None
    button: str = "Open"
    resume: int | None = None
    tile: tuple[str, str] = ("quiet", "checklist")
    record: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row with its age and due day in words. `tone` is "late", "soon" or ""."""

    row: Row
    group: str
    age: str
    due: str
    exactly: str
    tone: str


@blueprint.get("/my-work")
def show() -> Response:
    """Redirect to Home, which My work is a part of."""
    return make_response(redirect("/", 303))


def rows(work: Work, reader: str) -> list[Row]:
    """Return everything that waits, in no order."""
    return [
        *(run_row(head, work.why.get(head.id), "with", reader) for head in work.in_hand),
        *(run_row(head, work.why.get(head.id), "continue", reader) for head in work.to_continue),
        *(_approval(line, work.why.get(line.run)) for line in work.to_decide),
        *_reviews(work.publishing),
        *_rights(work.rights),
        *(_question(question) for question in work.questions),
        *(_task(task) for task in work.tasks),
        *(_instead(head, name, work.why.get(head.id), reader) for head, name in work.instead),
    ]


def run_row(head: RunHead, why: Reason | None, kind: str, reader: str) -> Row:
    """Return a run as something that waits."""
    waits = head.status in ("waiting_time", "waiting_event", "running")
    saved = kind == "continue"
    last = why.last_holder if why else None
    by = (
        "saved by you"
        if last == reader
        else f"{'saved' if last == head.started_by else 'saved, begun'} by {first_name(head.starter_name)}"
    )
    named = head.about if head.about and (head.item or head.record_title != head.record) else ""
    return Row(
        kind,
        named or (NO_NAME if head.record else head.workflow_title),
        ", ".join(filter(None, [head.workflow_title, by if saved else head.step_title])),
        why.words if why else "",
        frame.run_url(head.id),
        head.active_at if saved else head.created_at,
        why.due if why else None,
        "Resume" if saved else "Open" if waits else "Continue",
        head.revision if saved else None,
        _tile(head),
        frame.with_query(frame.record_url(head.collection, head.record), {RESUMES: head.id})
        if saved and named and head.collection
        else "",
    )


def _instead(head: RunHead, name: str, why: Reason | None, reader: str) -> Row:
    """Return a run of somebody who is away as something that waits for who stands in."""
    row = run_row(head, why, "with", reader)
    return replace(
        row, kind="instead", words=f"With {first_name(name)}, who is away: {row.words}", button="Open"
    )


def _tile(head: RunHead) -> tuple[str, str]:
    """Return family and icon of the step at which the run stands."""
    if head.step is None:
        return ("quiet", "route")
    definition = workflows.readable_version(head.workflow_id, head.version)
    known = definition.document.steps if definition is not None else []
    kind = steps.all_types().get(next((step.type for step in known if step.id == head.step), ""))
    return (kind.family, kind.icon) if kind else ("action", assets.UNKNOWN_ICON)


def _approval(line: Line, why: Reason | None) -> Row:
    approval = line.approval
    due = earliest(why.due if why else None, approval.until)
    return Row(
        "decide",
        line.record_title or line.label,
        f"Approval, asked by {first_name(line.requester_name)}",
        approval.why or line.label,
        f"/approvals/{line.id}",
        approval.requested_at,
        due,
        "Decide",
        tile=("quiet", "shield-check"),
    )


def _reviews(reviews: Sequence[Review]) -> list[Row]:
    """Return the requests to publish; their notes say why."""
    names = accounts.names({each.requested_by for each in reviews}) if reviews else {}
    return [
        Row(
            "decide",
            each.title,
            f"Publishing, asked by {first_name(names.get(each.requested_by, 'somebody'))}",
            each.note,
            publication.address(each.id),
            each.requested_at,
            button="Decide",
            tile=("quiet", "upload"),
        )
        for each in reviews
    ]


def _rights(requests: Sequence[Request]) -> list[Row]:
    """Return the rights on records that administrators ask for roles of their own."""
    names = accounts.names({each.requested_by for each in requests}) if requests else {}
    return [
        Row(
            "decide",
            "A right on records",
            f"Asked by {first_name(names.get(each.requested_by, 'somebody'))} for a role of their own",
            each.note,
            each.address,
            each.requested_at,
            button="Decide",
            tile=("quiet", "shield-check"),
        )
        for each in requests
    ]


def _question(question: Asked) -> Row:
    return Row(
        "asked",
        question.about,
        question.away or "A question to you",
        f"“{question.title}”",
        f"/answers/{question.id}",
        question.asked_at,
        question.until,
        "Answer",
        tile=("quiet", "message"),
    )


def _task(task: Task) -> Row:
    return Row(
        "asked",
        task.title,
        ", ".join(
            filter(
                None,
                [
                    f"Task for {first_name(task.assignee or '')}, {task.away}" if task.away else "Task",
                    _about(task),
                ],
            )
        ),
        "",
        "/tasks",
        task.created_at,
        task.due_on,
        "Open",
        tile=("quiet", "checklist"),
    )


def _about(task: Task) -> str:
    """Return the workflow and the record of the task; the record only if the title does not name it."""
    workflow, _, record = task.about.partition(", ")
    return workflow if record and record in task.title else task.about


def draw_rows(found: Iterable[Row], look: Look) -> list[Drawn]:
    """Return the rows in the order in which they are due, then the oldest first; each with its group Overdue, Today or Later."""
    ready = [_drawn(row, look) for row in found]
    return sorted(
        ready,
        key=lambda entry: (ORDER.index(entry.group), *order_key(entry.row.due), entry.row.at),
    )


ORDER = ("Overdue", "Today", "Later")


def _drawn(row: Row, look: Look) -> Drawn:
    group, words, exactly, tone = due_words(row.due, look)
    return Drawn(row, group, short_span((look.now - row.at).total_seconds()), words, exactly, tone)


def due_words(due: date | None, look: Look) -> tuple[str, str, str, str]:
    """Return group, words, exact day or moment, and tone of a due day: ("Overdue", "2 d overdue", "19 Nov 2026", "late")."""
    at = _moment(due, look)
    if at is None:
        return "Later", "–", "no due day", ""
    left = (at - look.now).total_seconds()
    exactly = (
        formats.full_moment(at, look)
        if isinstance(due, datetime)
        else formats.times.day_words(str(due), look.locale)
    )
    if left < 0:
        return "Overdue", f"{short_span(-left)} overdue", exactly, "late"
    there, today = (formats.times.within(moment, look.zone).date() for moment in (at, look.now))
    if there == today:
        words = formats.clock(at, look) if isinstance(due, datetime) else "today"
        return "Today", words, exactly, "soon" if left < SOON_S else ""
    shape = "EEE d MMM" if (there - today).days < WEEK_DAYS or there.year == today.year else "d MMM y"
    return "Later", formats.times.worded(at, shape, look), exactly, ""


def due_badge(due: date | None, look: Look) -> frame.Badge | None:
    """Return by when something is due as a badge; None where nothing says so."""
    if due is None:
        return None
    group, words, exactly, tone = due_words(due, look)
    said = words if group == "Overdue" else f"Due {words}"
    return frame.Badge(said, {"late": "bad", "soon": "warn"}.get(tone, ""), "clock", exactly)


def order_key(due: date | None) -> tuple[bool, datetime]:
    """Return by what things that are due are put in order; what never is comes last."""
    return due is None, end_of_day(due) if due else datetime.max.replace(tzinfo=UTC)


def _moment(due: date | None, look: Look) -> datetime | None:
    """Return when something is due: of a day its end in the reader's zone."""
    if due is None or isinstance(due, datetime):
        return due
    return datetime.combine(due, time(23, 59, 59), ZoneInfo(look.zone)).astimezone(UTC)


def short_span(seconds: float) -> str:
    """Return a length of time in its largest unit: "40 min", "3 h", "12 d"."""
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 24:
        return f"{hours} h"
    return f"{hours // 24} d"


def first_name(name: str) -> str:
    """Return how colleagues call somebody; "a colleague" for nobody known."""
    return name.split(maxsplit=1)[0] if name.strip() else "a colleague"


def clock_or_day(value: datetime | None, look: Look) -> str:
    """Return the time of a moment today, else its day; the year only where it is another one."""
    if value is None:
        return ""
    there, today = (formats.times.within(at, look.zone).date() for at in (value, look.now))
    shape = "HH:mm" if there == today else "EEE d MMM" if there.year == today.year else "d MMM y"
    return formats.times.worded(value, shape, look)


def sentence(found: Iterable[Drawn], *, more: bool) -> tuple[str, str]:
    """Return the title of Home: (what waits, what of it is overdue or "")."""
    every = list(found)
    late = sum(entry.group == "Overdue" for entry in every)
    if not every:
        return "Nothing waits for you.", ""
    many = f"{len(every)}{'+' if more else ''}"
    begins = "1 thing waits for you" if len(every) == 1 and not more else f"{many} things wait for you"
    return (f"{begins}, ", f"{late} {'is' if late == 1 else 'are'} overdue") if late else (begins, "")


def tabs(found: Iterable[Drawn], chosen: str, *, more: bool) -> list[Mapping[str, object]]:
    """Return the tabs with their numbers: All and those of TABS that have rows; "50+" where a list ends before all have come."""
    every = [entry.row.kind for entry in found]
    offered = [
        ("", "All", len(every)),
        *((kind, label, every.count(kind)) for kind, label in TABS.items() if kind in every),
    ]
    return [
        {
            "href": f"/?show={kind}" if kind else "/",
            "label": label,
            "n": f"{number}{'+' if more and number >= MOST else ''}",
            "here": kind == chosen,
        }
        for kind, label, number in offered
    ]


def count_words(count: Count) -> str:
    """Return how many tickets there are: "10,000+" if not all were counted, "?" if their data source does not answer."""
    return (
        f"{count.to_do:,}{'+' if count.more or count.down else ''}" if count.to_do or not count.down else "?"
    )
