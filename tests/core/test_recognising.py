"""What the console makes of foreign columns by itself: forms of values, secrets, names of records, join tables."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.core.documents.collections import Collection, Stored, assemble, field_guesses, one_of
from console.records import sampling
from tests.core.test_collections import column, one
from tests.tables import cases


@cases(
    ("name", "values", "form"),
    [
        ("contact", ["a@x.example", "b@y.example"], "email"),
        ("contact", ["a@x.example", "nobody"], None),
        ("call", ["+49 30 1234567", "+1 (212) 555-0100"], "phone"),
        ("site", ["https://x.example/a?b=1"], "url"),
        ("logo", ["https://x.example/a.png", "https://x.example/b.JPG?v=2"], "picture"),
        ("tint", ["#fff", "#A0b1C2"], "colour"),
        ("home", ["DE", "FR"], "alpha2"),
        ("pw", ["$2b$12$abcdefghijklmnopqrstuv"], "secret"),
        ("pw", ["pbkdf2_sha256$260000$abc$def="], "secret"),
        ("x", ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"], "secret"),
        ("x", ["-----BEGIN RSA PRIVATE KEY-----\nMII"], "secret"),
        ("discount", [0, 0.25, 0.5], "fraction"),
        ("discount", [0, 5, 10], None),
        ("tax_rate", [0.07, 0.19], "fraction"),
        ("exchange_rate", [0.92, 0.87], None),
        ("bonus_pct", [0, 12.5, 100], "percent"),
        ("n", [0.1, 0.2], None),
        ("route", ["[[59.9, 10.7]]", '{"a": 1}'], "json"),
        ("note", ["[draft] to do", "[]"], None),
        ("n", [], None),
        ("ref", ["6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"], "uuid"),
        ("ref", ["6f1c3cbe3c0f4b528f1e3c0f4b528f1e"], "uuid"),
        ("telefon", [600_700_000 + one for one in range(6)], None),
        ("state", ["open", "closed"] * 5, "states"),
        ("state", ["open", "closed"], None),
        ("state", [f"s{number}" for number in range(20)], None),
    ],
)
def test_the_form_of_a_sample(name: str, values: list[Any], form: str | None) -> None:
    assert field_guesses.form_of(values, name) == form


@cases(
    ("name", "more", "kind", "widget"),
    [
        ("contact", {"form": "email"}, "email", None),
        ("logo", {"form": "picture"}, "url", None),
        ("tint", {"form": "colour"}, "text", "colour"),
        ("order_status", {"form": "states"}, "text", "badge"),
        ("city", {"form": "states"}, "text", None),
        ("failureReason", {"form": "states"}, "text", "word"),
        ("image_name", {"form": "states"}, "text", None),
        ("home_country", {"form": "alpha2", "max_length": 40}, "text", "country"),
        ("country_id", {"form": "alpha2", "max_length": 255}, "text", "country"),
        ("unit_price", {"stored": "decimal", "scale": 2}, "money", None),
        ("price_count", {"stored": "integer"}, "integer", None),
        ("tax_rate", {"stored": "decimal", "scale": 4}, "decimal", None),
        ("discount", {"stored": "decimal", "form": "fraction"}, "decimal", "fraction"),
        ("vat", {"stored": "decimal", "form": "fraction"}, "decimal", "fraction"),
        ("meta", {"native": "json"}, "text", "json"),
        ("meta", {"form": "json"}, "text", "json"),
        ("homePhone", {}, "phone", None),
        ("cleared_by", {"form": "states"}, "text", "person"),
        ("standby", {}, "text", None),
    ],
)
def test_how_a_column_is_shown_by_itself(
    name: str, more: dict[str, Any], kind: str, widget: str | None
) -> None:
    found = one(column(name) | more).by_name[name]
    assert (found.type, found.widget) == (kind, widget)


def test_an_amount_stands_with_the_currency_of_its_table() -> None:
    made = one(column("amount_cents", "integer"), column("total", "decimal"), column("currency"))
    amount, total = made.by_name["amount_cents"], made.by_name["total"]
    assert (amount.label, amount.widget, amount.currency, amount.minor) == (
        "Amount",
        "money",
        "currency",
        True,
    )
    assert (total.type, total.widget, total.currency, total.minor) == ("money", "money", "currency", False)


@pytest.mark.parametrize(
    "document",
    [{"fields": {"token": {"hidden": False}}}, {"columns": ["token"]}, {"title": "{{ record.token }}"}],
)
def test_a_secret_is_shown_where_somebody_says_so(document: dict[str, Any]) -> None:
    assert not one(column("token"), document=document).by_name["token"].hidden


@cases(
    ("columns", "title"),
    [
        (
            [column("last_name"), column("first_name"), column("title")],
            "{{ record.first_name }} {{ record.last_name }}",
        ),
        ([column("FirstName"), column("Surname")], "{{ record.FirstName }} {{ record.Surname }}"),
        ([column("first_name"), column("last_name"), column("full_name")], "{{ record.full_name }}"),
        ([column("title") | {"repeats": True}, column("thing_name")], "{{ record.thing_name }}"),
        ([column("city"), column("invoice_no")], "{{ record.invoice_no }}"),
        ([column("postal_code"), column("thing")], "{{ record.thing }}"),
        ([column("thing", long=True), column("thing_no")], "{{ record.thing_no }}"),
        ([column("street"), column("zip_code"), column("country_code")], "{{ record.street }}"),
        ([column("status") | {"form": "states"}], "Thing {{ record.id }}"),
        ([column("description") | {"repeats": True}, column("email")], "{{ record.email }}"),
        (
            [column("status") | {"repeats": True}, column("billing_email"), column("ip_address")],
            "Thing {{ record.id }}",
        ),
        ([column("total_amount")], "Thing {{ record.id }}"),
        ([column("transaction_id")], "Thing {{ record.id }}"),
    ],
)
def test_what_names_a_record(columns: list[dict[str, Any]], title: str) -> None:
    assert one(*columns).title == title


@cases(
    ("label", "single"),
    [
        ("Orders", "Order"),
        ("Categories", "Category"),
        ("Addresses", "Address"),
        ("Boxes", "Box"),
        ("Status", "Status"),
        ("Gas", "Gas"),
        ("News", "News"),
        ("Order details", "Order detail"),
        *((word, word) for word in ("Praxis", "Virus", "Preis", "Anlass", "Haus", "Verzeichnis")),
        *(
            (word, word)
            for word in (
                "Series",
                "TV series",
                "Species",
                "Lens",
                "Canvas",
                "Analysis",
                "Headquarters",
                "GPS",
                "Offene Kurse",
            )
        ),
        ("Analyses", "Analysis"),
        ("Statuses", "Status"),
        ("Viruses", "Virus"),
        ("Lab diagnoses", "Lab diagnosis"),
        ("Movies", "Movie"),
        ("Caches", "Cache"),
        ("Wp postmeta shelves", "Wp postmeta shelf"),
        ("Houses", "House"),
        ("Databases", "Database"),
        ("Tours", "Tour"),
        ("Funds", "Fund"),
        ("Payments", "Payment"),
        ("Sociétés", "Société"),
        ("Heroes", "Hero"),
    ],
)
def test_one_of_many(label: str, single: str) -> None:
    assert one_of(label) == single


def assembled(*structures: dict[str, Any]) -> dict[str, Collection]:
    return assemble([Stored(made["table"], "x", made, {}, place) for place, made in enumerate(structures)])


@cases(
    ("name", "label", "minor"),
    [
        ("gross_cents", "Gross", True),
        ("unit_cents", "Unit", True),
        ("Salary (cents)", "Salary", True),
        ("priceCents", "Price", True),
        ("amount_minor", "Amount", True),
        ("per_cent", "Per cent", False),
        ("cents_count", "Cents count", False),
        ("minor_version", "Minor version", False),
        ("scents", "Scents", False),
    ],
)
def test_a_name_that_says_cents_is_an_amount_without_them(name: str, label: str, minor: bool) -> None:
    found = one(column(name, "integer")).by_name[name]
    assert (found.label, found.minor, found.widget == "money") == (label, minor, minor)


@cases(
    ("stored", "values", "type_", "kept"),
    [
        ("datetime", [datetime(2026, 5, day) for day in range(1, 7)], "date", "date"),  # noqa: DTZ001 - without a zone on purpose
        ("datetime", [f"2026-05-0{day} 00:00:00" for day in range(1, 7)], "date", "date"),
        (
            "datetime",
            [*(f"2026-05-0{day}T00:00:00.000" for day in range(1, 7)), "2026-05-07T00:00:01"],
            "datetime",
            "datetime",
        ),
        ("datetime", [datetime(2026, 5, day, tzinfo=UTC) for day in range(1, 7)], "datetime", "datetime"),
        ("datetime", [datetime(2026, 5, 1)], "datetime", "datetime"),  # noqa: DTZ001 - without a zone on purpose
    ],
)
def test_moments_without_a_zone_that_are_all_midnight_are_days(
    stored: str, values: list[Any], type_: str, kept: str
) -> None:
    due = column("due", stored)
    sampling.note(due, values)
    shown = one(due).by_name["due"]
    assert (shown.type, shown.stored) == (type_, kept)
    assert one(due, document={"fields": {"due": {"type": "datetime"}}}).by_name["due"].stored == "datetime", (
        "a document decides"
    )
