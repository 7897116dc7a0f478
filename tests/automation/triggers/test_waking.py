"""Runs are woken by changes of their records in batches, by whichever worker takes them: each by the first change, once, whoever dies meanwhile."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from console import log, records, runs
from console.automation import triggers
from console.automation.triggers import source_events, source_waits
from console.infra import jobs
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from tests.automation.triggers.test_source_waits import stands, waiting
from tests.automation.triggers.test_triggers import house, shop
from tests.automation.triggers.test_watched_clocks import Change, change
from tests.company import Company
from tests.jobs import MOVING, work_until_idle
from tests.support.engine import kinds, until, workers

pytestmark = pytest.mark.slow

__all__ = ["change", "house", "shop"]
MANY = 60


def look() -> None:
    source_events.look(only=frozenset({"order"}))


def begin(house: Company, slug: str, collection: str, *keys: object) -> list[str]:
    """Runs that stand at the wait."""
    ids = [runs.start(house.mona, slug, collection, str(key)) for key in keys]
    work_until_idle(MOVING)
    assert {stands(each) for each in ids} == {"waiting_event"}
    return ids


def wake() -> None:
    """What the jobs do that are queued."""
    for (batch,) in fetch(
        "select convert_from(payload, 'UTF8') from queue.pgqueuer where entrypoint = 'wake_runs' order by id"
    ):
        triggers.wake_batch(batch)
    work_until_idle(MOVING)


@pytest.mark.parametrize("point", ["source_waits.noted=kill", "source_waits.wake=kill@7"])
def test_many_are_woken_once_each_though_a_worker_dies(
    shop: psycopg.Connection[Any], house: Company, point: str
) -> None:
    waiting("changed", "order", event="record.updated", filter="record.total >= 100")
    shop.execute("insert into orders (title, total) select 'many', 1 from generate_series(2, %s)", (MANY,))
    ids = begin(house, "changed", "order", *range(1, MANY + 1))
    look()
    shop.execute("update orders set total = 100, updated_at = clock_timestamp()")
    with workers(stopped=True, HANDRAIL_FAULT=point) as (killed,):
        assert until(lambda: killed.poll() is not None)
    with workers(2):
        assert until(lambda: {stands(each) for each in ids} == {"completed"})
        assert until(lambda: not fetch("select 1 from console.waking"))
    assert {kinds(each).count("event_arrived") for each in ids} == {1}


def test_a_transaction_from_before_the_wait_counts_once_it_is_committed_and_what_the_run_has_seen_does_not(
    shop: psycopg.Connection[Any], house: Company, pg: Embedded
) -> None:
    waiting("changed", "order", event="record.updated")
    [[seen], [quiet]] = shop.execute(
        "insert into orders (title, total) values ('seen', 1), ('quiet', 1) returning id"
    ).fetchall()
    begin(house, "changed", "order", quiet)
    look()
    shop.execute(
        "update orders set title = 'ahead', updated_at = clock_timestamp() + interval '20 seconds' where id = %s",
        (seen,),
    )
    with psycopg.connect(pg.url("postgres", "trigger_shop")) as other:
        other.execute("update orders set title = 'late', updated_at = now() where id = 1")
        late, early = begin(house, "changed", "order", 1, seen)
        other.commit()
    look()
    wake()
    assert [stands(late), stands(early)] == ["completed", "waiting_event"]
    assert fetch("select count(*) from console.waking") == [(0,)]


def test_a_wait_from_before_the_upgrade_is_ended_by_another_program(
    shop: psycopg.Connection[Any], house: Company
) -> None:
    waiting("changed", "order", event="record.updated")
    [run_id] = begin(house, "changed", "order", 1)
    former = "update console.run set waiting = (waiting - 'saw') || jsonb_build_object('key', 'awt_' || substr(waiting ->> 'key', 5)) where id = %s returning 1"
    assert fetch(former, (run_id,)) == [(1,)]
    assert source_waits.collections() == ["order"]
    look()
    shop.execute(
        "update orders set title = 'changed', updated_at = clock_timestamp() + interval '1 second' where id = 1"
    )
    look()
    wake()
    assert stands(run_id) == "completed"


def test_a_batch_whose_source_is_away_is_put_back_and_one_without_a_job_is_picked_up(
    shop: psycopg.Connection[Any], house: Company, pg: Embedded
) -> None:
    waiting("paid", "order", event="record.updated", filter="record.total >= 100")
    [run_id] = begin(house, "paid", "order", 1)
    look()
    shop.execute("update orders set total = 100, updated_at = clock_timestamp() where id = 1")
    look()
    [[batch]] = fetch("select batch from console.waking")
    pg.sql("alter database trigger_shop allow_connections false")
    pg.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'trigger_shop'")
    try:
        with pytest.raises(jobs.PutBack):
            triggers.wake_batch(batch)
    finally:
        pg.sql("alter database trigger_shop allow_connections true")
    assert fetch("select batch from console.waking") == [(batch,)]
    assert triggers.pick_up_waking() == 0
    fetch("delete from queue.pgqueuer where entrypoint = 'wake_runs' returning 1")
    assert triggers.pick_up_waking() == 1
    assert until(lambda: records.catalogue.answers("shop"))
    wake()
    assert stands(run_id) == "completed"


def test_in_each_kind_of_source_what_a_run_saw_is_told_from_what_is_new(
    change: Change, house: Company
) -> None:
    """The same state of a record, however it is read."""
    waiting("seen", "visit", event="record.updated")
    [quiet] = begin(house, "seen", "visit", 8)
    source_events.look(only=frozenset({"visit"}))
    ahead = log.now() + timedelta(seconds=20)
    change(ahead, 2)
    early, late = begin(house, "seen", "visit", 2, 1)
    change(log.now() - timedelta(seconds=2), 1)
    source_events.look(only=frozenset({"visit"}))
    wake()
    assert [stands(each) for each in (quiet, early, late)] == ["waiting_event", "waiting_event", "completed"]
