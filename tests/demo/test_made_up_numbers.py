"""Numbers that papers, accounts, cards and phones carry, checked row by row with arithmetic of the tests' own."""

import re
from collections import Counter
from datetime import date
from typing import Any

import pytest

from console.core.papers import vat
from console.demo import stories
from console.demo.world import Paper, Row, World
from tests.tables import cases

WEIGHTS = (7, 3, 1)
ALPHABET = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FICTION = {
    "Ofcom": r"\+44 20 7946 0\d{3}",
    "NANP": r"\+1 202 555 01\d{2}",
    "BNetzA": r"\+49 30 23125 \d{3}",
    "PTS": r"\+46 70 174 06 (0[5-9]|[1-9]\d)",
}
IBAN_LENGTH = {"LT": 20, "DE": 22}
BANK_CODE = {"LT": "99999", "DE": "99999999"}
ISO_3 = {"D": "DE", "LTU": "LT", "NLD": "NL", "POL": "PL", "LVA": "LV", "EST": "EE", "IRL": "IE", "SWE": "SE", "FRA": "FR", "ESP": "ES", "PRT": "PT", "CZE": "CZ", "ITA": "IT", "GBR": "GB", "UKR": "UA", "KAZ": "KZ", "IND": "IN", "TUR": "TR", "BRA": "BR", "VNM": "VN", "LBN": "LB", "VEN": "VE", "KEN": "KE", "NPL": "NP", "AGO": "AO", "JPN": "JP"}  # fmt: skip


def remainder_97(iban: str) -> int:
    """ISO 7064 MOD 97-10, sign by sign: 1 where the check digits are right."""
    rest = 0
    for sign in iban[4:] + iban[:4]:
        value = int(sign) if sign.isdigit() else ord(sign) - 55
        rest = (rest * (10 if value < 10 else 100) + value) % 97
    return rest


def digit(signs: str) -> str:
    """Doc 9303: values 0 to 35, `<` as 0, weights 7 3 1, modulo 10."""
    values = [0 if sign == "<" else ALPHABET.index(sign) - 1 for sign in signs]
    return str(sum(value * WEIGHTS[place % 3] for place, value in enumerate(values)) % 10)


def passport_parts(zone: str) -> dict[str, tuple[str, str]]:
    """Of a passport: what each check digit stands for, and the digit printed."""
    line = zone.split("\n")[1]
    return {
        "number": (line[0:9], line[9]),
        "birth": (line[13:19], line[19]),
        "expiry": (line[21:27], line[27]),
        "personal": (line[28:42], line[42]),
        "composite": (line[0:10] + line[13:20] + line[21:43], line[43]),
    }


def card_parts(zone: str) -> dict[str, tuple[str, str]]:
    """The same of a card of three lines."""
    first, second, _ = zone.split("\n")
    return {
        "number": (first[5:14], first[14]),
        "birth": (second[0:6], second[6]),
        "expiry": (second[8:14], second[14]),
        "composite": (first[5:30] + second[0:7] + second[8:15] + second[18:29], second[29]),
    }


def papers(world: World, *forms: str) -> list[Paper]:
    return [paper for paper in world.papers if paper.form in forms]


def ibans(world: World) -> dict[str, list[str]]:
    """Where an IBAN stands -> those that stand there."""
    told = {
        "account": [row["iban"] for row in world.core["account"]],
        "account_turnover": [row["iban"] for row in world.core["account_turnover"]],
        "supplier_bank_account": [row["iban"] for row in world.supply["supplier_bank_account"]],
        "invoice": [row["iban_on_invoice"] for row in world.supply["invoice"] if row["iban_on_invoice"]],
        "supplier_request": [row["iban"].replace(" ", "") for row in world.supply["supplier_request"] if row["iban"]],
    }
    texts = [row["body"] for row in world.core["ticket_message"]] + [row["title"] for row in world.supply["task"]]
    found = [re.findall(r"\b[A-Z]{2}\d{2}(?: \d{2,4}){3,}", text[:2000]) for text in texts]
    return told | {"free text": [iban.replace(" ", "") for many in found for iban in many]}


IBAN_PLACES = ("account", "account_turnover", "supplier_bank_account", "invoice", "supplier_request", "free text")


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


@cases(
    ("iban", "right"),
    [
        ("GB82WEST12345698765432", True),  # the example of ISO 13616's registry
        ("DE89370400440532013000", True),
        ("GB82WEST12345698765433", False),
        ("GB28WEST12345698765432", False),
        (stories.FOREIGN_IBAN, True),
        (stories.ALDER_FINCH_IBAN, True),
        (stories.BRIGHT_WATER_IBAN, True),
    ],
)
def test_own_arithmetic_knows_right_from_wrong(iban: str, right: bool) -> None:
    assert (remainder_97(iban) == 1) == right


PHONES = [("customer", "phone"), ("supplier", "main_phone"), ("contact", "phone")]


@pytest.mark.parametrize(("table", "column"), PHONES)
def test_phones_lie_in_ranges_kept_for_fiction(world: World, table: str, column: str) -> None:
    rows = world.core.get(table) or world.supply[table]
    told = [row[column] for row in rows if row[column]]
    assert told
    assert [number for number in told if not any(re.fullmatch(form, number) for form in FICTION.values())] == []


@pytest.mark.parametrize("authority", FICTION)
def test_every_range_is_in_use(world: World, authority: str) -> None:
    numbers = [row["phone"] or "" for row in world.core["customer"] + world.supply["contact"]]
    assert any(re.fullmatch(FICTION[authority], number) for number in numbers)


def test_phone_numbers_in_texts_are_fictional_too(world: World) -> None:
    found = [number for row in world.supply["task"] for number in re.findall(r"\+\d[\d ]{8,}\d", row["title"])]
    assert found == ["+44 20 7946 0999"]


@pytest.mark.parametrize(
    ("table", "column"), [("customer", "email"), ("supplier", "main_email"), ("contact", "email"), ("supplier", "website"), ("supplier_request", "website")]
)  # fmt: skip
def test_addresses_end_in_example(world: World, table: str, column: str) -> None:
    rows = world.core.get(table) or world.supply[table]
    told = [row[column] for row in rows if row[column]]
    form = r"https://[a-z0-9-]+(\.[a-z0-9-]+)*\.example" if column == "website" else r"[a-z0-9.+-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.example"
    assert told
    assert [address for address in told if not re.fullmatch(form, address)] == []


@pytest.mark.parametrize("form", [r"https?://([\w.-]+)", r"[\w.+-]+@([\w.-]+)"])
def test_addresses_in_texts_end_in_example(world: World, form: str) -> None:
    texts = [row["body"][:2000] for row in world.core["ticket_message"]] + [row["title"] for row in world.supply["task"]]
    hosts = {host.rstrip(".") for text in texts for host in re.findall(form, text)}
    assert hosts
    assert all(host.endswith(".example") for host in hosts)


def test_cards_are_known_by_their_last_four_only(world: World) -> None:
    for row in world.core["charge"]:
        carded = row["method"] in {"card", "wallet"}
        assert (row["card_last4"] is not None) == (row["card_brand"] is not None) == carded
        assert row["card_last4"] is None or re.fullmatch(r"\d{4}", row["card_last4"])


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


@cases("currency", ["EUR", "GBP", "USD", "SEK", "PLN", "JPY", "KWD"])
def test_only_euro_is_paid_by_direct_debit(world: World, currency: str) -> None:
    methods = Counter(row["method"] for row in world.core["charge"] if row["currency"] == currency)
    assert ("sepa_debit" in methods) == (currency == "EUR")
    assert methods["card"] > methods["wallet"] > 0


PASSPORT_DIGITS = ("number", "birth", "expiry", "personal", "composite")


@cases("part", PASSPORT_DIGITS)
def test_check_digits_of_passports_are_right_but_story_3(loaded: World, part: str) -> None:
    wrong = [
        paper.row["customer_id"]
        for paper in papers(loaded, "passport")
        if digit(passport_parts(paper.facts["zone"])[part][0]) != passport_parts(paper.facts["zone"])[part][1]
    ]
    assert wrong == ([stories.TORE] if part == "number" else [])


@cases("part", ["number", "birth", "expiry", "composite"])
@cases("form", ["id_card", "residence_permit"])
def test_check_digits_of_cards_are_right(loaded: World, form: str, part: str) -> None:
    found = papers(loaded, form)
    assert found
    for paper in found:
        signs, printed = card_parts(paper.facts["zone"])[part]
        assert digit(signs) == printed, paper.path


def test_story_3_is_wrong_by_three_on_any_day(loaded: World) -> None:
    [paper] = [paper for paper in papers(loaded, "passport") if paper.row["customer_id"] == stories.TORE]
    signs, printed = passport_parts(paper.facts["zone"])["number"]
    assert int(printed) == (int(digit(signs)) + 3) % 10
    assert paper.path.endswith(".png")
    assert paper.row["media_type"] == "image/png"


def holder(world: World, row: Row) -> dict[str, Any]:
    """Birth date, nationality and names of whom an identity paper is for."""
    if row["party_id"]:
        party = next(found for found in world.core["party"] if found["id"] == row["party_id"])
        given, _, family = party["name"].partition(" ")
        return {"birth": party["birth_date"], "nationality": party["nationality"], "given": given, "family": family}
    customer = next(found for found in world.core["customer"] if found["id"] == row["customer_id"])
    return {
        "birth": customer["birth_date"],
        "nationality": customer["nationalities"][0],
        "given": customer["given_names"],
        "family": customer["family_name"],
    }


def test_zones_say_what_the_papers_and_the_rows_say(world: World) -> None:
    for paper in papers(world, "passport", "id_card", "residence_permit"):
        facts, row, who = paper.facts, paper.row, holder(world, paper.row)
        lines = facts["zone"].split("\n")
        if paper.form == "passport":
            issuer, number, born, until, nationality = lines[0][2:5], lines[1][0:9], lines[1][13:19], lines[1][21:27], lines[1][10:13]
        else:
            issuer, number, born, until, nationality = lines[0][2:5], lines[0][5:14], lines[1][0:6], lines[1][8:14], lines[1][15:18]
        assert number == facts["number"] == row["number"]
        assert born == f"{who['birth']:%y%m%d}"
        assert until == f"{row['expires_on']:%y%m%d}"
        assert (ISO_3[issuer.rstrip("<")], ISO_3[nationality.rstrip("<")]) == (row["issuing_country"], who["nationality"])
        assert (date.fromisoformat(facts["birth"]), date.fromisoformat(facts["expires"])) == (who["birth"], row["expires_on"])
        assert facts["given"] == who["given"]
        assert facts["family"] == ("Lindquist" if row["customer_id"] == stories.TORE else who["family"])


def test_zones_are_written_in_the_letters_that_machines_read(world: World) -> None:
    for paper in papers(world, "passport", "id_card", "residence_permit"):
        assert set(paper.facts["zone"]) <= {*ALPHABET, "\n"}
        names = paper.facts["zone"].split("\n")[0][5:] if paper.form == "passport" else paper.facts["zone"].split("\n")[2]
        assert re.fullmatch(r"[A-Z]+(<[A-Z]+)*<<[A-Z]+(<[A-Z]+)*<*", names), names


def test_document_numbers_do_not_repeat(world: World) -> None:
    """Nobody shows a paper of somebody else."""
    identities = [row["number"] for row in world.core["kyc_document"] if row["doc_type"] in {"passport", "id_card", "residence_permit"}]
    assert len(identities) > 1300
    assert max(Counter(identities).values()) == 1


@cases(
    ("table", "column", "form"),
    [
        ("customer", "customer_no", r"C-1\d{4}|C-2\d{4}"),
        ("charge", "id", r"ch_\w{14,}|ch_[A-Z][A-Za-z]+\d+"),
        ("charge", "provider_ref", r"pi_\w{18}"),
        ("refund", "id", r"re_\w{14}|re_PriyaRaman60"),
        ("refund", "provider_ref", r"re_\w{14}"),
        ("dispute", "id", r"dp_\w{14}"),
        ("refund", "idempotency_key", r"refund:\w{20}|demo:priya:60"),
        ("credit", "idempotency_key", r"credit:\w{20}"),
        ("watchlist_entry", "uid", r"FW-(SAN|PEP|INT)-\d{4}"),
        ("fiu.sar_case", "fiu_reference", r"FIU-\d{6}"),
        ("kyc_document", "media_type", r"image/png|application/pdf"),
        ("kyc_document", "file_path", r"C-[12]\d{4}/\d+-[a-z_]+\.(png|pdf)"),
        ("supplier_document", "file_path", r"SUP-\d{4}/\d+-[a-z_]+\.pdf"),
        ("invoice", "id", r"INV-\d{4}-\d{4,5}"),
        ("contact", "id", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("contact", "customer_no", r"C-1\d{4}"),
        ("supplier", "vat_id", r"[A-Z]{2}\w{8,12}"),
    ],
)
def test_ids_have_their_form(world: World, table: str, column: str, form: str) -> None:
    rows = world.core.get(table) or world.supply[table]
    told = [row[column] for row in rows if row[column] is not None]
    assert told
    assert [value for value in told if not re.fullmatch(form, value)] == []


def test_vat_numbers_are_right_but_for_a_few_that_were_mistyped(world: World) -> None:
    wrong = [row["id"] for row in world.supply["supplier"] if vat.problem(row["vat_id"]) is not None and row["status"] == "active"]
    assert 0 < len(wrong) <= 5
    assert len({row["vat_id"] for row in world.supply["supplier"]}) == len(world.supply["supplier"])


@cases(("number", "shown"), [(1, "C-10001"), (412, "C-10412"), (1400, "C-11400"), (1401, "C-20001"), (1718, "C-20318"), (2000, "C-20600")])
def test_customer_numbers_tell_persons_from_companies(world: World, number: int, shown: str) -> None:
    assert stories.customer_no(number) == shown
    row = world.core["customer"][number - 1]
    assert (row["id"], row["customer_no"]) == (number, shown)
    assert row["kind"] == ("person" if shown.startswith("C-1") else "company")


def test_own_arithmetic_agrees_with_the_specimen() -> None:
    """Doc 9303-4: the passport of Anna Maria Eriksson of Utopia."""
    zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
    assert {part: digit(signs) == printed for part, (signs, printed) in passport_parts(zone).items()} == dict.fromkeys(
        PASSPORT_DIGITS, True
    )
