"""Home: what waits for the reader, their inboxes, what ended today, and where their records are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from zlib import crc32

from flask import Blueprint, Response, flash, make_response, request

from console import browse, monitoring, runs, workflows, workspaces
from console.activity import proof
from console.auth import access
from console.auth.access import limits
from console.browse import pins
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.infra import settings
from console.operations import status
from console.records import catalogue
from console.runs import RunHead
from console.runs.views import record_reach
from console.views import formats, frame
from console.views.activity import proof as proof_pages
from console.views.editor import new
from console.views.formats import Look
from console.views.work import my_work
from console.views.workflows import tabs
from console.work import approvals, ended_runs, my_work as work
from console.work.approvals import Line
from console.work.tickets import Count
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

blueprint = Blueprint("home", __name__)

POLL_S = 15
WAITING_SHOWN = 10
ASKED_SHOWN = 3
MAKERS_SHOWN = 3
ENDED_SHOWN = 6
AUTOMATIONS_SHOWN = 8
LABELS_SHOWN = 7
BAR = 48
SERVERS = {"postgresql": "PostgreSQL", "mysql": "MySQL or MariaDB", "sqlite": "SQLite"}


@dataclass(frozen=True, slots=True)
class Box:
    """An inbox in a row: its number, what is late in words, and the bar of 48 px: `late` and `soon` are its lengths."""

    id: str
    title: str
    number: str
    late_words: str
    words: str
    late: int
    soon: int
    takes: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A short list for a job: rows are (title, words, figure, address)."""

    name: str
    title: str
    href: str
    link: str
    rows: Sequence[tuple[str, str, str, str]]


@blueprint.get("/")
def home() -> Response:
    """Show the page. Polled by the page, the part `work` answers 204 while nothing changed."""
    with runs.judged_once(shared=True):
        return _home()


def _home() -> Response:
    who, look = frame.actor(), frame.look()
    waiting = waiting_part(who, look, request.args.get("show", ""), everything=request.args.get("all") == "1")
    if frame.wants_fragment() and frame.htmx.target == "work":
        if request.args.get("seen") == waiting["seen"]:
            return make_response("", 204)
        return frame.page("home/home.html", waiting | {"refreshed": True}, blocks={"work": "work"})
    lately = ended_runs.ended_lately(who, look.now, ENDED_SHOWN)
    context = {
        "asked": [_asked_approval(line, look) for line in approvals.created(who, limit=ASKED_SHOWN).lines],
        "panels": panels(who, look, lately, works=bool(waiting["boxes"])),
        "ended": ended_runs.ended_today(who, look.now, look.zone),
        "desks": workspaces.workspaces_of(who),
        "pins": pins.pins_of(who),
        "recent": [(record, my_work.clock_or_day(record.at, look)) for record in pins.recent(who)],
        "sources": sources(browse.collections(who)),
    }
    return frame.page("home/home.html", waiting | context)


def waiting_part(who: Actor, look: Look, show: str, *, everything: bool = False) -> dict[str, object]:
    """Return what the polled part draws, the first `WAITING_SHOWN` rows or `everything`, and `seen`, which changes only if something changed."""
    mine = work.work_of(who)
    every = my_work.draw_rows(my_work.rows(mine, who.id), look)
    chosen = show if show in my_work.TABS else ""
    rows = [entry for entry in every if not chosen or entry.row.kind == chosen]
    shown = rows if everything or len(rows) <= WAITING_SHOWN + 2 else rows[:WAITING_SHOWN]
    groups = [
        (name, sum(one.group == name for one in rows), list(some))
        for name, some in groupby(shown, key=lambda one: one.group)
    ]
    boxes = [box(inbox, count, look) for inbox, count in mine.inboxes]
    state = [
        [(entry.row, entry.group) for entry in every],
        [(inbox.id, inbox.number, inbox.late_words) for inbox in boxes],
    ]
    title, late = my_work.sentence(every, more=mine.more)
    return {
        "today": formats.times.worded(look.now, "EEEE d MMMM, HH:mm", look),
        "title": title,
        "late": late,
        "tabs": my_work.tabs(every, chosen, more=mine.more),
        "show": chosen,
        "groups": groups,
        "more": mine.more and len(shown) == len(rows),
        "rest": len(rows) - len(shown),
        "everything": everything,
        "boxes": boxes,
        "next": next((inbox for inbox in sorted(boxes, key=lambda inbox: -inbox.late) if inbox.takes), None),
        "seen": f"{crc32(repr(state).encode()):x}",
        "poll": POLL_S,
    }


def box(inbox: Inbox, count: Count, look: Look) -> Box:
    """Return an inbox as a row."""
    late, today, to_do = count.late.overdue, count.late.today, count.to_do
    oldest = formats.moment_of(count.late.oldest) if count.late.oldest else None
    words = f"oldest {my_work.short_span((look.now - oldest).total_seconds())}" if oldest and to_do else ""
    if count.down:
        words = count.why
    elif not to_do:
        words = "All done"
    scale = max(to_do, late + today, 1)
    return Box(
        inbox.id,
        inbox.title,
        my_work.count_words(count),
        f"{late:,} overdue" if late else "",
        words or ("due later" if inbox.source and inbox.source.due else "to do"),
        round(BAR * late / scale),
        round(BAR * (late + today) / scale),
        bool(to_do or count.down),
    )


def _asked_approval(line: Line, look: Look) -> dict[str, object]:
    """Return an approval that the reader asked for: what, about what, with whom or what came of it, since when it waits or when it was decided."""
    approval = line.approval
    waits = approval.status == "open"
    at = approval.requested_at if waits or not approval.decided else max(each.at for each in approval.decided)
    after = f", {len(approval.approvers)} of {approval.needs}" if waits else " ago"
    outcome = {
        "open": "Waiting",
        "approved": "Approved",
        "rejected": "Rejected",
        "void": "Void",
        "expired": "Expired",
    }
    return {
        "title": line.label,
        "words": line.record_title,
        "href": f"/approvals/{line.id}",
        "with": outcome.get(approval.status, approval.status),
        "since": my_work.short_span((look.now - at).total_seconds()) + after,
    }


# ------------------------------------------------------------------------------------------------------------- by right


def panels(who: Actor, look: Look, lately: Sequence[RunHead], *, works: bool) -> list[Panel]:
    """Return the lists for what the reader opens in a day: who leads, who checks, who reads the log, who runs the console."""
    found = _first_steps(who)
    managed = [inbox for inbox in inboxes.all_inboxes() if inboxes.may(who, inbox, "manage")]
    if managed:
        found.append(_team(who, look))
    found.append(_automations(who, look))
    if access.can(who, None, "activity", "read"):
        found.append(_log(who, look))
    if access.can(who, None, "source", "manage"):
        found.append(_operations(who))
    if lately and (managed or not works):
        found.append(_ended(lately, look))
    return [panel for panel in found if panel.rows]


def _first_steps(who: Actor) -> list[Panel]:
    """Return the panel of a new installation: for who makes workflows until there is one, for who administers it until nothing of it is left to do.

    A server of one's own may be backed up in other ways, so that it does not wait for a backup there.
    """
    made = workflows.all_known()
    if not (access.can(who, None, "source", "manage") and access.can(who, None, "user", "manage")):
        if made:
            return []
        rows = [
            (
                "Make the first workflow",
                "From a sentence, from a template, or empty",
                "To do",
                "/workflows/new",
            )
        ]
        return [Panel("first-steps", "First steps", "/workflows", "Workflows", rows)] if new.places() else []
    setup = settings.current()
    names, makers, kept = (
        sorted(catalogue.current().sources),
        limits.able(None, "workflow:*", "edit"),
        status.last_backup(),
    )
    if made and (setup.demo or (names and makers and (kept or not setup.embedded))):
        return []
    rows = [
        (
            "Connect a database",
            ", ".join(names) or "Nothing is written into it",
            "Done" if names else "To do",
            "/settings/sources/new",
        ),
        (
            "Invite who makes workflows",
            ", ".join(makers[:MAKERS_SHOWN]) or "A lead: admins do not make them",
            "Done" if makers else "To do",
            "/settings/people/invite",
        ),
        (
            "Make the first workflow",
            "The lead signs in and opens Workflows, New workflow",
            "Done" if made else "To do",
            "/workflows",
        ),
        ("Keep backups", "console backup FILE, each night", "Done" if kept else "To do", "/operations"),
    ]
    return [Panel("first-steps", "First steps", "/settings", "Settings", rows)]


def _team(who: Actor, look: Look) -> Panel:
    rows = [
        (
            name,
            f"oldest {my_work.short_span((look.now - since).total_seconds())}",
            f"{number:,}",
            frame.with_query("/work", {"person": person, "kind": "run"}),
        )
        for person, name, number, since in record_reach.held_by_colleagues(who)
    ]
    return Panel("team", "Workload", "/work", "Work", rows)


def _automations(who: Actor, look: Look) -> Panel:
    """Return what runs by itself and the reader may switch: how many are in it, and what of it asks for somebody or failed and was not dealt with, those first."""
    rows = []
    for card, asking, wrong in sorted(
        monitoring.automations(who, look.zone),
        key=lambda each: (-each[1], -each[2], not (each[0].unable or each[0].stuck)),
    )[:AUTOMATIONS_SHOWN]:
        state = tabs.status_badge(card.known).label
        if card.next_at and card.next_at > look.now:
            state = f"Next {my_work.clock_or_day(card.next_at, look)}"
        words = [
            state,
            f"{asking:,} ask{'s' if asking == 1 else ''} for somebody" if asking else "",
            f"{wrong:,} failed" if wrong else "",
            "cannot start at the moment" if card.unable else "a trigger does not work" if card.stuck else "",
        ]
        page = "/incidents" if asking or wrong else "/triggers" if card.unable or card.stuck else ""
        rows.append(
            (
                card.known.title,
                ", ".join(filter(None, words)),
                f"{card.live_runs:,}",
                tabs.address(card.known.slug, page),
            )
        )
    return Panel(
        "automations", "Automations, and their live runs", "/workflows/lately", "What happened", rows
    )


def _log(who: Actor, look: Look) -> Panel:
    rows = []
    if access.can(who, None, "activity", "verify"):
        badge = proof_pages.badge(proof.read(who).checked, look)
        rows.append(("Proof of the log", badge.label, "", "/activity/proof"))
    rows += [
        ("Refused", "what somebody was not allowed to do", "", "/activity?kind=access_refused"),
        ("Revealed", "masked values that were shown, and why", "", "/activity?kind=value_revealed"),
        ("Exports", "what was taken out, by whom", "", "/activity?kind=log_exported"),
    ]
    return Panel("log", "Activity log", "/activity", "All", rows)


def _operations(who: Actor) -> Panel:
    state = status.read(who)
    failed = f"{state.failed:,} failed" if state.failed else "no job has failed"
    rows = [
        (
            "Background work",
            f"{state.workers} worker{'' if state.workers == 1 else 's'}, {failed}",
            "",
            "/operations",
        ),
        ("People", "accounts, roles and invitations", "", "/settings/people"),
        ("Data sources", "databases, limits, collections", "", "/settings/sources"),
        ("Roles", "who may do what", "", "/settings/roles"),
    ]
    return Panel("console", "The console", "/settings", "Settings", rows)


def _ended(lately: Sequence[RunHead], look: Look) -> Panel:
    rows = []
    for head in lately:
        named = (
            head.about if head.item or head.record_title != head.record else ""
        )  # a run of no record has neither
        became = frame.status_badge(head.status).label
        words = [
            f"{head.workflow_title}, {became.lower()}" if named else became,
            *([head.starter_name] if head.starter_name else []),
        ]
        ended = my_work.clock_or_day(head.ended_at, look)
        rows.append((named or head.workflow_title, ", ".join(words), ended, frame.run_url(head.id, "replay")))
    return Panel("ended-lately", "Recent runs", "/workflows", "Workflows", rows)


def sources(readable: Sequence[Collection]) -> list[Mapping[str, object]]:
    """Return the collections by data source, both in their own order; of each source the first few, and how many more there are."""
    known, by_source = catalogue.current().sources, dict[str, list[Collection]]()
    for collection in readable:
        by_source.setdefault(collection.source, []).append(collection)
    return [
        {
            "name": formats.program_words(name),
            "server": SERVERS.get(known[name].dialect, known[name].dialect) if name in known else "",
            "shown": some[:LABELS_SHOWN],
            "more": max(0, len(some) - LABELS_SHOWN),
        }
        for name, some in by_source.items()
    ]


@blueprint.get("/more")
def more() -> Response:
    """Show the pages that have no place in the bar of a telephone."""
    return frame.page("home/more.html", {})


@blueprint.post("/pins")
def pin() -> Response:
    """Pin or unpin (`do`) a record or a list, and go back to it."""
    form = request.form
    place = (form.get("collection", ""), form.get("record", ""), form.get("segment", ""))
    change = pins.unpin if form.get("do") == "unpin" else pins.pin
    change(frame.actor(), *place)
    flash("It is no longer on Home." if form.get("do") == "unpin" else "Pinned to Home.")
    if form.get("back") == "home":
        return frame.redirect_to("/")
    return frame.redirect_to(
        frame.record_url(place[0], place[1])
        if place[1]
        else frame.collection_url(place[0], segment=place[2] or None)
    )


def row(head: RunHead) -> dict[str, object]:
    """Return a run for a list: title, present step, holder, since when."""
    look = frame.look()
    return {
        "run": head,
        "href": frame.run_url(head.id),
        "record_href": frame.record_url(head.collection, head.record)
        if head.collection and head.record is not None
        else None,
        "badge": frame.status_badge(
            head.status,
            head.holder,
            frame.actor().id,
            {head.holder or "": head.holder_name},
            ticket=bool(head.ticket),
        ),
        "age": formats.ago(head.active_at, look),
        "length": formats.span((head.ended_at - head.created_at).total_seconds(), look)
        if head.ended_at
        else None,
    }
