"""LLM: a model fills in the step's form. A person checks the answer first, or the run continues with it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents import field_expressions, fields as definitions
from console.core.documents.fields import FieldDefinition, Located, Use
from console.core.forms import is_empty
from console.core.run.proposal_comparison import likeness
from console.steps.base import (
    AsksPerson,
    Completion,
    Context,
    Prompt,
    Related,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    refused_fields,
    refused_words,
    related_texts,
    related_uses,
    require_right,
)

ORIGIN, REFERENCES = "origin", "references"
MODEL, PERSON = "llm", "person"
HOUSE = frozenset({"variables", "tables", "now", "run"})
"""Roots that hold the house's own words and rules: what stands in them may be told to a model as instruction."""


class LlmConfig(StepConfig):
    """The prompt, and the form of the answer."""

    prompt: str = Field(
        min_length=1,
        max_length=8_000,
        description="What is asked. Variables in {{ }} are filled in; values of the run ({{ steps.load.email }}) are named here and given as sources",
    )
    output: list[FieldDefinition] = Field(
        min_length=1,
        max_length=40,
        description="The answer: its fields. Of a checklist each tick comes with what it rests on",
    )
    related: list[Related] = Field(
        default_factory=list,
        max_length=12,
        description="Related records that the answer may rest on, a table each",
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = {entry.name for entry in self.output}
        definitions.require_distinct([entry.name for entry in self.output])
        if taken := sorted(names & {ORIGIN, REFERENCES}):
            raise ValueError(
                f"a field cannot be named {', '.join(taken)} here: that is where it is found who answered, and on what it rests"
            )
        if not definitions.typed(self.output):
            raise ValueError("nothing is asked: every field of output is read-only or a file")
        if expressions.chooses(self.prompt):
            raise ValueError(
                "a prompt cannot choose by {{ if … }}: what a model may not know would show in what it is asked"
            )
        return self


class Llm(StepType):
    """Output: the fields, `origin` (`llm` where nobody looked, else `person`), and `references`: field → what the value, or each tick of it, rests on."""

    name, title, family, icon = "llm", "LLM", "llm", "sparkles"
    gist = "A model answers in a form of its own"
    own_values = by_others = True
    ai = ai_alone = True
    purpose = "text"
    Config: ClassVar[type[StepConfig]] = LlmConfig
    texts = ("prompt", "text")

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form and the records that the answer may use."""
        fields = definitions.fields_with_values(step.config.output, context.roots, context.former, step.id)
        parts = [fill_template(step.config.text, context.roots)] if step.config.text else []
        if refused := refused_fields(context.reads):
            parts.append(refused_words(refused))
        tables = tuple(entry.name for entry in step.config.related if not entry.hidden)
        return Prompt("\n\n".join(parts) or None, tables, tuple(fields), button=step.button or "Done")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The answer. Raises Invalid with one detail per wrong field."""
        values, details = definitions.submitted_values(
            step.config.output, context.roots, context.former, step.id, submitted
        )
        require_right(context, details)
        kinds = {entry.name: entry.type for entry in step.config.output}
        found = references(context.proposal or {}, values, kinds)
        alone = bool(context.proposal) and context.answered
        return Completion(
            "default", values, {**values, ORIGIN: MODEL if alone else PERSON, REFERENCES: found}
        )

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Asks and waits for the answer. Raises AsksPerson where the AI is switched off for the step."""
        if not context.asks_ai:
            raise AsksPerson("No model is asked at this step: please fill in the form.", code="off")
        return Completion("default", {}, {}, asks_ai=True)

    def instruction(self, step: StepView, context: Context, written: str) -> str:
        """The prompt, after what stands in the settings of the AI. A value of the run is named and not told: it is among the sources, as far as a model may have it."""
        parts = expressions.active_parts(step.config.prompt, context.roots)
        prompt = "".join(
            part if isinstance(part, str) else _prompt_value(part, context.roots) for part in parts
        )
        return "\n\n".join(part for part in (written, prompt) if part)

    def ai_fields(self, config: LlmConfig) -> tuple[str, ...]:
        """The fields of the answer."""
        return tuple(definitions.typed(config.output))

    def expressions(self, config: LlmConfig) -> list[Located]:
        """Those of the form and of the related reads."""
        return [
            *field_expressions.texts_of_definitions("output", config.output),
            *related_texts(config.related),
        ]

    def uses(self, config: LlmConfig) -> list[Use]:
        """What is read beside the form."""
        return related_uses(config.related)

    def outputs(self, config: LlmConfig) -> frozenset[str]:
        """Every field, `origin` and `references`."""
        return frozenset([ORIGIN, REFERENCES, *definitions.names_of(config.output)])


def _prompt_value(expression: expressions.Expression, roots: Mapping[str, Any]) -> str:
    """The text in the prompt for an expression: the value where it is our own, else the name of its source."""
    if all(path[0] in HOUSE for path in expressions.paths(expression)):
        return expressions.value_text(expression.value(roots))
    return f"[{expression.text}]"


def references(
    proposal: Mapping[str, Any], values: Mapping[str, Any], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """On what the values rest that were proposed and kept: field → sources; of a tick list, tick → sources. What a person put there has none."""
    found: dict[str, Any] = {}
    for each in proposal.get("fields") or ():
        name, value = each["name"], values.get(each["name"])
        if is_empty(value) or name not in kinds:
            continue
        kept: Any = None
        if "ticks" in each:
            ticked = frozenset(value or ())
            kept = {
                tick["value"]: list(tick["sources"])
                for tick in each["ticks"]
                if tick["value"] in ticked and tick["sources"]
            }
        elif likeness(kinds[name], each["value"], value) == "equal":
            kept = list(each.get("sources") or ())
        if kept:
            found[name] = kept
    return found
