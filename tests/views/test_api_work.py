"""`/api/v1/work` over HTTP with a key: the list of the page and its moves, and who must not get in."""

import pytest
from flask import Flask

from console.activity import sequencing
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.views.test_api_inbox import caller
from tests.work.test_tickets import handed_on, saved

pytestmark = pytest.mark.lengthy


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company, with its inboxes."""
    inboxes.import_all([DESK])
    return web_app()


def test_work_has_its_shape_its_filters_and_its_counts(web: Flask, company: Company) -> None:
    run, ticket, _ = company.started("1"), handed_on(company, "2"), saved(company, "4", "tom")
    mona = caller(web, company, "mona")
    answer = mona.get("/work?by=person&limit=2")
    first, second = answer["data"]
    assert (first["id"], first["kind"], first["state"], first["holder"], first["due"]) == (
        run,
        "run",
        "in_progress",
        company.olivia.id,
        None,
    )
    assert (second["id"], second["kind"], second["inbox"], second["waits_for"]) == (
        ticket,
        "ticket",
        "desk",
        "“Please look”",
    )
    assert answer["groups"] == [
        {"value": "none", "count": 2, "more": False},
        {"value": company.olivia.id, "count": 1, "more": False},
        {"value": None, "count": 3, "more": False},
    ]
    rest = mona.get(f"/work?limit=2&after={answer['next']}")
    assert [each["state"] for each in rest["data"]] == ["saved"]
    assert (rest["next"], rest["groups"]) == (None, None)
    assert [each["id"] for each in mona.get("/work?kind=ticket&person=none")["data"]] == [ticket]
    assert mona.get("/work?state=lost", 400)["details"][0]["field"] == "state"
    assert mona.get("/work?after=lost", 400)["details"][0]["field"] == "after"


def test_work_of_another_team_and_counts_of_a_part_are_nobodys(web: Flask, company: Company) -> None:
    company.started("3")
    assert caller(web, company, "stan").get("/work")["data"] == []
    tom = caller(web, company, "tom").get("/work?by=person")
    assert tom["data"] == []
    assert {group["count"] for group in tom["groups"]} == {None}


def test_work_is_moved_and_taken_back_over_the_api(web: Flask, company: Company) -> None:
    run, mona = company.started("1"), caller(web, company, "mona")
    sent = {
        "do": "reassign",
        "items": [{"id": run, "revision": company.told(run, "mona")["revision"]}, {"id": "tsk_none"}],
        "user": company.tom.id,
        "reason": "Olivia is away.",
    }
    for person in ("olivia", "stan"):
        refused = caller(web, company, person)
        assert refused.get("/work-moves")["data"] == []
        refused.post("/work-moves", sent, 404 if person == "stan" else 403)
    moved = mona.post("/work-moves", sent)["data"]
    assert [(each["undo"] is None, each["reason"] is None) for each in moved] == [
        (False, True),
        (True, False),
    ]
    sequencing.catch_up()
    (move,) = mona.get("/work-moves")["data"]
    assert (move["do"], move["to"], move["items"]) == ("reassign", "Tom", [moved[0]["undo"]])
    back = mona.post("/work-moves", {"do": "undo", "items": move["items"]})["data"]
    assert back[0]["reason"] is None
    assert company.told(run, "mona")["holder"] == company.olivia.id
    assert mona.post("/work-moves", {**sent, "items": []}, 422)["details"][0]["field"] == "item"
