"""What calls may cost: for a run, and for everybody on a day. The estimate is held before a call goes out, and what it did cost takes its place.

One process at a time reckons, so that a hundred calls at once cannot each find room for themselves. Answers by rules, and those that were given before, cost nothing.
"""

from decimal import Decimal
from typing import Literal

import sqlalchemy as sa

from console.db.engine import transaction
from console.proposals.document import Budget
from console.proposals.options import Current

Over = Literal["run", "day"]
CHARACTERS = 3
"""A token is no fewer of them, in the languages that most is written in."""

_LOCK = sa.text("select pg_advisory_xact_lock(hashtextextended('console.ai.budget', 0))")
_SPENT = sa.text(
    "select count(*) filter (where c.run = :run), coalesce(sum(coalesce(c.cost, c.reserved)) filter (where c.run = :run), 0),"
    " count(*) filter (where c.at >= d.day), coalesce(sum(coalesce(c.cost, c.reserved)) filter (where c.at >= d.day), 0)"
    " from console.ai_call c, (select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as day) d"
    " where (c.run = :run or c.at >= d.day) and (c.reserved is not null or (c.ms is not null and not c.from_cache)) and c.id <> :call"
)
_HOLD = sa.text("update console.ai_call set reserved = :cost where id = :call")


def estimate(current: Current, model: str, characters: int, max_tokens: int) -> Decimal:
    """What a call with so much text may cost at most; nothing where no price is known."""
    return current.cost(model, input_tokens=characters // CHARACTERS + 1, cached_tokens=0, output_tokens=max_tokens) or Decimal(0)


def hold(call: str, run: str, budget: Budget, cost: Decimal) -> Over | None:
    """Hold this much for the call; None, or which budget has no room for it."""
    with transaction() as connection:
        connection.execute(_LOCK)
        calls, spent, calls_today, spent_today = connection.execute(_SPENT, {"run": run, "call": call}).one()
        if _full(calls, spent, cost, budget.run_calls, budget.run_money):
            return "run"
        if _full(calls_today, spent_today, cost, budget.day_calls, budget.day_money):
            return "day"
        connection.execute(_HOLD, {"call": call, "cost": cost})
    return None


def _full(calls: int, spent: Decimal, cost: Decimal, most_calls: int | None, most_cost: Decimal | None) -> bool:
    return (most_calls is not None and calls >= most_calls) or (most_cost is not None and spent + cost > most_cost)
