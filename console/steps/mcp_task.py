"""MCP task: a person calls a tool of an MCP server with values of the run; one that only reads may be called automatically."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_validator

from console.core.documents.action_document import SUCCEEDED, wishes
from console.core.documents.document_parts import Name
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Computed, Located, coerce_computed, computed
from console.core.effect_kinds import ALONE, LONGEST_S, ArgumentName, Mcp, ToolName
from console.core.errors import Conflict
from console.core.forms import BUTTONS, FormField, examine
from console.core.mcp_tools import DONE_BY, properties
from console.formats import schema_fields
from console.steps.base import (
    AsksPerson,
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
from console.steps.operations import quoted
from console.steps.proposable import Proposable, of_form

TOOL, HAND = "tool", "hand"
RESULT = "call"


class McpTaskConfig(StepConfig):
    """The tool and what it is called with."""

    server: Name = Field(description="The MCP server, by the name that it is registered under")
    tool: ToolName = Field(description="One of its tools that an administrator accepted")
    arguments: dict[ArgumentName, Computed] = Field(
        default_factory=dict,
        max_length=60,
        description="Argument of the tool to expression: what its field starts with",
    )
    locked: list[ArgumentName] = Field(
        default_factory=list,
        max_length=60,
        description="Arguments that hold these values and cannot be changed here",
    )
    result: dict[Name, str] = Field(
        default_factory=dict,
        max_length=40,
        description="Name under `result` to expression over `answer`, what the tool answered; none: the answer itself",
    )
    timeout_s: int = Field(10, ge=1, le=LONGEST_S, description="Seconds to wait for an answer")
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )
    schema_: dict[str, Any] | None = Field(
        None,
        alias="schema",
        description="JSON Schema of the arguments as it was accepted when the tool was chosen: the form. None: as it is accepted now",
    )

    @field_validator("schema_")
    @classmethod
    def _without_own_name(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None and DONE_BY in properties(schema):
            raise ValueError(f"a tool with an argument {DONE_BY} cannot be called by a step")
        return schema


class McpTask(StepType):
    """Output: the arguments, `result`, and `done_by`: `tool`, or `hand` where a person did it without the tool."""

    name, title, family, icon = "mcp_task", "MCP task", "action", "plug"
    technical = frozenset({"key", "results", DONE_BY})
    gist = "Calls a tool of another system by the Model Context Protocol"
    by_others = ai = ai_alone = True
    Config: ClassVar[type[StepConfig]] = McpTaskConfig
    texts = ("text",)

    def tool(self, config: McpTaskConfig) -> tuple[str, str]:
        """The server and the tool."""
        return config.server, config.tool

    def form_settings(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """All but the schema, which comes with the tool."""
        return tuple(name for name in type(self).Config.model_fields if name != "schema_")

    def changes(self, step: StepView) -> bool:
        """Nobody but an administrator says that a tool only reads."""
        return True

    def says(self, config: McpTaskConfig) -> str:
        """The tool."""
        return f"{config.server}: {config.tool}"

    def outcomes(self, config: McpTaskConfig) -> tuple[str, ...]:
        """One."""
        return (SUCCEEDED,)

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The form of the arguments, and the button that goes on without the tool."""
        config: McpTaskConfig = step.config
        parts = [fill_template(config.text, context.roots)] if config.text else []
        if context.no_tool:
            parts.append(
                fill_template("**Not possible now:** {{ input.why }}", {"input": {"why": context.no_tool}})
            )
        notes = [
            ("Does", self.says(config)),
            ("Goes to", config.server),
            ("Request", config.tool),
            ("Key", context.key),
        ]
        execute = step.button or "Execute"
        return Prompt(
            "\n\n".join(parts) or None,
            fields=(*_fields(step, context), _done_by(execute)),
            button=execute,
            notes=tuple((label, text) for label, text in notes if text),
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The call with the submitted values; none where a person did it. Raises Invalid per field that is wrong, Conflict where there is no tool."""
        fields = [*_fields(step, context), _done_by("")]
        if submitted.get(DONE_BY) == HAND:
            known = {field.name: submitted[field.name] for field in fields if field.name in submitted}
            values, details = examine([replace(field, required=False) for field in fields], known)
            require_right(context, details)
            return Completion(SUCCEEDED, values)
        if context.no_tool and not context.foretold:
            raise Conflict(context.no_tool, code="require")
        values, details = examine(fields, submitted)
        if not details and (schema := _schema(step, context)) is not None:
            details = schema_fields.errors(schema, schema_fields.arguments(schema, values))
        require_right(context, details)
        more = {ALONE: True} if context.answered else {}
        return Completion(
            SUCCEEDED, values, {**values, "key": context.key}, effects=_call(step, values, more)
        )

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """Calls a tool that only reads. Raises AsksPerson for every other one, and where an argument is missing."""
        if context.tool is None or not context.tool.reads:
            raise AsksPerson(
                context.no_tool or f"{step.config.tool} may change something: look at it, and press Execute."
            )
        return self.complete(step, replace(context, answered=True), {}, None)

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """The arguments; never whether the tool is called."""
        form = of_form([field for field in prompt.fields if field.name != DONE_BY])
        return replace(form, foreign=True)

    def ai_fields(self, config: McpTaskConfig) -> tuple[str, ...] | None:
        """The arguments, where the schema is known."""
        return tuple(properties(config.schema_)) if config.schema_ is not None else None

    def expressions(self, config: McpTaskConfig) -> list[Located]:
        """The arguments."""
        return [
            text for name, rule in config.arguments.items() for text in texts_of(f"arguments.{name}", rule)
        ]

    def outputs(self, config: McpTaskConfig) -> frozenset[str] | None:
        """The arguments, what came of the call, and how it was done; not known without the schema."""
        if config.schema_ is None:
            return None
        own = {DONE_BY, "key", "result", "results", f"results.{RESULT}", "outcome", "error"}
        return frozenset([*properties(config.schema_), *own])

    def answered(self, config: McpTaskConfig) -> frozenset[str]:
        """What the tool answers may repeat what it was sent."""
        return frozenset({"result", "results"})


def _schema(step: StepView, context: Context) -> Mapping[str, Any] | None:
    """The schema that the step holds, else the one that is accepted now."""
    pinned: Mapping[str, Any] | None = step.config.schema_
    return pinned if pinned is not None else context.tool.form if context.tool is not None else None


def _fields(step: StepView, context: Context) -> list[FormField]:
    """The arguments with what they start with. Without any schema, those that the step names."""
    config: McpTaskConfig = step.config
    schema = _schema(step, context)
    known = (
        schema_fields.fields(schema)
        if schema is not None
        else [FormField(name, name, "json") for name in config.arguments]
    )
    made = []
    for field in known:
        given = (
            coerce_computed(field, computed(config.arguments[field.name], context.roots))
            if field.name in config.arguments
            else None
        )
        held = field.name in config.locked
        value = given if held else context.former.get(field.name, given)
        made.append(replace(field, readonly=held, required=field.required and not held, value=value))
    return made


def _done_by(execute: str) -> FormField:
    ways = [{"value": TOOL, "label": execute}, {"value": HAND, "label": "Handle Manually"}]
    return FormField(DONE_BY, "How", "enum", required=True, value=TOOL, options=ways, widget=BUTTONS)


def _call(step: StepView, values: Mapping[str, Any], more: Mapping[str, Any]) -> tuple[Any, ...]:
    """The effect; the values are its input, and it names each of them."""
    config: McpTaskConfig = step.config
    given = {name: value for name, value in values.items() if name != DONE_BY}
    effect = Mcp.model_validate(
        {
            "kind": "mcp",
            "name": RESULT,
            "summary": f"{config.server}: {config.tool}"[:200],
            "server": config.server,
            "tool": config.tool,
            "arguments": {name: f"input[{quoted(name)}]" for name in given},
            "result": config.result,
            "timeout_s": config.timeout_s,
        }
    )
    return wishes(None, [effect], of_run=True, given=given, more=more)
