"""End: completes the run with a label for the result."""

from typing import ClassVar

from pydantic import Field

from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values


class EndConfig(StepConfig):
    """The label of the result."""

    label: str = Field(
        "completed",
        min_length=1,
        max_length=80,
        description="How runs that come here ended, such as approved",
    )


class End(StepType):
    """Automatic. The run is completed; no step follows."""

    name, title, family, icon = "end", "End", "output", "flag"
    gist = "Closes the run"
    automatic = True
    Config: ClassVar[type[StepConfig]] = EndConfig

    def outcomes(self, config: EndConfig) -> tuple[str, ...]:
        """None: no step follows."""
        return ()

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The run ends with the label."""
        return Completion("default", ends=step.config.label)
