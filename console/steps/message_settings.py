"""What the steps that reach people outside have in common: their outcomes, how long a message may wait, and the form for a person."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from console.core import expressions
from console.core.contacting import CAMPAIGN
from console.core.errors import Invalid
from console.core.forms import FormField, clean, examine, is_empty, refusal
from console.core.merge_fields import empty_fields
from console.core.speaking import fill_text
from console.steps.base import (
    Completion,
    Context,
    MessageWanted,
    Option,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
)

SENT, SKIPPED, EXPIRED, FAILED = "sent", "skipped", "expired", "failed"
SEND = "send"
REASON, TO = "reason", "to"
EMPTY = "empty"
"""In the content of a message: the paths of its merge fields that gave nothing."""
LONGEST_S = 30 * 24 * 3600
_DURATION = re.compile(
    r"P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?", re.ASCII
)


def seconds_of(text: str) -> int:
    """The seconds of a duration such as P2D or PT24H. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError("takes a duration such as P2D, PT24H or PT30M")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return int(
        timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    )


DURATION: dict[str, Any] = {"format": "duration"}
"""What the schema says of a text that is a duration: its box is a number and a unit."""
UNITS = {
    "P#W": ("week", 604_800),
    "P#D": ("day", 86_400),
    "PT#H": ("hour", 3600),
    "PT#M": ("minute", 60),
    "PT#S": ("second", 1),
}
"""A duration of one unit, with # for its number → its word, and how many seconds one is. The largest first."""


def in_one_unit(text: str) -> tuple[int, str]:
    """(number, unit of `UNITS`) of a duration, in days or less: 24 hours are a day, P1DT12H are 36 hours. Raises ValueError."""
    seconds = seconds_of(text)
    unit, length = next(
        (unit, length) for unit, (word, length) in UNITS.items() if word != "week" and seconds % length == 0
    )
    return seconds // length, unit


def spoken(text: str) -> str:
    """A duration such as PT36H in words: “36 hours”; any other text as it is."""
    match = _DURATION.fullmatch(text)
    amounts = zip(match.groups(), ("week", "day", "hour", "minute", "second"), strict=True) if match else ()
    return (
        ", ".join(
            f"{int(number):,} {unit}{'' if int(number) == 1 else 's'}" for number, unit in amounts if number
        )
        or text
    )


def _waits(value: str) -> str:
    if not 60 <= seconds_of(value) <= LONGEST_S:
        raise ValueError("takes a minute to 30 days")
    return value


Expires = Annotated[str, AfterValidator(_waits), Field(json_schema_extra=DURATION)]
"""How long a message may wait for its hours, such as PT24H."""


class MessageConfig(StepConfig):
    """To whom, and how long it may wait."""

    to: str | None = Field(None, description="Expression for the address; none: the contact's own")
    expires: Expires = Field(
        "PT24H",
        description="A message that waited longer than this for its hours asks a person again, such as PT24H",
    )
    about: Literal["campaign", "case"] = Field(
        "campaign",
        description="case: an answer in a matter that is under way, or mail to one's own people; no hours and caps hold for such an e-mail",
    )


class MessageStep(StepType, ABC):
    """A step that sends something by itself and waits until it has left. A person may do it by hand."""

    channel: ClassVar[str]
    consent: ClassVar[str | None]
    family: ClassVar[Any] = "action"
    by_others = True
    technical = frozenset({"key", "collection", "message"})
    to_empty: ClassVar[str] = "Empty: the contact's own address"
    alone = True
    always_changes = True
    computes: ClassVar[tuple[str, ...]] = ("to",)
    leaves = frozenset({"message", "status", "to", "reason"})

    def outcomes(self, config: Any) -> tuple[str, ...]:
        """What may become of it. Who names no way for `expired` or `failed` has a person asked."""
        return (SENT, SKIPPED)

    def rare_outcomes(self, config: Any) -> tuple[str, ...]:
        """It waited too long, or could not be sent."""
        return (EXPIRED, FAILED)

    @abstractmethod
    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """What leaves, with the run's values."""
        raise NotImplementedError

    @abstractmethod
    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """(Markdown of the message for a person, notes beside it)."""
        raise NotImplementedError

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Asks for the message; the step is done when it has left. Where a merge field is empty it does not leave: nobody has looked at the gap."""
        texts = [located.text for located in self.templates(step.config)]
        empty = (
            sorted({path for paths in empty_fields(texts, context.roots) for path in paths})
            if self.channel != "chat"
            else []
        )
        return self._asked(step, context, {EMPTY: [list(path) for path in empty]} if empty else {})

    def _asked(self, step: StepView, context: Context, given: Mapping[str, Any]) -> Completion:
        content = {**self.content(step, context), **given}
        wanted = MessageWanted(
            self.channel,
            content,
            self.consent,
            named=step.outcomes,
            expires_s=seconds_of(step.config.expires),
            about=getattr(step.config, "about", CAMPAIGN),
            **self.repeats(step),
        )
        return Completion(
            self.outcomes(step.config)[0], {}, {"status": "waiting", "to": content.get("to")}, message=wanted
        )

    def repeats(self, step: StepView) -> dict[str, int]:
        """How often it is tried, for calls."""
        return {}

    def done_by_hand(self, config: Any) -> tuple[Option, ...]:
        """What a person may say that came of it."""
        return (
            Option(SENT, "It has reached them", (REASON,), ()),
            Option(SKIPPED, "Continue without", (REASON,), (REASON,)),
        )

    def _ways(self, step: StepView) -> list[Option]:
        """Those of them for which the document has a way."""
        return [
            way
            for way in self.done_by_hand(step.config)
            if way.value in step.outcomes or "default" in step.outcomes
        ]

    def _fields(self, to: Any) -> tuple[FormField, ...]:
        address = FormField(TO, "To", max_length=320, value=to, help=self.to_empty)
        return (address, FormField(REASON, "Why", "long_text", max_length=2000))

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The message, and what a person may do about it."""
        content = self.content(step, context)
        text, notes = self.shown(content, context, step)
        fields = self._fields(content.get("to"))
        options = (Option(SEND, "Send it", (TO,), ()), *self._ways(step))
        return Prompt(text, fields=fields, outcomes=options, button=step.button or "Continue", notes=notes)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """What the person chose. Raises Invalid with one detail per wrong field."""
        options = {option.value: option for option in (Option(SEND, "", (TO,)), *self._ways(step))}
        fields, option = self._fields(None), options.get(outcome or "")
        if option is None:
            reason = f"Choose one of {', '.join(options)}."
            strange = [
                detail for detail in examine(fields, submitted)[1] if detail["field"] not in (TO, REASON)
            ]
            raise refusal([{"field": "outcome", "reason": reason}, *strange])
        clean(fields, submitted)
        if outcome == SEND:
            to = str(submitted.get(TO) or "").strip()
            return self._asked(step, context, {"to": to} if to else {})
        reason = str(submitted.get(REASON) or "").strip()
        if REASON in option.required and is_empty(reason):
            raise Invalid(
                "Say why in a few words.", at=(REASON, "Say why in a few words; it is kept in the log.")
            )
        return Completion(
            str(outcome),
            {REASON: reason} if reason else {},
            {"status": outcome, "reason": reason or None, "to": submitted.get(TO)},
        )

    def address(self, step: StepView, context: Context) -> str | None:
        """The address that the document names, None where it is the contact's own."""
        if step.config.to is None:
            return None
        found = expressions.parse(step.config.to).evaluate(context.roots)
        return str(found) if found is not None else ""

    def answered(self, config: Any) -> frozenset[str]:
        """Why it did not leave may name the address."""
        return frozenset({REASON})


def filled(text: str, context: Context) -> str:
    """A text with its merge fields filled in as people say them."""
    return fill_text(text, context.roots)


def filled_markdown(text: str, context: Context) -> str:
    """Markdown with its merge fields filled in; what stands in them has no effect."""
    return fill_template(text, context.roots, links=False)


def one_line(text: str, context: Context) -> str:
    """A line with its merge fields filled in."""
    return " ".join(filled(text, context).split())
