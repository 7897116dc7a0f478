"""Wait: the run continues after a duration, or at a moment."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.fields import Located
from console.core.expressions.operands import duration_of, moment_of, to_json
from console.errors import Invalid
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values

LONGEST = timedelta(days=3660)


class WaitConfig(StepConfig):
    """How long, in one of three ways: numbers, an expression for a duration, or an expression for a moment."""

    minutes: int | None = Field(None, ge=1, le=527_040, description="Minutes; added to hours and days")
    hours: int | None = Field(None, ge=1, le=8784, description="Hours; added to minutes and days")
    days: int | None = Field(None, ge=1, le=3660, description="Days of 24 hours; added to minutes and hours")
    duration: str | None = Field(None, description="Expression for a duration, such as days(variables.reminder_days)")
    until: str | None = Field(None, description="Expression for a moment, or a date: its beginning in UTC")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        numbers = any(value is not None for value in (self.minutes, self.hours, self.days))
        if [numbers, self.duration is not None, self.until is not None].count(True) != 1:
            raise ValueError("say how long in one way: minutes, hours and days; or duration; or until")
        return self


class Wait(StepType):
    """Automatic. The moment is computed once, when the run reaches the step, and stored in the run. A past moment means no wait."""

    name, title, family, icon = "wait", "Wait", "loop", "clock"
    gist = "Goes on after a while, or at a moment"
    automatic = True
    Config: ClassVar[type[StepConfig]] = WaitConfig

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """Completes at the moment, which later steps find as `until`. Raises Invalid where there is none, or it is more than ten years away."""
        now: datetime = context.roots["now"]
        moment = _moment(step.config, context, now)
        if moment - now > LONGEST:
            raise Invalid(f"The step would wait until {moment:%d %B %Y}; a wait may last ten years at most.", code="wait_too_long")
        return Completion("default", {}, {"until": to_json(moment)}, until=moment)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person continues without waiting."""
        return Completion("default", {}, {"until": None})

    def expressions(self, config: WaitConfig) -> list[Located]:
        """The duration or the moment."""
        told = {"duration": config.duration, "until": config.until}
        return [Located(name, text) for name, text in told.items() if text is not None]

    def outputs(self, config: WaitConfig) -> frozenset[str]:
        """The moment."""
        return frozenset({"until"})


def _moment(config: WaitConfig, context: Context, now: datetime) -> datetime:
    """The moment at which the run continues, aware UTC."""
    if config.until is not None:
        found = moment_of(expressions.parse(config.until).value(context.roots))
        if found is None:
            raise Invalid(f"`{config.until}` gives no moment to wait until.", code="no_moment")
        return _within_calendar(found, timedelta(0))
    span = timedelta(minutes=config.minutes or 0, hours=config.hours or 0, days=config.days or 0)
    if config.duration is not None:
        worked_out = duration_of(expressions.parse(config.duration).value(context.roots))
        if worked_out is None:
            raise Invalid(f"`{config.duration}` gives no duration to wait for.", code="no_moment")
        span = worked_out
    return _within_calendar(now, span)


def _within_calendar(start: datetime, span: timedelta) -> datetime:
    try:
        return (start + span).astimezone(UTC)
    except OverflowError:
        raise Invalid(
            "The step would wait past the end of the calendar; a wait may last ten years at most.", code="wait_too_long"
        ) from None
