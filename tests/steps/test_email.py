"""E-mail: what its settings take. On its way: tests/messaging/messages/test_sending.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console.steps.email import EmailConfig
from console.steps.message_settings import seconds_of
from tests.steps.walk import complete, context, prepare

SMALLEST: dict[str, Any] = {"subject": "Hello", "body": "Dear {{ record.display_name }}"}
FURTHER: list[dict[str, Any]] = [{"about": "case", "expires": "P2D", "reply_to": "desk@fernwick.example"}]
HANDED_IN: tuple[dict[str, Any], str] = ({}, "send")
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"to": "record.email"}, ["to"], ["subject", "body"])
]
MASKED: dict[str, Any] = {
    "subject": "{{ record.tax_id }}",
    "body": "{{ record.tax_id }}",
    "to": "record.tax_id",
}


@pytest.mark.parametrize(
    ("expires", "seconds"), [("PT24H", 86400), ("P2D", 172800), ("P1W", 604800), ("PT1H30M", 5400)]
)
def test_durations(expires: str, seconds: int) -> None:
    assert seconds_of(expires) == seconds


@pytest.mark.parametrize("expires", ["", "P", "PT", "2 days", "PT10S", "P60D"])
def test_what_is_no_duration_is_refused(expires: str) -> None:
    with pytest.raises(ValidationError):
        EmailConfig.model_validate({**SMALLEST, "expires": expires})


def test_documents_of_earlier_releases_that_noticed_opening_are_read() -> None:
    assert EmailConfig.model_validate({**SMALLEST, "notices_opening": True}) == EmailConfig.model_validate(
        SMALLEST
    )


def test_values_have_no_effect_in_the_text_and_a_person_sees_it_before_sending() -> None:
    record = {"display_name": "**Ana** [x](http://evil.example)"}
    shown = prepare("email", SMALLEST, context(record=record))
    assert shown.text == r"Dear \*\*Ana\*\* \[x\]\(http://evil.example\)"
    assert shown.notes == (("Subject", "Hello"),)
    assert [option.value for option in shown.outcomes] == ["send", "sent", "skipped"]
    sent = complete("email", SMALLEST, context(record=record), {"to": "ana@post.example"}, "send")
    assert sent.message is not None
    assert (sent.message.content["to"], sent.message.consent) == ("ana@post.example", "email")
