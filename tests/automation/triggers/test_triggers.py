"""Triggers through workers as they start: schedules, events of the log and of databases, floods, circles. No test plays the worker."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from console import browse, log, runs, sources, workflows
from console.auth import accounts
from console.automation import triggers
from console.automation.triggers import firing, source_events, trigger_rows
from console.core.errors import NotFound
from console.core.run.origin import RecordRef
from console.infra.db.engine import fetch, transaction
from console.infra.postgres import Embedded
from tests.company import WORKING, Company
from tests.support.engine import step, until, workers

ROBOT = "robot@fernwick.test"
END = step("end", "end", None)


def publish(
    slug: str, *given: dict[str, Any], steps: list[dict[str, Any]] | None = None, **more: Any
) -> None:
    """A workflow that acts for the robot and ends at once, with these triggers."""
    head = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "run_as": ROBOT,
        "settings": {"exclusive": False},
    }
    workflows.import_file(
        head | {"steps": steps or [step("start", "start", "end"), END], "triggers": list(given)} | more,
        publish=True,
    )


def runs_of(slug: str) -> list[tuple[Any, ...]]:
    """(status, record, kind of trigger, id of the trigger) of its runs, in order."""
    return fetch(
        "select r.status, r.record, r.trigger, r.origin->>'id' from /* every run */ console.run r join console.workflow w on w.id = r.workflow"
        " where w.slug = %s order by r.id",
        (slug,),
    )


def told(slug: str, ident: str) -> tuple[Any, ...]:
    """(taken in, let pass not, left out, stopped) of a trigger; empty before a worker knows it."""
    rows = fetch(
        "select t.matched, t.passed, t.left_out, t.stopped from console.trigger t join console.workflow w on w.id = t.workflow where w.slug = %s and t.id = %s",
        (slug, ident),
    )
    return tuple(rows[0]) if rows else ()


def due_at(slug: str, ident: str, moment: str) -> None:
    """As if the schedule had been due at that moment of PostgreSQL's."""
    triggers.synchronise()
    statement = f"update console.trigger t set next_at = {moment} from console.workflow w where w.id = t.workflow and w.slug = %s and t.id = %s returning 1"
    assert fetch(statement, (slug, ident))


@pytest.fixture
def house(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    return company


@pytest.fixture
def shop(house: Company, pg: Embedded) -> Iterator[psycopg.Connection[Any]]:
    """A PostgreSQL database of the company's own, connected as `shop`, whose orders are watched and whose notes tell of themselves."""
    pg.drop_database("trigger_shop")
    pg.sql("create database trigger_shop")
    with psycopg.connect(pg.url("postgres", "trigger_shop"), autocommit=True) as connection:
        connection.execute(
            "create table orders (id int primary key generated always as identity, title text not null, total int, updated_at timestamptz not null default now(), deleted_at timestamptz)"
        )
        connection.execute("create table note (id uuid primary key default gen_random_uuid(), text text)")
        connection.execute("insert into orders (title, total) values ('old', 1)")
        documents = [
            {
                "id": "order",
                "source": "shop",
                "table": "orders",
                "changes": {"column": "updated_at", "deleted": "deleted_at", "every_s": 1},
            },
            {"id": "note", "source": "shop", "table": "note", "changes": {"listen": True}},
        ]
        sources.add(
            "shop", pg.url("postgres", "trigger_shop"), documents=documents, may={"operations_lead": WORKING}
        )
        yield connection
    sources.remove("shop", force=True)


def test_a_schedule_starts_one_run_for_each_time_whoever_looks(house: Company) -> None:
    minute = (log.now().minute + 30) % 60
    for missed in ("once", "all", "skip"):
        publish(
            f"{missed}-late",
            {"id": "night", "kind": "schedule", "cron": f"{minute} * * * *", "missed": missed},
        )
        due_at(f"{missed}-late", "night", "clock_timestamp() - interval '20 hours'")
    with workers(2):
        assert until(lambda: len(runs_of("all-late")) >= 10 and runs_of("once-late"))
        assert until(lambda: not fetch("select 1 from console.firing where status = 'waiting'"))
        assert until(
            lambda: {row[0] for name in ("all-late", "once-late") for row in runs_of(name)} == {"completed"}
        )
    assert [len(runs_of(name)) for name in ("once-late", "skip-late")] == [1, 0]
    assert len(runs_of("all-late")) == 10
    assert runs_of("once-late") == [("completed", None, "schedule", "night")]
    assert told("skip-late", "night")[2] == 20
    [late] = triggers.list_triggers(house.mona, "once-late")[1]
    assert (
        [fired.made_up_at is not None for fired in late.last]
        == [fired.to_json()["made_up_at"] is not None for fired in late.last]
        == [True]
    )
    assert fetch("select count(*) from console.trigger where next_at > clock_timestamp()")[0][0] == 3


def test_a_schedule_waits_for_its_source_however_long_and_then_begins_once(
    shop: psycopg.Connection[Any], house: Company, pg: Embedded
) -> None:
    night = {"id": "night", "kind": "schedule", "cron": "* * * * *", "record": "'1'"}
    publish("orders", night, collection="order", settings={"exclusive": False, "parallel": 10})
    ident = fetch("select id from console.workflow where slug = 'orders'")[0][0]

    def come_due() -> None:
        due_at("orders", "night", "date_trunc('minute', clock_timestamp())")
        triggers.fire_due()
        firing.fire(ident)

    shop.close()
    pg.sql("alter database trigger_shop rename to trigger_shop_away")
    try:
        come_due()
        [(status, why)] = fetch("select status, why from console.firing")
        assert (status, bool(why)) == ("waiting", True)
        fetch(
            "update console.firing set tries = 2000, due_at = now(), at = at - interval '3 days', key = 'earlier' returning 1"
        )
        firing.fire(ident)
        assert fetch("select status, tries from console.firing") == [("waiting", 2001)]
        come_due()
    finally:
        pg.sql("alter database trigger_shop_away rename to trigger_shop")

    def began() -> bool:
        fetch("update console.firing set due_at = now() returning 1")
        firing.fire(ident)
        return bool(runs_of("orders"))

    assert until(began)
    last = {trigger.id: trigger.last for trigger in triggers.list_triggers(house.mona, "orders")[1]}["night"]
    assert [fired.status for fired in last] == ["started", "refused"]
    assert str(last[1].why).endswith("A later time begins in its place.")
    assert (last[0].why, len(runs_of("orders")), told("orders", "night")) == (None, 1, (2, 0, 1, 0))


def test_events_of_the_log_are_filtered_counted_and_started_once(house: Company) -> None:
    fields = {"config": {"fields": [{"name": "was", "label": "Was", "type": "text"}]}}
    steps = [step("start", "start", "end") | fields, END]
    changed = {
        "kind": "event",
        "on": "record.updated",
        "filter": "record.risk == 'high' && former.risk != 'high'",
        "input": {"was": "former.risk"},
    }
    publish("rated-high", {"id": "high", **changed}, steps=steps, collection="customer")
    publish(
        "after-it",
        {"id": "done", "kind": "event", "on": "run.completed", "filter": "event.workflow == 'rated-high'"},
    )
    publish(
        "off",
        {"id": "high", "kind": "event", "on": "record.updated", "enabled": False},
        collection="customer",
    )
    with workers():
        for key, old, risk in (("1", None, "low"), ("2", "low", "high"), ("1", "low", "high")):
            browse.change(house.mona, "customer", key, {"risk": risk}, {"risk": old})
        assert until(lambda: len(runs_of("after-it")) == 2)
    assert sorted(runs_of("rated-high")) == [
        ("completed", "1", "event", "high"),
        ("completed", "2", "event", "high"),
    ]
    assert fetch("select input from /* every run */ console.run where record = '2'") == [({"was": "low"},)]
    assert (told("rated-high", "high"), told("after-it", "done")) == ((2, 1, 0, 0), (2, 0, 0, 0))
    assert runs_of("off") == []


def test_a_firing_about_a_record_out_of_scope_is_told_to_nobody_who_may_not_see_it(house: Company) -> None:
    publish("rated-high", {"id": "high", "kind": "event", "on": "record.updated"}, collection="customer")
    with workers():
        for key, old in (("1", None), ("3", house.sql("select risk from customer where id = 3")[0][0])):
            browse.change(house.mona, "customer", key, {"risk": "high"}, {"risk": old})
        assert until(lambda: len(runs_of("rated-high")) == 2)

    def seen(who: str) -> tuple[int, int | None]:
        """How many firings the list tells of, and how many the trigger says that it took in."""
        [trigger] = triggers.list_triggers(house.people[who], "rated-high")[1]
        return len(trigger.last), trigger.counts.get("matched")

    assert (seen("mona"), seen("tom")) == ((2, 2), (1, None))  # customer 3 is of another desk
    [row] = trigger_rows.active("event")
    with transaction() as connection:
        about = [
            firing.TriggerEvent(f"by hand {key}", log.now(), record=RecordRef("customer", key))
            for key in ("1", "3")
        ]
        firing.take_in(connection, row, about)
    told_waiting = {
        who: triggers.list_triggers(house.people[who], "rated-high")[1][0].counts.get("waiting")
        for who in ("mona", "tom")
    }
    assert told_waiting == {"mona": 2, "tom": None}, "nor how many wait for their turn"
    with pytest.raises(NotFound):
        triggers.list_triggers(house.people["stan"], "rated-high")


def test_a_workflow_that_leads_to_itself_is_stopped_and_said_so(house: Company) -> None:
    publish(
        "feeds-itself",
        {
            "id": "again",
            "kind": "event",
            "on": "run.completed",
            "filter": "event.workflow in ['feeds-itself', 'spark']",
        },
        steps=[step("start", "start", "end"), END],
    )
    publish("spark")
    with workers():
        runs.start(house.mona, "spark", None, None)
        assert until(lambda: fetch("select 1 from console.firing where status = 'stopped'"))
        assert until(lambda: fetch("select 1 from console.activity where kind = 'trigger_stopped'"))
    assert len(runs_of("feeds-itself")) == 1
    assert told("feeds-itself", "again") == (2, 0, 0, 1)
    assert "for ever" in fetch("select why from console.firing where status = 'stopped'")[0][0]


@pytest.mark.slow
def test_a_burst_that_feeds_itself_is_bounded_and_told_and_nothing_is_lost(house: Company) -> None:
    """Each of the burst leads to one run more, and that to none. A burst is begun in few statements, one of them killed on its way."""
    again = {
        "id": "again",
        "kind": "event",
        "on": "run.completed",
        "filter": "event.workflow in ['feeds-itself', 'spark']",
    }
    publish("feeds-itself", again)
    publish("spark", {"id": "burst", "kind": "api"})
    triggers.synchronise()
    [row] = [row for row in trigger_rows.active("api") if row.id == "burst"]
    for _ in range(2):  # told twice
        with transaction() as connection:
            firing.take_in(
                connection, row, [firing.TriggerEvent(str(number), log.now()) for number in range(150)]
            )
    with workers(stopped=True, HANDRAIL_FAULT="runs.write.after=kill@2") as (killed,):
        assert until(lambda: killed.poll() is not None)
    with workers():
        assert until(lambda: told("feeds-itself", "again") == (300, 0, 0, 150))
        assert until(lambda: not fetch("select 1 from console.firing where status = 'waiting'"))
        assert until(lambda: fetch("select 1 from console.activity where kind = 'trigger_stopped'"))
    assert [len(runs_of(slug)) for slug in ("spark", "feeds-itself")] == [150, 150]
    assert fetch("select count(distinct run) from console.firing where status = 'started'") == [(300,)]


def test_changes_of_other_programs_are_found_once_and_a_flood_is_worked_off(
    shop: psycopg.Connection[Any],
) -> None:
    publish(
        "order-added",
        {"id": "new", "kind": "event", "on": "record.created", "filter": "record.total > 5"},
        collection="order",
    )
    publish("order-changed", {"id": "any", "kind": "event", "on": "record.updated"}, collection="order")
    publish("order-gone", {"id": "gone", "kind": "event", "on": "record.deleted"}, collection="order")
    publish(
        "note-told",
        *({"id": word, "kind": "event", "on": f"record.{word}"} for word in ("created", "deleted")),
        collection="note",
    )
    with workers(2):
        assert until(
            lambda: len(fetch("select 1 from console.source_watch where looked_at is not null")) == 2
        )
        assert until(
            lambda: shop.execute(
                "select 1 from pg_stat_activity where query ilike 'listen %' and datname = 'trigger_shop'"
            ).fetchone()
        )
        shop.execute(triggers.install_sql("shop"))
        shop.execute("insert into orders (title, total) select 'new ' || n, n from generate_series(1, 60) n")
        assert until(lambda: len(runs_of("order-added")) == 55)
        shop.execute("update orders set title = 'changed', updated_at = clock_timestamp() where id in (1, 7)")
        shop.execute("update orders set deleted_at = clock_timestamp() where id = 9")
        [[key]] = shop.execute("insert into note (text) values ('hello') returning id").fetchall()
        assert until(lambda: runs_of("note-told"))
        shop.execute("delete from note")
        assert until(
            lambda: (
                len(runs_of("order-changed")) == 2
                and runs_of("order-gone")
                and told("note-told", "deleted")[0]
            )
        )
        assert until(lambda: not fetch("select 1 from console.firing where status = 'waiting'"))
        assert until(
            lambda: {row[:2] for row in runs_of("order-changed")} == {("completed", "1"), ("completed", "7")}
        )
    assert [row[1] for row in runs_of("order-gone")] == ["9"]
    assert told("order-added", "new") == (55, 5, 0, 0)
    assert [row[1:] for row in runs_of("note-told")] == [(str(key), "event", "created")]
    assert "not" in fetch("select why from console.firing where trigger = 'deleted'")[0][0]


def test_a_table_that_changes_at_one_moment_is_told_once_and_not_read_again_as_a_whole(
    shop: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many rows near the end are remembered; what comes after them is found, and a change that was committed late too."""
    monkeypatch.setattr(source_events, "MOST_SEEN", 4)
    shop.execute("insert into orders (title, total) select 'at once ' || n, n from generate_series(1, 20) n")
    shop.execute("update orders set updated_at = now() - interval '1 hour'")
    publish("order-changed", {"id": "any", "kind": "event", "on": "record.updated"}, collection="order")
    triggers.synchronise()

    def looked() -> list[str]:
        shop.execute("select pg_sleep(0.01)")
        fetch("update console.source_watch set looked_at = null returning 1")
        triggers.look()
        return [row[0] for row in fetch("select record from console.firing order by record::int")]

    remembered = "select jsonb_array_length(jsonb_path_query_array(seen, '$.*')) from console.source_watch where \"column\" = 'updated_at'"
    assert looked() == []
    assert fetch(remembered)[0][0] <= 4
    shop.execute("update orders set updated_at = now() - interval '5 minutes' where id <= 12")
    assert looked() == [str(number) for number in range(1, 13)]
    assert (fetch(remembered)[0][0], looked()) == (0, [str(number) for number in range(1, 13)])
    shop.execute("update orders set updated_at = now() where id = 20")
    shop.execute("update orders set updated_at = now() - interval '10 seconds' where id = 19")
    assert looked()[12:] == ["19", "20"]
    shop.execute(
        "update orders set updated_at = now() - interval '5 seconds' where id = 18"
    )  # committed late
    assert looked()[12:] == ["18", "19", "20"]
    for ago, due in (
        ("0.8 seconds", 2),
        ("0.1 seconds", 0),
    ):  # who looks comes once a second: just before its turn is late enough
        fetch(
            "update console.source_watch set looked_at = clock_timestamp() - %s::interval returning 1", (ago,)
        )
        assert triggers.look() == due


def test_a_column_of_days_tells_of_every_row_of_the_day(shop: psycopg.Connection[Any]) -> None:
    shop.execute("alter table orders alter column updated_at type date")
    sources.refresh("shop")
    publish("order-changed", {"id": "any", "kind": "event", "on": "record.created"}, collection="order")
    triggers.synchronise()
    for number in range(3):
        triggers.look()
        fetch(
            "update console.source_watch set looked_at = null, mark_at = mark_at - interval '1 hour' returning 1"
        )
        shop.execute("insert into orders (title, total) values ('today', %s)", (number,))
    triggers.look()
    assert [row[0] for row in fetch("select record from console.firing order by record::int")] == [
        "2",
        "3",
        "4",
    ]


def test_where_a_workflow_has_places_triggers_enrol_and_nobody_is_in_it_twice(house: Company) -> None:
    minute = (log.now().minute + 30) % 60
    night = {"id": "night", "kind": "schedule", "cron": f"{minute} * * * *", "segment": "unrated"}
    publish(
        "places",
        night,
        {"id": "rated", "kind": "event", "on": "record.updated"},
        collection="customer",
        reenrol="never",
    )
    unrated = {
        key
        for key in ("1", "2", "3")
        if browse.record(house.mona, "customer", key).record.values["risk"] is None
    }
    assert unrated
    with workers():
        due_at("places", "night", "clock_timestamp() - interval '1 hour'")
        assert until(
            lambda: fetch("select 1 from console.firing where why like 'Everybody in the segment%%'")
        )
        assert until(lambda: unrated <= {row[1] for row in runs_of("places")})
        browse.change(house.mona, "customer", min(unrated), {"risk": "high"}, {"risk": None})
        assert until(
            lambda: (
                fetch("select count(*) from console.firing where trigger = 'rated' and status <> 'waiting'")[
                    0
                ][0]
                > 0
            )
        )
    assert len(runs_of("places")) == len({row[1] for row in runs_of("places")})
    assert {row[2:] for row in runs_of("places")} == {("schedule", "night")}


@pytest.mark.slow
@pytest.mark.parametrize("point", ["triggers.start.before", "triggers.start.after", "runs.write.after"])
def test_a_killed_worker_starts_nothing_twice_and_loses_nothing(house: Company, point: str) -> None:
    publish(
        "each-once",
        {
            "id": "night",
            "kind": "schedule",
            "cron": f"{(log.now().minute + 30) % 60} * * * *",
            "missed": "all",
        },
    )
    due_at("each-once", "night", "clock_timestamp() - interval '4 hours'")
    with workers(stopped=True, HANDRAIL_FAULT=f"{point}=kill") as (killed,):
        assert until(lambda: killed.poll() is not None)
    with workers():
        assert until(
            lambda: (
                len(runs_of("each-once")) == 4
                and not fetch("select 1 from console.firing where status <> 'started'")
            )
        )
    assert fetch("select count(distinct run), count(*) from console.firing") == [(4, 4)]
    assert len(runs_of("each-once")) == 4
