"""Figures of charts and metrics: cohorts, shares and currencies."""

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
from console.views.browse import list_filters
from console.views.workspaces import charts, metrics
from console.workspaces import Figures
from tests.conftest import web_app
from tests.tables import cases

LOOK = Look("en", "UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))
KIND = Field("kind", "Kind", "text", "text")
DAY = Field("day", "Placed on", "date", "date")
EACH = Field("paid", "Paid", "integer", "integer", widget="money", currency="currency", minor=True)
YEN = Field("paid", "Paid", "integer", "integer", widget="money", currency="JPY", minor=True)


def item(**more: Any) -> Chart:
    """A chart of the collection `thing`."""

    return Chart.model_validate({"id": "c", "collection": "thing"} | more)


def shares(
    *rows: tuple[Any, Any], cut: bool = False, measured: Field | None = None, currency: str | None = None
) -> Figures:
    """Values told apart by kind."""
    return Figures(
        None,
        [key for key, _ in rows],
        [(None, currency, [value for _, value in rows])],
        measured,
        by=KIND,
        cut=cut,
    )


@pytest.fixture(autouse=True)
def page() -> Any:
    """A request in which links can be made."""
    with web_app().test_request_context("/"):
        yield


def drawn(told: Chart, found: Figures, look: Look = LOOK) -> Any:
    return charts.chart(told, found, "Title", look)


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
    made = charts.chart(
        item(chart="cohort", date="day", then="later", period=period, last=len(sizes)), found, "Title", LOOK
    )
    assert isinstance(made, charts.Cohorts)
    return made


def test_a_cohort_without_records_between_others_is_empty_and_they_are_not() -> None:
    made = cohorts([4, 0, 2], [[1, 0, 2], [2, 0, None], [1, None, None]])
    assert made.caption == "6 of 6 came to it within the periods shown."
    assert [cells for _, _, cells in made.rows] == [
        [("25 %", 1, 1), ("50 %", 2, 2), ("25 %", 1, 1)],
        [None, None, None],
        [("100 %", 2, 5), None, None],
    ]
    assert list(made.heads) == ["Same month", "+1", "+2"]


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
        item(chart="share", by="kind", measure="sum", field="paid"),
        shares(("a", value), ("b", 0), measured=field, currency=currency),
    )
    if value:
        (series,) = chart.series
        assert (series.values[0], series.shown[0]) == (axis, words)
        assert words in chart.caption
    else:
        assert chart.caption == "a leads with 0.", "a sum of nought is a figure, and its records are there"
        assert charts.figure_text(field, Decimal(0), currency, LOOK, "sum") == words


@cases(
    ("totals", "value", "more"),
    [
        ([("EUR", 100)], "€1.00", ""),
        ([("EUR", 100), ("USD", 900)], "€1.00", "and $9.00"),
        ([("EUR", 1), ("USD", 2), ("GBP", 3), ("JPY", 4)], "€0.01", "and $0.02, £0.03, ¥4"),
        (
            [("EUR", 1), ("USD", 2), ("GBP", 3), ("JPY", 4), ("CHF", 1)],
            "€0.01",
            "and $0.02, £0.03 and 2 more currencies",
        ),
        ([("EUR", 0), ("USD", 2), ("GBP", 0)], "$0.02", ""),
        ([(None, None)], "–", ""),
    ],
)
def test_amounts_of_several_currencies_are_not_added_up(
    totals: list[tuple[str | None, int | None]], value: str, more: str
) -> None:
    told = Metric.model_validate({"id": "m", "collection": "thing", "measure": "sum", "field": "paid"})
    made = charts.figure(told, Figures(None, [], [], EACH, total=totals), "", LOOK)
    assert (made.value, made.more) == (value, more)


def counted(total: list[tuple[str | None, Any]], line: list[Any], measured: Field | None = None) -> Figures:
    """A metric over two months."""
    series = [(None, total[0][0], line)] if line else []
    return Figures(None, ["2026-10-01", "2026-11-01"] if line else [], series, measured, total=total)


@cases(
    ("part", "whole", "more", "value", "of", "words", "tone"),
    [
        (
            counted([(None, 30)], [4, 6]),
            counted([(None, 80)], [8, 8]),
            {"good": "up"},
            "38 %",
            "30 of 80",
            "75 % this month, 50 % last month",
            "good",
        ),
        (
            counted([(None, 30)], [4, 6]),
            counted([(None, 80)], [8, 8]),
            {"good": "down"},
            "38 %",
            "30 of 80",
            "75 % this month, 50 % last month",
            "warn",
        ),
        (counted([(None, 1)], []), counted([(None, 80)], []), {}, "1.2 %", "1 of 80", "", ""),
        (counted([(None, 0)], []), counted([(None, 0)], []), {}, "–", "0 of 0", "", ""),
        (counted([(None, 997)], []), counted([(None, 1000)], []), {}, "99.7 %", "997 of 1,000", "", ""),
        (
            counted([("EUR", 500), ("JPY", 90)], [], EACH),
            counted([("EUR", 2000), ("JPY", 100)], [], EACH),
            {"measure": "sum", "field": "paid"},
            "25 %",
            "€5.00 of €20.00",
            "",
            "",
        ),
        (
            counted([("JPY", 90)], [], EACH),
            counted([("EUR", 2000), ("JPY", 100)], [], EACH),
            {"measure": "sum", "field": "paid"},
            "0 %",
            "€0.00 of €20.00",
            "",
            "",
        ),
        (
            counted([(None, 0)], []),
            counted([(None, 5)], [2, 0]),
            {},
            "0 %",
            "0 of 5",
            "– this month, 0 % last month",
            "",
        ),
    ],
)
def test_a_percentage_says_its_part_and_its_whole(
    part: Figures, whole: Figures, more: Any, value: str, of: str, words: str, tone: str
) -> None:
    told = Metric.model_validate({"id": "m", "collection": "thing", "part": ["record.n > 0"]} | more)
    made = metrics.metric(told, replace(part, of=whole), "", LOOK)
    assert (made.value, made.more, made.words, made.tone) == (value, of, words, tone)


def test_a_filter_by_an_amount_means_whole_units_of_each_record_s_own_currency() -> None:
    described = {"fields": [EACH.to_json(), Field("currency", "Currency", "text", "text").to_json()]}
    for op, typed, whole in (("gte", "12.5", "12.5"), ("in", "5, 7", ["5", "7"])):
        with web_app().test_request_context(f"/?add_field=paid&add_op={op}&add_value={typed}"):
            address = list_filters.with_condition(described, LOOK) or ""
        (sent,) = json.loads(parse_qs(urlsplit(address).query)["filter"][0])["and"]
        assert sent == {"field": "paid", "op": op, "value": {"whole": whole}}
    with web_app().test_request_context("/?add_field=paid&add_op=gte&add_value=12"):
        assert "whole" not in (list_filters.with_condition({"fields": [EACH.to_json()]}, LOOK) or ""), (
            "whose currency is hidden"
        )
    kinds = {"paid": kind(EACH.to_json())}
    assert (
        list_filters.condition_words(filters.Test("paid", "gte", "12.5", whole="currency"), kinds, LOOK)
        == "Paid is at least 12.5 in its own currency"
    )
    assert (
        list_filters.condition_words(filters.Test("paid", "gte", 1250), kinds, LOOK)
        == "Paid is at least 1,250 (in its smallest unit)"
    )
    assert (
        list_filters.condition_words(filters.Test("paid", "gte", 1250), {"paid": kind(YEN.to_json())}, LOOK)
        == "Paid is at least ¥1,250"
    )
