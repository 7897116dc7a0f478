"""AI call: what its settings take. On its way: tests/messaging/messages/test_calls.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.core.message_words import announced
from console.steps.ai_call import AiCallConfig
from tests.steps.walk import complete, context, prepare

SMALLEST: dict[str, Any] = {"script": "Hello {{ record.display_name }}"}
FURTHER: list[dict[str, Any]] = [
    {
        "agent": "Rasa",
        "answers": ["interested"],
        "expires": "P2D",
        "max_attempts": 10,
        "retry_after": "P90D",
        "about": "case",
    }
]
HANDED_IN: tuple[dict[str, Any], str] = ({}, "send")
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"to": "record.email"}, ["to"], ["script"]),
    ({"script": ["A", "B"]}, [], ["script[0]", "script[1]"]),
]
MASKED: dict[str, Any] = {"script": "{{ record.tax_id }}", "to": "record.tax_id"}


@pytest.mark.parametrize(
    "settings", [{"max_attempts": 0}, {"retry_after": "soon"}, {"script": []}, {"answers": ["Not a label"]}]
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AiCallConfig.model_validate({**SMALLEST, **settings})


def test_an_ai_says_first_that_it_is_one() -> None:
    assert announced("Hi Ana.", "en") == "Hello, this is an automated call by an AI assistant. Hi Ana."
    assert announced("Hi, I am an AI of Fernwick. How are you?", "en").startswith("Hi, I am")
    assert announced("Labas.", "lt").startswith("Sveiki, jums automatiškai skambina dirbtinio intelekto")


def test_a_call_by_hand_ends_with_an_answer_of_the_document() -> None:
    settings = {**SMALLEST, "answers": ["interested"]}
    made = context(record={})
    ways = ("interested", "answered", "no_answer")
    assert [option.value for option in prepare("ai_call", settings, made, next=ways).outcomes] == [
        "send",
        "answered",
        "no_answer",
        "interested",
    ]
    done = complete("ai_call", settings, made, {"reason": "Called from the desk"}, "interested", next=ways)
    assert (done.outcome, done.message) == ("interested", None)
