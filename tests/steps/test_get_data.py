"""Get data: what was read is shown, kept for later steps, and what may not be read is named."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.steps.base import Read
from console.steps.get_data import GetDataConfig
from tests.steps.walk import complete, context, prepare, rows, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"fields": ["name"]}

CONFIG: dict[str, Any] = {
    "fields": ["name", "tax_id"],
    "related": [
        {
            "name": "accounts",
            "relation": "account",
            "fields": ["iban"],
            "where": 'record.status == "open"',
            "sort": "-opened_at",
            "limit": 5,
        },
        {"name": "country", "relation": "residence", "fields": ["level"], "one": True},
        {"name": "last", "relation": "assessment", "fields": ["score"], "one": True, "hidden": True},
    ],
    "text": "{{ steps.here.record.name }} lives in a {{ steps.here.country.level }} country",
}
READS = {
    "record": rows({"name": "Ana"}, denied=("tax_id",)),
    "accounts": rows({"iban": "LT1"}, {"iban": "LT2"}),
    "country": rows({"level": "low"}),
    "last": rows(),
}


def test_it_asks_for_the_record_and_each_relation() -> None:
    assert steps.get("get_data").reads(view("get_data", CONFIG)) == [
        Read("record", None, ("name", "tax_id")),
        Read("accounts", "account", ("iban",), 'record.status == "open"', "-opened_at", 5),
        Read("country", "residence", ("level",), None, None, 1),
        Read("last", "assessment", ("score",), None, None, 1),
    ]


def test_tables_are_shown_and_what_is_not_permitted_is_named() -> None:
    prompt = prepare("get_data", CONFIG, context(READS))
    assert prompt.tables == ("record", "accounts", "country")
    assert (
        prompt.text == "Ana lives in a low country\n\nNot there any more, or not permitted for you: `tax_id`."
    )
    assert prompt.fields == ()


def test_what_was_read_is_the_output() -> None:
    done = complete("get_data", CONFIG, context(READS))
    assert done.values == {}
    assert done.output == {
        "record": {"name": "Ana"},
        "accounts": [{"iban": "LT1"}, {"iban": "LT2"}],
        "country": {"level": "low"},
        "last": None,
        "not_permitted": ["tax_id"],
    }


def test_a_relation_whose_fields_are_not_permitted_is_named_with_it() -> None:
    done = complete(
        "get_data", {"related": [CONFIG["related"][0]]}, context({"accounts": rows(denied=("iban",))})
    )
    assert done.output == {"accounts": [], "not_permitted": ["accounts.iban"]}


@cases(
    "config",
    [
        {},
        {"fields": []},
        {"related": [{"name": "record", "relation": "r", "fields": ["x"]}]},
        {
            "related": [
                {"name": "a", "relation": "r", "fields": ["x"]},
                {"name": "a", "relation": "s", "fields": ["y"]},
            ]
        },
        {"related": [{"name": "a", "relation": "r", "fields": []}]},
        {"related": [{"name": "a", "relation": "r", "fields": ["x"], "limit": 1000}]},
    ],
)
def test_settings_that_read_nothing_or_twice_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GetDataConfig.model_validate(config)
