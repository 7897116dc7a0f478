"""Inboxes over HTTP with a key: lists, taking, giving, and who must not get in."""

from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from console.workflows import inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.views.test_api_runs import Caller
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on

pytestmark = pytest.mark.lengthy


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company, with its inboxes."""
    inboxes.import_all([DESK, UNRATED])
    return web_app()


class Asked:
    """Somebody's program, whose answers must come with a status."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.caller.get(path)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def post(self, path: str, sent: Any, status: int = 200) -> Any:
        answer = self.caller.post(path, sent)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()


def caller(web: Flask, company: Company, who: str) -> Asked:
    return Asked(Caller(web, company.people[who].id))


def test_lists_have_their_shape(web: Flask, company: Company) -> None:
    run = handed_on(company, "2", "high")
    olivia = caller(web, company, "olivia")
    assert olivia.get("/inboxes") == {
        "data": [
            {
                "id": "desk",
                "title": "Compliance desk",
                "help": None,
                "team": "operations",
                "collection": None,
                "workflow": None,
                "to_do": 1,
                "more": False,
                "down": False,
            },
            {
                "id": "unrated",
                "title": "Unrated",
                "help": None,
                "team": "operations",
                "collection": "customer",
                "workflow": "care-review",
                "to_do": 3,
                "more": False,
                "down": False,
            },
        ],
        "next": None,
    }
    (ticket,) = olivia.get("/inboxes/desk/tickets")["data"]
    assert ticket | {"since": ""} == {
        "id": run,
        "kind": "handed_on",
        "title": "Tore Lindqvist",
        "priority": "high",
        "collection": "customer",
        "record": "2",
        "run": run,
        "step": "note",
        "holder": None,
        "since": "",
        "due": None,
        "reason": "Please look",
    }
    first = olivia.get("/inboxes/unrated/tickets?limit=2")
    rest = olivia.get(f"/inboxes/unrated/tickets?limit=2&after={quote(first['next'])}")
    assert [one["id"] for one in [*first["data"], *rest["data"]]] == ["record:4", "record:1", "record:3"]
    assert rest["next"] is None


def test_taking_and_giving(web: Flask, company: Company) -> None:
    olivia, mona = caller(web, company, "olivia"), caller(web, company, "mona")
    taken = olivia.post("/inboxes/unrated/next", {})
    assert (taken["record"], taken["holder"]) == ("4", company.olivia.id)
    assert olivia.post("/inboxes/unrated/take", {"ticket": "record:3"})["record"] == "3"
    assert olivia.get("/inboxes/unrated/tickets?view=doing")["data"][0]["run"] == taken["id"]
    given = mona.post(
        "/inboxes/unrated/assign", {"tickets": ["record:1", "record:2"], "user": company.tom.id}
    )["data"]
    assert [(one["ticket"], bool(one["run"]), one["reason"] is None) for one in given] == [
        ("record:1", True, True),
        ("record:2", False, False),
    ]
    assert {one["holder"] for one in mona.get("/inboxes/unrated/tickets?view=backlog")["data"]} == {
        company.olivia.id,
        company.tom.id,
    }
    assert mona.post("/inboxes/unrated/unassign", {"tickets": [taken["id"]]})["data"] == [
        {"ticket": taken["id"], "run": taken["id"], "reason": None}
    ]
    olivia.post("/inboxes/unrated/next", {})
    assert olivia.post("/inboxes/unrated/next", {}, status=409)["code"] == "inbox_empty"


WRONG: list[tuple[str, str, Any, int]] = [
    ("olivia", "GET /inboxes/absent/tickets", None, 404),
    ("stan", "GET /inboxes/desk/tickets", None, 404),
    ("stan", "POST /inboxes/unrated/next", {}, 404),
    ("stan", "POST /inboxes/unrated/take", {"ticket": "record:1"}, 404),
    ("stan", "POST /inboxes/unrated/assign", {"tickets": ["record:1"], "user": "usr_x"}, 404),
    ("olivia", "GET /inboxes/unrated/tickets?view=backlog", None, 403),
    ("olivia", "POST /inboxes/unrated/assign", {"tickets": ["record:1"], "user": "usr_x"}, 403),
    ("olivia", "POST /inboxes/unrated/unassign", {"tickets": ["run_x"]}, 403),
    ("olivia", "GET /inboxes/unrated/tickets?view=all", None, 400),
    ("olivia", "GET /inboxes/unrated/tickets?after=x", None, 400),
    ("olivia", "GET /inboxes/unrated/tickets?limit=0", None, 400),
    ("olivia", "POST /inboxes/unrated/next", {"x": 1}, 400),
    ("olivia", "POST /inboxes/unrated/take", {}, 422),
    ("olivia", "POST /inboxes/unrated/take", {"ticket": "record:99"}, 404),
    ("mona", "POST /inboxes/unrated/assign", {"tickets": "record:1", "user": "usr_x"}, 422),
    ("mona", "POST /inboxes/unrated/assign", {"tickets": [1], "user": "usr_x"}, 422),
    ("mona", "POST /inboxes/unrated/assign", {"tickets": [], "user": "usr_x"}, 422),
    ("mona", "POST /inboxes/unrated/assign", {"tickets": ["record:1"]}, 422),
]


@pytest.mark.parametrize(("who", "call", "sent", "status"), WRONG)
def test_what_cannot_be_is_refused(
    web: Flask, company: Company, who: str, call: str, sent: Any, status: int
) -> None:
    method, path = call.split(" ", 1)
    asked = caller(web, company, who)
    answer = asked.get(path, status=status) if method == "GET" else asked.post(path, sent, status=status)
    assert {"code", "message", "details"} <= answer.keys()


def test_an_inbox_that_the_team_does_not_use_is_named(web: Flask, company: Company) -> None:
    run = company.at("note")
    olivia = caller(web, company, "olivia")
    answer = olivia.post(
        f"/runs/{run}/escalate",
        {"revision": company.told(run)["revision"], "inbox": "absent", "reason": "x"},
        status=422,
    )
    assert answer["details"] == [{"field": "inbox", "reason": "One of: desk, unrated."}]
