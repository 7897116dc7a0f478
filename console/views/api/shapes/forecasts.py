"""What would come of a workflow: whom its messages would reach, funnels, and spend."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Shape


class SpendAmount(Shape):
    """An amount, as text."""

    amount: str
    currency: str


class SpendPart(SpendAmount):
    """What one kind costs: email, sms, call, chat, or model for answers of an AI. Of calls those count that somebody, or a voicemail, answers."""

    kind: str
    count: int


class Unpriced(Shape):
    """A kind of which nobody has entered what it costs."""

    kind: str
    count: int


class Spend(Shape):
    """What would be spent, as an estimate."""

    amounts: list[SpendAmount] = Field(description="The sums, one for each currency")
    parts: list[SpendPart]
    unpriced: list[Unpriced]


class ActivationSpend(Shape):
    """An estimate for all whom the workflow would let in now, from the ways of `walked` simulated ones. `at_least`: there are more than `matching`."""

    walked: int
    matching: int
    at_least: bool
    spend: Spend


class DeliveryRepeat(Shape):
    """What would become of a further message like it, asked for as it leaves."""

    number: int
    status: str
    at: Moment
    code: str
    reason: str


class DeliveryWait(Shape):
    """A message waits until this moment."""

    until: Moment
    code: str
    reason: str


class Delivery(Shape):
    """What the rules for reaching people say of a message, or of one try of a call."""

    channel: str
    contact: str = Field(description="Whom it would reach, empty: nobody of the users' databases, or not for this reader")
    to: str | None = Field(description="The address, as the reader may see it")
    status: Literal["sent", "skipped", "expired"]
    code: str
    reason: str
    at: Moment = Field(description="When it would leave, or be given up")
    waits: list[DeliveryWait] = Field(description="What it would wait for before that, in order")
    repeats: list[DeliveryRepeat] = Field(description="What the caps would do to the second and the tenth such message to the same contact")


class StepChances(Shape):
    """The endings of a step that people or the world outside decide, in percent."""

    step: str
    title: str
    percent: dict[str, int]
    source: Literal["assumed", "lately", "chosen"] = Field(description="lately: what came of it in the last 30 days, `seen` times")
    seen: int


class FunnelStep(Shape):
    """A step of a funnel. `left` by an exit, `stayed` for a person or for what never comes, `failed`: by reason."""

    step: str
    title: str
    type: str
    reached: int
    left: dict[str, int]
    stayed: dict[str, int]
    failed: dict[str, int]
    sent: int = Field(description="Messages and tries of calls that would leave")
    outcomes: dict[str, int] = Field(
        description="How these would end: sent or failed; of a try of a call answered, no_answer, voicemail, busy or failed"
    )
    waited: dict[str, int] = Field(description="By reason, how often a message would wait before that")
    skipped: dict[str, int]
    empty: dict[str, int] = Field(description="By reason, messages that would not leave because a merge field is empty")
    examples: list[str] = Field(description="Keys of contacts who came here")


class FunnelResult(Shape):
    """What came of following simulated contacts; all of it is an estimate. Moments and days are UTC."""

    walked: int
    more: bool = Field(description="There are others who would be let in")
    inside: int = Field(description="Left out: they are in the workflow, or were too lately")
    leaving: int = Field(description="Left out: an exit would take them out at once")
    seed: int
    version: int | None = Field(description="The live version that was followed; null: the draft")
    whom: str
    at: Moment
    steps: list[FunnelStep]
    ends: dict[str, int] = Field(description="Label of an end to how many came there")
    refused: dict[str, int] = Field(description="Why some could not begin")
    days: dict[str, dict[str, int]] = Field(description="Day to kind to messages and calls that would leave, the first 120 days")
    later_days: int = Field(description="Those that would leave after these")
    channels: dict[str, int]
    over_cap: int = Field(description="Contacts for whom a cap holds a message back, or makes it wait")
    median_s: int | None = Field(description="Seconds until half of them have ended; null: nobody ends")
    most_s: int | None = Field(description="Seconds until nine in ten have ended")
    spend: Spend
    chances: list[StepChances]
    notes: list[str]
    stopped_early: bool = Field(description="It took too long: the others were not followed")


class WorkflowFunnel(Shape):
    """A funnel that the caller asked for; it is kept for a day."""

    id: str
    status: Literal["waiting", "running", "done", "failed", "stopped"]
    done: int
    total: int | None
    why: str | None = Field(description="Why it failed")
    created_at: Moment
    result: FunnelResult | None
