"""The twelve stories fact by fact, as the description tells them: which record, which field, which value, on each of three days."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from console.demo import paper_numbers, payments, risk, stories, support_tickets
from console.demo.world import Row, World
from tests.tables import cases

pytestmark = pytest.mark.slow

FACTS: list[tuple[int, str, str, Any, str, Any]] = [
    (1, "customer", "customer_no", "C-10412", "display_name", "Jurij Karavajev"),
    (1, "customer", "customer_no", "C-10412", "residence_country", "LT"),
    (1, "customer", "customer_no", "C-10412", "nationalities", ["KZ"]),
    (1, "customer", "customer_no", "C-10412", "birth_date", date(1967, 11, 4)),
    (1, "customer", "customer_no", "C-10412", "occupation", "Importer"),
    (1, "customer", "customer_no", "C-10412", "risk_score", 33),
    (1, "customer", "customer_no", "C-10412", "kind", "person"),
    (1, "customer", "customer_no", "C-10413", "display_name", "Yuri Karavayev"),
    (1, "customer", "customer_no", "C-10413", "birth_date", date(1991, 2, 17)),
    (1, "watchlist_entry", "id", 1, "name", "KARAVAYEV Yuriy Alekseyevich"),
    (1, "watchlist_entry", "id", 1, "birth_dates", ["1967-11-04"]),
    (2, "customer", "customer_no", "C-10518", "display_name", "Adaeze Okonkwo-Bell"),
    (2, "customer", "customer_no", "C-10518", "residence_country", "IE"),
    (2, "customer", "customer_no", "C-10518", "risk_score", 3),
    (2, "customer", "customer_no", "C-10518", "restriction_code", "none"),
    (2, "customer", "customer_no", "C-10518", "pep_status", "none"),
    (3, "customer", "customer_no", "C-10633", "display_name", "Tore Lindqvist"),
    (3, "customer", "customer_no", "C-10633", "residence_country", "SE"),
    (3, "customer", "customer_no", "C-10633", "family_name", "Lindqvist"),
    (4, "customer", "customer_no", "C-20318", "display_name", "Halcyon Harbour Trading B.V."),
    (4, "customer", "customer_no", "C-20318", "residence_country", "NL"),
    (4, "customer", "customer_no", "C-20318", "legal_form", "B.V."),
    (4, "customer", "customer_no", "C-20318", "kind", "company"),
    (5, "charge", "id", payments.PRIYA, "amount_minor", 18_000),
    (5, "charge", "id", payments.PRIYA, "currency", "EUR"),
    (5, "refund", "charge_id", payments.PRIYA, "amount_minor", 6_000),
    (5, "refund", "charge_id", payments.PRIYA, "status", "succeeded"),
    (6, "charge", "id", payments.KENJI_YEN, "amount_minor", 48_000),
    (6, "charge", "id", payments.KENJI_YEN, "currency", "JPY"),
    (6, "charge", "id", payments.KENJI_DINAR, "amount_minor", 31_250),
    (6, "charge", "id", payments.KENJI_DINAR, "currency", "KWD"),
    (6, "currency", "code", "JPY", "exponent", 0),
    (6, "currency", "code", "KWD", "exponent", 3),
    (7, "charge", "id", payments.BRAM, "amount_minor", 7_490),
    (8, "charge", "id", payments.OLEKSANDRA, "amount_minor", 24_000),
    (8, "dispute", "charge_id", payments.OLEKSANDRA, "stage", "chargeback"),
    (8, "dispute", "charge_id", payments.OLEKSANDRA, "status", "needs_response"),
    (8, "dispute", "charge_id", payments.OLEKSANDRA, "reason", "product_not_received"),
    (8, "dispute", "charge_id", payments.OLEKSANDRA, "is_charge_refundable", False),
    (8, "dispute", "charge_id", payments.OLEKSANDRA_SIBLING, "stage", "inquiry"),
    (8, "dispute", "charge_id", payments.OLEKSANDRA_SIBLING, "is_charge_refundable", True),
    (9, "ticket", "id", 55_021, "charge_id", payments.GRETA),
    (9, "ticket", "id", 55_021, "kind", "refund_request"),
    (9, "charge", "id", payments.GRETA, "amount_minor", 4_900),
    (10, "supplier", "id", 147, "legal_name", "Alder & Finch Print GmbH"),
    (10, "supplier", "id", 147, "main_email", "accounts@alderfinch.example"),
    (10, "supplier_bank_account", "iban", "LT459999900012345678", "status", "proposed"),
    (10, "supplier_bank_account", "iban", "LT459999900012345678", "supplier_id", 147),
    (10, "supplier_bank_account", "iban", "LT459999900012345678", "vop", "no_match"),
    (10, "supplier_bank_account", "iban", "LT459999900012345678", "called_back_by", None),
    (10, "supplier_bank_account", "iban", "DE66999999991234567890", "status", "active"),
    (10, "supplier_bank_account", "iban", "DE66999999991234567890", "supplier_id", 147),
    (10, "invoice", "iban_on_invoice", "LT459999900012345678", "amount_minor", 4_820_000),
    (10, "invoice", "iban_on_invoice", "LT459999900012345678", "status", "open"),
    (11, "supplier_request", "company_name", "Brightwater Logistik GmbH", "status", "new"),
    (11, "supplier_request", "company_name", "Brightwater Logistik GmbH", "vat_id", "DE 299 884 104"),
    (11, "supplier_request", "company_name", "Brightwater Logistik GmbH", "iban", "DE71 9999 9999 9876 5432 10"),
    (11, "supplier", "id", 88, "legal_name", "Bright Water Logistics GmbH"),
    (11, "supplier", "id", 88, "vat_id", "DE299884104"),
    (11, "supplier_bank_account", "iban", "DE71999999999876543210", "supplier_id", 88),
    (12, "contact", "name", "Sam Whitfield", "time_zone", "America/Denver"),
    (12, "contact", "name", "Sam Whitfield", "id", stories.SAM),
    (12, "call", "contact_id", stories.SAM, "attempt", 1),
    (12, "call", "contact_id", stories.SAM, "outcome", "no_answer"),
]


def one(world: World, table: str, column: str, value: Any) -> Row:
    """The only row of a table with that value."""
    rows = world.core.get(table) or world.supply[table]
    [row] = [row for row in rows if row[column] == value]
    return row


@cases(
    ("table", "by", "key", "column", "value"),
    [case[1:] for case in FACTS],
    ids=[f"{case[0]} {case[1]} {case[3]} {case[4]}" for case in FACTS],
)
def test_story_records_hold_their_facts(loaded: World, table: str, by: str, key: Any, column: str, value: Any) -> None:
    assert one(loaded, table, by, key)[column] == value


def passport(world: World, customer: int) -> Row:
    [row] = [
        row
        for row in world.core["kyc_document"]
        if row["customer_id"] == customer and row["doc_type"] == "passport" and row["party_id"] is None
    ]
    return row


DAYS_AWAY: list[tuple[str, Callable[[World], date], int]] = [
    ("2: the passport has expired", lambda world: passport(world, stories.ADAEZE)["expires_on"], -45),
    ("5: sixty euro were asked for", lambda world: (one(world, "refund", "charge_id", payments.PRIYA)["created_at"] + timedelta(hours=12)).date(), -12),
    ("8: evidence is due", lambda world: one(world, "dispute", "charge_id", payments.OLEKSANDRA)["evidence_due_at"].date(), 5),
    ("10: the invoice is due", lambda world: one(world, "invoice", "iban_on_invoice", stories.FOREIGN_IBAN)["due_on"], 6),
    ("12: the first call", lambda world: one(world, "call", "contact_id", stories.SAM)["at"].date(), -3),
]  # fmt: skip


@cases(("when", "days"), [case[1:] for case in DAYS_AWAY], ids=[case[0] for case in DAYS_AWAY])
def test_story_dates_are_told_from_the_day_of_loading(loaded: World, when: Callable[[World], date], days: int) -> None:
    assert (when(loaded) - loaded.today).days == days


@pytest.mark.parametrize(
    ("points", "score", "band"),
    [
        ((1, 0, 3, 3, 0, 0, 0), 33, "medium"),
        ((0, 0, 0, 1, 0, 0, 0), 3, "low"),
        ((0, 0, 1, 2, 2, 0, 0), 22, "low"),
        ((1, 3, 1, 3, 1, 2, 0), 50, "high"),
    ],
    ids=["1", "2", "3", "4"],
)
def test_scores_of_stories_by_hand(points: tuple[int, ...], score: int, band: str) -> None:
    """Weighted points of 0 to 3, as parts of a hundred; half a point counts up."""
    weights = (25, 15, 15, 10, 15, 10, 10)
    exact = Decimal(sum(weight * point for weight, point in zip(weights, points, strict=True))) / 3
    told = dict(zip(risk.WEIGHTS, points, strict=True))
    assert int(exact + Decimal("0.5")) == score == risk.score(told)
    assert risk.band(told) == band


@cases(
    ("minor", "currency", "euro"),
    [(48_000, "JPY", "292.80"), (12_500, "JPY", "76.25"), (31_250, "KWD", "93.44"), (18_000, "EUR", "180.00"), (7_490, "EUR", "74.90")],
)
def test_amounts_of_stories_in_euro(loaded: World, minor: int, currency: str, euro: str) -> None:
    exponent = one(loaded, "currency", "code", currency)["exponent"]
    [rate] = [row["eur_per_unit"] for row in loaded.core["fx_rate"] if (row["currency"], row["day"]) == (currency, loaded.today)]
    assert (Decimal(minor).scaleb(-exponent) * rate + Decimal("0.000000001")).quantize(Decimal("0.01")) == Decimal(euro)


def romanised(name: str) -> str:
    """GOST-like letters for Cyrillic, enough for the name of story 1."""
    letters = dict(zip("абвгдезийклмнорстуфхц", "abvgdezijklmnorstufhc", strict=True)) | {"ю": "yu", "ч": "ch", "ж": "zh", "ш": "sh"}
    return "".join(letters.get(sign, sign) for sign in name.lower())


@pytest.mark.parametrize(("alias", "script", "quality"), [("Караваев Юрий Алексеевич", "cyrillic", "strong"), ("Karavaev Yuri", "latin", "strong"), ("Karavajev Yurij", "latin", "weak")])  # fmt: skip
def test_aliases_of_story_1(world: World, alias: str, script: str, quality: str) -> None:
    [row] = [row for row in world.core["watchlist_alias"] if row["name"] == alias]
    assert (row["entry"], row["script"], row["quality"]) == (1, script, quality)


def test_strong_alias_of_story_1_is_cyrillic_and_reads_like_the_customer(world: World) -> None:
    """No token is equal, neither in its own letters nor to the listed spelling: only another romanisation leads there."""
    strong = "Караваев Юрий Алексеевич"
    assert {unicodedata.name(sign).split()[0] for sign in strong if sign.isalpha()} == {"CYRILLIC"}
    assert romanised(strong).split()[:2] == ["karavaev", "yurij"]
    customer = set(one(world, "customer", "customer_no", "C-10412")["display_name"].lower().split())
    assert not customer & {
        *strong.lower().split(),
        *romanised(strong).split(),
        *one(world, "watchlist_entry", "id", 1)["name"].lower().split(),
    }


@cases(("customer", "least", "birth"), [(stories.JURIJ, 0.90, "same"), (stories.YURI, 0.7, "different")])
def test_hits_of_story_1_are_open_and_on_the_same_entry(loaded: World, customer: int, least: float, birth: str) -> None:
    runs = {row["id"] for row in loaded.core["screening_run"] if (row["subject_kind"], row["subject_ref"]) == ("customer", str(customer))}
    [hit] = [row for row in loaded.core["screening_hit"] if row["run_id"] in runs]
    assert (hit["entry_id"], hit["status"], hit["matched_on"]["birth_date"]) == (1, "open", birth)
    assert hit["score"] >= least


def test_story_3_was_active_far_above_what_it_told(loaded: World) -> None:
    """Twelve months of money in, over twelve times what was expected a month."""
    accounts = {row["iban"] for row in loaded.core["account"] if row["customer_id"] == stories.TORE}
    paid = sum(row["in_minor"] for row in loaded.core["account_turnover"] if row["iban"] in accounts)
    expected = one(loaded, "customer", "customer_no", "C-10633")["expected_monthly_minor"]
    assert Decimal(paid) / (12 * expected) == Decimal("3.8")


@cases(("number", "ratio"), [(number, told.ratio) for number, told in stories.CUSTOMERS.items()])
def test_turnover_of_stories_is_as_told_to_the_cent(world: World, number: int, ratio: float) -> None:
    accounts = {row["iban"] for row in world.core["account"] if row["customer_id"] == number}
    paid = sum(row["in_minor"] for row in world.core["account_turnover"] if row["iban"] in accounts)
    assert paid == round(Decimal(str(ratio)) * 12 * world.core["customer"][number - 1]["expected_monthly_minor"])


def test_story_7_asks_by_mail_and_eight_minutes_later_by_chat(loaded: World) -> None:
    asked = sorted((row["created_at"], row["channel"]) for row in loaded.core["ticket"] if row["charge_id"] == payments.BRAM)
    assert [channel for _, channel in asked] == ["email", "chat"]
    assert asked[1][0] - asked[0][0] == timedelta(minutes=8)


@pytest.mark.parametrize(
    ("charge", "simulate"), [(payments.BRAM, "timeout_after_commit"), (payments.OLEKSANDRA, "charge_disputed"), (payments.PRIYA, "ok"), (payments.GRETA, "ok")]
)  # fmt: skip
def test_what_the_stand_in_provider_will_do(world: World, charge: str, simulate: str) -> None:
    assert one(world, "charge", "id", charge)["metadata"]["simulate"] == simulate


def test_only_story_charges_ask_the_provider_for_something(world: World) -> None:
    assert {row["id"] for row in world.core["charge"] if "simulate" in row["metadata"]} == set(payments.STORY_IDS)


HOSTILE = [
    ("commands to the AI", lambda body: "approve EUR 4,900.00" in body, 1),
    ("commands as from the system", lambda body: body.startswith("SYSTEM:"), 1),
    ("HTML", lambda body: "<script>" in body and "onerror=" in body, 1),
    ("marks that turn the direction of writing", lambda body: "\u202e" in body and "\u202c" in body, 1),
    ("a formula of a spreadsheet", lambda body: body.startswith("=HYPERLINK("), 1),
    ("a body of 200 kB", lambda body: 190_000 <= len(body.encode()) <= 210_000, 1),
    ("a foreign IBAN", lambda body: "LT45 9999 9000 1234 5678" in body, 1),
]  # fmt: skip


@cases(("hostile", "count"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_texts_stand_in_open_refund_requests(loaded: World, hostile: Callable[[str], bool], count: int) -> None:
    asked = {row["id"] for row in loaded.core["ticket"] if (row["kind"], row["status"]) == ("refund_request", "open")}
    found = [row["ticket_id"] for row in loaded.core["ticket_message"] if row["seq"] == 1 and hostile(row["body"])]
    assert len(found) == count
    assert set(found) <= asked


def test_hostile_texts_are_nowhere_but_in_what_customers_wrote(world: World) -> None:
    texts = [support_tickets.GRETA_TEXT, *(text for text, _ in support_tickets.HOSTILE)]
    for name, rows in {**world.core, **world.supply}.items():
        wrote = {"ticket_message": "body", "ticket": "description"}.get(name)
        assert not [row for row in rows for field, value in row.items() if field != wrote and isinstance(value, str) and value in texts], (
            name
        )


def gone(world: World) -> dict[str, int]:
    """Charge -> minor units refunded, about to be, or lost to a chargeback."""
    left: dict[str, int] = {}
    for row in world.core["refund"]:
        if row["status"] in {"pending", "succeeded", "requires_action"}:
            left[row["charge_id"]] = left.get(row["charge_id"], 0) + row["amount_minor"]
    for row in world.core["dispute"]:
        if row["status"] == "lost":
            left[row["charge_id"]] = left.get(row["charge_id"], 0) + row["amount_minor"]
    return left


@cases(
    ("table", "moment", "of", "since"),
    [
        ("charge", "created_at", "customer", "opened_at"),
        ("ticket", "created_at", "customer", "opened_at"),
        ("credit", "created_at", "customer", "opened_at"),
        ("fiu.sar_case", "opened_at", "customer", "opened_at"),
        ("dispute", "created_at", "charge", "created_at"),
        ("refund", "created_at", "charge", "created_at"),
        ("message", "at", "contact", "created_at"),
        ("call", "at", "contact", "created_at"),
        ("consent", "at", "contact", "created_at"),
    ],
)
def test_nothing_happened_before_its_person_or_charge_was_there(loaded: World, table: str, moment: str, of: str, since: str) -> None:
    rows = loaded.core | loaded.supply
    begun = {row["id"]: row[since] for row in rows[of]}
    assert [row for row in rows[table] if row[f"{of}_id"] and row[moment] < begun[row[f"{of}_id"]]][:3] == []


def test_no_charge_gives_back_more_than_it_took(loaded: World) -> None:
    charged = {row["id"]: row for row in loaded.core["charge"]}
    assert [charge for charge, minor in gone(loaded).items() if minor > charged[charge]["amount_minor"]] == []
    assert all(row["currency"] == charged[row["charge_id"]]["currency"] for table in ("refund", "dispute") for row in loaded.core[table])
    assert {charged[row["charge_id"]]["status"] for row in loaded.core["refund"]} == {"succeeded"}


@cases(
    ("charge", "left"),
    [
        (payments.PRIYA, 12_000),
        (payments.KENJI_YEN, 48_000),
        (payments.BRAM, 7_490),
        (payments.OLEKSANDRA, 24_000),
        (payments.GRETA, 4_900),
    ],
)
def test_what_is_left_of_story_charges(loaded: World, charge: str, left: int) -> None:
    assert one(loaded, "charge", "id", charge)["amount_minor"] - gone(loaded).get(charge, 0) == left


@cases(
    ("given", "family", "line"),
    [
        ("Jurij", "Karavajev", "KARAVAJEV<<JURIJ"),
        ("Yuri", "Karavayev", "KARAVAYEV<<YURI"),
        ("Adaeze", "Okonkwo-Bell", "OKONKWO<BELL<<ADAEZE"),
        ("Tore", "Lindqvist", "LINDQVIST<<TORE"),
        ("Emīls", "Ozols", "OZOLS<<EMILS"),
        ("Marek", "Dvořáček", "DVORACEK<<MAREK"),
    ],
)
def test_names_of_stories_in_a_zone(given: str, family: str, line: str) -> None:
    zone = paper_numbers.passport_zone(
        number="CX1234567", issuer="LT", nationality="KZ", family=family, given=given, birth=date(1967, 11, 4), expires=date(2030, 1, 1)
    )
    assert zone[0] == f"P<LTU{line}".ljust(44, "<")


def digest(world: World) -> str:
    """One number for all rows and papers, in their order."""
    told = [world.core, world.supply, [[paper.path, paper.form, paper.facts] for paper in world.papers]]
    return sha256(json.dumps(told, default=str, ensure_ascii=False).encode()).hexdigest()


AGAIN = "import datetime, runpy, sys; t = runpy.run_path(sys.argv[1]); from console.demo import company; print(t['digest'](company.make(datetime.date(2026, 11, 20))))"


def test_other_processes_with_other_hash_seeds_make_the_same_company(world: World) -> None:
    """Neither the order of a set nor the process has a part in it."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", AGAIN, __file__], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for seed in ("0", "4711")
    ]  # fmt: skip
    told = [process.communicate(timeout=120) for process in started]
    assert [errors for _, errors in told if errors] == []
    assert {found.strip() for found, _ in told} == {digest(world)}
