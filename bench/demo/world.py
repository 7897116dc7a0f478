"""The made-up company while it is being made: dice that fall the same way each time."""

from collections.abc import Mapping
from random import Random
from statistics import NormalDist

from console.demo.world import Paper, Row, Tables, World

__all__ = ["Paper", "Row", "Tables", "World", "dice", "lognormal", "pick", "sha256_like", "spread", "token"]

SEED = 20261120


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
    values: list[float] = [
        median * 2.718281828459045 ** (sigma * normal.inv_cdf((place + 0.5) / count))
        for place in range(count)
    ]
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
