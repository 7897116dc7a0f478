"""The risk matrix: scores of the stories, bounds of the bands, floors, and points made for a wanted band."""

import itertools
from random import Random

import pytest

from console.demo import risk, stories
from tests.tables import cases


def points(country: int, structure: int, sector: int, product: int, activity: int, pep: int, media: int) -> risk.Points:
    return dict(zip(risk.WEIGHTS, (country, structure, sector, product, activity, pep, media), strict=True))


@cases(
    ("found", "total", "band"),
    [
        ((0, 0, 0, 0, 0, 0, 0), 0, "low"),
        ((3, 3, 3, 3, 3, 3, 3), 100, "high"),
        ((1, 0, 3, 3, 0, 0, 0), 33, "medium"),  # story 1
        ((0, 0, 0, 1, 0, 0, 0), 3, "low"),  # story 2
        ((0, 0, 1, 2, 2, 0, 0), 22, "low"),  # story 3 with 3.8 times the expected activity
        ((1, 3, 1, 3, 1, 2, 0), 50, "high"),  # story 4
        ((0, 0, 3, 2, 0, 1, 0), 25, "medium"),
        ((0, 0, 0, 1, 1, 0, 0), 8, "low"),  # 25 / 3 = 8.33
        ((0, 1, 1, 1, 1, 0, 0), 18, "low"),  # 55 / 3 = 18.33
    ],
)
def test_score_and_band(found: tuple[int, ...], total: int, band: str) -> None:
    assert (risk.score(points(*found)), risk.band(points(*found))) == (total, band)


def test_half_a_point_counts_up() -> None:
    for spot in itertools.islice(itertools.product(range(4), repeat=7), 0, None, 7):
        found = points(*spot)
        exact = sum(risk.WEIGHTS[name] * found[name] for name in found) / 3
        assert risk.score(found) == int(exact + 0.5)


@cases(("total", "band"), [(0, "low"), (24, "low"), (25, "medium"), (49, "medium"), (50, "high"), (100, "high")])
def test_bounds_of_the_bands(total: int, band: str) -> None:
    assert risk.band_of(total) == band


@pytest.mark.parametrize(
    ("raised", "reason"),
    [({"pep": 2}, "pep"), ({"country": 3}, "high_risk_country"), ({"media": 3}, "media"), ({"pep": 1}, None)],
)
def test_floors_raise_the_band_and_not_the_score(raised: dict[str, int], reason: str | None) -> None:
    found = points(0, 0, 0, 0, 0, 0, 0) | raised
    assert risk.floor_reason(found) == reason
    assert risk.band(found) == ("high" if reason else "low")
    assert risk.score(found) < 50


@cases("wanted", ["low", "medium", "high"])
@cases("structure", [0, 1, 3])
def test_points_made_for_a_band_give_it(wanted: str, structure: int) -> None:
    rng = Random(3)
    for _ in range(200):
        made = risk.points_for(wanted, structure=structure, pep=0, country=None, rng=rng)
        assert risk.band(made) == wanted
        assert made["structure"] == structure


def test_stories_stand_in_the_band_that_their_points_give() -> None:
    assert {number: risk.band(story.points) for number, story in stories.CUSTOMERS.items()} == {
        number: story.band for number, story in stories.CUSTOMERS.items()
    }
