"""Change stage: sets the stage of the run's record, which is a contact or has a field with options. A record that is there already stays as it is."""

from typing import ClassVar

from pydantic import Field

from console.core import expressions
from console.core.contact_stages import STAGE
from console.core.documents.fields import Use
from console.core.errors import Invalid
from console.core.forms import FormField
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    WriteRecord,
)


class ChangeStageConfig(StepConfig):
    """The stage, and where it stands."""

    stage: str = Field(
        min_length=1,
        max_length=500,
        description="One of the options of the field, by value or label; {{ expressions }} are filled in",
    )
    field: str | None = Field(
        None, min_length=1, max_length=200, description="Field with options; none: the stage of the contact"
    )


class ChangeStage(StepType):
    """Automatic. Output `{"stage", "former"}`."""

    name, title, family, icon = "change_stage", "Change stage", "action", "arrow-right"
    gist = "The contact goes to another stage"
    automatic = True
    Config: ClassVar[type[StepConfig]] = ChangeStageConfig
    texts = ("stage",)
    leaves = frozenset({"stage", "former"})

    def edits(self, step: StepView) -> tuple[str, ...]:
        """The field of the stage."""
        return (step.config.field or STAGE,)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """What a person does who handles the step manually."""
        return Prompt(
            f"Change the stage to “{expressions.render(step.config.stage, context.roots).strip()}”.",
            button=step.button or "Done",
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The change. Raises Invalid where the record has no stage, or not this one."""
        field = next(iter(context.forms.values()), None) or _unjudged(step, context)
        if field is None or field.readonly:
            raise Invalid("The stage of this record cannot be changed here, or it has none.", code="no_stage")
        stage = _option(field, expressions.render(step.config.stage, context.roots).strip())
        output = {"stage": stage, "former": field.value}
        change = WriteRecord({field.name: {"old": field.value, "new": stage}}, tells={"stage": field.name})
        effects = () if field.value == stage else (change,)
        return Completion("default", {}, output, effects=effects)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person goes on; whether they changed the stage is theirs."""
        return Completion("default", {}, {"stage": None, "former": None})

    def uses(self, config: ChangeStageConfig) -> list[Use]:
        """The field that is named, else that of the contact's stage, and the stage where it is no expression."""
        stage = None if "{{" in config.stage else config.stage.strip()
        return [Use("field" if config.field else "stage", config.field or STAGE, changed=True, option=stage)]


def _unjudged(step: StepView, context: Context) -> FormField | None:
    """The named field where the person's rights show none: the write itself says that it is refused."""
    record, name = context.roots.get("record"), step.config.field
    return FormField(name, name, value=record.get(name)) if name is not None and record is not None else None


def _option(field: FormField, wanted: str) -> str:
    """The value of the option of this value or label. Raises Invalid."""
    if field.options is None:
        return wanted
    options = (
        [(str(option["value"]), str(option["label"])) for option in field.options or ()]
        if isinstance(field.options, list | tuple)
        else []
    )
    found = next((value for value, _ in options if value == wanted), None)
    found = found or next((value for value, label in options if label.casefold() == wanted.casefold()), None)
    if found is None:
        named = ", ".join(label for _, label in options)
        reason = f"There is no stage “{wanted}”{f'; there are {named}' if named else ''}."
        raise Invalid(reason, at="stage")
    return found
