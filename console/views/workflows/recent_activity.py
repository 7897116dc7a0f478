"""`/workflows/lately`: what happened over all workflows while nobody looked, and what now waits for a person; each figure leads to exactly those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from console import formats, log, monitoring, workflows
from console.auth import access, accounts
from console.automation import triggers
from console.core.moments import moment_text
from console.core.plain_words import uncapitalised
from console.messaging import messages
from console.messaging.messages import message_reasons
from console.monitoring import unable_to_start
from console.monitoring.recent_activity import Happened
from console.runs.views.bounded_counts import Bounded
from console.views import frame
from console.views.workflows import cards, tabs
from console.workflows import OBJECT, Known

blueprint = Blueprint("workflows_lately", __name__)

WINDOWS = {"hour": "Last hour", "night": "Since yesterday evening", "day": "24 hours", "week": "7 days"}
USUAL = "night"
EVENING = time(18)
MOST_REASONS = 3
STATES: Mapping[str, Sequence[str]] = {
    "sent": ("sent", "delivered"),
    "held": ("waiting",),
    "unsent": ("skipped", "expired", "cancelled"),
    "failed": ("failed", "unknown"),
}
"""What became of a message, as the page counts it → its statuses in the outbox."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the list that shows exactly those; `why` says for what reasons."""

    number: Bounded
    href: str
    bad: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A workflow in which something happened: its figures by column."""

    known: Known
    figures: Mapping[str, Figure]


COLUMNS = {
    "began": "Started",
    "done": "Completed",
    "wrong": "Failed",
    "stopped": "Ended early",
    "quiet": "Not started",
    "sent": "Sent",
    "held": "Held back",
    "unsent": "Not sent",
    "failed": "Failed or unclear",
}


@blueprint.get("/workflows/lately")
def show() -> Response:
    """Show what happened since the moment that `since` names: an hour ago, yesterday evening, a day or a week ago."""
    who, look = frame.actor(), frame.look()
    chosen = request.args.get("since", USUAL)
    chosen = chosen if chosen in WINDOWS else USUAL
    until = log.now()
    since = _since(chosen, until, look.zone)
    seen = [
        known
        for known in workflows.all_known()
        if access.can(who, known.team or None, f"{OBJECT}:{known.slug}", "see")
    ]
    seen = sorted(
        (known for known in seen if known.live is not None), key=lambda known: known.title.casefold()
    )
    ids = [known.id for known in seen]
    found = monitoring.recent_activity.happened(who, ids, since, until)
    fired = triggers.firings_not_started(who, ids, since, until)
    sent = messages.counted_over_all(who, ids, since, until)
    rows = [
        Row(
            known,
            _figures(
                known, found[known.id], fired.get(known.id, Bounded()), sent.get(known.id, {}), since, until
            ),
        )
        for known in seen
    ]
    busy = [row for row in rows if row.figures]
    open_accounts = accounts.service_accounts() if any(map(unable_to_start.may_begin, seen)) else {}
    context = {
        "windows": [
            (frame.present_address(since=None if name == USUAL else name), label, name == chosen)
            for name, label in WINDOWS.items()
        ],
        "since": formats.clock(since, look),
        "any": bool(seen),
        "rows": busy,
        "columns": [
            (name, label) for name, label in COLUMNS.items() if any(name in row.figures for row in busy)
        ],
        "quiet": [
            row.known for row in rows if not row.figures and not row.known.slug.startswith(cards.ACTION)
        ],
        "needing": [
            (known, words, href)
            for known in seen
            for words, href in _needs(known, found[known.id], open_accounts)
        ],
        "said": _sentence(busy),
        "address": tabs.address,
        "why": [
            (row.known, COLUMNS[name], figure)
            for row in busy
            for name, figure in row.figures.items()
            if figure.why
        ],
    }
    return frame.page("workflows/lately.html", context)


def _since(chosen: str, until: datetime, zone: str) -> datetime:
    """Return the moment from which on the page tells."""
    if chosen == "night":
        there = ZoneInfo(zone)
        yesterday = until.astimezone(there).date() - timedelta(days=1)
        return datetime.combine(yesterday, EVENING, there).astimezone(UTC)
    return until - {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[chosen]


def _figures(
    known: Known,
    runs: Happened,
    fired: Bounded,
    sent: Mapping[str, Bounded],
    since: datetime,
    until: datetime,
) -> dict[str, Figure]:
    """Return the figures of the workflow that are not 0."""
    begin, end = moment_text(since), moment_text(until)
    started = {"from": begin, "to": end, "test": "0"}
    ended = {"ended_from": begin, "ended_to": end, "test": "0"}
    lists = {
        "began": (runs.began, started),
        "done": (runs.done, ended | {"status": "completed"}),
        "wrong": (runs.wrong, ended | {"status": "failed,timed_out"}),
        "stopped": (runs.stopped, ended | {"status": "aborted,cancelled"}),
    }
    found = {
        name: Figure(number, tabs.address(known.slug, "/executions", **query), bad=name == "wrong")
        for name, (number, query) in lists.items()
        if number
    }
    if fired:
        href = tabs.address(known.slug, "/firings", **{"from": begin, "to": end, "state": "not"})
        found["quiet"] = Figure(fired, href, why=_why(fired, fired.why))
    for name, statuses in STATES.items():
        those = sum((sent[status] for status in statuses if status in sent), Bounded())
        if those:
            query = {"workflow": known.slug, "status": ",".join(statuses), "from": begin, "to": end}
            why = "" if name == "sent" else _why(those, message_reasons.count_reasons(those.why))
            found[name] = Figure(those, frame.with_query("/outbox", query), bad=name == "failed", why=why)
    return found


def _why(figure: Bounded, given: Mapping[str, int]) -> str:
    """Return for what reasons, the most frequent first; of more than were read, those of the newest."""
    words = _reasons(given)
    return f"of the newest {figure.number:,}: {words}" if words and figure.than else words


def _reasons(given: Mapping[str, int]) -> str:
    """Return the most frequent reasons with how often each, in words."""
    most = sorted(((why, count) for why, count in given.items() if why), key=lambda each: -each[1])
    words = [f"{why.rstrip('.')} ({count:,})" for why, count in most[:MOST_REASONS]]
    return ", ".join([*words, *(["and others"] if len(most) > MOST_REASONS else [])])


def _needs(known: Known, runs: Happened, open_accounts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what of the workflow now waits for a person, whenever it began, each with where it is dealt with. `open_accounts`: the service accounts that are open."""
    incidents = tabs.address(known.slug, "/incidents")
    needs = []
    if runs.asking:
        needs.append((f"{runs.asking} ask{'s' if str(runs.asking) == '1' else ''} for an answer", incidents))
    if runs.failed:
        needs.append((f"{runs.failed} failed, neither done again nor set aside", incidents))
    if unable_to_start.unable_now(known, open_accounts):
        needs.append(("Nothing can start at the moment", tabs.address(known.slug, "/triggers")))
    elif runs.stuck and known.status == "active":
        needs.append(("A trigger does not work at the moment", tabs.address(known.slug, "/triggers")))
    return needs


def _sentence(rows: Sequence[Row]) -> str:
    """Return the figures over all workflows as one sentence; empty where nothing happened."""
    sums = {
        name: sum((row.figures[name].number for row in rows if name in row.figures), Bounded())
        for name in COLUMNS
    }
    runs = [
        f"{sums[name]} {uncapitalised(label)}"
        for name, label in COLUMNS.items()
        if name not in STATES and sums[name]
    ]
    sent = [f"{sums[name]} {uncapitalised(COLUMNS[name])}" for name in STATES if sums[name]]
    return ". ".join(
        filter(
            None, [f"Runs: {', '.join(runs)}" if runs else "", f"Messages: {', '.join(sent)}" if sent else ""]
        )
    )
