"""E-mail: what its settings take. On its way: tests/messaging/messages/test_sending.py."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from console.messaging.channels.markdown_letter import as_html, as_plain
from console.steps.base import Completion, Context, FormNeeded
from console.steps.email import EmailConfig
from console.steps.message_settings import seconds_of
from tests.steps.walk import complete, context, prepare, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"subject": "Hello", "body": "Dear {{ record.display_name }}"}
GERMAN = {
    "language": "de",
    "subject": "Ihre Zahlung vom {{ steps.pay.paid_on }}",
    "body": 'Guten Tag {{ record.display_name }},\n\nwir erstatten {{ money(steps.pay.amount, "EUR") }}.\n\nFernwick Pay',
}
BY_PERSON: dict[str, Any] = {
    "by": "person",
    "to": "record.email",
    "written_in": "en",
    "language": "record.language",
    "subject": "Your payment of {{ steps.pay.paid_on }}",
    "body": 'Dear {{ record.display_name }},\n\nwe send **{{ money(steps.pay.amount, "EUR") }}** back.\n\nFernwick Pay',
    "translations": [GERMAN],
    "note": "They wrote: {{ record.request }}",
    "paragraph": True,
    "approval": [{"roles": ["operations_lead"], "if": "steps.here.edited > 20", "why": "Much was changed."}],
}
FURTHER: list[dict[str, Any]] = [
    {"about": "case", "expires": "P2D", "reply_to": "desk@fernwick.example"},
    BY_PERSON,
]
HANDED_IN: tuple[dict[str, Any], str] = ({}, "send")
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"to": "record.email"}, ["to"], ["subject", "body"]),
    (
        BY_PERSON,
        ["to", "language", "approval[0].if"],
        ["subject", "body", "translations[0].subject", "translations[0].body", "note", "approval[0].why"],
    ),
]
_SAID = "{{ record.tax_id }}"
MASKED: dict[str, Any] = {
    "by": "person",
    "to": "first(record.email, record.tax_id)",
    "language": "record.tax_id",
    "subject": _SAID,
    "body": _SAID,
    "note": _SAID,
    "translations": [{"language": "de", "subject": _SAID, "body": _SAID}],
    "approval": [{"roles": ["reviewer"], "if": "record.tax_id != 'x'", "why": _SAID}],
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


def letter(record: dict[str, Any] | None = None, **more: Any) -> Context:
    about = {"display_name": "Ana Sousa", "email": "ana@post.example", "language": "en"}
    pay = {"amount": "1250.50", "paid_on": "2026-11-20"}
    return context(record={**about, **(record or {})}, steps={"pay": pay}, **more)


def send(
    made: Context, values: dict[str, Any] | None = None, outcome: str | None = "send", **settings: Any
) -> Completion:
    return complete("email", {**BY_PERSON, **settings}, made, values, outcome, next=("sent", "skipped"))


def reasons(made: Context, values: dict[str, Any], outcome: str | None = "send") -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        send(made, values, outcome)
    return {detail["field"]: detail["reason"] for detail in refused.value.details}


def test_a_person_gets_the_draft_in_the_language_of_whoever_is_written_to() -> None:
    shown = prepare("email", BY_PERSON, letter({"language": "de-AT"}), next=("sent", "skipped"))
    values = {field.name: field.value for field in shown.fields}
    assert values["to"] == "ana@post.example"
    assert values["subject"] == "Ihre Zahlung vom 20. November 2026"
    assert values["text"] == "Guten Tag Ana Sousa,\n\nwir erstatten 1.250,50 €.\n\nFernwick Pay"
    assert [option.value for option in shown.outcomes] == ["send", "reached", "skipped"]
    assert (shown.chosen, shown.button) == ("send", "Send")
    assert ("Language", "German") in shown.notes


def test_one_press_sends_the_draft_and_nothing_was_changed() -> None:
    sent = send(letter(), outcome=None)
    assert sent.message is not None
    assert sent.message.content["subject"] == "Your payment of 20 Nov 2026"
    assert (
        as_plain(sent.message.content["text"])
        == "Dear Ana Sousa,\n\nwe send €1,250.50 back.\n\nFernwick Pay\n"
    )
    assert sent.output is not None
    assert (sent.output["edited"], sent.output["changed_figures"], sent.output["status"]) == (
        0,
        [],
        "waiting",
    )
    assert sent.approval is None


def test_a_language_without_a_text_is_said_and_the_usual_text_is_sent() -> None:
    shown = prepare("email", BY_PERSON, letter({"language": "pt"}))
    assert dict(shown.notes)["Language"] == "There is no text in Portuguese: this one is in English"


def test_it_never_completes_by_itself() -> None:
    kind = steps.get("email")
    assert not kind.by_itself(BY_PERSON)
    with pytest.raises(FormNeeded):
        kind.complete_by_itself(view("email", BY_PERSON), letter())


def test_a_changed_figure_needs_a_reason_and_both_values_are_kept() -> None:
    text = "Dear Ana Sousa,\n\nwe send €1,520.50 back.\n\nFernwick Pay"
    assert reasons(letter(), {"text": text}) == {
        "text": "The run has “€1,250.50” and the text says “1,520.50”. Put it back, or say under “Why” what makes the difference."
    }
    sent = send(letter(), {"text": text, "reason": "Fees came back too"})
    assert sent.output is not None
    assert sent.output["changed_figures"] == [{"run": "€1,250.50", "text": ["1,520.50"]}]
    assert sent.output["why"] == "Fees came back too"


@cases(
    ("record", "values", "outcome", "field"),
    [
        ({"display_name": ""}, {}, "send", "text"),
        ({}, {"subject": " \n "}, "send", "subject"),
        ({}, {"text": ""}, "send", "text"),
        ({}, {"to": "nobody"}, "send", "to"),
        ({}, {"to": "a@b.example\nBcc: c@d.example"}, "send", "to"),
        ({}, {"subject": "x" * 201}, "send", "subject"),
        ({}, {}, "skipped", "reason"),
        ({}, {}, "sideways", "outcome"),
        ({}, {"body": "x"}, "send", "body"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    record: dict[str, Any], values: dict[str, Any], outcome: str, field: str
) -> None:
    assert field in reasons(letter(record), values, outcome)


def test_what_the_run_does_not_know_stops_the_message_with_its_name_until_somebody_writes_it_in() -> None:
    made = context(record={"display_name": "Ana", "email": "ana@post.example"}, steps={})
    shown = prepare("email", BY_PERSON, made)
    assert dict(shown.notes)["Missing"] == "Paid on, Amount"
    assert reasons(made, {})["text"] == "Write in what is missing: Amount."
    assert send(made, {"subject": "Your payment", "text": "We send €5 back."}).message is not None


def test_who_does_not_send_it_says_why() -> None:
    left = send(letter(), {"reason": "They called"}, "skipped")
    assert (left.outcome, left.message) == ("skipped", None)
    assert left.output == {"status": "skipped", "reason": "They called", "to": "ana@post.example"}


@cases(
    "name",
    [
        "**Ana** [x](http://evil.example)",
        "<script>alert(1)</script>",
        "# Ana",
        "- Ana\r\nBcc: x@evil.example",
        "Ana" * 1_000,
        "| a | b |",
        "![x](http://evil.example/p.png)",
        "{{ record.email }}",
    ],
)
def test_values_have_no_effect_in_what_is_sent(name: str) -> None:
    sent = send(letter({"display_name": name}), subject="For {{ record.display_name }}"[:500])
    assert sent.message is not None
    content = sent.message.content
    plain = " ".join(name.split())
    assert "\n" not in content["subject"]
    assert content["subject"] == f"For {plain}"[:200].strip()
    assert f"Dear {plain}," in as_plain(content["text"])
    html = as_html(content["text"], title="x", language="en")
    assert not any(tag in html for tag in ("<a ", "<script", "<img", "<strong", "<h1", "<li", "<table"))


def test_lines_stay_lines_and_a_paragraph_goes_above_the_last_one() -> None:
    text = "Dear Ana Sousa,\n\nwe send €1,250.50 back.\n1. soon\n- really\n\nKind regards\nFernwick Pay"
    sent = send(letter(), {"text": text, "paragraph": "We are *sorry*."})
    assert sent.message is not None
    assert as_plain(sent.message.content["text"]) == (
        "Dear Ana Sousa,\n\nwe send €1,250.50 back.\n1. soon\n- really\n\nWe are *sorry*.\n\nKind regards\nFernwick Pay\n"
    )


def test_a_model_may_propose_the_paragraph_alone_and_each_fact_in_it_is_checked() -> None:
    kind = steps.get("email")
    shown = prepare("email", BY_PERSON, letter())
    offered = kind.proposes(view("email", BY_PERSON), letter(), shown)
    assert [(field.name, field.type) for field in offered.fields] == [("paragraph", "text")]
    assert not offered.outcomes


def test_much_changed_needs_the_approval_of_the_rules() -> None:
    text = "Dear Ana Sousa, here are €1,250.50 and a wholly other text than the one of the house. Goodbye"
    sent = send(letter(), {"text": text})
    assert sent.output is not None
    assert sent.output["edited"] > 20
    assert sent.approval is not None
    assert (sent.approval.roles, sent.approval.not_by) == (("operations_lead",), ("requester",))
    assert sent.approval.values == {
        "to": "ana@post.example",
        "subject": "Your payment of 20 Nov 2026",
        "text": text,
    }


@cases(
    ("settings", "why"),
    [
        ({"translations": [GERMAN]}, "translations need language"),
        ({"translations": [GERMAN, GERMAN], "language": "record.language"}, "more than one text in de"),
        (
            {"translations": [{**GERMAN, "language": "en"}], "language": "record.language"},
            "more than one text in en",
        ),
        ({"written_in": "zz"}, "zz is none"),
        ({"paragraph": True}, "set by to person"),
        ({"approval": [{"roles": ["lead"]}]}, "set by to person"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        EmailConfig.model_validate({**SMALLEST, **settings})


def test_the_check_warns_of_a_language_alone_and_of_links_that_a_value_leads_anywhere() -> None:
    body = "[Here](https://{{ record.site }}/x) and [there]({{ record.link }}) or https://ours.example/{{ record.id }}"
    config = EmailConfig.model_validate({**SMALLEST, "body": body, "language": "record.language"})
    assert [place for place, _ in steps.get("email").doubts(config)] == ["language", "body"]


def test_an_e_mail_by_itself_leaves_in_the_language_too() -> None:
    itself = {**SMALLEST, "language": "record.language", "translations": [GERMAN]}
    made = steps.get("email").complete_by_itself(view("email", itself), letter({"language": "de"}))
    assert made.message is not None
    assert made.message.content["language"] == "de"
    assert made.message.content["text"].startswith("Guten Tag Ana Sousa")
