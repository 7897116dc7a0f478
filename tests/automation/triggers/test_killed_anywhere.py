"""`kill -9` of the process that does it, and of PostgreSQL, at each point of a start, a send, a callback, an answer, an enrolment, a leaving and a firing: once, or not yet."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console import runs, workflows
from console.auth import accounts
from console.automation import enrolments, triggers
from console.automation.enrolments import Question
from console.automation.triggers import firing, trigger_rows
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.infra.postgres import Embedded
from console.messaging import messages
from console.messaging.messages import inbound
from tests.authoring.publication.test_killed_changes import killed_at_each
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import taken, work_as_workers_do
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, SAM
from tests.messaging.messages.test_calls import ended
from tests.support.engine import step, until, whole

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"
HEAD: dict[str, Any] = {
    "format": 1,
    "team": "operations",
    "run_as": ROBOT,
    "collection": "customer",
    "reenrol": "after_end",
}
READ = [
    step("start", "start", "read"),
    step("read", "guidance", "end", {"text": "Read."}),
    step("end", "end", None),
]
Walk = Callable[[Callable[[], str], Callable[[str], object], Callable[[str], None], int], None]
RUNS = "select r.id from /* every run */ console.run r join console.workflow w on w.id = r.workflow where w.slug = %s and r.ended_at is null"


@pytest.fixture(params=["this process", "PostgreSQL"])
def walk(request: pytest.FixtureRequest, company: Company, pg: Embedded) -> Iterator[Walk]:
    """Dies at the first, second, … point, until none is left. Where a process of PostgreSQL is killed all of them end, and it comes back by itself."""
    victims: list[psycopg.Connection[Any]] = []

    def victim() -> str:
        if request.param == "this process":
            return ""
        victims.append(psycopg.connect(pg.url("postgres", "postgres")))
        return f":{victims[-1].info.backend_pid}"

    def walked(
        prepare: Callable[[], str], do: Callable[[str], object], judge: Callable[[str], None], least: int
    ) -> None:
        def judged(about: str) -> None:
            assert until(back)
            judge(about)

        killed_at_each(company, prepare, do, judged, least, victim)

    yield walked
    for each in victims:
        with contextlib.suppress(psycopg.Error):
            each.close()


def back() -> bool:
    """Whether the database answers, on all connections that are kept."""
    with contextlib.suppress(sa.exc.DBAPIError, psycopg.Error):
        return bool(fetch("select 1") and transaction_works())
    return False


def transaction_works() -> bool:
    with transaction() as connection:
        return bool(connection.exec_driver_sql("select 1").scalar())


def aged() -> None:
    """What was sent is long ago, so that no cap counts it."""
    fetch(
        "update console.message set sent_at = sent_at - interval '30 days', asked_at = asked_at - interval '30 days' returning 1"
    )


@pytest.fixture
def house(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    return company


def live(slug: str) -> list[str]:
    """Its runs that have not ended."""
    return [row[0] for row in fetch(RUNS, (slug,))]


def cleared(house: Company, slug: str) -> None:
    for run_id in live(slug):
        whole(run_id)
        runs.cancel(house.mona, run_id, revision=None, reason="Next.")


def test_a_start_by_a_webhook_in_the_web_process(house: Company, walk: Walk) -> None:
    hook = {"id": "in", "kind": "webhook", "enabled": True}
    workflows.import_file(
        HEAD | {"slug": "hooked", "title": "Hooked", "steps": READ, "triggers": [hook]}, publish=True
    )
    bearer = {"Authorization": f"Bearer {accounts.create_key('test', house.mona.id).text}"}
    client = web_app().test_client()
    listed = client.get("/api/v1/workflows/hooked/triggers", headers=bearer).get_json()["data"]
    path = "/hooks/" + str(listed[0]["url"]).rpartition("/")[2]
    keys = iter(f"delivery-{number}" for number in range(100))

    def send(key: str) -> str:
        answer = client.post(path, json={"record": "1"}, headers=bearer | {"X-Idempotency-Key": key})
        assert answer.status_code == 202, answer.get_data(as_text=True)
        return str(answer.get_json()["runId"])

    def judge(key: str) -> None:
        work_as_workers_do()
        first = send(key)
        assert (send(key), live("hooked")) == (first, [first])
        assert len(enrolments.places.page(house.mona, enrolments.find("hooked")).rows) == 1
        cleared(house, "hooked")
        work_as_workers_do()

    walk(lambda: next(keys), send, judge, 2)


def test_a_send(company: Company, walk: Walk, given_settings: Callable[..., None]) -> None:
    reached.founded(company)
    sms = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
    ask = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        reached.workflow("hello", [sms, ask])
        sent: list[str] = []

        def prepare() -> str:
            aged()
            run_id = runs.start(company.olivia, "hello", "contact", SAM, {})
            taken({jobs.SEND_SMS})
            return reached.line(company, run_id).message.id

        def judge(message: str) -> None:
            for _ in range(4):
                move(timedelta(minutes=5))
                fetch(
                    "update console.message set at = at - interval '10 seconds' where told_at is null returning 1"
                )
                reached.settle()
            [run_id] = live("hello")
            sent.append(message)
            assert (len(server.messages), reached.status(company, run_id)) == (
                len(sent),
                ("waiting_person", "ask"),
            )
            move(-timedelta(minutes=20))
            cleared(company, "hello")

        walk(prepare, messages.send, judge, 4)


def test_a_callback_in_the_web_process(
    company: Company, walk: Walk, given_settings: Callable[..., None]
) -> None:
    reached.founded(company)
    call = {
        "id": "call",
        "type": "ai_call",
        "config": {"script": "Hello", "answers": ["interested"]},
        "next": {"interested": "ask", "default": "end"},
    }
    ask = {"id": "ask", "type": "guidance", "config": {"text": "Look"}, "next": {"default": "end"}}
    with reached.provider_of_calls() as server, reached.clock(NOON):
        given_settings(**reached.by_calls(server))
        reached.workflow("phoned", [call, ask])
        client = web_app().test_client()

        def prepare() -> str:
            aged()
            return reached.line(company, reached.begin(company, "phoned")).message.id

        def tell(message: str) -> None:
            assert ended(client, message, outcome="answered", label="interested") == 200

        def judge(message: str) -> None:
            for _ in range(2):
                tell(message)
                fetch(
                    "update console.message set at = at - interval '10 seconds' where told_at is null returning 1"
                )
                work_as_workers_do()
            [run_id] = live("phoned")
            assert [attempt["step"] for attempt in company.told(run_id)["attempts"]] == [
                "start",
                "call",
                "ask",
            ]
            cleared(company, "phoned")

        walk(prepare, tell, judge, 2)


def test_an_answer_that_says_stop(company: Company, walk: Walk) -> None:
    reached.founded(company)
    ids = iter(f"SM{number}" for number in range(100))

    def receive(ident: str) -> None:
        inbound.receive("sms", "twilio", sender="+12025550147", text="STOP", provider_id=ident)

    def judge(ident: str) -> None:
        receive(ident)
        receive(ident)
        assert fetch("select count(*) from console.message where provider_id = %s", (ident,)) == [(1,)]
        assert fetch(
            "select 1 from console.opt_out where collection = 'contact' and record = %s and channel = 'sms'",
            (SAM,),
        )
        told = "select count(*) from console.event where convert_from(body, 'UTF8') like '%%\"type\":\"message_received\"%%'"
        assert fetch(told)[0][0] == fetch("select count(*) from console.message where direction = 'in'")[0][0]

    walk(lambda: next(ids), receive, judge, 1)


def test_an_enrolment_of_a_list(house: Company, walk: Walk) -> None:
    workflows.import_file(HEAD | {"slug": "placed", "title": "Placed", "steps": READ}, publish=True)

    def prepare() -> str:
        return enrolments.batches.begin(
            house.mona, "placed", Question(filter='{"field": "id", "op": "gte", "value": 1}')
        ).id

    def judge(batch: str) -> None:
        work_as_workers_do()
        told = enrolments.batches.get(house.mona, batch)
        rows = fetch("select record, run from console.enrolment where left_at is null order by record")
        assert (told.status, len(rows), len({row[0] for row in rows})) == (
            "done",
            told.enrolled,
            told.enrolled,
        )
        assert sorted(row[1] for row in rows) == sorted(live("placed")), (
            "each has one run, and there is no other"
        )
        enrolments.take_out(house.mona, "placed", enrolments.Those(), "Next.")
        work_as_workers_do()
        assert live("placed") == []

    walk(prepare, enrolments.batches.advance, judge, 2)  # at "enrolments.batch" too


def test_a_leaving(house: Company, walk: Walk) -> None:
    workflows.import_file(HEAD | {"slug": "placed", "title": "Placed", "steps": READ}, publish=True)

    def prepare() -> str:
        enrolments.batches.begin(house.mona, "placed", Question(keys=["1"]))
        work_as_workers_do()
        [[lead]] = fetch("select id from console.enrolment where left_at is null")
        return str(lead)

    def leave(lead: str) -> None:
        enrolments.unenrol(house.mona, "placed", lead, "The wrong list.")

    def judge(lead: str) -> None:
        if fetch("select 1 from console.enrolment where id = %s and left_at is null", (lead,)):
            leave(lead)
        work_as_workers_do()
        [[status, run_id]] = fetch("select status, run from console.enrolment where id = %s", (lead,))
        assert (status, live("placed")) == ("left", [])
        whole(run_id)

    walk(prepare, leave, judge, 3)  # at "enrolments.left" too


def test_a_firing(house: Company, walk: Walk) -> None:
    free = {"slug": "fired", "title": "Fired", "collection": None, "settings": {"exclusive": False}}
    workflows.import_file(
        {**HEAD, **free, "steps": READ, "triggers": [{"id": "by", "kind": "api"}]}, publish=True
    )
    triggers.synchronise()
    [row] = trigger_rows.active("api")
    turns = iter(range(100))

    def prepare() -> str:
        turn = next(turns)
        with transaction() as connection:
            firing.take_in(
                connection, row, [firing.TriggerEvent(f"{turn}-{number}", NOON) for number in range(3)]
            )
        return row.workflow

    def judge(_: str) -> None:
        work_as_workers_do()
        told = fetch(
            "select count(*), count(distinct run), count(*) filter (where status = 'started') from console.firing"
        )
        assert len(set(told[0])) == 1, told
        assert len(live("fired")) == 3
        cleared(house, "fired")

    walk(prepare, triggers.fire, judge, 3)
