"""The navigation at the left: pages with their words, what waits as a number, and what the reader pinned."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

from flask import Blueprint, Flask, current_app, g, request
from flask.sansio.blueprints import BlueprintSetupState
from markupsafe import Markup

from console import records, workflows, workspaces
from console.ai.evaluation import measure
from console.auth import access
from console.auth.accounts import absences
from console.browse import pins
from console.core.actor import Actor
from console.messaging.messages import outbox
from console.monitoring.reports import tables
from console.views import formats
from console.work import approvals, my_work, questions, tasks, work_list
from console.workflows import inboxes

blueprint = Blueprint("rail", __name__)

PINS_SHOWN = 6
IN_THE_BAR = 4
STATES = ("folded", "open")
READER_MAY = {
    "may_read_log": "reads_log",
    "may_operate": "operates",
    "may_measure": "measures",
    "reads_outbox": "messages",
}
"""What templates ask about the reader → the right of the rail that it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the rail. `under` are the beginnings of addresses that belong to it; `right` is what it needs, "" for nothing."""

    href: str
    label: str
    icon: str
    key: str
    under: tuple[str, ...]
    right: str = ""


PLACES = (
    Place("/", "Home", "home", "g h", ()),
    Place("/work", "Work", "inbox", "g i", ("/work-", "/inbox"), "works"),
    Place("/approvals", "Approvals", "shield-check", "g a", ("/approvals",)),
    Place("/tasks", "Tasks", "checklist", "g t", ("/tasks", "/answers"), "name"),
    Place("/c", "Records", "list", "g r", ("/c", "/board/", "/runs/"), "browses"),
    Place("/w", "Workspaces", "layout-grid", "g d", ("/w/",), "workspaces"),
    Place("/workflows", "Workflows", "route", "g w", ("/workflows",)),
    Place("/outbox", "Outbox", "send", "g m", ("/outbox",), "messages"),
    Place("/ai", "AI performance", "chart-line", "g p", ("/ai",), "measures"),
    Place("/reports", "Reports", "chart-bar", "g e", ("/reports",), "reports"),
    Place("/activity", "Activity log", "activity", "g l", ("/activity",), "reads_log"),
    Place("/operations", "Operations", "bolt", "g o", ("/operations",), "operates"),
)
"""In their order. The first `IN_THE_BAR` of BAR that the reader has stand in the bar of a telephone, the others under More."""

BAR = ("/", "/work", "/activity", "/approvals", "/c", "/workflows", "/tasks")


def reader_rights() -> Mapping[str, bool]:
    """Return what of the rail the reader may open. Judged once for a request, because each page asks for some of it several times."""
    who = g.get("actor")
    judged: tuple[Actor | None, Mapping[str, bool]] | None = g.get("rail_rights")
    if judged is None or judged[0] is not who:
        judged = g.rail_rights = (who, _judged(who))
    return judged[1]


def _may(right: str) -> Callable[[], bool]:
    return lambda: reader_rights()[right]


def _judged(who: Actor | None) -> Mapping[str, bool]:
    may: Mapping[str, Callable[[Actor], object]] = {
        "works": lambda actor: work_list.may_see(actor) or inboxes.inboxes_of(actor),
        "browses": _browses,
        "messages": outbox.may_read,
        "measures": measure.may_read,
        "reports": tables.any_readable,
        "workspaces": lambda actor: workspaces.may_edit(actor) or workspaces.workspaces_of(actor),
        "reads_log": lambda actor: access.can(actor, None, "activity", "read"),
        "operates": lambda actor: access.can(actor, None, "source", "manage"),
    }
    return {"": True, "name": who is not None} | {
        name: who is not None and bool(judge(who)) for name, judge in may.items()
    }


def _browses(actor: Actor) -> bool:
    """Whether there is a collection that the actor may browse: a right to all of them may be taken back for each."""
    given = access.somewhere(actor, None, "collection", "browse")
    return given and any(
        access.can(actor, None, f"collection:{each.id}", "browse") for each in records.collections()
    )


def _places(rights: Mapping[str, bool]) -> list[Place]:
    return [place for place in PLACES if rights[place.right]]


def _in_the_bar(places: list[Place]) -> set[str]:
    there = [place.href for place in places]
    works = "/work" in there
    return set([href for href in BAR if href in there and not (works and href == "/activity")][:IN_THE_BAR])


def under_more() -> list[Place]:
    """Return the pages that the bar of a telephone has no room for."""
    places = _places(reader_rights())
    shown = _in_the_bar(places)
    return [place for place in places if place.href not in shown]


def rail() -> Markup:
    """Return the navigation. All but the pins is cached, because it is the same for everybody with the same rights and name at the same place."""
    who, rights = g.get("actor"), reader_rights()
    role = formats.role_words(min(who.role_names)) if who is not None and who.role_names else ""
    return _rail(
        request.script_root,
        _place(request.path),
        None if who is None else who.name,
        role,
        memory(),
        tuple(sorted(rights.items())),
    )


def _place(path: str) -> str:
    """Return the first part of the path and whether it is the whole path: all that the navigation depends on."""
    first, more, _ = path[1:].partition("/")
    return path if path == "/settings/me" else f"/{first}{more}"


@lru_cache(maxsize=1000)
def _rail(
    _root: str, here: str, name: str | None, role: str, kept_as: str, rights: tuple[tuple[str, bool], ...]
) -> Markup:
    places = _places(dict(rights))
    bar = _in_the_bar(places)
    shown = {
        "places": places,
        "bar": bar,
        "here": here,
        "name": name,
        "role": role,
        "kept_as": kept_as,
        "under_more": _is_under_more(here, places, bar),
    }
    return Markup(current_app.jinja_env.get_template("layouts/rail.html").render(shown))  # noqa: S704 (a template of ours)


def _is_under_more(here: str, places: list[Place], bar: set[str]) -> bool:
    """Whether this is a page, or belongs to one, that the bar of a telephone has no room for: More is marked there."""
    left_out = [place for place in places if place.href not in bar]
    return here.startswith(("/settings/", "/help")) or any(
        here == place.href or here.startswith(place.under) for place in left_out
    )


def memory() -> str:
    """Return the name of the cookie that keeps for this person whether the rail is folded."""
    who = g.get("actor")
    return _memory("" if who is None else who.id)


@lru_cache(maxsize=1000)
def _memory(person: str) -> str:
    return "rail-" + sha256(person.encode()).hexdigest()[:8]


def kept_state() -> str:
    """Return "folded" or "open" as the person left it; "" where they never said."""
    chosen = request.cookies.get(memory(), "")
    return chosen if chosen in STATES else ""


def waiting(who: Actor) -> Mapping[str, Any]:
    """Return what the rail counts: id of the element → (number, is it overdue); and the pins. It comes after the page, with the bell."""
    counts = [count for _, count in my_work.inbox_counts(who)]
    late, to_do = sum(count.late.overdue for count in counts), sum(count.to_do for count in counts)
    look = formats.Look.of(who)
    absent = absences.stood_in_for(who.id)
    mine, past = tasks.to_do(who, formats.times.within(look.now, look.zone).date(), absent)
    asked = questions.to_answer(who, absent)
    return {
        "counts": [
            *([("count-work", to_do, bool(late), _to_do(late))] if inboxes.inboxes_of(who) else []),
            ("count-approvals", approvals.waiting(who) + len(workflows.to_decide(who)), False, "to decide"),
            ("count-tasks", mine + asked, bool(past), _to_do(past)),
        ],
        "pins": pins.pins_of(who)[:PINS_SHOWN],
    }


def _to_do(overdue: int) -> str:
    return f"to do, {overdue:,} overdue" if overdue else "to do"


def _extend(state: BlueprintSetupState) -> None:
    cast(Flask, state.app).jinja_env.globals.update(
        rail=rail,
        rail_state=kept_state,
        rail_places=under_more,
        **{name: _may(right) for name, right in READER_MAY.items()},
    )


blueprint.record_once(_extend)
