"""Every row, before it meets a database: NOT NULL, lists of values, widths, checks, keys and references of the schema files."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.demo import filling
from console.demo.world import Row, Tables, World
from tests.demo import promises
from tests.demo.promises import Table
from tests.tables import cases

CORE, SUPPLY = promises.core(), promises.supply()
EVERY = [("core", name) for name in CORE] + [("supply", name) for name in SUPPLY]
COMPUTED = {
    "customer": {"open_kyc_tickets", "identity_expires_on", "name_listed_at", "updated_at"},
    "charge": {"open_requests", "open_disputes"},
    "supplier": {"insurance_expires_on", "proposed_accounts", "payable_accounts"},
    "contact": {"consents"},
}

CHECKS: list[tuple[str, str, Callable[[Row], bool]]] = [
    ("currency", "exponent in (0, 2, 3)", lambda row: row["exponent"] in {0, 2, 3}),
    ("fx_rate", "eur_per_unit > 0", lambda row: row["eur_per_unit"] > 0),
    ("sector", "points between 0 and 3", lambda row: 0 <= row["points"] <= 3),
    ("customer", "customer_no ~ '^C-[0-9]{5}$'", lambda row: bool(re.fullmatch(r"C-[0-9]{5}", row["customer_no"]))),
    ("customer", "address ?& array['line1', 'city', 'postcode', 'country']", lambda row: {"line1", "city", "postcode", "country"} <= row["address"].keys()),
    ("customer", "products <@ array['account', 'card', 'payouts_cross_border', 'merchant']", lambda row: {*row["products"]} <= {"account", "card", "payouts_cross_border", "merchant"}),
    ("customer", "risk_score between 0 and 100", lambda row: row["risk_score"] is None or 0 <= row["risk_score"] <= 100),
    ("customer", "expected_monthly_minor >= 0", lambda row: row["expected_monthly_minor"] is None or row["expected_monthly_minor"] >= 0),
    ("customer", "monthly_limit_minor > 0", lambda row: row["monthly_limit_minor"] is None or row["monthly_limit_minor"] > 0),
    ("customer", "kind <> 'person' or birth_date is not null", lambda row: row["kind"] != "person" or row["birth_date"] is not None),
    ("customer", "kind <> 'company' or (legal_form is not null and register_no is not null)", lambda row: row["kind"] != "company" or None not in {row["legal_form"], row["register_no"]}),
    ("account", "iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$'", lambda row: bool(re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", row["iban"]))),
    ("account_turnover", "extract(day from month) = 1", lambda row: row["month"].day == 1),
    ("account_turnover", "in_minor >= 0", lambda row: row["in_minor"] >= 0),
    ("account_turnover", "out_minor >= 0", lambda row: row["out_minor"] >= 0),
    ("account_turnover", "cash_minor >= 0", lambda row: row["cash_minor"] >= 0),
    ("account_turnover", "payments >= 0", lambda row: row["payments"] >= 0),
    ("kyc_document", "sha256 ~ '^[0-9a-f]{64}$'", lambda row: bool(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]))),
    ("kyc_document", "pages > 0", lambda row: row["pages"] > 0),
    ("kyc_document", "(storage = 'live') = (file_path is not null)", lambda row: (row["storage"] == "live") == (row["file_path"] is not None)),
    ("ownership", "percent > 0 and percent <= 100", lambda row: 0 < row["percent"] <= 100),
    ("ownership", "owned_id <> owner_id", lambda row: row["owned_id"] != row["owner_id"]),
    ("beneficial_owner", "effective_percent > 0 and effective_percent <= 100", lambda row: row["effective_percent"] is None or 0 < row["effective_percent"] <= 100),
    ("screening_run", "hits >= 0", lambda row: row["hits"] >= 0),
    ("screening_hit", "score between 0 and 1", lambda row: 0 <= row["score"] <= 1),
    ("screening_hit", "status in ('open', 'needs_more') or reason_code is not null", lambda row: row["status"] in {"open", "needs_more"} or row["reason_code"] is not None),
    ("risk_assessment", "score between 0 and 100", lambda row: 0 <= row["score"] <= 100),
    ("charge", "id ~ '^ch_[A-Za-z0-9]+$'", lambda row: bool(re.fullmatch(r"ch_[A-Za-z0-9]+", row["id"]))),
    ("charge", "amount_minor > 0", lambda row: row["amount_minor"] > 0),
    ("refund", "id ~ '^(re_[A-Za-z0-9]+|[0-9a-f]{32})$'", lambda row: bool(re.fullmatch(r"re_[A-Za-z0-9]+|[0-9a-f]{32}", row["id"]))),
    ("refund", "amount_minor > 0", lambda row: row["amount_minor"] > 0),
    ("dispute", "id ~ '^dp_[A-Za-z0-9]+$'", lambda row: bool(re.fullmatch(r"dp_[A-Za-z0-9]+", row["id"]))),
    ("dispute", "amount_minor > 0", lambda row: row["amount_minor"] > 0),
    ("credit", "amount_minor > 0", lambda row: row["amount_minor"] > 0),
    ("credit", "spent_minor >= 0", lambda row: row["spent_minor"] >= 0),
    ("credit", "spent_minor <= amount_minor", lambda row: row["spent_minor"] <= row["amount_minor"]),
    ("ticket", "priority between 1 and 4", lambda row: 1 <= row["priority"] <= 4),
    ("ticket_message", "seq > 0", lambda row: row["seq"] > 0),
]  # fmt: skip
DOMAIN_CHECKS = {"iso_country": r"[A-Z]{2}", "currency_code": r"[A-Z]{3}"}

SUPPLY_CHECKS: list[tuple[str, str, Callable[[Row], bool]]] = [
    ("supplier_request", "length(country) = 2", lambda row: len(row["country"]) == 2),
    ("supplier_request", "est_annual_eur >= 0", lambda row: Decimal(row["est_annual_eur"]) >= 0),
    ("supplier", "length(country) = 2", lambda row: len(row["country"]) == 2),
    ("supplier_document", "cover_eur > 0", lambda row: row["cover_eur"] is None or row["cover_eur"] > 0),
    ("supplier_document", "length(sha256) = 64", lambda row: len(row["sha256"]) == 64),
    ("invoice", "amount_minor > 0", lambda row: row["amount_minor"] > 0),
    ("invoice", "length(currency) = 3", lambda row: len(row["currency"]) == 3),
    ("contract", "value_eur >= 0", lambda row: Decimal(row["value_eur"]) >= 0),
    ("contract", "notice_days >= 0", lambda row: row["notice_days"] >= 0),
    ("contract_line", "length(currency) = 3", lambda row: len(row["currency"]) == 3),
    ("signature", "length(document_sha256) = 64", lambda row: len(row["document_sha256"]) == 64),
    ("contact", "length(id) = 36", lambda row: len(row["id"]) == 36),
    ("contact", "length(country) = 2", lambda row: len(row["country"]) == 2),
    ("contact", "length(language) = 2", lambda row: len(row["language"]) == 2),
    ("call", "attempt > 0", lambda row: row["attempt"] > 0),
    ("call", "seconds >= 0", lambda row: row["seconds"] >= 0),
]

PYTHON: dict[str, tuple[type, ...]] = {
    "bigint": (int,), "smallint": (int,), "int": (int,), "integer": (int,), "text": (str,), "boolean": (bool,), "date": (date,), "timestamptz": (datetime,),
    "datetime": (datetime,), "jsonb": (dict, list), "json": (dict, list), "iso_country": (str,), "currency_code": (str,), "numeric": (Decimal, float, str), "char": (str,),
}  # fmt: skip
BITS = {"smallint": 15, "int": 31, "bigint": 63}


def rows_of(world: World, database: str, table: str) -> list[Row]:
    tables: Tables = world.core if database == "core" else world.supply
    return tables[table]


def promised(database: str, table: str) -> Table:
    return (CORE if database == "core" else SUPPLY)[table]


def checks_in(name: str) -> Counter[str]:
    """Tables of a schema file with how many CHECKs they have, lists of values apart."""
    found: Counter[str] = Counter()
    for table, body in re.findall(r"create table ([\w.]+) \(\n(.*?)\n\);", filling.schema(name), re.DOTALL):
        found[table] += len(
            [line for line in body.splitlines() if "check (" in line and not re.search(r"check \(\w+ in \((?:'[^)]*|0, 1)\)\)", line)]
        )
    return +found


def test_every_table_of_the_schema_has_rows_and_no_other_is_filled(world: World) -> None:
    assert {name for name, rows in world.core.items() if rows} == CORE.keys()
    assert {name for name, rows in world.supply.items() if rows} == SUPPLY.keys()


@pytest.mark.parametrize(("file", "cases"), [("tables", CHECKS), ("supply", SUPPLY_CHECKS)])
def test_every_check_of_the_schema_has_its_case(file: str, cases: list[tuple[str, str, Callable[[Row], bool]]]) -> None:
    """A CHECK that is added to the schema asks for a line in the tables above."""
    assert Counter(case[0] for case in cases) == checks_in(file)
    text = filling.schema(file)
    assert [text_of for _, text_of, _ in cases if text_of not in text] == []


@cases(("table", "holds"), [(case[0], case[2]) for case in CHECKS], ids=[f"{case[0]}: {case[1]}" for case in CHECKS])
def test_core_rows_hold_their_checks(world: World, table: str, holds: Callable[[Row], bool]) -> None:
    assert [row for row in world.core[table] if not holds(row)] == []


@cases(("table", "holds"), [(case[0], case[2]) for case in SUPPLY_CHECKS], ids=[f"{case[0]}: {case[1]}" for case in SUPPLY_CHECKS])
def test_supply_rows_hold_their_checks(world: World, table: str, holds: Callable[[Row], bool]) -> None:
    assert [row for row in world.supply[table] if not holds(row)] == []


@cases(("database", "table"), EVERY)
def test_rows_fill_the_columns_that_the_table_has(world: World, database: str, table: str) -> None:
    columns = promised(database, table).columns
    given = set(rows_of(world, database, table)[0])
    assert given <= columns.keys()
    assert columns.keys() - given <= COMPUTED.get(table, set())
    assert all(columns[name].filled or not columns[name].required for name in columns.keys() - given)


@cases(("database", "table"), EVERY)
def test_nothing_is_missing_that_must_be_there(world: World, database: str, table: str) -> None:
    required = {name for name, column in promised(database, table).columns.items() if column.required}
    missing = Counter(name for row in rows_of(world, database, table) for name in required & row.keys() if row[name] is None)
    assert missing == {}


@cases(("database", "table"), EVERY)
def test_values_of_lists_are_on_the_list(world: World, database: str, table: str) -> None:
    for name, column in promised(database, table).columns.items():
        if column.allowed is None or column.type == "boolean" or column.type.endswith("int"):
            continue
        used = {row[name] for row in rows_of(world, database, table)} - {None}
        assert used <= column.allowed, (name, used - column.allowed)


@cases(("database", "table"), EVERY)
def test_values_have_the_type_and_the_width_of_their_column(world: World, database: str, table: str) -> None:
    for name, column in promised(database, table).columns.items():
        values = [row[name] for row in rows_of(world, database, table) if row.get(name) is not None]
        base, _, width = column.type.partition("(")
        if column.type.endswith("[]"):
            assert all(isinstance(value, list) and all(isinstance(item, str) for item in value) for value in values), name
            if base == "char":
                assert {len(item) for value in values for item in value} <= {2}, name
            continue
        kinds = PYTHON.get(base, (str,))
        assert {type(value) for value in values} <= set(kinds), (name, {type(value) for value in values})
        if base in BITS:
            assert all(-(2 ** BITS[base]) <= value < 2 ** BITS[base] for value in values), name
        if base == "char":
            assert {len(value) for value in values} <= {int(width.rstrip(")"))}, name
        if base in DOMAIN_CHECKS:
            assert all(re.fullmatch(DOMAIN_CHECKS[base], value) for value in values), name


@cases(("database", "table"), EVERY)
def test_numbers_fit_their_scale(world: World, database: str, table: str) -> None:
    """numeric(p, s): nothing is rounded on its way into the column, and nothing overflows it."""
    for name, column in promised(database, table).columns.items():
        if not column.type.startswith("numeric"):
            continue
        precision, scale = map(int, re.findall(r"\d+", column.type))
        for row in rows_of(world, database, table):
            if row[name] is None:
                continue
            value = Decimal(str(row[name]))
            assert value == value.quantize(Decimal(1).scaleb(-scale)), (name, value)
            assert abs(value) < Decimal(10) ** (precision - scale), (name, value)


@cases(("database", "table"), EVERY)
def test_keys_are_unique_and_whole(world: World, database: str, table: str) -> None:
    table_promised = promised(database, table)
    assert table_promised.primary
    for columns in (table_promised.primary, *table_promised.unique):
        keys = [
            tuple(json.dumps(row[name]) if isinstance(row[name], dict) else row[name] for name in columns)
            for row in rows_of(world, database, table)
        ]
        told = [key for key in keys if None not in key]
        assert len(set(told)) == len(told), columns
        assert columns != table_promised.primary or len(told) == len(keys)


@cases(
    ("database", "table", "column", "target", "key"),
    [(database, table, column, *end) for database, table in EVERY for column, end in promised(database, table).references.items()],
)
def test_references_lead_to_a_row(world: World, database: str, table: str, column: str, target: str, key: str) -> None:
    there = {row[key] for row in rows_of(world, database, target)}
    assert {row[column] for row in rows_of(world, database, table)} - {None} <= there


LOOSE = [
    ("screening_run", "customer", "subject_ref", "customer", "id"),
    ("screening_run", "party", "subject_ref", "party", "id"),
]


@pytest.mark.parametrize(("table", "kind", "column", "target", "key"), LOOSE)
def test_subjects_of_screenings_are_there(world: World, table: str, kind: str, column: str, target: str, key: str) -> None:
    there = {str(row[key]) for row in world.core[target]}
    assert {row[column] for row in world.core[table] if row["subject_kind"] == kind} <= there


def test_what_points_into_the_other_database_leads_somewhere(world: World) -> None:
    """`customer_no` of a contact and `subject_ref` of a supplier's screening have no foreign key to hold them."""
    numbers = {row["customer_no"] for row in world.core["customer"]}
    assert {row["customer_no"] for row in world.supply["contact"]} - {None} <= numbers
    suppliers = {str(row["id"]) for row in world.supply["supplier"]}
    assert {row["subject_ref"] for row in world.core["screening_run"] if row["subject_kind"] == "supplier"} <= suppliers


@cases(
    ("database", "table"),
    [("core", name.removeprefix("public.")) for name in filling.IDENTITIES]
    + [("supply", name) for name in ("supplier_request", "supplier", "supplier_document", "contract", "signature", "consent", "tag", "message", "call", "task")],
)  # fmt: skip
def test_numbers_of_rows_follow_each_other(world: World, database: str, table: str) -> None:
    ids = [row["id"] for row in rows_of(world, database, table)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert ids[0] == (51_500 if table == "ticket" else 1)


def test_identities_are_set_for_every_table_that_has_one() -> None:
    text = filling.schema("tables")
    with_identity = {name for name, body in re.findall(r"create table ([\w.]+) \(\n(.*?)\n\);", text, re.DOTALL) if "as identity" in body}
    assert set(filling.IDENTITIES) == with_identity


def test_json_columns_are_those_of_the_schema() -> None:
    """What COPY writes as JSON is what the columns are; a whole number written as JSON is the number, anything else would be another text."""
    kinds = {(name, column.type) for table in CORE.values() for name, column in table.columns.items()}
    assert {name for name, kind in kinds if kind == "jsonb"} <= filling.JSON_COLUMNS
    assert {(name, kind) for name, kind in kinds if name in filling.JSON_COLUMNS and kind not in {"jsonb", "smallint"}} == set()


def test_moments_are_in_utc(world: World) -> None:
    zones = {
        value.utcoffset() for rows in (*world.core.values(), *world.supply.values()) for row in rows[:50] for value in row.values() if isinstance(value, datetime)
    }  # fmt: skip
    assert zones == {world.moment(0).utcoffset()}


def test_no_text_holds_a_nul_or_half_a_sign(world: World) -> None:
    """PostgreSQL takes neither; what cannot be encoded cannot be shown."""
    bad = [
        (name, column)
        for name, rows in {**world.core, **world.supply}.items()
        for row in rows
        for column, value in row.items()
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value[:200]))
    ]
    assert bad == []


@pytest.mark.parametrize(
    "value", [{"a": "ä"}, [1, "б"], {"nested": {"list": [None, True]}}, []]
)  # fmt: skip
def test_json_goes_in_as_it_is(value: Any) -> None:
    assert json.loads(filling._plain(value)) == value


@cases(
    ("value", "kept"),
    [
        (date(2026, 2, 3), "2026-02-03"),
        (datetime(2026, 2, 3, 4, 5, 6), "2026-02-03 04:05:06.000000"),  # noqa: DTZ001
        (True, True),
        ("12.50", "12.50"),
        (None, None),
        (7, 7),
    ],
)
def test_plain_values_go_in_as_sqlite_keeps_them(value: Any, kept: Any) -> None:
    assert filling._plain(value) == kept
