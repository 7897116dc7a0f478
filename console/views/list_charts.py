"""A column of a list as a chart: how often each of its values stands in what the list shows, or how many of them stand in each range. Each bar is a link to
those records.
"""

from collections.abc import Collection as Several, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, request

from console import browse, formats
from console.browse import BrowseQuery
from console.core.documents.collections import Collection, Field, condition_rows
from console.core.moments import midnight_text
from console.core.plain_words import uncapitalised
from console.errors import NotFound
from console.records import Range, Ranges
from console.views import frame, list_filters, lists
from console.views.charts import Chart, Series

blueprint = Blueprint("list_charts", __name__)
LONGEST_LABEL, MOST_CHARTS = 60, 6
CURRENCY, NONE = "currency", "-"
"""The parameter of the address that says of which currency amounts are drawn, and what it says of amounts without one."""
OWN = ("of", CURRENCY)
ELSEWHERE = (*OWN, "filter", "count", "after", "before", "start")


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a list that a chart draws: of amounts in several currencies, those in one. `choices` are (currency, address, whether it is drawn)."""

    query: BrowseQuery
    tests: tuple[Mapping[str, Any], ...] = ()
    currency: str = ""
    choices: tuple[tuple[str, str, bool], ...] = ()


@blueprint.get("/chart/c/<collection>")
def show(collection: str) -> Response:
    """Show a chart of each column that `of` names, over the records of the list in the address, and offer one of another column."""
    who = frame.actor()
    described = browse.describe(who, collection)
    listed = browse.browsed_collection(who, collection)[0]
    seen = {field["name"] for field in described["fields"]}
    able = {item.name: item for item in listed.fields if item.name in seen and (lists.can_be_charted(item) or lists.can_be_spread(item))}
    chosen = list(dict.fromkeys(request.args.getlist("of")))[:MOST_CHARTS]
    if not chosen or not able.keys() >= set(chosen):
        raise NotFound(f"There is no column of this name in {listed.label} that a chart can be made of.")
    query = lists.parse_query(described, listed.columns)
    drawn = []
    for number, name in enumerate(chosen):
        part = _of_one_currency(listed, able[name], query, seen)
        drawn.append((_chart(listed, able[name], part, number), _without(listed, chosen, name), part.choices))
    context = {
        "collection": listed,
        "charts": drawn,
        "chart_title": drawn[0][0].title,
        "others": [(item.name, item.label) for item in able.values() if item.name not in chosen] if len(chosen) < MOST_CHARTS else [],
        "kept": list_filters.kept_parameters(),
        "among": lists.listed_words(listed, described),
        "back": _back(listed),
    }
    return frame.page("lists/chart.html", context)


def _of_one_currency(collection: Collection, item: Field, query: BrowseQuery, seen: Several[str]) -> Part:
    """Return the records whose amount is in the chosen currency, else in that of most of them; all where none says in which it is."""
    column = collection.currencies.get(item.name)
    if column is None or column not in seen or not (query.filter or "{").lstrip().startswith("{"):
        return Part(query)
    counted = browse.value_counts(frame.actor(), collection.id, column, query, whole=True).counts
    codes = [str(value) if value else NONE for value, _ in counted]
    if not set(codes) - {NONE}:
        return Part(query)
    wanted = request.args.get(CURRENCY, "")
    chosen = wanted if wanted in codes else next(code for code in codes if code != NONE)
    test = {"field": column, "op": "is_null", "value": True} if chosen == NONE else {"field": column, "op": "eq", "value": chosen}
    choices = [
        ("No currency" if code == NONE else code, frame.present_address(**{CURRENCY: code}), code == chosen)
        for code in dict.fromkeys(codes)
    ]
    return Part(
        replace(query, filter=list_filters.with_all(query.filter, [test])),
        (test,),
        "" if chosen == NONE else chosen,
        tuple(choices) if len(choices) > 1 else (),
    )


def _without(collection: Collection, chosen: list[str], name: str) -> str | None:
    """Return the address of the page without this one of several charts."""
    kept = {each: request.args.getlist(each) for each in request.args if each != "of"}
    rest = [each for each in chosen if each != name]
    return "/chart" + frame.collection_url(collection.id, **kept, of=rest) if rest else None


def _chart(listed: Collection, item: Field, part: Part, number: int) -> Chart:
    """Return the chart of one column, the `number`th of its page."""
    who, ident = frame.actor(), f"column-chart-{number}"
    if not lists.can_be_charted(item):
        return _spread(listed, item, browse.value_ranges(who, listed.id, item.name, part.query), ident, part)
    counted = browse.value_counts(who, listed.id, item.name, part.query, whole=True)
    keys = {(item.references, str(value)) for value, _ in counted.counts if item.references and value is not None}
    look = frame.naming(browse.named(who, keys)) if keys else frame.look()
    what = _kind(listed, item, part)
    labels = ["Empty" if value is None else _label(formats.text(what, value, look)) for value, _ in counted.counts]
    numbers = [float(count) for _, count in counted.counts]
    total = sum(count for _, count in counted.counts) + counted.others
    caption = _counted(total, cut=counted.cut)
    if counted.counts:
        caption += f" Most often {labels[0]}: {counted.counts[0][1]:,}."
    if counted.others:
        caption += f" {counted.others:,} not drawn: their values are less frequent than these {len(labels)}."
    return Chart(
        ident,
        f"{listed.label} by {uncapitalised(item.label)}{_in_currency(part)}",
        caption,
        "bar",
        item.label,
        labels,
        [Series("Records", "accent", numbers, [f"{count:,}" for _, count in counted.counts])],
        hrefs=[_list_url(listed, item, value, part) for value, _ in counted.counts],
        empty="No record is in this list.",
    )


def _label(words: str) -> str:
    """Return words that can be read on an axis, also of a text of blanks."""
    return words[:LONGEST_LABEL] if words.strip() else "Blank"


def _kind(collection: Collection, item: Field, part: Part) -> formats.Kind:
    what = formats.kind(item, collection.key)
    return replace(what, currency=part.currency) if part.currency else what


def _in_currency(part: Part) -> str:
    return f", {part.currency}" if part.currency else ""


def _spread(collection: Collection, item: Field, found: Ranges, ident: str, part: Part) -> Chart:
    """Return the chart of numbers or dates by ranges."""
    filled = [bounds for bounds in found.ranges if bounds.low is not None]
    total = sum(bounds.number for bounds in found.ranges) + found.unplaced
    labels = ["Empty" if bounds.low is None else _range_label(collection, item, found, bounds, part) for bounds in found.ranges]
    caption = _counted(total, cut=found.cut)
    if item.name in collection.currencies and not part.tests:
        caption += " Amounts of all currencies together."
    if found.unplaced:
        caption += (
            f" {found.unplaced:,} not drawn: {'no days of a calendar' if item.stored in ('date', 'datetime') else 'no finite numbers'}."
        )
    if filled:
        most = max(filled, key=lambda bounds: bounds.number)
        caption += f" Most in {labels[found.ranges.index(most)]}: {most.number:,}."
    by = f" by {found.period}" if found.period else ""
    return Chart(
        ident,
        f"{collection.label}: {uncapitalised(item.label)}{by}{_in_currency(part)}",
        caption,
        "column",
        item.label,
        labels,
        [Series("Records", "accent", [float(bounds.number) for bounds in found.ranges], [f"{bounds.number:,}" for bounds in found.ranges])],
        hrefs=[_range_url(collection, item, bounds, part) for bounds in found.ranges],
        empty="No record is in this list.",
    )


def _counted(total: int, *, cut: bool) -> str:
    return (
        "The first 10,000 records of the list; to count them all takes the data source too long."
        if cut
        else f"{total:,} {'record' if total == 1 else 'records'}."
    )


def _range_label(collection: Collection, item: Field, found: Ranges, bounds: Range, part: Part) -> str:
    if found.period:
        return formats.period_words(bounds.low, found.period, frame.look())
    what = _kind(collection, item, part)
    if formats.is_money(what) and item.name in collection.currencies and not part.currency:
        ends = [Decimal(str(end)).scaleb(-condition_rows.digits_of(item)) for end in (bounds.low, bounds.below)]
        return " to ".join(formats.grouped(f"{end:f}", frame.look().locale) for end in ends)
    last = bounds.below - 1 if item.stored == "integer" and not formats.is_money(what) else bounds.below
    return formats.text(what, bounds.low, frame.look()) + ("" if last == bounds.low else f" to {formats.text(what, last, frame.look())}")


def _range_url(collection: Collection, item: Field, bounds: Range, part: Part) -> str:
    """Return the address of the list with these values alone."""
    if bounds.low is None:
        return _list_url(collection, item, None, part)
    kept = {name: request.args.getlist(name) for name in request.args if name not in ELSEWHERE}
    zone = frame.look().zone
    ends = [midnight_text(date.fromisoformat(end), zone) if item.stored == "datetime" else end for end in (bounds.low, bounds.below)]
    tests = [{"field": item.name, "op": op, "value": end} for op, end in zip(("gte", "lt"), ends, strict=True)]
    return frame.collection_url(
        collection.id, **kept, filter=list_filters.with_all(request.args.get("filter"), [*part.tests, {"and": tests}])
    )


def _list_url(collection: Collection, item: Field, value: Any, part: Part) -> str:
    """Return the address of the list with this value alone."""
    test = {"field": item.name, "op": "is_null", "value": True} if value is None else {"field": item.name, "op": "eq", "value": value}
    kept = {name: request.args.getlist(name) for name in request.args if name not in ELSEWHERE}
    return frame.collection_url(collection.id, **kept, filter=list_filters.with_all(request.args.get("filter"), [*part.tests, test]))


def _back(collection: Collection) -> str:
    kept = {name: request.args.getlist(name) for name in request.args if name not in OWN}
    return frame.collection_url(collection.id, **kept)
