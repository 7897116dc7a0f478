"""How many records there are: in the tabs of a list's segments and in its foot. Always counted after the list is shown, capped, and never a slow statement."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from flask import request

from console import browse
from console.browse import BrowseQuery, Counted, ListPage, list_views
from console.browse.list_views import ListView
from console.browse.saved_segments import KEPT, SavedSegment
from console.core.documents.collections import Collection
from console.core.errors import SourceDown
from console.views import frame
from console.views.browse.saved_segments import address

CAP = browse.CAP


def tabs(
    collection: Collection,
    described: Mapping[str, Any],
    kept: ListView,
    saved: Sequence[SavedSegment],
    *,
    counted: bool = False,
) -> list[dict[str, Any]]:
    """Return the segments as tabs, then the `saved` ones: label, address, whether it is shown, and with `counted` how many records it has.

    The number is empty where counting is slow.
    """
    who, chosen, here = frame.actor(), request.args.get("segment"), request.args.get("saved")
    opens = list_views.first_segment(who, collection, kept) or kept.segment
    try:
        counts = (
            browse.segment_counts(who, collection.id, {segment.id: segment.browse_query for segment in saved})
            if counted
            else {}
        )
    except SourceDown:
        counts = {}  # the list says it already
    known, inside = (
        {segment["id"] for segment in described["segments"]},
        here in {segment.id for segment in saved},
    )
    left = (
        dict.fromkeys(("saved", *KEPT)) if inside else {}
    )  # the filter of a saved segment is not taken into another tab
    common = [
        {
            "id": tab["id"],
            "label": tab["label"],
            "here": not inside and tab["id"] == (chosen if chosen in known else None),
            "href": list_address(
                **left | {"segment": tab["id"] if tab["id"] or not opens else "", "preview": None}
            ),
        }
        for tab in [{"id": None, "label": "All"}, *described["segments"]]
    ]
    own = [
        {
            "id": segment.id,
            "label": segment.label,
            "here": segment.id == here,
            "href": address(collection.id, segment),
        }
        for segment in saved
    ]
    return [
        tab | {"count": tab_words(counts[tab["id"]]) if tab["id"] in counts else ""}
        for tab in (*common, *own)
    ]


def tab_words(count: int, most: int = CAP) -> str:
    """Return the number in a tab, "10,000+" where there are more than were counted."""
    return f"{most:,}+" if count > most else f"{count:,}"


def count_context(collection: str, query: BrowseQuery, page: ListPage | None = None) -> dict[str, Any]:
    """Return the count in the foot: counted if the address asks for it, else as an offer. A list that fits on one page is its own count.

    The page requests an offered count after it is shown, so that no list waits for it.
    """
    if query.count is None:
        whole = page is None or not (page.next or page.previous)
        return (
            {}
            if whole
            else {"count_later": True} | _count_link("Count", frame.present_address(count="about"))
        )
    count = browse.count(frame.actor(), collection, query)
    more = count.total > CAP and query.count != "exact"
    return {"count_words": f" of {count_words(count)}"} | (
        _count_link("Count exactly", frame.present_address(count="1")) if more else {}
    )


def _count_link(label: str, href: str) -> dict[str, Any]:
    """Return the link in the foot. Each address has its own id, because htmx does not load again for an element with the same id."""
    return {"count_label": label, "count_href": href, "count_id": f"count-{crc32(href.encode()):x}"}


def count_words(counted_rows: Counted) -> str:
    """Return how many records there are; above the cap as the database's estimate, with two digits."""
    if counted_rows.total != CAP + 1:
        return f"{counted_rows.total:,}"
    about = round(counted_rows.about or 0, 2 - len(str(counted_rows.about or 0)))  # 4 234 567 → 4 200 000
    if about <= CAP:
        return f"more than {CAP:,}"
    size, word = next(
        ((size, word) for size, word in ((10**9, " billion"), (10**6, " million")) if about >= size), (1, "")
    )
    return f"about {about / size:,g}{word}" if word else f"about {about:,}"


def list_address(**changes: Any) -> str:
    """Return the address of another list of the same collection, from its first page and without the count."""
    return frame.present_address(after=None, before=None, start=None, count=None, **changes)
