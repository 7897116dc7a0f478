"""Mail in a matter that is under way: hours and caps do not hold for it; consent and STOP do."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from console.core.contacting import (
    CAMPAIGN,
    CASE,
    Consent,
    Contact,
    Outgoing,
    Rules,
    SendNow,
    Skip,
    Used,
    WaitUntil,
    daily,
    judge,
)
from console.messaging.messages import inbound
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow
from tests.tables import cases

AGREED = Consent(given=True, source="web form", at="2026-01-01")
LETTER: dict[str, Any] = {
    "id": "letter",
    "type": "email",
    "config": {"subject": "Your refund", "body": "It is done."},
}
SMS: dict[str, Any] = {"id": "sms", "type": "sms", "config": {"text": "It is done."}}


def about(step: dict[str, Any], what: str) -> dict[str, Any]:
    return {
        **step,
        "config": {**step["config"], "about": what},
        "next": {"default": "end", "skipped": "end", "expired": "end"},
    }


@pytest.fixture
def club(company: Company, given_settings: Callable[..., None]) -> Iterator[Company]:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON):
        given_settings(**reached.by_twilio(server))
        yield company


@cases(
    ("channel", "what", "consent", "wanted"),
    [
        ("email", CAMPAIGN, AGREED, "over_cap"),
        ("email", CASE, AGREED, "sent"),
        ("sms", CASE, AGREED, "over_cap"),
        ("call", CASE, AGREED, "over_cap"),
        ("email", CASE, Consent(given=False, withdrawn_at="2026-02-01"), "consent_withdrawn"),
        ("email", CASE, Consent(given=False), "no_consent"),
        ("sms", CASE, Consent(given=False, withdrawn_at="2026-02-01"), "consent_withdrawn"),
        ("call", CASE, Consent(given=False, withdrawn_at="2026-02-01"), "consent_withdrawn"),
    ],
)
def test_only_case_e_mail_is_free_of_caps_and_hours_and_nothing_is_free_of_consent(
    channel: Any, what: str, consent: Consent, wanted: str
) -> None:
    rules = Rules(windows={"email": daily(NOON.time(), (NOON + timedelta(minutes=1)).time())})
    contact = Contact("contact", "1", consent={channel: consent})
    used = [Used(channel, NOON - timedelta(hours=1), "Welcome")] * 3
    at = NOON + timedelta(hours=2)
    verdict = judge(Outgoing(channel, channel, at, about=what), contact, ["UTC"], used, at, rules)
    assert (verdict.code if isinstance(verdict, Skip | WaitUntil) else "sent") == wanted
    assert isinstance(verdict, SendNow) == (wanted == "sent")


def test_the_tenth_answer_in_a_case_leaves_and_takes_no_room_from_a_campaign(club: Company) -> None:
    workflow("answer", [about(LETTER, CASE)], exclusive=False)
    workflow("news", [about(LETTER, CAMPAIGN)], exclusive=False)
    for _ in range(10):
        assert line(club, begin(club, "answer")).status in ("sent", "delivered")
    told = [line(club, begin(club, "news")).message.code for _ in range(4)]
    assert told == [None, None, None, "over_cap"]
    assert line(club, begin(club, "answer")).status in ("sent", "delivered")


def test_stop_ends_case_sms(club: Company) -> None:
    workflow("text", [about(SMS, CASE)], exclusive=False)
    begin(club, "text")
    inbound.receive("sms", "twilio", sender="+12025550147", text="STOP", provider_id="SM1")
    assert line(club, begin(club, "text")).message.code == "consent_withdrawn"
