"""Budgets of calls: for a run, for a person, and for everybody together. The estimated cost is reserved before a call and replaced by the real cost afterwards; of tokens, each call under way counts as many as the next one may take.

One process at a time reckons, so that a hundred calls at once cannot each find room for themselves. Answers by rules, and those that were given before, cost nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from console.ai.proposals.options import Current
from console.ai.proposals.settings_document import ALL, EACH, Budget, Limit, Period
from console.core.actor import Actor
from console.infra.db.engine import borrowed

Standing = Literal["warn", "used"]
"""How what all may ask together stands where that is worth saying: above the warning level, or used up."""
CHARACTERS = 3
"""A token is no fewer of them, in the languages that most is written in."""
PERIODS: tuple[Period, ...] = ("day", "week", "month")
SPENT = "(c.reserved is not null or (c.ms is not null and not c.from_cache))"
"""The condition on a call `c` that it counts."""
SUMS = "count(*) as calls, coalesce(sum(coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0)), 0) as tokens, coalesce(sum(coalesce(c.cost, c.reserved)), 0) as money"

_LOCK = "select pg_advisory_xact_lock(hashtextextended('console.ai.budget', 0))"
_HOLD = """
with limits (n, shared, calls, tokens, money) as (values {limits}),
counted as ({spent}),
spent as (select n, calls, tokens + under_way * %(next)s as tokens, money from counted),
judged as (
    select min(n) filter (where s.calls >= l.calls or s.tokens >= l.tokens or s.money + %(cost)s > l.money) as over,
           coalesce(bool_or(s.calls >= l.calls or s.tokens >= l.tokens or s.money + %(cost)s > l.money) filter (where shared), false) as used,
           coalesce(bool_or((s.calls + 1) * 100 >= %(warn)s * l.calls or s.tokens * 100 >= %(warn)s * l.tokens
                            or (s.money + %(cost)s) * 100 >= %(warn)s * l.money) filter (where shared), false) as warn
    from limits l join spent s using (n)),
held as (update console.ai_call set reserved = %(cost)s from judged where id = %(call)s and judged.over is null returning 1)
select over, used, warn from judged
"""


@dataclass(frozen=True, slots=True)
class Over:
    """A budget that has no room: of the run (`period` None), of the person, or of everybody together (`shared`)."""

    period: Period | None = None
    shared: bool = False


def began(period: Period) -> str:
    """SQL of when the present period began."""
    return f"date_trunc('{period}', now() at time zone 'UTC') at time zone 'UTC'"


def estimate(current: Current, model: str, characters: int, max_tokens: int) -> tuple[Decimal, int]:
    """The highest possible cost of a call with so much text, 0 if no price is known, and its tokens."""
    sent = characters // CHARACTERS + 1
    cost = current.cost(model, input_tokens=sent, cached_tokens=0, output_tokens=max_tokens)
    return cost or Decimal(0), sent + max_tokens


def limits_of(budget: Budget, person: Actor) -> Iterator[Limit]:
    """The limits that count for the person: what all may ask together, and in each period their own."""
    yield from (limit for limit in budget.limits if limit.who == ALL)
    for period in PERIODS:
        if own := own_limits(budget, person, period):
            yield _most_generous(own)


def own_limits(budget: Budget, person: Actor, period: Period) -> list[Limit]:
    """The limits of the person in this period, else of their teams, else of their roles, else of each person; the most generous counts."""
    ranks = (
        {f"person:{person.id}"},
        {f"team:{team}" for team in person.teams},
        {f"role:{role}" for role, _ in person.roles},
        {EACH},
    )
    of_period = [limit for limit in budget.limits if limit.period == period]
    found = ([limit for limit in of_period if limit.who in names] for names in ranks)
    return next((limits for limits in found if limits), [])


def _most_generous(limits: Iterable[Limit]) -> Limit:
    """One limit with the most of each that one of these allows."""
    every = list(limits)

    def most(name: str) -> Any:
        values = [getattr(limit, name) for limit in every]
        return None if None in values else max(values)

    return every[0].model_copy(update={name: most(name) for name in ("calls", "tokens", "money")})


def reserve(
    call: str, run: str, budget: Budget, most: tuple[Decimal, int], person: Actor
) -> tuple[Over | None, Standing | None]:
    """Hold `most`, as `estimate` says, for the call. Returns (None, or which budget has no room for it; how what all may ask together stands with it). One round trip."""
    entries: list[tuple[Over, str, int | None, int | None, Decimal | None]] = [
        (Over(), "c.run = %(run)s", budget.run_calls, budget.run_tokens, budget.run_money)
    ]
    for limit in limits_of(budget, person):
        whose = "" if limit.who == ALL else " and c.person = %(person)s"
        where = f"c.at >= {began(limit.period)}{whose}"
        entries.append((Over(limit.period, limit.who == ALL), where, limit.calls, limit.tokens, limit.money))
    given: dict[str, Any] = {
        "call": call,
        "run": run,
        "person": person.id,
        "cost": most[0],
        "next": most[1],
        "warn": budget.warn_percent,
    }
    limits, spent = [], []
    for n, (over, where, *limit_of) in enumerate(entries):
        given |= {
            f"{name}{n}": value for name, value in zip(("calls", "tokens", "money"), limit_of, strict=True)
        }
        limits.append(
            f"({n}, {over.shared}, %(calls{n})s::bigint, %(tokens{n})s::bigint, %(money{n})s::numeric)"
        )
        counted = f"{where} and {SPENT} and c.id <> %(call)s"
        sums = f"{SUMS}, count(*) filter (where c.reserved is not null) as under_way"
        spent.append(f"select {n} as n, {sums} from console.ai_call c where {counted}")  # noqa: S608 (texts of this file)
    with (
        borrowed() as driver,
        driver.pipeline(),
    ):  # what is sent together is one transaction, which the lock outlives by nothing
        driver.execute(_LOCK)
        row = driver.execute(
            _HOLD.format(limits=", ".join(limits), spent=" union all ".join(spent)), given
        ).fetchone()
    if row is None:
        return None, None
    over_at, used, warn = row
    return None if over_at is None else entries[over_at][0], "used" if used else "warn" if warn else None
