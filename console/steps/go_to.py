"""Go to: leads on to a step elsewhere in the workflow, also to an earlier one, which is then entered anew."""

from typing import ClassVar

from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values


class GoToConfig(StepConfig):
    """Nothing to set: the target is `next.default`."""


class GoTo(StepType):
    """Automatic. The only step whose edge may close a circle; earlier attempts stay as they were."""

    name, title, family, icon = "go_to", "Go to", "loop", "corner-up-left"
    gist = "Leads on to another step, also to an earlier one"
    automatic = True
    Config: ClassVar[type[StepConfig]] = GoToConfig

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """On to the target."""
        return Completion("default")
