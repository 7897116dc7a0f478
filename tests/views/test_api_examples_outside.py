"""Examples of the API at runs that other systems or proposals brought somewhere."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access
from console.records import connect
from console.views.api.openapi import BASE
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.support.paying import Provider, at_pay, paying, providing
from tests.support.proposing_runs import begun, hand_in
from tests.views.test_api_examples import QUESTIONING, Bench

pytestmark = pytest.mark.lengthy


@pytest.fixture(name="provider")
def fixture_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The provider of payments."""
    with providing(monkeypatch) as made:
        yield made


def test_examples_of_runs_that_other_systems_brought_somewhere(company: Company, provider: Provider) -> None:
    paying()
    bench = Bench(web_app(), company)
    run_id = at_pay(company)
    provider.mood = "busy"
    faults, told = [], pay(company, run_id)
    faults += bench.check("stopTrying", "olivia", {"run_id": run_id, "revision": told["revision"]})
    provider.mood = "mute"
    told = pay(company, run_id)
    effect = told["current"]["effect"]["id"]
    provider.mood = "good"
    here = {"run_id": run_id, "revision": told["revision"], "effect": effect}
    answer = bench.send("checkEffect", "olivia", here)
    assert (answer.status_code, answer.get_json()["checked"]) == (200, "done")
    assert not list(bench.faults(bench.calls["checkEffect"], answer))
    workflows.import_file(QUESTIONING, publish=True)
    asked = runs.start(company.olivia, "questioning", "customer", "2", {})
    faults += bench.check("stepIn", "olivia", {"run_id": asked, "revision": company.told(asked)["revision"]})
    company.sql("alter table account rename to accounts")
    connect.dispose()
    stopped = company.started("4")
    headers = {"Authorization": f"Bearer {bench.keys['olivia']}"}
    revision = company.told(stopped)["revision"]
    again = bench.web.test_client().post(
        f"{BASE}/runs/{stopped}/retry", headers=headers, json={"revision": revision}
    )
    assert again.status_code == 200, again.text
    assert faults == []


def test_the_example_of_an_effect_that_is_settled(company: Company, provider: Provider) -> None:
    paying()
    bench = Bench(web_app(), company)
    run_id = at_pay(company)
    provider.mood = "mute"
    told = pay(company, run_id)
    here = {"run_id": run_id, "revision": told["revision"], "effect": told["current"]["effect"]["id"]}
    assert bench.check("settleEffect", "olivia", here) == []


def pay(company: Company, run_id: str) -> dict[str, Any]:
    """The run after the payment was handed in."""
    told = company.told(run_id)
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step=told["current"]["step"], revision=told["revision"], values={"amount": 5}),
    )
    return company.told(run_id)


def test_examples_at_steps_where_something_is_proposed(company: Company) -> None:
    bench = Bench(web_app(), company)
    run_id = begun(company)
    faults = bench.check(
        "proposeAgain", "olivia", {"run_id": run_id, "revision": company.told(run_id)["revision"]}
    )
    told = hand_in(company, run_id, values={"note": "By hand."}, handled_manually=True)
    answer = bench.send(
        "supplyContext", "olivia", {"run_id": run_id, "revision": told["revision"], "values": {"amount": "3"}}
    )
    assert answer.status_code == 200
    faults += bench.faults(bench.calls["supplyContext"], answer)
    assert faults == []
    assert answer.get_json()["context"]["note"]["missing"] == "supplied later"


def test_examples_of_a_single_message(company: Company) -> None:
    reached.founded(company)
    access.grant("operations_lead", "collection:contact", ["message"], team="operations")
    bench = Bench(web_app(), company)
    made = bench.send("sendMessage", "mona", {})
    assert not list(bench.faults(bench.calls["sendMessage"], made))
    assert bench.check("getMessage", "mona", {"message_id": made.get_json()["id"]}) == []
