"""Numbers for value added tax: every country's form and check digits, against numbers that are published."""

import pytest

from console.core.papers.vat import EXAMPLES, problem

GOOD = [
    "ATU13585627",
    "BE0403170701",
    "BE0428759497",
    "BG175074752",
    "CHE107787577",
    "CHE107787577IVA",
    "CY10259033P",
    "CZ25123891",
    "CZ7103192745",
    "DE136695976",
    "DK13585628",
    "EE100931558",
    "EL094259216",
    "GR094259216",
    "ES54362315K",
    "ESX2482300W",
    "ESA13585625",
    "ESB58378431",
    "FI20774740",
    "FR40303265045",
    "FR23334175221",
    "GB980780684",
    "GB434031494",
    "GBGD001",
    "GBHA500",
    "HR33392005961",
    "HU12892312",
    "IE6433435F",
    "IE6433435OA",
    "IE8D79739I",
    "IT00743110157",
    "LT119511515",
    "LT100001919017",
    "LU15027442",
    "LV40003521600",
    "MT11679112",
    "NL004495445B01",
    "NL002455799B11",
    "NO995525828",
    "NO995525828MVA",
    "PL8567346215",
    "PT501964843",
    "PT502757191",
    "RO18547290",
    "SE123456789701",
    "SE556188840401",
    "SI50223054",
    "SK2022749619",
    "XI980780684",
    "GB920780684",  # the scheme of 2009, in both of its forms
    "XI920780684",
    "GBGD888800101",
    "XIHA888850015",
    "ADU132950X",
    "ADF000000F",
    "BR45723174000110",
    "BR41142260000189",
    "RS100182160",
    "RS129391320",
    "RU0274051582",
    "RU7707083893",
    "RU500100732259",
]


def last_digit_moved(text: str) -> str:
    """The number with its last digit one higher; what stands after the B of the Netherlands only counts."""
    end = text.rindex("B") if text.startswith("NL") else len(text)
    place = max(number for number, character in enumerate(text[:end]) if character.isdigit())
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


@pytest.mark.parametrize("text", GOOD)
def test_a_number_in_use_is_right_however_it_is_spaced(text: str) -> None:
    assert problem(text) is None
    assert problem(f"{text[:2].lower()} {text[2:5]}.{text[5:]}") is None


@pytest.mark.parametrize(
    "letters", [letters for letters in EXAMPLES if letters != "AD"]
)  # Andorra has no check digits
def test_the_example_of_every_country_is_right_and_one_digit_off_is_not(letters: str) -> None:
    example = EXAMPLES[letters]
    assert problem(example) is None
    said = problem(last_digit_moved(example))
    assert said is not None
    assert said.startswith(("The check digits", f"A VAT number of {letters} looks like"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with the letters"),
        ("123456789", "begins with the letters"),
        ("US123456789", "such as DE136695976"),
        ("DE", "looks like DE136695976"),
        ("DE12345678", "looks like DE136695976"),
        ("DE1366959760", "looks like"),
        ("ATU1358562", "looks like ATU13585627"),
        ("NL004495445C01", "looks like NL"),
        ("DE136695977", "check digits"),
        ("ESX2482300A", "check digits"),
        ("ESA13585626", "check digits"),
        ("FR41303265045", "check digits"),
        ("GBGD500", "looks like"),
        ("GBHA499", "looks like"),
        ("IE6433435G", "check digits"),
        ("SI00000000", "looks like"),
        ("CHE107787578", "check digits"),
        ("45.723.174/0001-11", "check digits"),
        ("RS129391321", "check digits"),
        ("RU5027187067", "check digits"),
        ("RU500100732258", "check digits"),
        ("ADM000000M", "looks like AD"),
        ("DE13669597٦", "looks like"),
        ("DE136695976; drop table", "looks like"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(text: str, words: str) -> None:
    assert words in (problem(text) or "")


def test_every_member_state_is_there() -> None:
    members = [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "EL",
        "ES",
        "FI",
        "FR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
    assert set(EXAMPLES) == {*members, "GB", "XI", "CH", "NO", "AD", "BR", "RS", "RU"}


def test_a_number_of_brazil_is_known_without_its_letters() -> None:
    assert problem("45.723.174/0001-10") is None
