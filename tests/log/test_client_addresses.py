"""From where somebody acted stands in the log, sealed: in every event of a person or a key, and in none of the engine's."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from console import log, runs
from console.activity import sequencing
from console.auth import accounts
from console.infra.db.engine import fetch
from console.operations import erasure
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages.reached import founded

ADDRESS = "198.51.100.7"


@pytest.fixture
def program(company: Company) -> FlaskClient:
    founded(company)
    client = web_app().test_client()
    client.environ_base |= {
        "REMOTE_ADDR": ADDRESS,
        "HTTP_AUTHORIZATION": f"Bearer {accounts.create_key('t', company.mona.id).text}",
    }
    return client


def events() -> list[dict[str, Any]]:
    """(kind, actor, sealed names, what is open) of every event."""
    rows = fetch("select convert_from(body, 'UTF8')::jsonb from console.event order by id")
    return [body for (body,) in rows]


def test_each_act_by_a_key_carries_its_address_and_no_event_shows_it_openly(
    company: Company, program: FlaskClient
) -> None:
    known = len(events())
    answers = [
        program.get("/api/v1/collections/contact/records"),
        program.patch(
            "/api/v1/collections/contact/records/1",
            json={"values": {"stage": "engaged"}, "expected": {"stage": "new"}},
        ),
        program.post("/api/v1/contacts/contact/1/tags", json={"tag": "hot"}),
        program.post(
            "/api/v1/runs",
            json={
                "workflow": "care-review",
                "collection": "customer",
                "record": "1",
                "input": {"why": "event"},
            },
        ),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 201, 201], [
        answer.json for answer in answers
    ]
    found = events()[known:]
    assert {"record_listed", "record_changed", "tag_added", "run_started", "step_shown"} <= {
        body["type"] for body in found
    }
    by_people = [body for body in found if body["actor"]["kind"] == "key"]
    assert [body["type"] for body in by_people if "client_ip" not in body["data"]["sealed"]] == []
    assert [
        body["type"]
        for body in found
        if body["actor"]["kind"] == "system" and "client_ip" in body["data"]["sealed"]
    ] == []
    assert ADDRESS not in str(found)


def test_who_reads_the_log_is_told_the_address_until_it_is_erased(
    company: Company, program: FlaskClient
) -> None:
    program.get("/api/v1/collections/contact/records")
    sequencing.catch_up()
    ada = {"Authorization": f"Bearer {accounts.create_key('t', company.ada.id).text}"}

    def told() -> dict[str, Any]:
        answer = web_app().test_client().get("/api/v1/activity-logs?kind=record_listed", headers=ada)
        assert answer.status_code == 200, answer.json
        event: dict[str, Any] = answer.get_json()["data"][0]
        return event

    assert (told()["address"], "client_ip" in told()["data"]) == (ADDRESS, False)
    fetch("delete from console.event_value returning 1")
    assert told()["address"] is None


def test_the_address_of_a_colleague_goes_with_them_also_out_of_runs_of_others(
    company: Company, program: FlaskClient
) -> None:
    wanted = {"workflow": "care-review", "collection": "customer", "record": "1", "input": {"why": "event"}}
    run_id = program.post("/api/v1/runs", json=wanted).get_json()["id"]
    runs.take_out(runs.ENGINE, run_id, "Enough.")
    sequencing.catch_up()
    first = log.events_of(run_id, limit=1)[0]
    assert (first.sealed["client_ip"], first.values["addresses"]) == (ADDRESS, {"0": ADDRESS})
    assert runs.get(company.ines, run_id).json["caused_by"][0]["address"] == ADDRESS
    erasure.erase(company.ines, "person", company.mona.id, "She left, and asked for it.")
    first = log.events_of(run_id, limit=1)[0]
    assert {"client_ip", "addresses/0"} <= first.missing.keys()
    assert first.values["title"], "what is about the customer stays"
    assert runs.get(company.ines, run_id).json["caused_by"][0]["address"] is None
    assert fetch("select count(*) from console.run where caused_by::text like %s", (f"%{ADDRESS}%",)) == [
        (0,)
    ]
