"""Output: the resulting data of the run by name, shown on the run's page and returned by the API."""

from typing import Any, ClassVar

from pydantic import Field

from console.core import expressions
from console.core.documents.fields import Located
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values


class OutputConfig(StepConfig):
    """The values by name."""

    values: dict[str, str] = Field(
        min_length=1,
        max_length=100,
        description="Name to expression, or to a text with {{ expressions }} in it",
    )


class Output(StepType):
    """Automatic. A value is null where something that its expression uses is missing."""

    name, title, family, icon = "output", "Output", "output", "package"
    gist = "Names the data that the run comes to"
    automatic = True
    Config: ClassVar[type[StepConfig]] = OutputConfig

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The current values."""
        made = {name: _value(text, context.roots) for name, text in step.config.values.items()}
        return Completion("default", {}, made)

    def expressions(self, config: OutputConfig) -> list[Located]:
        """The values without braces."""
        return [
            Located(f"values.{name}", text) for name, text in config.values.items() if not _is_template(text)
        ]

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
