"""E-mail: a message to somebody outside, from one Markdown text."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from console.steps.base import Context, StepConfig, StepView
from console.steps.filled_text import at_a_glance
from console.steps.message_settings import MessageConfig, MessageStep, filled_markdown, one_line

LONGEST_SUBJECT = 200


class EmailConfig(MessageConfig):
    """Subject and text."""

    subject: str = Field(
        min_length=1, max_length=500, description="The subject; {{ expressions }} are filled in"
    )
    body: str = Field(
        min_length=1,
        max_length=50_000,
        description="Markdown: the text, sent as plain text and as HTML; {{ expressions }} are filled in",
    )
    reply_to: str | None = Field(
        None, max_length=320, description="Address that answers go to; none: the console's sender"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_opening(cls, given: Any) -> Any:
        """Leave out `notices_opening`, which documents of earlier releases hold: it has no effect any more."""
        return (
            {name: value for name, value in given.items() if name != "notices_opening"}
            if isinstance(given, Mapping)
            else given
        )


class Email(MessageStep):
    """Automatic. Outcomes `sent`, `skipped`, and where the document names them `expired` and `failed`. Output `{"status", "message", "to", "reason"}`."""

    name, title, icon = "email", "E-mail", "mail"
    gist = "Writes to somebody outside"
    channel, consent = "email", "email"
    Config: ClassVar[type[StepConfig]] = EmailConfig
    texts = ("subject", "body")

    def says(self, config: EmailConfig) -> str:
        """Its subject."""
        return at_a_glance(config.subject)

    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """Subject and text."""
        config: EmailConfig = step.config
        subject = one_line(config.subject, context)[:LONGEST_SUBJECT]
        content = {
            "to": self.address(step, context),
            "subject": subject,
            "text": filled_markdown(config.body, context),
        }
        return content | ({"reply_to": config.reply_to} if config.reply_to else {})

    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """The text, with the subject beside it."""
        return str(content["text"]), (("Subject", str(content["subject"])),)
