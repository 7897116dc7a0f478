"""Messages to a chat by an incoming webhook in Slack's form, which Mattermost, Rocket.Chat, Teams' connectors and Discord's `/slack` take too."""

from typing import ClassVar

import orjson

from console.core.contacting import Kind
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import settings
from console.infra.outbound import net
from console.messaging.channels.base import ABOUT_US, Handed, Letter, Provider, said_in

REFUSALS = ("failed with error", "invalid_payload", "no_text")
"""What chats say with status 200 of a message that they did not post: Teams, and who speaks as Slack does."""


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
            raise IntegrationError(
                f"CONSOLE_CHAT_TARGETS names no chat {letter.to}.", permanent=True, code="no_target"
            )
        answer = net.send(
            "POST",
            url,
            orjson.dumps({"text": str(letter.content["text"])}),
            {"Content-Type": "application/json"},
        )
        if answer.good:
            _require_taken(answer.body)
            return Handed()
        if answer.status >= 500:
            words = f"The chat answered {answer.status}{said_in(answer.body)}; it cannot be told whether the message is there."
            raise OutcomeUnknown(words)
        words = (
            "The chat's address sends on to another one, which is not followed: enter that one in CONSOLE_CHAT_TARGETS."
            if 300 <= answer.status < 400
            else ""
        )
        raise IntegrationError(
            words or f"The chat answered {answer.status}{said_in(answer.body)}.",
            permanent=answer.permanent and answer.status not in ABOUT_US,
            wait_s=answer.wait_s,
            code="refused",
        )


def _require_taken(body: bytes) -> None:
    """Raises IntegrationError for an answer that says yes by its status alone: a web page of whoever stands before the chat, or a refusal in words.

    An object is none of these words: Google Chat answers with the message, in which anything may stand, and one that was posted is not posted again.
    """
    text = body.decode("utf-8", "replace").strip()
    plain = "".join(text.lower().split(" "))
    if plain.startswith("<"):
        raise IntegrationError(
            "The chat's address answers with a web page: look whether CONSOLE_CHAT_TARGETS has the right one.",
            permanent=False,
            code="refused",
        )
    if (
        not plain.startswith("{") and any(words.replace(" ", "") in plain for words in REFUSALS)
    ) or plain.startswith(('{"success":false', '{"ok":false')):
        raise IntegrationError(f"The chat did not take it: {text[:200]}", permanent=False, code="refused")
