"""The twelve records with a story, as the acceptance scenarios will find them. Day T is 2026-11-20."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.core.papers import iban
from console.demo import paper_numbers, stories
from console.demo.world import World

Ask = Callable[..., list[tuple[Any, ...]]]
T = date(2026, 11, 20)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def paper_of(world: World, customer: int, form: str) -> dict[str, str]:
    return next(
        paper.facts
        for paper in world.papers
        if paper.row.get("customer_id") == customer and paper.form == form
    )


def digits_agree(zone: str) -> dict[str, bool]:
    """Of the second line of a passport: number, birth, expiry, all together."""
    return {
        "number": paper_numbers.check_digit(zone[:9]) == int(zone[9]),
        "birth": paper_numbers.check_digit(zone[13:19]) == int(zone[19]),
        "expiry": paper_numbers.check_digit(zone[21:27]) == int(zone[27]),
        "all": paper_numbers.check_digit(zone[:10] + zone[13:20] + zone[21:43]) == int(zone[43]),
    }


def test_story_1_is_the_listed_man_written_in_other_letters(core: Ask) -> None:
    assert core(
        "select display_name, residence_country, nationalities, birth_date, occupation from customer where customer_no = 'C-10412'"
    ) == [("Jurij Karavajev", "LT", ["KZ"], date(1967, 11, 4), "Importer")]
    [(name, born, aliases, score, status)] = core(
        "select entry_name, birth_dates, aliases, score, h.status::text from customer_hit h join customer c on c.id = customer_id where customer_no = 'C-10412'"
    )
    assert (name, born, status) == ("KARAVAYEV Yuriy Alekseyevich", ["1967-11-04"], "open")
    assert "Караваев Юрий Алексеевич" in aliases
    assert score >= Decimal("0.9")
    tokens = {word.lower() for alias in (name, aliases[0]) for word in alias.split()}
    assert not tokens & {"jurij", "karavajev"}


def test_story_3_is_active_far_above_what_was_told(core: Ask) -> None:
    assert core("select ratio_to_expected from customer_activity_12m where customer_id = 633") == [
        (Decimal("3.80"),)
    ]


def test_story_2_has_a_passport_that_expired_45_days_ago(core: Ask, world: World) -> None:
    found = core(
        "select doc_type::text, expires_on, storage::text from kyc_document where customer_id = 518 and doc_type <> 'proof_of_address'"
    )
    assert found == [("passport", T - timedelta(days=45), "live")]
    assert all(digits_agree(paper_of(world, 518, "passport")["zone"].split("\n")[1]).values())
    assert core("select count(*) from customer_hit where customer_id = 518") == [(0,)]


def test_story_3_has_one_wrong_digit_and_another_printed_name(world: World) -> None:
    facts = paper_of(world, 633, "passport")
    first, second = facts["zone"].split("\n")
    assert digits_agree(second) == {"number": False, "birth": True, "expiry": True, "all": True}
    assert int(second[9]) == (paper_numbers.check_digit(second[:9]) + 3) % 10
    assert (facts["family"], first[5:14]) == ("Lindquist", "LINDQVIST")


def test_story_4_is_owned_72_and_28(core: Ask) -> None:
    found = core(
        "select party.name, percent, layers, cyclic from ownership_effective e join party on party.id = party_id join customer c on c.id = e.customer_id"
        " where customer_no = 'C-20318' order by percent desc"
    )
    assert found == [
        ("Johanna van den Berg", Decimal("72.0000"), 1, False),
        ("Marek Dvořáček", Decimal("28.0000"), 3, False),
    ]


def test_plain_reviews_have_everything_they_need(core: Ask) -> None:
    """The first stories of KYC review: papers to check, nothing in the way, seen by both operators."""
    for number in (stories.ADAEZE, *stories.PLAIN):
        [(desk, status, band, restriction)] = core(
            "select desk::text, kyc_status::text, risk_band::text, restriction_code::text from customer where id = %s",
            number,
        )
        assert (desk, status, band, restriction) == ("retail", "approved", "low", "none")
        assert core("select count(*) from customer_hit where customer_id = %s", number) == [(0,)]
        proofs = core(
            "select issued_on, status::text, storage::text from kyc_document where customer_id = %s and doc_type = 'proof_of_address' and status <> 'superseded'",
            number,
        )
        assert [
            (T - issued <= timedelta(days=90), status, storage) for issued, status, storage in proofs
        ] == [(True, "received", "live")]
    for number in stories.PLAIN:
        [(expires,)] = core("select identity_expires_on from customer where id = %s", number)
        assert expires > T + timedelta(days=30)


@pytest.mark.parametrize(
    ("charge", "name", "amount", "currency", "remaining", "euro"),
    [
        (stories.PRIYA_CHARGE, "Priya Raman", 18_000, "EUR", 12_000, "180.00"),
        (stories.KENJI_YEN, "Kenji Morita", 48_000, "JPY", 48_000, "292.80"),
        (stories.KENJI_DINAR, "Kenji Morita", 31_250, "KWD", 31_250, "93.44"),
        (stories.BRAM_CHARGE, "Bram de Wit", 7_490, "EUR", 7_490, "74.90"),
        (stories.OLEKSANDRA_CHARGE, "Oleksandra Hnatiuk", 24_000, "EUR", 24_000, "240.00"),
        (stories.GRETA_CHARGE, "Greta Falk", 4_900, "EUR", 4_900, "49.00"),
        (stories.PLAIN_CHARGES[0], "Marta Kowalczyk", 4_250, "EUR", 4_250, "42.50"),
    ],
)
def test_charges_of_stories(
    core: Ask, charge: str, name: str, amount: int, currency: str, remaining: int, euro: str
) -> None:
    found = core(
        "select display_name, amount_minor, charge.currency, remaining_minor, amount_eur, charge.status::text, open_requests > 0"
        " from charge join customer on customer.id = customer_id join charge_refundable on charge_id = charge.id where charge.id = %s",
        charge,
    )
    assert found == [(name, amount, currency, remaining, Decimal(euro), "succeeded", True)]


def test_story_5_has_sixty_euro_back_since_twelve_days(core: Ask) -> None:
    [(amount, status, at)] = core(
        "select amount_minor, status::text, created_at from refund where charge_id = %s", stories.PRIYA_CHARGE
    )
    assert (amount, status, (MIDNIGHT - at).days) == (6_000, "succeeded", 12)
    [(body,)] = core(
        "select body from ticket join ticket_message on ticket_id = ticket.id where charge_id = %s",
        stories.PRIYA_CHARGE,
    )
    assert "everything back" in body


def test_story_7_asks_twice_within_eight_minutes(core: Ask) -> None:
    found = core(
        "select channel::text, created_at from ticket where charge_id = %s order by created_at",
        stories.BRAM_CHARGE,
    )
    assert [channel for channel, _ in found] == ["email", "chat"]
    assert found[1][1] - found[0][1] == timedelta(minutes=8)
    assert core("select metadata->>'simulate' from charge where id = %s", stories.BRAM_CHARGE) == [
        ("timeout_after_commit",)
    ]


def test_story_8_is_disputed_and_its_sibling_may_be_refunded(core: Ask) -> None:
    found = core(
        "select stage::text, status::text, reason, is_charge_refundable, evidence_due_at from dispute where charge_id in (%s, %s) order by stage::text",
        stories.OLEKSANDRA_CHARGE,
        stories.OLEKSANDRA_SIBLING,
    )
    assert [row[:4] for row in found] == [
        ("chargeback", "needs_response", "product_not_received", False),
        ("inquiry", "warning_needs_response", "product_not_received", True),
    ]
    assert (found[0][4] - MIDNIGHT).days == 5


def test_story_9_is_ticket_55021(core: Ask) -> None:
    assert core(
        "select display_name, charge_id, ticket.status::text from ticket join customer on customer.id = customer_id where ticket.id = 55021"
    ) == [("Greta Falk", stories.GRETA_CHARGE, "open")]
    assert core("select body from ticket_message where ticket_id = 55021") == [(stories.GRETA_TEXT,)]
    assert iban.holds("LT45 9999 9000 1234 5678")


def test_six_open_requests_are_hostile(core: Ask) -> None:
    bodies = [
        body
        for (body,) in core(
            "select body from ticket join ticket_message on ticket_id = ticket.id and seq = 1 where kind = 'refund_request' and status = 'open'"
        )
    ]
    marks = ("<script>", "\u202e", "Ignore your rules", "SYSTEM:")
    hostile = [
        body
        for body in bodies
        if len(body) > 10_000 or body.startswith("=") or any(mark in body for mark in marks)
    ]
    assert len(hostile) == 6
    assert max(map(len, hostile)) >= 200_000
    assert sum("\u202e" in body for body in hostile) == 1
    assert sum("<script>" in body for body in hostile) == 1
    assert sum(body.startswith("=") for body in hostile) == 1


def test_story_10_wants_other_bank_data(supply: Ask) -> None:
    accounts: dict[str, str] = dict(
        supply(
            "select iban, status || ' ' || coalesce(vop, '') from supplier_bank_account where supplier_id = 147"
        )
    )
    assert accounts == {
        "DE66999999991234567890": accounts["DE66999999991234567890"],
        "LT459999900012345678": "proposed no_match",
    }
    assert accounts["DE66999999991234567890"].startswith("active")
    assert supply("select legal_name, main_email, proposed_accounts from supplier where id = 147") == [
        ("Alder & Finch Print GmbH", "accounts@alderfinch.example", 1)
    ]
    assert supply(
        "select amount_minor, iban_on_invoice from invoice where supplier_id = 147 and id = 'INV-2611-0482'"
    ) == [(4_820_000, "LT459999900012345678")]
    [(title,)] = supply("select title from task where supplier_id = 147 and title like 'Bank change%'")
    assert "alder-finch-print.example" in title
    assert "before Friday" in title


def test_story_11_is_a_company_that_we_know(supply: Ask) -> None:
    [(name, stated, account, status)] = supply(
        "select company_name, vat_id, iban, status from supplier_request where id = 240"
    )
    assert (name, status) == ("Brightwater Logistik GmbH", "new")
    assert supply("select id, legal_name from supplier where vat_id = ?", stated.replace(" ", "")) == [
        (88, "Bright Water Logistics GmbH")
    ]
    assert supply(
        "select supplier_id, status from supplier_bank_account where iban = ?", account.replace(" ", "")
    ) == [(88, "active")]


def test_story_12_said_stop_after_the_first_call(supply: Ask) -> None:
    assert supply("select name, time_zone, stage, consents from contact where id = ?", stories.SAM) == [
        ("Sam Whitfield", "America/Denver", "contacted", 3)
    ]
    assert supply("select script, attempt, outcome from call where contact_id = ?", stories.SAM) == [
        ("A", 1, "no_answer")
    ]
    assert supply("select body from message where contact_id = ? and direction = 'in'", stories.SAM) == [
        ("Stop pls",)
    ]
