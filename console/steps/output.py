"""Output: names the data that the run comes to, shown on the run and given by the API."""

from typing import Any, ClassVar

from pydantic import Field

from console.core import expressions
from console.core.documents.fields import Located
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values


class OutputConfig(StepConfig):
    """The values by name."""

    values: dict[str, str] = Field(
        min_length=1, max_length=100, description="Name to expression, or to a text with {{ expressions }} in it"
    )


class Output(StepType):
    """Automatic. What a value is made of may be missing: then it is null."""

    name, title, family, icon = "output", "Output", "output", "package"
    gist = "Names the data that the run comes to"
    automatic = True
    Config: ClassVar[type[StepConfig]] = OutputConfig

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """The values as they are now."""
        made = {name: _value(text, context.roots) for name, text in step.config.values.items()}
        return Completion("default", {}, made)

    def expressions(self, config: OutputConfig) -> list[Located]:
        """The values without braces."""
        return [Located(f"values.{name}", text) for name, text in config.values.items() if not _is_template(text)]

    def templates(self, config: OutputConfig) -> list[Located]:
        """The values with braces."""
        return [Located(f"values.{name}", text) for name, text in config.values.items() if _is_template(text)]

    def outputs(self, config: OutputConfig) -> frozenset[str]:
        """The names."""
        return frozenset(config.values)


def _is_template(text: str) -> bool:
    return "{{" in text


def _value(text: str, roots: Any) -> Any:
    if _is_template(text):
        return expressions.render(text, roots)
    return expressions.parse(text).evaluate(roots)
