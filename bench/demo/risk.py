"""The house's risk matrix, version 3: points to score to band, and which points make a wanted band.

`score = round_half_up(sum(weight * points / 3))`; 0-24 low, 25-49 medium, 50-100 high; floors raise the band and never the score.
"""

import functools
import itertools
import math
from random import Random

MODEL_VERSION = "risk-matrix-3"
WEIGHTS = {
    "country": 25,
    "structure": 15,
    "sector": 15,
    "product": 10,
    "activity": 15,
    "pep": 10,
    "media": 10,
}
PEP_POINTS = {"none": 0, "former": 1, "family": 2, "associate": 2, "pep": 3}

Points = dict[str, int]


def score(points: Points) -> int:
    """0 to 100; half a point counts up."""
    return (2 * sum(WEIGHTS[factor] * points[factor] for factor in WEIGHTS) + 3) // 6


def band_of(total: int) -> str:
    """The band of a score, before floors."""
    if total < 25:
        return "low"
    return "medium" if total < 50 else "high"


def floor_reason(points: Points) -> str | None:
    """Why the band is at least high whatever the score, None without a reason."""
    if points["pep"] >= 2:
        return "pep"
    if points["country"] == 3:
        return "high_risk_country"
    return "media" if points["media"] == 3 else None


def band(points: Points) -> str:
    """The band with its floors; a true sanctions match, which makes it prohibited, is not among the points."""
    return "high" if floor_reason(points) else band_of(score(points))


def points_for(wanted: str, *, structure: int, pep: int, country: int | None, rng: Random) -> Points:
    """Points that give the band `wanted`, drawn so that plain cases are the most frequent; `country` None leaves it open (low or medium)."""
    choices, weights = _choices(wanted, structure, pep, country)
    return dict(zip(WEIGHTS, rng.choices(choices, cum_weights=weights)[0], strict=True))


@functools.cache
def _choices(
    wanted: str, structure: int, pep: int, country: int | None
) -> tuple[list[tuple[int, ...]], list[float]]:
    rarity = {
        "country": (8, 2, 0, 1),
        "sector": (8, 5, 2, 1),
        "product": (5, 6, 3, 1),
        "activity": (30, 5, 1, 0.5),
        "media": (60, 2, 0, 1),
    }
    choices: list[tuple[int, ...]] = []
    weights: list[float] = []
    countries = (0, 1) if country is None else (country,)
    for spot in itertools.product(countries, (structure,), range(4), range(4), range(4), (pep,), (0, 1, 3)):
        points = dict(zip(WEIGHTS, spot, strict=True))
        if band(points) == wanted:
            choices.append(spot)
            weights.append(math.prod(likely[points[factor]] for factor, likely in rarity.items()))
    return choices, list(itertools.accumulate(weights))
