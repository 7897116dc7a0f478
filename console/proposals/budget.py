"""What calls may cost: for a run, and for everybody on a day. The estimate is held before a call goes out, and what it did cost takes its place.

One process at a time reckons, so that a hundred calls at once cannot each find room for themselves.
"""

from decimal import ROUND_UP, Decimal
from typing import Literal

import sqlalchemy as sa

from console.db.engine import transaction
from console.proposals.given import Given

Over = Literal["run", "day"]
CHARACTERS = 3
"""A token is no fewer of them, in the languages that most is written in."""
SMALLEST = Decimal("0.000001")

_LOCK = sa.text("select pg_advisory_xact_lock(hashtextextended('console.ai.budget', 0))")
_SPENT = sa.text(
    "select count(*) filter (where run = :run), coalesce(sum(coalesce(cost, reserved)) filter (where run = :run), 0),"
    " count(*) filter (where at >= date_trunc('day', now())), coalesce(sum(coalesce(cost, reserved)) filter (where at >= date_trunc('day', now())), 0)"
    " from console.ai_call where (run = :run or at >= date_trunc('day', now())) and coalesce(cost, reserved) is not null and id <> :call"
)
_HOLD = sa.text("update console.ai_call set reserved = :cost where id = :call")


def estimate(given: Given, characters: int) -> Decimal:
    """What a call with so much text may cost at most."""
    return given.price.of(characters // CHARACTERS + 1, 0, given.max_tokens).quantize(SMALLEST, ROUND_UP)


def hold(call: str, run: str, given: Given, cost: Decimal) -> Over | None:
    """Hold this much for the call; None, or which budget has no room for it."""
    with transaction() as connection:
        connection.execute(_LOCK)
        calls, spent, calls_today, spent_today = connection.execute(_SPENT, {"run": run, "call": call}).one()
        if _full(calls, spent, cost, given.run_calls, given.run_cost):
            return "run"
        if _full(calls_today, spent_today, cost, given.day_calls, given.day_cost):
            return "day"
        connection.execute(_HOLD, {"call": call, "cost": cost})
    return None


def _full(calls: int, spent: Decimal, cost: Decimal, most_calls: int | None, most_cost: Decimal | None) -> bool:
    return (most_calls is not None and calls >= most_calls) or (most_cost is not None and spent + cost > most_cost)
