"""Conditions on amounts as rows: compared in whole units of their currency."""

from typing import Any

from console.core import expressions
from console.core.documents import condition_words
from console.core.documents.collections import Collection, condition_rows
from tests.core.test_collections import column, one

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


def test_an_amount_is_compared_in_whole_units_of_its_own_currency() -> None:
    condition = expressions.parse("record.amount > minor(500, record.currency)")
    above = {("EUR", 50_001), ("JPY", 501), ("KWD", 500_001)}
    below = {("EUR", 50_000), ("JPY", 500), ("KWD", 500_000), ("no currency", 900_000)}
    held = {
        (code, amount)
        for code, amount in above | below
        if condition.evaluate({"record": {"currency": code, "amount": amount}}) is True
    }
    assert held == above


def test_a_row_counts_an_amount_of_its_own_currency_in_whole_units() -> None:
    known = condition_words.compared({"steps": [STEPS["start"]]}, charges(), {})
    fields = condition_rows.every_field(known)
    told = {
        path: (condition_rows.kind_of(each), condition_rows.currency_path(path, each))
        for path, each in fields.items()
    }
    assert told["record.amount"] == ("amount", "record.currency")
    assert told["record.worth"] == ("number", "")
    units = {path: condition_rows.unit_of(path, each) for path, each in fields.items()}
    assert (units["record.worth"], units["record.paid"]) == ("EUR", "record.currency")
    assert condition_words.sentence("record.worth > 50000", fields) == "Worth is more than 500 EUR"
    assert (
        condition_words.sentence("record.paid > 500", fields) == "Paid is more than 500 in its own currency"
    )
    found = condition_words.rows("record.amount > minor(500, record.currency)", known)
    assert found is not None
    assert [(row.field, row.comparison, row.value) for row in found.rows] == [("record.amount", ">", "500")]
