"""SMS through a gateway that a document describes, against a server on this machine: its answers, none at all, and what it tells later."""

import base64
import hashlib
import hmac
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
import pytest

from console import runs
from console.core.errors import Invalid, NotAllowed
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging import providers
from console.messaging.messages import channel_settings, message_rows, outside_addresses
from tests import warm
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import taken, wait_until_free
from tests.messaging.messages import gateway as gateways, reached
from tests.messaging.messages.gateway import SECRET, TOKEN, Other
from tests.messaging.messages.reached import NOON, SAM, status
from tests.messaging.messages.test_killed import SEND

pytestmark = pytest.mark.lengthy

TEXT = "Hello Sam Whitfield"
SIGNED = {
    "signature": {"header": "X-Signature", "time": "X-Time", "signed": "{time}.{body}"},
    "secret": "told_key",
}


@pytest.fixture
def other(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        made.answers(200, b'{"messages": [{"id": 77}]}')
        yield made


def test_a_request_carries_its_values_as_json_a_form_or_an_address(other: Other) -> None:
    other.described({"headers": {"X-Sender": "Fernwick"}})
    sent = other.line(other.begin()).message
    (request,) = other.server.received
    told = orjson.loads(request.body)
    assert (told["to"], told["text"], told["ref"], sent.provider, sent.provider_id) == (
        "+12025550147",
        TEXT,
        sent.id,
        "gateway",
        "77",
    )
    assert (request.headers["idempotency-key"], request.headers["authorization"]) == (
        sent.id,
        f"Bearer {SECRET}",
    )
    assert request.headers["x-sender"] == "Fernwick"
    assert (
        told["back"]
        == f"http://console.example{outside_addresses.callback_path('sms', 'gateway')}?m={sent.id}"
    )
    other.described({"encoding": "form", "user": "fernwick"})
    reached.begin(other.company, reached.workflow("form", [dict(gateways.SMS)]))
    form = other.server.received[-1]
    assert parse_qs(form.body.decode())["text"] == [TEXT]
    assert (
        form.headers["authorization"] == "Basic " + base64.b64encode(f"fernwick:{SECRET}".encode()).decode()
    )
    other.described(
        {
            "method": "GET",
            "secret_header": "X-Key",
            "url": f"{other.server.url}/send?to={{{{ input.to }}}}&msg={{{{ input.text }}}}",
        }
    )
    reached.begin(other.company, reached.workflow("get", [dict(gateways.SMS)]))
    asked = other.server.received[-1]
    assert (asked.method, asked.headers["x-key"]) == ("GET", SECRET)
    assert parse_qs(urlsplit(asked.path).query) == {"to": ["+12025550147"], "msg": [TEXT]}


ACCEPTED = {"accepted": 'answer.code == "0" || answer.code == 0', "reason": "{{ answer.why }}"}


@pytest.mark.parametrize(
    ("how", "code", "body", "became", "words"),
    [
        (None, 200, b"OK", "sent", ""),
        (None, 202, b"", "sent", ""),
        (None, 200, b"<html>Please sign in</html>", "unknown", "it cannot be told whether the SMS left"),
        (
            None,
            400,
            b'{"message": "No such number"}',
            "failed",
            "The SMS gateway answered 400: No such number.",
        ),
        (None, 500, b"", "unknown", "it cannot be told whether the SMS left"),
        (None, 401, b"", "waiting", "The SMS gateway answered 401"),
        (None, 302, b"", "waiting", "sends on to another address (302), which is not followed"),
        ({"refused": [409]}, 409, b"", "failed", "answered 409"),
        ({"refused": [409]}, 400, b"", "unknown", "answered 400"),
        ({"again": [400]}, 400, b"", "waiting", "answered 400"),
        (ACCEPTED, 200, b'{"code": 0}', "sent", ""),
        (
            ACCEPTED,
            200,
            b'{"code": 9, "why": "No credit for open-sesame"}',
            "failed",
            "The SMS gateway answered 200: No credit for [secret].",
        ),
        (ACCEPTED, 200, b'{"other": 1}', "unknown", "it cannot be told"),
        (ACCEPTED, 200, b'{"pad": "' + b"x" * 100_000 + b'", "code": 0}', "unknown", "it cannot be told"),
        ({"accepted": 'answer.startsWith("OK")'}, 200, b"OK: 4711", "sent", ""),
        (
            {"accepted": 'answer.startsWith("OK")'},
            200,
            b"ERR: no such number",
            "failed",
            "ERR: no such number",
        ),
    ],
)
def test_an_answer_is_read_as_the_document_says(
    other: Other, how: Any, code: int, body: bytes, became: str, words: str
) -> None:
    other.described(answer=how)
    other.answers(code, body, Location=f"{other.server.url}/inside")
    sent = other.line(other.begin())
    assert (sent.status, words in (sent.reason or "")) == (became, True), sent.reason
    assert [urlsplit(request.path).path for request in other.server.received] == ["/messages"]


def test_a_429_waits_as_long_as_it_is_asked_to(other: Other) -> None:
    other.described()
    other.answers(429, b"slow down", **{"Retry-After": "600"})
    run_id = other.begin()
    waiting = other.line(run_id).message
    assert (waiting.status, waiting.code, len(other.server.received)) == ("waiting", "retry", 1)
    assert timedelta(minutes=9) < waiting.due_at - NOON < timedelta(minutes=15)
    other.answers(202)
    other.later()
    assert (other.line(run_id).status, len(other.server.received)) == ("sent", 2)


def closes(handler: object) -> None:
    """Take the request and close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]  # the server's own


def hangs(_: object) -> None:
    """Take the request and say nothing for longer than anybody waits."""
    time.sleep(3)


@pytest.mark.parametrize("silent", [closes, hangs])
def test_without_an_answer_nothing_is_sent_again_and_a_person_is_asked_once(
    other: Other, silent: Callable[[object], None]
) -> None:
    other.described({"timeout_s": 1})
    other.server.raw = silent
    run_id = other.begin()
    assert other.line(run_id).status == "unknown"
    other.later(4)
    assert (other.line(run_id).message.outcome, status(other.company, run_id)[0]) == (
        "unknown",
        "waiting_person",
    )
    assert len(other.server.received) == 1


@pytest.mark.parametrize(
    ("point", "times"), [("channels.send.before", 0), ("channels.send.after", 1), ("channels.recorded", 1)]
)
def test_a_killed_worker_sends_nothing_twice(other: Other, point: str, times: int) -> None:
    other.described()
    run_id = runs.start(other.company.olivia, "hello", "contact", SAM, {})
    taken({jobs.SEND_SMS})
    message_id = other.line(run_id).message.id
    environ = {**os.environ, "HANDRAIL_FAULT": f"{point}=kill", "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run(
        [warm.python(), "-c", SEND, message_id, (NOON + timedelta(minutes=1)).isoformat()],
        env=environ,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    wait_until_free(f"message|{message_id}")
    for _ in range(4):
        other.move(timedelta(minutes=5))
        fetch("update console.message set at = at - interval '10 seconds' where told_at is null returning 1")
        reached.settle()
    assert len(other.server.received) == times
    assert status(other.company, run_id)[0] == "waiting_person"


def test_it_goes_before_twilio_while_it_is_described_and_what_left_through_it_stays_its_own(
    other: Other, given_settings: Callable[..., None]
) -> None:
    account = {
        "CONSOLE_TWILIO_ACCOUNT_SID": "ACtest",
        "CONSOLE_TWILIO_AUTH_TOKEN": "token",
        "CONSOLE_TWILIO_FROM": "+12025550100",
    }
    with reached.twilio() as twilio:
        given_settings(**reached.real(CONSOLE_TWILIO_URL=twilio.url, **account))
        assert providers.provider_of("sms").name == "twilio"
        other.described()
        first, second = (
            other.begin(),
            reached.begin(other.company, reached.workflow("again", [dict(gateways.SMS)])),
        )
        assert [other.line(run_id).message.provider for run_id in (first, second)] == ["gateway", "gateway"]
        channel_settings.save_gateway(other.company.ines, "")
        third = reached.begin(other.company, reached.workflow("third", [dict(gateways.SMS)]))
        assert other.line(third).message.provider == "twilio"
        assert other.tells(orjson.dumps({"ref": other.line(first).message.id, "status": "delivered"})) == 422
        other.described()
        assert other.tells(orjson.dumps({"ref": other.line(first).message.id, "status": "delivered"})) == 200
        assert other.line(first).status == "delivered"


def test_nothing_leaves_in_the_sandbox(other: Other, given_settings: Callable[..., None]) -> None:
    other.described()
    given_settings(**reached.real(CONSOLE_SANDBOX="on"))
    assert (other.line(other.begin()).status, other.server.received) == ("delivered", [])


def test_a_secret_that_is_gone_keeps_messages_waiting(other: Other) -> None:
    other.described()
    fetch("delete from console.outgoing_secret where name = 'sms_key' returning 1")
    waiting = other.line(other.begin())
    assert (waiting.status, waiting.message.code, other.server.received) == ("waiting", "retry", [])


def test_only_who_manages_channels_describes_it(other: Other) -> None:
    with pytest.raises(NotAllowed):
        channel_settings.save_gateway(other.company.olivia, "")


OUT = {"url": "https://sms.example/m", "body": {"to": "{{ input.to }}", "text": "{{ input.text }}"}}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "no JSON"),
        ({}, "request: This is missing."),
        ({"request": OUT | {"url": "ftp://sms.example"}}, "no address that a request could go to"),
        ({"request": OUT | {"url": "https://{{ input.to }}/"}}, "host is fixed"),
        ({"request": OUT | {"url": "http://10.0.0.1/sms"}}, "10.0.0.1"),
        ({"request": OUT | {"url": "http://169.254.169.254/latest"}}, "169.254.169.254"),
        ({"request": OUT | {"body": {"to": "{{ input.to }}"}}}, "sends no input.text"),
        (
            {
                "request": OUT
                | {"body": {"to": "{{ input.to }}", "text": "{{ input.text }}", "x": "{{ input.nmae }}"}}
            },
            "of a message there are",
        ),
        ({"request": OUT | {"method": "GET"}}, "GET has no body"),
        ({"request": OUT | {"user": "me"}}, "ame the secret"),
        ({"request": OUT | {"url": "https://8.8.8.8/sms", "secret": "sms_key"}}, "is not for 8.8.8.8"),
        ({"request": OUT, "answer": {"id": "item.id"}}, "item is not known here"),
        ({"request": OUT, "answer": {"id": "answer.("}}, "answer.id: "),
        ({"request": OUT, "callback": {"status": "item.status"}}, "by which words"),
        ({"request": OUT, "callback": {"from": "item.from"}}, "belong together"),
        ({"request": OUT, "callback": {"signature": {"header": "X-Signature"}}}, "belong together"),
        (
            {
                "request": OUT,
                "callback": {"secret": "sms_key", "signature": {"header": "X-Signature", "signed": "{time}"}},
            },
            "needs {body}",
        ),
        ({"request": OUT, "more": 1}, "more: "),
    ],
)
def test_what_is_wrong_with_a_document_is_said_and_nothing_is_saved(
    other: Other, document: Any, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        channel_settings.save_gateway(
            other.company.ines, document if isinstance(document, str) else orjson.dumps(document).decode()
        )
    assert words in refused.value.message
    assert fetch("select 1 from console.channel where gateway is not null") == []


# ---------------------------------------------------------------------------------------------------------- what it tells later


@pytest.fixture
def telling(other: Other) -> Other:
    other.described()
    return other


def json(**said: object) -> bytes:
    """A body in JSON."""
    return orjson.dumps(said)


@pytest.mark.parametrize(
    ("order", "became"),
    [
        (["sent", "delivered"], "delivered"),
        (["delivered", "delivered"], "delivered"),
        (["delivered", "failed"], "delivered"),
        (["Failed", "sent"], "failed"),
        (["purple", "sent"], "sent"),
    ],
)
def test_receipts_in_any_order_and_twice_are_harmless(telling: Other, order: list[str], became: str) -> None:
    run_id = telling.begin()
    assert [telling.tells(json(id="77", status=word)) for word in order] == [200, 200]
    assert (telling.line(run_id).status, len(telling.server.received)) == (became, 1)
    assert status(telling.company, run_id) == ("waiting_person", "ask")


def test_a_receipt_may_be_a_form_name_our_id_or_stand_in_a_list(telling: Other) -> None:
    for number, (body, kind, query) in enumerate(
        [
            (b"id=77&status=delivered", "application/x-www-form-urlencoded", ""),
            (json(status="delivered"), "application/json", "m={ours}"),
        ]
    ):
        run_id = reached.begin(telling.company, reached.workflow(f"hello{number}", [dict(gateways.SMS)]))
        assert telling.tells(body, query.format(ours=telling.line(run_id).message.id), kind) == 200
        assert telling.line(run_id).status == "delivered"
        fetch("update console.message set provider_id = null returning 1")
    telling.described(
        callback={"entries": "event.results", "status": "item.state.name", "reason": "item.error.text"}
    )
    run_id = telling.begin()
    entry = {"id": "77", "state": {"name": "rejected"}, "error": {"text": "Spam\x00 filter"}}
    assert telling.tells(json(results=[entry, {"nothing": 1}, "odd", None])) == 200
    assert (telling.line(run_id).status, telling.line(run_id).reason) == (
        "failed",
        "The SMS gateway says: Spam filter",
    )
    assert [telling.tells(json(results=odd)) for odd in ("none", [1] * 1_001)] == [422, 422]


def test_receipts_about_nothing_of_ours_change_nothing(telling: Other) -> None:
    run_id = telling.begin()
    ours = telling.line(run_id).message.id
    odd: list[dict[str, object]] = [
        {"id": "88", "status": "failed"},
        {"ref": "msg_none", "status": "failed"},
        {"ref": {}, "status": []},
        {},
    ]
    for said in [*odd, {"ref": ours, "id": "88", "status": "failed"}]:
        assert telling.tells(orjson.dumps(said)) == 200
    assert telling.line(run_id).status == "sent"
    form = "application/x-www-form-urlencoded"
    assert [telling.tells(b"{"), telling.tells(b"a&" * 2_000, kind=form), telling.tells(b"x" * 600_000)] == [
        422,
        422,
        413,
    ]
    client, path = web_app().test_client(), outside_addresses.callback_path("sms", "gateway")
    assert client.post(f"{path[:-2]}xx", json={"id": "77", "status": "delivered"}).status_code == 404


def test_a_receipt_before_the_answer_counts_by_our_id_and_is_told_again_by_theirs(telling: Other) -> None:
    run_id = runs.start(telling.company.olivia, "hello", "contact", SAM, {})
    taken({jobs.SEND_SMS})
    told: list[int] = []

    def answer(_: object) -> tuple[int, bytes, dict[str, str]]:
        told.append(telling.tells(json(id="77", status="delivered")))
        told.append(telling.tells(json(id="77", ref=telling.line(run_id).message.id, status="delivered")))
        return 200, b'{"messages": [{"id": 77}]}', {}

    telling.server.answer = answer
    reached.work()
    assert told == [409, 200]
    assert (telling.line(run_id).status, telling.line(run_id).message.provider_id) == ("delivered", "77")


@pytest.mark.parametrize("sender", ["0012025550147", "12025550147", "+1 202-555-0147", "(202) 555-0147"])
def test_what_somebody_answers_is_kept_once_and_stop_takes_back_consent(telling: Other, sender: str) -> None:
    telling.described(callback={"country": "US"})
    telling.begin()
    thanks = json(id="in-1", text="Thank you", **{"from": sender})
    assert [telling.tells(thanks), telling.tells(thanks)] == [200, 200]
    kept = message_rows.read("direction = %s", ("in",))
    assert [(each.record, (each.content or {})["text"]) for each in kept] == [(SAM, "Thank you")]
    assert fetch("select count(*) from console.opt_out") == [(0,)]
    stop = urlencode({"id": "in-2", "from": sender, "text": "STOP"}).encode()
    assert telling.tells(stop, kind="application/x-www-form-urlencoded") == 200
    assert {
        channel for (channel,) in fetch("select distinct channel from console.opt_out where record = '1'")
    } >= {"sms", "call"}
    later = reached.begin(telling.company, reached.workflow("again", [dict(gateways.SMS)]))
    assert (telling.line(later).message.code, len(telling.server.received)) == ("consent_withdrawn", 1)


def test_a_callback_that_has_to_be_signed_is_believed_only_with_its_signature(telling: Other) -> None:
    telling.described(callback=SIGNED)
    run_id, body = telling.begin(), json(id="77", status="delivered")
    at = int(NOON.timestamp())

    def signed(text: bytes, when: int, key: str = TOKEN) -> dict[str, str]:
        mac = hmac.new(key.encode(), f"{when}.".encode() + text, hashlib.sha256)
        return {"X-Signature": f"sha256={mac.hexdigest()}", "X-Time": str(when)}

    wrong = (
        signed(body + b" ", at),
        signed(body, at, "guessed"),
        signed(body, at - 600),
        signed(body, at) | {"X-Time": str(at + 1)},
    )
    assert [telling.tells(body), *(telling.tells(body, **headers) for headers in wrong)] == [401] * 5
    assert telling.line(run_id).status == "sent"
    assert telling.tells(body, **signed(body, at)) == 200
    assert telling.line(run_id).status == "delivered"
