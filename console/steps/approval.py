"""Approval: other people approve or reject the values of the run. The step itself changes nothing."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.fields import Located, Use
from console.core.forms import FormField, clean
from console.core.plain_words import humanised
from console.core.run.step_requests import ApprovalAsked
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    Read,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
)

STEP_PATTERN = r"step:[a-z][a-z0-9_]{0,63}"
APPROVED, REJECTED, EXPIRED = "approved", "rejected", "expired"


class ApprovalConfig(StepConfig):
    """Who is asked, what they see, and when no approval is needed."""

    text: str = Field(
        min_length=1,
        max_length=20_000,
        description="Markdown: what is to be approved; {{ expressions }} are filled in",
    )
    roles: list[str] = Field(
        min_length=1,
        max_length=20,
        description="Who may answer: anybody with one of these roles in the run's team",
    )
    needs: int = Field(
        1, ge=1, le=9, description="How many different people have to say yes; one no is enough"
    )
    not_by: list[str] = Field(
        default_factory=lambda: ["requester"],
        max_length=20,
        description="Who may not answer: `requester` (who holds the run when it comes here), `step:<id>` (who did that step)",
    )
    fields: list[str] = Field(
        default_factory=list, max_length=40, description="Fields of the record shown beside the text"
    )
    values: dict[str, str] = Field(
        default_factory=dict,
        max_length=40,
        description="Name to expression: what the yes is given for; where it comes to another value it is asked anew",
    )
    if_: str | None = Field(
        None,
        alias="if",
        max_length=2000,
        description="Expression; only where it holds somebody is asked, else the step is approved",
    )
    hours: int | None = Field(
        None,
        ge=1,
        le=8784,
        description="After so many hours without an answer the step is done as `expired`; none: it waits",
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for rule in self.not_by:
            if rule != "requester" and not re.fullmatch(STEP_PATTERN, rule):
                raise ValueError(f"not_by takes requester or step:<id>, not {rule}")
        return self


class ApprovalStep(StepType):
    """Asks without a person's click. Output: `decision` (approved, rejected, expired), `by`, `reason`, `decided_at`, and the values."""

    name, title, family, icon = "approval", "Approval", "condition", "shield-check"
    gist = "Others, such as a second person, say yes or no before the run goes on"
    asks_others = True
    Config: ClassVar[type[StepConfig]] = ApprovalConfig
    alone = True
    texts = ("text",)

    def outcomes(self, config: ApprovalConfig) -> tuple[str, ...]:
        """`expired` only where there is a time limit."""
        return (APPROVED, REJECTED, *((EXPIRED,) if config.hours is not None else ()))

    def says(self, config: ApprovalConfig) -> str:
        """Who has to agree."""
        roles = ", ".join(humanised(role) for role in config.roles)
        return roles if config.needs == 1 else f"{config.needs} of {roles}"

    def reads(self, step: StepView) -> list[Read]:
        """The fields that are shown."""
        return [Read(fields=tuple(step.config.fields))] if step.config.fields else []

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form after the request was withdrawn: its text, and a button that asks again."""
        return Prompt(
            text=fill_template(step.config.text, context.roots),
            fields=_fields(context),
            button=step.button or "Ask for approval",
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Asked again by hand."""
        clean(_fields(context), submitted)
        return self.complete_by_itself(step, context)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """The request, or `approved` where no approval is needed. If the condition is unknown, others are asked."""
        config, roots = step.config, context.roots
        values = {name: expressions.parse(text).evaluate(roots) for name, text in config.values.items()}
        if config.if_ is not None and expressions.parse(config.if_).value(roots) is False:
            return Completion(
                APPROVED, values, {**values, "decision": APPROVED, "by": [], "reason": "", "decided_at": None}
            )
        now: datetime = roots["now"]
        wanted = ApprovalAsked(
            id="",
            action=step.id,
            collection=None,
            record=None,
            values=values,
            needs=config.needs,
            roles=tuple(config.roles),
            not_by=tuple(config.not_by),
            until=now + timedelta(hours=config.hours) if config.hours is not None else None,
            decides=True,
            shown={
                "text": fill_template(config.text, roots),
                "record": dict(_shown(context)),
                "fields": _columns(context),
            },
        )
        return Completion(APPROVED, values, values, approval=wanted)

    def expressions(self, config: ApprovalConfig) -> list[Located]:
        """The condition and the values."""
        asks = [Located("if", config.if_)] if config.if_ is not None else []
        return [*asks, *(Located(f"values.{name}", text) for name, text in config.values.items())]

    def uses(self, config: ApprovalConfig) -> list[Use]:
        """The fields that are shown."""
        return [Use(f"fields[{place}]", name) for place, name in enumerate(config.fields)]

    def outputs(self, config: ApprovalConfig) -> frozenset[str]:
        """The answer and the approved values."""
        return frozenset([*config.values, "decision", "by", "reason", "decided_at"])


def _columns(context: Context) -> list[dict[str, Any]]:
    read = context.reads.get("record")
    return [
        {key: column.get(key) for key in ("name", "label", "type", "options")}
        for column in (read.fields if read else ())
    ]


def _fields(context: Context) -> tuple[FormField, ...]:
    """The shown fields, read-only."""
    shown = _shown(context)
    return tuple(
        FormField(
            column["name"],
            column["label"],
            column["type"],
            readonly=True,
            value=shown.get(column["name"]),
            options=column["options"],
        )
        for column in _columns(context)
    )


def _shown(context: Context) -> Mapping[str, Any]:
    """The current values of the record's fields."""
    read = context.reads.get("record")
    return dict(read.rows[0]["values"]) if read and read.rows else {}
