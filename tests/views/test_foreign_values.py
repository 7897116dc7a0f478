"""Values that databases of others hold and no calendar or axis does: every column of a list is drawn, sorted, filtered and charted."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import records
from console.core import expressions
from console.core.scopes import whole
from console.records import KeySelect, grouped
from console.records.grouped import By
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

VALUES = {
    "postgresql": [
        "create table thing (id int primary key, day date, at timestamp, moment timestamptz, amount numeric, loose float8, whole bigint, grid int[])",
        """insert into thing values (1, '2026-02-03', '2026-02-03 10:00', '2026-02-03 10:00Z', 1.5, 1.5, 3, array[[1, 2], [3, 4]]),
        (2, 'infinity', '-infinity', 'infinity', 'NaN', 'Infinity', 9223372036854775807, array[1]),
        (3, '4713-01-01 BC', '294276-12-31', '4713-01-01 BC', 1e-30, 1e308, -9223372036854775808, array[null, 2]),
        (4, '9999-12-31', '9999-12-31 23:59', '9999-12-31', 99999999999999999999999.99, '-Infinity', 0, '{}'), (5)""",
    ],
    "sqlite": [
        "create table thing (id integer primary key, day date, at datetime, moment timestamp, amount numeric, loose float, whole bigint)",
        """insert into thing values (1, '2026-02-03', '2026-02-03 10:00:00', '2026-02-03T10:00:00Z', 1.5, 1.5, 3),
        (2, 'soon', 'yesterday-ish', 1700000000, 'twelve', 'NaN', 'x'), (3, '2026-02-31', '2026-13-01 10:00:00', '', x'00ff', 9e999, 1e300),
        (4, '9999-12-31', '9999-12-31 23:59:59', '0000-00-00 00:00:00', -9e999, -1e308, -9223372036854775808), (5, null, null, null, null, null, null)""",
    ],
    "mysql": [
        "set sql_mode = 'ALLOW_INVALID_DATES'",
        "create table thing (id int primary key, day date, at datetime, moment timestamp null, amount decimal(40, 9), loose double, whole bigint unsigned)",
        """insert into thing values (1, '2026-02-03', '2026-02-03 10:00:00', '2026-02-03 10:00:00', 1.5, 1.5, 3),
        (2, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', 99999999999999999999.99, 1e308, 18446744073709551615),
        (3, '2026-02-31', '2026-00-00 10:00:00', '2038-01-01 00:00:00', -0.000000001, -1e308, 0),
        (4, '9999-12-31', '9999-12-31 23:59:59', null, 0, 5e-324, 1), (5, null, null, null, null, null, null)""",
    ],
}
COLUMNS = ("day", "at", "moment", "amount", "loose", "whole")


@pytest.fixture(params=KINDS)
def strange(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """A database of strange values."""
    made = [text.replace("(5)", "(5, null, null, null, null, null, null, null)") for text in VALUES[request.param]]
    with connected(request, pages, tmp_path, "strange", made) as found:
        yield found


def test_every_column_of_strange_values_is_drawn_sorted_filtered_and_charted(strange: Odd) -> None:
    olivia, things = strange.pages.olivia, strange.things
    for name in COLUMNS:
        for sort in (name, f"-{name}"):
            olivia.get(f"{things}?segment=&sort={sort}")
        drawn = olivia.get(f"/chart{things}?of={name}").text
        assert "5 records" in drawn, (name, "every record is counted, drawn or not")
        for test in ({"op": "gte", "value": "2026-01-01" if name == "day" else "1"}, {"op": "is_null", "value": True}):
            if test["op"] == "is_null" or name not in ("at", "moment"):
                olivia.get(f"{things}?segment=&filter={quote(json.dumps({'field': name, **test}))}")
    day = olivia.get(f"/chart{things}?of=day").text
    assert "not drawn: no days of a calendar" in day
    if strange.kind == "postgresql":
        for item, held in (("4", 1), ("2", 2), ("7", 0)):
            olivia.get(f"{things}?segment=&filter={quote(json.dumps({'field': 'grid', 'op': 'contains', 'value': item}))}")
            assert olivia.answer.text.count("<tr data-record") == held, (item, "a list of lists is searched through")


BEGINS = {"day": "2026-02-03", "week": "2026-02-02", "month": "2026-02-01", "quarter": "2026-01-01", "year": "2026-01-01"}


@pytest.mark.parametrize("period", BEGINS)
def test_figures_by_period_are_the_same_in_every_kind_of_database(strange: Odd, period: str) -> None:
    of = f"{strange.name}.thing"
    for name in ("day", "at", "moment"):
        found = grouped.grouped(of, whole(of), measure="count", by=[By(name, period)])
        assert sum(group.value for group in found) == 5
        assert BEGINS[period] in {group.keys[0] for group in found}, (name, found)
    within = expressions.parse("record.id == 1")
    for measure, value in (("sum", "1.5"), ("average", "1.5"), ("highest", "1.5"), ("distinct", "1")):
        (group,) = grouped.grouped(of, whole(of), measure=measure, field="amount", by=[By("day", period)], where=[within])
        assert (group.keys, Decimal(str(group.value))) == ((BEGINS[period],), Decimal(value)), measure


@pytest.fixture(params=KINDS)
def issues(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Issues of others, each due long ago: only the first is still open. None of their fields is shaped."""
    made = [
        "create table thing (id int primary key, title varchar(20), due_on date, due_at date, status varchar(20), closed_on date, is_done boolean)",
        """insert into thing values (1, 'A', '2020-01-02', null, 'open', null, false), (2, 'B', '2020-01-02', null, 'open', '2020-01-09', false),
        (3, 'C', '2020-01-02', null, 'open', null, true)""",
        *(f"insert into thing values ({number}, 'D{number}', '2020-01-02', null, 'closed', null, false)" for number in range(4, 16)),
    ]
    with connected(request, pages, tmp_path, "issues", made) as found:
        yield found


def test_what_came_to_its_end_is_not_late(issues: Odd) -> None:
    olivia = issues.pages.olivia
    assert olivia.get(f"{issues.things}?columns=due_on").text.count(" late") == 1
    for key, late in (("1", 1), ("2", 0), ("3", 0), ("4", 0)):
        assert olivia.get(f"{issues.things}/{key}").text.count(" late") == late, key


@pytest.fixture(params=KINDS)
def flags(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """A table that keeps truth values as numbers, and numbers that are called alike."""
    made = [
        "create table thing (id int primary key, title varchar(20), is_open smallint not null default 1, has_paid int, is_level int)",
        "insert into thing values (1, 'A', 1, 0, 3), (2, 'B', 0, null, 1), (3, 'C', 1, 1, 0), (4, 'D', 0, 0, 2)",
    ]
    with connected(request, pages, tmp_path, "flags", made) as found:
        yield found


def test_a_number_that_says_yes_or_no_is_read_written_filtered_and_counted_as_such(flags: Odd) -> None:
    olivia, things = flags.pages.olivia, flags.things

    def listed(**test: Any) -> list[str]:
        text = olivia.get(f"{things}?segment=&columns=title&filter={quote(json.dumps(test))}").html
        return re.findall(r'data-record="(\d)"', text)

    assert [text for text in ("Yes", "No") if text in olivia.get(f"{things}/1").text] == ["Yes", "No"]
    assert listed(field="is_open", op="eq", value=True) == ["1", "3"]
    assert listed(field="has_paid", op="ne", value=True) == ["1", "2", "4"]
    assert listed(field="is_level", op="gte", value=2) == ["1", "4"]
    olivia.get(f"{things}?segment=&sort=is_open,-has_paid")
    assert "2" in olivia.get(f"/chart{things}?of=is_open").text
    edit = f"{things}/1/edit/is_open"
    olivia.send(olivia.get(edit), edit, v_is_open="false")
    assert listed(field="is_open", op="eq", value=True) == ["3"]
    new = f"/new{things}"
    olivia.send(olivia.get(new), new, v_id="5", v_title="E", v_is_open="true", v_has_paid="false", v_is_level="7")
    assert listed(field="is_open", op="eq", value=True) == ["3", "5"]
    of = f"{flags.name}.thing"
    found = grouped.grouped(of, whole(of), measure="count", by=[By("is_open")], where=[expressions.parse("record.is_open == true")])
    assert [(group.keys, group.value) for group in found] == [((True,), 2)]
    written = KeySelect("select id from thing where is_open = 1", lambda there: whole(there.id))
    assert [row.key for row in records.page(of, whole(of), segment=written).rows] == ["3", "5"], (
        "a SELECT of somebody's own compares numbers"
    )
