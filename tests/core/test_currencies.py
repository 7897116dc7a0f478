"""Amounts in whole and in smallest units, and how a form takes them."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from console.core.currencies import decimals
from console.core.forms import FormField, Wrong, cleaned
from console.formats import Look
from console.views.runs import form_boxes
from tests.tables import cases

LOOK = Look("en", "UTC")


@cases(
    ("code", "places"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XYZ", None), ("", None), (None, None)],
)
def test_each_currency_has_its_decimals(code: str | None, places: int | None) -> None:
    assert decimals(code) == places


@cases(
    ("stored", "code", "typed"),
    [
        (12050, "EUR", "120.50"),
        (-5, "EUR", "-0.05"),
        (120, "JPY", "120"),
        (12005, "KWD", "12.005"),
        (0, "EUR", "0.00"),
        (4900, "XYZ", "4900"),
    ],
)
def test_a_box_takes_whole_units_and_the_record_keeps_the_smallest(
    stored: int, code: str, typed: str
) -> None:
    source = {
        "name": "amount",
        "label": "Amount",
        "type": "integer",
        "widget": "money",
        "minor": True,
        "currency": code,
    }
    box = form_boxes.box(source, LOOK, value=stored)
    assert box.value == typed
    sent = MultiDict({"t.amount": box.marker, "v.amount": typed})
    assert form_boxes.read_form(sent, LOOK) == {"amount": stored}


def test_the_currency_may_be_chosen_in_the_same_form() -> None:
    fields: list[dict[str, Any]] = [
        {
            "name": "amount",
            "label": "Amount",
            "type": "integer",
            "widget": "money",
            "minor": True,
            "currency": "paid_in",
            "value": 4900,
        },
        {"name": "paid_in", "label": "Paid in", "type": "text", "widget": "currency", "value": "EUR"},
    ]
    amount, paid_in = form_boxes.boxes({"fields": fields}, LOOK)
    assert (amount.value, amount.unit, paid_in.control) == ("49.00", "EUR", "select")
    sent = MultiDict(
        {"t.amount": amount.marker, "v.amount": "49", "t.paid_in": paid_in.marker, "v.paid_in": "JPY"}
    )
    assert form_boxes.read_form(sent, LOOK) == {"amount": 49, "paid_in": "JPY"}


@cases(
    ("typed", "code", "reason"),
    [
        ("120.505", "EUR", "An amount in EUR has 2 decimals: write it such as 120.50."),
        ("120.5", "JPY", "An amount in JPY has no decimals: write it such as 120."),
        ("many", "EUR", "This must be an amount such as 120.50: digits, and a point before the decimals."),
        ("1e3", "EUR", "This must be an amount such as 120.50: digits, and a point before the decimals."),
    ],
)
def test_what_is_no_amount_of_the_currency_is_refused_with_a_sentence(
    typed: str, code: str, reason: str
) -> None:
    source = {
        "name": "a",
        "label": "A",
        "type": "integer",
        "widget": "money",
        "minor": True,
        "currency": code,
    }
    marker = form_boxes.box(source, LOOK, value=None).marker
    value = form_boxes.read_form(MultiDict({"t.a": marker, "v.a": typed}), LOOK)["a"]
    with pytest.raises(Wrong, match=reason.replace("(", r"\(")):
        cleaned(FormField("a", "A", "integer", minor=True, currency=code), value)


@cases(
    ("typed", "code", "kept"),
    [
        ("12,500", "JPY", "12500"),
        ("1,234,567.50", "EUR", "1234567.50"),
        ("12,50", "EUR", None),
        ("1,2345", "EUR", None),
        ("12,500", "KWD", None),
    ],
)
def test_thousands_are_typed_as_they_are_shown_where_the_comma_can_mean_nothing_else(
    typed: str, code: str, kept: str | None
) -> None:
    field = FormField("a", "A", "decimal", currency=code)
    if kept is None:
        with pytest.raises(Wrong, match="must be an amount such as"):
            cleaned(field, typed)
        return
    assert cleaned(field, typed) == kept
    source = {
        "name": "a",
        "label": "A",
        "type": "integer",
        "widget": "money",
        "minor": True,
        "currency": code,
    }
    marker = form_boxes.box(source, LOOK, value=None).marker
    value = form_boxes.read_form(MultiDict({"t.a": marker, "v.a": typed}), LOOK)["a"]
    assert value == round(float(kept) * 10 ** (decimals(code) or 0))
