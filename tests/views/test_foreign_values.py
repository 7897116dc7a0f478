"""Values that databases of others hold and no calendar or axis does: every column of a list is drawn, sorted and filtered."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from console import records, sources
from console.browse import BrowseQuery, list_export, list_tables
from console.core import expressions, filters
from console.core.scopes import unrestricted
from console.formats import Look
from console.infra.db.engine import hot_engine
from console.records import KeySelect, connect, grouped, sql_question
from console.records.grouped import By
from console.sources.collections import collection_store
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

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
    made = [
        text.replace("(5)", "(5, null, null, null, null, null, null, null)") for text in VALUES[request.param]
    ]
    with connected(request, pages, tmp_path, "strange", made) as found:
        yield found


def test_every_column_of_strange_values_is_drawn_sorted_and_filtered(strange: Odd) -> None:
    olivia, things = strange.pages.olivia, strange.things
    for name in COLUMNS:
        for sort in (name, f"-{name}"):
            olivia.get(f"{things}?segment=&sort={sort}")
        for test in (
            {"op": "gte", "value": "2026-01-01" if name == "day" else "1"},
            {"op": "is_null", "value": True},
        ):
            if test["op"] == "is_null" or name not in ("at", "moment"):
                olivia.get(f"{things}?segment=&filter={quote(json.dumps({'field': name, **test}))}")
    if strange.kind == "postgresql":
        for item, held in (("4", 1), ("2", 2), ("7", 0)):
            olivia.get(
                f"{things}?segment=&filter={quote(json.dumps({'field': 'grid', 'op': 'contains', 'value': item}))}"
            )
            assert olivia.answer.text.count("<tr data-record") == held, (
                item,
                "a list of lists is searched through",
            )


@pytest.fixture(params=KINDS)
def issues(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Issues of others, each due long ago: only the first is still open. None of their fields is shaped."""
    made = [
        "create table thing (id int primary key, title varchar(20), due_on date, due_at date, status varchar(20), closed_on date, is_done boolean)",
        """insert into thing values (1, 'A', '2020-01-02', null, 'open', null, false), (2, 'B', '2020-01-02', null, 'open', '2020-01-09', false),
        (3, 'C', '2020-01-02', null, 'open', null, true)""",
        *(
            f"insert into thing values ({number}, 'D{number}', '2020-01-02', null, 'closed', null, false)"
            for number in range(4, 16)
        ),
    ]
    with connected(request, pages, tmp_path, "issues", made) as found:
        yield found


def test_a_due_day_of_a_record_is_a_fact_and_never_late(issues: Odd) -> None:
    olivia = issues.pages.olivia
    for path in (f"{issues.things}?columns=due_on", f"{issues.things}/1"):
        page = olivia.get(path).text
        assert "2020" in page
        assert not re.search(r"\b(?:late|overdue)\b", page)


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
    edit = f"{things}/1/edit/is_open"
    olivia.send(olivia.get(edit), edit, v_is_open="false")
    assert listed(field="is_open", op="eq", value=True) == ["3"]
    new = f"/new{things}"
    olivia.send(
        olivia.get(new), new, v_id="5", v_title="E", v_is_open="true", v_has_paid="false", v_is_level="7"
    )
    assert listed(field="is_open", op="eq", value=True) == ["3", "5"]
    of = f"{flags.name}.thing"
    found = grouped.grouped(
        of,
        unrestricted(of),
        measure="count",
        by=[By("is_open")],
        where=[expressions.parse("record.is_open == true")],
    )
    assert [(group.keys, group.value) for group in found] == [((True,), 2)]
    written = KeySelect("select id from thing where is_open = 1", lambda there: unrestricted(there.id))
    assert [row.key for row in records.page(of, unrestricted(of), segment=written).rows] == ["3", "5"], (
        "a SELECT of somebody's own compares numbers"
    )


NAIVE = {
    "sqlite": ("datetime", "datetime default current_timestamp"),
    "postgresql": ("timestamp", "timestamptz default now()"),
    "mysql": ("datetime", "timestamp default current_timestamp"),
}
MADRID = {
    1: ("2026-11-20 12:30:00", "2026-11-20T11:30:00Z"),
    2: ("2026-07-20 12:30:00", "2026-07-20T10:30:00Z"),
    3: ("2026-10-25 02:30:00", "2026-10-25T01:30:00Z"),  # clocks showed it twice
    4: ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),  # they never did
    5: ("2026-11-20 00:10:00", "2026-11-19T23:10:00Z"),
    6: ("2026-10-25 01:59:59", "2026-10-24T23:59:59Z"),
    7: ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
}
"""Visits by their number: what the database holds of each, and what it is."""


@pytest.fixture(params=KINDS)
def clinic(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Visits of a clinic in Madrid, whose clocks the database knows nothing of; `noted` is written by the database itself, in UTC."""
    naive, noted = NAIVE[request.param]
    rows = ", ".join(f"({number}, '{at}', '{at[:10]}')" for number, (at, _) in MADRID.items())
    touched = (
        "datetime default current_timestamp on update current_timestamp"
        if request.param == "mysql"
        else "timestamp default now()"
    )
    state = (
        "enum('', 'open') not null default 'open'"
        if request.param == "mysql"
        else "varchar(9) not null default 'open' check (state in ('', 'open'))"
    )
    more = "" if request.param == "sqlite" else f", touched {touched}"
    more += ", stops timestamp[], off date[]" if request.param == "postgresql" else ""
    made = [
        f"create table thing (id int primary key, at {naive}, day date, noted {noted}, state {state}{more})",
        f"insert into thing (id, at, day) values {rows}",
    ]
    with connected(request, pages, tmp_path, "clinic", made) as found:
        sources.change(found.name, terms=sources.Terms(zone="Europe/Madrid"))
        records.forget()
        yield found


def test_a_moment_without_a_zone_is_the_same_everywhere(clinic: Odd) -> None:
    of, scope = f"{clinic.name}.thing", unrestricted(f"{clinic.name}.thing")
    true = {number: datetime.fromisoformat(at) for number, (_, at) in MADRID.items()}

    def numbers(**how: Any) -> list[int]:
        return [int(row.key or 0) for row in records.page(of, scope, **how).rows]

    read = {int(row.key or 0): row.values["at"] for row in records.page(of, scope).rows}
    assert read == {number: at for number, (_, at) in MADRID.items()}
    for number, (_, text) in MADRID.items():
        assert set(numbers(where=filters.Test("at", "eq", text))) - {4} == {
            other for other in true if true[other] == true[number]
        } - {4}, text
        for moment in (
            true[number],
            true[number] - timedelta(hours=1),
        ):  # the first of two like hours is among them
            for op, holds in (
                ("gte", moment.__le__),
                ("lt", moment.__gt__),
            ):  # MySQL finds an hour that never was by what it shows
                wanted = {other for other in MADRID if holds(true[other])} - {4}
                assert set(numbers(where=filters.Test("at", op, moment.isoformat()))) - {4} == wanted, (
                    op,
                    moment,
                )
    if clinic.kind != "mysql":
        wanted = {
            n for n, (kept, _) in MADRID.items() if true[n] >= datetime.fromisoformat(f"{kept[:10]}T00:00Z")
        }
        assert set(numbers(segment=expressions.parse("record.at >= record.day"))) == wanted, (
            "a day begins in UTC"
        )
    for zone in ("Europe/Madrid", "America/New_York", "UTC"):
        days = Counter(str(at.astimezone(ZoneInfo(zone)).date()) for at in true.values())
        found = grouped.grouped(of, scope, measure="count", by=[By("at", "day", date(2026, 1, 1))], zone=zone)
        assert {group.keys[0]: group.value for group in found} == days, zone
    with hot_engine().connect() as connection:
        _, drafted = collection_store.read_stored(connection, of)
    assert drafted.structure["zone"] == "Europe/Madrid", "what is shaped is shown as it will be"
    now = {"mysql": "now()", "sqlite": "datetime('now')", "postgresql": "localtimestamp"}[clinic.kind]
    clinic.run("insert into thing (id, at, day) values (50, '2026-11-20 00:00:00', '2026-11-20')")
    here = datetime.now(ZoneInfo("Europe/Madrid")).replace(tzinfo=None)
    clinic.run(f"update thing set at = '{here - timedelta(minutes=20):%Y-%m-%d %H:%M:%S}' where id = 50")
    edges = f"at <= {now} and at > {{}}"
    ago = {
        "mysql": "now() - interval 30 minute",
        "sqlite": "datetime('now', '-30 minutes')",
        "postgresql": "localtimestamp - interval '30 minutes'",
    }
    text = f"select id from thing where {edges.format(ago[clinic.kind])} and noted <= {now} and noted > {ago[clinic.kind]}"
    assert sql_question.ask(clinic.name, text, lambda _: scope).rows == ((50,),), (
        "now is what the clocks of the source show"
    )
    assert [row.key for row in records.page(of, scope, segment=KeySelect(text, lambda _: scope)).rows] == [
        "50"
    ]
    if clinic.kind != "sqlite":  # there a text of one's own SELECT stays a text
        noted = sql_question.ask(clinic.name, "select noted from thing where id = 50", lambda _: scope).rows[
            0
        ][0]
        assert abs(datetime.fromisoformat(noted) - datetime.now(UTC)) < timedelta(minutes=5)
        assert (
            sql_question.ask(clinic.name, "select id, at from thing where id = 2", lambda _: scope).rows[0][1]
            == MADRID[2][1]
        )


def test_what_somebody_elsewhere_types_is_kept_as_the_clocks_of_the_source_show_it(clinic: Odd) -> None:
    olivia, things = clinic.pages.olivia, clinic.things
    olivia.send(olivia.get("/settings/me"), "/profile", zone="Atlantic/Azores")
    edit = f"{things}/2/edit/state"
    page = olivia.get(edit)
    assert page.html.count('<option value="">') == 1
    olivia.send(page, edit, v_state="")
    emptied = records.get(f"{clinic.name}.thing", "2", unrestricted(f"{clinic.name}.thing"))
    assert emptied is not None
    assert emptied.values["state"] == "", "back to its empty value"
    edit = f"{things}/2/edit/at"
    assert olivia.get(edit).form(edit)["fields"]["v.at"] == "2026-07-20T10:30"
    olivia.send(olivia.get(edit), edit, v_at="2026-12-01T08:15")
    read = records.get(f"{clinic.name}.thing", "2", unrestricted(f"{clinic.name}.thing"))
    assert read is not None
    assert (held(clinic), read.values["at"]) == ("2026-12-01 10:15", "2026-12-01T09:15:00Z")
    export = list_export.require_list(
        clinic.pages.company.people["olivia"],
        f"{clinic.name}.thing",
        BrowseQuery(fields=("id", "at"), sort="id"),
    )
    assert b"2026-12-01 08:15:00" in b"".join(list_tables.csv_parts(export, Look("en", "Atlantic/Azores")))
    if clinic.kind == "postgresql":
        edit = f"{things}/2/edit/stops"
        olivia.send(olivia.get(edit), edit, v_stops="2026-12-01 08:15\n2026-07-20 09:30")
        assert olivia.get(edit).form(edit)["fields"]["v.stops"] == "2026-12-01 08:15\n2026-07-20 09:30"
        assert "1 Dec 2026, 08:15, 20 Jul 2026, 09:30" in olivia.get(f"{things}/2").text
        stops = records.get(f"{clinic.name}.thing", "2", unrestricted(f"{clinic.name}.thing"))
        assert stops is not None
        assert stops.values["stops"] == ["2026-12-01T09:15:00Z", "2026-07-20T09:30:00Z"]
        olivia.get(f"{things}?add_field=stops&add_op=contains&add_value=2026-12-01T08:15", status=303)
        found = olivia.follow()
        assert "Stops contains 1 Dec 2026, 08:15" in found.text
        assert found.html.count("<tr data-record") == 1
        wrong = olivia.send(olivia.get(edit), edit, status=422, v_stops="1 Dec 2026")
        assert "Write each as 2026-11-20 09:00." in wrong.text
        assert held(clinic, "stops::text") == '{"2026-12-01 10:'
    new = f"/new{things}"
    olivia.send(olivia.get(new), new, v_id="90", v_at="2026-10-25T02:00")
    made = records.get(f"{clinic.name}.thing", "90", unrestricted(f"{clinic.name}.thing"))
    assert made is not None
    for name in ("at", "noted", "touched"):
        expected = datetime(2026, 10, 25, 3, tzinfo=UTC) if name == "at" else datetime.now(UTC)
        if name in made.values:
            assert abs(datetime.fromisoformat(made.values[name]) - expected) < timedelta(minutes=1), name
    for op, count, day in (("last", "", "2026-12-01"), ("eq", "5", "")):
        listed = olivia.get(f"{things}?add_field=at&add_op={op}&add_value={count}&add_value={day}").html
        assert listed.count("<tr data-record") == len(MADRID) + 1, (
            "what the other box asks for is not taken for this one's"
        )
    for op, words in (
        ("eq", "At is 1 Dec 2026"),
        ("gte", "At is from 1 Dec 2026"),
        ("lte", "At is before 2 Dec 2026"),
    ):
        olivia.get(f"{things}?add_field=at&add_op={op}&add_value=&add_value=2026-12-01", status=303)
        drawn = olivia.follow()
        assert words in drawn.text
        assert f"{words}, 00:00" not in drawn.text, "a day is asked for, and no hour"
    before = quote(json.dumps({"field": "at", "op": "lt", "value": "2026-12-01T09:15:00Z"}))
    assert olivia.get(f"{things}?filter={before}").html.count("<tr data-record") == len(MADRID)


def held(clinic: Odd, column: str = "at") -> str:
    """What the database holds of the second visit, to the minute."""
    engine = connect.create(connect.address(clinic.url))
    with engine.connect() as connection:
        kept = connection.exec_driver_sql(f"select {column} from thing where id = 2").scalar_one()
    engine.dispose()
    return str(kept)[:16]
