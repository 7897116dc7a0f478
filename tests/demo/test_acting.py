"""The demo's screening: spellings of one name are alike, others are not."""

from dataclasses import replace

import pytest

from console.demo.action_functions import SHOWN, Entry, Subject, _compared, _sounds

JURIJ = Subject("customer", "412", ("Jurij Karavajev",), frozenset({"1967-11-04"}), frozenset({"KZ", "LT"}))
LISTED = ("Караваев Юрий Алексеевич", "KARAVAYEV Yuriy Alekseyevich")


def entry(
    *names: str,
    births: frozenset[str] = frozenset({"1967-11-04"}),
    countries: frozenset[str] = frozenset({"KZ"}),
) -> Entry:
    return Entry(1, 4, "person", names, tuple(map(_sounds, names)), births, countries)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Jurij Karavajev", "Караваев Юрий"),
        ("Yuri Karavayev", "KARAVAYEV Yuriy"),
        ("Sofia Dvořáčková", "DVORACKOVA Sofia"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Iurii Khrushchev", "Юрий Хрущев"),
    ],
)
def test_spellings_of_one_name_are_alike(name: str, other: str) -> None:
    score, _ = _compared(
        Subject("party", "1", (name,), frozenset(), frozenset()),
        entry(other, births=frozenset(), countries=frozenset()),
    )
    assert score >= 0.9


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Adaeze Okonkwo-Bell", "KARAVAYEV Yuriy"),
        ("Marek Novak", "DVOŘÁČEK Petr"),
        ("Ana", "Ana Karolina Costa"),
        ("", "X Y"),
    ],
)
def test_other_names_are_not(name: str, other: str) -> None:
    score, _ = _compared(
        Subject("party", "1", (name,), frozenset(), frozenset()),
        entry(other, births=frozenset(), countries=frozenset()),
    )
    assert score < SHOWN


@pytest.mark.parametrize(
    ("name", "other", "hit"),
    [
        ("Granite Trading B.V.", "Halcyon Harbour Trading B.V.", False),
        ("Granite Trading B.V.", "GRANITE TRADING GmbH", True),
        ("Bright Water Ltd", "Deep Stone Ltd", False),
        ("Ozols Sp. z o.o.", "Rebane Sp. z o.o.", False),
        ("SE AG", "SE AG", True),
    ],
)
def test_companies_are_compared_without_their_legal_form(name: str, other: str, hit: bool) -> None:
    listed = Entry(1, 1, "company", (other,), (_sounds(other, company=True),), frozenset(), frozenset())
    score, _ = _compared(Subject("party", "1", (name,), frozenset(), frozenset(), company=True), listed)
    assert (score >= SHOWN) is hit


def test_the_man_of_the_story_is_found_by_his_cyrillic_name_and_his_namesake_is_told_apart() -> None:
    score, matched = _compared(JURIJ, entry(LISTED[0]))
    assert score >= 0.9
    assert matched == {"name": LISTED[0], "birth_date": "same", "nationality": "same"}
    twin, told = _compared(replace(JURIJ, births=frozenset({"1991-02-17"})), entry(*LISTED))
    assert (twin < score, told["birth_date"]) == (True, "different")
