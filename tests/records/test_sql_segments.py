"""A segment that is a SELECT finds the same records in PostgreSQL, SQLite and MariaDB, never outside of what its reader may see."""

from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from console.core import expressions
from console.core.scopes import Scope
from console.errors import Malformed
from console.records import KeySelect, catalogue
from console.records.sql_segments import Reach
from tests.records.agreeing import Place


def keys(place: Place, chosen: KeySelect) -> list[object]:
    """Keys that the SELECT gives."""
    wanted = sa.select(*place.table.key).select_from(place.table.table).where(chosen.condition(place.table)).order_by(*place.table.key)
    found = [row[0] for row in place.connection.execute(wanted)]
    place.connection.commit()
    return found


def seen(scope: Scope | None) -> Reach:
    """A reader who sees this of every collection."""
    return lambda _: scope


def test_every_database_finds_the_same(places: list[Place], monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for place in places:
        collection = place.collection
        monkeypatch.setattr(catalogue, "collections", partial(list, [collection]))
        key, whole = collection.key[0], Scope(collection.id, everything=True)
        marks = f"select a.{key} from {collection.table} a where a.n is not null and a.{key} <> -1 and '10:30 50% \\ ?' is not null"
        every = keys(place, KeySelect(marks, seen(whole)))
        narrow = replace(whole, everything=False, allow=(expressions.parse("record.n > 2"),))
        fewer = keys(place, KeySelect(marks, seen(narrow)))
        assert set(fewer) < set(every)
        found.append((every, fewer))
        hidden = replace(whole, hidden=frozenset({"n"}))
        with pytest.raises(sa.exc.DBAPIError):
            keys(place, KeySelect(marks, seen(hidden)))
        place.connection.rollback()
        with pytest.raises(Malformed, match="that you may read"):
            keys(place, KeySelect(marks, seen(None)))
    assert all(each == found[0] for each in found)
