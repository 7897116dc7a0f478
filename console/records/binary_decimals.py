"""Decimals of SQLite, which keeps them as binary numbers: what was calculated as 0.61728 may be there as 0.6172799999999999.

A number that is this close to one of the declared decimals is that one: so it is shown, found, compared and counted.
"""

import math
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

MOST_SCALE = 15
RELATIVE = 1.8e-15  # some eight times what tells a number from the next one
WHOLE = 2**53


def tolerance(number: float, scale: int) -> float:
    """How far a number may be from one of so many decimals to be that one."""
    return min(0.4 * 10.0**-scale, max(10.0 ** -(scale + 8), abs(number) * RELATIVE))


def rounded(value: float, scale: int) -> Decimal:
    """The number with at most these decimals, if it is as close as that, else as it is kept."""
    exact = Decimal(repr(value))
    if scale > MOST_SCALE or not math.isfinite(value) or -int(exact.as_tuple().exponent) <= scale:
        return exact
    near = round(exact, scale)
    return near if abs(value - float(near)) <= tolerance(float(near), scale) else exact


def around(given: Any, scale: int | None) -> tuple[float, float] | None:
    """The least and the greatest number that is taken for this one; None where it alone is."""
    if not scale or scale > MOST_SCALE or isinstance(given, bool) or not isinstance(given, (int, float)) or abs(given) >= WHOLE:
        return None
    if -int(Decimal(repr(given)).as_tuple().exponent) > scale:
        return None
    width = tolerance(given, scale)
    return given - width, given + width


def column(kept: sa.ColumnElement[Any], scale: int | None) -> sa.ColumnElement[Any]:
    """The column with each number as `rounded` has it."""
    if not scale or scale > MOST_SCALE:
        return kept
    near = sa.func.round(kept, sa.literal_column(str(scale)))
    most: sa.ColumnElement[Any] = sa.func.max(
        sa.literal_column(repr(10.0 ** -(scale + 8))), sa.func.abs(near) * sa.literal_column(repr(RELATIVE))
    )
    close = sa.func.abs(kept - near) <= sa.func.min(sa.literal_column(repr(0.4 * 10.0**-scale)), most)
    return sa.case((sa.and_(sa.func.typeof(kept) == "real", close), near), else_=kept)
