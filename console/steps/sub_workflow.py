"""Sub-workflow: a run of another workflow, with inputs by name; the step is done when it has ended, and finds its outputs."""

from typing import ClassVar

from pydantic import Field

from console.core import expressions
from console.core.documents.document_parts import SLUG_PATTERN
from console.core.documents.fields import Located, Use
from console.core.errors import Invalid
from console.steps.base import Child, Completion, Context, StepConfig, StepType, StepView, Values

BRANCH = "run"


class SubWorkflowConfig(StepConfig):
    """The workflow, the record that its run is about, and its input."""

    workflow: str = Field(pattern=SLUG_PATTERN, description="The workflow whose live version is run")
    record: str | None = Field(
        None,
        min_length=1,
        description="Expression for the key of its record; without it the run's own record",
    )
    collection: str | None = Field(
        None, max_length=200, description="Collection of that record; without it the run's own"
    )
    input: dict[str, str] = Field(
        default_factory=dict, max_length=60, description="Field of its start to expression"
    )
    wait: bool = Field(
        True, description="false: the run goes on at once, and knows nothing of the other's end"
    )
    alone: bool = Field(
        False,
        description="true: where a run of it is live on the record no second one begins, and the step has an error; it counts as live itself",
    )


class SubWorkflow(StepType):
    """Automatic. The other run has its own place, holder and log; its failure is an error of the step. At most five deep."""

    name, title, family, icon = "sub_workflow", "Sub-workflow", "action", "sitemap"
    gist = "Runs another workflow and goes on with what comes of it"
    automatic = True
    computes = ("record",)
    technical = frozenset({"key", "collection", "code", "until", "children"})
    Config: ClassVar[type[StepConfig]] = SubWorkflowConfig

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Starts the other run. Raises Invalid if `record` gives no key."""
        config: SubWorkflowConfig = step.config
        key, roots = None, context.roots
        if config.record is not None:
            found = expressions.parse(config.record).evaluate(roots)
            if found is None or isinstance(found, bool | dict | list):
                raise Invalid(f"`{config.record}` gives no key of a record.", code="no_record")
            key = str(found)
        given = {
            name: value
            for name, text in config.input.items()
            if (value := expressions.parse(text).evaluate(roots)) is not None
        }
        child = Child(BRANCH, config.workflow, config.collection, key, given, alone=config.alone or None)
        return Completion("default", children=(child,), joins="all" if config.wait else "none")

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person goes on without the other run."""
        return Completion("default", {}, {})

    def uses(self, config: SubWorkflowConfig) -> list[Use]:
        """The collection of its record."""
        return [Use("collection", collection=config.collection)] if config.collection is not None else []

    def expressions(self, config: SubWorkflowConfig) -> list[Located]:
        """The key and the input."""
        given = [Located(f"input.{name}", text) for name, text in config.input.items()]
        return super().expressions(config) + given

    def outputs(self, config: SubWorkflowConfig) -> None:
        """None: the other workflow names them, which is not known here."""
        return None  # noqa: RET501 (an answer, not an omission)
