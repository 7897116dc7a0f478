"""The counts that the company's description promises, read from the filled databases. Day T is 2026-11-20."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Ask = Callable[..., list[tuple[Any, ...]]]

CORE_ROWS = {
    "currency": 14,
    "fx_rate": 14 * 400,
    "country_risk": 249,
    "sector": 40,
    "customer": 2000,
    "account": 2150,
    "kyc_document": 4300,
    "party": 1900,
    "ownership": 1750,
    "officer": 820,
    "beneficial_owner": 1020,
    "watchlist": 3,
    "watchlist_entry": 1200,
    "watchlist_alias": 2900,
    "screening_run": 2600,
    "screening_hit": 860,
    "risk_assessment": 3400,
    "charge": 20_000,
    "refund": 1150,
    "dispute": 96,
    "credit": 210,
    "ticket": 3600,
    "ticket_message": 11_500,
    "fiu.sar_case": 14,
}
SUPPLY_ROWS = {
    "supplier_request": 240,
    "supplier": 420,
    "supplier_bank_account": 470,
    "supplier_document": 1500,
    "invoice": 2600,
    "contract": 380,
    "contract_line": 1120,
    "signature": 560,
    "contact": 5000,
    "consent": 9800,
    "tag": 24,
    "message": 21_000,
    "call": 6400,
    "task": 1900,
}
OVERDUE = "next_review_at < date '2026-11-20' and kyc_status in ('approved', 'expired')"
IDENTITY = "doc_type in ('passport', 'id_card', 'residence_permit')"
OPEN_REQUEST = "from ticket join charge on charge.id = ticket.charge_id where ticket.kind = 'refund_request' and ticket.status = 'open'"
WORTH = "from ticket join charge_refundable r on r.charge_id = ticket.charge_id where kind = 'refund_request' and status = 'open'"

GROUPS = [
    (
        "select kyc_status::text, count(*) from customer group by 1",
        {
            "approved": 1640,
            "pending_documents": 110,
            "in_review": 90,
            "rejected": 60,
            "not_started": 60,
            "expired": 40,
        },
    ),
    (
        "select risk_band::text, count(*) from customer group by 1",
        {"low": 1290, "medium": 476, "high": 170, "prohibited": 4, None: 60},
    ),
    (
        "select kind::text || ' ' || desk, count(*) from customer group by 1",
        {"person retail": 1400, "company corporate": 600},
    ),
    (
        "select pep_status::text, count(*) from customer where pep_status not in ('family', 'associate') group by 1",
        {"none": 1962, "pep": 14, "former": 7},
    ),
    ("select 'near', count(*) from customer where pep_status in ('family', 'associate')", {"near": 17}),
    (
        "select restriction_code::text, count(*) from customer group by 1",
        {"none": 1978, "review": 15, "documents": 6, "legal": 1},
    ),
    (
        "select status::text, count(*) from screening_hit group by 1",
        {"open": 64, "false_positive": 770, "needs_more": 21, "true_match": 5},
    ),
    (
        "select status::text, count(*) from charge group by 1",
        {"succeeded": 18_840, "failed": 860, "uncaptured": 180, "pending": 120},
    ),
    (
        "select currency, count(*) from charge group by 1",
        {"EUR": 14_200, "GBP": 2400, "USD": 1800, "SEK": 600, "PLN": 500, "JPY": 400, "KWD": 100},
    ),
    (
        "select status::text, count(*) from refund group by 1",
        {"succeeded": 1060, "failed": 41, "pending": 34, "canceled": 15},
    ),
    (
        "select status::text, count(*) from dispute group by 1",
        {
            "lost": 37,
            "won": 22,
            "under_review": 14,
            "needs_response": 11,
            "warning_closed": 7,
            "warning_needs_response": 5,
        },
    ),
    (
        "select status::text, count(*) from ticket group by 1",
        {"solved": 3150, "open": 310, "pending_customer": 140},
    ),
    (
        "select level::text, string_agg(code, ' ' order by code) from country_risk where level in ('high', 'prohibited') group by 1",
        {"high": "AO CD HT KE LA LB NP SS SY VE VN YE", "prohibited": "IR KP MM"},
    ),
    ("select kind::text, count(*) from watchlist group by 1", {"sanctions": 1, "pep": 1, "internal": 1}),
]

COUNTS = [
    ("reviews overdue", f"customer where {OVERDUE}", 118),
    ("of them high", f"customer where {OVERDUE} and risk_band = 'high'", 31),
    ("any review date in the past", "customer where next_review_at < date '2026-11-20'", 118),
    (
        "due in 30 days",
        "customer where next_review_at between date '2026-11-20' and date '2026-12-20' and kyc_status in ('approved', 'expired')",
        74,
    ),
    ("identity expired", f"kyc_document where {IDENTITY} and expires_on < date '2026-11-20'", 63),
    (
        "identity expiring",
        f"kyc_document where {IDENTITY} and expires_on between date '2026-11-20' and date '2026-12-20'",
        41,
    ),
    (
        "residents of high-risk countries",
        "customer join country_risk on code = residence_country where level = 'high'",
        28,
    ),
    (
        "residents of prohibited countries",
        "customer join country_risk on code = residence_country where level = 'prohibited'",
        0,
    ),
    ("not started without a band", "customer where kyc_status = 'not_started' and risk_band is null", 60),
    (
        "three layers and more",
        "(select customer_id from ownership_effective group by 1 having max(layers) >= 3) deep",
        38,
    ),
    ("two layers", "ownership_effective where layers = 2 and not cyclic", 0),
    ("exactly 25 percent", "ownership_effective where percent = 25.0000", 3),
    ("circular", "(select distinct customer_id from ownership_effective where cyclic) circular", 1),
    (
        "accounts restricted without their customer",
        "account join customer on customer.id = customer_id where (status = 'restricted') <> (restriction_code <> 'none')",
        0,
    ),
    (
        "partial refunds",
        "refund join charge on charge.id = charge_id where refund.amount_minor < charge.amount_minor",
        437,
    ),
    ("open refund requests", f"(select 1 {OPEN_REQUEST}) open", 126),
    ("over 200 euro", f"(select 1 {WORTH} and amount_eur > 200) large", 19),
    ("over 2,000 euro", f"(select 1 {WORTH} and amount_eur > 2000) larger", 4),
    (
        "outside the window",
        f"(select 1 {OPEN_REQUEST} and captured_at < timestamptz '2026-11-20 00:00Z' - interval '180 days') old",
        7,
    ),
    (
        "neither old nor within 60 days",
        f"(select 1 {OPEN_REQUEST} and captured_at between '2026-05-24' and '2026-09-21') between_times",
        0,
    ),
    ("on disputed charges", f"(select 1 {OPEN_REQUEST} and open_disputes > 0) disputed", 5),
    (
        "on restricted customers",
        f"(select 1 {OPEN_REQUEST.replace(' where', ' join customer on customer.id = charge.customer_id where')} and restriction_code <> 'none') held",
        3,
    ),
    ("second requests", f"(select charge_id {OPEN_REQUEST} group by 1 having count(*) = 2) twice", 9),
    ("asked about charges that failed", f"(select 1 {OPEN_REQUEST} and charge.status <> 'succeeded') odd", 0),
    (
        "screenings whose hits are miscounted",
        "screening_run where hits <> (select count(*) from screening_hit where run_id = screening_run.id)",
        0,
    ),
    ("refunded more than charged", "charge_refundable where remaining_minor < 0", 0),
    ("two disputes on one charge", "(select charge_id from dispute group by 1 having count(*) > 1) twice", 0),
    (
        "bands that are not the last assessment's",
        "customer where risk_band is distinct from (select band from risk_assessment where customer_id = customer.id order by at desc, id desc limit 1)",
        0,
    ),
    (
        "something in the future",
        "charge where created_at > '2026-11-20' or captured_at > '2026-11-20' or delivered_at > '2026-11-20'",
        0,
    ),
    (
        "charges older than 400 days",
        "charge where created_at < timestamptz '2026-11-20 00:00Z' - interval '400 days'",
        0,
    ),
    ("customers reviewed before they came", "customer where last_reviewed_at < opened_at", 0),
    (
        "first messages that are not the customer's",
        "ticket_message where seq = 1 and author_kind <> 'customer'",
        0,
    ),
]

SUPPLY_COUNTS = [
    ("insurance expired", "supplier_document where kind = 'insurance' and expires_on < '2026-11-20'", 9),
    ("said so", "supplier_document where kind = 'insurance' and status = 'expired'", 9),
    (
        "insurance expiring",
        "supplier_document where kind = 'insurance' and expires_on between '2026-11-20' and '2026-12-20'",
        17,
    ),
    ("contacts without time zone", "contact where time_zone is null", 300),
    ("contacts without any consent", "contact where id not in (select contact_id from consent)", 1100),
    (
        "contacts who withdrew",
        "contact where id in (select contact_id from consent where state = 'withdrawn')",
        200,
    ),
    (
        "suppliers that are onboarded with bank data",
        "supplier_bank_account join supplier on id = supplier_id where supplier.status = 'onboarding'",
        0,
    ),
    (
        "active suppliers without an active account",
        "supplier s where status = 'active' and 0 = (select count(*) from supplier_bank_account a where a.supplier_id = s.id and a.status = 'active')",
        0,
    ),
    (
        "requests that are onboarding without a supplier",
        "supplier_request where (status in ('onboarding', 'done')) <> (supplier_id is not null)",
        0,
    ),
]


@pytest.mark.parametrize(("table", "rows"), CORE_ROWS.items())
def test_core_tables_have_their_rows(core: Ask, table: str, rows: int) -> None:
    assert core(f"select count(*) from {table}") == [(rows,)]


@pytest.mark.parametrize(("table", "rows"), SUPPLY_ROWS.items())
def test_supply_tables_have_their_rows(supply: Ask, table: str, rows: int) -> None:
    assert supply(f"select count(*) from {table}") == [(rows,)]


@pytest.mark.parametrize(("query", "counts"), GROUPS)
def test_values_are_spread_as_described(core: Ask, query: str, counts: dict[str | None, Any]) -> None:
    assert dict(core(query)) == counts


@pytest.mark.parametrize(("rows", "count"), [case[1:] for case in COUNTS], ids=[case[0] for case in COUNTS])
def test_core_counts(core: Ask, rows: str, count: int) -> None:
    assert core(f"select count(*) from {rows}") == [(count,)]


@pytest.mark.parametrize(
    ("rows", "count"), [case[1:] for case in SUPPLY_COUNTS], ids=[case[0] for case in SUPPLY_COUNTS]
)
def test_supply_counts(supply: Ask, rows: str, count: int) -> None:
    assert supply(f"select count(*) from {rows}") == [(count,)]


def test_amounts_are_spread_as_described(core: Ask) -> None:
    median, high, largest = core(
        "select percentile_cont(0.5) within group (order by amount_eur), percentile_cont(0.95) within group (order by amount_eur), max(amount_eur) from charge_refundable"
    )[0]
    assert round(median) == 42
    assert round(high, -1) == 310
    assert largest == Decimal("4900.00")


def test_rates_of_the_day_are_fixed_and_the_others_near(core: Ask) -> None:
    today: dict[str, Decimal] = dict(
        core("select currency, eur_per_unit from fx_rate where day = '2026-11-20'")
    )
    assert today["JPY"] == Decimal("0.0061")
    assert today["KWD"] == Decimal("2.99")
    assert today["EUR"] == 1
    worst = core(
        "select max(abs(r.eur_per_unit / t.eur_per_unit - 1)) from fx_rate r join fx_rate t on t.currency = r.currency and t.day = '2026-11-20'"
    )
    assert worst[0][0] <= Decimal("0.0201")
