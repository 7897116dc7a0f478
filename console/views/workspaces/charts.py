"""Metrics and charts in words: labels, figures with their units, captions, sparklines, and links to the records behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal, InvalidOperation
from typing import Any

from console import workspaces
from console.core import counted_moments, currencies
from console.core.counted_moments import is_counted
from console.core.documents.collections import Field, condition_rows
from console.core.documents.workspaces import Chart as ChartComponent, Metric
from console.core.moments import midnight
from console.core.plain_words import uncapitalised
from console.formats import Amount, Kind, Look
from console.views import formats, frame
from console.views.charts import Chart, Series
from console.views.workspaces import links
from console.workspaces import OTHER, Figures

WORDS = {
    "count": "Number",
    "sum": "Sum",
    "average": "Average",
    "lowest": "Lowest",
    "highest": "Highest",
    "distinct": "Different values",
}
PERIODS = {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year"}
WITHIN = {"day": "on", "week": "in the week of"}
TONES = ("accent", "ai", "good", "muted")
NOBODY, BLANK = "Empty", "Blank"
MOST_OTHERS = 2
SPARK_WIDTH, SPARK_HEIGHT = 84, 30


@dataclass(frozen=True, slots=True)
class Spark:
    """A line drawn by the server: points of the line and of the area under it, and where the last one is."""

    line: str
    area: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric as it is drawn. `name` is its heading where nobody gave one; `more` are amounts in other currencies; `tone` is that of the change."""

    name: str
    value: str
    more: str
    words: str
    tone: str
    spark: Spark | None
    href: str | None
    table: Sequence[tuple[str, str]]
    goal: "Goal | None" = None


@dataclass(frozen=True, slots=True)
class Goal:
    """How near a metric is to its objective. `filled`: per cent of the bar; `tone`: good, warn or neither."""

    words: str
    filled: int
    tone: str


@dataclass(frozen=True, slots=True)
class Cohorts:
    """A table of cohorts: heads are how many periods after; rows are (cohort, size, cells as (share in words, number, shade 0 to 5) or None).

    `hrefs` are the records of each cohort and of its cells, empty: no links.
    """

    title: str
    caption: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[tuple[str, int, int] | None]]]
    hrefs: Sequence[tuple[str, Sequence[str]]] = ()


def figure(item: Metric, found: Figures, words: str, look: Look) -> Figure:
    """The metric in words."""
    currency, value = main_amount(item, found)
    others = [
        figure_text(found.measured, amount, each, look, item.measure)
        for each, amount in found.total
        if each != currency and decimal_of(amount)
    ]
    more = ", ".join(others[: MOST_OTHERS if len(others) > MOST_OTHERS + 1 else MOST_OTHERS + 1]) + (
        f" and {len(others) - MOST_OTHERS} more currencies" if len(others) > MOST_OTHERS + 1 else ""
    )
    line = (
        next((values for _, each, values in found.series if each == currency or each is None), ())
        if found.keys
        else ()
    )
    change, tone = _change(item, found, line, currency, look)
    table = [
        (
            formats.period_words(key, item.period, look, now=key == found.keys[-1]),
            figure_text(found.measured, each, currency, look, item.measure),
        )
        for key, each in zip(found.keys, line, strict=False)
    ]
    return Figure(
        metric_name(item, found),
        figure_text(found.measured, value, currency, look, item.measure),
        f"and {more}" if more else "",
        words or change,
        "" if words else tone,
        spark([decimal_of(each) for each in line]) if len(line) > 1 else None,
        metric_address(item, found),
        table,
    )


def main_amount(item: Metric, found: Figures) -> tuple[str | None, Any]:
    """The currency that the metric names, else that of most records, or of the next that have any, and the amount."""
    field = found.measured
    own = field is not None and field.currency and currencies.decimals(field.currency) is None
    if item.currency and own and item.measure not in ("count", "distinct"):
        nothing = (item.currency, 0 if item.measure == "sum" else None)
        return next(
            (each for each in found.total if each[0] and each[0].casefold() == item.currency.casefold()),
            nothing,
        )
    return next((each for each in found.total if decimal_of(each[1])), found.total[0])


def metric_name(item: Metric, found: Figures) -> str:
    """What the figure is of: its records, or their segment, and the field that is added up."""
    segment = found.collection.segment(item.segment) if found.collection and item.segment else None
    records = (
        f"{found.collection.label}: {segment.label}"
        if found.collection and segment
        else found.collection.label
        if found.collection
        else "Figure"
    )
    return f"{records}, {found.measured.label}" if found.measured else records


def chart(item: ChartComponent, found: Figures, title: str, look: Look) -> Chart | Cohorts:
    """The chart with its caption, its table and its links."""
    if item.chart == "cohort" and item.sql is None:
        return _cohorts(item, found, title, look)
    labels = [_label(item, found, key, look) for key in found.keys]
    series = [
        Series(
            _series_name(item, found, line, currency, look),
            TONES[number % len(TONES)],  # type: ignore[arg-type]
            [whole_units(value, found.measured, currency) for value in values],
            [figure_text(found.measured, value, currency, look, item.measure) for value in values],
            _line_hrefs(item, found, line),
        )
        for number, (line, currency, values) in enumerate(found.series)
    ]
    timed = item.chart == "time" and item.sql is None
    kind = "column" if item.chart == "time" else "bar"
    return Chart(
        frame.dom_id("chart", item.id),
        title,
        caption(item, found, labels, series),
        kind,  # type: ignore[arg-type]
        _head(item, found),
        [] if _is_empty(item, found) else labels,
        series,
        _hrefs(item, found),
        empty=f"Nothing to show: no record {f'of the last {item.last} {PERIODS[item.period]}s ' if timed else ''}meets the conditions.",
    )


def _is_empty(item: ChartComponent, found: Figures) -> bool:
    """Whether no record is behind the chart. A sum of nought is a figure."""
    values = [value for _, _, line in found.series for value in line if value is not None]
    counts = item.sql is None and item.measure in ("count", "distinct")
    return not found.keys or not values or (counts and not any(map(decimal_of, values)))


def caption(item: ChartComponent, found: Figures, labels: Sequence[str], series: Sequence[Series]) -> str:
    """What the chart says, in a sentence."""
    places = (
        [
            place
            for place, value in enumerate(series[0].values)
            if value is not None and found.keys[place] != OTHER
        ]
        if series
        else []
    )
    if _is_empty(item, found) or not places:
        return ""
    values = [value or 0 for value in series[0].values]
    top = max(places, key=values.__getitem__)
    if item.chart == "time" and item.sql is None:
        where = labels[top] if labels[top] == "now" else f"{WITHIN.get(item.period, 'in')} {labels[top]}"
        present = "today" if item.period == "day" else f"in the present {PERIODS[item.period]}"
        words = f"{series[0].shown[-1]} so far {present}; most was {series[0].shown[top]} {where}"
        return (
            (f"{series[0].name}: " if len(series) > 1 else "")
            + words
            + ("." if not found.cut else ". Not every line is drawn.")
        )
    if item.chart == "funnel" and item.sql is None:
        first, last = values[0], values[-1]
        return f"{series[0].shown[-1]} of {series[0].shown[0]} reach the end" + (
            f", {_share_words(100 * last / first)} %." if first else "."
        )
    whole = sum(values)
    percent = 100 * values[top] / whole if whole else 0
    share = (
        f", {_share_words(percent)} % of what is shown"
        if whole and min(values) >= 0 and item.sql is None and item.measure in ("count", "sum")
        else ""
    )
    return f"{labels[top]} leads with {series[0].shown[top]}{share}." + (
        " There are more values than are read." if found.cut else ""
    )


def _share_words(percent: float) -> str:
    return f"{percent:.0f}" if round(percent) or not percent else "< 1"


def figure_text(
    field: Field | None, value: Any, currency: str | None, look: Look, measure: str = "count"
) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    if field is None or measure in ("count", "distinct"):
        return _plain(value, look)
    what = formats.kind(field)
    if formats.is_money(what):
        text = str(value)
        amount = str(int(Decimal(text))) if field.minor and _is_number(text) else text
        if not currency and _is_number(text) and not Decimal(text):
            return "0"  # nothing was added up: there is no amount that could have a currency
        return formats.text(what, Amount(amount, currency) if currency else amount, look)
    return formats.text(what, value, look)


def in_units(field: Field | None, value: str, currency: str | None, look: Look, measure: str) -> str:
    """A figure that is told in whole units, as people read it."""
    places = (
        condition_rows.digits_of(field, currency)
        if field is not None and measure not in ("count", "distinct")
        else 0
    )
    return figure_text(field, format(Decimal(value).scaleb(places), "f"), currency, look, measure)


def spark(values: Sequence[Decimal]) -> Spark:
    """A line over the values, scaled to its box."""
    least, most = min(values), max(values)
    high = (most - least) or Decimal(1)
    step = (SPARK_WIDTH - 6) / (len(values) - 1)
    points = [
        (
            round(2 + number * step, 1),
            round(float(SPARK_HEIGHT - 4 - (SPARK_HEIGHT - 8) * (value - least) / high), 1),
        )
        for number, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return Spark(line, f"{points[0][0]},{SPARK_HEIGHT} {line} {points[-1][0]},{SPARK_HEIGHT}", *points[-1])


MOST_PLACES = 4
"""Decimals with which the answer of a SELECT is shown as it is: longer ones come from divisions and numbers with a floating point."""


def _plain(value: Any, look: Look) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str, float)) or not _is_number(str(value)):
        return formats.text(Kind("", ""), value, look) if value is not None else "–"
    number = Decimal(str(value))
    if number != round(number, MOST_PLACES):
        number = round(number, 2) if abs(number) >= 1 else Decimal(f"{number:.3g}")
    return formats.grouped(format(number, "f"), look.locale)


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def decimal_of(value: Any) -> Decimal:
    """The figure as a number; what is none is 0."""
    return Decimal(str(value)) if value is not None and _is_number(str(value)) else Decimal(0)


def whole_units(value: Any, field: Field | None, currency: str | None = None) -> float | None:
    """The figure as the axis has it: an amount in whole units."""
    if value is None or not _is_number(str(value)):
        return None
    places = condition_rows.digits_of(field, currency) if field is not None else 0
    return float(Decimal(str(value)).scaleb(-places))


def _change(
    item: Metric, found: Figures, line: Sequence[Any], currency: str | None, look: Look
) -> tuple[str, str]:
    """How the present period compares with the one before, in words, and its tone."""
    if item.sql is not None or len(line) < 2:
        return "", ""
    now, before = decimal_of(line[-1]), decimal_of(line[-2])
    this, before_it = period_names(item.period)
    present = figure_text(found.measured, line[-1], currency, look, item.measure)
    last = figure_text(found.measured, line[-2], currency, look, item.measure)
    words = f"{present} {this}, {last} {before_it}" if item.whole else f"{this} so far, {last} {before_it}"
    better = now > before if item.good == "up" else now < before
    return words, "" if item.good == "none" or now == before else "good" if better else "warn"


def period_names(period: str) -> tuple[str, str]:
    """The present period and the one before, in words."""
    return ("today", "yesterday") if period == "day" else (f"this {period}", f"last {period}")


def metric_address(item: Metric, found: Figures) -> str | None:
    """The list of the records behind the figure; None where a list cannot be filtered so."""
    if found.collection is None:
        return None
    conditions = _conditions(item, found)
    if conditions is None:
        return None
    if found.date is not None and not item.whole:
        conditions += links.of_period(found.date.name, *_span(found.date, found.keys[-1], item.period))
    return links.records_url(found.collection.id, item.segment, conditions)


def _conditions(item: Metric | ChartComponent, found: Figures) -> list[Any] | None:
    """Filters of the conditions, without the segment, which the address names."""
    return links.filters_of(list(found.conditions)[1 if item.segment else 0 :], found.roots)


def _span(field: Field, first: str, period: str) -> tuple[Any, Any]:
    start, zone = date.fromisoformat(first), frame.actor().zone
    after = workspaces.end_of(period, start)
    if is_counted(field):
        kind, whole = str(field.widget), field.type == "integer"
        return counted_moments.count(kind, midnight(start, zone), whole=whole), counted_moments.count(
            kind, midnight(after, zone), whole=whole
        )
    if field.stored != "datetime":
        return start.isoformat(), after.isoformat()
    return _moment(midnight(start, zone)), _moment(midnight(after, zone))


def _moment(at: Any) -> str:
    return str(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _hrefs(item: ChartComponent, found: Figures) -> Sequence[str]:
    conditions = _conditions(item, found)
    if found.collection is None or conditions is None:
        return ()
    if item.chart == "funnel":
        reached = [
            links.filters_of(found.stages[: place + 1], found.roots) for place in range(len(found.stages))
        ]
        return ["" if own is None else _records_url(item, found, [*conditions, *own]) for own in reached]
    if found.date is not None:
        return [
            _records_url(item, found, [*conditions, *_period(item, found.date, key)]) for key in found.keys
        ]
    if found.by is None:
        return ()
    named = [key for key in found.keys if key != OTHER]
    if any(isinstance(key, tuple) for key in named):
        return ()  # a list is filtered by one of its values, not by all of them
    return [
        _records_url(
            item,
            found,
            [
                *conditions,
                links.of_others(found.by.name, named) if key == OTHER else links.of_value(found.by.name, key),
            ],
        )
        for key in found.keys
    ]


def _line_hrefs(item: ChartComponent, found: Figures, line: Any) -> Sequence[str]:
    """The records of each period in one of several lines; none where values are several each."""
    conditions = _conditions(item, found)
    named = [key for key, _, _ in found.series if key != OTHER] if line == OTHER else [line]
    if (
        found.line is None
        or found.date is None
        or conditions is None
        or any(isinstance(key, tuple) for key in named)
    ):
        return ()
    own = [
        *conditions,
        links.of_others(found.line.name, named) if line == OTHER else links.of_value(found.line.name, line),
    ]
    return [_records_url(item, found, [*own, *_period(item, found.date, key)]) for key in found.keys]


def _records_url(item: ChartComponent, found: Figures, conditions: Sequence[Any]) -> str:
    return (
        "" if found.collection is None else links.records_url(found.collection.id, item.segment, conditions)
    )


def _period(item: ChartComponent, day: Field, first: str) -> list[dict[str, Any]]:
    return links.of_period(day.name, *_span(day, first, item.period))


def _head(item: ChartComponent, found: Figures) -> str:
    if item.sql is not None:
        return str(found.columns[0]) if found.columns else ""
    if item.chart == "funnel":
        return "Stage"
    return PERIODS[item.period].capitalize() if found.by is None else found.by.label


def _label(item: ChartComponent, found: Figures, key: Any, look: Look) -> str:
    if key == OTHER:
        return "Other"
    if item.sql is not None:
        return formats.in_words(_plain(key, look), look) if key is not None else NOBODY
    if item.chart == "funnel":
        return str(key)
    if found.by is not None:
        return _value_words(found.by, key, found.named, look)
    return formats.period_words(key, item.period, look, now=key == found.keys[-1])


def _value_words(field: Field, key: Any, named: Mapping[Any, Any], look: Look) -> str:
    if key is None:
        return NOBODY
    if key == () or (isinstance(key, str) and not key.strip()):
        return BLANK
    return (
        formats.text(
            formats.kind(field), list(key) if isinstance(key, tuple) else key, frame.naming(named, look)
        )
        or NOBODY
    )


def _series_name(item: ChartComponent, found: Figures, line: Any, currency: str | None, look: Look) -> str:
    if item.sql is not None:
        return formats.label_of(str(line)) if line else "Value"
    what = (
        WORDS[item.measure]
        if found.measured is None
        else f"{WORDS[item.measure]} of {uncapitalised(found.measured.label)}"
    )
    if found.line is not None:
        what = "Other" if line == OTHER else _value_words(found.line, line, found.named, look)
    return f"{what}, {currency}" if currency else what


def _cohorts(item: ChartComponent, found: Figures, title: str, look: Look) -> Cohorts:
    sizes = dict(found.total)
    rows = []
    for place, key in enumerate(found.keys):
        size = sizes.get(key) or 0
        cells: list[tuple[str, int, int] | None] = []
        for _, _, values in found.series:
            number = values[place] if size else None
            share = 100 * number / size if size and number is not None else 0.0
            shade = max(1, min(5, round(share / 20))) if number else 0
            cells.append(
                None
                if number is None
                else ("< 1 %" if number and share < 0.5 else f"{share:.0f} %", number, shade)
            )
        rows.append(
            (
                formats.period_words(key, item.period, look, now=place == len(found.keys) - 1),
                _plain(size, look),
                cells,
            )
        )
    whole = sum(sizes.values())
    came = sum(values[place] or 0 for _, _, values in found.series for place in range(len(found.keys)))
    words = (
        f"{_plain(came, look)} of {_plain(whole, look)} came to it within the periods shown."
        if whole
        else "No record falls into these periods."
    )
    heads = [f"Same {PERIODS[item.period]}" if not after else f"+{after}" for after in range(len(found.keys))]
    last = max(
        (after for _, _, cells in rows for after, cell in enumerate(cells) if cell and cell[1]), default=0
    )
    if came and last + 1 < len(heads):
        of = PERIODS[item.period]
        words += f" None came {f'after {last} {of}s' if last > 1 else f'after the next {of}' if last else f'in a later {of}'}."
        heads, rows = heads[: last + 1], [(label, size, cells[: last + 1]) for label, size, cells in rows]
    return Cohorts(title, words, heads, rows, _cohort_hrefs(item, found))


def _cohort_hrefs(item: ChartComponent, found: Figures) -> Sequence[tuple[str, Sequence[str]]]:
    conditions = _conditions(item, found)
    if found.collection is None or found.date is None or found.then is None or conditions is None:
        return ()
    began = [[*conditions, *_period(item, found.date, key)] for key in found.keys]
    came = [_period(item, found.then, key) for key in found.keys]
    return [
        (
            _records_url(item, found, own),
            [_records_url(item, found, [*own, *later]) for later in came[place:]],
        )
        for place, own in enumerate(began)
    ]
