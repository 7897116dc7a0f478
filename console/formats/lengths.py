"""Lengths of time that stand beside their total: rounded so that the parts add up to it."""

from collections.abc import Sequence

DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60


def adding_up(parts: Sequence[float], total: float, unit: int) -> list[int]:
    """Return the parts, seconds, in whole units, and last what is left over of the total, which is 0 or more.

    They add up to the total in whole units: each is rounded down, and those that lose most by it get back what is missing. Parts that
    come to more than the total add up to what they come to.
    """
    exact = [max(0.0, part) for part in parts]
    exact.append(max(0.0, total - sum(exact)))
    whole = [int(part // unit) for part in exact]
    missing = whole_units(sum(exact), unit) - sum(whole)
    for number in sorted(range(len(exact)), key=lambda number: whole[number] * unit - exact[number])[
        : max(0, missing)
    ]:
        whole[number] += 1
    return whole


def whole_units(seconds: float, unit: int) -> int:
    """Return how many units have passed: a fraction of a second is rounded first, for clocks differ by some."""
    return round(max(0.0, seconds)) // unit


def unit_of(total: float) -> int:
    """Return the unit in which a total and its parts are told: seconds of less than a day, else minutes."""
    return 1 if total < DAY_S else MINUTE_S


def length_words(seconds: int, unit: int) -> str:
    """Return a whole number of units as "2 d 3 h 12 min"; with seconds where these are the unit."""
    named = [(DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"), *([(1, "s")] if unit == 1 else [])]
    words = []
    for size, name in named:
        number, seconds = divmod(seconds, size)
        words += [f"{number} {name}"] if number else []
    return " ".join(words) or f"0 {named[-1][1]}"
