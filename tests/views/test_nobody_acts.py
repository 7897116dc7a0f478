"""A signed webhook of a live workflow for which nobody acts: it cannot be added, published or switched on, and each way says what to choose."""

from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.auth import accounts
from console.automation import triggers
from console.core import drafting
from console.core.errors import Conflict, DefinitionError
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

ROBOT = "robot@fernwick.test"
SIGNED = {"kind": "webhook", "enabled": True, "signed": True}
HEAD: dict[str, Any] = {
    "format": 1,
    "slug": "orders",
    "title": "Orders",
    "team": "operations",
    "steps": [step("start", "start", "end"), step("end", "end", None)],
}


@pytest.fixture
def house(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    workflows.import_file(HEAD, publish=True)
    return company


def asked(company: Company, who: Any, method: str, path: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {accounts.create_key('shop', who.id).text}"}
    answer = (
        web_app()
        .test_client()
        .open(f"/api/v1/workflows/orders/{path}", method=method, json=sent, headers=headers)
    )
    assert company
    return answer.status_code, answer.get_json()


def test_a_signed_webhook_is_added_once_an_account_acts(house: Company) -> None:
    status, told = asked(house, house.mona, "POST", "triggers", **SIGNED)
    assert (status, told["code"], told["details"][0]["field"]) == (409, "no_account", "run_as")
    assert "Runs as" in told["message"]
    assert fetch("select count(*) from console.trigger") == [(0,)]
    assert asked(house, house.mona, "POST", "triggers", kind="webhook", enabled=True)[0] == 201, (
        "a key has an owner who acts"
    )
    draft = workflows.open_draft(house.mona, "orders")
    workflows.edit(house.mona, "orders", draft.revision, [drafting.SetDocument(field="run_as", value=ROBOT)])
    assert asked(house, house.mona, "POST", "triggers", **SIGNED)[0] == 409, "what is live names nobody yet"
    workflows.import_file(HEAD | {"run_as": ROBOT}, publish=True)
    assert asked(house, house.mona, "POST", "triggers", **SIGNED)[0] == 201
    assert asked(house, house.stan, "POST", "triggers", **SIGNED)[0] == 404


def test_a_draft_takes_it_and_publishing_says_who_is_missing(house: Company) -> None:
    draft = workflows.open_draft(house.mona, "orders")
    changed = workflows.edit(
        house.mona,
        "orders",
        draft.revision,
        [drafting.AddTrigger(trigger={"id": "shop", **SIGNED}, place=None)],
    )
    assert [problem.field for problem in workflows.problems(changed)] == ["run_as"]
    status, told = asked(house, house.mona, "POST", "publish", note="Orders come in by themselves")
    assert (status, told["details"][0]["field"]) == (422, "run_as")
    with pytest.raises(DefinitionError, match="service account"):
        workflows.import_file(HEAD | {"triggers": [{"id": "shop", **SIGNED}]}, publish=True)


def test_one_that_was_added_before_says_so_and_is_not_switched_on(house: Company, pages: "Pages") -> None:
    workflows.import_file(HEAD | {"run_as": ROBOT}, publish=True)
    made = triggers.add(house.mona, "orders", SIGNED)
    triggers.switch(house.mona, "orders", made.id, enabled=False)
    workflows.import_file(HEAD, publish=True)
    with pytest.raises(Conflict, match="service account"):
        triggers.switch(house.mona, "orders", made.id, enabled=True)
    page = pages.mona.get("/workflows/orders/triggers")
    assert "nobody acts: choose an account under Runs as" in page.text
    path = f"/workflows/orders/triggers/{made.id}/switch"
    assert "starts runs while nobody is there" in pages.mona.send(page, path, enabled="true", status=409).text
    assert asked(house, house.mona, "PATCH", f"triggers/{made.id}", enabled=True)[1]["code"] == "no_account"
    assert asked(house, house.olivia, "PATCH", f"triggers/{made.id}", enabled=True)[0] == 403
    assert fetch("select enabled from console.trigger where id = %s", (made.id,)) == [(False,)]
