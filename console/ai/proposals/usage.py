"""Usage and cost of calls to models, for those who set the budgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from console.ai.proposals.budget import SPENT, SUMS, began, own_limits
from console.ai.proposals.saving import require
from console.ai.proposals.settings_document import ALL, Budget, Limit
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.infra.db.engine import fetch

_TODAY = """
select count(*), count(*) filter (where coalesce(cost, reserved) is not null), coalesce(sum(coalesce(cost, reserved)), 0),
       count(*) filter (where status = 'pending'), count(*) filter (where status = 'failed'), count(*) filter (where code = 'budget')
from console.ai_call c where c.at >= date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' and {known}
"""
_USED = "select {whose} as person, {sums} from console.ai_call c where c.at >= {began} and {spent} and {whose} is not null group by 1"
MEASURES = ("calls", "tokens", "money")


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
    """How much of one measure of a limit is used: calls, tokens or money. `state` is good, warn (from the warning level on) or bad (used up)."""

    measure: str
    used: Decimal
    limit: Decimal
    state: str

    @property
    def percent(self) -> int:
        """Used in hundredths of the limit, 100 at most."""
        return 100 if self.limit == 0 else min(100, int(self.used * 100 / self.limit))


@dataclass(frozen=True, slots=True)
class Used:
    """A limit with what was used of it: by everybody together, else by the person who used most of it (`person`, an id; empty where nobody did)."""

    limit: Limit
    person: str
    levels: Sequence[Level]


def today(actor: Actor) -> Today:
    """The figures of this day, of the calls that are there for the actor; the budgets count all of them. Raises NotAllowed for who does not set up the AI."""
    require(actor)
    return Today(*fetch(_TODAY.format(known=access.runs(actor).open("c")))[0])


def used(actor: Actor, budget: Budget) -> list[Used]:
    """Each limit with what was used of it in the present period. Raises NotAllowed for who does not set up the AI."""
    require(actor)
    made = []
    for limit in budget.limits:
        whose = "''" if limit.who == ALL else "c.person"
        rows = fetch(_USED.format(whose=whose, began=began(limit.period), sums=SUMS, spent=SPENT))
        mine = [row for row in rows if limit.who == ALL or _counts_for(row[0], limit, budget)]
        most = max(mine, key=lambda row: row[1:], default=("", 0, 0, Decimal(0)))
        levels = [
            _level(name, Decimal(spent), Decimal(allowed), budget.warn_percent)
            for name, spent in zip(MEASURES, most[1:], strict=True)
            if (allowed := getattr(limit, name)) is not None
        ]
        made.append(Used(limit, str(most[0]), levels))
    return made


def _counts_for(person: str, limit: Limit, budget: Budget) -> bool:
    """Whether this limit is what counts for the person."""
    try:
        return limit in own_limits(budget, accounts.actor_of_person(person), limit.period)
    except NotAllowed:  # the account is closed
        return False


def _level(name: str, used: Decimal, limit: Decimal, warn: int) -> Level:
    state = "good" if used * 100 < limit * warn else "warn" if used < limit else "bad"
    return Level(name, used, limit, state)
