"""A column of a list as a chart: how often each of its values stands in what the list shows, each bar a link to those records."""

from typing import Any

from flask import Blueprint, Response, request

from console import browse, formats
from console.core.documents.collections import Collection, Field
from console.errors import NotFound
from console.views import frame, list_filters, lists
from console.views.charts import Chart, Series

blueprint = Blueprint("list_charts", __name__)
LONGEST_LABEL = 60


@blueprint.get("/chart/c/<collection>")
def show(collection: str) -> Response:
    """Show the chart of the column `of`, over the records of the list in the address."""
    who = frame.actor()
    described = browse.describe(who, collection)
    here = next(each for each in browse.collections(who) if each.id == collection)
    item = next((field for field in here.fields if field.name == request.args.get("of")), None)
    if item is None or not lists.can_be_charted(item) or all(field["name"] != item.name for field in described["fields"]):
        raise NotFound(f"{here.label} have no column of this name that a chart can be made of.")
    counted = browse.value_counts(who, collection, item.name, lists.parse_query(described, here.columns))
    keys = {(item.references, str(value)) for value, _ in counted.counts if item.references and value is not None}
    look = frame.naming(browse.named(who, keys)) if keys else frame.look()
    what = formats.kind(item, here.key)
    labels = ["Empty" if value is None else formats.text(what, value, look)[:LONGEST_LABEL] for value, _ in counted.counts]
    numbers = [float(count) for _, count in counted.counts]
    total = sum(count for _, count in counted.counts)
    caption = f"{total:,} of {here.label.lower()}" + (", the first 10,000 of the list" if counted.cut else "") + "."
    if counted.counts:
        caption += f" Most often {labels[0]}: {counted.counts[0][1]:,}."
    chart = Chart(
        "column-chart",
        f"{here.label} by {item.label.lower()}",
        caption,
        "bar",
        item.label,
        labels,
        [Series("Records", "accent", numbers, [f"{count:,}" for _, count in counted.counts])],
        hrefs=[_list_url(here, item, value) for value, _ in counted.counts],
        empty="No record is in this list.",
    )
    return frame.page("lists/chart.html", {"collection": here, "chart_of": chart, "back": _back(here)})


def _list_url(collection: Collection, item: Field, value: Any) -> str:
    """Return the address of the list with this value alone."""
    test = {"field": item.name, "op": "is_null", "value": True} if value is None else {"field": item.name, "op": "eq", "value": value}
    kept = {name: request.args.getlist(name) for name in request.args if name not in ("of", "filter", "count", "after", "before")}
    return frame.collection_url(collection.id, **kept, filter=list_filters.with_more(request.args.get("filter"), test))


def _back(collection: Collection) -> str:
    kept = {name: request.args.getlist(name) for name in request.args if name != "of"}
    return frame.collection_url(collection.id, **kept)
