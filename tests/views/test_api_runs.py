"""Runs over HTTP with a key: shapes, statuses, idempotency, and who must not get in."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from console import log, runs
from console.auth import accounts
from tests.company import Company
from tests.conftest import web_app
from tests.papers import at_note, workflow

KEYS = [
    "id",
    "workflow",
    "version",
    "status",
    "revision",
    "last_event",
    "collection",
    "record",
    "started_by",
    "holder",
    "created_at",
    "ended_at",
    "reason",
    "current",
    "context",
    "attempts",
]
CURRENT = [
    "step",
    "type",
    "title",
    "attempt",
    "button",
    "form",
    "outcomes",
    "draft",
    "proposal",
    "take_over",
    "waiting",
]
ATTEMPT = [
    "step",
    "type",
    "title",
    "attempt",
    "status",
    "entered_at",
    "completed_at",
    "by",
    "outcome",
    "values",
    "handled_manually",
    "effects",
]
FIELD = [
    "name",
    "label",
    "type",
    "required",
    "readonly",
    "value",
    "now",
    "options",
    "min",
    "max",
    "max_length",
    "help",
]


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company."""
    assert company.people
    return web_app()


class Caller:
    """A program with a person's key."""

    def __init__(self, app: Flask, person: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = (
            {"Authorization": f"Bearer {accounts.create_key('tests', person).text}"} if person else {}
        )

    def get(self, path: str) -> Any:
        """The answer."""
        return self.client.get(f"/api/v1{path}", headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to a JSON body."""
        return self.client.post(
            f"/api/v1{path}", json={} if body is None else body, headers={**self.headers, **headers}
        )


@pytest.fixture(name="olivia")
def fixture_olivia(web: Flask, company: Company) -> Caller:
    """Olivia's program."""
    return Caller(web, company.olivia.id)


START = {"workflow": "care-review", "collection": "customer", "record": "1", "input": {"why": "periodic"}}


def begun(caller: Caller, **more: Any) -> dict[str, Any]:
    """A run that was just started."""
    answer = caller.post("/runs", START | more)
    assert answer.status_code == 201, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def stepped(caller: Caller, told: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The run after its step was handed in."""
    here = told["current"]
    body = {"step": here["step"], "revision": told["revision"], "values": values}
    if here["outcomes"]:
        body["outcome"] = here["outcomes"][0]["value"]
    answer = caller.post(f"/runs/{told['id']}/complete", body)
    assert answer.status_code == 200, answer.get_json()
    after: dict[str, Any] = answer.get_json()
    return after


def test_the_shape_of_a_run(olivia: Caller) -> None:
    told = begun(olivia)
    assert set(KEYS) <= set(told)
    assert set(CURRENT) <= set(told["current"])
    assert all(set(ATTEMPT) <= set(each) for each in told["attempts"])
    told = stepped(olivia, told)
    assert [set(FIELD) <= set(each) for each in told["current"]["form"]["fields"]] == [True, True]
    assert told["current"]["form"]["fields"][0] == {
        **dict.fromkeys(FIELD),
        "name": "note",
        "label": "Note",
        "type": "long_text",
        "required": True,
        "readonly": False,
        "max_length": told["current"]["form"]["fields"][0]["max_length"],
    }
    assert told["workflow"]["slug"] == "care-review"
    assert (told["collection"], told["record"], told["version"]) == ("customer", "1", 1)


def test_a_run_walked_by_calls_alone(olivia: Caller) -> None:
    told = stepped(olivia, begun(olivia))
    told = stepped(olivia, told, note="typed")
    told = stepped(olivia, told, risk="low")
    told = stepped(olivia, told)
    assert (told["status"], told["current"], told["ending"]) == ("completed", None, "Approved")
    rows = olivia.get(f"/runs/{told['id']}/events?limit=3").get_json()
    assert [row["n"] for row in rows["data"]] == [1, 2, 3]
    assert olivia.get(f"/runs/{told['id']}/events?after={rows['next']}").get_json()["data"][0]["n"] == 4
    got = olivia.get(f"/runs/{told['id']}/replay?at={told['last_event']}").get_json()
    assert got["run"] == olivia.get(f"/runs/{told['id']}").get_json()
    heads = olivia.get("/runs?workflow=care-review&status=completed").get_json()
    assert [head["id"] for head in heads["data"]] == [told["id"]]


REFUSED: list[tuple[str, str, Any, int, str | None]] = [
    ("start with an unknown key", "/runs", START | {"inputs": {}}, 422, "inputs"),
    ("start without a workflow", "/runs", {"collection": "customer"}, 422, "workflow"),
    ("start of what is not there", "/runs", START | {"workflow": "nothing"}, 404, None),
    ("start on another collection", "/runs", START | {"collection": "account"}, 422, "collection"),
    ("start on no record", "/runs", START | {"record": None}, 422, "record"),
    ("start on what is not there", "/runs", START | {"record": "999"}, 404, None),
    ("start with a strange key", "/runs", START | {"record": "../1\u0000"}, 404, None),
    ("start with input that is no object", "/runs", START | {"input": "x"}, 422, "input"),
    ("start with the wrong input", "/runs", START | {"input": {"why": "never"}}, 422, "input.why"),
    ("a body that is a list", "/runs", [], 400, None),
    ("complete without a revision", "/runs/{id}/complete", {"step": "read"}, 422, "revision"),
    (
        "complete with a revision as text",
        "/runs/{id}/complete",
        {"step": "read", "revision": "1"},
        422,
        "revision",
    ),
    ("complete without a step", "/runs/{id}/complete", {"revision": 1}, 422, "step"),
    (
        "complete with values as text",
        "/runs/{id}/complete",
        {"step": "read", "revision": 1, "values": "x"},
        422,
        "values",
    ),
    (
        "complete manually, perhaps",
        "/runs/{id}/complete",
        {"step": "read", "revision": 1, "handled_manually": "yes"},
        422,
        "handled_manually",
    ),
    ("complete with yesterday's revision", "/runs/{id}/complete", {"step": "read", "revision": 0}, 409, None),
    ("abort without a reason", "/runs/{id}/abort", {"revision": "now"}, 422, "reason"),
    (
        "abort with a reason that is a number",
        "/runs/{id}/abort",
        {"revision": "now", "reason": 7},
        422,
        "reason",
    ),
    (
        "abort with a reason without end",
        "/runs/{id}/abort",
        {"revision": "now", "reason": "x" * 3000},
        422,
        "reason",
    ),
    ("revise without a reason", "/runs/{id}/revise", {"revision": "now", "step": "start"}, 422, "reason"),
    (
        "revise what nobody did",
        "/runs/{id}/revise",
        {"revision": "now", "step": "rate", "reason": "x"},
        409,
        None,
    ),
    (
        "revise an attempt as text",
        "/runs/{id}/revise",
        {"revision": "now", "step": "load", "attempt": "1", "reason": "x"},
        422,
        "attempt",
    ),
    (
        "settle with another word",
        "/runs/{id}/settle",
        {"revision": "now", "effect": "eff_x", "result": "maybe", "reason": "x"},
        422,
        "result",
    ),
    (
        "settle nothing",
        "/runs/{id}/settle",
        {"revision": "now", "effect": "eff_x", "result": "done", "reason": "x"},
        409,
        None,
    ),
    ("resume what is open", "/runs/{id}/resume", {"revision": "now"}, 409, None),
    ("retry what did not fail", "/runs/{id}/retry", {"revision": "now"}, 409, None),
    ("save with more than it takes", "/runs/{id}/save", {"revision": "now", "draft": {}}, 422, "draft"),
    ("an unknown run", "/runs/run_nothing/save", {"revision": 1}, 404, None),
]


def test_refused(olivia: Caller) -> None:
    told = begun(olivia, record="2")
    for name, path, sent, status, field in REFUSED:
        body = (
            sent | {"revision": told["revision"]}
            if isinstance(sent, dict) and sent.get("revision") == "now"
            else sent
        )
        answer = olivia.post(path.format(id=told["id"]), body)
        said = answer.get_json()
        assert answer.status_code == status, (name, said)
        assert set(said) >= {"code", "message", "details"}, name
        assert field is None or field in [detail["field"] for detail in said["details"]], (name, said)
    assert olivia.get(f"/runs/{told['id']}").get_json() == told


READS = [
    ("/runs/{id}/replay?at=0", 404),
    ("/runs/{id}/replay?at=x", 400),
    ("/runs/{id}/replay?at=99999999999999", 400),
    ("/runs/{id}/events?limit=0", 400),
    ("/runs/{id}/events?after=x", 400),
    ("/runs/{id}/revise-preview", 400),
    ("/runs/{id}/revise-preview?step=nothing", 409),
    ("/runs?status=asleep", 400),
    ("/runs?nonsense=1", 400),
    ("/runs?after=tampered", 400),
    ("/runs?created_at.gte=yesterday", 400),
    ("/runs?limit=101", 400),
    ("/runs/run_nothing", 404),
]


def test_reads_that_are_refused(olivia: Caller) -> None:
    told = begun(olivia)
    for path, status in READS:
        answer = olivia.get(path.format(id=told["id"]))
        assert answer.status_code == status, (path, answer.get_json())
        assert answer.get_json()["message"], path


@pytest.mark.parametrize(("who", "status"), [("stan", 404), (None, 401), ("olivia", 200)])
def test_who_may_not_see_the_run_brings_no_news_of_it(
    web: Flask, company: Company, olivia: Caller, who: str | None, status: int
) -> None:
    told = begun(olivia)
    caller = Caller(web, company.people[who].id if who else None)
    assert caller.post(f"/runs/{told['id']}/look-again", {}).status_code == status
    assert company.told(told["id"])["revision"] == told["revision"]


POSTS = [
    "complete",
    "draft",
    "save",
    "resume",
    "take-over",
    "release",
    "abort",
    "cancel",
    "revise",
    "settle",
    "check",
    "stop-trying",
    "retry",
    "escalate",
    "assign",
    "step-in",
    "propose",
    "supply",
]


@pytest.mark.parametrize(("who", "status"), [("stan", 404), (None, 401)])
def test_strangers_get_nothing(
    web: Flask, company: Company, olivia: Caller, who: str | None, status: int
) -> None:
    told = begun(olivia)
    stranger = Caller(web, company.people[who].id if who else None)
    more = {"step": "read", "reason": "x", "effect": "eff_x", "result": "done", "values": {}}
    wanted = {
        "complete": ["step", "values"],
        "draft": ["step", "values"],
        "abort": ["reason"],
        "cancel": ["reason"],
        "revise": ["step", "reason"],
    }
    wanted["settle"] = ["effect", "result", "reason"]
    wanted["check"] = ["effect"]
    wanted["supply"] = ["step", "values"]
    for verb in POSTS:
        body = {"revision": told["revision"], **{name: more[name] for name in wanted.get(verb, [])}}
        assert stranger.post(f"/runs/{told['id']}/{verb}", body).status_code == status, verb
    for path in ("", "/events", "/replay?at=1", "/revise-preview?step=load", "/abort-preview"):
        assert stranger.get(f"/runs/{told['id']}{path}").status_code == status, path
    assert stranger.post("/runs", START).status_code == status
    listed = stranger.get("/runs")
    assert (listed.status_code, listed.get_json().get("data", [])) == (200 if who else 401, [])
    assert olivia.get(f"/runs/{told['id']}").get_json() == told


def test_numbers_of_json_are_taken_exactly(web: Flask, company: Company, olivia: Caller) -> None:
    form = [
        {"name": name, "label": name, "type": type_}
        for name, type_ in (("rate", "decimal"), ("fee", "money"), ("many", "integer"), ("more", "json"))
    ]
    workflow("exact", {"type": "update_data", "config": {"form": form}, "next": {"default": "rate"}})
    run_id = at_note(company, "exact")
    values = '{"rate": 0.1000000000000000055511, "fee": 12, "many": 1.2e1, "more": {"by": [0.50, 1]}}'
    body = f'{{"step": "note", "revision": {company.told(run_id)["revision"]}, "values": {values}}}'
    answer = olivia.client.post(
        f"/api/v1/runs/{run_id}/complete",
        data=body,
        headers={**olivia.headers, "Content-Type": "application/json"},
    )
    exact = {"rate": "0.1000000000000000055511", "fee": "12", "many": 12, "more": {"by": ["0.50", 1]}}
    assert answer.get_json()["context"]["note"] == exact
    assert olivia.get(f"/runs/{run_id}").get_json()["context"]["note"] == exact


def test_a_second_start_is_409_with_the_run_for_who_may_see_it(
    web: Flask, company: Company, olivia: Caller
) -> None:
    told = begun(olivia)
    answer = Caller(web, company.tom.id).post("/runs", START)
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["run_id"]) == (
        409,
        "run_is_live",
        told["id"],
    )


def test_a_step_completed_under_a_key_is_completed_once(olivia: Caller) -> None:
    told = begun(olivia)
    body = {"step": "read", "revision": told["revision"], "values": {}}
    first = olivia.post(f"/runs/{told['id']}/complete", body, **{"X-Idempotency-Key": "k-2"})
    again = olivia.post(f"/runs/{told['id']}/complete", body, **{"X-Idempotency-Key": "k-2"})
    assert again.get_json() == first.get_json()
    assert [event.type for event in log.events_of(told["id"])].count(
        "step_completed"
    ) == 3  # start, load, read


def test_a_key_that_cannot_be_is_400(olivia: Caller) -> None:
    for key in ("", "x" * 201, "with\ttab"):
        answer = olivia.post("/runs", START, **{"X-Idempotency-Key": key})
        assert answer.status_code == 400, key


def test_lists_are_paged_without_doubles(olivia: Caller, company: Company) -> None:
    for record in ("1", "2", "4", "3"):
        runs.start(company.olivia, "care-review", "customer", record, {"why": "event"})
    seen: list[str] = []
    path = "/runs?limit=1"
    while path:
        page = olivia.get(path).get_json()
        seen += [head["record"] for head in page["data"]]
        path = f"/runs?limit=1&after={page['next']}" if page["next"] else ""
    assert seen == ["3", "4", "2", "1"]


def test_lists_hold_what_is_in_scope_only(web: Flask, company: Company) -> None:
    for record in ("1", "3"):
        runs.start(company.olivia, "care-review", "customer", record, {"why": "event"})
    told = {
        who: [head["record"] for head in Caller(web, company.people[who].id).get("/runs").get_json()["data"]]
        for who in ("olivia", "tom", "mona", "stan")
    }
    assert told == {"olivia": ["3", "1"], "tom": ["1"], "mona": ["3", "1"], "stan": []}
