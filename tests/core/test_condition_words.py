"""Conditions as rows and in words: amounts say in which currency they are compared."""

from dataclasses import replace
from typing import Any

from console.core import expressions
from console.core.documents import condition_words
from console.core.documents.collections import Collection
from tests.core.test_collections import column, one
from tests.tables import cases

STEPS = {"start": {"id": "start", "type": "start", "title": "Start"}}


def charges() -> Collection:
    columns = [column("currency"), *(column(name, "integer") for name in ("amount", "worth", "paid"))]
    money: dict[str, Any] = {"widget": "money"}
    fields = {
        "amount": money | {"minor": True, "currency": "currency"},
        "worth": money | {"minor": True, "currency": "EUR"},
        "paid": money | {"currency": "currency"},
    }
    return one(*columns, document={"fields": fields})


@cases(
    ("text", "words"),
    [
        ("record.amount > minor(500, record.currency)", "Amount is more than 500 in its own currency"),
        ("record.worth > 50000", "Worth is more than 500 EUR"),
        ("record.paid >= 12.5", "Paid is at least 12.5 in its own currency"),
        ("record.amount == null", "Amount is empty"),
        (
            'record.amount > minor(500, record.currency) && record.currency == "EUR"',
            "Amount is more than 500 in its own currency and Currency is EUR",
        ),
        ("record.amount > minor(500, record.worth)", ""),
        ("record.worth > minor(500, record.currency)", ""),
        ("record.amount > minor(500, 2)", ""),
    ],
)
def test_a_condition_on_an_amount_says_its_currency(text: str, words: str) -> None:
    assert condition_words.spoken(text, charges(), STEPS) == words


def test_an_amount_is_compared_in_whole_units_of_its_own_currency() -> None:
    condition = expressions.parse("record.amount > minor(500, record.currency)")
    above = {("EUR", 50_001), ("JPY", 501), ("KWD", 500_001)}
    below = {("EUR", 50_000), ("JPY", 500), ("KWD", 500_000), ("no currency", 900_000)}
    held = {
        (code, amount) for code, amount in above | below if condition.evaluate({"record": {"currency": code, "amount": amount}}) is True
    }
    assert held == above


def test_a_row_counts_an_amount_of_its_own_currency_in_whole_units() -> None:
    known = condition_words.compared({"steps": [STEPS["start"]]}, charges(), {})
    told = {path: (each.kind, each.currency) for path, each in known.items()}
    assert told["record.amount"] == ("amount", "record.currency")
    assert told["record.worth"] == ("number", "EUR")
    found = condition_words.rows("record.amount > minor(500, record.currency)", known)
    assert found is not None
    assert [(row.field, row.comparison, row.value) for row in found.rows] == [("record.amount", ">", "500")]


def test_a_condition_calls_records_by_their_names_and_a_row_keeps_the_key() -> None:
    path = "record.customer_id"
    known = condition_words.compared({"steps": [STEPS["start"]]}, one(column("customer_id", "integer")), {})
    named = known | {path: replace(known[path], references="customer", options=[("7", "Byrne, Declan"), ("8", "Byrne, Declan")])}
    for text, words in (
        (f"{path} == 8", "is Byrne, Declan"),
        (f"{path} != 9", "is not 9"),
        (f"{path} in [7, 9]", "is one of Byrne, Declan, 9"),
    ):
        assert condition_words.sentence(text, named).endswith(words)
        found = condition_words.rows(text, named)
        assert found is not None
        assert found.rows[0].value in ("8", "9", "7, 9"), "two of one name are told apart by it"
