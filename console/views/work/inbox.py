"""Inboxes: open tickets, who works on what, taking the next ticket, and assigning tickets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from console import runs
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, Malformed
from console.core.plain_words import uncapitalised
from console.views import formats, frame
from console.views.browse import list_preview
from console.views.work.my_work import count_words, due_words
from console.work import ticket_assignment, tickets
from console.work.ticket_assignment import Given
from console.work.tickets import Ticket
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

PAGE_SIZE = 50
VIEWS = {"todo": "To do", "doing": "Doing", "backlog": "Backlog"}
_PRIORITY = {
    "urgent": frame.Badge("Urgent", "bad", "alert-triangle"),
    "high": frame.Badge("High", "warn", "chevron-up"),
    "low": frame.Badge("Low", "", "chevron-down"),
}
_KINDS = {"handed_on": "Handed on", "saved": "To continue", "record": "Not started"}


@dataclass(frozen=True, slots=True)
class Line:
    """A ticket of a list, ready to be rendered."""

    id: str
    title: str
    href: str
    kind: str
    words: str
    reason: str
    priority: frame.Badge | None
    at: datetime | None
    age: str
    with_whom: frame.Badge | None
    due: str = ""
    due_exactly: str = ""
    late: bool = False
    next_because: str = ""
    snoozes: bool = False


@blueprint.get("")
def every() -> Response:
    """Redirect to Work, where the inboxes are."""
    return frame.redirect_to("/work")


@blueprint.get("/<name>")
def show(name: str) -> Response:
    """Show one inbox: `?view=` todo, doing or backlog."""
    return _drawn(name)


@blueprint.post("/<name>/next")
def take_next(name: str) -> Response:
    """Take and open the next ticket; if there is none, the list says so."""
    try:
        return frame.redirect_to(frame.run_url(tickets.take_next(frame.actor(), name)))
    except Conflict:
        return frame.redirect_to(url(name))


@blueprint.post("/<name>/take")
def take(name: str) -> Response:
    """Take and open one ticket; if somebody else was quicker, show the present list and the reason."""
    try:
        return frame.redirect_to(
            frame.run_url(tickets.take(frame.actor(), name, request.form.get("ticket", "")))
        )
    except Conflict as conflict:
        return _drawn(name, error=conflict.message, status=409)


@blueprint.route("/<name>/snooze", methods=["GET", "POST"])
def snooze(name: str) -> Response:
    """Ask until which day a ticket is not offered and why, then take it out of the queue."""
    who, run_id = frame.actor(), request.values.get("ticket", "")
    inbox = inboxes.visible_inbox(who, name)
    ticket = tickets.ticket_by_id(who, inbox, run_id)
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            until = frame.midnight(request.form, "until")
            if until is None:
                raise Invalid("It is not snoozed.", at=("until", "Choose a day."))
            runs.snooze(
                who, run_id, revision=None, until=until, reason=request.form.get("reason", "").strip()
            )
            return frame.redirect_to(url(name))
        except (Invalid, Malformed) as error:
            wrong = {str(detail["field"]): str(detail["reason"]) for detail in error.details}
    context = {"inbox": inbox, "ticket": ticket, "typed": request.form, "wrong": wrong}
    return frame.page("inbox/snooze.html", context, status=422 if wrong else 200)


@blueprint.route("/<name>/assign", methods=["GET", "POST"])
def assign(name: str) -> Response:
    """Ask to whom the chosen tickets go, then show the result for each."""
    chosen = request.values.getlist("ticket")
    if request.method != "POST":
        return _assign_dialog(name, chosen)
    user = request.form.get("user", "")
    if not user:
        return _assign_dialog(name, chosen, error="Choose a person.", status=422)
    try:
        given = ticket_assignment.assign(
            frame.actor(), name, chosen, user, request.form.get("reason", "").strip()
        )
    except Invalid as wrong:
        return _assign_dialog(name, chosen, error=wrong.message, status=422)
    return _done(name, given)


@blueprint.post("/<name>/unassign")
def unassign(name: str) -> Response:
    """Take the chosen tickets from the people who have them."""
    try:
        given = ticket_assignment.unassign(frame.actor(), name, request.form.getlist("ticket"))
    except Invalid as wrong:
        return _drawn(name, view="backlog", error=wrong.message, status=422)
    return _done(name, given)


def url(name: str, rest: str = "", **query: str | None) -> str:
    """Return the address of an inbox or of one of its pages."""
    given = {key: value for key, value in query.items() if value}
    return f"/inbox/{name}" + (f"/{rest}" if rest else "") + (f"?{urlencode(given)}" if given else "")


# -- what the pages draw


def _drawn(
    name: str, *, view: str = "", error: str = "", refused: Sequence[Given] = (), status: int = 200
) -> Response:
    who = frame.actor()
    inbox = inboxes.visible_inbox(who, name)
    manages, works = inboxes.may(who, inbox, "manage"), inboxes.may(who, inbox, "work")
    view = view or request.args.get("view", "")
    view = view if view in VIEWS and (view != "backlog" or manages) else "todo"
    page = (
        tickets.to_do(who, name, limit=PAGE_SIZE, after=request.args.get("after")) if view == "todo" else None
    )
    listed, following = (page.tickets, page.next) if page else _in_hand(who, name, view)
    count = tickets.count(who, [inbox])[name]
    tabs = [
        {
            "label": label,
            "href": url(name, view=None if key == "todo" else key),
            "here": key == view,
            "count": count_words(count) if key == "todo" else "",
        }
        for key, label in VIEWS.items()
        if key != "backlog" or manages
    ]
    context = {
        "inbox": inbox,
        "view": view,
        "tabs": tabs,
        "lines": _lines(listed, who, inbox, first=view == "todo" and works and not request.args.get("after")),
        **_previewed(listed),
        **frame.page_places(following, request.args.get("after")),
        "manages": manages,
        "works": works,
        "takes": works and view == "todo",
        "count": count,
        "total": count_words(count),
        "rule": inboxes.rule(inbox),
        "down": page.down if page else None,
        "error": error,
        "refused": refused,
    }
    return frame.page("inbox/page.html", context, blocks={"preview": "preview"}, status=status)


def _previewed(listed: Sequence[Ticket]) -> dict[str, Any]:
    """Return what the pane beside the list draws of the ticket that the address names; nothing without one."""
    ticket = next(
        (each for each in listed if each.id == request.args.get("preview") and each.collection), None
    )
    if ticket is None:
        return {"preview": None}
    return list_preview.previewed(ticket.collection or "", ticket.record)


def _lines(listed: Sequence[Ticket], who: Actor, inbox: Inbox, *, first: bool) -> list[Line]:
    lines = [ticket_line(ticket, who) for ticket in listed]
    if first and lines:
        lines[0] = replace(lines[0], next_because=_next_because(listed[0], lines[0], inbox))
    return lines


def _next_because(ticket: Ticket, line: Line, inbox: Inbox) -> str:
    """Return why this ticket is the next that is taken, in a sentence."""
    if ticket.kind == "handed_on":
        return "Next because it was handed on"
    if ticket.kind == "saved":
        return "Next because it was begun, and is to be continued before anything new"
    if ticket.due is not None:
        return f"Next because it is {line.due}" if line.late else f"Next because it is due first, {line.due}"
    if ticket.sorted_by is not None:
        last = (inbox.source.sort or "").startswith("-") if inbox.source else False
        return (
            f"Next because its {uncapitalised(ticket.sorted_by[0].label)} comes {'last' if last else 'first'}"
        )
    return "Next because it comes first in the list"


def _in_hand(who: Actor, name: str, view: str) -> tuple[list[Ticket], str | None]:
    list_view = tickets.doing if view == "doing" else tickets.backlog
    return list_view(who, name, limit=PAGE_SIZE, after=request.args.get("after"))


def ticket_line(ticket: Ticket, who: Actor) -> Line:
    """Return a ticket as a line of a list."""
    run, look = ticket.run, frame.look()
    href = frame.run_url(run.id) if run else frame.record_url(ticket.collection or "", ticket.record)
    workflow = run.workflow_title if run else ""
    badge = None
    if run is not None and run.holder:
        badge = (
            frame.Badge("You", "info", "user")
            if run.holder == who.id
            else frame.Badge(f"With {run.holder_name or 'a colleague'}", "info", "user")
        )
    group, due, exactly, _ = due_words(ticket.due, look)
    return Line(
        due=due if ticket.due else "",
        due_exactly=exactly if ticket.due else "",
        late=group == "Overdue",
        id=ticket.id,
        title=ticket.title,
        href=href,
        kind=_KINDS.get(ticket.kind, ""),
        words=" · ".join(filter(None, [workflow, run.step_title if run else None])),
        reason=_why(ticket, look),
        priority=_PRIORITY.get(ticket.priority),
        at=ticket.since,
        age=formats.span((look.now - ticket.since).total_seconds(), look) if ticket.since else "",
        with_whom=badge,
        snoozes=ticket.kind == "handed_on",
    )


def works_in(who: Actor, inbox: Inbox) -> bool:
    """Return whether the person may take tickets of the inbox."""
    return inboxes.may(who, inbox, "work")


def _why(ticket: Ticket, look: formats.Look) -> str:
    """Return why and by whom a run was handed on; for a record that is never due, the value that sorts it."""
    if ticket.sorted_by is not None:
        if ticket.due is not None:
            return ""
        what, value = ticket.sorted_by
        return f"{what.label}: {formats.text(formats.kind(what.to_json()), value, look)}"
    return f"{ticket.by_name}: {ticket.reason}" if ticket.by_name and ticket.reason else ticket.reason


def _assign_dialog(name: str, chosen: list[str], *, error: str = "", status: int = 200) -> Response:
    """Ask to whom the tickets go: a page of its own, or a dialog over the open page."""
    who, text = frame.actor(), request.values.get("q", "")
    inbox = inboxes.visible_inbox(who, name)
    found = tickets.people(who, name, text)
    away = absences.away_words([person.id for person in found])
    people: list[dict[str, Any]] = [
        {
            "id": person.id,
            "name": person.name,
            "email": person.email,
            "reason": "",
            "away": away.get(person.id, ""),
        }
        for person in found
    ]
    many = len(chosen)
    context = {
        "head": f"Assign {many} {'ticket' if many == 1 else 'tickets'} of {inbox.title}",
        "crumbs": [("/work", "Work"), (url(name), inbox.title)],
        "action": url(name, "assign"),
        "back": url(name, view="backlog"),
        "hidden": [("ticket", ticket) for ticket in chosen],
        "people": people,
        "q": text,
        "error": error or ("" if chosen else "Choose one or more tickets first."),
        "reason": request.form.get("reason", ""),
        "chosen": request.form.get("user", ""),
        "target": "",
    }
    answer = frame.page(
        "inbox/assign.html", context, blocks={"people": "people", "*": "dialog"}, status=status
    )
    if frame.wants_fragment() and request.method == "POST":
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _done(name: str, given: list[Given]) -> Response:
    """Return to the list, with the tickets that failed, if any."""
    if all(result.run is not None for result in given):
        return frame.redirect_to(url(name, view="backlog"))
    return _drawn(
        name, view="backlog", refused=[result for result in given if result.run is None], status=409
    )
