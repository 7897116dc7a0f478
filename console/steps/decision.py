"""Decision: a person chooses one of several ways on, with what the choice needs to be understood later."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from console.core import fields as definitions
from console.core.fields import Definition, FieldDefinition, Located, Use, holds, with_own
from console.core.forms import is_empty, missing, refusal
from console.core.workflow import NAME_PATTERN
from console.steps.base import (
    Completion,
    Context,
    Option,
    Prompt,
    Read,
    Related,
    StepConfig,
    StepType,
    StepView,
    Values,
    refused_fields,
    related_texts,
    related_uses,
    said,
)

OPTION, REASON = "option", "reason"


class DecisionOption(Definition):
    """A way on, drawn as a button."""

    value: str = Field(pattern=NAME_PATTERN, description="The outcome")
    label: str = Field(min_length=1, max_length=100)
    if_: str | None = Field(None, alias="if", description="Expression; the option is offered only where it holds")
    unless: str | None = Field(None, description="Expression; the option is not offered where it holds (unknown does not)")
    fields: list[str] = Field(
        default_factory=list, description="Fields of the form that this option needs; options that do not name them leave them out"
    )
    reason_required: bool = Field(False, description="The field `reason` may not be empty; it is added where the form has none")

    def offered(self, roots: Mapping[str, Any]) -> bool:
        """Whether the option is there to be chosen now."""
        return holds(self.if_, roots) and not (self.unless is not None and holds(self.unless, roots))


class DecisionConfig(StepConfig):
    """The question and its answers."""

    maker: Literal["user"] = Field("user", description="Who decides: a person")
    options: list[DecisionOption] = Field(min_length=2, max_length=12)
    form: list[FieldDefinition] = Field(default_factory=list, max_length=40, description="What is noted with the choice")
    related: list[Related] = Field(default_factory=list, max_length=12, description="Related records shown beside the question")
    text: str | None = Field(None, max_length=20_000, description="Markdown above the options; {{ expressions }} are filled in")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        values = [option.value for option in self.options]
        if len(set(values)) < len(values):
            raise ValueError("two options have the same value")
        names = {entry.name for entry in self.form}
        if twice := definitions.names_twice(self.form):
            raise ValueError(f"more than one field is named {', '.join(twice)}")
        if OPTION in names:
            raise ValueError(f"a field cannot be named {OPTION}: that is where the choice itself is found")
        unknown = sorted({name for option in self.options for name in option.fields} - names)
        if unknown:
            raise ValueError(f"options name fields that the form does not have: {', '.join(unknown)}")
        if all(option.if_ is not None or option.unless is not None for option in self.options):
            raise ValueError("every option depends on a condition: at least one must always be offered")
        return self

    @property
    def fields(self) -> list[FieldDefinition]:
        """The form, with the field `reason` where an option asks for one and the form does not have it."""
        asked = any(option.reason_required for option in self.options)
        if not asked or any(entry.name == REASON for entry in self.form):
            return list(self.form)
        return [*self.form, FieldDefinition.model_validate({"name": REASON, "label": "Reason", "type": "long_text", "max_length": 4000})]


class Decision(StepType):
    """The choice is the outcome; output `{"option": …}` and the fields. A field that only other options name stays empty."""

    name, title, family, icon = "decision", "Decision", "condition", "git-branch"
    gist = "A person chooses the way on"
    own_values = True
    Config: ClassVar[type[StepConfig]] = DecisionConfig

    def outcomes(self, config: DecisionConfig) -> tuple[str, ...]:
        """The options in their order."""
        return tuple(option.value for option in config.options)

    def reads(self, step: StepView) -> list[Read]:
        """The related records."""
        return [entry.read() for entry in step.config.related]

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form and the options that are offered now."""
        fields = definitions.shown(step.config.fields, context.roots, context.former, step.id)
        own = with_own(context.roots, step.id, {field.name: field.value for field in fields})
        parts = [said(step.config.text, own)] if step.config.text else []
        if refused := refused_fields(context.reads):
            parts.append("Not permitted for you: " + ", ".join(f"`{name}`" for name in refused) + ".")
        offered = tuple(Option(option.value, option.label) for option in step.config.options if option.offered(context.roots))
        tables = tuple(entry.name for entry in step.config.related if not entry.hidden)
        return Prompt("\n\n".join(parts) or None, tables, tuple(fields), offered, step.button or "Done")

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """The choice with its fields; raises Invalid for no choice, one that is not offered, and each field that is wrong."""
        chosen = next((option for option in step.config.options if option.value == outcome), None)
        typed = {name: value for name, value in submitted.items() if chosen is None or name not in _of_others(step.config, chosen)}
        values, details = definitions.taken(step.config.fields, context.roots, context.former, step.id, typed)
        details = [_choice_wrong(step.config, context, outcome)] * (chosen is None or not chosen.offered(context.roots)) + details
        if chosen is not None:
            left_out = _of_others(step.config, chosen)
            details = [detail for detail in details if detail["field"] not in left_out]
            values |= dict.fromkeys(left_out)
            details += _lacking(step.config, chosen, values, {detail["field"] for detail in details})
        if details or chosen is None:
            raise refusal(details)
        return Completion(chosen.value, values, {OPTION: chosen.value, **values})

    def expressions(self, config: DecisionConfig) -> list[Located]:
        """Conditions of the options, and those of the form and the related reads."""
        places = [(f"options[{number}]", option) for number, option in enumerate(config.options)]
        offered = [Located(f"{place}.if", option.if_) for place, option in places if option.if_ is not None]
        hidden = [Located(f"{place}.unless", option.unless) for place, option in places if option.unless is not None]
        return [*offered, *hidden, *definitions.texts_of_definitions("form", config.form), *related_texts("related", config.related)]

    def templates(self, config: DecisionConfig) -> list[Located]:
        """The text above the options."""
        return [Located("text", config.text)] if config.text is not None else []

    def uses(self, config: DecisionConfig) -> list[Use]:
        """What is read beside the question."""
        return related_uses("related", config.related)

    def outputs(self, config: DecisionConfig) -> frozenset[str]:
        """The choice and every field of the form."""
        return frozenset([OPTION, *(entry.name for entry in config.fields)])


def _of_others(config: DecisionConfig, chosen: DecisionOption) -> list[str]:
    """Fields that belong to other options and not to the chosen one."""
    named = {name for option in config.options for name in option.fields}
    return sorted(named - set(chosen.fields))


def _choice_wrong(config: DecisionConfig, context: Context, outcome: str | None) -> dict[str, str]:
    """What is said of a choice that is missing or not offered."""
    offered = ", ".join(option.value for option in config.options if option.offered(context.roots))
    said = "No choice was made" if outcome is None else f"{str(outcome)[:60]} cannot be chosen here"
    return {"field": "outcome", "reason": f"{said}: choose one of {offered}."}


def _lacking(config: DecisionConfig, chosen: DecisionOption, values: Mapping[str, Any], wrong: set[str]) -> list[dict[str, str]]:
    """Fields that the chosen option needs and that are empty."""
    needed = {*chosen.fields, *([REASON] if chosen.reason_required else [])} - wrong
    fields = [replace(entry.field(), required=True) for entry in config.fields if entry.name in needed]
    return [
        {"field": field.name, "reason": f"{missing(field)} “{chosen.label}” asks for it."}
        for field in fields
        if is_empty(values[field.name])
    ]
