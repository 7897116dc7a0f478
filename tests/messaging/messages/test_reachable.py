"""Whom the messages of a workflow would reach, said before anybody is enrolled."""

from typing import Any

import pytest

from console import workflows
from console.automation import enrolments
from console.automation.enrolments import Batch, Question
from console.infra.db.engine import fetch
from console.messaging.messages import opting_out
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.messages import reached

STEPS: list[dict[str, Any]] = [
    {"id": "text", "type": "sms", "config": {"text": "Hello {{ record.name }}"}},
    {"id": "again", "type": "sms", "config": {"text": "Hello again"}},
    {"id": "letter", "type": "email", "config": {"subject": "Hello", "body": "Hello"}},
]


@pytest.fixture
def welcome(company: Company) -> str:
    """A workflow with two SMS and an e-mail to the contacts of the club."""
    reached.founded(company)
    return reached.workflow("welcome", [dict(step) for step in STEPS])


def previewed(company: Company, **whom: Any) -> Batch:
    """The preview of enrolling them, as far as it goes."""
    found = enrolments.batches.begin(company.olivia, "welcome", Question(**whom), preview=True)
    work_until_idle()
    return enrolments.batches.get(company.olivia, found.id)


def test_a_preview_counts_who_is_reached_by_which_channel_and_why_the_others_are_not(
    company: Company, welcome: str
) -> None:
    with reached.clock(reached.NOON):
        batch = previewed(company, keys=["1", "2", "3", "4", "5", "6", "99"])
    assert batch.to_json()["reach"] == {
        "looked": 6,
        "unreached": 4,
        "more": False,
        "channels": [
            {
                "channel": "sms",
                "reached": 2,
                "later": 1,
                "over_cap": 0,
                "why": [{"reason": "There is no telephone number.", "count": 4}],
            },
            {
                "channel": "email",
                "reached": 1,
                "later": 0,
                "over_cap": 0,
                "why": [
                    {"reason": "There is no consent to e-mail.", "count": 3},
                    {"reason": "There is no e-mail address.", "count": 2},
                ],
            },
        ],
    }
    assert fetch("select count(*) from console.message") == [(0,)]


def test_a_list_says_the_same_as_named_contacts_and_consent_taken_back_here_counts(
    company: Company, welcome: str
) -> None:
    with reached.clock(reached.NOON):
        opting_out.withdraw([("contact", reached.SAM)], ["sms"], "sms")
        batch = previewed(company, whole=True)
    sms = batch.reach.channels["sms"]
    assert (sms.reached, dict(sms.why)) == (
        1,
        {"There is no telephone number.": 4, "Consent was withdrawn.": 1},
    )
    enrolled = enrolments.batches.begin(company.olivia, "welcome", Question(keys=["1"]))
    assert enrolled.to_json()["reach"] is None, "said before, not after"


def test_a_lead_whom_no_message_reaches_is_enrolled_with_the_reason(company: Company, welcome: str) -> None:
    calling = {
        "format": 1,
        "slug": "calling",
        "title": "Calling",
        "team": "operations",
        "collection": None,
        "steps": [
            {
                "id": "start",
                "type": "start",
                "title": "Start",
                "config": {
                    "fields": [{"name": "name", "label": "Name"}, {"name": "phone", "label": "Phone"}]
                },
                "next": {"default": "call"},
            },
            {
                "id": "call",
                "type": "ai_call",
                "title": "Call",
                "config": {"to": "input.phone", "script": "Hello {{ input.name }}"},
                "next": {"default": "end"},
            },
            {"id": "end", "type": "end", "title": "End", "config": {"label": "Called"}, "next": {}},
        ],
    }
    workflows.import_file(calling, publish=True)
    leads = [{"name": "Ana"}, {"name": "Ben", "phone": "+370 600 00001"}, {"phone": "x"}]
    _, told = enrolments.enrol_leads(company.olivia, "calling", leads)
    assert [(each.status, [tuple(reason.values()) for reason in each.reasons][:1]) for each in told] == [
        ("enrolled", [("ai_call", "There is no telephone number.")]),
        ("enrolled", [("consent.ai_call", "There is no consent to calls by an AI.")]),
        ("refused", [("phone", "This is no telephone number: write it like +353 1 234 5678.")]),
    ]
    found = enrolments.batches.begin(
        company.olivia, "calling", Question(rows=[{"name": "Cy"}, {"phone": "+370 600 00002"}]), preview=True
    )
    reach = found.to_json()["reach"]
    assert (reach["looked"], reach["unreached"], reach["channels"][0]["why"]) == (
        2,
        2,
        [
            {"reason": "There is no telephone number.", "count": 1},
            {"reason": "There is no consent to calls by an AI.", "count": 1},
        ],
    )
    with reached.clock(reached.NOON):
        _, told = enrolments.enrol_leads(company.olivia, "welcome", [{"record": "1"}, {"record": "4"}])
    assert [len(each.reasons) for each in told] == [0, 1]
