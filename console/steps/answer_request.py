"""Answer a request: a person answers what a program asked, in the form that it sent along, or decides on the tool call that it wants to make."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from console.core import expressions
from console.core.documents.fields import Located
from console.core.errors import Invalid
from console.core.forms import FormField, examine, refusal
from console.core.mcp_tools import Schema, properties
from console.core.plain_words import one_line
from console.formats import schema_fields
from console.steps.base import (
    Completion,
    Context,
    Option,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    require_right,
)

ANSWERED, REJECTED = "answered", "rejected"
BECAUSE = "rejected_because"
KINDS = {"fact": "Stated as a fact", "claim": "Claim, not verified"}
SLOT = "context."
"""Before the kind: where a file of a request was handed in. No field and no document has a name with a dot."""
LONGEST_SHOWN = 2000


class AnswerRequestConfig(StepConfig):
    """Where the run has the request: expressions for JSON texts, as `POST /requests` leaves them in the input of its run."""

    schema_: str = Field(alias="schema", description="Expression for the JSON Schema of the answer: the form")
    context: str | None = Field(
        None,
        description="Expression for what is shown beside it: a list of {label, value, kind: fact or claim}",
    )
    tool_call: str | None = Field(
        None, description="Expression for the call that is to be approved: {name, arguments}"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )


class AnswerRequest(StepType):
    """Output: `answer`, what was answered as JSON text, and `changed`, the arguments of the tool call that were edited, or `rejected_because`."""

    name, title, family, icon = "answer_request", "Answer a request", "action", "robot"
    gist = "A person answers what a program asked, or approves its tool call"
    technical = frozenset({"answer"})
    Config: ClassVar[type[StepConfig]] = AnswerRequestConfig
    computes, texts = ("schema", "context", "tool_call"), ("text",)

    def asks(self, config: AnswerRequestConfig) -> bool:
        """Always."""
        return True

    def outcomes(self, config: AnswerRequestConfig) -> tuple[str, ...]:
        """Answered or approved, and rejected."""
        return (ANSWERED, REJECTED)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The question as plain text, what the program says beside it with its kind, and the form."""
        config: AnswerRequestConfig = step.config
        call = _json(config.tool_call, context)
        _, fields = _form(config, context)
        notes = [("Tool", str(call.get("name")))] if call else []
        notes += [
            (f"{one_line(str(each.get('label')), 100)} · {KINDS[each['kind']]}", _shown(each.get("value")))
            for each in _json(config.context, context, list) or ()
            if isinstance(each, dict) and each.get("kind") in [*KINDS]
        ]
        needed = tuple(field.name for field in fields if field.required and not field.readonly)
        reason = FormField(BECAUSE, "Why not", "long_text", max_length=2000, lines=2)
        return Prompt(
            fill_template(config.text, context.roots) if config.text else None,
            fields=(*(replace(field, required=False) for field in fields), reason),
            outcomes=(
                Option(ANSWERED, "Approve" if call else "Answer", (), needed),
                Option(REJECTED, "Reject", (BECAUSE,), (BECAUSE,)),
            ),
            button=step.button or "Done",
            notes=tuple((label, text) for label, text in notes if text),
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The answer, checked against the schema. Raises Invalid with one detail per wrong field."""
        config: AnswerRequestConfig = step.config
        schema, fields = _form(config, context)
        if outcome == REJECTED:
            fields = [FormField(BECAUSE, "Why not", "long_text", required=True, max_length=2000)]
        others = properties(schema) if outcome == REJECTED else (BECAUSE,)
        values, details = examine(
            fields, {name: value for name, value in submitted.items() if name not in others}
        )
        if outcome not in (ANSWERED, REJECTED):
            said = "No choice was made" if outcome is None else f"{str(outcome)[:60]} cannot be chosen here"
            reason = f"{said}: choose one of {ANSWERED}, {REJECTED}."
            raise refusal([{"field": "outcome", "reason": reason}, *details])
        if outcome == REJECTED:
            require_right(context, details)
            return Completion(REJECTED, values)
        if not fields:
            raise Invalid(
                "What was asked has no form that could be filled in: reject it.", at=("outcome", "Reject it.")
            )
        answer = {
            name: schema_fields.typed(properties(schema)[name], value)
            for name, value in schema_fields.arguments(schema, values).items()
        }
        details = details or schema_fields.errors(schema, answer)
        require_right(context, details)
        asked = _arguments(config, context)
        changed = sorted(name for name in {*asked, *answer} if asked.get(name) != answer.get(name))
        output = {"answer": json.dumps(answer, ensure_ascii=False)}
        return Completion(ANSWERED, values, {**values, **output, "changed": changed if asked else []})

    def technical_inputs(self, config: AnswerRequestConfig) -> frozenset[str]:
        """Where the start has the JSON texts."""
        texts = (config.schema_, config.context, config.tool_call)
        return frozenset(text.removeprefix("input.") for text in texts if text and text.startswith("input."))

    def outputs(self, config: AnswerRequestConfig) -> frozenset[str] | None:
        """Not known before there is a request."""
        return None

    def expressions(self, config: AnswerRequestConfig) -> list[Located]:
        """Where the request is."""
        texts = {"schema": config.schema_, "context": config.context, "tool_call": config.tool_call}
        return [Located(name, text) for name, text in texts.items() if text is not None]


def _json(text: str | None, context: Context, kind: type[Any] = dict) -> Any:
    """What a JSON text of the run says; None where there is none of this kind."""
    given = expressions.parse(text).value(context.roots) if text is not None else None
    try:
        found = json.loads(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if isinstance(found, kind) else None


def _form(config: AnswerRequestConfig, context: Context) -> tuple[Schema, list[FormField]]:
    """The schema, and its fields: those of a tool call start with its arguments, and one that is `readOnly` cannot be edited. Neither of what is no form."""
    try:
        schema = schema_fields.inlined(_json(config.schema_, context) or {})
    except (ValueError, RecursionError):
        return {}, []
    given = _arguments(config, context)
    fields = []
    for field in schema_fields.fields(schema):
        held = field.name in given and properties(schema)[field.name].get("readOnly") is True
        first = given.get(field.name)
        first = str(first) if field.type == "decimal" and first is not None else first
        value = first if held else context.former.get(field.name, first)
        fields.append(replace(field, now=first, value=value, readonly=held))
    return schema, fields


def _arguments(config: AnswerRequestConfig, context: Context) -> Mapping[str, Any]:
    found = (_json(config.tool_call, context) or {}).get("arguments")
    return found if isinstance(found, dict) else {}


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
