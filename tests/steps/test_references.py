"""A step that changes a column which names a record by a number."""

from console import runs, workflows
from console.auth import access
from tests.company import Company
from tests.support.engine import step


def opened(company: Company) -> str:
    """A run on an account, at the step that may change its customer and status."""
    access.grant("operator", "collection:account", ["browse", "read", "update"], team="operations")
    change = step("change", "update_data", "end", {"fields": ["customer_id", "status"]})
    document = {
        "format": 1,
        "slug": "accounts",
        "title": "Accounts",
        "collection": "account",
        "team": "operations",
        "roles": ["operator"],
    }
    workflows.import_file(
        {**document, "steps": [step("start", "start", "change"), change, step("end", "end", None)]},
        publish=True,
    )
    return runs.start(company.olivia, "accounts", "account", "LT459999900012345678", {})


def customer(company: Company) -> object:
    (found,) = company.sql("select customer_id from account where iban = 'LT459999900012345678'")
    return found[0]


def test_a_reference_that_is_left_as_it_is_stops_nobody(company: Company) -> None:
    run_id = opened(company)
    company.answer(run_id, customer_id=1, status="closed")
    assert (customer(company), company.told(run_id)["status"]) == (1, "completed")
    assert company.sql("select status from account where iban = 'LT459999900012345678'") == [("closed",)]


def test_a_reference_is_changed_by_its_key_as_it_is_typed(company: Company) -> None:
    company.answer(opened(company), customer_id="2", status="open")
    assert customer(company) == 2
