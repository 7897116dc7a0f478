"""Budgets of calls for a run and for a day. The estimated cost is reserved before a call and replaced by the real cost afterwards.

One process at a time reckons, so that a hundred calls at once cannot each find room for themselves. Answers by rules, and those that were given before, cost nothing.
"""

from decimal import Decimal
from typing import Literal

from console.ai.proposals.options import Current
from console.ai.proposals.settings_document import Budget
from console.infra.db.engine import borrowed

Over = Literal["run", "day"]
Day = Literal["warn", "used"]
"""How the budget of the day stands where that is worth saying: above the warning level, or used up."""
CHARACTERS = 3
"""A token is no fewer of them, in the languages that most is written in."""

_LOCK = "select pg_advisory_xact_lock(hashtextextended('console.ai.budget', 0))"
_HOLD = """
with day as (select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as began),
spent as (
    select count(*) filter (where c.run = %(run)s) as run_calls, coalesce(sum(coalesce(c.cost, c.reserved)) filter (where c.run = %(run)s), 0) as run_money,
           count(*) filter (where c.at >= day.began) as day_calls, coalesce(sum(coalesce(c.cost, c.reserved)) filter (where c.at >= day.began), 0) as day_money
    from console.ai_call c, day
    where (c.run = %(run)s or c.at >= day.began) and (c.reserved is not null or (c.ms is not null and not c.from_cache)) and c.id <> %(call)s),
judged as (
    select case when run_calls >= %(run_calls)s::bigint or run_money + %(cost)s > %(run_money)s::numeric then 'run'
                when day_calls >= %(day_calls)s::bigint or day_money + %(cost)s > %(day_money)s::numeric then 'day' end as over,
           case when day_calls >= %(day_calls)s::bigint or day_money + %(cost)s > %(day_money)s::numeric then 'used'
                when (day_calls + 1) * 100 >= %(warn)s * %(day_calls)s::bigint or (day_money + %(cost)s) * 100 >= %(warn)s * %(day_money)s::numeric then 'warn' end as day
    from spent),
held as (update console.ai_call set reserved = %(cost)s from judged where id = %(call)s and judged.over is null returning 1)
select over, day from judged
"""


def estimate(current: Current, model: str, characters: int, max_tokens: int) -> Decimal:
    """The highest possible cost of a call with so much text; 0 if no price is known."""
    return current.cost(
        model, input_tokens=characters // CHARACTERS + 1, cached_tokens=0, output_tokens=max_tokens
    ) or Decimal(0)


def reserve(call: str, run: str, budget: Budget, cost: Decimal) -> tuple[Over | None, Day | None]:
    """Hold this much for the call. Returns (None, or which budget has no room for it; how the budget of the day stands with it). One round trip."""
    limits = {
        "run_calls": budget.run_calls,
        "run_money": budget.run_money,
        "day_calls": budget.day_calls,
        "day_money": budget.day_money,
    }
    with (
        borrowed() as driver,
        driver.pipeline(),
    ):  # what is sent together is one transaction, which the lock outlives by nothing
        driver.execute(_LOCK)
        row = driver.execute(
            _HOLD, {"call": call, "run": run, "cost": cost, "warn": budget.warn_percent, **limits}
        ).fetchone()
    return (row[0], row[1]) if row else (None, None)
