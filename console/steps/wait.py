"""Wait: the run continues after a duration, at a moment, or when something happens to its record."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from console.core import expressions
from console.core.documents.fields import Located
from console.core.documents.references import suggestion
from console.core.documents.triggers_check import EVENTS, FORMER_EVENTS, OF_RECORDS
from console.core.errors import Invalid
from console.core.expressions.operands import duration_of, moment_of, to_json
from console.core.plain_words import humanised
from console.core.run.step_requests import Awaited
from console.infra.db.ids import new_id
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values
from console.steps.message_settings import DURATION, seconds_of

LONGEST = timedelta(days=3660)
EVENT, TIMEOUT = "event", "timeout"
CHANGE, OTHER, FORMER = "awr", "awe", "awt"
"""What the key of a wait begins with that a change of the record ends: those are found in the database of its collection too; of any other wait, and of
one by an earlier release, which does not say for what it waits."""
OF_MESSAGES = ("message.", "call.")
"""Beginnings of the names of events that also happen to people without a record: to those to whom the run itself wrote."""
FILTER_ROOTS = frozenset({"record", "event", "variables", "tables", "now"})
"""What the filter of an event may name."""


class WaitConfig(StepConfig):
    """How long, in one of four ways: numbers, an expression for a duration, an expression for a moment, or an event."""

    minutes: int | None = Field(None, ge=1, le=527_040, description="Minutes; added to hours and days")
    hours: int | None = Field(None, ge=1, le=8784, description="Hours; added to minutes and days")
    days: int | None = Field(None, ge=1, le=3660, description="Days of 24 hours; added to minutes and hours")
    duration: str | None = Field(
        None, description="Expression for a duration, such as days(variables.reminder_days)"
    )
    until: str | None = Field(None, description="Expression for a moment, or a date: its beginning in UTC")
    event: Annotated[str, Field(json_schema_extra={"enum": list(EVENTS)})] | None = Field(
        None, description="What has to happen to the run's record, such as a message that came in"
    )
    also: list[Annotated[str, Field(json_schema_extra={"enum": list(EVENTS)})]] = Field(
        default_factory=list, max_length=5, description="What ends the wait too, such as a call that ended"
    )
    filter: str | None = Field(
        None,
        description="Expression over record, event and variables; an event for which it does not hold is passed by",
    )
    timeout: Annotated[str, Field(json_schema_extra=DURATION)] | None = Field(
        None, description="How long it waits for the event at most, such as P4D; none: until it happens"
    )

    @field_validator("event", "also")
    @classmethod
    def _event(cls, value: str | list[str] | None) -> str | list[str] | None:
        for name in [value] if isinstance(value, str) else value or ():
            if name not in EVENTS and name not in FORMER_EVENTS:
                raise ValueError(f"there is no such event{suggestion(name, EVENTS)}")
        return value

    @field_validator("filter")
    @classmethod
    def _filter(cls, value: str | None) -> str | None:
        try:
            strange = (
                {path[0] for path in expressions.paths(expressions.parse(value))} - FILTER_ROOTS
                if value is not None
                else set()
            )
        except expressions.ExpressionError:
            return value  # the check of the document says where it is wrong
        if strange:
            raise ValueError(
                f"{', '.join(sorted(strange))} is not known here: it looks at record, event and variables"
            )
        return value

    @field_validator("timeout")
    @classmethod
    def _timeout(cls, value: str | None) -> str | None:
        if value is not None and not 1 <= seconds_of(value) <= LONGEST.total_seconds():
            raise ValueError("takes a second to ten years")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        numbers = any(value is not None for value in (self.minutes, self.hours, self.days))
        if [numbers, self.duration is not None, self.until is not None, self.event is not None].count(
            True
        ) != 1:
            raise ValueError(
                "say how long in one way: minutes, hours and days; or duration; or until; or event"
            )
        if self.event is None and (self.filter is not None or self.timeout is not None or self.also):
            raise ValueError("also, filter and timeout stand only beside event")
        return self


class Wait(StepType):
    """Automatic. The moment is computed once, when the run reaches the step, and stored in the run. A past moment means no wait.

    An event counts if it happened after the run reached the step: `console.triggers.awaited` looks for it.
    """

    name, title, family, icon = "wait", "Wait", "loop", "clock"
    gist = "Goes on after a while, at a moment, or when something happens"
    waits = True
    automatic = True
    technical = frozenset({"event"})
    Config: ClassVar[type[StepConfig]] = WaitConfig

    def says(self, config: WaitConfig) -> str:
        """How long, or for what."""
        if config.event is not None:
            return f"Until: {' or '.join({**EVENTS, **FORMER_EVENTS}[name].lower() for name in (config.event, *config.also))}"
        if config.until is not None or config.duration is not None:
            return (
                "Until a moment that is worked out"
                if config.until is not None
                else "As long as is worked out"
            )
        amounts = ((config.days, "day"), (config.hours, "hour"), (config.minutes, "minute"))
        return ", ".join(
            f"{number:,} {unit}{'' if number == 1 else 's'}" for number, unit in amounts if number is not None
        )

    def outcomes(self, config: WaitConfig) -> tuple[str, ...]:
        """What became of the wait for an event; a wait for a moment has one way on."""
        if config.event is None:
            return ("default",)
        return (EVENT,) if config.timeout is None else (EVENT, TIMEOUT)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Completes at the moment, which later steps find as `until`, or with the event.

        Raises Invalid where there is no moment, or it is more than ten years away, and where nothing can happen because the run has no record.
        """
        now: datetime = context.roots["now"]
        if step.config.event is not None:
            return _for_event(step.config, context, now)
        moment = _moment(step.config, context, now)
        if moment - now > LONGEST:
            raise Invalid(
                f"The step would wait until {moment:%d %B %Y}; a wait may last ten years at most.",
                code="wait_too_long",
            )
        return Completion("default", {}, {"until": to_json(moment)}, until=moment)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person continues without waiting."""
        if step.config.event is not None:
            return Completion(EVENT, {}, {"until": None, "event": None, "at": None})
        return Completion("default", {}, {"until": None})

    def expressions(self, config: WaitConfig) -> list[Located]:
        """The duration, the moment, or the filter."""
        texts = {"duration": config.duration, "until": config.until, "filter": config.filter}
        return [
            Located(name, text, event=name == "filter") for name, text in texts.items() if text is not None
        ]

    def outputs(self, config: WaitConfig) -> frozenset[str]:
        """The moment; of an event its name and when it happened."""
        return frozenset({"until"} if config.event is None else {"until", "event", "at"})


def _for_event(config: WaitConfig, context: Context, now: datetime) -> Completion:
    """Waits for the event, at most until the timeout. Raises Invalid for a run without a record."""
    if context.roots["record"] is None and not any(
        name.startswith(OF_MESSAGES) for name in (config.event, *config.also) if name
    ):
        raise Invalid(
            "This run is about no record, so nothing can happen to it that the step could wait for.",
            code="no_record",
        )
    until = (
        None
        if config.timeout is None
        else _within_calendar(now, timedelta(seconds=seconds_of(config.timeout)))
    )
    nothing = {"until": None if until is None else to_json(until), "event": None, "at": None}
    kind = CHANGE if {config.event, *config.also}.intersection(OF_RECORDS) else OTHER
    awaited = Awaited(
        "event",
        new_id(kind),
        until,
        None if until is None else TIMEOUT,
        saw=context.state() if kind == CHANGE else None,
    )
    return Completion(EVENT, {}, nothing, awaits=awaited)


def _named(text: str) -> str:
    """What an expression reads, as people call it: “Last inbound at” of `record.last_inbound_at`; any other as it is written."""
    alone = all(part.isidentifier() for part in text.split("."))
    return f"“{humanised(text.rpartition('.')[2])}”" if alone else f"`{text}`"


def _moment(config: WaitConfig, context: Context, now: datetime) -> datetime:
    """The moment at which the run continues, aware UTC."""
    if config.until is not None:
        found = moment_of(expressions.parse(config.until).value(context.roots))
        if found is None:
            raise Invalid(f"{_named(config.until)} gives no moment to wait until.", code="no_moment")
        return _within_calendar(found, timedelta(0))
    span = timedelta(minutes=config.minutes or 0, hours=config.hours or 0, days=config.days or 0)
    if config.duration is not None:
        worked_out = duration_of(expressions.parse(config.duration).value(context.roots))
        if worked_out is None:
            raise Invalid(f"{_named(config.duration)} gives no duration to wait for.", code="no_moment")
        span = worked_out
    return _within_calendar(now, span)


def _within_calendar(start: datetime, span: timedelta) -> datetime:
    try:
        return (start + span).astimezone(UTC)
    except OverflowError:
        raise Invalid(
            "The step would wait past the end of the calendar; a wait may last ten years at most.",
            code="wait_too_long",
        ) from None
