"""The risk matrix of the demo: scores, bands and floors."""

import pytest

from console.demo import risk
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


@pytest.mark.parametrize(
    ("raised", "reason"),
    [({"pep": 2}, "pep"), ({"country": 3}, "high_risk_country"), ({"media": 3}, "media"), ({"pep": 1}, None)],
)
def test_floors_raise_the_band_and_not_the_score(raised: dict[str, int], reason: str | None) -> None:
    found = points(0, 0, 0, 0, 0, 0, 0) | raised
    assert risk.floor_reason(found) == reason
    assert risk.band(found) == ("high" if reason else "low")
    assert risk.score(found) < 50
