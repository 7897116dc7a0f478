"""Who owns the companies in the end, counted another way than the generator and the view do: chain by chain and in fractions."""

from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest

from console.demo import ownership, stories
from console.demo.world import Row, World
from tests.tables import cases


class Stake(NamedTuple):
    """What a holder at the end of chains has of a company, and over how many companies at most."""

    percent: Fraction
    layers: int


Direct = dict[int, list[tuple[int, Fraction]]]


def direct(world: World) -> Direct:
    """Owned party -> its holders of shares with their part of one."""
    found: Direct = defaultdict(list)
    for row in world.core["ownership"]:
        if row["kind"] == "shares" and row["until"] is None:
            found[row["owned_id"]].append((row["owner_id"], Fraction(row["percent"]) / 100))
    return dict(found)


def chains(held: Direct, company: int, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Every chain from a company to an end; one that comes back to itself ends with the party met again."""
    path = (*path, company)
    if company not in held:
        return [path]
    found = []
    for owner, _ in held[company]:
        found += [(*path, owner)] if owner in path else chains(held, owner, path)
    return found


def owners(held: Direct, company: int) -> dict[int, Stake]:
    """The ends of the chains of a company that do not run in a circle."""
    part = {(owned, owner): share for owned, many in held.items() for owner, share in many}
    found: dict[int, Stake] = {}
    for path in chains(held, company):
        if len(set(path)) < len(path):
            continue
        share = Fraction(1)
        for link in pairwise(path):
            share *= part[link]
        before = found.get(path[-1], Stake(Fraction(0), 0))
        found[path[-1]] = Stake(before.percent + 100 * share, max(before.layers, len(path) - 2))
    return found


@pytest.fixture(scope="module")
def held(world: World) -> Direct:
    return direct(world)


@pytest.fixture(scope="module")
def party_of(world: World) -> dict[int, int]:
    """Customer -> its party."""
    return {row["customer_id"]: row["id"] for row in world.core["party"] if row["customer_id"]}


@pytest.fixture(scope="module")
def by_id(world: World) -> dict[int, Row]:
    return {row["id"]: row for row in world.core["party"]}


@pytest.mark.parametrize(
    ("name", "percent", "layers"), [("Johanna van den Berg", 72, 1), ("Marek Dvořáček", 28, 3)]
)  # fmt: skip
def test_story_4_is_72_and_28_by_the_oracle(
    held: Direct, party_of: dict[int, int], by_id: dict[int, Row], name: str, percent: int, layers: int
) -> None:
    found = owners(held, party_of[stories.HALCYON])
    assert {by_id[owner]["name"]: stake for owner, stake in found.items()}[name] == Stake(Fraction(percent), layers)
    assert sum(stake.percent for stake in found.values()) == 100


STORY_4 = [
    ("Halcyon Harbour Trading B.V.", "Johanna van den Berg", "60"),
    ("Halcyon Harbour Trading B.V.", "Noordzee Invest B.V.", "40"),
    ("Noordzee Invest B.V.", "Johanna van den Berg", "30"),
    ("Noordzee Invest B.V.", "Larkspur Holdings Ltd", "70"),
    ("Larkspur Holdings Ltd", "Brightmoor Ltd", "100"),
    ("Brightmoor Ltd", "Marek Dvořáček", "100"),
]


@cases(("owned", "owner", "percent"), STORY_4)
def test_story_4_holding_by_holding(world: World, by_id: dict[int, Row], owned: str, owner: str, percent: str) -> None:
    found = [
        row["percent"]
        for row in world.core["ownership"]
        if row["kind"] == "shares" and (by_id[row["owned_id"]]["name"], by_id[row["owner_id"]]["name"]) == (owned, owner)
    ]
    assert found == [Decimal(percent)]


@pytest.mark.parametrize(
    ("name", "kind", "country"),
    [
        ("Johanna van den Berg", "person", "NL"),
        ("Noordzee Invest B.V.", "company", "NL"),
        ("Larkspur Holdings Ltd", "company", "MU"),
        ("Brightmoor Ltd", "company", "MU"),
        ("Marek Dvořáček", "person", "CZ"),
    ],
)
def test_parties_of_story_4(world: World, name: str, kind: str, country: str) -> None:
    assert [(row["kind"], row["country"]) for row in world.core["party"] if row["name"] == name] == [(kind, country)]


def test_generator_counts_as_the_oracle_does(world: World, held: Direct, party_of: dict[int, int]) -> None:
    counted = ownership.effective(world.core["ownership"])
    for company in party_of.values():
        expected = {owner: stake.percent for owner, stake in owners(held, company).items()}
        assert {owner: Fraction(percent) for owner, percent in counted[company].items()} == pytest.approx(expected)


def test_every_company_is_owned_whole(held: Direct, party_of: dict[int, int]) -> None:
    """Direct holdings make up 100 % unless a layer leaves the rest in dispersed hands; never more."""
    for company in party_of.values():
        assert 0 < sum(share for _, share in held[company]) <= 1
    for many in held.values():
        assert sum(share for _, share in many) <= 1


def test_only_persons_stand_at_the_end(held: Direct, party_of: dict[int, int], by_id: dict[int, Row]) -> None:
    ends = {owner for company in party_of.values() for owner in owners(held, company)}
    assert {by_id[owner]["kind"] for owner in ends} == {"person"}


@pytest.mark.parametrize(("layers", "companies"), [(1, 60), (2, 0), (3, 38), (4, 0)])
def test_companies_by_layers(held: Direct, party_of: dict[int, int], layers: int, companies: int) -> None:
    deepest = Counter(max(stake.layers for stake in owners(held, company).values()) for company in party_of.values())
    assert deepest[layers] == companies


def test_three_holders_stand_at_exactly_a_quarter(held: Direct, party_of: dict[int, int]) -> None:
    """More than 25 % makes an owner: at exactly 25.0000 it takes another reason."""
    stakes = [stake for company in party_of.values() for stake in owners(held, company).values()]
    assert sum(stake.percent == 25 for stake in stakes) == 3
    assert not [stake for stake in stakes if stake.percent != 25 and abs(stake.percent - 25) < Fraction(1, 10_000)]


def test_one_company_is_held_in_a_circle_and_the_count_ends(held: Direct, party_of: dict[int, int]) -> None:
    circular = {company: [path for path in chains(held, company) if len(set(path)) < len(path)] for company in party_of.values()}
    [(company, paths)] = [(company, paths) for company, paths in circular.items() if paths]
    assert [len(path) for path in paths] == [4]  # company, first, second, first again
    assert paths[0][1] == paths[0][3]
    assert [stake.percent for stake in owners(held, company).values()] == [60]


@cases(
    ("holdings_told", "expected"),
    [
        ([(1, 2, 100)], {2: 100}),
        ([(1, 2, 60), (1, 3, 40), (3, 2, 30), (3, 4, 70)], {2: 72, 4: 28}),
        ([(1, 2, 50), (1, 3, 50), (2, 4, 100), (3, 4, 100)], {4: 100}),
        ([(1, 2, 100), (2, 1, 100)], {}),
        ([(1, 2, 60), (1, 3, 40), (3, 4, 100), (4, 3, 100)], {2: 60}),
        ([(1, 2, 50), (1, 3, 50), (3, 1, 40), (3, 5, 60)], {2: 50, 5: 30}),
        ([(1, 2, 50), (2, 3, 50), (3, 4, 50), (4, 5, 50)], {5: 6.25}),
    ],
    ids=["whole", "story 4", "two ways to one", "each other", "circle beside a person", "back to the start", "four layers"],
)
def test_small_structures(holdings_told: list[tuple[int, int, int]], expected: dict[int, float]) -> None:
    rows = [
        {"owned_id": owned, "owner_id": owner, "kind": "shares", "percent": Decimal(percent)} for owned, owner, percent in holdings_told
    ]
    votes = [row | {"kind": "votes", "owner_id": 99} for row in rows]
    assert ownership.effective(rows + votes)[1] == {owner: Decimal(str(percent)) for owner, percent in expected.items()}


def test_owners_on_file_are_those_above_a_quarter_but_for_story_4(world: World, held: Direct, party_of: dict[int, int]) -> None:
    on_file = {(row["customer_id"], row["party_id"]): row for row in world.core["beneficial_owner"]}
    for customer, company in party_of.items():
        for owner, stake in owners(held, company).items():
            row = on_file.get((customer, owner))
            if stake.percent <= 25:
                assert row is None or row["basis"] != "ownership"
            elif customer != stories.HALCYON:
                assert row is not None
                assert row["basis"] == "ownership"
                assert row["effective_percent"] == pytest.approx(
                    Decimal(stake.percent.numerator) / stake.percent.denominator, abs=Decimal("0.00005")
                )
    assert [(row["effective_percent"], row["in_register"]) for key, row in on_file.items() if key[0] == stories.HALCYON] == [(60, "yes")]


def test_votes_repeat_the_shares_that_they_come_with(world: World) -> None:
    shares = {
        (row["owned_id"], row["owner_id"]): (row["percent"], row["since"]) for row in world.core["ownership"] if row["kind"] == "shares"
    }
    votes = {
        (row["owned_id"], row["owner_id"]): (row["percent"], row["since"]) for row in world.core["ownership"] if row["kind"] == "votes"
    }
    assert votes.items() <= shares.items()
    assert votes


def test_each_company_has_one_director_and_each_office_a_person(world: World, party_of: dict[int, int], by_id: dict[int, Row]) -> None:
    offices = world.core["officer"]
    assert {by_id[row["company_id"]]["kind"] for row in offices} == {"company"}
    assert {by_id[row["person_id"]]["kind"] for row in offices} == {"person"}
    assert Counter(row["company_id"] for row in offices if row["role"] == "director") == dict.fromkeys(party_of.values(), 1)


def test_signatories_are_of_their_company(world: World, held: Direct) -> None:
    """A signatory holds shares in the company for which it signs, at the end of its chains."""
    for row in world.core["officer"]:
        if row["role"] in {"director", "signatory"}:
            ends = {path[-1] for path in chains(held, row["company_id"])}
            assert row["person_id"] in ends


def test_one_nominee_sits_in_many_deep_structures(world: World, held: Direct) -> None:
    nominees = [row for row in world.core["officer"] if row["role"] == "nominee_director"]
    assert len({row["person_id"] for row in nominees}) == 1
    assert len(nominees) >= 14
    assert all(max(stake.layers for stake in owners(held, row["company_id"]).values()) == 3 for row in nominees)


def test_parties_that_are_customers_say_the_same_of_themselves(world: World, party_of: dict[int, int], by_id: dict[int, Row]) -> None:
    for customer in world.core["customer"]:
        if customer["kind"] == "company":
            party = by_id[party_of[customer["id"]]]
            assert (party["name"], party["register_no"], party["country"]) == (
                customer["display_name"],
                customer["register_no"],
                customer["residence_country"],
            )
            assert party["kind"] == "company"
