"""Callbacks of providers that nobody here wrote: in another order, twice, for another message, and with what no text can hold."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from console import runs
from console.infra.db.engine import fetch
from console.messaging.messages import message_rows, outside_addresses
from console.operations import erasure
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, status, workflow

pytestmark = pytest.mark.slow
ANSWERS = ["interested", "not_interested"]
CALL: dict[str, Any] = {
    "id": "call",
    "type": "ai_call",
    "config": {
        "script": "Hello {{ record.name }}",
        "max_attempts": 2,
        "retry_after": "P1D",
        "answers": ANSWERS,
    },
    "next": {"interested": "ask", "default": "lost"},
}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}, "next": {"default": "end"}}
LOST = {"id": "lost", "type": "guidance", "config": {"text": "Lost"}, "next": {"default": "end"}}
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}


class Calling:
    """A workflow that calls, the provider, and what that tells us."""

    def __init__(self, company: Company, server: reached.Calls, move: Callable[[timedelta], None]) -> None:
        self.company, self.server, self.move = company, server, move
        workflow("nurture", [dict(CALL), dict(ASK), dict(LOST)])
        assert self.raw(b"").status_code == 422  # the application is whole before threads ask it

    def raw(self, body: bytes, signed: bytes | None = None) -> Any:
        """A signed callback with these bytes, whatever they are."""
        now = datetime.now(UTC)
        signature = Webhook(base64.b64decode(reached.SECRET)).sign(
            "evt", now, (signed or body).decode("utf-8", "replace")
        )
        headers = {
            "webhook-id": "evt",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        path = outside_addresses.callback_path("call", "http")
        return (
            web_app()
            .test_client()
            .post(path, data=body, headers={**headers, "Content-Type": "application/json"})
        )

    def ended(self, message_id: Any, **told: Any) -> int:
        """The status of the answer to a callback."""
        return int(self.raw(orjson.dumps({"id": message_id, **told})).status_code)

    def asked(self, run_id: str, number: int = -1) -> str:
        """Our id of a call of the run."""
        return line(self.company, run_id, number).message.id


@pytest.fixture
def calling(company: Company, given_settings: Callable[..., None]) -> Iterator[Calling]:
    reached.founded(company)
    with reached.provider_of_calls() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_calls(server))
        yield Calling(company, server, move)


def test_what_has_another_type_than_the_contract_says_is_refused_and_the_call_stays_open(
    calling: Calling,
) -> None:
    run_id = begin(calling.company, "nurture")
    call = calling.asked(run_id)
    wrong: list[dict[str, Any]] = [
        {"id": call, "outcome": ["answered"]},
        {"id": call, "outcome": {"kind": "answered"}},
        {"id": call, "outcome": None},
        {"id": call, "outcome": 7},
        {"id": [call], "outcome": "answered"},
        {"id": None, "outcome": "answered"},
        {"outcome": "answered"},
    ]
    assert [calling.raw(orjson.dumps(body)).status_code for body in wrong] == [422] * len(wrong)
    assert [
        calling.raw(body).status_code for body in (b"[]", b"null", b"", b"\xef\xbb\xbf{}", b'{"id": "x"')
    ] == [422] * 5
    assert status(calling.company, run_id) == ("waiting_event", "call")


def test_a_transcript_with_a_character_that_cannot_be_stored_is_kept_without_it(calling: Calling) -> None:
    run_id = begin(calling.company, "nurture")
    told = {
        "outcome": "answered",
        "label": "interested\x00",
        "transcript": "Yes\x00 please",
        "recording": "https://calls.example/\x00a",
    }
    assert calling.ended(calling.asked(run_id), **told) == 200
    reached.settle()
    assert status(calling.company, run_id) == ("waiting_person", "ask")
    assert calling.company.told(run_id)["context"]["call"]["transcript"] == "Yes please"


def test_the_end_of_an_earlier_try_that_comes_during_the_next_one_changes_nothing(calling: Calling) -> None:
    run_id = begin(calling.company, "nurture")
    first = calling.asked(run_id)
    assert calling.ended(first, outcome="no_answer") == 200
    calling.move(timedelta(days=1, minutes=1))
    reached.settle()
    assert len(calling.server.calls) == 2
    assert calling.ended(first, outcome="answered", label="interested") == 200
    assert status(calling.company, run_id) == ("waiting_event", "call")
    assert calling.ended(calling.asked(run_id), outcome="answered", label="not_interested") == 200
    assert status(calling.company, run_id) == ("waiting_person", "lost")


def test_the_same_end_ten_times_at_once_is_one_step(calling: Calling) -> None:
    run_id = begin(calling.company, "nurture")
    call = calling.asked(run_id)
    with ThreadPoolExecutor(5) as pool:
        told = list(
            pool.map(lambda _: calling.ended(call, outcome="answered", label="interested"), range(10))
        )
    assert set(told) == {200}
    assert status(calling.company, run_id) == ("waiting_person", "ask")
    assert fetch("select count(*) from console.attempt where run = %s and step = 'ask'", (run_id,)) == [(1,)]


def test_two_ends_that_differ_at_one_moment_leave_one_of_them(calling: Calling) -> None:
    run_id = begin(calling.company, "nurture")
    call = calling.asked(run_id)
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda label: calling.ended(call, outcome="answered", label=label), ANSWERS))
    assert told == [200, 200]
    kept = line(calling.company, run_id).message.result["label"]
    assert status(calling.company, run_id) == ("waiting_person", "ask" if kept == "interested" else "lost")


def test_the_end_of_a_call_whose_run_was_cancelled_is_kept_and_starts_nothing(calling: Calling) -> None:
    run_id = begin(calling.company, "nurture")
    runs.cancel(
        calling.company.mona,
        run_id,
        revision=calling.company.told(run_id)["revision"],
        reason="No longer a lead",
    )
    assert calling.ended(calling.asked(run_id), outcome="no_answer") == 200
    calling.move(timedelta(days=3))
    reached.settle()
    assert len(calling.server.calls) == 1, "nobody is called for a run that was cancelled"
    assert [line(calling.company, run_id, number).status for number in (0, 1)] == ["delivered", "cancelled"]


@pytest.mark.parametrize("outcome", ["answered", "no_answer", "failed"])
def test_who_is_erased_during_a_call_is_not_called_again_and_what_they_said_is_not_kept(
    calling: Calling, outcome: str
) -> None:
    run_id = begin(calling.company, "nurture")
    runs.cancel(
        calling.company.mona,
        run_id,
        revision=calling.company.told(run_id)["revision"],
        reason="They are to be erased",
    )
    erasure.erase(calling.company.ines, "contact", reached.SAM, reason="Asked for it")
    told = {"label": "stop" if outcome == "answered" else "", "transcript": "My name is Sam"}
    assert [calling.ended(calling.asked(run_id), outcome=outcome, **told) for _ in range(2)] == [200, 200]
    calling.move(timedelta(days=3))
    reached.settle()
    [call] = message_rows.read("direction = 'out'", ())
    assert (call.status, call.code, call.result) == (
        "failed" if outcome == "failed" else "delivered",
        outcome,
        {},
    )


def test_a_provider_that_answers_with_the_id_of_another_call_loses_neither(calling: Calling) -> None:
    first = begin(calling.company, "nurture")
    workflow("again", [dict(CALL), dict(ASK), dict(LOST)])
    calling.move(timedelta(hours=25))
    calling.server.receiver.answer = lambda _: (
        202,
        orjson.dumps({"id": "call-1"}),
        {},
    )  # the id of the call before
    second = begin(calling.company, "again")
    assert status(calling.company, second) == ("waiting_event", "call")
    for run_id in (second, first):
        assert (
            calling.ended(calling.asked(run_id), outcome="answered", label="interested", call="call-1") == 200
        )
        assert status(calling.company, run_id) == ("waiting_person", "ask")


def test_a_transcript_of_a_megabyte_is_cut_and_what_is_larger_than_any_is_refused_before_it_is_read(
    calling: Calling,
) -> None:
    run_id = begin(calling.company, "nurture")
    call = calling.asked(run_id)
    big = calling.raw(orjson.dumps({"id": call, "outcome": "answered", "transcript": "x" * 5_000_000}))
    assert (big.status_code, big.get_json()["code"]) == (413, "too_large")
    assert calling.ended(call, outcome="answered", label="interested", transcript="x" * 1_000_000) == 200
    assert len(line(calling.company, run_id).message.result["transcript"]) == 100_000
    assert status(calling.company, run_id) == ("waiting_person", "ask")


class Texting:
    """A workflow that sends an SMS, and Twilio's callbacks about it."""

    def __init__(self, company: Company, server: reached.Twilio, move: Callable[[timedelta], None]) -> None:
        self.company, self.server, self.move = company, server, move
        workflow("hello", [dict(SMS), dict(ASK)])
        assert self.told(signed={"a": "b"}) == 401  # the application is whole before threads ask it

    def told(self, message_id: str = "", signed: dict[str, str] | None = None, **form: Any) -> int:
        """The status of the answer to a callback, which may be signed for another content."""
        path = outside_addresses.callback_path("sms", "twilio") + (f"?m={message_id}" if message_id else "")
        signature = RequestValidator("token").compute_signature(
            f"http://console.example{path}", signed or form
        )
        return int(
            web_app()
            .test_client()
            .post(path, data=form, headers={"X-Twilio-Signature": signature})
            .status_code
        )


@pytest.fixture
def texting(company: Company, given_settings: Callable[..., None]) -> Iterator[Texting]:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        yield Texting(company, server, move)


def test_receipts_in_any_order_leave_the_last_word_to_the_end(texting: Texting) -> None:
    run_id = begin(texting.company, "hello")
    sid = texting.server.messages[0]["sid"]
    for state in ("delivered", "sent", "queued", "sending", "failed", "delivered"):
        assert (
            texting.told(line(texting.company, run_id).message.id, MessageSid=sid, MessageStatus=state) == 200
        )
    assert line(texting.company, run_id).status == "delivered"
    assert status(texting.company, run_id) == ("waiting_person", "ask")


def test_a_receipt_that_was_changed_on_its_way_is_not_believed(texting: Texting) -> None:
    run_id = begin(texting.company, "hello")
    message = line(texting.company, run_id).message
    form: dict[str, Any] = {"MessageSid": texting.server.messages[0]["sid"], "MessageStatus": "delivered"}
    assert texting.told(message.id, signed=form, **form | {"MessageStatus": "failed"}) == 401
    assert texting.told(message.id, signed=form, **{f"n{number}": "x" for number in range(2_000)}) == 422, (
        "a flood of fields is not sorted"
    )
    assert line(texting.company, run_id).status == "sent"


def test_a_receipt_of_one_message_at_the_address_of_another_is_refused(texting: Texting) -> None:
    first, second = begin(texting.company, "hello"), begin(texting.company, "hello", reached.BRAM)
    one, sid = line(texting.company, first).message, texting.server.messages[0]["sid"]
    other = line(texting.company, second).message
    assert texting.told(one.id, MessageSid="SM" + "9" * 32, MessageStatus="failed") == 409
    if len(texting.server.messages) > 1:
        assert texting.told(other.id, MessageSid=sid, MessageStatus="failed") == 409
    assert line(texting.company, first).status == "sent"


def test_an_answer_from_a_word_in_place_of_a_number_is_nobodys(texting: Texting) -> None:
    for sender in ("FERNWICK", "", "+1", "not a number"):
        assert (
            texting.told(
                From=sender, To="+12025550100", Body="STOP", MessageSid=f"SM-{sender}", SmsStatus="received"
            )
            == 200
        )
    assert fetch("select count(*) from console.message where direction = 'in' and record is not null") == [
        (0,)
    ]


def test_ten_copies_of_one_answer_at_once_are_kept_once(texting: Texting) -> None:
    begin(texting.company, "hello")
    answer: dict[str, Any] = {
        "From": "+12025550147",
        "To": "+12025550100",
        "Body": "Yes",
        "MessageSid": "SM1",
        "SmsStatus": "received",
    }
    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(lambda _: texting.told(**answer), range(10))) == {200}
    assert fetch("select count(*) from console.message where direction = 'in'") == [(1,)]


def test_who_told_twilio_stop_gets_nothing_more_and_nothing_is_tried_again(texting: Texting) -> None:
    texting.server.fail, texting.server.code = [400], 21610
    first = line(texting.company, begin(texting.company, "hello")).message
    assert (first.status, first.code, first.result["reason"]) == (
        "skipped",
        "consent_withdrawn",
        "They have told Twilio STOP.",
    )
    second = line(texting.company, begin(texting.company, workflow("again", [dict(SMS), dict(ASK)]))).message
    assert (second.status, second.tries, texting.server.messages) == ("skipped", 0, [])


@pytest.mark.parametrize(
    "kept",
    [
        'Sent from your Twilio trial account - Hello Sam Whitfield, it\'s "us" - Fernwick...',
        "Hello Sam Whitfield, it's 'us' - Fernwick...",
        "Hello Sam Whitfield, it\u2019s \u201eus\u201c \u2013 Fernwick\u2026 ",
    ],
)
def test_an_sms_that_twilio_keeps_in_other_marks_is_found_and_not_sent_again(
    texting: Texting, kept: str
) -> None:
    config = {"text": "Hello {{ record.name }},  it\u2019s \u201eus\u201c \u2013\u00a0Fernwick\u2026"}
    texting.server.lost = 1
    run_id = begin(texting.company, workflow("marks", [dict(SMS, config=config)]))
    texting.server.messages[-1]["body"] = kept
    for minutes in (1, 1, 3):
        texting.move(timedelta(minutes=minutes))
        reached.work()
    assert (line(texting.company, run_id).status, len(texting.server.messages)) == ("sent", 1)
