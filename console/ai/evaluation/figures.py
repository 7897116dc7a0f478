"""Counts of what became of proposals, and the shares that are made of them. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from console.ai.statistics import ratio, wilson_lower

COUNTS = ("accepted", "small", "edited", "cleared", "ignored", "equal", "different", "dropped")
"""Figures that count values; `small` are edits of at most 5 % of a long text, `ignored` what stood there when a step was handled manually."""


@dataclass(frozen=True, slots=True)
class Figures:
    """`asked` calls, of which `proposed` had something to propose and people `decided` so many; of the `shown` ones `taken` had a value accepted, `whole` all of them.

    `quick` were handed in within two seconds of being shown, `unopened` with no source opened, `revised` sent back later. `hidden` were decided without
    seeing the proposal, `hidden_agreed` came to the same. Values: as in COUNTS; `covered` of the `wanted` fields had a proposal. Seconds are medians from the
    step being there to its being handed in. Shares are 0–1, None where there is nothing to divide by.
    """

    asked: int = 0
    proposed: int = 0
    decided: int = 0
    by_hand: int = 0
    automatic: int = 0
    shown: int = 0
    taken: int = 0
    whole: int = 0
    quick: int = 0
    unopened: int = 0
    revised: int = 0
    hidden: int = 0
    hidden_agreed: int = 0
    seconds_with: float | None = None
    seconds_without: float | None = None
    cost: Decimal = Decimal(0)
    p95_ms: int | None = None
    wanted: int = 0
    covered: int = 0
    accepted: int = 0
    small: int = 0
    edited: int = 0
    cleared: int = 0
    ignored: int = 0
    equal: int = 0
    different: int = 0
    dropped: int = 0

    @property
    def values(self) -> int:
        """Values that people saw and decided about."""
        return self.accepted + self.small + self.edited + self.cleared + self.ignored

    @property
    def coverage(self) -> float | None:
        """For how many of the fields that were asked for there was a proposal."""
        return ratio(self.covered, self.wanted)

    @property
    def precision(self) -> float | None:
        """How many of the values that were shown were taken as they were."""
        return ratio(self.accepted, self.values)

    @property
    def small_rate(self) -> float | None:
        """How many were changed in a few letters only."""
        return ratio(self.small, self.values)

    @property
    def whole_rate(self) -> float | None:
        """Of the steps whose proposal was shown, how many were handed in without a change to it."""
        return ratio(self.whole, self.shown)

    @property
    def by_hand_rate(self) -> float | None:
        """How many of the decided steps were handled manually."""
        return ratio(self.by_hand, self.decided)

    @property
    def quick_rate(self) -> float | None:
        """Of the steps with something accepted, how many were handed in within two seconds."""
        return ratio(self.quick, self.taken)

    @property
    def unopened_rate(self) -> float | None:
        """Of the same, how many with no source opened."""
        return ratio(self.unopened, self.taken)

    @property
    def agreement(self) -> float | None:
        """How many of the values that nobody saw were what the person put in."""
        return ratio(self.equal, self.equal + self.different)

    @property
    def anchoring(self) -> float | None:
        """How much more often a value is taken when it is seen than people come to it by themselves; None without both."""
        shown, alone = self.precision, self.agreement
        return None if shown is None or alone is None else shown - alone

    @property
    def cost_each(self) -> Decimal | None:
        """Cost of all calls for each step that was handed in as proposed."""
        return self.cost / self.whole if self.whole else None

    @property
    def bound(self) -> float:
        """Wilson's lower bound of agreement over whole steps that were decided without seeing the proposal."""
        return wilson_lower(self.hidden_agreed, self.hidden)
