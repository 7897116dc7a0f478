"""Go to: continues at another step of the workflow. An earlier step gets a new attempt."""

from typing import ClassVar

from pydantic import Field

from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values


class GoToConfig(StepConfig):
    """The target is `next.default`."""

    keep_answers: bool = Field(
        default=False,
        description="Whether the form of the step that it leads back to starts with what was typed there the last time",
    )


class GoTo(StepType):
    """Automatic. The only step type whose edge may close a circle. Earlier attempts stay unchanged."""

    name, title, family, icon = "go_to", "Go to", "loop", "corner-up-left"
    gist = "Leads on to another step, also to an earlier one"
    automatic = True
    Config: ClassVar[type[StepConfig]] = GoToConfig

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Continues at the target."""
        return Completion("default")
