"""What the description counts holds on whatever day the company is loaded: each line of it on three days, without a database."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median, quantiles
from typing import Any

from console.demo import payments, stories, support_tickets
from console.demo.world import Row, World
from tests.tables import cases

IDENTITY = {"passport", "id_card", "residence_permit"}
OPEN_DISPUTE = {"warning_needs_response", "needs_response", "under_review"}
EUR = {"EUR": "1", "JPY": ".0061", "USD": ".92", "GBP": "1.17", "SEK": ".088", "PLN": ".23", "KWD": "2.99", "BHD": "2.44", "CHF": "1.05", "DKK": ".134", "NOK": ".086", "CZK": ".04", "HUF": ".0025", "RON": ".2"}  # fmt: skip
PLACES = {"JPY": 0, "KWD": 3, "BHD": 3}

ROWS = {
    "currency": 14, "fx_rate": 5600, "country_risk": 249, "sector": 40, "customer": 2000, "account": 2150, "kyc_document": 4300, "party": 1900, "ownership": 1750,
    "officer": 820, "beneficial_owner": 1020, "watchlist": 3, "watchlist_entry": 1200, "watchlist_alias": 2900, "screening_run": 2600, "screening_hit": 860,
    "risk_assessment": 3400, "charge": 20_000, "refund": 1150, "dispute": 96, "credit": 210, "ticket": 3600, "ticket_message": 11_500, "fiu.sar_case": 14,
    "supplier_request": 240, "supplier": 420, "supplier_bank_account": 470, "supplier_document": 1500, "invoice": 2600, "contract": 380, "contract_line": 1120,
    "signature": 560, "contact": 5000, "consent": 9800, "tag": 24, "message": 21_000, "call": 6400, "task": 1900,
}  # fmt: skip

SPREADS: list[tuple[str, str, dict[Any, int]]] = [
    ("customer", "kyc_status", {"approved": 1640, "pending_documents": 110, "in_review": 90, "rejected": 60, "not_started": 60, "expired": 40}),
    ("customer", "risk_band", {"low": 1290, "medium": 476, "high": 170, "prohibited": 4, None: 60}),
    ("customer", "kind", {"person": 1400, "company": 600}),
    ("customer", "desk", {"retail": 1400, "corporate": 600}),
    ("customer", "pep_status", {"none": 1962, "pep": 14, "family": 11, "associate": 6, "former": 7}),
    ("customer", "restriction_code", {"none": 1978, "review": 15, "documents": 6, "legal": 1}),
    ("screening_hit", "status", {"open": 64, "false_positive": 770, "needs_more": 21, "true_match": 5}),
    ("country_risk", "level", {"prohibited": 3, "high": 12, "low": 38, "medium": 196}),
    ("currency", "exponent", {0: 1, 2: 11, 3: 2}),
    ("charge", "status", {"succeeded": 18_840, "failed": 860, "uncaptured": 180, "pending": 120}),
    ("charge", "currency", {"EUR": 14_200, "GBP": 2400, "USD": 1800, "SEK": 600, "PLN": 500, "JPY": 400, "KWD": 100}),
    ("refund", "status", {"succeeded": 1060, "failed": 41, "pending": 34, "canceled": 15}),
    ("dispute", "status", {"lost": 37, "won": 22, "under_review": 14, "needs_response": 11, "warning_closed": 7, "warning_needs_response": 5}),
    ("dispute", "stage", {"chargeback": 84, "inquiry": 12}),
    ("ticket", "status", {"solved": 3150, "open": 310, "pending_customer": 140}),
    ("watchlist", "kind", {"sanctions": 1, "pep": 1, "internal": 1}),
    ("fiu.sar_case", "decision", {"open": 3, "no_report": 5, "report": 6}),
    ("supplier_request", "status", {"new": 12, "onboarding": 34, "done": 180, "refused": 14}),
    ("supplier", "status", {"active": 340, "onboarding": 34, "blocked": 8, "archived": 38}),
    ("contact", "stage", {"new": 900, "contacted": 1500, "engaged": 800, "qualified": 500, "customer": 600, "unresponsive": 450, "lost": 250}),
]  # fmt: skip


def table(world: World, name: str) -> list[Row]:
    return world.core[name] if name in world.core else world.supply[name]


def in_euro(row: Row) -> Decimal:
    """By the description's rates, not the generator's."""
    return Decimal(row["amount_minor"]).scaleb(-PLACES.get(row["currency"], 2)) * Decimal(EUR[row["currency"]])


def overdue(world: World) -> list[Row]:
    return [
        row
        for row in world.core["customer"]
        if row["kyc_status"] in {"approved", "expired"} and row["next_review_at"] and row["next_review_at"] < world.today
    ]


def due(world: World) -> list[Row]:
    return [row for row in world.core["customer"] if row["next_review_at"] and world.today <= row["next_review_at"] <= world.day(30)]


def identities(world: World) -> list[Row]:
    return [row for row in world.core["kyc_document"] if row["doc_type"] in IDENTITY]


def requests(world: World) -> Iterator[tuple[Row, Row, Row]]:
    """Open refund requests: ticket, charge, customer."""
    charges = {row["id"]: row for row in world.core["charge"]}
    customers = {row["id"]: row for row in world.core["customer"]}
    for ticket in world.core["ticket"]:
        if (ticket["kind"], ticket["status"]) == ("refund_request", "open"):
            charge = charges[ticket["charge_id"]]
            yield ticket, charge, customers[charge["customer_id"]]


def high_risk_residents(world: World) -> int:
    levels = {row["code"]: row["level"] for row in world.core["country_risk"]}
    return sum(levels[row["residence_country"]] == "high" for row in world.core["customer"])


def partial(world: World) -> int:
    charged = {row["id"]: row["amount_minor"] for row in world.core["charge"]}
    return sum(row["amount_minor"] < charged[row["charge_id"]] for row in world.core["refund"])


def disputed(world: World) -> int:
    held = {row["charge_id"] for row in world.core["dispute"] if row["status"] in OPEN_DISPUTE}
    return sum(charge["id"] in held for _, charge, _ in requests(world))


def insurances(world: World) -> list[Row]:
    return [row for row in world.supply["supplier_document"] if row["kind"] == "insurance"]


def consents(world: World, state: str) -> set[str]:
    return {row["contact_id"] for row in world.supply["consent"] if row["state"] == state}


COUNTS: list[tuple[str, Callable[[World], int], int]] = [
    ("reviews overdue", lambda world: len(overdue(world)), 118),
    ("overdue and high", lambda world: sum(row["risk_band"] == "high" for row in overdue(world)), 31),
    ("due in 30 days", lambda world: len(due(world)), 74),
    ("identity documents expired", lambda world: sum(row["expires_on"] < world.today for row in identities(world)), 63),
    ("identity documents expiring", lambda world: sum(world.today <= row["expires_on"] <= world.day(30) for row in identities(world)), 41),
    ("residents of high-risk countries", high_risk_residents, 28),
    ("refunds in part", partial, 437),
    ("open refund requests", lambda world: len(list(requests(world))), 126),
    ("requests over 200 euro", lambda world: sum(in_euro(charge) > 200 for _, charge, _ in requests(world)), 19),
    ("requests over 2,000 euro", lambda world: sum(in_euro(charge) > 2000 for _, charge, _ in requests(world)), 4),
    ("requests outside the window", lambda world: sum(charge["captured_at"] < world.moment(-180) for _, charge, _ in requests(world)), 7),
    ("requests on disputed charges", disputed, 5),
    ("requests of restricted customers", lambda world: sum(customer["restriction_code"] != "none" for _, _, customer in requests(world)), 3),
    ("charges asked about twice", lambda world: sum(n == 2 for n in Counter(charge["id"] for _, charge, _ in requests(world)).values()), 9),
    ("charges asked about three times", lambda world: sum(n > 2 for n in Counter(charge["id"] for _, charge, _ in requests(world)).values()), 0),
    ("insurances expired", lambda world: sum(row["expires_on"] < world.today for row in insurances(world)), 9),
    ("insurances expiring in 30 days", lambda world: sum(world.today <= row["expires_on"] <= world.day(30) for row in insurances(world)), 17),
    ("contacts without time zone: 6 %", lambda world: sum(row["time_zone"] is None for row in world.supply["contact"]), 300),
    ("contacts without any consent: 22 %", lambda world: len(world.supply["contact"]) - len(consents(world, "given")), 1100),
    ("contacts who withdrew: 4 %", lambda world: len(consents(world, "withdrawn")), 200),
    ("suppliers whose bank data somebody wants changed", lambda world: sum(row["status"] == "proposed" for row in world.supply["supplier_bank_account"]), 7),
    ("live papers in the thousands", lambda world: len(world.papers) // 1000, 0),
]  # fmt: skip


@cases(("name", "count"), ROWS.items())
def test_tables_have_as_many_rows_on_any_day(loaded: World, name: str, count: int) -> None:
    assert len(table(loaded, name)) == count


@cases(("name", "column", "counts"), SPREADS, ids=[f"{case[0]}.{case[1]}" for case in SPREADS])
def test_values_are_spread_alike_on_any_day(loaded: World, name: str, column: str, counts: dict[Any, int]) -> None:
    assert Counter(row[column] for row in table(loaded, name)) == counts


@cases(("counted", "count"), [case[1:] for case in COUNTS], ids=[case[0] for case in COUNTS])
def test_counts_hold_on_any_day(loaded: World, counted: Callable[[World], int], count: int) -> None:
    assert counted(loaded) == count


@cases(
    ("name", "column", "least", "most"),
    [
        ("customer", "opened_at", -2600, 0),
        ("charge", "created_at", -400, 0),
        ("charge", "captured_at", -400, 0),
        ("charge", "delivered_at", -400, 0),
        ("refund", "created_at", -400, 0),
        ("refund", "settled_at", -400, 0),
        ("dispute", "created_at", -400, 0),
        ("credit", "created_at", -400, 0),
        ("ticket", "created_at", -400, 0),
        ("ticket_message", "at", -400, 0),
        ("kyc_document", "uploaded_at", -2600, 0),
        ("screening_run", "at", -2600, 0),
        ("screening_hit", "decided_at", -2600, 1),
        ("watchlist", "imported_at", -4, 0),
        ("risk_assessment", "at", -2600, 0),
        ("fiu.sar_case", "opened_at", -500, 0),
        ("supplier_request", "created_at", -800, 0.5),
        ("supplier_bank_account", "created_at", -1500, 0),
        ("signature", "signed_at", -1600, 0),
        ("contact", "created_at", -900, 0),
        ("consent", "at", -60, 0),
        ("message", "at", -400, 0),
        ("call", "at", -300, 0),
    ],
)
def test_moments_lie_between_the_past_and_the_day_of_loading(loaded: World, name: str, column: str, least: int, most: float) -> None:
    told: list[datetime] = [row[column] for row in table(loaded, name) if row[column] is not None]
    assert told
    assert loaded.moment(least) <= min(told)
    assert max(told) <= loaded.moment(most)


@cases(
    ("name", "before", "after"),
    [
        ("charge", "created_at", "captured_at"),
        ("charge", "captured_at", "delivered_at"),
        ("refund", "created_at", "settled_at"),
        ("dispute", "created_at", "evidence_due_at"),
        ("ticket", "created_at", "sla_due_at"),
        ("fiu.sar_case", "opened_at", "decided_at"),
        ("fiu.sar_case", "decided_at", "filed_at"),
        ("customer", "opened_at", "last_reviewed_at"),
        ("customer", "opened_at", "updated_at"),
        ("kyc_document", "issued_on", "expires_on"),
        ("contract", "starts_on", "ends_on"),
        ("ownership", "since", "until"),
        ("supplier_document", "issued_on", "expires_on"),
    ],
)
def test_what_comes_later_is_later(loaded: World, name: str, before: str, after: str) -> None:
    turned = [row for row in table(loaded, name) if row[before] is not None and row[after] is not None and row[after] < row[before]]
    assert turned == []


@cases(
    ("band", "months"),
    [("low", 60), ("medium", 36), ("high", 12)],
)
def test_reviews_come_round_by_band(loaded: World, band: str, months: int) -> None:
    """The time between the last and the next review is the band's, to the month."""
    gaps = {
        round((row["next_review_at"] - row["last_reviewed_at"].date()).days / 30.44)
        for row in loaded.core["customer"]
        if row["risk_band"] == band and row["next_review_at"] and row["last_reviewed_at"]
    }
    assert gaps == {months}


def test_not_started_and_rejected_wait_for_no_review(loaded: World) -> None:
    waiting = {row["kyc_status"] for row in loaded.core["customer"] if row["next_review_at"]}
    assert waiting == {"approved", "expired"}


def test_amounts_have_their_median_their_tail_and_their_top(loaded: World) -> None:
    euros = [in_euro(row) for row in loaded.core["charge"]]
    assert round(median(euros)) == 42
    assert round(quantiles(euros, n=20)[-1], -1) == 310
    assert round(max(euros), 1) == 4900


def test_rates_are_of_400_days_up_to_the_day_of_loading(loaded: World) -> None:
    for code, rate in EUR.items():
        rates = {row["day"]: row["eur_per_unit"] for row in loaded.core["fx_rate"] if row["currency"] == code}
        assert sorted(rates) == [loaded.today - timedelta(days=back) for back in range(399, -1, -1)]
        assert rates[loaded.today] == Decimal(rate)
        assert all(abs(found / Decimal(rate) - 1) <= Decimal("0.02001") for found in rates.values())


def test_hostile_requests_are_six_on_any_day(loaded: World) -> None:
    first = {row["ticket_id"]: row["body"] for row in loaded.core["ticket_message"] if row["seq"] == 1}
    hostile = {support_tickets.GRETA_TEXT, *(text for text, _ in support_tickets.HOSTILE)}
    assert sum(first[ticket["id"]] in hostile for ticket, _, _ in requests(loaded)) == 6


def test_story_records_are_no_more_than_the_counts_allow(loaded: World) -> None:
    """A story that is due or overdue is one of the 74 or the 118, not one beside them."""
    late, soon = {row["id"] for row in overdue(loaded)}, {row["id"] for row in due(loaded)}
    assert {number for number, told in stories.CUSTOMERS.items() if told.review == "overdue"} == late & stories.CUSTOMERS.keys()
    assert {number for number, told in stories.CUSTOMERS.items() if told.review == "due"} == soon & stories.CUSTOMERS.keys()


def test_months_of_turnover_are_the_twelve_before_this_one(loaded: World) -> None:
    months = sorted({row["month"] for row in loaded.core["account_turnover"]})
    first = loaded.today.replace(day=1)
    assert len(months) == 12
    assert all(month.day == 1 for month in months)
    assert months[0] == first.replace(year=first.year - 1)
    assert months[-1] < first


@cases("charge", payments.STORY_IDS)
def test_story_charges_are_as_old_on_any_day(loaded: World, charge: str) -> None:
    told = next(story for story in payments.STORY_CHARGES if story["id"] == charge)
    row = next(row for row in loaded.core["charge"] if row["id"] == charge)
    assert row["created_at"] == loaded.moment(told["days"])
