"""The made-up company while it is being made: rows per table, papers to draw, and dice that fall the same way each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from statistics import NormalDist
from typing import Any

SEED = 20261120

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to be drawn: `form` names the template, `facts` what is printed on it; `row` receives hash and pages."""

    path: str
    form: str
    facts: dict[str, str]
    row: Row = field(compare=False)


@dataclass(slots=True)
class World:
    """Rows of both databases for a company whose present is `today`; `core` and `supply` are table name -> rows."""

    today: date
    core: Tables = field(default_factory=dict)
    supply: Tables = field(default_factory=dict)
    papers: list[Paper] = field(default_factory=list)

    def day(self, offset: int) -> date:
        """The date `offset` days after today; negative is in the past."""
        return self.today + timedelta(days=offset)

    def moment(self, days: float) -> datetime:
        """Midnight UTC of today moved by `days`, which may be a fraction; negative is in the past."""
        exact = datetime.combine(self.today, time(), UTC) + timedelta(days=days)
        return exact.replace(microsecond=0)


def dice(part: str) -> Random:
    """The random numbers of one part of the company, independent of how many other parts draw."""
    return Random(f"{SEED}/{part}")


def spread(counts: dict[str, int], rng: Random) -> list[str]:
    """Each key as often as its count says, in random order."""
    values = [key for key, count in counts.items() for _ in range(count)]
    rng.shuffle(values)
    return values


def lognormal(count: int, median: float, sigma: float, rng: Random) -> list[float]:
    """`count` values at evenly spaced quantiles of a log-normal distribution, in random order."""
    normal = NormalDist()
    values: list[float] = [median * 2.718281828459045 ** (sigma * normal.inv_cdf((place + 0.5) / count)) for place in range(count)]
    rng.shuffle(values)
    return values


def pick(rng: Random, weighted: Mapping[str, float]) -> str:
    """One key, drawn by weight."""
    return rng.choices(list(weighted), weights=list(weighted.values()))[0]


def token(rng: Random, length: int = 14) -> str:
    """Letters and digits as providers put in their ids."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
    return "".join(rng.choices(alphabet, k=length))


def sha256_like(rng: Random) -> str:
    """64 hexadecimal digits: the hash of a paper that lies in the archive."""
    return f"{rng.getrandbits(256):064x}"


def columns(rows: Sequence[Row]) -> list[str]:
    """The column names of rows that all have the same ones."""
    return list(rows[0])
