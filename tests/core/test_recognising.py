"""What the console makes of foreign columns by itself: forms of values, secrets, names of records, join tables."""

from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import pytest

from console.core import plain_words
from console.core.documents.collections import Collection, Stored, assemble, one_of, recognising
from console.core.plain_words import humanised
from console.records import sampling
from tests.core.test_collections import column, one, structure
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
    assert recognising.form_of(values, name) == form


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
def test_how_a_column_is_shown_by_itself(name: str, more: dict[str, Any], kind: str, widget: str | None) -> None:
    found = one(column(name) | more).by_name[name]
    assert (found.type, found.widget) == (kind, widget)


def test_a_record_is_called_by_its_number_and_by_its_key_only_where_the_list_shows_it() -> None:
    columns = [column("display_name"), column("postal_code"), column("customer_no"), column("desk")]
    listed = {"title": "{{ record.display_name }}", "columns": ["postal_code", "customer_no", "display_name", "desk"]}
    values = {"id": 518, "postal_code": "12209", "display_name": "Ada", "customer_no": "C-10518", "desk": "retail"}
    assert one(*columns, document=listed).number_of(values) == "C-10518"
    assert one(*columns, document=listed | {"columns": ["display_name", "desk"]}).number_of(values) == ""
    assert one(*columns, document=listed | {"columns": ["id", "display_name"]}).number_of(values) == "518"
    assert one(*columns, document=listed).number_of({"id": 518}) == "", "of a masked number nothing is said"


def test_the_number_of_another_record_is_not_the_records_own() -> None:
    led = {"columns": ["port", "berth_no"], "schema": None, "table": "berth", "target": ["port", "no"]}
    berth = structure("berth", column("port"), column("no", "integer"), key=("port", "no"))
    call = structure("call", column("id", "integer"), column("port"), column("berth_no", "integer"), foreign_keys=[led])
    assert assembled(berth, call)["call"].number_of({"id": 7, "port": "LTKLJ", "berth_no": 2}) == "7"


def test_a_moment_is_no_number_by_which_a_record_is_called() -> None:
    made = one(column("name"), column("last_login", "datetime"), document={"columns": ["name", "last_login"]})
    assert made.number_of({"name": "Ada", "last_login": "2026-11-01T00:00:00Z"}) == ""


def test_a_title_has_the_ends_of_random_signs() -> None:
    made = assembled(structure("stock", column("place", "binary"), column("no", "integer"), key=("place", "no")))["stock"]
    assert made.title_of({"place": "05b9dec0b0b142668273b5262b1077a5", "no": 1}, None) == "Place 05b9dec0…77a5, number 1"
    assert made.title_of({"place": "05b9", "no": 1}, None) == "Place 05b9, number 1"
    made = assembled(structure("case", column("id", "uuid")))["case"]
    assert made.title_of({"id": "003ede56-9e09-40dd-b581-cd84a075e150"}, None) == "Case 003ede56…e150"


def test_an_amount_in_cents_is_money_where_no_column_names_the_currency() -> None:
    balance = one(column("balance_cents", "integer")).by_name["balance_cents"]
    assert (balance.label, balance.widget, balance.currency, balance.minor) == ("Balance", "money", None, True)


@cases(
    ("columns", "title"),
    [
        ([column("reason") | {"repeats": True}, column("starts_at", "datetime", nullable=False)], "Thing {{ record.starts_at }}"),
        ([column("created_at", "datetime", nullable=False)], "Thing {{ record.id }}"),
        ([column("protect_no") | {"form": "uuid"}], "Thing {{ record.id }}"),
        ([column("reason", nullable=False)], "{{ record.reason }}"),
    ],
)
def test_random_signs_name_no_record_where_anything_else_can(columns: list[dict[str, Any]], title: str) -> None:
    made = assembled(structure("thing", column("id") | {"form": "uuid"}, *columns))["thing"]
    assert (made.title, "id" in made.columns) == (title, False)


@cases(
    ("at", "zone", "title"),
    [
        ("2026-06-01T04:00:00Z", None, "At 1 Jun 2026, 04:00 UTC, sensor 2"),
        ("2026-06-01T23:00:00.25Z", "Europe/Vilnius", "At 2 Jun 2026, 02:00, sensor 2"),
        ("9999-12-31T23:59:59Z", "Europe/Vilnius", "At 31 Dec 9999, 23:59 UTC, sensor 2"),
        ("2026-06-01T04:00:31.5", "Europe/Vilnius", "At 1 Jun 2026, 04:00, sensor 2"),
        ("0044-01-01T00:00:00+02:00", None, "At 1 Jan 44, sensor 2"),
        ("infinity", "Europe/Vilnius", "At infinity, sensor 2"),
    ],
)
def test_a_moment_that_tells_records_apart_keeps_its_time_on_the_clock_of_who_reads(
    at: str, zone: str | None, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_words, "READER_ZONE", ContextVar("reader_zone", default=zone))
    made = assembled(structure("reading", column("at", "datetime"), column("sensor", "integer"), key=("at", "sensor")))["reading"]
    assert made.title_of({"at": at, "sensor": 2}, None) == title


def test_what_says_that_a_table_is_one_is_no_part_of_its_name() -> None:
    assert [assembled(structure(name, column("id", "integer")))[name].label for name in ("tbl-Article", "tbl_staff", "vwSales", "Tbl_Arzt", "T_Kunde", "t_01")] == [
        "Article", "Staff", "Sales", "Arzt", "Kunde", "T 01"
    ]  # fmt: skip


def test_an_amount_stands_with_the_currency_of_its_table() -> None:
    made = one(column("amount_cents", "integer"), column("total", "decimal"), column("currency"))
    amount, total = made.by_name["amount_cents"], made.by_name["total"]
    assert (amount.label, amount.widget, amount.currency, amount.minor) == ("Amount", "money", "currency", True)
    assert (total.type, total.widget, total.currency, total.minor) == ("money", "money", "currency", False)


@pytest.mark.parametrize("document", [{"fields": {"token": {"hidden": False}}}, {"columns": ["token"]}, {"title": "{{ record.token }}"}])
def test_a_secret_is_shown_where_somebody_says_so(document: dict[str, Any]) -> None:
    assert not one(column("token"), document=document).by_name["token"].hidden


@cases(
    ("columns", "title"),
    [
        ([column("last_name"), column("first_name"), column("title")], "{{ record.first_name }} {{ record.last_name }}"),
        ([column("FirstName"), column("Surname")], "{{ record.FirstName }} {{ record.Surname }}"),
        ([column("first_name"), column("last_name"), column("full_name")], "{{ record.full_name }}"),
        ([column("title") | {"repeats": True}, column("thing_name")], "{{ record.thing_name }}"),
        ([column("city"), column("invoice_no")], "{{ record.invoice_no }}"),
        ([column("postal_code"), column("thing")], "{{ record.thing }}"),
        ([column("thing", long=True), column("thing_no")], "{{ record.thing_no }}"),
        ([column("street"), column("zip_code"), column("country_code")], "{{ record.street }}"),
        ([column("status") | {"form": "states"}], "Thing {{ record.id }}"),
        ([column("description") | {"repeats": True}, column("email")], "{{ record.email }}"),
        ([column("status") | {"repeats": True}, column("billing_email"), column("ip_address")], "Thing {{ record.id }}"),
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
        *((word, word) for word in ("Series", "TV series", "Species", "Lens", "Canvas", "Analysis", "Headquarters", "GPS", "Offene Kurse")),
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
    ("places", "labels"),
    [
        ([("shop", None, "customer"), ("depot", None, "customer")], ["Customer (Shop)", "Customer (Depot)"]),
        ([("shop", None, "customers"), ("depot", None, "customer")], ["Customers (Shop)", "Customer (Depot)"]),
        ([("shop", "sales", "customer"), ("shop", "old archive", "customer")], ["Customer (Sales)", "Customer (Old archive)"]),
        ([("shop", "sales", "staff"), ("shop", "sales", "tbl_staff")], ["Staff (staff)", "Staff (tbl_staff)"]),
        (
            [("shop", None, "customer"), ("depot", "public", "customer"), ("depot", "old", "customer")],
            ["Customer (Shop)", "Customer (Depot, Public)", "Customer (Depot, Old)"],
        ),
        (
            [("a", "x", "staff"), ("a", "x", "tbl_staff"), ("a", "y", "staff"), ("b", None, "staff")],
            ["Staff (A, X, staff)", "Staff (A, X, tbl_staff)", "Staff (A, Y)", "Staff (B)"],
        ),
        ([("shop", None, "order"), ("shop", None, "orders")], ["Order", "Orders"]),
        ([("shop", None, "customer"), ("depot", None, "order")], ["Customer", "Order"]),
    ],
)
def test_collections_of_one_name_say_which_is_which(places: list[tuple[str, str | None, str]], labels: list[str]) -> None:
    own = (column("id", "integer"), column("name"))
    kept = [
        Stored(str(number), source, {**structure(table, *own), "schema": schema}, {})
        for number, (source, schema, table) in enumerate(places)
    ]
    made = assemble(kept)
    assert [made[one.id].label for one in kept] == labels
    assert len(set(labels)) == len(labels)
    assert all("(" not in (one.plain_label or one.label) for one in made.values()), "the word alone stands where the source is known"


@cases(
    ("key", "title"),
    [
        (("order_id", "order_line_no"), "Order {{ record.order_id }}, line {{ record.order_line_no }}"),
        (("order_id", "order_no"), "Order ID {{ record.order_id }}, order no {{ record.order_no }}"),
        (("shop_id", "shop_order_id", "line"), "Shop {{ record.shop_id }}, order {{ record.shop_order_id }}, line {{ record.line }}"),
        (("orderNo", "productNo"), "Order {{ record.orderNo }}, product {{ record.productNo }}"),
    ],
)
def test_the_parts_of_a_key_repeat_no_word(key: tuple[str, ...], title: str) -> None:
    assert assembled(structure("part", *(column(name, "integer") for name in key), key=key))["part"].title == title


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
    ("name", "label"),
    [
        ("ean13", "EAN-13"),
        ("product_gtin14", "Product GTIN-14"),
        ("isbn10Code", "ISBN-10 code"),
        ("EAN8", "EAN-8"),
        ("ean", "EAN"),
        ("oceanic13", "Oceanic13"),
        ("pt-BR", "pt-BR"),
        ("de_DE", "de_DE"),
        ("FW-INT-2", "FW-INT-2"),
        ("on-hold", "On hold"),
    ],
)
def test_codes_keep_their_own_spelling(name: str, label: str) -> None:
    assert humanised(name) == label


def test_a_column_that_is_mostly_empty_names_no_record() -> None:
    for values, tells in ((["a", "b", None], True), ([None, None, "a"], False), ([None] * 9, False), ([], True), (["x", None], True)):
        made = column("key")
        sampling.note(made, values)
        assert ("repeats" not in made) is tells, values


def test_the_mark_of_a_table_is_no_part_of_the_words_for_its_columns() -> None:
    names = ("cu_no", "cu_name1", "cu_country", "cu_password", "cu_total", "cu_currency")
    kinds = {"cu_no": "integer", "cu_total": "decimal"}
    columns = [column(name, kinds.get(name, "text")) | ({"max_length": 2} if name == "cu_country" else {}) for name in names]
    made = assembled(structure("customers", *columns, key=("cu_no",)))["customers"]
    assert {item.label for item in made.fields} == {"Number", "Name1", "Country", "Total", "Currency"}
    assert made.title == "{{ record.cu_name1 }}"
    known = {item.name: item for item in made.stored_fields}
    assert (known["cu_country"].widget, known["cu_password"].hidden, known["cu_total"].currency) == ("country", True, "cu_currency")


@cases(
    "names",
    [
        ("is_a", "is_b", "is_c"),
        ("kd_a", "kd_b", "kd_c", "other", "more"),
        ("kd_a", "kd_b", "kd_c", "kd_d", "a"),
        ("number_a", "number_b", "number_c", "number_d"),
    ],
)
def test_words_that_few_columns_share_or_that_tell_them_apart_stay(names: tuple[str, ...]) -> None:
    assert recognising.column_words([column(name) for name in names]) == {name: name for name in names}


@cases(
    ("key", "kinds", "title", "listed"),
    [
        (("sku", "tag"), {"tag": "integer"}, "{{ record.sku }}, tag {{ record.tag }}", ["note"]),
        (("order_no", "line_no", "seq"), {"line_no": "integer", "seq": "integer"}, None, ["note"]),
        (("id", "at"), {"id": "integer", "at": "datetime"}, "Part {{ record.id }}", ["at", "note"]),
    ],
)
def test_a_title_of_the_parts_of_a_key_says_none_of_them_twice(
    key: tuple[str, ...], kinds: dict[str, str], title: str | None, listed: list[str]
) -> None:
    columns = [column(name, kinds.get(name, "text")) for name in (*key, "note")]
    made = assembled(structure("part", *columns, key=key))["part"]
    assert made.title == (title or "{{ record.order_no }}, line {{ record.line_no }}, seq {{ record.seq }}")
    assert list(made.columns) == listed


def test_a_record_whose_text_key_is_empty_is_called_by_its_kind() -> None:
    made = assembled(structure("select", column("from"), key=("from",)))["select"]
    assert made.title_of({"from": ""}, "~WyIiXQ") == "Select"
    assert made.title_of({"from": ""}, "plain") == "Select plain"


@cases(
    ("table", "label"),
    [("v_top_customers", "Top customers"), ("mv_daily", "Daily"), ("MV_DAILY", "Daily"), ("vitals", "Vitals"), ("v8_engine", "V8 engine")],
)
def test_a_view_is_called_by_what_it_shows(table: str, label: str) -> None:
    assert assembled(structure(table, column("id", "integer")))[table].label == label


def test_a_name_beside_a_picture_is_still_a_name() -> None:
    made = assembled(structure("product", column("sku"), column("name 🛒"), key=("sku",)))["product"]
    assert made.title == '{{ record["name 🛒"] }}'


@cases(
    ("stored", "values", "type_", "kept"),
    [
        ("datetime", [datetime(2026, 5, day) for day in range(1, 7)], "date", "date"),  # noqa: DTZ001 - without a zone on purpose
        ("datetime", [f"2026-05-0{day} 00:00:00" for day in range(1, 7)], "date", "date"),
        ("datetime", [*(f"2026-05-0{day}T00:00:00.000" for day in range(1, 7)), "2026-05-07T00:00:01"], "datetime", "datetime"),
        ("datetime", [datetime(2026, 5, day, tzinfo=UTC) for day in range(1, 7)], "datetime", "datetime"),
        ("datetime", [datetime(2026, 5, 1)], "datetime", "datetime"),  # noqa: DTZ001 - without a zone on purpose
    ],
)
def test_moments_without_a_zone_that_are_all_midnight_are_days(stored: str, values: list[Any], type_: str, kept: str) -> None:
    due = column("due", stored)
    sampling.note(due, values)
    shown = one(due).by_name["due"]
    assert (shown.type, shown.stored) == (type_, kept)
    assert one(due, document={"fields": {"due": {"type": "datetime"}}}).by_name["due"].stored == "datetime", "a document decides"
