"""Search: records of every collection, runs, workflows, pages and actions for what somebody types. The box over the page and the page itself draw the same.

The box sends the text with POST, so that it stands in no address and no list of requests of a server on the way; the page keeps it in its address.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from flask import Blueprint, Response, request
from markupsafe import Markup

from console import actions, formats, runs, workflows
from console.auth import access
from console.browse import find_records, pins
from console.browse.find_records import Answer, Hit
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.plain_words import uncapitalised
from console.views import frame, page_list, states
from console.workflows import inboxes

blueprint = Blueprint("search", __name__)

Marker = Callable[[str], str]

SHOWN = 3
SHOWN_ALONE = find_records.READ - 1
RUNS_READ = 12
STARTED_ON = 2
RUNS, PLACES, ACTIONS = "runs", "places", "actions"


@dataclass(frozen=True, slots=True)
class Row:
    """Something found: what it is called, what stands beside it, and where it leads."""

    title: Markup
    href: str
    icon: str
    details: str = ""
    badge: frame.Badge | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A group of what was found. `count` in words; `rest` says how many more there are, `href` is where they stand; `trouble` why it is empty."""

    id: str
    label: str
    rows: list[Row]
    count: str = ""
    rest: str = ""
    href: str = ""
    trouble: str = ""


@blueprint.route("/search", methods=["GET", "POST"])
def show() -> Response:
    """Show what was found: `q` is the text, `in` the group that is shown alone."""
    began = time.perf_counter()
    text, only = " ".join(request.values.get("q", "").split()), request.values.get("in", "")
    answer = find_records.find(frame.actor(), text)
    parts = _parts(frame.actor(), text, answer) if text else _at_hand(frame.actor())
    shown = [_cut(part, alone=part.id == only) for part in parts if only in ("", part.id)] if text else parts
    context = {
        "q": text,
        "parts": shown,
        "tabs": [
            {"id": part.id, "label": part.label, "count": part.count, "href": _address(text, part.id)}
            for part in parts
            if not part.trouble
        ],
        "only": only,
        "everything": _address(text, ""),
        "notes": _notes(answer),
        "found": _found_words(parts) if text else "",
        "took": f"{(time.perf_counter() - began) * 1000:.0f} ms",
        "searched": ", ".join(sorted({group.collection.label for group in answer.groups}))
        or "records, runs, workflows, pages and actions",
    }
    return frame.page("search/page.html", context, blocks={"*": "found"})


def _address(text: str, only: str) -> str:
    return frame.with_query("/search", {"q": text or None, "in": only or None})


def _parts(who: Actor, text: str, answer: Answer) -> list[Part]:
    """Return the groups in their fixed order: records by collection, runs, workflows and pages, actions."""
    mark, look = formats.marker(tuple(text.split())), frame.look()
    parts = []
    for group in answer.groups:
        drawn = [_record_row(group.collection, hit, mark, look) for hit in group.hits]
        count = f"{len(drawn)}+" if group.more else str(len(drawn))
        href = frame.collection_url(group.collection.id, q=text)
        parts.append(
            Part(
                f"c:{group.collection.id}",
                group.collection.label,
                drawn,
                count,
                "more" if group.more else "",
                href,
            )
        )
    parts += [Part(f"s:{source}", source, [], trouble=reason) for source, reason in answer.down.items()]
    parts += [
        _runs_part(who, text, answer, mark),
        _places_part(who, text, mark),
        _actions_part(who, answer, mark),
    ]
    return [part for part in parts if part.rows or part.trouble]


def _at_hand(who: Actor) -> list[Part]:
    """Return what the reader pinned and what they looked at last: for a box that is still empty."""
    pinned = [
        Row(
            Markup.escape(pin.title),
            frame.record_url(pin.collection, pin.record)
            if pin.record
            else frame.collection_url(pin.collection, segment=pin.segment or None),
            "pin",
            Markup.escape(pin.label),
        )
        for pin in pins.pins_of(who)
    ]
    seen = {row.href for row in pinned}
    recent = [
        Row(
            Markup.escape(each.title),
            frame.record_url(each.collection, each.record),
            "history",
            Markup.escape(each.label),
        )
        for each in pins.recent(who)
    ]
    parts = [
        Part("pinned", "Pinned", pinned),
        Part("recent", "Seen last", [row for row in recent if row.href not in seen]),
    ]
    return [part for part in parts if part.rows]


def _record_row(collection: Collection, hit: Hit, mark: Marker, look: formats.Look) -> Row:
    values = hit.record.values
    texts = [
        formats.text(formats.kind(item, collection.key), values.get(item.name), look) for item in hit.details
    ]
    badge = None
    if hit.state is not None and isinstance(word := values.get(hit.state.name), str) and word:
        what = formats.kind(hit.state)
        badge = frame.Badge(formats.text(what, word, look), states.tone_of(what, word))
    icon = "user" if collection.subject == "self" else "list-details"
    return Row(
        _marked(hit.record.title, mark),
        frame.record_url(collection.id, hit.record.key),
        icon,
        _marked(", ".join(dict.fromkeys(texts)), mark),
        badge,
    )


def _marked(text: str, mark: Marker) -> Markup:
    return Markup(mark(text))  # noqa: S704 (`marker` escapes)


def _runs_part(who: Actor, text: str, answer: Answer, mark: Marker) -> Part:
    """Return runs on the records found, and the run whose number was typed."""
    pairs = [
        (group.collection.id, hit.record.key or "") for group in answer.groups for hit in group.hits[:SHOWN]
    ]
    heads = runs.on_records(who, pairs, limit=RUNS_READ)
    if text.startswith("run_") and (head := runs.head(who, text)) is not None:
        heads = [head, *(each for each in heads if each.id != head.id)]
    rows = []
    for head in heads:
        title = f"{head.workflow_title} of {head.record_title}" if head.record_title else head.workflow_title
        badge = frame.status_badge(
            head.status, head.holder, who.id, {head.holder or "": head.holder_name}, ticket=bool(head.ticket)
        )
        ended = (
            f"Ended {formats.ago(head.ended_at, frame.look())}"
            if head.ended_at
            else f"At {head.step_title}"
            if head.step_title
            else ""
        )
        rows.append(
            Row(
                _marked(title, mark),
                frame.run_url(head.id),
                "player-play" if head.live else "history",
                ended,
                badge,
            )
        )
    return Part(RUNS, "Runs", rows, str(len(rows)))


def _places_part(who: Actor, text: str, mark: Marker) -> Part:
    """Return workflows, lists, segments, inboxes and pages that are called so."""
    words = text.casefold().split()
    rows: list[page_list.Place] = []
    made = actions.made_of_actions()
    rows += [
        (known.title, f"/workflows/{quote(known.slug)}", "route", "Workflow")
        for known in workflows.all_known()
        if known.slug not in made and access.can(who, known.team or None, f"workflow:{known.slug}", "see")
    ]
    rows += [(inbox.title, f"/inbox/{inbox.id}", "inbox", "Inbox") for inbox in inboxes.inboxes_of(who)]
    rows += page_list.lists_of(who) + page_list.pages_of(who)
    found = [row for row in rows if all(word in row[0].casefold() for word in words)]
    found.sort(key=lambda row: (not row[0].casefold().startswith(text.casefold()), row[0].casefold()))
    return Part(
        PLACES,
        "Workflows and pages",
        [Row(_marked(title, mark), href, icon, kind) for title, href, icon, kind in found],
        str(len(found)),
    )


def _actions_part(who: Actor, answer: Answer, mark: Marker) -> Part:
    """Return what can be started on the first records found."""
    rows = []
    first = [(group.collection, hit.record) for group in answer.groups for hit in group.hits[:1]][:STARTED_ON]
    busy = (
        runs.live_workflows(who, [(collection.id, record.key or "") for collection, record in first])
        if first
        else set()
    )
    for collection, record in first:
        for definition in runs.taking(
            who, workflows.startable(who, collection.id, "search"), collection.id, record.key
        ):
            if definition.slug in actions.made_of_actions() or (
                (collection.id, record.key, definition.id) in busy and definition.document.settings.exclusive
            ):
                continue
            href = frame.record_url(collection.id, record.key) + f"/start/{frame.segment(definition.slug)}"
            rows.append(
                Row(_marked(f"Start {definition.title} on {record.title}", mark), href, "player-play")
            )
        for action in actions.offered(who, collection.id, record.key):
            needs = frame.Badge("Needs approval", "") if action.approval else None
            href = frame.record_url(collection.id, record.key) + f"/do/{frame.segment(action.id)}"
            rows.append(Row(_marked(f"{action.title}: {record.title}", mark), href, "bolt", badge=needs))
    return Part(ACTIONS, "Actions", rows, str(len(rows)))


def _cut(part: Part, *, alone: bool) -> Part:
    """Return the first rows of the part, and how many more there are."""
    most = SHOWN_ALONE if alone else SHOWN
    left = len(part.rows) - most
    if alone and part.rest:
        return replace(part, rows=part.rows[:most], rest=f"All {uncapitalised(part.label)} that fit")
    if left <= 0:
        return replace(part, rest="", href="")
    more = (
        "1 more"
        if left == 1 and not part.rest
        else f"{left}{'+' if part.rest else ''} more {uncapitalised(part.label)}"
    )
    return replace(
        part, rows=part.rows[:most], rest=more, href=_address(request.values.get("q", ""), part.id)
    )


def _found_words(parts: list[Part]) -> str:
    total, more = sum(len(part.rows) for part in parts), any(part.rest for part in parts)
    return f"{total}{'+' if more else ''} found"


def _notes(answer: Answer) -> list[Mapping[str, object]]:
    """Return what was not searched, or not wholly, in sentences with a way to search it as well."""
    q = request.values.get("q", "")
    notes: list[Mapping[str, object]] = [
        {
            "words": f"{item.label} has no index for this.",
            "href": frame.collection_url(item.id, q=q, inside=1),
            "link": "Search it as well",
        }
        for item in answer.skipped[:2]
    ]
    notes += [
        {
            "words": f"{item.label}: not all was looked at, because too much fits these words or the data source is slow now. A longer word or a number finds more.",
            "href": frame.collection_url(item.id, q=q),
            "link": "Search the list",
        }
        for item in answer.cut[:1]
    ]
    if answer.partly:
        labels = ", ".join(item.label for item in answer.partly[:2])
        notes.append(
            {
                "words": f"{labels}: found by how names and numbers begin.",
                "href": frame.collection_url(answer.partly[0].id, q=q, inside=1),
                "link": "Search inside too",
            }
        )
    return notes[:2]
