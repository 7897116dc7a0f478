"""SMS: what its settings take. On its way: tests/messaging/messages/test_sending.py."""

from typing import Any

from tests.steps.walk import context, prepare

SMALLEST: dict[str, Any] = {"text": "Hello {{ record.display_name }}"}
FURTHER: list[dict[str, Any]] = [{"about": "case", "expires": "P2D"}]
HANDED_IN: tuple[dict[str, Any], str] = ({}, "send")
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [({"to": "record.email"}, ["to"], ["text"])]
MASKED: dict[str, Any] = {"text": "{{ record.tax_id }}", "to": "record.tax_id"}


def test_a_person_sees_how_many_sms_it_takes() -> None:
    shown = prepare("sms", {"text": "ż" * 71}, context(record={}))
    assert shown.notes == (("Length", "2 SMS, 71 characters; “ż” make it longer"),)
