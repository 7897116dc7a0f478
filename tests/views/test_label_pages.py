"""The page of labels: what is asked for, agreed to and taken back there, and who gets it at all."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from console.auth import access, accounts
from console.permissions import clearances
from tests.company import PASSWORD, Company
from tests.conftest import web_app

pytestmark = pytest.mark.lengthy


def day(number: int) -> str:
    """So many days from today; a suite may run past midnight."""
    return str(datetime.now(UTC).date() + timedelta(days=number))


class Browser:
    """Somebody who is signed in."""

    def __init__(self, email: str) -> None:
        self.app = web_app()
        self.client: FlaskClient = self.app.test_client()
        with self.client.session_transaction() as session:
            session["csrf_token"], session["_user_id"] = (
                "kept",
                accounts.sign_in(email, PASSWORD, "127.0.0.1", "test"),
            )

    def get(self) -> TestResponse:
        return self.client.get("/settings/labels", headers={"Sec-Fetch-Site": "same-origin"})

    def post(self, path: str = "", **told: str) -> TestResponse:
        token = URLSafeTimedSerializer(self.app.secret_key or "", salt="wtf-csrf-token").dumps("kept")
        return self.client.post(
            f"/settings/labels{path}",
            data={**told, "csrf_token": token},
            headers={"Sec-Fetch-Site": "same-origin"},
        )


@pytest.fixture(scope="module")
def house(module_company: Company) -> Company:
    access.grant("lead", "label:confidential", ["see"], team="operations")
    access.refresh()
    return module_company


def typed(**changes: str) -> dict[str, str]:
    told = {"label": "confidential", "email": "ada@fernwick.example", "since": day(0), "until": day(3)}
    return told | {"reason": "Yearly audit <b>"} | changes


@pytest.mark.parametrize("who", ["stan", "tom", "ada", "rosa"])
def test_who_has_no_part_in_it_gets_no_page(house: Company, who: str) -> None:
    browser = Browser(f"{who}@fernwick.example")
    assert browser.get().status_code == 403
    assert browser.post(**typed()).status_code == 403


def test_a_clearance_is_asked_for_agreed_to_and_taken_back(house: Company) -> None:
    ines, mona = Browser("ines@fernwick.example"), Browser("mona@fernwick.example")
    page = ines.get()
    assert page.status_code == 200
    assert "Operations lead" not in page.text  # it is the level that is cleared
    assert re.search(r"Lead</b> <span class=\"muted\">", page.text)
    assert ines.post(**typed()).status_code == 303
    (grant,) = (grant for label in clearances.list_labels(house.ines) for grant in label.grants)
    assert "Yearly audit &lt;b&gt;" in ines.get().text
    assert f"/settings/labels/{grant.id}/agree" not in ines.get().text
    assert "Another person has to agree" in ines.post(f"/{grant.id}/agree").text
    assert f"/settings/labels/{grant.id}/agree" in mona.get().text
    assert mona.post(f"/{grant.id}/agree").status_code == 303
    assert "Cleared now" in mona.get().text
    assert access.clearance(house.ada) == {"confidential"}
    assert ines.post(f"/{grant.id}/revoke").status_code == 303
    assert access.clearance(house.ada) == frozenset()
    assert ines.post(f"/{grant.id}/revoke").status_code == 409


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "nobody@fernwick.example"}, "Nobody has an open account"),
        ({"since": "soon"}, "Choose a day"),
        ({"until": "9999-12-31"}, "No calendar has the day after"),
        ({"until": day(-9)}, "must end after it begins"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: Company, changes: dict[str, str], words: str
) -> None:
    answer = Browser("ines@fernwick.example").post(**typed(**changes))
    assert answer.status_code == 422
    assert words in answer.text
    assert (changes.get("email") or "ada@fernwick.example") in answer.text


def test_unknown_ones_are_not_found(house: Company) -> None:
    assert Browser("ines@fernwick.example").post("/clr_unknown/agree").status_code == 404
