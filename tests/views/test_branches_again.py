"""Coming again to a step that started runs: what they made is named before one goes back, and is not made a second time unless a person says so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from console import runs, workflows
from console.auth import access
from console.core.errors import Conflict, Invalid
from console.infra.db.engine import fetch
from tests.company import Company
from tests.support.acting import imported
from tests.support.engine import step, whole
from tests.support.paying import PAY, RECALL, Provider, back, providing

if TYPE_CHECKING:
    pass

PAYING = step(
    "pay", "trigger_action", "after", {"action": "customer.pay", "values": {"amount": "steps.look.amount"}}
) | {"completion": "automatic"}
PARALLEL = step(
    "each", "parallel", "after", {"branches": [{"id": "a", "start": "pay"}, {"id": "b", "start": "other"}]}
)
AMOUNT = {"name": "amount", "label": "Amount", "type": "integer", "required": True}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def begun(company: Company, each: dict[str, Any], *bodies: dict[str, Any], stands: str = "after") -> str:
    """A run that has been through the step that starts runs, and stands behind it."""
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(RECALL, PAY)
    steps = [
        step("start", "start", "look"),
        step("look", "update_data", "each", {"form": [AMOUNT]}),
        each,
        *bodies,
        step("after", "guidance", "end", {"text": "Done."}),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": "jobs",
        "title": "Jobs",
        "team": "operations",
        "collection": "customer",
        "settings": {},
    }
    workflows.import_file(head | {"steps": steps}, publish=True)
    run_id = runs.start(company.olivia, "jobs", "customer", "1")
    gone_on(company, run_id, 5)
    assert company.told(run_id)["current"]["step"] == stands
    return run_id


def gone_on(company: Company, run_id: str, amount: int, **more: Any) -> dict[str, Any]:
    """The run after its first step was handed in, and workers have done what they can."""
    told = company.told(run_id)
    values = {"amount": amount} if told["current"]["step"] == "look" else {}
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step=told["current"]["step"], revision=told["revision"], values=values, **more),
    )
    worked(company)
    return company.told(run_id)


def worked(company: Company) -> None:
    """Workers have done what they can."""
    for _ in range(4):
        company.work()


def both(each: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return (each, PAYING, step("other", "output", "after", {"values": {"n": "1"}}))


def test_the_preview_names_what_branches_did(company: Company, provider: Provider) -> None:
    run_id = begun(company, *both(PARALLEL))
    told = runs.preview(company.olivia, run_id, "look").json["effects_done"]
    assert [(each["step"], each["summary"], each["compensation"]) for each in told] == [
        ("each", "Pay through the provider", None)
    ]
    assert [each["summary"] for each in runs.abort_preview(company.olivia, run_id).json["effects_done"]] == [
        "Pay through the provider"
    ]
    assert provider.payments == [5]


@pytest.mark.parametrize(("amount", "offered"), [(5, ["keep", "again"]), (7, ["again"])])
def test_a_payment_of_a_branch_is_made_again_only_if_a_person_says_so(
    company: Company, provider: Provider, amount: int, offered: list[str]
) -> None:
    run_id = begun(company, *both(PARALLEL))
    back(company, run_id, "look")
    told = gone_on(company, run_id, amount)
    assert (told["status"], told["current"]["step"], told["current"]["take_over"]["code"]) == (
        "waiting_person",
        "each",
        "already_done",
    )
    with pytest.raises(Conflict) as asked:
        gone_on(company, run_id, amount)
    assert (asked.value.code, [each["value"] for each in asked.value.details]) == ("already_done", offered)
    assert provider.payments == [5]
    if "keep" in offered:
        kept = gone_on(company, run_id, amount, repeat="keep")
        assert (
            kept["current"]["step"],
            provider.payments,
            kept["context"]["each"]["a"]["pay"] is not None,
        ) == ("after", [5], True)
    else:
        with pytest.raises(Invalid):
            gone_on(company, run_id, amount, repeat="again")
        anew = gone_on(company, run_id, amount, repeat="again", reason="Another amount.")
        assert (anew["current"]["step"], provider.payments) == ("after", [5, 7])
    whole(run_id)


def test_a_branch_that_was_cancelled_has_the_other_one_pay_once(company: Company, provider: Provider) -> None:
    """The step is tried again: what its first runs made is not made a second time unasked."""
    run_id = begun(
        company, PARALLEL, PAYING, step("other", "guidance", "after", {"text": "Look."}), stands="each"
    )
    [(other,)] = fetch(
        "select id from /* every run */ console.run where parent = %s and ended_at is null", (run_id,)
    )
    runs.cancel(company.mona, other, revision=None, reason="Not needed.")
    worked(company)
    assert (company.told(run_id)["current"]["take_over"]["code"], provider.payments) == ("child_failed", [5])
    for _ in range(2):
        runs.retry(company.olivia, run_id, revision=None)
        worked(company)
        assert (company.told(run_id)["current"]["take_over"]["code"], provider.payments) == (
            "already_done",
            [5],
        )
    gone_on(company, run_id, 5, repeat="again", reason="Both, please.")
    assert provider.payments == [5, 5]
    whole(run_id)
