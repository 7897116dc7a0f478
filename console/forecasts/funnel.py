"""A funnel: how far those would come whom a workflow would let in now, counted from their ways. All of it is an estimate."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Self

from console.core.documents.workflow import Workflow
from console.core.run.simulation import Delivery
from console.forecasts.spending import Prices, Spend
from console.forecasts.walking import REFUSED, STAYS, Walk
from console.messages import message_reasons

EXAMPLES = 3
MOST_DAYS = 120
MOST_REASONS = 20


@dataclass(slots=True)
class StepCount:
    """A step of the funnel: how many came to it, how many ended here and why, and what became of its messages. `examples` are keys of contacts who came here.

    `outcomes` say how what left ended: sent or failed, of a try of a call answered, no_answer …
    """

    step: str
    title: str
    type: str
    reached: int = 0
    left: dict[str, int] = field(default_factory=dict)
    stayed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    waited: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    empty: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """How many did not go on from here to an end of the workflow."""
        return sum((*self.left.values(), *self.stayed.values(), *self.failed.values()))


@dataclass(slots=True)
class Funnel:
    """What came of it. `walked` of those who would be let in were followed; `more`: there are others. Durations are in seconds, None where nobody ended.

    `days`: day (UTC) → channel → messages or calls that would leave. `version` is the number of the live version, None for the draft.
    """

    walked: int = 0
    more: bool = False
    inside: int = 0
    leaving: int = 0
    seed: int = 0
    version: int | None = None
    whom: str = ""
    at: str = ""
    steps: list[StepCount] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    days: dict[str, dict[str, int]] = field(default_factory=dict)
    later_days: int = 0
    channels: dict[str, int] = field(default_factory=dict)
    over_cap: int = 0
    median_s: int | None = None
    most_s: int | None = None
    spend: Spend = field(default_factory=Spend)
    chances: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped_early: bool = False

    def to_json(self) -> dict[str, Any]:
        """FUNNEL of the API; the inverse is `of_json`."""
        return {
            **{name: getattr(self, name) for name in self.__slots__},
            "steps": [asdict(each) for each in self.steps],
            "spend": self.spend.to_json(),
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """The funnel as it was kept."""
        steps = [StepCount(**each) for each in kept["steps"]]
        return cls(**{**kept, "steps": steps, "spend": Spend.of_json(kept["spend"])})

    @property
    def widest(self) -> int:
        """How many the longest bar stands for."""
        return max((each.reached for each in self.steps), default=0) or 1


class Counting:
    """A funnel while it is counted."""

    def __init__(self, document: Workflow, funnel: Funnel, prices: Prices) -> None:
        self.funnel, self._prices = funnel, prices
        self._lasted: list[int] = []
        self._by_step = {step.id: StepCount(step.id, step.title, step.type) for step in document.steps}

    def add(self, walk: Walk) -> None:
        """Count one way."""
        funnel = self.funnel
        funnel.walked += 1
        if walk.end == REFUSED:
            _count(funnel.refused, walk.why)
            return
        for step in walk.steps:
            if (at := self._at(step)) is not None:
                at.reached += 1
                if len(at.examples) < EXAMPLES:
                    at.examples.append(walk.key)
        last = self._at(walk.last)
        match walk.end:
            case "completed":
                _count(funnel.ends, walk.why or "The end")
            case "left" if last is not None:
                _count(last.left, walk.why)
            case "stays" if last is not None:
                _count(last.stayed, walk.why)
            case "failed" if last is not None:
                _count(last.failed, walk.why)
        if walk.end != STAYS:
            self._lasted.append(walk.lasted_s)
        for step, told in walk.deliveries:
            self._deliver(step, told)
        funnel.over_cap += any(_held_by_cap(told) for _, told in walk.deliveries)
        for step in walk.models:
            self._prices.ask_model(funnel.spend, step)

    def _at(self, step: str) -> StepCount | None:
        """The step of this workflow; of one that it runs, the step that runs it."""
        return self._by_step.get(step) or self._by_step.get(step.partition("/")[0])

    def _deliver(self, step: str, told: Delivery) -> None:
        at, funnel = self._at(step), self.funnel
        for held in told.held if at is not None else ():
            _count(at.waited, message_reasons.of_many(held.code)) if at is not None else None
        if told.leaves:
            funnel.channels[told.channel] = funnel.channels.get(told.channel, 0) + 1
            day = f"{told.at:%Y-%m-%d}"
            if day in funnel.days or len(funnel.days) < MOST_DAYS:
                of_day = funnel.days.setdefault(day, {})
                of_day[told.channel] = of_day.get(told.channel, 0) + 1
            else:
                funnel.later_days += 1
            self._prices.pay(funnel.spend, told)
        if at is None:
            return
        if told.leaves:
            at.sent += 1
            _count(at.outcomes, told.outcome)
        elif told.code == "empty_field":
            _count(at.empty, told.reason)
        else:
            _count(at.skipped, message_reasons.of_many(told.code, told.reason))

    def done(self) -> Funnel:
        """The funnel, once all are counted."""
        lasted = sorted(self._lasted)
        funnel = self.funnel
        funnel.steps = list(self._by_step.values())
        funnel.days = dict(sorted(funnel.days.items()))
        if lasted:
            funnel.median_s, funnel.most_s = lasted[(len(lasted) - 1) // 2], lasted[ceil(len(lasted) * 0.9) - 1]
        return funnel


def _held_by_cap(told: Delivery) -> bool:
    return told.code == "over_cap" or any(each.code == "over_cap" for each in told.held)


def _count(counts: dict[str, int], reason: str) -> None:
    if reason not in counts and len(counts) >= MOST_REASONS:
        reason = "Other reasons"
    counts[reason] = counts.get(reason, 0) + 1
