"""Chat message: what its settings take, and what is posted."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from console.core.errors import IntegrationError
from console.messaging.channels.base import Letter
from console.messaging.providers.chat_webhook import ChatWebhook
from console.steps.chat_message import ChatMessage, ChatMessageConfig
from console.steps.message_settings import MessageStep
from console.steps.sms import Sms
from tests.servers import outside

SMALLEST: dict[str, Any] = {"target": "sales", "text": "A lead: {{ record.display_name }}"}
FURTHER: list[dict[str, Any]] = [{"expires": "PT1H"}]
HANDED_IN: tuple[dict[str, Any], str] = ({}, "send")
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [({}, [], ["text"])]
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MASKED: dict[str, Any] = {"target": "sales", "text": "{{ record.tax_id }}"}


@pytest.mark.parametrize(
    "settings", [{"target": "https://hooks.example"}, {"expires": "soon"}, {"expires": "P60D"}]
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatMessageConfig.model_validate({**SMALLEST, **settings})


def test_an_empty_to_is_the_chat_and_nobodys_address() -> None:
    assert [box.help for step in (ChatMessage(), Sms()) for box in step._fields(None)[:1]] == [
        ChatMessage.to_empty,
        MessageStep.to_empty,
    ]
    assert "address" not in ChatMessage.to_empty


def test_it_is_posted_as_slack_takes_it(given_settings: Callable[..., None]) -> None:
    with outside.http() as server:
        given_settings(CONSOLE_CHAT_TARGETS=f"sales={server.url}/hook", CONSOLE_PRIVATE_HOSTS="127.0.0.1")
        ChatWebhook().send(Letter("msg_1", "chat", "sales", {"text": "A <lead>"}, at=NOON))
        assert [(one.path, orjson.loads(one.body)) for one in server.received] == [
            ("/hook", {"text": "A <lead>"})
        ]
        with pytest.raises(IntegrationError, match="no chat ops"):
            ChatWebhook().send(Letter("msg_2", "chat", "ops", {"text": "x"}, at=NOON))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Sign in</title>", "a web page"),
        (
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            "did not take it",
        ),
        (b'{ "success" : false, "error": "room not found" }', "room not found"),
        (b"ok", None),
        (b"1", None),
        (b"", None),
        (b'{"success":true}', None),
        (b'{"name": "spaces/A/messages/B", "text": "The import failed with error 5"}', None),
    ],
)
def test_a_yes_that_is_none_is_not_taken_for_one(
    given_settings: Callable[..., None], body: bytes, words: str | None
) -> None:
    with outside.http() as server:
        server.answer = lambda _: (200, body, {})
        given_settings(CONSOLE_CHAT_TARGETS=f"sales={server.url}/hook", CONSOLE_PRIVATE_HOSTS="127.0.0.1")
        letter = Letter("msg_1", "chat", "sales", {"text": "A lead"}, at=NOON)
        if words is None:
            ChatWebhook().send(letter)
        else:
            with pytest.raises(IntegrationError, match=words) as refused:
                ChatWebhook().send(letter)
            assert not refused.value.permanent, "it is tried again"
