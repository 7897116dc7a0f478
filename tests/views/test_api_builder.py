"""The builder of workflows over the API: its shape to the letter, and who does not get in."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from console import workflows
from console.auth import accounts
from console.core.errors import NotFound
from console.infra import jobs
from tests.ai.proposals.conftest import denied
from tests.authoring.builder.test_builder import ASK_WHY, answer, fixture_endpoint, fixture_model
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import worked
from tests.servers.model import Server

__all__ = ["denied", "fixture_endpoint", "fixture_model"]

PATH = "/api/v1/workflows/care-review/builder"


def client(company: Company, name: str) -> tuple[FlaskClient, dict[str, str]]:
    return web_app().test_client(), {
        "Authorization": f"Bearer {accounts.create_key('x', company.people[name].id).text}"
    }


def test_asked_read_and_taken(company: Company, model: Server) -> None:
    web, headers = client(company, "mona")
    model.obey(answer(ASK_WHY, assumptions=["Everybody is asked."]))
    asked = web.post(PATH, headers=headers, json={"message": "Ask why.", "revision": 0})
    assert (asked.status_code, list(asked.get_json())) == (202, ["id"])
    at = f"{PATH}/{asked.get_json()['id']}"
    nothing: dict[str, Any] = {"text": "", "changes": [], "assumptions": [], "problems": []}
    assert web.get(at, headers=headers).get_json() == {"status": "pending", **nothing}
    worked({jobs.BUILD})
    told = web.get(at, headers=headers).get_json()
    assert list(told) == ["status", "text", "changes", "assumptions", "problems"]
    assert told["status"] == "ready"
    assert workflows.open_draft(company.mona, "care-review").revision == 0
    taken = web.patch(
        "/api/v1/workflows/care-review/draft",
        headers=headers,
        json={"revision": 0, "changes": told["changes"]},
    )
    assert taken.status_code == 200
    assert taken.get_json()["problems"] == told["problems"]
    assert "why" in {step["id"] for step in taken.get_json()["document"]["steps"]}


@pytest.mark.parametrize(("name", "status"), [("olivia", 403), ("ada", 403), ("stan", 404)])
def test_who_does_not_get_in(company: Company, name: str, status: int) -> None:
    web, headers = client(company, "mona")
    turn = web.post(PATH, headers=headers, json={"message": "Ask why.", "revision": 0}).get_json()["id"]
    other, theirs = client(company, name)
    assert other.post(PATH, headers=theirs, json={"message": "Ask why.", "revision": 0}).status_code == status
    assert other.get(f"{PATH}/{turn}", headers=theirs).status_code == status
    assert other.get(f"{PATH}/{turn}").status_code == 401
    assert web.get(f"{PATH}/bld_other", headers=headers).status_code == 404
    made = workflows.create(company.mona, "Another")
    assert web.get(f"/api/v1/workflows/{made.slug}/builder/{turn}", headers=headers).status_code == 404


def test_what_is_asked_wrongly_names_the_field(company: Company) -> None:
    web, headers = client(company, "mona")
    for body, status in (
        ({"message": "", "revision": 0}, 422),
        ({"message": "x", "revision": -1}, 422),
        ({"revision": 0}, 422),
        ({"message": "x", "revision": 9}, 409),
    ):
        told = web.post(PATH, headers=headers, json=body)
        assert (told.status_code, bool(told.get_json()["details"])) == (status, True), body
    with pytest.raises(NotFound):
        workflows.open_draft(company.stan, "care-review")
