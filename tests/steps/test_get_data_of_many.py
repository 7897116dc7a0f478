"""Get data of many: relations and whole collections, narrowed by what the run knows, with totals; all under the reader's rights."""

from dataclasses import replace
from typing import Any

import pytest

from console import records, runs, workflows
from console.auth.access import Row
from console.core.errors import Malformed, NotFound
from console.core.scopes import unrestricted
from console.records import Figure
from tests.company import Company
from tests.runs.commands.test_midway import denied, ruled

SAME_DESK = {
    "name": "alike",
    "collection": "customer",
    "fields": ["display_name", "balance"],
    "where": "record.desk == steps.own.record.desk && record.balance != null && record.id != steps.own.record.id",
    "sort": "-balance",
    "limit": 1,
    "totals": [
        {"name": "how_many", "function": "count"},
        {"name": "together", "label": "Balances", "function": "sum", "field": "balance"},
        {"name": "richest", "function": "max", "field": "balance"},
    ],
}
ACCOUNTS = {
    "name": "accounts",
    "relation": "account",
    "where": "record.status in variables.live",
    "totals": [{"name": "live_accounts", "function": "count"}],
}


def document(*related: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "slug": "care-many",
        "title": "Care many",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
        "variables": {"live": ["open"]},
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "next": {"default": "own"}},
            {
                "id": "own",
                "type": "get_data",
                "title": "Own",
                "completion": "automatic",
                "config": {"fields": ["id", "desk"]},
                "next": {"default": "many"},
            },
            {
                "id": "many",
                "type": "get_data",
                "title": "Many",
                "config": {"related": list(related)},
                "next": {"default": "done"},
            },
            {"id": "done", "type": "end", "title": "Done"},
        ],
    }


def at_many(company: Company, *related: dict[str, Any], by: str = "olivia") -> str:
    workflows.import_file(document(*related), publish=True)
    return runs.start(company.people[by], "care-many", "customer", "1", {})


def left(company: Company, run_id: str) -> dict[str, Any]:
    """What the step leaves for later ones."""
    told = company.told(run_id)
    runs.complete(company.olivia, run_id, runs.Submission(step="many", revision=told["revision"], values={}))
    context: dict[str, Any] = company.told(run_id)["context"]["many"]
    return context


def test_rows_and_totals_of_a_collection_and_of_a_relation(company: Company) -> None:
    company.sql(
        "insert into customer (id, display_name, desk, balance) values (5, 'Fifth', 'retail', 0.10), (6, 'Sixth', 'retail', 0.20)"
    )
    run_id = at_many(company, SAME_DESK, ACCOUNTS)
    screen = runs.get(company.olivia, run_id).screen
    assert screen is not None
    assert [(table["name"], len(table["rows"]), table["more"]) for table in screen["tables"]] == [
        ("alike", 1, True),
        ("alike.totals", 1, False),
        ("accounts.totals", 1, False),
    ]
    assert screen["tables"][1]["label"] == "Customers, all together"
    assert [(one["name"], one["label"]) for one in screen["tables"][1]["columns"]] == [
        ("how_many", "How many"),
        ("together", "Balances"),
        ("richest", "Richest"),
    ]
    assert left(company, run_id) == {
        "alike": [{"display_name": "Sixth", "balance": "0.20"}],
        "how_many": 3,
        "together": "0.30",
        "richest": "0.20",
        "live_accounts": 1,
    }


def test_nothing_is_0_in_a_count_and_a_sum_and_null_at_the_top(company: Company) -> None:
    run_id = at_many(
        company,
        {**SAME_DESK, "where": "record.display_name == 'Nobody'"},
        {**ACCOUNTS, "where": "record.status == steps.own.missing"},
    )
    assert left(company, run_id) == {
        "alike": [],
        "how_many": 0,
        "together": "0.00",
        "richest": None,
        "live_accounts": 0,
    }


def test_totals_are_of_what_the_reader_may_see(company: Company) -> None:
    everybody = {**SAME_DESK, "where": None}
    narrowed = Row(
        "p",
        f"user:{company.olivia.id}",
        "*",
        "collection:customer",
        "read",
        "deny",
        "record.desk == 'corporate'",
    )
    with ruled(narrowed, denied(company.olivia.id, "collection:account", "read")):
        run_id = at_many(company, everybody, ACCOUNTS)
        assert company.told(run_id)["current"]["step"] == "many"
        found = left(company, run_id)
    assert (found["how_many"], found["together"], found["live_accounts"]) == (3, "12.50", None)
    assert found["not_permitted"] == ["accounts.account"]


def test_a_field_that_may_not_be_read_is_neither_reckoned_with_nor_filtered_by(company: Company) -> None:
    by_desk = {**SAME_DESK, "name": "open", "where": "record.desk == 'retail'", "sort": "id"}
    guessed = {**SAME_DESK, "sort": "id", "totals": [{"name": "guessed", "function": "count"}]}
    run_id = at_many(company, by_desk, guessed)
    with ruled(denied(company.olivia.id, "field:customer/balance", "read")):
        screen = runs.get(company.olivia, run_id).screen
        found = left(company, run_id)
    assert screen is not None
    assert [one["name"] for one in screen["tables"][1]["columns"]] == ["how_many"]
    assert found == {
        "open": [{"display_name": "Adaeze Okonkwo-Bell"}],
        "how_many": 3,
        "together": None,
        "richest": None,
        "alike": [],
        "guessed": None,
        "not_permitted": ["open.balance", "open.together", "open.richest", "alike.balance"],
    }


def test_what_cannot_be_reckoned_with_is_refused(company: Company) -> None:
    scope = unrestricted("customer")
    for figure in (
        Figure("x", "sum", "display_name"),
        Figure("x", "max", "display_name"),
        Figure("x", "sum", "gone"),
    ):
        with pytest.raises(Malformed):
            records.totals("customer", scope, [figure])
    with pytest.raises(Malformed, match="no field balance in Customers that you may read"):
        records.totals(
            "customer", replace(scope, hidden=frozenset({"balance"})), [Figure("x", "sum", "balance")]
        )
    with pytest.raises(NotFound):
        records.totals("account", scope, [Figure("n", "count")], led_from=("customer", "1", "nowhere"))


@pytest.mark.parametrize(
    ("related", "place", "said"),
    [
        ({**SAME_DESK, "collection": "customers"}, "collection", "There is no collection customers"),
        ({**SAME_DESK, "fields": ["nam"]}, "fields[0]", "Customers has no field nam"),
        (
            {**SAME_DESK, "totals": [{"name": "x", "function": "sum", "field": "desk"}]},
            "totals[0].field",
            "desk is no number",
        ),
        ({**SAME_DESK, "where": "record.dsk == 1"}, "where", "Customers has no field dsk: is desk meant?"),
        ({**SAME_DESK, "where": "record.id == steps.own.recrd.id"}, "where", "The step own gives no recrd"),
        ({**SAME_DESK, "relation": "account"}, "", "Name a relation or a collection, one of the two."),
        ({"name": "x", "collection": "customer"}, "", "Nothing is read: name fields or totals."),
        ({**ACCOUNTS, "one": True}, "", "One reads a record: name its fields."),
        (
            {**SAME_DESK, "totals": [{"name": "x", "function": "count", "field": "id"}]},
            "totals[0]",
            "Count takes no field.",
        ),
        ({**SAME_DESK, "totals": [{"name": "x", "function": "max"}]}, "totals[0]", "Max needs the field."),
        (
            {**SAME_DESK, "totals": [{"name": "alike", "function": "count"}]},
            None,
            "Related reads and totals need names of their own",
        ),
    ],
)
def test_what_cannot_be_read_is_said_by_the_check(
    company: Company, related: dict[str, Any], place: str | None, said: str
) -> None:
    field = "config" if place is None else f"config.related[0].{place}".rstrip(".")
    problems = workflows.check(document(related), workflows.connected())
    assert [problem for problem in problems if problem.field == field and said in problem.reason], problems
