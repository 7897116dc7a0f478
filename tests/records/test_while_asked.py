"""Work that is done while a source looks for records: once, beside its statement, and nobody depends on it."""

from collections.abc import Callable

import pytest

from console import records
from console.core.scopes import whole
from console.postgres import Embedded
from console.records import catalogue, connect, while_asked

C = "shop.customer"
LOOKING = "select count(*) from pg_stat_activity where application_name = 'handrail' and state = 'active' and query like '%pg_sleep%'"


def asked(sql: str) -> list[tuple[object, ...]]:
    """What the source of the customers answers."""
    engine = catalogue.engine_of(catalogue.collection(C))
    return connect.read(engine, "shop", lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)])


def test_the_work_is_done_while_the_statement_is_under_way(shop: Embedded, shop_url: str) -> None:
    seen: list[str] = []
    asked("select 1")  # a new connection is told its limits first
    with while_asked(lambda: seen.append(shop.sql(LOOKING))):
        assert asked("select 1 from pg_sleep(1)") == [(1,)]
        assert asked("select 2") == [(2,)]
    assert len(seen) == 1
    assert int(seen[0]) == 1


def test_work_that_fails_or_asks_the_same_source_leaves_the_answer_as_it_is(shop_url: str) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    inside = []
    works: list[Callable[[], object]] = [fails, lambda: inside.append(records.get(C, "2", whole(C)).key)]
    for work in works:
        with while_asked(work):
            assert records.get(C, "1", whole(C)).key == "1"
            assert [row.key for row in records.page(C, whole(C), limit=2).rows] == ["1", "2"]
    assert inside == ["2"]


def test_where_all_connections_were_ended_it_is_asked_again_and_the_work_is_done_once(shop: Embedded, shop_url: str) -> None:
    done: list[int] = []
    with while_asked(lambda: records.get(C, "1", whole(C))):  # one connection beside the other
        records.get(C, "1", whole(C))
    shop.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'handrail'")
    with while_asked(lambda: done.append(1)):
        assert records.get(C, "1", whole(C)).key == "1"
    assert done == [1]


def test_where_nothing_is_asked_nothing_is_done(file: str) -> None:
    done: list[int] = []
    with pytest.raises(KeyError), while_asked(lambda: done.append(1)):
        raise KeyError
    with while_asked(lambda: done.append(1)):
        assert records.get(C, "1", whole(C)).key == "1"  # SQLite works in this process
    assert done == []
