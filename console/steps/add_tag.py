"""Add tag: puts a tag on the run's record. Where it is there already nothing is done, and no event tells of it."""

from typing import ClassVar

from pydantic import Field

from console.core import expressions
from console.core.tag_names import clean
from console.steps.base import Completion, Context, Prompt, StepConfig, StepType, StepView, TagWanted, Values


class TagConfig(StepConfig):
    """The tag."""

    tag: str = Field(min_length=1, max_length=500, description="The tag; {{ expressions }} are filled in")


class AddTag(StepType):
    """Automatic. Output `{"tag"}`."""

    name, title, family, icon = "add_tag", "Add tag", "action", "tag"
    gist = "A tag is put on the record"
    automatic = True
    tags = True
    added: ClassVar[bool] = True
    Config: ClassVar[type[StepConfig]] = TagConfig
    always_changes = True
    texts = ("tag",)
    leaves = frozenset({"tag"})

    def says(self, config: TagConfig) -> str:
        """The tag by its own name; “…” stands for what is filled in."""
        return "".join(
            part if isinstance(part, str) else "…" for part in expressions.active_parts(config.tag, {})
        )

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """What a person does who handles the step manually."""
        tag = expressions.render(step.config.tag, context.roots).strip()
        text = (
            f"Put the tag “{tag}” on the record, if it is to have it."
            if self.added
            else f"Take the tag “{tag}” away from the record."
        )
        return Prompt(text, button=step.button or "Done")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The tag. Raises Invalid for a text that is no tag."""
        tag = clean(expressions.render(step.config.tag, context.roots))
        return Completion("default", {}, {"tag": tag}, tag=TagWanted(tag, self.added))

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person goes on; whether they changed the tag is theirs."""
        return Completion("default", {}, {"tag": None})
