"""Guidance: text that a person reads; completed by its button."""

from typing import ClassVar

from pydantic import Field

from console.steps.base import (
    Completion,
    Context,
    Prompt,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    nothing_typed,
)


class Policy(StepConfig):
    """The rule that the guidance follows."""

    title: str = Field(min_length=1, max_length=200)
    url: str | None = Field(
        None, max_length=500, pattern=r"^https?://[^\s()<>]+$", description="Where it can be read"
    )


class GuidanceConfig(StepConfig):
    """The text, the policy and its owner."""

    text: str = Field(
        min_length=1, max_length=20_000, description="Markdown; {{ expressions }} are filled in"
    )
    policy: Policy | None = Field(None, description="The rule behind it")
    owner: str | None = Field(None, max_length=200, description="Who answers for the text")


class Guidance(StepType):
    """The text with its values filled in, and below it the policy and its owner."""

    name, title, family, icon = "guidance", "Guidance", "action", "book"
    gist = "Tells a person what to do or to know"
    Config: ClassVar[type[StepConfig]] = GuidanceConfig
    texts = ("text",)

    def asks(self, config: GuidanceConfig) -> bool:
        """Always: what nobody reads is not guidance."""
        return True

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The text, without a form."""
        text = fill_template(step.config.text, context.roots)
        return Prompt(text="\n\n".join([text, *_source(step.config)]), button=step.button or "Done")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """Completes with `default`. Raises Invalid if values were submitted."""
        nothing_typed(submitted)
        return Completion("default")


def _source(config: GuidanceConfig) -> list[str]:
    """The line with the policy and its owner."""
    parts = []
    if config.policy is not None:
        parts.append(
            f"Policy: [{config.policy.title}]({config.policy.url})"
            if config.policy.url
            else f"Policy: {config.policy.title}"
        )
    if config.owner is not None:
        parts.append(f"Owner: {config.owner}")
    return [f"*{' · '.join(parts)}*"] if parts else []
