"""Human input: other people answer a form. The run continues when enough of them agree, or when their time is over."""

from datetime import UTC, datetime
from typing import ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents import field_expressions, fields as definitions
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.fields import Definition, FieldDefinition, Located
from console.core.errors import Invalid
from console.core.expressions import render
from console.core.expressions.operands import duration_of
from console.core.forms import examine
from console.steps.base import (
    Completion,
    Context,
    Option,
    Prompt,
    Question,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    require_right,
)
from console.steps.notify import Addressed

ANSWERED = "answered"


class Answer(Definition):
    """A button of the form; its value is the outcome."""

    value: str = Field(pattern=NAME_PATTERN)
    label: str = Field(min_length=1, max_length=200)


class HumanInputConfig(StepConfig):
    """Who is asked what, how many have to agree, and what happens when they do not answer."""

    to: Addressed = Field(description="Who is asked: people, roles, a team; only those who may see the run")
    question: str = Field(
        min_length=1, max_length=500, description="The question in a line; {{ expressions }} are filled in"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )
    form: list[FieldDefinition] = Field(default_factory=list, max_length=40, description="What they fill in")
    answers: list[Answer] = Field(
        default_factory=list,
        max_length=12,
        description="The buttons, each an outcome; none: one button, outcome answered",
    )
    needs: int = Field(1, ge=1, le=20, description="How many people have to give the same answer")
    within: str | None = Field(None, description="Expression for how long they have, such as days(2)")
    otherwise: str | None = Field(
        None,
        pattern=NAME_PATTERN,
        description="Outcome when that time is over; none: whoever holds the run is asked",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        values = [answer.value for answer in self.answers]
        if len(set(values)) < len(values) or len(values) == 1:
            raise ValueError("answers need at least two different values, or none at all")
        definitions.require_distinct([entry.name for entry in self.form])
        if self.otherwise is not None and self.within is None:
            raise ValueError("otherwise is what happens when a time is over: say which one with within")
        return self

    @property
    def options(self) -> tuple[Option, ...]:
        """The buttons."""
        return tuple(Option(answer.value, answer.label) for answer in self.answers)


class HumanInput(StepType):
    """Asks at once and waits. Whoever holds the run may do it by hand. Output `{"answers": [{"by", "outcome", "at", "values"}]}`."""

    name, title, family, icon = "human_input", "Human input", "action", "user"
    gist = "Other people answer a form"
    waits = True
    Config: ClassVar[type[StepConfig]] = HumanInputConfig
    alone = True
    always_changes = True
    computes, texts, leaves = ("within",), ("question", "text"), frozenset({"answers"})

    def outcomes(self, config: HumanInputConfig) -> tuple[str, ...]:
        """The values of the buttons, and the outcome where there are not enough answers in time."""
        ways = [answer.value for answer in config.answers] or [ANSWERED]
        return tuple(dict.fromkeys([*ways, *([config.otherwise] if config.otherwise else [])]))

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form, for a person who answers in place of those asked."""
        config: HumanInputConfig = step.config
        parts = [
            fill_template(
                "**{{ item.question }}**", {"item": {"question": render(config.question, context.roots)}}
            )
        ]
        parts += [fill_template(config.text, context.roots)] if config.text else []
        fields = definitions.fields_with_values(config.form, context.roots, context.former, step.id)
        return Prompt(
            "\n\n".join(parts), fields=tuple(fields), outcomes=config.options, button=step.button or "Done"
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The answer that the run's holder gives in place of those asked."""
        config: HumanInputConfig = step.config
        offered = [answer.value for answer in config.answers]
        fields = definitions.fields_with_values(config.form, context.roots, context.former, step.id)
        values, details = examine(fields, submitted)
        require_right(context, details)
        if offered and outcome not in offered:
            raise Invalid(
                "Choose an answer.",
                at=(
                    "outcome",
                    f"Choose one of {', '.join(f'“{option.label}”' for option in config.options)}.",
                ),
            )
        me = (context.roots.get("currentUser") or {}).get("id")
        given = outcome if offered and outcome else ANSWERED
        answer = {"by": me, "outcome": given, "at": None, "values": values}
        return Completion(given, values, {"answers": [answer]})

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Asks and waits."""
        config: HumanInputConfig = step.config
        fields = tuple(definitions.fields_with_values(config.form, context.roots, {}, step.id))
        text = fill_template(config.text, context.roots, links=False) if config.text else None
        title = render(config.question, context.roots)
        until = None
        if config.within is not None:
            span, now = (
                duration_of(expressions.parse(config.within).value(context.roots)),
                context.roots["now"],
            )
            if span is None or not isinstance(now, datetime):
                raise Invalid(f"`{config.within}` gives no time in which to answer.", code="no_moment")
            until = (now + span).astimezone(UTC)
        outcome = config.otherwise or self.outcomes(config)[0]
        question = Question(
            config.to.meant(context),
            title,
            text,
            fields,
            config.options,
            config.needs,
            until,
            config.otherwise,
        )
        return Completion(outcome, {}, {"answers": []}, question=question)

    def expressions(self, config: HumanInputConfig) -> list[Located]:
        """Who is asked, the form, and how long they have."""
        return [
            *config.to.texts("to."),
            *field_expressions.texts_of_definitions("form", config.form),
            *super().expressions(config),
        ]
