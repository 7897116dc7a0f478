"""Dry runs over HTTP: who may try a workflow, what comes of it, and that an error names the answer that is wrong."""

from typing import Any

import pytest
from flask import Flask

from console import workflows
from console.infra.db.engine import fetch
from console.views.app import create_app
from tests.company import Company
from tests.views.test_api_workflows import Program

pytestmark = pytest.mark.lengthy

ANSWERS: dict[str, Any] = {
    "read": {},
    "note": {"values": {"note": "Fine."}},
    "rate": {"values": {"risk": "high"}},
}
TRIED: dict[str, Any] = {"record": "1", "input": {"why": "periodic"}}


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company."""
    assert company.people
    return create_app()


@pytest.fixture(name="mona")
def fixture_mona(web: Flask, company: Company) -> Program:
    """The program of the lead of Operations."""
    return Program(web, company.mona.id)


def test_a_dry_run_stops_where_a_person_answers_and_ends_with_what_they_chose(
    mona: Program, company: Company
) -> None:
    address = "/workflows/care-review/dry-run"
    before = [fetch(f"select count(*) from console.{name}")[0][0] for name in ("run", "attempt", "draft")]
    first = mona("POST", address, TRIED)
    assert (first["status"], first["outcome"], first["stopped_at"]) == ("waiting_person", None, "read")
    assert [each["step"] for each in first["path"]] == ["start", "load", "read"]
    assert first["path"][0]["output"] == {"why": "periodic"}
    assert first["path"][2]["output"] is None
    stopped = mona("POST", address, TRIED | {"answers": ANSWERS})
    assert (stopped["stopped_at"], stopped["question"]["kind"]) == ("decide", "form")
    ended = mona(
        "POST",
        address,
        TRIED | {"answers": ANSWERS | {"decide": {"outcome": "approve"}}, "effects": {"rate": "succeeded"}},
    )
    assert (ended["status"], ended["outcome"], ended["stopped_at"], ended["question"]) == (
        "completed",
        "Approved",
        None,
        None,
    )
    assert [(each["step"], each["summary"]) for each in ended["would_send"]] == [("rate", "Update risk")]
    assert ended["would_send"][0]["request"]["changes"] == {"risk": {"old": None, "new": "high"}}
    live = mona("POST", address, TRIED | {"version": "live"})
    assert live["stopped_at"] == "read"
    assert [
        fetch(f"select count(*) from console.{name}")[0][0] for name in ("run", "attempt", "draft")
    ] == before
    assert company.sql("select risk from customer where id = 1") == [(None,)]


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"answers": {"nobody": {}}}, "answers.nobody"),
        ({"answers": {"note": {"value": 1}}}, "answers.note.value"),
        ({"answers": {"note": [{"values": 3}]}}, "answers.note[0].values"),
        ({"effects": {"rate": "perhaps"}}, "effects.rate.outcome"),
        ({"effects": {"nobody": "failed"}}, "effects.nobody"),
        ({"answers": {"read": {}, "note": {"values": {"count": 2}}}}, "answers.note.note"),
        ({"answers": ANSWERS | {"decide": {"outcome": "refuse"}}}, "answers.decide.outcome"),
        ({"input": {"why": "never"}}, "input.why"),
        ({"record": None}, "record"),
        ({"version": "newest"}, "version"),
        ({"steps": []}, "steps"),
    ],
)
def test_an_error_names_what_was_chosen_wrongly(mona: Program, chosen: dict[str, Any], field: str) -> None:
    wrong = mona("POST", "/workflows/care-review/dry-run", TRIED | chosen, 422)
    assert field in [each["field"] for each in wrong["details"]]


def test_only_who_may_edit_tries_and_only_on_records_that_they_may_see(
    mona: Program, web: Flask, company: Company
) -> None:
    address = "/workflows/care-review/dry-run"
    Program(web, None)("POST", address, TRIED, 401)
    for stranger in (company.stan, company.rosa, company.ada):
        refused = Program(web, stranger.id)(
            "POST", address, TRIED, 403 if stranger is not company.stan else 404
        )
        assert "path" not in refused
    Program(web, company.tom.id)("POST", address, TRIED, 403)
    gone = mona("POST", address, TRIED | {"record": "99"}, 404)
    assert gone["code"] == "not_found"


def test_a_draft_with_errors_is_not_tried_and_the_live_version_still_is(mona: Program) -> None:
    mona(
        "PATCH",
        "/workflows/care-review/draft",
        {"revision": 0, "changes": [{"op": "remove_step", "step": "end"}]},
    )
    wrong = mona("POST", "/workflows/care-review/dry-run", TRIED, 422)
    assert wrong["details"]
    assert mona("POST", "/workflows/care-review/dry-run", TRIED | {"version": "live"})["stopped_at"] == "read"
    made = mona("POST", "/workflows", {"title": "Never live"}, 201)
    mona("POST", f"/workflows/{made['slug']}/dry-run", {"version": "live"}, 404)
    assert workflows.all_known()
