"""SMS: a short message to somebody outside."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from console.core.record_links import MARKDOWN
from console.core.sms_text import size_of
from console.steps.base import Context, StepConfig, StepView
from console.steps.filled_text import at_a_glance
from console.steps.message_settings import MessageConfig, MessageStep, filled

LONGEST = 1600


class SmsConfig(MessageConfig):
    """The text."""

    text: str = Field(
        min_length=1,
        max_length=LONGEST,
        description="The text; {{ expressions }} are filled in. 160 characters make one SMS",
    )


class Sms(MessageStep):
    """Automatic. Outcomes `sent`, `skipped`, and where the document names them `expired` and `failed`. Output `{"status", "message", "to", "reason"}`."""

    name, title, icon = "sms", "SMS", "message"
    gist = "Sends somebody outside a short message"
    channel, consent = "sms", "sms"
    Config: ClassVar[type[StepConfig]] = SmsConfig
    texts = ("text",)

    def says(self, config: SmsConfig) -> str:
        """What it is about."""
        return at_a_glance(config.text)

    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """The text."""
        return {
            "to": self.address(step, context),
            "text": filled(step.config.text, context).strip()[:LONGEST],
        }

    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """The text, with how many SMS it takes."""
        text = str(content["text"])
        return MARKDOWN.sub(r"\\\1", text), (("Length", size_of(text).words),)
