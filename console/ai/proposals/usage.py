"""Today's usage and cost of calls to models, for those who set the budgets."""

from dataclasses import dataclass
from decimal import Decimal

from console.ai.proposals.saving import require
from console.ai.proposals.settings_document import Budget
from console.auth import access
from console.core.actor import Actor
from console.infra.db.engine import fetch

_TODAY = """
select count(*), count(*) filter (where coalesce(cost, reserved) is not null), coalesce(sum(coalesce(cost, reserved)), 0),
       count(*) filter (where status = 'pending'), count(*) filter (where status = 'failed'), count(*) filter (where code = 'budget')
from console.ai_call c where c.at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' and {known}
"""


@dataclass(frozen=True, slots=True)
class Today:
    """Since midnight UTC: `asked` counts proposals that were asked for, `calls` those that cost something, `money` with what is held for calls under way."""

    asked: int
    calls: int
    money: Decimal
    pending: int
    failed: int
    over: int


@dataclass(frozen=True, slots=True)
class Level:
    """How much of a budget is used. `limit` None: there is none. `state` is good, warn (from the warning level on) or bad (used up)."""

    used: Decimal
    limit: Decimal | None
    state: str

    @property
    def percent(self) -> int:
        """Used in hundredths of the limit, 100 at most; 0 without one."""
        if self.limit is None:
            return 0
        return 100 if self.limit == 0 else min(100, int(self.used * 100 / self.limit))


def today(actor: Actor) -> Today:
    """The figures of this day, of the calls that are there for the actor; the budgets count all of them. Raises NotAllowed for who does not set up the AI."""
    require(actor)
    return Today(*fetch(_TODAY.format(known=access.runs(actor).open("c")))[0])


def levels(today: Today, budget: Budget) -> dict[str, Level]:
    """`day_calls` and `day_money` against their limits."""
    return {
        "day_calls": _level(
            Decimal(today.calls),
            None if budget.day_calls is None else Decimal(budget.day_calls),
            budget.warn_percent,
        ),
        "day_money": _level(today.money, budget.day_money, budget.warn_percent),
    }


def _level(used: Decimal, limit: Decimal | None, warn: int) -> Level:
    state = "good" if limit is None or used * 100 < limit * warn else "warn" if used < limit else "bad"
    return Level(used, limit, state)
