"""What every page of one workflow shares: its title, its switch, and its tabs, to one of which each page adds itself as a section."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from console import workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import NotFound
from console.monitoring import unable_to_start
from console.views import frame
from console.views.frame import Badge
from console.views.workflows.switch_turns import turns
from console.workflows import OBJECT, Known

STATUS: Mapping[str, Badge] = {
    "draft": Badge("Draft", "warn", "pencil"),
    "active": Badge("Active", "good", "check"),
    "paused": Badge("Paused", "", "player-pause"),
    "completed": Badge("Completed", "", "check"),
    "cancelled": Badge("Cancelled", "", "x"),
}
ARCHIVED = Badge("Archived", "", "folder")


def always(_actor: Actor, _known: Known) -> bool:
    """Show the tab to everybody who may see the workflow."""
    return True


def uncounted(_actor: Actor, _known: Known) -> int:
    """Return no number for the tab."""
    return 0


def may_edit(actor: Actor, known: Known) -> bool:
    """Show the tab to people who may edit the workflow."""
    return access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "edit")


TABS = ("Overview", "Editor", "Executions", "Configuration")
"""What a workflow's pages are gathered under, in this order on each."""


@dataclass(frozen=True, slots=True)
class Section:
    """A page of a workflow under one of `TABS`: `path` follows its address, `place` orders those of a tab.

    A `count` other than 0 is shown next to the label; of an `alarming` one in red, on the tab too.
    """

    tab: str
    place: int
    id: str
    label: str
    path: str
    shown: Callable[[Actor, Known], bool] = always
    count: Callable[[Actor, Known], int] = uncounted
    alarming: bool = False


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add the section to its tab on the pages of every workflow. Pages do it where they are imported."""
    _sections[section.id] = section


def known_of(slug: str) -> Known:
    """The workflow, if the reader may see it. Raises NotFound, with the same text whether it does not exist or is hidden."""
    actor = frame.actor()
    known = next((workflow for workflow in workflows.all_known() if workflow.slug == slug), None)
    if known is None or not access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "see"):
        raise NotFound(hidden=known is not None and known.label is None)
    return known


def address(slug: str, path: str = "", **query: Any) -> str:
    """Return the address of a page of the workflow."""
    return frame.with_query(f"/workflows/{frame.segment(slug)}{path}", query)


def status_badge(known: Known) -> Badge:
    """Return the status as a badge."""
    return ARCHIVED if known.archived else STATUS[known.status]


def context(known: Known, here: str) -> dict[str, Any]:
    """Return what `workflows/frame.html` needs for the page `here` (the id of its section)."""
    actor = frame.actor()
    may_switch = access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "activate")
    shown = [
        (each, each.count(actor, known))
        for each in sorted(_sections.values(), key=lambda each: each.place)
        if each.shown(actor, known)
    ]
    own = [(each, count) for each, count in shown if each.tab == _sections[here].tab]
    return {
        "known": known,
        "workflow_status": status_badge(known),
        "workflow_tabs": [
            {
                "label": tab,
                "href": next(address(known.slug, each.path) for each, _ in shown if each.tab == tab),
                "here": tab == _sections[here].tab,
                "count": sum(count for each, count in shown if each.tab == tab and each.alarming),
                "bad": True,
            }
            for tab in TABS
        ],
        "workflow_sections": [
            {
                "label": each.label,
                "href": address(known.slug, each.path),
                "here": each.id == here,
                "count": count,
                "bad": each.alarming,
            }
            for each, count in own
        ],
        "unable": unable_to_start.unable_now(known),
        "may_duplicate": may_edit(actor, known),
        "may_switch": may_switch,
        "head_turns": turns(known) if may_switch else [],
        **_beginnings(actor, known),
        "workflow_address": address,
        "workflow_owner": accounts.names({known.owner}).get(known.owner, "somebody who has left")
        if known.owner and known.owner != actor.id
        else None,
    }


def _beginnings(actor: Actor, known: Known) -> dict[str, bool]:
    """Return whether the head offers to start a run without a record, and to enrol somebody in what runs by itself."""
    if known.archived or not access.can(actor, known.team or None, f"{OBJECT}:{known.slug}", "start"):
        return {"head_starts": False, "head_enrols": False}
    live = workflows.readable_version(known.id, known.live)
    document = live.document if live is not None else enrolments.require_target(actor, known.slug).document
    return {
        "head_starts": live is not None and known.status == "active" and known.collection is None,
        "head_enrols": document is not None
        and document.run_as is not None
        and known.collection is not None
        and known.status not in enrolments.targets.CLOSED,
    }


register(Section("Overview", 10, "picture", "Picture", ""))
