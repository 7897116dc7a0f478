"""Runs that wait for a change of their record are woken by what other programs write in its database. No test plays the worker."""

from typing import Any

import psycopg
import pytest

from console import runs
from console.automation import triggers
from console.automation.triggers import source_waits
from console.infra.db.engine import fetch
from tests.automation.triggers.test_triggers import END, house, publish, shop
from tests.company import Company
from tests.support.engine import kinds, step, until, whole, workers

__all__ = ["house", "shop"]

pytestmark = pytest.mark.lengthy
PAID: dict[str, Any] = {"event": "record.updated", "filter": "record.total >= 100", "timeout": "P4D"}


def waiting(slug: str, collection: str, *before: dict[str, Any], **config: Any) -> None:
    """A workflow whose runs wait so, do what stands before first, and end."""
    first = before[0]["id"] if before else "pause"
    pause = {
        "id": "pause",
        "type": "wait",
        "title": "Pause",
        "config": config,
        "next": {"event": "end"} | ({"timeout": "end"} if "timeout" in config else {}),
    }
    publish(slug, steps=[step("start", "start", first), *before, pause, END], collection=collection)


def stands(run_id: str) -> str:
    return str(fetch("select status from console.run where id = %s", (run_id,))[0][0])


def begin(house: Company, slug: str, collection: str, key: object) -> str:
    """A run that stands at the wait."""
    run_id = runs.start(house.mona, slug, collection, str(key))
    assert until(lambda: stands(run_id) == "waiting_event")
    return run_id


def test_another_program_ends_the_wait_once_the_filter_holds(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    waiting("paid", "order", **PAID)
    [[other]] = shop.execute("insert into orders (title, total) values ('other', 1) returning id").fetchall()
    with workers(2):
        mine, theirs = begin(house, "paid", "order", 1), begin(house, "paid", "order", other)
        assert until(lambda: fetch("select 1 from console.source_watch where mark is not null"))
        shop.execute("update orders set title = 'reminded', updated_at = clock_timestamp() where id = 1")
        shop.execute("update orders set total = 100, updated_at = clock_timestamp() where id = %s", (other,))
        assert until(lambda: stands(theirs) == "completed")
        assert stands(mine) == "waiting_event"
        shop.execute("update orders set total = 120, updated_at = clock_timestamp() where id = 1")
        assert until(lambda: stands(mine) == "completed")
    told = house.told(mine, by="mona")["context"]["pause"]
    assert told["event"] == "record.updated"
    assert [kinds(each).count("event_arrived") for each in (mine, theirs)] == [1, 1]
    assert source_waits.collections() == []
    whole(mine)


def test_a_change_before_the_first_look_counts_and_one_before_the_wait_does_not(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    waiting("changed", "order", event="record.updated")
    [[early]] = shop.execute(
        "insert into orders (title, total, updated_at) values ('early', 1, clock_timestamp()) returning id"
    ).fetchall()
    with workers():
        old, new = begin(house, "changed", "order", early), begin(house, "changed", "order", 1)
        shop.execute("update orders set title = 'at once', updated_at = clock_timestamp() where id = 1")
        assert until(lambda: stands(new) == "completed")
        assert stands(old) == "waiting_event"


def test_a_change_ends_a_wait_that_was_there_at_the_look_before_whatever_the_clock_of_the_database_says(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    waiting("late-clock", "order", event="record.updated")
    with workers():
        run_id = begin(house, "late-clock", "order", 1)
        place = "select 1 from console.source_watch s join console.activity a on a.pos <= s.log_pos where a.run = %s and a.kind = 'event_awaited'"
        assert until(lambda: fetch(place, (run_id,)))
        shop.execute(
            "update orders set title = 'late', updated_at = clock_timestamp() - interval '20 seconds' where id = 1"
        )
        assert until(lambda: stands(run_id) == "completed")
    whole(run_id)


def test_the_database_tells_of_changes_and_deletions(shop: psycopg.Connection[Any], house: Company) -> None:
    waiting("gone", "note", event="record.deleted", also=["record.updated"])
    shop.execute(triggers.install_sql("shop"))
    keys = [
        shop.execute("insert into note (text) values (%s) returning id", (text,)).fetchall()[0][0]
        for text in ("a", "b")
    ]
    with workers():
        changed, deleted = [begin(house, "gone", "note", key) for key in keys]
        assert until(
            lambda: shop.execute(
                "select 1 from pg_stat_activity where query ilike 'listen %' and datname = 'trigger_shop'"
            ).fetchone()
        )
        shop.execute("update note set text = 'c' where id = %s", (keys[0],))
        shop.execute("delete from note where id = %s", (keys[1],))
        assert until(lambda: stands(changed) == "completed"), stands(changed)
        assert until(lambda: "event_arrived" in kinds(deleted))
    assert house.told(changed, by="mona")["context"]["pause"]["event"] == "record.updated"
