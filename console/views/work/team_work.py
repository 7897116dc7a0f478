"""Work: every live run, ticket, approval and task of the reader's teams, in groups, with filters in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, request

from console import workflows
from console.auth import accounts
from console.auth.accounts import absences
from console.browse import saved_segments
from console.core.actor import Actor
from console.core.errors import Invalid, Malformed
from console.views import frame
from console.views.browse.saved_segments import audience_words
from console.views.work.my_work import count_words, due_words, short_span
from console.work import tickets, work_list, work_moves
from console.work.work_list import GROUPS, NOBODY, Filters, Group, Item
from console.work.work_moves import Chosen, Moved
from console.workflows import inboxes
from console.workspaces import inbox_rules

blueprint = Blueprint("work", __name__)

PAGE_SIZE = 50
BY = {"person": "Person", "workflow": "Workflow", "state": "State", "due": "Due"}
STATES = {
    "in_progress": "In progress",
    "inbox": "In an inbox",
    "snoozed": "Snoozed",
    "saved": "To Continue",
    "waiting": "Waiting",
    "approval": "Approval",
    "task": "Task",
}
DUE = {
    "overdue": "Overdue",
    "today": "Due today",
    "week": "Due in 7 days",
    "later": "Due later",
    NOBODY: "No due time",
}
KINDS = {"run": "Runs", "ticket": "Tickets", "approval": "Approvals", "task": "Tasks"}
UNASSIGNED = "Unassigned"
DO = {
    "reassign": ("Reassign", "reassigned"),
    "release": ("Release", "released"),
    "hand_over": ("Hand over", "handed over"),
}
"""What is done with chosen work → the button, and what has been done."""
DONE = {do: done for do, (_, done) in DO.items()} | {"undo": "taken back"}
NO_FILTERS = ("by", "after", "view", "do", "item", "q", "user", "inbox", "reason")


@dataclass(frozen=True, slots=True)
class Line:
    """An item, ready to be drawn. `about` is what kind of work it is, and of which workflow."""

    id: str
    title: str
    href: str
    about: str
    step: str
    holder: str
    away: str
    since: datetime
    waiting: str
    waits_for: str
    due: str
    due_exactly: str
    tone: str
    choice: str


@blueprint.get("/work")
def show() -> Response:
    """Show the list, grouped `by` person, workflow, state or due."""
    return _drawn()


@blueprint.route("/work-move", methods=["GET", "POST"])
def move() -> Response:
    """Ask to whom or where the chosen work goes and why, then show what came of it."""
    do = request.values.get("do", "")
    if do not in DO:
        raise Malformed(f"Work is not moved by {do[:20]}.", at=("do", f"One of {', '.join(DO)}."))
    chosen = [Chosen.parse(text) for text in request.values.getlist("item")]
    if request.method != "POST":
        return _dialog(do, chosen)
    who, form = frame.actor(), request.form
    reason, user, inbox = form.get("reason", "").strip(), form.get("user", ""), form.get("inbox", "")
    if (do == "reassign" and not user) or (do == "hand_over" and not inbox):
        wanted = "Choose a person." if do == "reassign" else "Choose an inbox."
        return _dialog(do, chosen, error=wanted, status=422)
    try:
        if do == "reassign":
            moved = work_moves.reassign(who, chosen, user, reason)
        elif do == "release":
            moved = work_moves.release(who, chosen, reason)
        else:
            moved = work_moves.hand_over(who, chosen, inbox, reason)
    except Invalid as wrong:
        return _dialog(do, chosen, error=str(wrong.details[0]["reason"]), status=422)
    return _drawn(moved=moved, done=DO[do][1])


@blueprint.post("/work-undo")
def undo() -> Response:
    """Take a move back."""
    chosen = [Chosen.parse(text) for text in request.form.getlist("item")]
    return _drawn(moved=work_moves.undo(frame.actor(), chosen), done=DONE["undo"], undone=True)


@blueprint.get("/work-moves")
def moves() -> Response:
    """Show who moved what last, each with a way to take it back."""
    found = work_moves.recent_moves(frame.actor())
    lines = [(move, f"{len(move.items)} {DONE[move.do]}", _items(move.items)) for move in found]
    return frame.page("work/moves.html", {"moves": lines})


@blueprint.post("/work-views")
def save_view() -> Response:
    """Save the filters of the address as a tab, or remove one."""
    who, form = frame.actor(), request.form
    if form.get("do") == "remove":
        saved_segments.remove_work_view(who, form.get("view", ""))
        return frame.redirect_to("/work")
    filters, by = _read_address()
    query = filters.to_query() | {"by": by}
    try:
        made = saved_segments.save_work_view(who, form.get("label", ""), form.get("audience", ""), query)
    except Invalid as wrong:
        return _drawn(error=wrong.message, status=422)
    flash("Saved: it stands among the tabs.")
    return frame.redirect_to(frame.with_query("/work", query | {"view": made}))


def _read_address() -> tuple[Filters, str]:
    """Return the filters and the grouping of the address. Raises Malformed."""
    given = {name: value for name, value in request.args.items() if name not in NO_FILTERS and value}
    by = request.args.get("by", "") or GROUPS[0]
    if by not in GROUPS:
        raise Malformed(f"Work is not grouped by {by[:20]}.", at=("by", f"One of {', '.join(GROUPS)}."))
    return Filters.parse(given), by


def _address(**changes: str | None) -> str:
    """Return the address of the list with these parameters changed; None removes one."""
    filters, by = _read_address()
    return frame.with_query("/work", {**filters.to_query(), "by": by, **changes})


def _drawn(
    *, error: str = "", moved: Sequence[Moved] = (), done: str = "", undone: bool = False, status: int = 200
) -> Response:
    who, (filters, by) = frame.actor(), _read_address()
    page = work_list.find(who, filters, limit=PAGE_SIZE, after=request.args.get("after") or None)
    found = work_list.groups(who, filters, by)
    views = saved_segments.work_views(who)
    view = next((each for each in views if each.id == request.args.get("view")), None)
    lines = [_line(item) for item in page.items]
    context = {
        "lines": lines,
        "by": by,
        "bys": [(label, _address(by=name), name == by) for name, label in BY.items()],
        "groups": [_group(group, by, getattr(filters, by)) for group in found[:-1]],
        "total": _count(next((each for each in found if each.value == getattr(filters, by)), found[-1])),
        "chips": _chips(filters, found, by),
        "kinds": [(label, _address(kind=kind), kind == filters.kind) for kind, label in KINDS.items()],
        "away": _address(away="1"),
        "views": [
            (each.label, frame.with_query("/work", {**each.query, "view": each.id}), each is view)
            for each in views
        ],
        "view": view,
        "inboxes": work_inboxes(who),
        "new_inbox": inbox_rules.teams_of(who)
        and frame.with_query(
            "/inbox/new", {"workflow": filters.workflow or None, "team": filters.team or None}
        ),
        "saves": frame.with_query("/work-views", filters.to_query() | {"by": by}),
        "audiences": [(each, audience_words(each)) for each in saved_segments.audiences(who)],
        "label": request.form.get("label", ""),
        "error": error,
        "moves": any(line.choice for line in lines),
        "filtered": bool(filters.to_query()),
        "kept": [*filters.to_query().items(), ("by", by)],
        "moved": [each for each in moved if each.undo],
        "left": [each for each in moved if not each.undo],
        "done": done,
        "undo_items": _items([each.undo for each in moved if each.undo]),
        "undo": "" if undone else frame.with_query("/work-undo", {**filters.to_query(), "by": by}),
        "first": _address() if request.args.get("after") else None,
        "next": _address(after=page.next) if page.next else None,
    }
    return frame.page("work/page.html", context, blocks={"work": "list"}, status=status)


def work_inboxes(who: Actor) -> list[tuple[str, str, str, int]]:
    """Return the reader's inboxes as tabs: title, address, number of tickets, and of overdue ones."""
    readable = inboxes.inboxes_of(who)
    counts = tickets.count(who, readable) if readable else {}
    return [
        (inbox.title, f"/inbox/{inbox.id}", count_words(counts[inbox.id]), counts[inbox.id].late.overdue)
        for inbox in readable
    ]


def _dialog(do: str, chosen: Sequence[Chosen], *, error: str = "", status: int = 200) -> Response:
    """Ask for the person or the inbox, and the reason: a page of its own, or a dialog over the list."""
    text, (filters, by) = request.values.get("q", ""), _read_address()
    kinds = work_moves.assignable(frame.actor(), chosen)
    found = work_moves.people(frame.actor(), chosen, kinds, text) if do == "reassign" else []
    away = absences.away_words([each.id for each in found])
    many = len(chosen)
    context = {
        "verb": DO[do][0],
        "head": f"{DO[do][0]} {many} selected",
        "crumbs": [("/work", "Work")],
        "action": frame.with_query("/work-move", {**filters.to_query(), "by": by}),
        "back": _address(),
        "hidden": [("do", do), *_items(chosen)],
        "people": [
            {
                "id": each.id,
                "name": each.name,
                "email": each.email,
                "reason": "",
                "away": away.get(each.id, ""),
            }
            for each in found
        ],
        "asks_person": do == "reassign",
        "inboxes": work_moves.inboxes_for(kinds) if do == "hand_over" else None,
        "q": text,
        "error": error or ("" if chosen else "Choose one or more rows first."),
        "reason": request.form.get("reason", ""),
        "reason_required": True,
        "chosen": request.form.get("user", "") or request.form.get("inbox", ""),
        "target": "#work",
    }
    answer = frame.page(
        "inbox/assign.html", context, blocks={"people": "people", "*": "dialog"}, status=status
    )
    if frame.wants_fragment() and request.method == "POST":
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _items(chosen: Sequence[Chosen]) -> list[tuple[str, str]]:
    return [("item", each.to_text()) for each in chosen]


def _count(group: Group) -> str:
    return "" if group.count is None else f"{group.count:,}{'+' if group.more else ''}"


def _group(group: Group, by: str, chosen: str) -> Mapping[str, Any]:
    """Return a group as a row: its name, number and address; that of the chosen one leads back to all of them."""
    here = group.value == chosen
    return {
        "label": group.label or _label(by, group.value),
        "count": _count(group),
        "href": _address(**{by: None if here else group.value}),
        "here": here,
    }


def _label(name: str, value: str) -> str:
    match name:
        case "state":
            return STATES[value]
        case "due":
            return DUE[value]
        case "kind":
            return KINDS[value]
        case "away":
            return "With people who are away"
        case "person":
            return UNASSIGNED if value == NOBODY else accounts.names([value]).get(value, "A former colleague")
        case "workflow":
            known = workflows.find_known(value)
            return known.title if known is not None else value
    return next((team.name for team in accounts.teams() if team.id == value), value)


def _chips(filters: Filters, found: list[Group], by: str) -> list[frame.Chip]:
    """Return the filters in force; the one by which the list is grouped stands in its group."""
    return [
        frame.Chip(_label(each.name, value), _address(**{each.name: None}))
        for each in fields(filters)
        if (value := getattr(filters, each.name))
        and not (each.name == by and any(group.value == value for group in found))
    ]


def _line(item: Item) -> Line:
    run, look = item.run, frame.look()
    _, due, exactly, tone = due_words(item.due, look)
    href = f"/approvals/{item.id}" if item.kind == "approval" else frame.run_url(run.id)
    kind = "" if item.kind == "run" else f"{STATES.get(item.kind, 'Ticket')}, "
    chosen = (
        Chosen(item.id, holder=item.person or "")
        if item.kind in ("task", "approval")
        else Chosen(run.id, run.revision)
    )
    return Line(
        item.id,
        item.title,
        href,
        f"{kind}{run.workflow_title}",
        run.step_title or "–",
        item.person_name or ("" if item.person else UNASSIGNED),
        item.away,
        item.since,
        short_span((look.now - item.since).total_seconds()),
        item.waits_for or STATES[item.state],
        due,
        exactly,
        tone,
        chosen.to_text() if item.movable else "",
    )
