"""The frame of the settings: its pages, who may see them, and the list at the left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from console.auth import access
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.sources import collections
from console.views import frame
from console.views.forms import Form


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the settings. It needs the right `act` on the object `needs`; without one, everybody may see it. `sheet` is of it and the pages below it."""

    name: str
    title: str
    entry: str
    needs: str | None = None
    act: str = "manage"
    sheet: str = "people"

    @property
    def url(self) -> str:
        """Return its address."""
        return f"/settings/{self.name}"

    @property
    def icon(self) -> str:
        """Return the icon of its entry."""
        return ENTRIES[self.entry]


ENTRIES = {
    "You": "user",
    "People and teams": "users",
    "Permissions": "shield-check",
    "Security": "lock",
    "Data": "database",
    "Messages": "send",
    "AI": "sparkles",
    "Developers": "code",
    "System": "settings",
}
"""Entry of the list at the left → its icon. An entry leads to its first page that the reader may see."""

PAGES = (
    Page("me", "You", "You"),
    Page("people", "People", "People and teams", "user"),
    Page("teams", "Teams", "People and teams", "user"),
    Page("access", "Permissions", "Permissions", "policy", sheet="rights"),
    Page("roles", "Roles", "Permissions", "policy", sheet="rights"),
    Page("labels", "Confidential access", "Permissions", "policy"),
    Page("sign-in", "Sign-in", "Security", "user"),
    Page("secrets", "Secrets", "Security", "source"),
    Page("sources", "Data sources", "Data", "source", sheet="sources"),
    Page("collections", "Collections", "Data", "source", sheet="collection_settings"),
    Page("channels", "Channels", "Messages", "source"),
    Page("hours", "Hours and caps", "Messages", "source"),
    Page("ai", "Provider", "AI", "ai", sheet="ai_settings"),
    Page("ai/purposes", "Purposes and prices", "AI", "ai", sheet="ai_settings"),
    Page("ai/budgets", "Budgets", "AI", "ai", sheet="ai_settings"),
    Page("ai/switches", "AI switches", "AI", "ai", sheet="ai_settings"),
    Page("ai/house", "Prompt prefix", "AI", "ai", sheet="ai_settings"),
    Page("ai/redaction", "Redaction preview", "AI", "ai", sheet="ai_settings"),
    Page("ai/calls", "Calls", "AI", "ai", "audit", sheet="ai_settings"),
    Page("keys", "API keys", "Developers"),
    Page("webhooks", "Webhooks", "Developers", "webhook"),
    Page("connections", "Connections", "Developers", "source"),
    Page("mcp", "MCP servers", "Developers", "source"),
    Page("hooks", "Extensions", "Developers", "source"),
    Page("system", "System", "System", "source"),
)


def pages_of(actor: Actor) -> list[Page]:
    """Return the pages that this person may see, in order."""
    return [
        page
        for page in PAGES
        if page.needs is None
        or access.can(actor, None, page.needs, page.act)
        or (page.name == "labels" and actor.clearance)
        or (page.name == "collections" and collections.may_shape_any(actor))
    ]


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a long table stands: "51 to 100 of 2,000", and the addresses of the pages beside it. `begin` counts from 0."""

    begin: int
    words: str
    previous: str | None
    next: str | None


def page_number() -> int:
    """Return the page of a long table that the address asks for, from 1."""
    text = request.args.get("page", "")
    return max(1, int(text)) if text.isdecimal() and text.isascii() and len(text) < 7 else 1


def pager(total: int, size: int) -> Pager | None:
    """Return where a table of so many lines stands; None if all fit on one page. A page after the last one is the last one."""
    if total <= size:
        return None
    last = -(-total // size)
    number = min(page_number(), last)
    begin = (number - 1) * size
    words = f"{begin + 1:,} to {min(begin + size, total):,} of {total:,}"
    previous = frame.present_address(page=number - 1 if number > 2 else None) if number > 1 else None
    return Pager(begin, words, previous, frame.present_address(page=number + 1) if number < last else None)


def page(
    template: str,
    name: str,
    context: Mapping[str, Any],
    *,
    heading: str = "",
    trail: Iterable[tuple[str, str]] = (),
    error: ConsoleError | None = None,
    blocks: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Return a page of the settings: its template extends `settings/base.html`, `name` is its page in `PAGES`.

    A page below that one has its own `heading`, and before it the `trail` of (address, title). Its service decides who may see it; the list
    at the left only leaves out what would be refused.
    """
    entries: dict[str, list[Page]] = {}
    for each in pages_of(frame.actor()):
        entries.setdefault(each.entry, []).append(each)
    shared = {
        "settings_entries": entries,
        "settings_page": next(each for each in PAGES if each.name == name),
        "heading": heading,
        "trail": trail,
        "error": error,
    }
    return frame.page(
        template, shared | dict(context), blocks=blocks, status=error.status if error else status
    )


def form_page(name: str, form: Form, heading: str = "", trail: Iterable[tuple[str, str]] = ()) -> Response:
    """Return a page that is one form."""
    return page("settings/form.html", name, {"form": form}, heading=heading, trail=trail, error=form.error)
