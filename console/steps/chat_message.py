"""Chat message: a line to a chat of the company, by its incoming webhook."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from console.core.documents.document_parts import Name
from console.core.record_links import MARKDOWN
from console.steps.base import Context, StepConfig, StepView
from console.steps.message_settings import Expires, MessageStep, filled, seconds_of

LONGEST = 4000


class ChatMessageConfig(StepConfig):
    """The chat and the text."""

    target: Name = Field(description="A name of CONSOLE_CHAT_TARGETS")
    text: str = Field(
        min_length=1, max_length=LONGEST, description="The text; {{ expressions }} are filled in"
    )
    expires: Expires = Field(
        "PT24H", description="A message that waited longer than this asks a person again"
    )

    @property
    def to(self) -> None:
        """A chat is named by its target."""
        return

    @property
    def expires_s(self) -> int:
        """How long it may wait."""
        return seconds_of(self.expires)


class ChatMessage(MessageStep):
    """Automatic. Outcomes `sent` and, where the document names it, `failed`. Nobody is asked for consent: a chat is the company's own."""

    name, title, icon = "chat_message", "Chat message", "message"
    gist = "Tells a chat something"
    channel, consent = "chat", None
    to_empty = "The name of a chat. Empty: the one that the workflow names"
    Config: ClassVar[type[StepConfig]] = ChatMessageConfig
    texts = ("text",)

    def outcomes(self, config: ChatMessageConfig) -> tuple[str, ...]:
        """It is sent."""
        return ("sent",)

    def rare_outcomes(self, config: ChatMessageConfig) -> tuple[str, ...]:
        """It waited too long, or could not be sent."""
        return ("expired", "failed")

    def content(self, step: StepView, context: Context) -> dict[str, Any]:
        """The chat and the text."""
        return {"to": step.config.target, "text": filled(step.config.text, context).strip()[:LONGEST]}

    def shown(
        self, content: Mapping[str, Any], context: Context, step: StepView
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """The text."""
        return MARKDOWN.sub(r"\\\1", str(content["text"])), (("Chat", str(content["to"])),)
