"""AI call: an AI calls somebody outside, and the run goes on with how the call ended."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, field_validator

from console.core.documents.fields import Located
from console.core.record_links import MARKDOWN
from console.steps.base import Context, Option, StepConfig, StepView
from console.steps.filled_text import at_a_glance
from console.steps.message_settings import (
    DURATION,
    EXPIRED,
    FAILED,
    REASON,
    SKIPPED,
    Expires,
    MessageConfig,
    MessageStep,
    filled,
    seconds_of,
)

ENDS = ("answered", "no_answer", "voicemail", "busy")
LABELS = {
    "answered": "They answered",
    "no_answer": "Nobody answered",
    "voicemail": "A voicemail answered",
    "busy": "The line was busy",
}
Script = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class AiCallConfig(MessageConfig):
    """What is said, and how often it is tried."""

    expires: Expires = Field(
        "P3D",
        description="A call that waited longer than this for its hours asks a person again; three days take it over a Sunday",
    )
    agent: str | None = Field(
        None, max_length=200, description="Name of the agent at the provider that calls"
    )
    script: Script | list[Script] = Field(
        description="What the AI says; a list has a script for each try. {{ expressions }} are filled in. Where the first sentence does not say that an AI calls, one is put before it"
    )
    max_attempts: int = Field(
        3,
        ge=1,
        le=10,
        description="How often it is tried where nobody answers; what the provider could not do does not count",
    )
    retry_after: str = Field(
        "P2D", description="Pause between two tries, such as P2D", json_schema_extra=DURATION
    )
    answers: list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]] = Field(
        default_factory=list,
        max_length=20,
        description="Labels that the AI may give an answer; each is an outcome where a way is named for it",
    )

    @field_validator("retry_after")
    @classmethod
    def _retry_after(cls, value: str) -> str:
        if not 60 <= seconds_of(value) <= 90 * 24 * 3600:
            raise ValueError("takes a minute to 90 days")
        return value

    @field_validator("script")
    @classmethod
    def _scripts(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, list) and not 1 <= len(value) <= 10:
            raise ValueError("takes 1 to 10 scripts")
        return value

    @property
    def scripts(self) -> list[str]:
        """The scripts, one for each try; the last stays."""
        return self.script if isinstance(self.script, list) else [self.script]


class AiCall(MessageStep):
    """Automatic. Outcomes `answered` or the label of the answer, `no_answer`, `voicemail`, `busy`, `failed`, `skipped`, `expired`.

    Output `{"outcome", "label", "transcript", "recording", "call_back_at", "attempts", "message", "to", "reason", "status"}`.
    """

    name, title, icon = "ai_call", "AI call", "phone"
    gist = "An AI calls somebody outside; the answer says how it goes on"
    channel, consent = "call", "ai_call"
    leaves = MessageStep.leaves | {"outcome", "label", "transcript", "recording", "call_back_at", "attempts"}
    Config: ClassVar[type[StepConfig]] = AiCallConfig

    def says(self, config: AiCallConfig) -> str:
        """What the call is about."""
        return at_a_glance(config.scripts[0])

    def outcomes(self, config: AiCallConfig) -> tuple[str, ...]:
        """How a call ends by itself."""
        return ENDS

    def rare_outcomes(self, config: AiCallConfig) -> tuple[str, ...]:
        """Labels of answers, and calls that were not made."""
        return (*config.answers, FAILED, SKIPPED, EXPIRED)

    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """The scripts, the agent and the labels."""
        config: AiCallConfig = step.config
        scripts = [filled(script, context).strip() for script in config.scripts]
        return {
            "to": self.address(step, context),
            "scripts": scripts,
            "agent": config.agent,
            "answers": list(config.answers),
        }

    def repeats(self, step: StepView) -> dict[str, int]:
        """Tries and the pause between them."""
        return {"most": step.config.max_attempts, "again_s": seconds_of(step.config.retry_after)}

    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """The first script, with how often it is tried."""
        tries = step.config.max_attempts
        return MARKDOWN.sub(r"\\\1", str(content["scripts"][0])), (
            ("Tries", "Once" if tries == 1 else f"At most {tries}"),
        )

    def done_by_hand(self, config: AiCallConfig) -> tuple[Option, ...]:
        """How a call of the person's own ended."""
        ends = tuple(Option(end, LABELS[end], (REASON,)) for end in ENDS)
        answers = tuple(
            Option(label, label.replace("_", " ").capitalize(), (REASON,)) for label in config.answers
        )
        return (
            *ends,
            *answers,
            Option(FAILED, "It could not be made", (REASON,), (REASON,)),
            Option(SKIPPED, "Continue without", (REASON,), (REASON,)),
        )

    def templates(self, config: AiCallConfig) -> list[Located]:
        """The scripts."""
        if isinstance(config.script, str):
            return [Located("script", config.script)]
        return [Located(f"script[{number}]", script) for number, script in enumerate(config.script)]

    def answered(self, config: AiCallConfig) -> frozenset[str]:
        """What was said repeats the script."""
        return super().answered(config) | {"label", "transcript", "recording"}
