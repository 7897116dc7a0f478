"""Workflows that feed each other in a ring, by events of the log, by webhooks that their own runs call, and by their own changes of a database: each goes round once and says so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from console import monitoring, runs
from console.auth import accounts
from console.automation import triggers
from console.automation.triggers import causes_of_changes, firing, trigger_rows
from console.infra.db.engine import fetch, transaction
from console.log import now
from console.runs.engine import run_causes
from console.work import notices
from tests.automation.triggers.test_triggers import house, publish, runs_of, shop, told
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_as_workers_do
from tests.steps.effects.test_http import keep
from tests.support.engine import step
from tests.views.conftest import Pages
from tests.views.test_hooks_odd_senders import served

__all__ = ["house", "shop"]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("length", [2, 3])
def test_a_storm_that_feeds_a_ring_of_workflows_goes_round_once(house: Company, length: int) -> None:
    names = [f"ring-{number}" for number in range(length)]
    for number, name in enumerate(names):
        before = ["spark", names[-1]] if number == 0 else [names[number - 1]]
        publish(
            name,
            {
                "id": "on",
                "kind": "event",
                "on": "run.completed",
                "filter": f"event.workflow in {before}".replace("'", '"'),
            },
        )
    publish("spark", {"id": "burst", "kind": "api"})
    work_as_workers_do()
    [row] = trigger_rows.active("api")
    with transaction() as connection:
        firing.take_in(connection, row, [firing.TriggerEvent(str(number), now()) for number in range(30)])
    assert [each.counts["waiting"] for each in triggers.list_triggers(house.people["mona"], "spark")[1]] == [
        30
    ]
    work_as_workers_do()
    assert [len(runs_of(name)) for name in ("spark", *names)] == [30] * (length + 1)
    assert [(told(name, "on")[0], told(name, "on")[3]) for name in names] == [(60, 30)] + [(30, 0)] * (
        length - 1
    )
    assert [each.counts["waiting"] for each in triggers.list_triggers(house.people["mona"], "spark")[1]] == [
        0
    ]
    monitoring.unable_to_start.look()

    def said(who: str) -> list[str]:
        return [
            f"{each.href} {each.text}"
            for each in notices.notices_of(house.people[who])
            if "gone round" in each.text
        ]

    assert [text.split()[0] for text in said("mona")] == [f"/workflows/{names[0]}/triggers"], (
        "once, where it was stopped"
    )
    assert said("tom") == [], "who may not switch it is told nothing"
    fetch("update console.version set number = number - 90000 where name like 'goes_round:%%' returning 1")
    monitoring.unable_to_start.look()
    assert fetch("select name from console.version where name like '%%goes_round%%'") == []


@pytest.fixture
def port(given_settings: Callable[..., None]) -> Iterator[int]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with served() as number:
        yield number


@pytest.mark.parametrize("length", [1, 2, 3])
def test_runs_that_call_each_others_webhooks_go_round_once(house: Company, port: int, length: int) -> None:
    key = accounts.create_key("ring", house.mona.id).text
    keep("ring", key, f"127.0.0.1:{port}")
    hook = {"id": "in", "kind": "webhook", "enabled": True}
    names = [f"ring-{number}" for number in range(length)]
    for name in names:
        publish(name, hook)
    addresses = {name: f"http://127.0.0.1:{port}{path_of(name, key)}" for name in names}
    for name, after in zip(names, [*names[1:], names[0]], strict=True):
        call = {"operation": "http", "url": addresses[after], "secret": "ring", "body": {}}
        steps = [
            step("start", "start", "call"),
            step("call", "action", "end", call),
            step("end", "end", None),
        ]
        publish(name, hook, steps=steps)
    work_as_workers_do()
    runs.start(house.mona, names[0], None, None)
    work_as_workers_do()
    assert [len(runs_of(name)) for name in names] == [1] * length
    assert told(names[0], "in") == (1, 0, 0, 1)
    [[why]] = fetch("select why from console.firing where status = 'stopped'")
    assert "for ever" in why
    assert fetch("select count(*) from console.activity where kind = 'trigger_stopped'") == [(1,)]
    assert (
        "let a condition leave out"
        in Pages(house, web_app()).mona.get(f"/workflows/{names[0]}/triggers").text
    )


def path_of(slug: str, key: str) -> str:
    """The secret address of its webhook."""
    answer = (
        web_app()
        .test_client()
        .get(f"/api/v1/workflows/{slug}/triggers", headers={"Authorization": f"Bearer {key}"})
    )
    [path] = [
        "/hooks/" + str(each["url"]).rpartition("/")[2]
        for each in answer.get_json()["data"]
        if each["kind"] == "webhook"
    ]
    return path


TOUCHED = """
create function touched() returns trigger language plpgsql as 'begin new.updated_at := clock_timestamp(); return new; end';
create trigger touched before update on orders for each row execute function touched();
"""


ACTION = {"type": "action", "config": {"operation": "update", "values": {"title": "{{ record.title }}!"}}}
OF_OTHERS = """
insert into console.effect (id, run, n, number, kind, status, summary, request, requested_at)
select e.id || m, e.run, m + 1000, 1, e.kind, 'succeeded', '', jsonb_build_object('collection', 'order', 'key', 'other', 'changes', '{}'::jsonb), e.requested_at
from (select * from console.effect order by id desc limit 1) e, generate_series(1, 3000) m returning 1
"""
STAGE = {"type": "change_stage", "config": {"field": "title", "stage": "{{ record.title }}!"}}


@pytest.mark.parametrize(
    ("length", "change"), [(1, ACTION), (2, ACTION), (3, ACTION), (1, STAGE), (2, STAGE)]
)
def test_runs_that_change_the_record_they_were_started_by_go_round_once(
    house: Company,
    shop: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    length: int,
    change: dict[str, Any],
) -> None:
    """Each change is met twice, in the log and in the database, and leads on once; also where the last look is older than a change is remembered for."""
    monkeypatch.setattr(run_causes, "CHANGED_WITHIN", timedelta())
    shop.execute(TOUCHED)
    names = [f"ring-{number}" for number in range(length)]
    for name in names:
        steps = [
            step("start", "start", "change"),
            step("change", change["type"], "end", change["config"]),
            step("end", "end", None),
        ]
        publish(name, {"id": "on", "kind": "event", "on": "record.updated"}, steps=steps, collection="order")
    work_as_workers_do()
    triggers.look(only=frozenset({"order"}))
    shop.execute("update orders set total = 2 where id = 1")
    for _ in range(4):
        triggers.look(only=frozenset({"order"}))
        work_as_workers_do()
    [[title]] = shop.execute("select title from orders where id = 1").fetchall()
    counts = [len(runs_of(name)) for name in names]
    for _ in range(3):
        triggers.look(only=frozenset({"order"}))
        work_as_workers_do()
    assert [len(runs_of(name)) for name in names] == counts, "it has come to rest"
    assert title.count("!") == sum(counts) <= 2**length * length
    assert all(told(name, "on")[3] > 0 for name in names), "and says that it was stopped"
    fetch(OF_OTHERS)
    fetch(
        "update console.source_watch set looked_at = looked_at - interval '1 hour', read_at = read_at - interval '1 hour' returning 1"
    )
    assert causes_of_changes.causes_of_changes("order", ["1", "2"]).keys() == {"1"}, (
        "however much else is changed at that time"
    )
