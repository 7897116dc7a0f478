"""Start: the first step of a run, with the form that starts it."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core.documents import field_expressions, fields as definitions
from console.core.documents.fields import OWN_INPUT, FieldDefinition, Located
from console.core.forms import refusal
from console.steps.base import Completion, Context, Prompt, StepConfig, StepType, StepView, Values


class StartConfig(StepConfig):
    """The form."""

    fields: list[FieldDefinition] = Field(
        default_factory=list,
        max_length=50,
        description="Fields of the start form, found later as `input.<name>`",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        definitions.require_distinct([entry.name for entry in self.fields])
        if late := [entry.name for entry in self.fields if entry.type in definitions.HANDED_IN]:
            raise ValueError(
                f"there is no run yet that files could be kept with: ask for {', '.join(late)} in a step"
            )
        return self


class Start(StepType):
    """The fields are filled from the `input` of the run. A wrong input is reported and no run is started."""

    name, title, family, icon = "start", "Start", "start", "player-play"
    gist = "Where a run begins; asks for what has to be known first"
    automatic = True
    own_values = True
    Config: ClassVar[type[StepConfig]] = StartConfig

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form, for the page that starts a run."""
        typed = context.former or dict(context.roots.get(OWN_INPUT) or {})
        fields = definitions.fields_with_values(step.config.fields, context.roots, typed, OWN_INPUT)
        return Prompt(fields=tuple(fields), button=step.button or "Start")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The input in canonical form. Raises Invalid with one detail per wrong field (`runs.start` calls them `input.<field>`)."""
        values, details = definitions.submitted_values(
            step.config.fields, context.roots, context.former, OWN_INPUT, submitted
        )
        if details:
            raise refusal(details)
        return Completion("default", values)

    def expressions(self, config: StartConfig) -> list[Located]:
        """Conditions and computed values of the fields."""
        return field_expressions.texts_of_definitions("fields", config.fields)

    def outputs(self, config: StartConfig) -> frozenset[str]:
        """The fields, which are also in `input`."""
        return definitions.names_of(config.fields)
