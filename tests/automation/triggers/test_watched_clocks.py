"""Changes found by a column of moments without a zone, where clocks are shifted and where somebody corrects the zone of the source: each once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console import sources
from console.automation import triggers
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from console.records import connect
from tests.automation.triggers.test_odd_times import MARCH, OCTOBER
from tests.automation.triggers.test_triggers import house, publish
from tests.company import Company
from tests.servers.mariadb import running

__all__ = ["house"]
pytestmark = pytest.mark.slow
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
COLUMNS = "id int primary key, changed_at {}, created_at {}, gone_at {}"
Change = Callable[..., None]


@pytest.fixture(params=["postgresql", "sqlite", "sqlite with zones", "mysql"])
def change(request: pytest.FixtureRequest, house: Company, pg: Embedded, tmp_path: Path) -> Iterator[Change]:
    """Writes what another program writes at a moment: the clocks of its zone, without a word of the zone except where texts have one. The source stands in Berlin."""
    kind, name = request.param, "clocks"
    if kind == "postgresql":
        pg.drop_database(name)
        pg.sql(f"create database {name}")
        yield from written(pg.url("postgres", name), "timestamp")
        pg.drop_database(name)
    elif "sqlite" in kind:
        Path(tmp_path, "clocks.db").touch()
        yield from written(f"sqlite:///{tmp_path}/clocks.db", "datetime", zones="zones" in kind)
    else:
        with running(tmp_path) as server:
            first = connect.create(connect.address(server))
            with first.connect() as connection:
                connection.exec_driver_sql(f"create or replace database {name}")
            first.dispose()
            yield from written(
                make_url(server).set(database=name).render_as_string(hide_password=False), "datetime(3)"
            )


def written(url: str, kind: str, *, zones: bool = False) -> Iterator[Change]:
    engine = connect.create(connect.address(url))

    def wrote(at: datetime, key: int, zone: str = BERLIN, *, new: bool = False) -> None:
        shown = (
            at.astimezone(ZoneInfo(zone))
            .replace(tzinfo=None if not zones else ZoneInfo(zone))
            .isoformat(" ", "milliseconds")
        )
        with engine.begin() as connection:
            if new:
                connection.execute(
                    sa.text("insert into visit (id, changed_at, created_at) values (:id, :at, :at)"),
                    {"id": key, "at": shown},
                )
            else:
                connection.execute(
                    sa.text("update visit set changed_at = :at where id = :id"), {"id": key, "at": shown}
                )

    with engine.begin() as connection:
        connection.exec_driver_sql(f"create table visit ({COLUMNS.format(kind, kind, kind)})")
    for key in range(1, 9):
        wrote(datetime(2026, 1, 5, 8, tzinfo=UTC), key, new=True)
    document = {
        "id": "visit",
        "source": "clinic",
        "table": "visit",
        "changes": {"column": "changed_at", "created": "created_at", "every_s": 1},
    }
    sources.add("clinic", url, documents=[document], role="operations_lead", terms=sources.Terms(zone=BERLIN))
    publish(
        "visits",
        {"id": "created", "kind": "event", "on": "record.created"},
        {"id": "updated", "kind": "event", "on": "record.updated"},
        collection="visit",
    )
    triggers.synchronise()
    yield wrote
    sources.remove("clinic", force=True)
    engine.dispose()


def looked(at: datetime, *, after: timedelta = timedelta(0)) -> list[tuple[str, str]]:
    """What was taken in once a look at this moment is over, so long after the one before: (what happened, record), in order."""
    fetch(
        "update console.source_watch set looked_at = %s, read_at = %s, mark_at = mark_at - %s returning 1",
        (at - after, at - after, after),
    )
    triggers.look()
    return [(row[0], row[1]) for row in fetch("select trigger, record from console.firing order by id")]


@pytest.mark.parametrize("night", [OCTOBER, MARCH], ids=["an hour comes twice", "an hour is left out"])
@pytest.mark.parametrize("every", [timedelta(minutes=9), timedelta(minutes=50)])
def test_each_change_of_a_night_in_which_clocks_are_shifted_is_found_once(
    change: Change, night: datetime, every: timedelta
) -> None:
    """However long nothing comes between; also what is committed some seconds late, and rows that are added."""
    at, wanted = night - timedelta(minutes=55), list[tuple[str, str]]()
    assert looked(at) == []
    number = 0
    while at < night + timedelta(hours=4):
        number += 1
        at += every
        changed, added, late = number % 8 + 1, 100 + number, (number + 4) % 8 + 1
        change(at, changed)
        change(at, added, new=True)
        wanted += [("updated", str(changed)), ("created", str(added))]
        assert sorted(looked(at, after=every)) == sorted(wanted), at
        change(at - timedelta(seconds=20), late)
        wanted.append(("updated", str(late)))
        assert sorted(looked(at, after=timedelta(seconds=1))) == sorted(wanted), at
        assert len(looked(at, after=timedelta(minutes=3))) == len(wanted), at


@pytest.mark.parametrize("zones", [(NEW_YORK, "", BERLIN), ("Asia/Kolkata", NEW_YORK)], ids=" ".join)
def test_who_corrects_the_zone_of_a_source_loses_no_change_and_hears_of_none_twice(
    change: Change, zones: tuple[str, ...]
) -> None:
    at, wanted = datetime(2026, 11, 3, 9, 0, 0, 120_000, tzinfo=UTC), list[tuple[str, str]]()
    change(at, 8)
    assert looked(at) == []
    for number, zone in enumerate(zones):
        change(at + timedelta(seconds=10), 1 + number)
        wanted.append(("updated", str(1 + number)))
        assert looked(at) == wanted
        at += timedelta(minutes=4)
        change(at, 4 + number)
        change(at, 100 + number, new=True)
        sources.change("clinic", terms=sources.Terms(zone=zone))
        wanted += [("updated", str(4 + number)), ("created", str(100 + number))]
        assert sorted(looked(at, after=timedelta(minutes=number * 4))) == sorted(wanted), zone
        wanted = looked(at, after=timedelta(minutes=2))
        assert len(wanted) == 3 * (number + 1), zone
