"""The collections that somebody may browse, by data source."""

import re
from collections import Counter
from itertools import groupby

from flask import Response, request

from console import browse
from console.core.documents.collections import Collection
from console.core.plain_words import humanised
from console.views import frame

MANY = 24
"""Collections of which one looks for one by its name."""
PAGE = 200
"""Collections of a data source on one page."""


def page() -> Response:
    """Show the collections that the reader may browse by data source: the first of each, or a page of one `source`."""
    every, part, only = (
        browse.collections(frame.actor()),
        request.args.get("name", "").strip(),
        request.args.get("source"),
    )
    readable = [
        each for each in every if part.casefold() in each.label.casefold() and only in (None, each.source)
    ]
    sources = {
        source: list(group)
        for source, group in groupby(sorted(readable, key=_place), key=lambda each: each.source)
    }
    called = Counter((each.source, each.plain_label or each.label) for each in every)
    begin = request.args.get("from", 0, int) if only else 0
    context = {
        "sources": sources,
        "q": request.args.get("q", ""),
        "name": part,
        "many": len(every) > MANY,
        "begin": begin if 0 <= begin < len(readable) else 0,
        "size": PAGE,
        "source_name": humanised,
        "here": frame.present_address,
        "alone": lambda each: each.plain_label if called[each.source, each.plain_label] == 1 else each.label,
    }
    return frame.page("lists/collections.html", context)


def _place(each: Collection) -> tuple[str, list[tuple[int, str]]]:
    """Return the place of a collection among others: by its source, then by its label, in which numbers count as numbers."""
    parts = re.findall(r"\d+|\D+", each.label.casefold())
    return each.source, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
