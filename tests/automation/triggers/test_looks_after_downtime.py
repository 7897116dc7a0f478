"""Changes in a user's database while nobody looked, or while a look was broken off: each fires once when a worker is back."""

from typing import Any

import psycopg

from console.automation import triggers
from console.infra.db.engine import fetch
from tests.automation.triggers.test_triggers import house, publish, shop
from tests.company import Company

__all__ = ["house", "shop"]
ORDERS = frozenset({"order"})
AWAY = """
update console.source_watch set mark_at = mark_at - interval '3 minutes', looked_at = looked_at - interval '3 minutes', read_at = read_at - interval '3 minutes'
returning 1
"""
"""As if no worker had been there for three minutes."""


def fired() -> int:
    return int(fetch("select count(*) from console.firing")[0][0])


def watching() -> None:
    publish("watching", {"id": "changed", "kind": "event", "on": "record.updated"}, collection="order")
    triggers.synchronise()
    triggers.look()


def test_a_bulk_change_is_found_to_its_last_row_where_the_worker_stopped_within_it(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    shop.execute("insert into orders (title, total) select 'n', n from generate_series(1, 1199) n")
    watching()
    shop.execute("update orders set total = 0, updated_at = now()")
    answers = iter([False])
    triggers.look(lambda: next(answers, True), only=ORDERS)
    assert fired() == 500
    assert fetch(AWAY)
    triggers.look(only=ORDERS)
    assert fired() == 1200
    triggers.look(only=ORDERS)
    assert fired() == 1200


def test_what_was_committed_late_is_found_after_a_downtime(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    """Its moment is before the last one that was seen, as where its transaction began earlier."""
    shop.execute("insert into orders (title, total) values ('second', 2)")
    watching()
    shop.execute("update orders set total = 3, updated_at = clock_timestamp() where id = 1")
    triggers.look(only=ORDERS)
    shop.execute(
        "update orders set total = 3, updated_at = (select max(updated_at) - interval '1 second' from orders) where id = 2"
    )
    assert fired() == 1
    assert fetch(AWAY)
    triggers.look(only=ORDERS)
    assert fired() == 2
    triggers.look(only=ORDERS)
    assert fired() == 2
