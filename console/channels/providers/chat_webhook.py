"""Messages to a chat by an incoming webhook in Slack's form, which Mattermost, Rocket.Chat, Teams' connectors and Discord's `/slack` take too."""

from typing import ClassVar

import orjson

from console import settings
from console.channels.base import Handed, Letter, Provider
from console.core.contacting import Kind
from console.errors import IntegrationError, OutcomeUnknown
from console.integrations import net


class ChatWebhook(Provider):
    """A chat tells nothing later."""

    kind: ClassVar[Kind] = "chat"
    name, title = "webhook", "Chat webhook"

    def missing(self) -> tuple[str, ...]:
        """The targets."""
        return () if settings.current().chat_targets else ("CONSOLE_CHAT_TARGETS",)

    def send(self, letter: Letter) -> Handed:
        """Post it to the target of this name."""
        url = settings.current().chat_targets.get(letter.to)
        if url is None:
            raise IntegrationError(f"CONSOLE_CHAT_TARGETS names no chat {letter.to}.", permanent=True, code="no_target")
        answer = net.send("POST", url, orjson.dumps({"text": str(letter.content["text"])}), {"Content-Type": "application/json"})
        if answer.good:
            return Handed()
        if answer.status >= 500:
            raise OutcomeUnknown(f"The chat answered {answer.status}; it cannot be told whether the message is there.")
        raise IntegrationError(f"The chat answered {answer.status}.", permanent=answer.permanent, code="refused")
