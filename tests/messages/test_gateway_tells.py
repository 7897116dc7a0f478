"""What an SMS gateway tells: receipts in every form and order, what people write, and who may tell at all."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import orjson
import pytest

from console import queue, runs
from console.db.engine import fetch
from console.messages import message_rows, messages_to_oneself, outside_addresses
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import taken
from tests.messages import gateway as gateways, reached
from tests.messages.gateway import TOKEN, Other
from tests.messages.reached import SAM, status

XML = b"<dlr><id>77</id><status>delivered</status></dlr>"


@pytest.fixture
def other(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        made.described()
        made.answers(200, b'{"messages": [{"id": 77}]}')
        yield made


def json(**said: object) -> bytes:
    """A body in JSON."""
    return orjson.dumps(said)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (None, "id=77&status=DELIVERED"),
        (b"", "id=77&status=delivered"),
        (b"id=77&status=Delivered", ""),
        (b'{"id": 77, "status": "delivered"}', ""),
        (b'[{"id": 1, "status": "failed"}, {"id": "77", "status": "delivered"}]', ""),
        (XML, ""),
        (b'{"status": "delivered"}', "m={ours}"),
        (None, "status=delivered&m={ours}"),
    ],
)
def test_a_receipt_may_come_in_any_form(other: Other, body: bytes | None, query: str) -> None:
    run_id = other.begin()
    assert other.tells(body, query.format(ours=other.line(run_id).message.id)) == 200
    assert other.line(run_id).status == "delivered"


def test_a_batch_within_a_list_says_of_each_what_it_became(other: Other) -> None:
    other.described(told_list="results", told_status="state.name", told_reason="error.text")
    run_id = other.begin()
    entry = {"id": "77", "state": {"name": "rejected"}, "error": {"text": "Spam\x00 filter"}}
    assert other.tells(json(results=[entry, {"nothing": 1}, "odd", None])) == 200
    assert (other.line(run_id).status, other.line(run_id).reason) == ("failed", "The SMS gateway says: Spam filter")


@pytest.mark.parametrize(
    ("order", "became"),
    [
        (["sent", "delivered"], "delivered"),
        (["delivered", "sent"], "delivered"),
        (["delivered", "delivered"], "delivered"),
        (["delivered", "failed"], "delivered"),
        (["failed", "delivered"], "delivered"),
        (["failed", "sent"], "failed"),
        (["purple", "sent"], "sent"),
    ],
)
def test_receipts_in_any_order_and_twice_are_harmless(other: Other, order: list[str], became: str) -> None:
    run_id = other.begin()
    assert [other.tells(json(id="77", status=word)) for word in order] == [200, 200]
    assert other.line(run_id).status == became
    assert status(other.company, run_id) == ("waiting_person", "ask")
    assert len(other.server.received) == 1


def test_receipts_about_nothing_of_ours_change_nothing(other: Other) -> None:
    run_id = other.begin()
    ours = other.line(run_id).message.id
    odd: tuple[dict[str, object], ...] = (
        {"id": "88", "status": "failed"},
        {"ref": "msg_none", "status": "failed"},
        {"ref": ours, "id": "88", "status": "failed"},
        {"ref": {}, "status": []},
        {},
    )
    for said in odd:
        assert other.tells(orjson.dumps(said)) == 200
    assert other.line(run_id).status == "sent"
    assert [other.tells(body) for body in (b"{", b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')] == [422, 422, 422]
    assert other.tells(b"a&" * 2_000) == 422
    assert other.tells(b"[" + b"{}," * 1_000 + b"{}]") == 422
    assert other.tells(b"x" * 600_000) == 413


def leaving(other: Other) -> str:
    """A message that has just been handed over, and nobody has recorded the answer."""
    run_id = runs.start(other.company.olivia, "hello", "contact", SAM, {})
    taken({queue.SEND_SMS})
    return run_id


def test_a_receipt_before_the_answer_counts_by_our_id_and_is_told_again_by_theirs(other: Other) -> None:
    run_id = leaving(other)
    told: list[int] = []

    def answer(_: object) -> tuple[int, bytes, dict[str, str]]:
        told.append(other.tells(json(id="77", status="delivered")))
        told.append(other.tells(json(id="77", ref=other.line(run_id).message.id, status="delivered")))
        return 200, b'{"messages": [{"id": 77}]}', {}

    other.server.answer = answer
    reached.work()
    assert told == [409, 200]
    assert (other.line(run_id).status, other.line(run_id).message.provider_id) == ("delivered", "77")
    assert (status(other.company, run_id), len(other.server.received)) == (("waiting_person", "ask"), 1)
    assert other.tells(json(id="77", status="delivered")) == 200


def test_what_somebody_answers_is_kept_once_and_stop_takes_back_consent(other: Other) -> None:
    other.begin()
    thanks = json(id="in-1", text="Thank you", **{"from": "0012025550147"})
    assert [other.tells(thanks), other.tells(thanks)] == [200, 200]
    kept = message_rows.read("direction = %s", ("in",))
    assert [(each.record, (each.content or {})["text"]) for each in kept] == [(SAM, "Thank you")]
    assert fetch("select count(*) from console.opt_out") == [(0,)]
    assert other.tells(None, urlencode({"id": "in-2", "from": "12025550147", "text": "STOP"})) == 200
    assert {channel for (channel,) in fetch("select distinct channel from console.opt_out where record = '1'")} >= {"sms", "call"}
    later = reached.begin(other.company, reached.workflow("again", [dict(gateways.SMS)]))
    assert (other.line(later).message.code, len(other.server.received)) == ("consent_withdrawn", 1)


@pytest.mark.parametrize(
    ("ours", "told", "heard"),
    [
        ("+12025550100", "2025550147", True), ("12025550100", "(202) 555-0147", True), ("+12025550100", "12025550147", True), ("Shop", "2025550147", False),
        ("", "2025550147", False), ("+37060000009", "2025550147", False),
    ],
)  # fmt: skip
def test_who_says_stop_is_found_by_a_number_without_its_country_too(other: Other, ours: str, told: str, heard: bool) -> None:
    other.described(sender=ours)
    other.begin()
    assert other.tells(json(id="in-1", text="STOP", **{"from": told})) == 200
    assert bool(fetch("select count(*) from console.opt_out where record = '1'")[0][0]) is heard


@pytest.mark.parametrize(
    ("ours", "told", "read"),
    [
        ("+12025550100", "2102271234", "+12102271234"), ("+12025550100", "2142271234", "+12142271234"), ("+79161234568", "89161234567", "+79161234567"),
        ("+447911123457", "07911123456", "+447911123456"), ("+12025550100", "4915112345678", "+4915112345678"), ("+12025550100", "12345", "12345"),
        ("+12025550100", "+2102271234", "+2102271234"),
    ],
)  # fmt: skip
def test_a_number_that_begins_as_no_country_does_is_one_of_our_country(other: Other, ours: str, told: str, read: str) -> None:
    """+210 and +89 are codes of no country: 210 is San Antonio."""
    other.described(sender=ours)
    assert other.tells(json(id="in-1", text="STOP", **{"from": told})) == 200
    assert [(each.content or {})["from"] for each in message_rows.read("direction = 'in'", ())] == [read]


def test_what_has_a_text_and_the_word_of_a_receipt_is_a_receipt(other: Other) -> None:
    run_id = other.begin()
    assert other.tells(json(id="77", status="delivered", text="Hello Sam Whitfield", **{"from": "Shop"})) == 200
    assert other.tells(json(id="in-1", status="received", text="Yes", **{"from": "+12025550147"})) == 200
    assert (other.line(run_id).status, len(message_rows.read("direction = %s", ("in",)))) == ("delivered", 1)


@pytest.mark.parametrize("place", ["header", "query", "body"])
def test_a_token_is_asked_for_where_the_page_says_so(other: Other, place: str) -> None:
    other.described(check="token", check_name="X-Token", check_secret="told_key")
    run_id = other.begin()

    def tells(token: str) -> int:
        headers = {"X-Token": f"Bearer {token}"} if place == "header" else {}
        body = {"id": "77", "status": "delivered"} | ({"X-Token": token} if place == "body" else {})
        return other.tells(orjson.dumps(body), f"X-Token={token}" if place == "query" else "", **headers)

    assert [other.tells(json(id="77", status="delivered")), tells("guessed"), tells("")] == [401, 401, 401]
    assert other.line(run_id).status == "sent"
    assert (tells(TOKEN), other.line(run_id).status) == (200, "delivered")


@pytest.mark.parametrize("digest", ["sha256", "sha1", "sha512"])
def test_a_signature_is_checked_over_the_bytes_of_the_body(other: Other, digest: str) -> None:
    other.described(check="hmac", check_name="X-Signature", check_secret="told_key")
    run_id = other.begin()
    body = json(id="77", status="delivered")
    made = hmac.new(TOKEN.encode(), body, getattr(hashlib, digest))
    wrong = (hmac.new(b"guessed", body, digest).hexdigest(), "", "x", "é", "==", made.hexdigest()[:-2])
    assert {other.tells(body, **{"X-Signature": given}) for given in wrong} == {401}
    assert other.tells(body + b" ", **{"X-Signature": made.hexdigest()}) == 401
    assert other.tells(None, "id=77&status=delivered", **{"X-Signature": hmac.new(TOKEN.encode(), b"", digest).hexdigest()}) == 401
    assert other.line(run_id).status == "sent"
    for given in (made.hexdigest(), f"{digest}={made.hexdigest()}", base64.b64encode(made.digest()).decode()):
        assert other.tells(body, **{"X-Signature": given}) == 200
    assert other.line(run_id).status == "delivered"


def test_only_its_own_address_is_heard_and_other_providers_are_told_by_post_alone(other: Other) -> None:
    run_id = other.begin()
    client, path = web_app().test_client(), outside_addresses.callback_path("sms", "gateway")
    assert client.get(f"{path[:-2]}xx?id=77&status=delivered").status_code == 404
    assert client.head(f"{path}?id=77&status=delivered").status_code == 405
    assert client.get(outside_addresses.callback_path("sms", "twilio")).status_code == 405
    assert other.line(run_id).status == "sent"


def test_the_usual_test_message_goes_its_way(other: Other) -> None:
    message_id = messages_to_oneself.send_test(other.company.ines, "sms", "+370 600 00001")
    reached.work()
    assert orjson.loads(other.server.received[0].body)["to"] == "+37060000001"
    assert other.tells(json(id="77", status="delivered")) == 200
    sent = message_rows.by_id(message_id)
    assert sent is not None
    assert (sent.status, sent.provider, sent.sandbox) == ("delivered", "gateway", False)
