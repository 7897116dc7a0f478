"""What a list shows as a CSV file: the same segment, filter, order and columns, without the pages."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from console import accounts, browse, formats
from console.activity import exports
from console.browse import ListPage, list_export, list_views
from console.browse.list_export import ListExport
from console.formats import Look
from console.views import downloads, frame, lists

blueprint = Blueprint("list_export", __name__)


@blueprint.get("/export/c/<collection>.csv")
def export(collection: str) -> Response:
    """Send the list of the address as a file."""
    who = frame.actor()
    described = browse.describe(who, collection)
    kept = list_views.view_of(who, collection)
    usual = kept.columns or next(each for each in browse.collections(who) if each.id == collection).columns
    accounts.require_recent(who)
    found = list_export.begin(who, collection, lists.parse_query(described, usual))
    return downloads.stream(f"{collection}.csv", _parts(found, frame.look()))


def _parts(found: ListExport, look: Look) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _lines(
        [[found.collection.label_one, *(item.label for item in lists.columns_beside_title(found.collection, found.columns))]]
    )
    for page in found.pages():
        yield _lines(_rows(page, look))


def _rows(page: ListPage, look: Look) -> Iterator[list[str]]:
    """Each record as its page would show it, as plain text."""
    columns = lists.columns_beside_title(page.collection, page.columns)
    kinds = {item.name: formats.kind(item, page.collection.key) for item in columns}
    named = replace(look, records=page.named)
    for row in page.rows:
        values = formats.with_currencies(row.values, page.collection.currencies)
        told = [(kinds[item.name], values.get(item.name)) for item in columns]
        yield [row.title, *("" if value is None else formats.text(what, value, named) for what, value in told)]


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([exports.harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")
