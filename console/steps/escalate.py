"""Escalate: the run goes into an inbox; the person who takes it there continues at the next step."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from console.core.documents import field_expressions, fields as definitions
from console.core.documents.fields import FieldDefinition, Located, with_own
from console.core.run.step_requests import Handover
from console.core.speaking import fill_text
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    require_right,
)

LONGEST_REASON = 2000


class EscalateConfig(StepConfig):
    """The inbox, and the text that is shown there."""

    inbox: str = Field(min_length=1, max_length=60, description="Id of the inbox; one of the workflow's team")
    text: str = Field(
        min_length=1,
        max_length=4000,
        description="Why, as those read it who work there; {{ expressions }} are filled in, the step's own form as `steps.<id>`",
    )
    priority: Literal["low", "normal", "high", "urgent"] = Field("normal", description="What is taken first")
    form: list[FieldDefinition] = Field(
        default_factory=list, max_length=30, description="What the person who hands it on has to say"
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        definitions.require_distinct([entry.name for entry in self.form])
        return self


class Escalate(StepType):
    """Afterwards nobody holds the run. With `completion: automatic` and without a form no person is asked before."""

    name, title, family, icon = "escalate", "Escalate", "action", "inbox"
    gist = "Hands the run on to an inbox, where others go on with it"
    own_values = True
    Config: ClassVar[type[StepConfig]] = EscalateConfig
    always_changes = True
    texts = ("text",)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The text for the inbox, and the form."""
        form = definitions.fields_with_values(step.config.form, context.roots, context.former, step.id)
        typed = {entry.name: entry.value for entry in form}
        return Prompt(
            text=fill_template(step.config.text, with_own(context.roots, step.id, typed)),
            fields=tuple(form),
            button=step.button or "Hand on",
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Hands the run to the inbox. Raises Invalid with one detail per wrong field."""
        values, details = definitions.submitted_values(
            step.config.form, context.roots, context.former, step.id, dict(submitted)
        )
        require_right(context, details)
        reason = (
            fill_text(step.config.text, with_own(context.roots, step.id, values)).strip()
            or f"Handed on at “{step.title}”."
        )
        over = Handover(step.config.inbox, reason[:LONGEST_REASON], step.config.priority)
        return Completion("default", values, hands_over=over)

    def expressions(self, config: EscalateConfig) -> list[Located]:
        """Those of the form."""
        return field_expressions.texts_of_definitions("form", config.form)

    def outputs(self, config: EscalateConfig) -> frozenset[str]:
        """The fields of the form."""
        return definitions.names_of(config.form)
