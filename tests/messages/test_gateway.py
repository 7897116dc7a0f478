"""SMS through a gateway that a page describes, against a server on this machine: every shape of answer, none at all, and workers that are killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from console import queue, runs
from console.db.engine import fetch
from console.errors import Invalid, NotAllowed
from console.messages import gateway_setup
from tests import warm
from tests.company import Company
from tests.jobs import taken
from tests.messages import gateway as gateways, reached
from tests.messages.gateway import SECRET, Other
from tests.messages.reached import NOON, SAM, status
from tests.messages.test_killed import SEND

GET = {
    "method": "GET",
    "url": "/send?key={secret}&to={to}&msg={text}",
    "headers": "",
    "number": "digits",
    "message_id": "OK: *",
    "refused": "contains ERR:",
}
XML = {"accepted": "sms.status = 0", "refused": "sms.status = 4", "message_id": "sms.@id"}
STATUS = {"status_url": "/status?id={id}", "status_missing": "404", "status_field": "state", "sent": "queued", "delivered": "arrived"}


@pytest.fixture
def other(company: Company, given_settings: Callable[..., None]) -> Iterator[Other]:
    with gateways.gateway(company, given_settings) as made:
        yield made


def test_a_gateway_with_its_key_in_the_query(other: Other) -> None:
    other.described(**GET)
    other.answers(200, b"OK: 4711")
    sent = other.line(other.begin())
    (request,) = other.server.received
    assert parse_qs(urlsplit(request.path).query) == {"key": [SECRET], "to": ["12025550147"], "msg": ["Hello Sam Whitfield"]}
    assert (request.method, request.body, sent.status, sent.message.provider, sent.message.provider_id) == (
        "GET",
        b"",
        "sent",
        "gateway",
        "4711",
    )


def test_a_200_that_says_err_is_a_refusal_and_what_is_told_of_it_has_no_secret(other: Other) -> None:
    other.described(**GET)
    other.answers(200, f"ERR: 3 no such number, asked with key={SECRET}".encode())
    run_id = other.begin()
    refused = other.line(run_id)
    assert (refused.status, refused.message.code, len(other.server.received)) == ("failed", "refused", 1)
    assert refused.reason == "The SMS gateway answered 200: ERR: 3 no such number, asked with key=***."


def test_json_with_a_nested_id_and_our_id_in_a_header(other: Other) -> None:
    other.described(idempotency="Idempotency-Key", number="zeros")
    other.answers(201, b'{"messages": [{"id": 77, "state": "queued"}]}')
    sent = other.line(other.begin()).message
    (request,) = other.server.received
    told = orjson.loads(request.body)
    assert (told["to"], told["text"], told["ref"], sent.provider_id) == ("0012025550147", "Hello Sam Whitfield", sent.id, "77")
    assert (request.headers["idempotency-key"], request.headers["authorization"]) == (sent.id, f"Bearer {SECRET}")
    assert told["back"].startswith("http://console.example/channels/sms/gateway/")
    assert told["back"].endswith(f"?m={sent.id}")


@pytest.mark.parametrize(("code", "became"), [(b"0", "sent"), (b"4", "failed"), (b"9", "unknown")])
def test_an_answer_in_xml(other: Other, code: bytes, became: str) -> None:
    other.described(**XML)
    other.answers(200, b'<?xml version="1.0"?><reply><sms id="x-1"><status>' + code + b"</status></sms></reply>")
    sent = other.line(other.begin())
    assert (sent.status, sent.message.provider_id) == (became, "x-1" if became == "sent" else None)


def test_a_202_without_an_id_and_a_receipt_by_our_own(other: Other) -> None:
    other.described()
    other.answers(202)
    run_id = other.begin()
    sent = other.line(run_id)
    assert (sent.status, sent.message.provider_id) == ("sent", None)
    assert other.tells(orjson.dumps({"ref": sent.message.id, "status": "delivered"})) == 200
    assert other.line(run_id).status == "delivered"


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


def test_a_redirect_to_an_inside_address_is_not_followed(other: Other) -> None:
    other.described()
    other.answers(302, Location=f"{other.server.url}/inside")
    waiting = other.line(other.begin())
    assert [urlsplit(request.path).path for request in other.server.received] == ["/messages"]
    assert (waiting.status, waiting.message.code) == ("waiting", "retry")
    assert "sends on to another address (302), which is not followed" in waiting.reason


def test_an_inside_address_is_refused_by_the_page_and_a_secret_goes_to_no_other_host(other: Other) -> None:
    for url, field in (("http://169.254.169.254/latest", "url"), ("http://10.0.0.1/sms", "url"), ("https://8.8.8.8/sms", "secret")):
        typed = {"url": url, "method": "GET", "number": "plus", "body_kind": "none", "check": "none", "secret": "sms_key"}
        with pytest.raises(Invalid) as refused:
            gateway_setup.save(other.company.ines, typed | {"url": f"{url}?to={{to}}&text={{text}}"})
        assert field in {detail["field"] for detail in refused.value.details}
    assert fetch("select 1 from console.channel where gateway is not null") == []


def test_an_answer_without_end_is_read_to_its_limit_and_no_field_of_it_believed(other: Other) -> None:
    other.described(accepted="ok = true")
    other.answers(200, b'{"pad": "' + b"x" * 3_000_000 + b'", "ok": true}')
    run_id = other.begin()
    assert other.line(run_id).status == "unknown"
    other.later(3)
    assert (status(other.company, run_id)[0], len(other.server.received)) == ("waiting_person", 1)


def closes(handler: object) -> None:
    """Take the request and close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]  # the server's own


def hangs(_: object) -> None:
    """Take the request and say nothing for longer than anybody waits."""
    time.sleep(12)


@pytest.mark.parametrize("silent", [closes, hangs])
def test_without_an_answer_nothing_is_sent_again_and_a_person_is_asked_once(other: Other, silent: Callable[[object], None]) -> None:
    other.described()
    other.server.raw = silent
    run_id = other.begin()
    assert other.line(run_id).status == "unknown"
    other.later(4)
    assert (other.line(run_id).message.outcome, status(other.company, run_id)[0]) == ("unknown", "waiting_person")
    assert len(other.server.received) == 1


@pytest.mark.parametrize(("state", "became"), [("queued", "sent"), ("arrived", "delivered")])
def test_what_may_have_left_is_looked_up_by_our_id(other: Other, state: str, became: str) -> None:
    other.described(**STATUS)
    other.server.answer = lambda request: (500, b"", {}) if request.method == "POST" else (200, orjson.dumps({"state": state}), {})
    run_id = other.begin()
    assert other.line(run_id).status == "unknown"
    other.later()
    asked = [(request.method, request.path) for request in other.server.received]
    assert asked == [("POST", "/messages"), ("GET", f"/status?id={other.line(run_id).message.id}")]
    assert (other.line(run_id).status, status(other.company, run_id)) == (became, ("waiting_person", "ask"))


def test_only_what_the_gateway_says_twice_is_not_there_is_sent_again(other: Other) -> None:
    other.described(**STATUS)
    posts = [500, 202]
    other.server.answer = lambda request: (posts.pop(0), b"", {}) if request.method == "POST" else (404, b"", {})
    run_id = other.begin()
    other.later()
    assert [request.method for request in other.server.received] == ["POST", "GET"]
    other.later(2)
    assert [request.method for request in other.server.received] == ["POST", "GET", "GET", "POST"]
    assert other.line(run_id).status == "sent"


def test_a_look_up_in_words_that_nobody_knows_asks_a_person(other: Other) -> None:
    other.described(**STATUS)
    other.server.answer = lambda request: (500, b"", {}) if request.method == "POST" else (200, b'{"state": "purple"}', {})
    run_id = other.begin()
    other.later(8)
    assert (other.line(run_id).message.outcome, status(other.company, run_id)[0]) == ("unknown", "waiting_person")
    assert [request.method for request in other.server.received].count("POST") == 1


@pytest.mark.parametrize("point", ["channels.send.before", "channels.send.after", "channels.recorded"])
def test_a_killed_worker_sends_nothing_twice(other: Other, point: str) -> None:
    other.described(**STATUS)
    there: set[str] = set()

    def answer(request: object) -> tuple[int, bytes, dict[str, str]]:
        if request.method == "POST":  # type: ignore[attr-defined]
            there.add(orjson.loads(request.body)["ref"])  # type: ignore[attr-defined]
            return 202, b"", {}
        return (200, b'{"state": "queued"}', {}) if request.path.partition("=")[2] in there else (404, b"", {})  # type: ignore[attr-defined]

    other.server.answer = answer
    run_id = runs.start(other.company.olivia, "hello", "contact", SAM, {})
    taken({queue.SEND_SMS})
    message_id = other.line(run_id).message.id
    environ = {**os.environ, "HANDRAIL_FAULT": f"{point}=kill", "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([warm.python(), "-c", SEND, message_id, (NOON + timedelta(minutes=1)).isoformat()], env=environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    for _ in range(4):
        other.move(timedelta(minutes=5))
        fetch("update console.message set at = at - interval '10 seconds' where told_at is null returning 1")
        reached.settle()
    assert status(other.company, run_id) == ("waiting_person", "ask")
    assert [request.method for request in other.server.received].count("POST") == 1


def test_it_stands_before_twilio_while_it_is_on_and_what_left_through_it_stays_its_own(
    other: Other, given_settings: Callable[..., None]
) -> None:
    account = {"CONSOLE_TWILIO_ACCOUNT_SID": "ACtest", "CONSOLE_TWILIO_AUTH_TOKEN": "token", "CONSOLE_TWILIO_FROM": "+12025550100"}
    with reached.twilio() as twilio:
        given_settings(**reached.real(CONSOLE_TWILIO_URL=twilio.url, **account))
        other.described()
        other.answers(202)
        first = other.begin()
        other.described(on="")
        second = reached.begin(other.company, reached.workflow("again", [dict(gateways.SMS)]))
        assert [other.line(run_id).message.provider for run_id in (first, second)] == ["gateway", "twilio"]
        assert other.tells(orjson.dumps({"ref": other.line(second).message.id, "status": "delivered"})) == 200
        assert other.tells(orjson.dumps({"ref": other.line(first).message.id, "status": "delivered"})) == 200
        assert [other.line(run_id).status for run_id in (first, second)] == ["delivered", "sent"]


def test_a_secret_that_is_gone_keeps_messages_waiting(other: Other) -> None:
    other.described()
    fetch("delete from console.outgoing_secret where name = 'sms_key' returning 1")
    waiting = other.line(other.begin())
    assert (waiting.status, waiting.message.code, other.server.received) == ("waiting", "retry", [])


def test_who_does_not_manage_channels_neither_sees_nor_tries_it(other: Other) -> None:
    other.described()
    for act in (
        lambda: gateway_setup.current(other.company.olivia),
        lambda: gateway_setup.save(other.company.olivia, {}),
        lambda: gateway_setup.tried(other.company.olivia, "+12025550147"),
        lambda: gateway_setup.answer_read(other.company.olivia, "200", ""),
        lambda: gateway_setup.callback_read(other.company.olivia, "{}"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert other.server.received == []
