"""Service accounts on pages and in the API: made by who manages people, shown as what they are, with keys that answer `/me`."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from console.auth import accounts
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

EMAIL = "nightly@robots.test"


@pytest.fixture(scope="module")
def pages(module_company: Company) -> Pages:
    return Pages(module_company, web_app())


def test_an_admin_makes_one_and_gives_it_a_key_on_a_page(pages: Pages) -> None:
    path, ines = "/settings/people/service-account", pages.ines
    wrong = ines.send(ines.get(path), path, status=422, do="make", email="nobody", name="Robot")
    assert "takes an e-mail address" in wrong.text
    assert "takes at least one role" in wrong.text
    values = wrong.form(path)["fields"] | {
        "do": "make",
        "email": EMAIL,
        "name": "Nightly <b>robot",
        "role.1": "operator",
        "team.1": "operations",
    }
    ines.post(path, values)
    page = ines.follow()
    assert "Service account" in page.text
    assert "Nightly <b>robot" in page.text
    assert not re.findall(r"Signing in|Signed in|Lost password", page.text)
    account = accounts.person_of_email(EMAIL)
    assert "Service account" in ines.get("/settings/people?q=nightly").text
    path = f"/settings/people/{account.id}/new-key"
    made = ines.send(ines.get(path), path, status=200, name="callbacks", days="30")
    key = re.findall(r"cns_[0-9a-z]{26}_[0-9a-f]{64}", made.html)[0]
    told = pages.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).get_json()
    assert (told["email"], told["roles"], told["teams"]) == (
        EMAIL,
        ["operator"],
        ["operations"],
    )
    ines.get(f"/settings/people/{pages.company.olivia.id}/new-key", status=404)
    assert "nobody signs in" in ines.get(f"/settings/sign-in/of/{account.id}", status=409).text


def test_nobody_else_gets_in(pages: Pages) -> None:
    account = accounts.create_service_account("shut@robots.test", [("operator", "operations")])
    for person in (pages.mona, pages.stan, pages.olivia):
        person.get("/settings/people/service-account", status=403)
        person.get(f"/settings/people/{account.id}/new-key", status=403)


def test_the_api_makes_one(pages: Pages) -> None:
    client: FlaskClient = pages.app.test_client()
    body = {
        "kind": "service",
        "name": "API robot",
        "email": "Api@Robots.test",
        "roles": [{"role": "operator", "team": "operations"}],
    }

    def sent(who: str, **more: object) -> tuple[int, dict[str, Any]]:
        key = accounts.create_key("test", getattr(pages.company, who).id).text
        answer = client.post("/api/v1/people", json=body | more, headers={"Authorization": f"Bearer {key}"})
        return answer.status_code, answer.get_json()

    status, told = sent("ines")
    assert (status, told["kind"], told["email"], told["teams"]) == (
        201,
        "service",
        "api@robots.test",
        ["operations"],
    )
    assert told["roles"] == [{"role": "operator", "team": "operations"}]
    assert [sent("ines")[0], sent("mona")[0], sent("ines", kind="person")[0]] == [409, 403, 422]
    status, told = sent("ines", email="x@robots.test", roles=[{"role": "nothing", "team": "nowhere"}])
    assert (status, [detail["field"] for detail in told["details"]]) == (422, ["roles", "roles"])
