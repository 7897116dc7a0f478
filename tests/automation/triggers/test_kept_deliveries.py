"""Deliveries of webhooks are written down before their runs begin: in a rush a worker begins them, or whoever asks first, each under the id that its sender was told."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from console import runs, workflows
from console.auth import accounts
from console.automation import triggers
from console.automation.webhooks import stored_deliveries
from console.core.errors import Conflict, NotFound
from console.infra.db.engine import fetch
from console.operations import erasure
from tests.authoring.publication.test_killed_changes import killed_at_each
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_as_workers_do
from tests.support.engine import step, until, workers

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.test"
FIELDS = [{"name": "why", "label": "Why", "type": "text", "required": True}]
STEPS = [
    step("start", "start", "read") | {"config": {"fields": FIELDS}},
    step("read", "guidance", "end", {"text": "Read."}),
    step("end", "end", None),
]
RUNS = "select id from /* every run */ console.run order by id"
FIRINGS = "select status, why from console.firing where key not like 'away %%' order by at"
Send = Callable[..., TestResponse]


def hooked(company: Company, slug: str, **more: Any) -> Send:
    """A workflow that a signed webhook starts; what sends it a delivery."""
    document = {
        "format": 1,
        "slug": slug,
        "title": "Rung",
        "team": "operations",
        "run_as": ROBOT,
        "steps": STEPS,
    }
    workflows.import_file(
        document | {"triggers": [{"id": "on", "kind": "webhook", "signed": True, "enabled": True}]} | more,
        publish=True,
    )
    triggers.synchronise()
    made = triggers.trigger_commands.renew_secret(company.mona, slug, "on")
    client: FlaskClient = web_app().test_client()

    def send(
        ident: str, _secret: str = str(made.secret), _path: str = f"/hooks/{made.address}", **body: Any
    ) -> TestResponse:
        text, now = json.dumps(body or {"why": f"it rang for {ident}"}), datetime.now(UTC)
        signed = Webhook(_secret).sign(ident, now, text)
        headers = {
            "webhook-id": ident,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }
        return client.post(_path, data=text, headers=headers, content_type="application/json")

    return send


@pytest.fixture
def house(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    stored_deliveries.lately.clear()
    return company


def told_why(run_id: str) -> str:
    [[values]] = fetch("select input from /* every run */ console.run where id = %s", (run_id,))
    return str(values["why"])


def rush() -> None:
    """As if so many deliveries had come just now that the next ones are begun by a worker."""
    stored_deliveries.lately.extend([time.monotonic() + 60] * stored_deliveries.MANY)


def test_in_a_rush_each_has_the_run_that_it_was_told_whoever_begins_it(house: Company) -> None:
    send = hooked(house, "rung")
    at_once = [send(f"first-{number}").get_json()["runId"] for number in range(5)]
    assert [row[0] for row in fetch(RUNS)] == sorted(at_once), (
        "where few come, the run is there before the answer"
    )
    rush()
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        asked.append(str(query))
        return execute(self, query, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counted)
        later = [send(f"later-{number}").get_json()["runId"] for number in range(20)]
    assert len(asked) <= 2 * 20 + 5, (
        "the webhook is looked up and the delivery written, and the job is put in now and then"
    )
    assert len({*at_once, *later}) == len(at_once) + 20
    _, [listed] = triggers.list_triggers(house.mona, "rung")
    assert (listed.counts["matched"], listed.counts["waiting"]) == (25, 20), (
        "those that wait are taken in too"
    )
    assert len(fetch(RUNS)) == len(at_once), "the others are begun behind the answer"
    assert runs.get(house.mona, later[7]).json["trigger"]["id"] == "on"
    assert told_why(later[7]) == "it rang for later-7"
    assert len(fetch(RUNS)) == len(at_once) + 1, "whoever asks for one begins it"
    work_as_workers_do()
    assert [row[0] for row in fetch(RUNS)] == sorted([*at_once, *later])
    [[matched]] = fetch("select matched from console.trigger where id = 'on'")
    assert matched == len(at_once) + 20
    assert send("later-3").json == {"runId": later[3], "duplicate": True}
    assert send("later-3", why="else").status_code == 422
    with pytest.raises(NotFound):
        runs.get(house.mona, "run_" + "0" * 26)


def test_few_deliveries_keep_the_pace_of_the_workflow_too(house: Company) -> None:
    send = hooked(house, "rung", settings={"per_minute": 2})
    told = [send(f"call-{number}").get_json()["runId"] for number in range(5)]
    work_as_workers_do()
    assert [row[0] for row in fetch(RUNS)] == told[:2]
    with pytest.raises(Conflict):
        runs.get(house.mona, told[4])
    fetch("update console.run set created_at = created_at - interval '2 minutes' returning 1")
    fetch("update queue.pgqueuer set execute_after = now() - interval '1 second' returning 1")
    work_as_workers_do()
    assert [row[0] for row in fetch(RUNS)] == told[:4]


def test_a_rush_through_a_worker_and_the_same_ones_again(house: Company) -> None:
    send = hooked(house, "rung")
    idents = [f"call-{number}" for number in range(200)]
    told: dict[str, set[str]] = {ident: set() for ident in idents}
    lock = threading.Lock()

    def deliver(ident: str) -> None:
        answer = send(ident)
        assert answer.status_code == 202, answer.json
        with lock:
            told[ident].add(answer.get_json()["runId"])

    rush()
    with workers(1):
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(deliver, [ident for ident in idents for _ in range(3)]))
        assert until(lambda: not fetch("select 1 from console.firing where status = 'waiting'"))
    assert {len(ids) for ids in told.values()} == {1}
    assert [row[0] for row in fetch(RUNS)] == sorted(run for ids in told.values() for run in ids)
    assert Counter(status for status, _ in fetch(FIRINGS)) == {"started": 200}


@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_a_kill_between_the_delivery_and_its_run(house: Company, many: bool) -> None:
    send = hooked(house, "rung", settings={"exclusive": False})
    idents = iter(f"delivery-{number}" for number in range(100))
    begun: list[str] = []

    def prepare() -> str:
        if many:
            rush()
        else:
            stored_deliveries.lately.clear()
        return next(idents)

    def judge(ident: str) -> None:
        fetch("update console.firing set due_at = clock_timestamp() where status = 'waiting' returning 1")
        work_as_workers_do()
        stored_deliveries.lately.clear()
        run_id = send(ident).get_json()["runId"]
        begun.append(run_id)
        here = fetch("select id from /* every run */ console.run where id = any(%s)", (begun,))
        assert len(here) == len(set(begun)), "each is begun once, under the id that is told again"
        [[status, of]] = fetch("select status, run from console.firing where run = %s", (run_id,))
        assert (status, of) == ("started", run_id)
        assert told_why(run_id) == f"it rang for {ident}"

    killed_at_each(house, prepare, send, judge, 1 if many else 3)  # at "triggers.kept" too


def test_the_same_delivery_many_times_at_once_for_the_owner_of_a_key(house: Company) -> None:
    document = {"format": 1, "slug": "own", "title": "Own", "team": "operations", "steps": STEPS}
    workflows.import_file(
        document | {"triggers": [{"id": "on", "kind": "webhook", "enabled": True}]}, publish=True
    )
    triggers.synchronise()
    made = triggers.trigger_commands.rotate(house.mona, "own", "on")
    headers = {"Authorization": f"Bearer {accounts.create_key('test', house.olivia.id).text}"}
    for each in range(5):

        def deliver(number: int, key: str = f"key-{each}") -> TestResponse:
            return (
                web_app()
                .test_client()
                .post(
                    f"/hooks/{made.address}",
                    json={"why": f"body {number % 2}"},
                    headers=headers | {"X-Idempotency-Key": key},
                )
            )

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(deliver, range(16)))
        taken = {
            number % 2: answer.get_json()["runId"]
            for number, answer in enumerate(answers)
            if answer.status_code == 202
        }
        assert Counter(answer.status_code for answer in answers) == {202: 8, 422: 8}, (
            "one body is taken, the other refused"
        )
        [[body, run_id]] = taken.items()
        assert told_why(run_id) == f"body {body}"
    assert Counter(status for status, _ in fetch(FIRINGS)) == {"started": 5}


def test_where_few_come_again_a_run_that_waits_is_live_on_its_record(house: Company) -> None:
    send = hooked(house, "about-one", collection="customer")
    rush()
    first = send("a", record="1", why="x")
    stored_deliveries.lately.clear()
    live = send("b", record="1", why="x")
    assert (live.status_code, live.get_json()["code"], live.get_json()["runId"]) == (
        409,
        "run_is_live",
        first.get_json()["runId"],
    )
    assert [row[0] for row in fetch(RUNS)] == [first.get_json()["runId"]]


def test_what_was_promised_has_its_place_where_the_workflow_got_places_meanwhile(house: Company) -> None:
    send = hooked(house, "about-one", collection="customer")
    rush()
    told = [send(f"a-{record}", record=record, why="x").get_json()["runId"] for record in ("1", "2", "3")]
    workflows.import_file(
        {
            "format": 1,
            "slug": "about-one",
            "title": "Rung",
            "team": "operations",
            "run_as": ROBOT,
            "steps": STEPS,
            "collection": "customer",
        }
        | {
            "triggers": [{"id": "on", "kind": "webhook", "signed": True, "enabled": True}],
            "exits": [{"if": "false", "reason": "Never"}],
        },
        publish=True,
    )
    triggers.synchronise()
    work_as_workers_do()
    assert [row[0] for row in fetch(RUNS)] == sorted(told)
    assert {row[0] for row in fetch("select run from console.enrolment")} == set(told)


def test_what_waits_about_somebody_who_is_erased_never_begins(house: Company) -> None:
    send = hooked(house, "rung", collection="customer")
    rush()
    told = [send(ident, record=ident, why="a secret of theirs").get_json()["runId"] for ident in ("1", "2")]
    erasure.erase(house.ines, "customer", "1", "She asked us to.")
    assert fetch("select why, told, record from console.firing where run = %s", (told[0],)) == [
        ("The record was erased before it began.", None, None)
    ]
    work_as_workers_do()
    assert fetch(RUNS) == [(told[1],)]
    with pytest.raises(NotFound):
        runs.get(house.mona, told[0])


def test_no_more_are_taken_than_may_wait(house: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_deliveries, "MOST_WAITING", 2)
    monkeypatch.setattr(stored_deliveries, "COUNTED_S", 0.0)
    send = hooked(house, "rung")
    rush()
    assert [send(ident).status_code for ident in "ab"] == [202, 202]
    refused = send("c")
    assert (refused.status_code, refused.get_json()["code"], refused.headers["Retry-After"]) == (
        429,
        "too_many",
        "60",
    )
    assert "no more are taken now" in fetch("select why from console.firing where key like 'away %%'")[0][0]
    work_as_workers_do()
    assert send("c").status_code == 202, "as soon as there is room"
