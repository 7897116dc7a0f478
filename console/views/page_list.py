"""The pages of the console that a person may open, and the lists that they may see: by name, for search."""

from console import browse, workspaces
from console.ai.evaluation import measure
from console.auth import access
from console.core.actor import Actor
from console.messaging.messages import outbox
from console.monitoring.reports import tables
from console.views import frame
from console.views.settings import area

Place = tuple[str, str, str, str]
"""Title, address, icon, and what it is."""

_EVERYBODY: tuple[Place, ...] = (
    ("Home", "/", "home", "Page"),
    ("My work", "/my-work", "id-badge", "Page"),
    ("Work", "/work", "inbox", "Page"),
    ("Records", "/c", "list", "Page"),
    ("Workflows", "/workflows", "route", "Page"),
    ("Approvals", "/approvals", "shield-check", "Page"),
    ("Tasks", "/tasks", "checklist", "Page"),
    ("Notices", "/notices", "bell", "Page"),
    ("Help", "/help", "help", "Page"),
)


def pages_of(who: Actor) -> list[Place]:
    """Return the pages of the console that this person may open."""
    found = list(_EVERYBODY)
    if outbox.may_read(who):
        found.append(("Outbox", "/outbox", "send", "Page"))
    if measure.may_read(who):
        found.append(("AI performance", "/ai", "chart-line", "Page"))
    if tables.any_readable(who):
        found.append(("Reports", "/reports", "table", "Page"))
    if access.can(who, None, "activity", "read"):
        found.append(("Activity log", "/activity", "activity", "Page"))
    if access.can(who, None, "source", "manage"):
        found.append(("Operations", "/operations", "bolt", "Page"))
    seen = workspaces.workspaces_of(who)
    if seen or workspaces.may_edit(who):
        found.append(("Workspaces", "/w", "layout-grid", "Page"))
    found += [
        (each.title, f"/w/{each.id}", each.icon, "Dashboard" if each.dashboard else "Workspace")
        for each in seen
    ]
    return found + [(page.title, page.url, page.icon, "Settings") for page in area.pages_of(who)]


def lists_of(who: Actor) -> list[Place]:
    """Return the lists of records that this person may see, and their segments."""
    found = []
    for collection in browse.collections(who):
        found.append(
            (collection.label, frame.collection_url(collection.id), "list", f"List of {collection.source}")
        )
        shown = browse.describe(who, collection.id)["segments"]
        found += [
            (
                f"{collection.label}, {each['label']}",
                frame.collection_url(collection.id, segment=each["id"]),
                "filter",
                "Segment",
            )
            for each in shown
        ]
    return found
