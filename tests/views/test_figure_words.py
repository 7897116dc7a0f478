"""What charts, metrics and cohorts of a workspace say of their figures: captions, periods, shares, currencies, and nothing where there is nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from console.core import filters
from console.core.documents.collections import Field
from console.core.documents.workspaces import Chart, Metric
from console.formats import Look, kind
from console.views import list_filters
from console.views.workspaces import charts, metrics
from console.workspaces import OTHER, Figures
from tests.conftest import web_app
from tests.tables import cases

LOOK = Look("en", "UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))
GERMAN = Look("de", "UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))
KIND = Field("kind", "Kind", "text", "text")
DAY = Field("day", "Placed on", "date", "date")
EACH = Field("paid", "Paid", "integer", "integer", widget="money", currency="currency", minor=True)
YEN = Field("paid", "Paid", "integer", "integer", widget="money", currency="JPY", minor=True)


def item(**more: Any) -> Chart:
    """A chart of the collection `thing`."""

    return Chart.model_validate({"id": "c", "collection": "thing"} | more)


def shares(*rows: tuple[Any, Any], cut: bool = False, measured: Field | None = None, currency: str | None = None) -> Figures:
    """Values told apart by kind."""
    return Figures(None, [key for key, _ in rows], [(None, currency, [value for _, value in rows])], measured, by=KIND, cut=cut)


def lines(keys: list[str], *series: list[Any]) -> Figures:
    """Lines over periods."""
    return Figures(None, keys, [(number, None, values) for number, values in enumerate(series)], None, date=DAY)


@pytest.fixture(autouse=True)
def page() -> Any:
    """A request in which links can be made."""
    with web_app().test_request_context("/"):
        yield


def drawn(told: Chart, found: Figures, look: Look = LOOK) -> Any:
    return charts.chart(told, found, "Title", look)


@cases(
    ("rows", "more", "caption"),
    [
        ([("a", 3), ("b", 1)], {}, "a leads with 3, 75 % of what is shown."),
        ([("a", 3), (OTHER, 97)], {}, "a leads with 3, 3 % of what is shown."),
        ([("a", 1), ("b", 2), (OTHER, 1)], {}, "b leads with 2, 50 % of what is shown."),
        ([(None, 4), ("b", 1)], {}, "Empty leads with 4, 80 % of what is shown."),
        ([("a", 5), ("b", -5)], {"measure": "sum", "field": "n"}, "a leads with 5."),
        ([("a", -5), ("b", -4), ("c", None)], {"measure": "sum", "field": "n"}, "b leads with \N{MINUS SIGN}4."),
        ([("a", 0), ("b", 0)], {"measure": "sum", "field": "n"}, "a leads with 0."),
        ([("", 2), (" ", 1)], {}, "Blank leads with 2, 67 % of what is shown."),
        ([("a", "12.5"), ("b", "7.5")], {"measure": "average", "field": "n"}, "a leads with 12.5."),
        ([("a", 1)], {"cut": True}, "a leads with 1, 100 % of what is shown. There are more values than are read."),
        ([("a", 0), ("b", 0)], {}, ""),
        ([("a", None)], {"measure": "average", "field": "n"}, ""),
        ([], {}, ""),
    ],
)
def test_the_caption_of_shares_names_who_leads_and_never_the_rest(rows: Any, more: dict[str, Any], caption: str) -> None:
    cut = more.pop("cut", False)
    chart = drawn(item(chart="share", by="kind", **more), shares(*rows, cut=cut))
    assert chart.caption == caption
    assert "Other" not in chart.caption
    assert (chart.empty in ("", None)) is False
    assert [label for label in chart.labels if label == "Other"] == (["Other"] if caption and OTHER in [key for key, _ in rows] else [])


@cases(
    ("period", "keys", "values", "caption"),
    [
        ("month", ["2026-09-01", "2026-10-01", "2026-11-01"], [4, 9, 2], "2 so far in the present month; most was 9 in Oct."),
        ("month", ["2025-12-01", "2026-01-01"], [9, 2], "2 so far in the present month; most was 9 in Dec 2025."),
        ("month", ["2026-10-01", "2026-11-01"], [1, 9], "9 so far in the present month; most was 9 now."),
        ("week", ["2026-11-09", "2026-11-16"], [7, 1], "1 so far in the present week; most was 7 in the week of 9 Nov."),
        ("week", ["2026-11-09", "2026-11-16"], [0, 1], "1 so far in the present week; most was 1 now."),
        ("quarter", ["2026-07-01", "2026-10-01"], [7, 1], "1 so far in the present quarter; most was 7 in Q3 2026."),
        ("year", ["2025-01-01", "2026-01-01"], [7, 1], "1 so far in the present year; most was 7 in 2025."),
        ("day", ["2026-11-19", "2026-11-20"], [7, 1], "1 so far today; most was 7 on 19 Nov."),
        ("month", ["2026-10-01", "2026-11-01"], [0, 0], ""),
    ],
)
def test_the_caption_of_a_time_line_names_its_period(period: str, keys: list[str], values: list[int], caption: str) -> None:
    chart = drawn(item(chart="time", date="day", period=period, last=len(keys)), lines(keys, values))
    assert chart.caption == caption
    if not caption:
        assert chart.empty == f"Nothing to show: no record of the last {len(keys)} {period}s meets the conditions."
        assert chart.labels == []
    else:
        assert chart.labels[-1] == "now"
        assert not any("-" in label for label in chart.labels), "no day as a program writes it"


def test_of_several_lines_the_caption_tells_of_the_first() -> None:
    chart = drawn(item(chart="time", date="day", by="kind", last=2), lines(["2026-10-01", "2026-11-01"], [4, 2], [1, 1]))
    assert chart.caption.startswith(f"{chart.series[0].name}: ")
    assert chart.caption.endswith("most was 4 in Oct.")
    assert len(chart.series) == 2


@cases(
    ("numbers", "caption"),
    [
        ([8, 4, 2], "2 of 8 reach the end, 25 %."),
        ([3, 3], "3 of 3 reach the end, 100 %."),
        ([5, 0], "0 of 5 reach the end, 0 %."),
        ([0, 0], ""),
    ],
)
def test_the_caption_of_a_funnel_says_how_many_reach_the_end(numbers: list[int], caption: str) -> None:
    stages = [{"label": f"Stage {number}", "where": "record.n > 0"} for number in range(len(numbers))]
    found = Figures(None, [stage["label"] for stage in stages], [(None, None, numbers)])
    assert drawn(item(chart="funnel", stages=stages), found).caption == caption


def cohorts(sizes: list[int], table: list[list[int | None]], period: str = "month") -> charts.Cohorts:
    """Cohorts of the last months; a row of the table for each number of periods later."""
    keys = ["2026-09-01", "2026-10-01", "2026-11-01"][-len(sizes) :]
    found = Figures(
        None,
        keys,
        [(after, None, values) for after, values in enumerate(table)],
        None,
        date=DAY,
        total=list(zip(keys, sizes, strict=True)),
    )
    made = charts.chart(item(chart="cohort", date="day", then="later", period=period, last=len(sizes)), found, "Title", LOOK)
    assert isinstance(made, charts.Cohorts)
    return made


def test_cohorts_without_records_say_so_and_divide_by_nothing() -> None:
    made = cohorts([0, 0, 0], [[0, 0, 0], [0, 0, None], [0, None, None]])
    assert made.caption == "No record falls into these periods."
    assert [(label, size) for label, size, _ in made.rows] == [("Sep", "0"), ("Oct", "0"), ("now", "0")]
    assert all(cell is None for _, _, cells in made.rows for cell in cells), "there is no share of nothing"


def test_a_cohort_without_records_between_others_is_empty_and_they_are_not() -> None:
    made = cohorts([4, 0, 2], [[1, 0, 2], [2, 0, None], [1, None, None]])
    assert made.caption == "6 of 6 came to it within the periods shown."
    assert [cells for _, _, cells in made.rows] == [
        [("25 %", 1, 1), ("50 %", 2, 2), ("25 %", 1, 1)],
        [None, None, None],
        [("100 %", 2, 5), None, None],
    ]
    assert list(made.heads) == ["Same month", "+1", "+2"]


def test_what_lies_beyond_the_last_that_came_is_said_and_a_few_of_many_are_not_none() -> None:
    made = cohorts([900, 5, 2], [[3, 0, 1], [0, 0, None], [0, None, None]])
    assert made.caption == "4 of 907 came to it within the periods shown. None came in a later month."
    assert [cells for _, _, cells in made.rows] == [[("< 1 %", 3, 1)], [("0 %", 0, 0)], [("50 %", 1, 2)]]


def test_a_cohort_to_which_nobody_came_is_nought_and_not_empty() -> None:
    made = cohorts([5, 3], [[0, 0], [0, None]])
    assert made.caption == "0 of 8 came to it within the periods shown."
    assert [cells for _, _, cells in made.rows] == [[("0 %", 0, 0), ("0 %", 0, 0)], [("0 %", 0, 0), None]]


@cases(
    ("field", "currency", "value", "axis", "words"),
    [
        (EACH, "EUR", 120050, 1200.5, "€1,200.50"),
        (EACH, "JPY", 120050, 120050.0, "¥120,050"),
        (EACH, "KWD", 120050, 120.05, "KWD\N{NO-BREAK SPACE}120.050"),
        (YEN, None, 500, 500.0, "¥500"),
        (EACH, None, 0, 0.0, "0"),
    ],
)
def test_an_axis_is_in_whole_units_of_the_currency_that_its_words_name(
    field: Field, currency: str | None, value: int, axis: float, words: str
) -> None:
    chart = drawn(
        item(chart="share", by="kind", measure="sum", field="paid"), shares(("a", value), ("b", 0), measured=field, currency=currency)
    )
    if value:
        (series,) = chart.series
        assert (series.values[0], series.shown[0]) == (axis, words)
        assert words in chart.caption
    else:
        assert chart.caption == "a leads with 0.", "a sum of nought is a figure, and its records are there"
        assert charts.shown(field, Decimal(0), currency, LOOK, "sum") == words


@cases(
    ("key", "label"),
    [
        ("2026-11-03", "3 Nov 2026"),
        ("2026-11-03T10:05:00Z", "3 Nov 2026, 10:05"),
        (None, "Empty"),
        ("<b>bold</b>", "<b>bold</b>"),
        (12500, "12,500"),
        (True, "Yes"),
    ],
)
def test_what_a_select_gives_is_said_as_people_write_it(key: Any, label: str) -> None:
    told = Chart.model_validate({"id": "c", "sql": "select 1", "source": "s"})
    chart = drawn(told, Figures(None, [key], [("n", None, [3])], columns=("day", "n")))
    assert list(chart.labels) == [label]
    assert chart.caption == f"{label} leads with 3."
    for number, words in (("795606.838826656", "795,606.84"), (0.000123456, "0.000123"), ("12.3456", "12.3456"), (-2.5, "−2.5")):
        assert charts.shown(None, number, None, LOOK) == words, "nobody reads twelve decimals"


@cases(
    ("more", "line", "words", "tone"),
    [
        ({"good": "up"}, [4, 9], "9 this month, 4 last month", "good"),
        ({"good": "down"}, [4, 9], "9 this month, 4 last month", "warn"),
        ({"good": "up"}, [9, 9], "9 this month, 9 last month", ""),
        ({"good": "none"}, [4, 9], "9 this month, 4 last month", ""),
        ({"whole": False, "good": "up"}, [4, 1], "this month so far, 4 last month", "warn"),
        ({"period": "day"}, [4, 9], "9 today, 4 yesterday", ""),
        ({"whole": False, "period": "day"}, [4, 1], "today so far, 4 yesterday", ""),
        ({"words": "Since spring"}, [4, 9], "Since spring", ""),
        ({}, [], "", ""),
    ],
)
def test_a_metric_says_how_it_changed(more: dict[str, Any], line: list[int], words: str, tone: str) -> None:
    told = Metric.model_validate({"id": "m", "collection": "thing"} | more)
    keys = ["2026-10-01", "2026-11-01"][: len(line)]
    found = Figures(None, keys, [(None, None, line)] if line else [], None, total=[(None, line[-1] if line else 7)])
    made = charts.figure(told, found, told.words or "", LOOK)
    assert (made.words, made.tone) == (words, tone)
    assert (made.spark is None) is (len(line) < 2)
    assert [row[0] for row in made.table] == (["1 Oct" if told.period == "day" else "Oct", "now"] if line else [])


@cases(
    ("totals", "value", "more"),
    [
        ([("EUR", 100)], "€1.00", ""),
        ([("EUR", 100), ("USD", 900)], "€1.00", "and $9.00"),
        ([("EUR", 1), ("USD", 2), ("GBP", 3), ("JPY", 4)], "€0.01", "and $0.02, £0.03, ¥4"),
        ([("EUR", 1), ("USD", 2), ("GBP", 3), ("JPY", 4), ("CHF", 1)], "€0.01", "and $0.02, £0.03 and 2 more currencies"),
        ([("EUR", 0), ("USD", 2), ("GBP", 0)], "$0.02", ""),
        ([(None, None)], "–", ""),
    ],
)
def test_amounts_of_several_currencies_are_not_added_up(totals: list[tuple[str | None, int | None]], value: str, more: str) -> None:
    told = Metric.model_validate({"id": "m", "collection": "thing", "measure": "sum", "field": "paid"})
    made = charts.figure(told, Figures(None, [], [], EACH, total=totals), "", LOOK)
    assert (made.value, made.more) == (value, more)


def test_a_line_that_never_moves_is_drawn_flat() -> None:
    flat = charts.spark([Decimal(3)] * 4)
    assert {point.partition(",")[2] for point in flat.line.split()} == {str(float(charts.SPARK_HEIGHT - 4))}
    assert (flat.x, flat.y) == (float(charts.SPARK_WIDTH - 4), float(charts.SPARK_HEIGHT - 4))
    wild = charts.spark([Decimal(-5), Decimal("1e30"), Decimal(0)])
    assert all(0 <= float(part) <= charts.SPARK_WIDTH for point in wild.line.split() for part in point.split(","))


def counted(total: list[tuple[str | None, Any]], line: list[Any], measured: Field | None = None) -> Figures:
    """A metric over two months."""
    series = [(None, total[0][0], line)] if line else []
    return Figures(None, ["2026-10-01", "2026-11-01"] if line else [], series, measured, total=total)


@cases(
    ("part", "whole", "more", "value", "of", "words", "tone"),
    [
        (counted([(None, 30)], [4, 6]), counted([(None, 80)], [8, 8]), {"good": "up"}, "38 %", "30 of 80", "75 % this month, 50 % last month", "good"),
        (counted([(None, 30)], [4, 6]), counted([(None, 80)], [8, 8]), {"good": "down"}, "38 %", "30 of 80", "75 % this month, 50 % last month", "warn"),
        (counted([(None, 1)], []), counted([(None, 80)], []), {}, "1.2 %", "1 of 80", "", ""),
        (counted([(None, 0)], []), counted([(None, 0)], []), {}, "–", "0 of 0", "", ""),
        (counted([(None, 997)], []), counted([(None, 1000)], []), {}, "99.7 %", "997 of 1,000", "", ""),
        (counted([("EUR", 500), ("JPY", 90)], [], EACH), counted([("EUR", 2000), ("JPY", 100)], [], EACH), {"measure": "sum", "field": "paid"}, "25 %", "€5.00 of €20.00", "", ""),
        (counted([("JPY", 90)], [], EACH), counted([("EUR", 2000), ("JPY", 100)], [], EACH), {"measure": "sum", "field": "paid"}, "0 %", "€0.00 of €20.00", "", ""),
        (counted([(None, 0)], []), counted([(None, 5)], [2, 0]), {}, "0 %", "0 of 5", "– this month, 0 % last month", ""),
    ],
)  # fmt: skip
def test_a_percentage_says_its_part_and_its_whole(
    part: Figures, whole: Figures, more: Any, value: str, of: str, words: str, tone: str
) -> None:
    told = Metric.model_validate({"id": "m", "collection": "thing", "part": ["record.n > 0"]} | more)
    made = metrics.metric(told, replace(part, of=whole), "", LOOK)
    assert (made.value, made.more, made.words, made.tone) == (value, of, words, tone)


@cases(
    ("found", "more", "goal"),
    [
        (counted([(None, 31)], []), {"target": 50}, ("Objective 50: 62 % of it", 62, "")),
        (counted([(None, 50)], []), {"target": 50}, ("Objective 50: reached", 100, "good")),
        (counted([(None, 120)], []), {"target": 50}, ("Objective 50: reached", 100, "good")),
        (counted([(None, 12)], []), {"target": 10, "good": "down"}, ("At most 10: over it", 100, "warn")),
        (counted([(None, 3)], []), {"target": 10, "good": "down"}, ("At most 10: kept", 30, "good")),
        (counted([(None, 49_999)], []), {"target": 50_000}, ("Objective 50,000: 99 % of it", 99, "")),
        (counted([(None, None)], []), {"target": 10, "measure": "average", "field": "n"}, ("Objective 10", 0, "")),
        (counted([(None, None)], []), {"target": 10, "measure": "highest", "field": "n", "good": "down"}, ("At most 10", 0, "")),
        (counted([(None, None)], []), {"target": 10, "measure": "sum", "field": "n"}, ("Objective 10: 0 % of it", 0, "")),
        (replace(counted([(None, 0)], []), of=counted([(None, 0)], [])), {"target": 95, "part": ["record.n > 0"]}, ("Objective 95 %", 0, "")),
        (counted([(None, -4)], []), {"target": 10}, ("Objective 10: 0 % of it", 0, "")),
        (counted([("EUR", 1_250_050)], [], EACH), {"target": 50_000, "measure": "sum", "field": "paid"}, ("Objective €50,000.00: 25 % of it", 25, "")),
        (counted([("EUR", 1_250_050), ("JPY", 7)], [], EACH), {"target": 50_000, "measure": "sum", "field": "paid"}, ("Objective €50,000.00, of what is in EUR alone: 25 % of it", 25, "")),
        (counted([("JPY", 9_000), ("EUR", 5_000)], [], EACH), {"target": 100, "measure": "sum", "field": "paid", "currency": "EUR"}, ("Objective €100.00, of what is in EUR alone: 50 % of it", 50, "")),
        (counted([("JPY", 9_000)], [], EACH), {"target": 100, "measure": "sum", "field": "paid", "currency": "EUR"}, ("Objective €100.00: 0 % of it", 0, "")),
        (counted([("JPY", 500)], [], YEN), {"target": 1_000, "measure": "sum", "field": "paid"}, ("Objective ¥1,000: 50 % of it", 50, "")),
        (replace(counted([(None, 30)], []), of=counted([(None, 80)], [])), {"target": 95, "part": ["record.n > 0"]}, ("Objective 95 %: 58 points below", 39, "")),
    ],
)  # fmt: skip
def test_an_objective_says_how_near_the_figure_is(found: Figures, more: Any, goal: tuple[str, int, str]) -> None:
    made = metrics.metric(Metric.model_validate({"id": "m", "collection": "thing"} | more), found, "", LOOK).goal
    assert made is not None
    assert (made.words, made.filled, made.tone) == goal


def test_a_filter_by_an_amount_means_whole_units_of_each_record_s_own_currency() -> None:
    described = {"fields": [EACH.to_json(), Field("currency", "Currency", "text", "text").to_json()]}
    for op, typed, whole in (("gte", "12.5", "12.5"), ("in", "5, 7", ["5", "7"])):
        with web_app().test_request_context(f"/?add_field=paid&add_op={op}&add_value={typed}"):
            address = list_filters.with_condition(described, LOOK) or ""
        (sent,) = json.loads(parse_qs(urlsplit(address).query)["filter"][0])["and"]
        assert sent == {"field": "paid", "op": op, "value": {"whole": whole}}
    with web_app().test_request_context("/?add_field=paid&add_op=gte&add_value=12"):
        assert "whole" not in (list_filters.with_condition({"fields": [EACH.to_json()]}, LOOK) or ""), "whose currency is hidden"
    kinds = {"paid": kind(EACH.to_json())}
    assert (
        list_filters.condition_words(filters.Test("paid", "gte", "12.5", whole="currency"), kinds, LOOK)
        == "Paid is at least 12.5 in its own currency"
    )
    assert list_filters.condition_words(filters.Test("paid", "gte", 1250), kinds, LOOK) == "Paid is at least 1,250 (in its smallest unit)"
    assert list_filters.condition_words(filters.Test("paid", "gte", 1250), {"paid": kind(YEN.to_json())}, LOOK) == "Paid is at least ¥1,250"
