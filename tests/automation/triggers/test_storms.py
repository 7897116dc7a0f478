"""A storm of events told twice, worked off by workers that die: each person has one place and one run."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from console import sources, workflows
from console.auth import accounts
from console.automation import triggers
from console.automation.triggers import firing, trigger_rows
from console.infra.db.engine import fetch, transaction
from console.infra.postgres import Embedded
from console.runs import RecordRef
from tests.company import Company
from tests.support.engine import step, until, workers

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
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
        trigger = {
            "id": "new",
            "kind": "event",
            "on": "contact.created",
            "filter": "record.source != 'import'",
        }
        head = {
            "format": 1,
            "slug": "welcome",
            "title": "Welcome",
            "team": "operations",
            "run_as": ROBOT,
            "collection": "lead",
        }
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
    left = fetch(
        "select 1 from console.firing where status = 'waiting' union all select 1 from console.enrolment where left_at is null"
    )
    return not left


@pytest.mark.parametrize(
    "point", ["enrolments.admit=kill@40", "enrolments.begin=kill", "triggers.start.before=kill@60"]
)
def test_w6_told_twice_and_killed_in_the_middle_each_has_one_place_and_one_run(
    crm: psycopg.Connection[Any], company: Company, point: str
) -> None:
    crm.execute("insert into lead (name, source) select 'Lead ' || n, 'web' from generate_series(1, 120) n")
    triggers.synchronise()
    [row] = [each for each in trigger_rows.active("event") if each.id == "new"]
    now = fetch("select clock_timestamp()")[0][0]
    occasions = [
        firing.TriggerEvent(f"event-{number}", now, {"on": "contact.created"}, RecordRef("lead", str(number)))
        for number in range(1, 121)
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
