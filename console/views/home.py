"""Home: what waits for the reader, and the blocks that their rights call for: backlog, log, completed runs, first steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode
from zlib import crc32

from flask import Blueprint, Response, flash, make_response, request

from console import activity, browse, monitoring, runs, workflows, workspaces
from console.activity import integrity
from console.auth import access, accounts
from console.auth.access import limits
from console.browse import pins
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.moments import moment_text
from console.core.run import FINAL
from console.infra import settings
from console.messaging.messages import channel_settings
from console.operations import status
from console.records import catalogue
from console.runs import RunHead
from console.runs.views import lists, record_reach
from console.views import formats, frame
from console.views.editor import new
from console.views.formats import Look
from console.views.work import my_work, team_work
from console.views.workflows import tabs
from console.work import ended_runs, my_work as work, work_list
from console.work.tickets import Count
from console.work.work_list import Filters
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

blueprint = Blueprint("home", __name__)

POLL_S = 15
WAITING_SHOWN = 10
MAKERS_SHOWN = 3
COMPLETED_SHOWN = 20
COMPLETED = {"workflow": "Workflow", "person": "Person", "status": "Outcome", "from": "From", "to": "To"}
"""Filters of the completed runs, as in the address → what they are called."""
NOTABLE = {
    "refused": ("access_refused",),
    "revealed": ("value_revealed",),
    "exported": ("records_exported", "log_exported", "table_exported", "ai_cases_exported"),
    "rights changed": ("policy_changed",),
}
"""Words → kinds of events that an auditor looks for."""
AUTOMATIONS_SHOWN = 8
LABELS_SHOWN = 7
BAR = 48


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
    """A short list for a job: rows are (title, words, figure, address), `figures` above them (words, figure, address)."""

    name: str
    title: str
    href: str
    link: str
    rows: Sequence[tuple[str, str, str, str]]
    figures: Sequence[tuple[str, str, str]] = ()


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
    works = bool(waiting["works"])
    context = {
        "panels": panels(who, look),
        "log": _log(who, look) if access.can(who, None, "activity", "read") else None,
        "completed": None if works or access.can(who, None, "source", "manage") else _completed(who, look),
        "ended": ended_runs.ended_today(who, look.now, look.zone) if works else None,
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
    works = bool(boxes or lists.visible_pairs(who, "start") | lists.visible_pairs(who, "resume"))
    return {
        "today": formats.times.worded(look.now, "EEEE d MMMM, HH:mm", look),
        "title": title if every or works else "",
        "late": late,
        "works": works,
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


# ------------------------------------------------------------------------------------------------------------- by right


def panels(who: Actor, look: Look) -> list[Panel]:
    """Return the lists for what the reader opens in a day: who leads, who switches automations, who runs the console."""
    found = _first_steps(who)
    managed = any(inboxes.may(who, inbox, "manage") for inbox in inboxes.all_inboxes())
    if managed:
        found.append(_team(who, look))
    found.append(_automations(who, look, troubled=managed))
    if access.can(who, None, "source", "manage"):
        found.append(_operations(who))
    return [panel for panel in found if panel.rows or panel.figures]


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
    names, makers = sorted(catalogue.current().sources), limits.able(None, "workflow:*", "edit")
    email, kept = channel_settings.state_of("email"), status.last_backup() or not setup.embedded
    if made and (setup.demo or (names and makers and not email.missing and kept)):
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
        (
            "Send messages",
            ", ".join(email.missing) or email.provider,
            "To do" if email.missing else "Done",
            "/settings/channels",
        ),
        ("Keep backups", "console backup FILE, each night", "Done" if kept else "To do", "/operations"),
    ]
    return [Panel("first-steps", "First steps", "/settings", "Settings", rows)]


def _team(who: Actor, look: Look) -> Panel:
    """Return the live work of the reader's teams by due time, its approvals, and who holds how many runs. No figures where they would tell of what the reader may not see."""
    found = [
        (team_work.DUE.get(group.value, ""), group, {"by": "due", "due": group.value})
        for group in work_list.groups(who, Filters(), "due")[:-1]
        if group.value != work_list.NOBODY
    ]
    found += [("Approvals", work_list.groups(who, Filters(kind="approval"), "due")[-1], {"kind": "approval"})]
    figures = [
        (words, f"{group.count:,}{'+' if group.more else ''}", frame.with_query("/work", query))
        for words, group, query in found
        if group.count
    ]
    rows = [
        (
            name,
            f"oldest {my_work.short_span((look.now - since).total_seconds())}",
            f"{number:,}",
            frame.with_query("/work", {"person": person, "kind": "run"}),
        )
        for person, name, number, since in record_reach.held_by_colleagues(who)
    ]
    return Panel("team", "Workload", "/work", "Work", rows, figures)


def _automations(who: Actor, look: Look, *, troubled: bool) -> Panel:
    """Return what runs by itself and the reader may switch: how many are in it, and what of it asks for somebody or failed and was not dealt with, those first.

    `troubled`: only automations in which something is wrong.
    """
    rows = []
    for card, asking, wrong in sorted(
        monitoring.automations(who, look.zone),
        key=lambda each: (-each[1], -each[2], not (each[0].unable or each[0].stuck)),
    )[:AUTOMATIONS_SHOWN]:
        if troubled and not (asking or wrong or card.unable or card.stuck):
            continue
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
    return Panel("automations", "Automations, and their live runs", "/workflows/lately", "Runs", rows)


def _log(who: Actor, look: Look) -> dict[str, object]:
    """Return what the last check of the log found, if the reader verifies it, and how many events of `NOTABLE` came since their last visit."""
    since = accounts.last_visit(who)
    wanted = [kind for kinds in NOTABLE.values() for kind in kinds]
    counts, more = activity.count_since(who, wanted, since) if since else ({}, False)
    standing = integrity.log_state() if access.can(who, None, "activity", "verify") else None
    return {
        "standing": standing,
        "verified": standing and my_work.clock_or_day(standing.checked.at, look),
        "since": since and my_work.clock_or_day(since, look),
        "counts": [
            (
                words,
                f"{sum(counts.get(kind, 0) for kind in kinds):,}{'+' if more else ''}",
                "/activity?"
                + urlencode([*(("kind", kind) for kind in kinds), ("createdAt.gte", moment_text(since))]),
            )
            for words, kinds in NOTABLE.items()
        ]
        if since
        else [],
    }


def _operations(who: Actor) -> Panel:
    state = status.read(who)
    failed = f"{state.failed:,} failed" if state.failed else "no job has failed"
    words = f"{state.workers} worker{'' if state.workers == 1 else 's'}, {failed}"
    return Panel(
        "console", "Operations", "/settings", "Settings", [("Background work", words, "", "/operations")]
    )


def _completed(who: Actor, look: Look) -> dict[str, object] | None:
    """Return the runs that ended, the newest first, by the filters of the address; None for who sees no workflow."""
    seen = {ident for _, ident in lists.visible_pairs(who)}
    titles = sorted((each.title, each.slug) for each in workflows.all_known() if each.id in seen)
    if not titles:
        return None
    given = {name: value for name in COMPLETED if (value := request.args.get(name, "").strip())}
    ends = [at for at in (frame.midnight(request.args, "after"), frame.midnight(given, "to", later=1)) if at]
    moments = {"ended.gte": frame.midnight(given, "from"), "ended.lt": min(ends, default=None)}
    filters = {name: value for name, value in given.items() if name not in ("from", "to")}
    filters |= {name: moment_text(at) for name, at in moments.items() if at is not None}
    heads, older = ended_runs.ended(who, filters, COMPLETED_SHOWN)
    choices = {
        "workflow": [(slug, title) for title, slug in titles],
        "person": [(person.id, person.name) for person in accounts.people()],
        "status": [(name, frame.status_badge(name).label) for name in sorted(FINAL)],
    }
    words = {
        name: dict(choices.get(name, ())).get(value, formats.times.day_words(value, look.locale))
        for name, value in given.items()
    }
    return {
        "rows": [_ended(head, by, look) for head, by in heads],
        "choices": [(name, COMPLETED[name], some) for name, some in choices.items()],
        "given": given,
        "chips": frame.filter_chips({name: f"{COMPLETED[name]}: {said}" for name, said in words.items()}),
        "older": older and frame.with_query("/", given | {"after": moment_text(older)}),
    }


def _ended(head: RunHead, by: str, look: Look) -> tuple[str, str, str, str]:
    named = (
        head.about if head.item or head.record_title != head.record else ""
    )  # a run of no record has neither
    became = frame.status_badge(head.status).label
    words = [
        f"{head.workflow_title}, {became.lower()}" if named else became,
        *([by or head.starter_name] if by or head.starter_name else []),
    ]
    ended = my_work.clock_or_day(head.ended_at, look)
    return named or head.workflow_title, ", ".join(words), ended, frame.run_url(head.id, "replay")


def sources(readable: Sequence[Collection]) -> list[Mapping[str, object]]:
    """Return the collections by data source, both in their own order; of each source the first few, and how many more there are."""
    by_source = dict[str, list[Collection]]()
    for collection in readable:
        by_source.setdefault(collection.source, []).append(collection)
    return [
        {
            "name": formats.program_words(name),
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
