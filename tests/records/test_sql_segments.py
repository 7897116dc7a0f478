"""A segment that is a SELECT finds the same records in PostgreSQL, SQLite and MariaDB, never outside of what its reader may see."""

from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from console.core import expressions
from console.core.errors import Malformed
from console.core.scopes import Scope
from console.records import KeySelect, catalogue
from console.records.sql_segments import Reach
from tests.records.agreeing import Place


def keys(place: Place, chosen: KeySelect) -> list[object]:
    """Keys that the SELECT gives."""
    wanted = (
        sa.select(*place.table.key)
        .select_from(place.table.table)
        .where(chosen.condition(place.table))
        .order_by(*place.table.key)
    )
    found = [row[0] for row in place.connection.execute(wanted)]
    place.connection.commit()
    return found


def stand_alone(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """The collection of this database is the only one."""
    monkeypatch.setattr(catalogue, "collections", partial(list, [place.collection]))
    monkeypatch.setattr(
        catalogue, "current", lambda: catalogue.Catalogue(0, {}, {place.collection.id: place.collection})
    )
    monkeypatch.setattr(catalogue, "engine_of", lambda _: place.connection.engine)


def seen(scope: Scope | None) -> Reach:
    """A reader who sees this of every collection."""
    return lambda _: scope


def test_a_hidden_column_is_not_found_in_the_list_around_the_select(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in places:
        collection = place.collection
        stand_alone(monkeypatch, place)
        key, hidden = collection.key[0], Scope(collection.id, everything=True, hidden=frozenset({"n"}))
        for test in ("n > 2", f"{collection.table}.n > 2", "exists (select 1 where n > 2)"):
            with pytest.raises((sa.exc.DBAPIError, Malformed)):
                keys(
                    place,
                    KeySelect(f"select other.{key} from {collection.table} other where {test}", seen(hidden)),
                )
            place.connection.rollback()


@pytest.mark.parametrize(
    "wanted",
    [
        "with few as (with more as ({every} where n > 1) select {key} from more where n > 2) select {key} from few",
        "select {key} from (with more as ({every} where n > 2) select {key} from more) as inner_part",
        "select {key} from {table} where {key} in (with few as (with more as ({every}) select * from more where n > 2) select {key} from few)",
        "with few as ({every}) select {key} from few where exists (with more as (select * from few where n > 2) select 1 from more where more.{key} = few.{key})",
        "with {table} as ({every} where n > 2) select {key} from {table}",
    ],
)
def test_parts_stand_anywhere_in_a_select(
    places: list[Place], monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    for place in places:
        collection = place.collection
        stand_alone(monkeypatch, place)
        names = {
            "key": collection.key[0],
            "table": collection.table,
            "every": f"select * from {collection.table}",
        }
        plain = f"select {names['key']} from {names['table']} where n > 2"
        whole = seen(Scope(collection.id, everything=True))
        found = keys(place, KeySelect(wanted.format(**names), whole))
        assert found, place.connection.dialect.name
        assert found == keys(place, KeySelect(plain, whole)), place.connection.dialect.name


def test_every_database_finds_the_same(places: list[Place], monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for place in places:
        collection = place.collection
        stand_alone(monkeypatch, place)
        key, whole = collection.key[0], Scope(collection.id, everything=True)
        marks = f"select a.{key} from {collection.table} a where a.n is not null and a.{key} <> -1 and '10:30 50% \\ ?' is not null"
        every = keys(place, KeySelect(marks, seen(whole)))
        narrow = replace(whole, everything=False, allow=(expressions.parse("record.n > 2"),))
        fewer = keys(place, KeySelect(marks, seen(narrow)))
        assert set(fewer) < set(every)
        found.append((every, fewer))
        hidden = replace(whole, hidden=frozenset({"n"}))
        with pytest.raises((sa.exc.DBAPIError, Malformed)):
            keys(place, KeySelect(marks, seen(hidden)))
        place.connection.rollback()
        with pytest.raises(Malformed, match="that you may read"):
            keys(place, KeySelect(marks, seen(None)))
    assert all(each == found[0] for each in found)
