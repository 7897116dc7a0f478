"""A storm of events from somebody else's program: taken in whole, told twice, worked off by workers that die, and each person has their place once."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from console import accounts, automation, enrolments, sources, workflows
from console.automation import firing, trigger_rows
from console.core.actor import Actor
from console.db.engine import fetch, transaction
from console.postgres import Embedded
from console.queue import PutBack
from console.runs import RecordRef
from tests.company import Company
from tests.jobs import work_as_workers_do
from tests.support.engine import step, until, workers

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
MANY = 200
CONTACT: dict[str, Any] = {
    "id": "lead",
    "source": "crm",
    "table": "lead",
    "title": "{{ record.name }}",
    "subject": "self",
    "contact": {"name": "name", "email": "email"},
    "changes": {"column": "updated_at", "every_s": 1},
}


@pytest.fixture
def crm(company: Company, pg: Embedded) -> Iterator[psycopg.Connection[Any]]:
    """A database of another program, and a welcome for each new lead in it."""
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    pg.drop_database("storm_crm")
    pg.sql("create database storm_crm")
    with psycopg.connect(pg.url("postgres", "storm_crm"), autocommit=True) as connection:
        connection.execute(
            "create table lead (id int primary key generated always as identity, name text not null, email text, source text, updated_at timestamptz not null default now())"
        )
        sources.add("crm", pg.url("postgres", "storm_crm"), documents=[CONTACT], role="operations_lead")
        trigger = {"id": "new", "kind": "event", "on": "contact.created", "filter": "record.source != 'import'"}
        head = {"format": 1, "slug": "welcome", "title": "Welcome", "team": "operations", "run_as": ROBOT, "collection": "lead"}
        steps = [step("start", "start", "end"), step("end", "end", None)]
        rules = {"reenrol": "never", "settings": {"parallel": 50}}
        workflows.import_file(head | rules | {"steps": steps, "triggers": [trigger]}, publish=True)
        yield connection
    sources.remove("crm", force=True)


def places() -> tuple[int, int, int]:
    """(places, people in them, runs) of the welcome."""
    counted = "select count(*), count(distinct record), count(distinct run) from console.enrolment"
    return tuple(map(int, fetch(counted)[0]))  # type: ignore[return-value]


def over() -> bool:
    """Whether nothing waits any more."""
    left = fetch("select 1 from console.firing where status = 'waiting' union all select 1 from console.enrolment where left_at is null")
    return not left


def test_w6_a_storm_by_another_program_welcomes_each_of_them_once(crm: psycopg.Connection[Any], company: Company) -> None:
    with workers(2):
        assert until(lambda: fetch("select 1 from console.source_watch where mark is not null"))
        crm.execute(
            "insert into lead (name, email, source) select 'Lead ' || n, 'l' || n || '@post.example', case when n %% 4 = 0 then 'import' else 'web' end"
            " from generate_series(1, %s) n",
            (MANY,),
        )
        assert until(lambda: places()[0] == MANY * 3 // 4 and over())
        crm.execute("update lead set name = name || '!', updated_at = clock_timestamp()")
        looked = fetch("select max(looked_at) from console.source_watch")[0][0]
        assert until(lambda: fetch("select max(looked_at) from console.source_watch")[0][0] > looked)
    assert places() == (MANY * 3 // 4,) * 3
    [[matched, passed]] = fetch("select matched, passed from console.trigger where id = 'new'")
    assert (matched, passed) == (MANY * 3 // 4, MANY // 4)
    counted = enrolments.counts_for(Actor("system", ""), enrolments.find("welcome").id, None)
    assert (counted.waiting, counted.active) == (0, 0)


@pytest.mark.parametrize("point", ["enrolments.admit=kill@40", "enrolments.begin=kill", "triggers.start.before=kill@60"])
def test_w6_told_twice_and_killed_in_the_middle_each_has_one_place_and_one_run(
    crm: psycopg.Connection[Any], company: Company, point: str
) -> None:
    crm.execute("insert into lead (name, source) select 'Lead ' || n, 'web' from generate_series(1, 120) n")
    automation.synchronise()
    [row] = [each for each in trigger_rows.active("event") if each.id == "new"]
    now = fetch("select clock_timestamp()")[0][0]
    occasions = [
        firing.Occasion(f"event-{number}", now, {"on": "contact.created"}, RecordRef("lead", str(number))) for number in range(1, 121)
    ]
    for _ in range(2):
        with transaction() as connection:
            firing.take_in(connection, row, occasions)
    with workers(stopped=True, HANDRAIL_FAULT=point) as (killed,):
        assert until(lambda: killed.poll() is not None)
    with workers(2):
        assert until(lambda: places()[2] == 120 and over())
    assert places() == (120, 120, 120)
    [[runs_made]] = fetch("select count(*) from /* every run */ console.run")
    assert runs_made == 120


def test_a_storm_keeps_the_pace_so_that_other_workflows_do_not_wait_behind_it(company: Company) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {"format": 1, "team": "operations", "run_as": ROBOT, "collection": "customer", "triggers": [{"id": "by", "kind": "api"}]}
    steps = [step("start", "start", "tag"), step("tag", "add_tag", "end", {"tag": "stormy"}), step("end", "end", None)]
    rules = {"exclusive": False, "parallel": 2}
    workflows.import_file({**head, "slug": "stormy", "title": "Stormy", "settings": rules, "steps": steps}, publish=True)
    automation.synchronise()
    [row] = trigger_rows.active("api")
    now = fetch("select clock_timestamp()")[0][0]
    with transaction() as connection:
        firing.take_in(connection, row, [firing.Occasion(str(number), now, record=RecordRef("customer", "1")) for number in range(30)])
    with pytest.raises(PutBack):
        automation.fire(row.workflow)
    jobs = "select count(*) from queue.pgqueuer where entrypoint = 'advance_hands_off'"
    assert fetch(jobs)[0][0] == 4, "twice as many as are worked on at once, and the others stand in no queue"
    work_as_workers_do()
    assert fetch("select status, count(*) from /* every run */ console.run group by 1") == [("completed", 30)]
