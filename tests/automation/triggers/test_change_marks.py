"""A change in every form of change mark, in every dialect: told at the next look, once; whatever typing errors stand in the column beside it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console import sources
from console.automation import triggers
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from console.operations import doctor
from console.records import connect
from tests.automation.triggers.test_triggers import house, publish
from tests.company import Company
from tests.servers.mariadb import running

pytestmark = pytest.mark.slow

__all__ = ["house"]
Spelled = Callable[[datetime], Any]
ISO: dict[str, Spelled] = {
    "blank": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    "fraction": lambda at: at.replace(tzinfo=None).isoformat(" ", "milliseconds"),
    "T": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}",
    "Z": lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}",
    "fraction and Z": lambda at: at.replace(tzinfo=None).isoformat("T", "milliseconds") + "Z",
    "offset": lambda at: f"{at:%Y-%m-%d %H:%M:%S}+00:00",
}
SECONDS: Spelled = lambda at: int(at.timestamp())  # noqa: E731
FORMS: dict[str, dict[str, tuple[str, list[Spelled]]]] = {
    "sqlite": {name: ("text", [spelled]) for name, spelled in ISO.items()}
    | {
        "mixed": ("text", [*ISO.values()]),
        "datetime": ("datetime", [ISO["blank"]]),
        "seconds": ("integer", [SECONDS]),
    },
    "postgresql": {
        "moment": ("timestamptz", [lambda at: at]),
        "without a zone": ("timestamp", [lambda at: at.replace(tzinfo=None)]),
        "seconds": ("bigint", [SECONDS]),
    },
    "mysql": {
        "moment": ("datetime(3)", [lambda at: at.replace(tzinfo=None)]),
        "seconds": ("bigint", [SECONDS]),
    },
}


class Parcels:
    """A table of another program, and a workflow that is started by what happens there."""

    def __init__(
        self, url: str, kind: str, spelled: list[Spelled], *, unset: Any = None, filled: bool = True
    ) -> None:
        self.engine, self.spelled, self.written = connect.create(connect.address(url)), spelled, 0
        with self.engine.begin() as connection:
            connection.exec_driver_sql("drop table if exists parcel")
            columns = f"id int primary key, status varchar(20) default 'new', created_at {kind}, changed_at {kind}, gone_at {kind}"
            connection.exec_driver_sql(f"create table parcel ({columns})")
        for key in range(1, 7 if filled else 1):
            self.write(
                f"insert into parcel (id, created_at, changed_at, gone_at) values ({key}, :at, :at, :unset)",
                hours=-key,
                unset=unset,
            )
        marks = {"column": "changed_at", "created": "created_at", "deleted": "gone_at", "every_s": 5}
        document = {
            "id": "parcel",
            "source": "post",
            "table": "parcel",
            "label_one": "Parcel",
            "changes": marks,
        }
        sources.add("post", url, documents=[document], role="operations_lead")
        on = ("created", "updated", "deleted")
        publish(
            "parcels",
            *({"id": each, "kind": "event", "on": f"record.{each}"} for each in on),
            collection="parcel",
        )
        triggers.synchronise()
        self.look()

    def write(self, statement: str, *, hours: float = 0, **values: Any) -> None:
        self.written += 1
        at = self.spelled[self.written % len(self.spelled)](datetime.now(UTC) + timedelta(hours=hours))
        with self.engine.begin() as connection:
            wanted = {name: value for name, value in ({"at": at} | values).items() if f":{name}" in statement}
            connection.execute(sa.text(statement), wanted)

    def look(self) -> list[tuple[str, str]]:
        """What was told by a look in its turn, long after the one before: (what, record)."""
        before = {row for (row,) in fetch("select id from console.firing")}
        fetch(
            "update console.source_watch set looked_at = looked_at - interval '1 hour', mark_at = mark_at - interval '1 hour' returning 1"
        )
        triggers.look()
        found = fetch("select id, trigger, record from console.firing order by at, id")
        return [(trigger, record) for ident, trigger, record in found if ident not in before]

    def close(self) -> None:
        fetch("delete from console.firing returning 1")
        fetch("delete from console.source_watch returning 1")
        sources.remove("post", force=True)
        self.engine.dispose()


@pytest.fixture(params=["postgresql", "sqlite", "mysql"])
def foreign(
    request: pytest.FixtureRequest, house: Company, pg: Embedded, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """(dialect, address of an empty database)."""
    match request.param:
        case "postgresql":
            pg.drop_database("marks")
            pg.sql("create database marks")
            yield request.param, pg.url("postgres", "marks")
            pg.drop_database("marks")
        case "sqlite":
            Path(tmp_path, "marks.db").touch()
            yield request.param, f"sqlite:///{tmp_path}/marks.db"
        case _:
            with running(tmp_path) as address:
                first = connect.create(connect.address(address))
                with first.connect() as connection:
                    connection.exec_driver_sql("create or replace database marks")
                first.dispose()
                yield (
                    request.param,
                    make_url(address).set(database="marks").render_as_string(hide_password=False),
                )


def test_a_change_is_told_once_at_the_next_look_in_every_form_of_the_mark(foreign: tuple[str, str]) -> None:
    dialect, url = foreign
    for name, (kind, spelled) in FORMS[dialect].items():
        parcels = Parcels(url, kind, spelled, unset=0 if name == "seconds" else None)
        for _ in spelled:  # in each spelling after each other
            parcels.write("update parcel set changed_at = :at where id = 1", hours=parcels.written / 3600)
            assert parcels.look() == [("updated", "1")], name
        more = parcels.written / 3600
        parcels.write(
            "insert into parcel (id, created_at, changed_at, gone_at) values (70, :at, :at, :unset)",
            hours=more,
            unset=0 if name == "seconds" else None,
        )
        assert parcels.look() == [("created", "70")], name
        parcels.write("update parcel set changed_at = :at, gone_at = :at where id = 2", hours=more + 0.001)
        assert parcels.look() == [("deleted", "2")], name
        assert parcels.look() == [], name
        parcels.close()


def test_a_mark_ahead_of_the_clock_hides_nothing_and_is_named_until_it_is_mended(
    foreign: tuple[str, str],
) -> None:
    dialect, url = foreign
    for name, (kind, spelled) in FORMS[dialect].items():
        parcels = Parcels(url, kind, spelled)
        parcels.write("update parcel set changed_at = :at where id = 3", hours=24 * 365 * 60)
        assert parcels.look() == [("updated", "3")], name
        problem = str(fetch("select problem from console.trigger where id = 'updated'")[0][0])
        assert problem.startswith("changed_at of Parcel 3 is ahead of the clock"), (name, problem)
        assert [check.message for check in doctor._watched_changes() if not check.ok] == [
            f"parcel: {problem}"
        ]
        parcels.write("update parcel set changed_at = :at where id = 1", hours=parcels.written / 3600)
        assert parcels.look() == [("updated", "1")], name
        parcels.write("update parcel set changed_at = :at where id = 3", hours=parcels.written / 3600)
        assert parcels.look() == [("updated", "3")], name
        assert fetch("select problem from console.trigger where id = 'updated'") == [(None,)]
        assert parcels.look() == [], name
        parcels.close()


def test_a_mark_that_was_ahead_when_the_watching_began_hides_nothing(house: Company, tmp_path: Path) -> None:
    Path(tmp_path, "marks.db").touch()
    parcels = Parcels(f"sqlite:///{tmp_path}/marks.db", "text", [ISO["blank"]], filled=False)
    parcels.write("insert into parcel (id, created_at, changed_at) values (9, :at, :at)", hours=24 * 365 * 60)
    fetch("delete from console.source_watch returning 1")
    assert parcels.look() == []
    parcels.write("insert into parcel (id, created_at, changed_at) values (10, :at, :at)")
    assert parcels.look() == [("created", "10")]
    parcels.close()


NEVER = {"postgresql": "0001-01-01", "sqlite": "1900-01-01", "mysql": "0000-00-00"}


def test_a_record_without_a_due_date_is_not_overdue_since_long_ago(foreign: tuple[str, str]) -> None:
    """A trigger's condition sees no value where the column holds what means "none"."""
    dialect, url = foreign
    engine = connect.create(connect.address(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create table bill (id int primary key, rev int not null, due_on date not null)"
        )
        connection.exec_driver_sql(
            f"insert into bill values (1, 1, '2020-01-01'), (2, 2, '{NEVER[dialect]}')"
        )
    document = {
        "id": "bill",
        "source": "bills",
        "table": "bill",
        "changes": {"column": "rev"},
        "fields": {"due_on": {"empty_values": [NEVER[dialect]]}},
    }
    sources.add("bills", url, documents=[document], role="operations_lead")
    trigger = {"kind": "event", "on": "record.updated"}
    publish(
        "dunning",
        {"id": "late", "filter": "record.due_on < today()", **trigger},
        {"id": "open", "filter": "record.due_on == null", **trigger},
        collection="bill",
    )
    triggers.synchronise()
    triggers.look()
    with engine.begin() as connection:
        connection.exec_driver_sql("update bill set rev = rev + 10")
    fetch("update console.source_watch set looked_at = looked_at - interval '1 hour' returning 1")
    triggers.look()
    assert fetch("select trigger, record from console.firing order by trigger") == [
        ("late", "1"),
        ("open", "2"),
    ]
    engine.dispose()
    sources.remove("bills", force=True)
