"""The demo's screening: names in whatever alphabet, what raises and lowers a score, and who is compared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console import log
from console.demo.action_functions import SHOWN, Entry, Subject, _as_of, _compared, _places, _screening_sentence, _sounds
from console.demo.romanise import MOST, latin, sound
from tests.tables import cases

JURIJ = Subject("customer", "412", ("Jurij Karavajev",), frozenset({"1967-11-04"}), frozenset({"KZ", "LT"}))
LISTED = ("Караваев Юрий Алексеевич", "KARAVAYEV Yuriy Alekseyevich")


def entry(*names: str, births: frozenset[str] = frozenset({"1967-11-04"}), countries: frozenset[str] = frozenset({"KZ"})) -> Entry:
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
    score, _ = _compared(Subject("party", "1", (name,), frozenset(), frozenset()), entry(other, births=frozenset(), countries=frozenset()))
    assert score >= 0.9


@pytest.mark.parametrize(
    ("name", "other"),
    [("Adaeze Okonkwo-Bell", "KARAVAYEV Yuriy"), ("Marek Novak", "DVOŘÁČEK Petr"), ("Ana", "Ana Karolina Costa"), ("", "X Y")],
)
def test_other_names_are_not(name: str, other: str) -> None:
    score, _ = _compared(Subject("party", "1", (name,), frozenset(), frozenset()), entry(other, births=frozenset(), countries=frozenset()))
    assert score < SHOWN


def test_the_man_of_the_story_is_found_by_his_cyrillic_name_and_his_namesake_is_told_apart() -> None:
    score, matched = _compared(JURIJ, entry(LISTED[0]))
    assert score >= 0.9
    assert matched == {"name": LISTED[0], "birth_date": "same", "nationality": "same"}
    twin, told = _compared(replace(JURIJ, births=frozenset({"1991-02-17"})), entry(*LISTED))
    assert (twin < score, told["birth_date"]) == (True, "different")


@pytest.mark.parametrize(
    ("births", "said"),
    [
        ({"1967-11-04", "1968"}, "same"),
        ({"1967"}, "near"),
        ({"1967-11"}, "near"),
        ({"1967-10"}, "different"),
        ({"1950-01-01"}, "different"),
        (set(), "unknown"),
    ],
)
def test_dates_of_birth_are_compared_as_far_as_they_are_known(births: set[str], said: str) -> None:
    assert _compared(JURIJ, entry(*LISTED, births=frozenset(births)))[1]["birth_date"] == said


@pytest.mark.parametrize(
    ("own", "listed", "said"),
    [("Malmö", "MALMO", "same"), ("Semey", "Semipalatinsk", "unlike"), ("Київ", "Kyiv", "same"), ("", "Kaunas", "unknown")],
)
def test_places_of_birth_agree_or_are_left_to_a_person(own: str, listed: str, said: str) -> None:
    assert _places(own, listed) == said


def test_a_change_of_the_data_is_told() -> None:
    assert JURIJ.digest() == replace(JURIJ).digest()
    assert len({JURIJ.digest(), replace(JURIJ, ref="413").digest(), replace(JURIJ, names=("Jurij K",)).digest()}) == 3


def test_spellings_are_few_and_latin_stays_as_it_is() -> None:
    assert latin("Jürgen O’Neill-Šimek") == ["jurgen o neill simek"]
    assert 1 < len(latin("Юрий Хрущев Щербаков Яковлевич")) <= MOST
    assert sound("yuriy") == sound("iurij") == sound("jurii")


@cases(
    ("names", "undecided", "stand", "since", "said"),
    [
        (1, 0, 0, None, "1 name compared with 3 lists: no open hit."),
        (1, 1, 0, None, "1 name compared with 3 lists: 1 open hit."),
        (4, 2, 0, None, "4 names compared with 3 lists: 2 open hits."),
        (4, 0, 4, "2026-11-03", "4 names compared with 3 lists: no open hit. Of these, 4 had not changed since the screening of 3 Nov 2026 against the same lists: it stands."),
        (2, 1, 1, "2026-11-20", "2 names compared with 3 lists: 1 open hit. Of these, 1 had not changed since the screening of 20 Nov 2026 against the same lists: it stands."),
    ],
)  # fmt: skip
def test_what_a_screening_came_to_is_said_in_a_sentence(names: int, undecided: int, stand: int, since: str | None, said: str) -> None:
    assert _screening_sentence(names, 3, undecided, stand, since) == said


def test_a_former_screening_is_only_spoken_of_where_one_stands() -> None:
    assert "had not changed" not in _screening_sentence(5, 3, 0, 0, None)


@cases(
    ("own", "listed", "counts"),
    [("Kaunas", "Kaunas", "same"), ("Semey", "Semipalatinsk", "unlike"), ("", "Kaunas", "unknown"), ("Kaunas", "", "unknown"), ("", "", "unknown")],
)  # fmt: skip
def test_a_place_that_is_unlike_is_left_to_a_person_and_one_that_agrees_clears_nobody(own: str, listed: str, counts: str) -> None:
    """`same` alone is what the review refuses as an identifier that differs."""
    assert _places(own, listed) == counts


def test_in_the_past_weeks_a_list_has_the_version_of_its_week(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _as_of("any name") == "any name"
    monkeypatch.setattr(log, "moved_by", lambda: timedelta(-22))
    monkeypatch.setattr(log, "now", lambda: datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert [_as_of(version) for version in ("2026.11.20", "2026.11.01", "2026.10.02")] == ["2026.10.30", "2026.11.01", "2026.10.02"]
