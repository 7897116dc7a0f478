"""Parallel: several branches of the workflow at once, each as a run of its own, joined again at the step that follows."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from console.core.documents.document_parts import NAME_PATTERN
from console.steps.base import Child, Completion, Context, StepConfig, StepType, StepView, Values

RESERVED = frozenset({"attempt", "missing", "code", "error"})


class ParallelBranch(StepConfig):
    """A branch: its name, and the step at which it begins. It ends at the step that follows the parallel step, or at an end."""

    id: str = Field(
        pattern=NAME_PATTERN,
        description="Where its results are found: `steps.<id of the step>.<id of the branch>`",
    )
    start: str = Field(pattern=NAME_PATTERN, description="Id of the step at which it begins")


class ParallelConfig(StepConfig):
    """The branches, and when the run goes on."""

    branches: list[ParallelBranch] = Field(min_length=2, max_length=20, description="What is done at once")
    until: Literal["all", "any"] = Field(
        "all",
        description="all: goes on when every branch is done; any: when the first is, the others are cancelled",
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        names = [branch.id for branch in self.branches]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two branches are named {', '.join(twice)}")
        if taken := sorted(RESERVED & set(names)):
            raise ValueError(f"branches cannot be named {', '.join(taken)}")
        return self


class Parallel(StepType):
    """Automatic. Each branch is a run with its own place and holder, which begins with what the run knows. A branch that fails is an error of the step."""

    name, title, family, icon = "parallel", "Parallel", "loop", "git-branch"
    gist = "Does several branches at once, and goes on when all are done, or the first"
    automatic = True
    technical = frozenset({"key", "collection", "code", "until", "children"})
    Config: ClassVar[type[StepConfig]] = ParallelConfig

    def says(self, config: ParallelConfig) -> str:
        """How many branches, and which of them it waits for."""
        return f"{len(config.branches)} branches, until {'the first is' if config.until == 'any' else 'all are'} done"

    def begins(self, config: ParallelConfig) -> tuple[str, ...]:
        """The first steps of the branches."""
        return tuple(branch.start for branch in config.branches)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Starts the branches."""
        children = tuple(Child(branch.id, start=branch.start) for branch in step.config.branches)
        return Completion("default", children=children, joins=step.config.until)

    def outputs(self, config: ParallelConfig) -> frozenset[str]:
        """The branches."""
        return frozenset(branch.id for branch in config.branches)

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person goes on without the branches."""
        return Completion("default", {}, {})
