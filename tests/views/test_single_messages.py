"""A single message to one contact, asked for by a program: the gate, who may not, and what a repeat is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from console.activity import sequencing
from console.auth import access, accounts
from console.infra.db.engine import fetch
from console.messaging.messages import inbound
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, SAM
from tests.views.test_two_judges import alarms_written, only_index

MESSAGE = {"collection": "contact", "contact": SAM, "channel": "sms", "text": "Your parcel is at the desk."}


@pytest.fixture
def club(company: Company) -> Company:
    reached.founded(company)
    access.grant("operations_lead", "collection:contact", ["message"], team="operations")
    return company


def sent(key: str, once: str = "", **changed: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"} | ({"X-Idempotency-Key": once} if once else {})
    answer = web_app().test_client().post("/api/v1/messages", json=MESSAGE | changed, headers=headers)
    return answer.status_code, answer.get_json()


def read(key: str, message_id: str) -> dict[str, Any]:
    answer = (
        web_app()
        .test_client()
        .get(f"/api/v1/messages/{message_id}", headers={"Authorization": f"Bearer {key}"})
    )
    told: dict[str, Any] = answer.get_json()
    return told


def test_a_message_leaves_by_the_gate_once_and_its_text_stands_in_the_log(club: Company) -> None:
    key = accounts.create_key("crm", club.mona.id).text
    with reached.clock(NOON):
        status, made = sent(key, once="parcel 7")
        assert (status, made["status"], made["run"], made["name"]) == (201, "waiting", None, "Sam Whitfield")
        reached.work()
        assert (read(key, made["id"])["status"], read(key, made["id"])["consent"]) == (
            "delivered",
            "given 1 Apr 2026, web form, text 2026-01",
        )
        assert sent(key, once="parcel 7")[1]["id"] == made["id"], "a repeat is told what became of it"
        assert sent(key, once="parcel 7", text="Another")[0] == 422
    assert fetch("select count(*) from console.message") == [(1,)]
    sequencing.catch_up()
    kinds = [
        row[0] for row in fetch("select kind from console.activity where record = %s order by pos", (SAM,))
    ]
    assert kinds[-2:] == ["message_requested", "message_sent"]


def test_who_wants_no_more_is_not_written_to_and_the_answer_says_why(club: Company) -> None:
    key = accounts.create_key("crm", club.mona.id).text
    with reached.clock(NOON):
        assert sent(key, contact=ANA)[1]["code"] == "no_address"
        reached.work()
    with reached.clock(NOON + timedelta(hours=10)):  # ten in the evening in Denver
        made = sent(key)[1]
        reached.work()
        held = read(key, made["id"])
        assert (held["status"], "Quiet hours" in held["reason"]) == ("waiting", True)
        inbound.receive("sms", "sandbox", sender="+12025550147", text="STOP", provider_id="in-1")
        status, made = sent(key)
        assert (status, made["status"], made["code"], read(key, made["id"])["reason"]) == (
            201,
            "skipped",
            "consent_withdrawn",
            made["reason"],
        )
        assert "withdrawn" in made["reason"]
    assert fetch("select count(*) from console.message where sent_at is not null") == [(0,)]


def test_caps_count_it_and_it_counts_for_them(club: Company) -> None:
    key = accounts.create_key("crm", club.mona.id).text
    with reached.clock(NOON):
        for _ in range(3):
            assert sent(key)[1]["status"] == "waiting"
            reached.work()
        skipped = sent(key)[1]
    assert (skipped["status"], skipped["code"]) == ("skipped", "over_cap")
    assert "a single message (3)" in skipped["reason"]


def test_wrong_values_are_named_by_field(club: Company) -> None:
    key = accounts.create_key("crm", club.mona.id).text
    for wrong, field in (
        ({"channel": "fax"}, "channel"),
        ({"channel": "email"}, "subject"),
        ({"subject": "Parcel"}, "subject"),
        ({"text": " "}, "text"),
        ({"text": "x" * 1601}, "text"),
        ({"expires": "soon"}, "expires"),
        ({"collection": "customer"}, "collection"),
        ({"collection": "none"}, "collection"),
        ({"contact": "4711"}, "contact"),
        ({"contact": "x\x00"}, "contact"),
        ({"to": "+491701234567"}, "to"),
    ):
        status, told = sent(key, **wrong)
        assert (status, [each["field"] for each in told["details"]]) == (422, [field]), wrong
    assert fetch("select count(*) from console.message") == [(0,)]


def test_who_may_only_read_or_change_a_contact_writes_to_none(club: Company) -> None:
    access.grant("operator", "collection:contact", ["browse", "read", "update"], team="operations")
    access.refresh()
    status, told = sent(accounts.create_key("crm", club.olivia.id).text)
    assert (status, told["code"], "collection.message" in told["message"]) == (403, "not_allowed", True)
    stranger = accounts.create_key("crm", club.stan.id).text
    status, told = sent(stranger)
    assert (status, told["details"][0]["field"]) == (422, "collection")
    assert sent(stranger, collection="none")[1]["message"] == told["message"]
    assert sent("cns_none")[0] == 401
    made = sent(accounts.create_key("crm", club.mona.id).text)[1]["id"]
    assert read(stranger, made)["code"] == "not_found"


def test_one_judge_is_not_enough_to_write_to_somebody(club: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    key = accounts.create_key("crm", club.mona.id).text
    only_index(monkeypatch, "collection:contact", "message")
    status, told = sent(key)
    assert (status, "judges of rights disagree" in told["message"]) == (403, True)
    assert fetch("select count(*) from console.message") == [(0,)]
    alarms_written()


def test_addresses_of_channels_are_whole_also_where_the_console_was_told_none_of_its_own(
    club: Company, given_settings: Callable[..., None]
) -> None:
    headers = {"Authorization": f"Bearer {accounts.create_key('crm', club.ines.id).text}"}
    with reached.twilio() as server:
        given_settings(
            **{name: value for name, value in reached.by_twilio(server).items() if name != "CONSOLE_BASE_URL"}
        )
        told = (
            web_app()
            .test_client()
            .get("/api/v1/channels", headers=headers, base_url="https://desk.fernwick.test")
            .get_json()["data"]
        )
        (sms,) = [each for each in told if each["kind"] == "sms"]
        assert all(
            sms[name].startswith("https://desk.fernwick.test/channels/sms/twilio/")
            for name in ("inbound", "status")
        )
    stranger = {"Authorization": f"Bearer {accounts.create_key('crm', club.stan.id).text}"}
    assert web_app().test_client().get("/api/v1/channels", headers=stranger).status_code == 403
