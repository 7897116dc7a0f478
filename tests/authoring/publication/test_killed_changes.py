"""A process that dies at any point of moving runs, publishing for a second person, or changing records by a step: nothing is lost or doubled."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.authoring import publication
from console.infra import jobs
from console.infra.db.engine import alone, fetch
from tests.authoring.publication.test_publishing_reviews import CARE, asked, second_lead, wants_second
from tests.authoring.publication.test_run_moves import LATER, moved_events, published
from tests.company import Company
from tests.runs.commands.test_crash import act
from tests.servers.outside import http
from tests.support.engine import publish, step, until, whole

pytestmark = pytest.mark.slow
MOST = 40


def killed_at_each(
    company: Company,
    prepare: Callable[[], str],
    do: Callable[[str], object],
    judge: Callable[[str], None],
    least: int,
    victim: Callable[[], str] = lambda: "",
) -> None:
    """SIGKILL at the first, second, … point that `do` passes, until none is left. `judge` looks after each, with the workers' and the person's second go.

    `victim` names another process to be killed there.
    """
    for number in range(1, MOST):
        about, other = prepare(), victim()
        status = act(company, about, "", f"*=kill{other}@{number}", lambda _company, ident, _verb: do(ident))
        judge(about)
        if status == 0 and not (other and number <= least):  # a server that was back in time was not missed
            assert number > least
            return
    pytest.fail("a point is passed again and again")


def test_moving_runs_to_another_version(company: Company) -> None:
    versions = [1]
    live: list[str] = []

    def prepare() -> str:
        live[:] = live or [company.started("2"), company.at("rate")]
        versions.append(published(company, LATER | {"value": f"Decide {len(versions)}"}))
        return live[0]

    def move() -> publication.run_moves.RunMove:
        return publication.move_runs(company.mona, CARE, versions[-2], versions[-1], steps={}, reason="Next")

    def judge(_: str) -> None:
        assert until(
            lambda: all(
                left_by_all(f"move|{move_id}") for (move_id,) in fetch("select id from console.run_move")
            )
        )
        company.work()
        if any(company.told(run_id)["version"] != versions[-1] for run_id in live):
            assert not fetch("select 1 from console.run_move where version = %s", (versions[-1],)), (
                "what was noted is done by a worker"
            )
            move()
        for run_id in live:
            assert [event["version"] for event in moved_events(run_id)] == versions[1:]
            whole(run_id)
        assert not fetch("select 1 from console.run_move where status <> 'done' or moved <> 2")

    killed_at_each(company, prepare, lambda _: move(), judge, 3)
    assert list(runs.rebuild(check=True)) == []


def left_by_all(name: str) -> bool:
    """Whether the server has seen that the process is dead which was alone there."""
    with alone(name) as mine:
        return mine


def test_a_move_at_which_a_process_is_that_may_die_is_looked_at_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.started("2")
    published(company, LATER)
    monkeypatch.setattr(publication.run_moves, "AT_ONCE", 0)
    move_id = publication.move_runs(company.mona, CARE, 1, 2, steps={}, reason="Next").id
    with alone(f"move|{move_id}"), pytest.raises(jobs.PutBack):
        publication.run_moves.advance(move_id)
    publication.run_moves.advance(move_id)
    assert fetch("select status, moved from console.run_move") == [("done", 1)]


def test_publishing_for_a_second_person(company: Company) -> None:
    tom = second_lead(company)
    wants_second(company)
    reviews: list[str] = []

    def prepare() -> str:
        reviews.append(asked(company, f"Read this {len(reviews)} times").id)
        return reviews[-1]

    def judge(review: str) -> None:
        found = workflows.review_of(tom, review)
        if found.status == "waiting":
            assert workflows.live(CARE).number == len(reviews)
            found = publication.approve(tom, review)
        assert (found.status, found.version, workflows.live(CARE).number) == (
            "approved",
            len(reviews) + 1,
            len(reviews) + 1,
        )
        told = "select count(*) from console.event where convert_from(body, 'UTF8')::jsonb ->> 'type' = %s"
        assert fetch(told, ("workflow_review_approved",)) == [(len(reviews),)]

    killed_at_each(company, prepare, lambda review: publication.approve(tom, review), judge, 1)


CHANGES: dict[str, tuple[dict[str, Any], str, list[tuple[Any, ...]]]] = {
    "create": (
        {"operation": "create", "collection": "account", "unique": ["iban"]}
        | {"values": {"iban": "input.iban", "customer_id": "record.id", "status": "'open'"}},
        "select count(*) from account where iban = 'LT7'",
        [(1,)],
    ),
    "update": (
        {"operation": "update", "values": {"risk": "'high'"}},
        "select risk from customer where id = 1",
        [("high",)],
    ),
    "delete": (
        {"operation": "delete", "collection": "account", "record": "input.iban"},
        "select count(*) from account where iban = 'LT7'",
        [(0,)],
    ),
    "http": ({"operation": "http", "method": "POST", "idempotent": True, "body": {"n": 1}}, "", []),
}


@pytest.mark.parametrize("operation", list(CHANGES))
def test_a_step_that_changes_a_record_or_asks_another_system(
    company: Company, operation: str, given_settings: Callable[..., None]
) -> None:
    config, look, wanted = CHANGES[operation]
    access_all(company)
    with http() as system:
        given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
        system.answer = lambda _: (200, json.dumps({"id": 1}).encode(), {"Content-Type": "application/json"})
        more = {"url": f"{system.url}/things"} if operation == "http" else {}
        fields = [{"name": "iban", "label": "IBAN", "type": "text"}]
        steps = [
            step("start", "start", "ask") | {"config": {"fields": fields}},
            step("ask", "guidance", "act", {"text": "Now?"}),
            step("act", "action", "after", config | more),
            step("after", "guidance", "end", {"text": "Done."}),
            step("end", "end", None),
        ]
        publish("acting", steps, collection="customer", exclusive=False)

        def prepare() -> str:
            system.received.clear()
            company.sql("delete from account where iban = 'LT7'")
            company.sql("update customer set risk = null where id = 1")
            if operation == "delete":
                company.sql("insert into account (iban, customer_id, status) values ('LT7', 1, 'open')")
            return runs.start(company.olivia, "acting", "customer", "1", {"iban": "LT7"})

        def judge(run_id: str) -> None:
            fetch(
                "update console.run set active_at = now() - interval '1 minute' where id = %s returning 1",
                (run_id,),
            )
            runs.pick_up()
            company.work()
            told = company.told(run_id)
            if told["current"]["step"] == "ask":
                company.answer(run_id)
                told = company.told(run_id)
            assert (told["status"], told["current"]["step"]) == ("waiting_person", "after"), told["current"]
            if look:
                assert company.sql(look) == wanted
            else:
                assert len({each.headers["idempotency-key"] for each in system.received}) == 1
            whole(run_id)

        killed_at_each(company, prepare, company.answer, judge, 3)


def access_all(company: Company) -> None:
    access.grant("operator", "collection:customer", ["create", "update", "delete"], team="operations")
    access.grant(
        "operator", "collection:account", ["browse", "read", "create", "update", "delete"], team="operations"
    )
    assert company.olivia
