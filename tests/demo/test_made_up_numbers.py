"""Accounts, phones, cards and addresses of the demo belong to nobody."""

import re

import pytest

from console.demo.world import Paper, World
from tests.tables import cases

FICTION = {
    "Ofcom": r"\+44 20 7946 0\d{3}",
    "NANP": r"\+1 202 555 01\d{2}",
    "BNetzA": r"\+49 30 23125 \d{3}",
    "PTS": r"\+46 70 174 06 (0[5-9]|[1-9]\d)",
}
IBAN_LENGTH = {"LT": 20, "DE": 22}
BANK_CODE = {"LT": "99999", "DE": "99999999"}


def remainder_97(iban: str) -> int:
    """ISO 7064 MOD 97-10, sign by sign: 1 where the check digits are right."""
    rest = 0
    for sign in iban[4:] + iban[:4]:
        value = int(sign) if sign.isdigit() else ord(sign) - 55
        rest = (rest * (10 if value < 10 else 100) + value) % 97
    return rest


def papers(world: World, *forms: str) -> list[Paper]:
    return [paper for paper in world.papers if paper.form in forms]


def ibans(world: World) -> dict[str, list[str]]:
    """Where an IBAN stands -> those that stand there."""
    told = {
        "account": [row["iban"] for row in world.core["account"]],
        "account_turnover": [row["iban"] for row in world.core["account_turnover"]],
        "supplier_bank_account": [row["iban"] for row in world.supply["supplier_bank_account"]],
        "invoice": [row["iban_on_invoice"] for row in world.supply["invoice"] if row["iban_on_invoice"]],
        "supplier_request": [
            row["iban"].replace(" ", "") for row in world.supply["supplier_request"] if row["iban"]
        ],
    }
    texts = [row["body"] for row in world.core["ticket_message"]] + [
        row["title"] for row in world.supply["task"]
    ]
    found = [re.findall(r"\b[A-Z]{2}\d{2}(?: \d{2,4}){3,}", text[:2000]) for text in texts]
    return told | {"free text": [iban.replace(" ", "") for many in found for iban in many]}


IBAN_PLACES = (
    "account",
    "account_turnover",
    "supplier_bank_account",
    "invoice",
    "supplier_request",
    "free text",
)


@cases("place", IBAN_PLACES)
def test_check_digits_of_ibans_are_right(world: World, place: str) -> None:
    found = ibans(world)[place]
    assert found
    assert [iban for iban in set(found) if remainder_97(iban) != 1] == []


@cases("place", IBAN_PLACES)
def test_ibans_are_of_banks_that_do_not_exist(world: World, place: str) -> None:
    for iban in set(ibans(world)[place]):
        country = iban[:2]
        assert iban[4:].startswith(BANK_CODE[country]), iban
        assert len(iban) == IBAN_LENGTH[country], iban


PHONES = [("customer", "phone"), ("supplier", "main_phone"), ("contact", "phone")]


@pytest.mark.parametrize(("table", "column"), PHONES)
def test_phones_lie_in_ranges_kept_for_fiction(world: World, table: str, column: str) -> None:
    rows = world.core.get(table) or world.supply[table]
    told = [row[column] for row in rows if row[column]]
    assert told
    assert [
        number for number in told if not any(re.fullmatch(form, number) for form in FICTION.values())
    ] == []


def test_phone_numbers_in_texts_are_fictional_too(world: World) -> None:
    found = [
        number for row in world.supply["task"] for number in re.findall(r"\+\d[\d ]{8,}\d", row["title"])
    ]
    assert found == ["+44 20 7946 0999"]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("customer", "email"),
        ("supplier", "main_email"),
        ("contact", "email"),
        ("supplier", "website"),
        ("supplier_request", "website"),
    ],
)
def test_addresses_end_in_example(world: World, table: str, column: str) -> None:
    rows = world.core.get(table) or world.supply[table]
    told = [row[column] for row in rows if row[column]]
    form = (
        r"https://[a-z0-9-]+(\.[a-z0-9-]+)*\.example"
        if column == "website"
        else r"[a-z0-9.+-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.example"
    )
    assert told
    assert [address for address in told if not re.fullmatch(form, address)] == []


@pytest.mark.parametrize("form", [r"https?://([\w.-]+)", r"[\w.+-]+@([\w.-]+)"])
def test_addresses_in_texts_end_in_example(world: World, form: str) -> None:
    texts = [row["body"][:2000] for row in world.core["ticket_message"]] + [
        row["title"] for row in world.supply["task"]
    ]
    hosts = {host.rstrip(".") for text in texts for host in re.findall(form, text)}
    assert hosts
    assert all(host.endswith(".example") for host in hosts)


def luhn(digits: str) -> bool:
    doubled = [int(sign) * (2 if place % 2 else 1) for place, sign in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


@cases("table", ["charge", "refund", "dispute", "credit", "ticket", "ticket_message", "customer", "account"])
def test_no_row_holds_a_whole_card_number(world: World, table: str) -> None:
    """Thirteen to nineteen figures in a row that pass Luhn's check and begin as cards do, IBANs apart."""
    for row in world.core[table]:
        for column, value in row.items():
            if column == "iban" or not isinstance(value, str | dict):
                continue
            for figures in re.findall(r"(?<![\w])[3-6]\d{12,18}(?![\w])", str(value)[:2000]):
                assert not luhn(figures), (table, column, figures)
