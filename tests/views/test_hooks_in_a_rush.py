"""Deliveries in a rush are answered to the letter as those that come alone, and as the application answers that is asked without the short way for them."""

import contextlib
import http.client
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from flask import Flask
from standardwebhooks import Webhook
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from console import accounts, automation, workflows
from console.automation import found_hooks, kept_deliveries
from console.db.engine import fetch
from console.upkeep import status
from console.views import hurried_hooks
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step, until
from tests.test_serve import quiet_port

ROBOT = "robot@fernwick.test"
FIELDS = [{"name": "why", "label": "Why", "type": "text", "required": True}]
STEPS = [
    step("start", "start", "read") | {"config": {"fields": FIELDS}},
    step("read", "guidance", "end", {"text": "Read."}),
    step("end", "end", None),
]
GOOD = json.dumps({"why": "it rang"}).encode()
_numbers = count()


@dataclass
class House:
    """A webhook that is signed; the ways in: the whole application, and Flask alone."""

    path: str
    secret: str
    company: Company
    ways: dict[str, Any]

    def signed(self, body: bytes = GOOD, *, ident: str = "", ago: int = 0, over: bytes | None = None) -> dict[str, str]:
        """The headers of a delivery; `over`: what was signed, where it is another body."""
        at = datetime.now(UTC) - timedelta(seconds=ago)
        ident = ident or f"msg-{next(_numbers)}"
        text = (body if over is None else over).decode("latin-1")
        return {
            "webhook-id": ident,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(ident, at, text),
        }


@dataclass
class Sent:
    """A request; `environ` goes over what the builder makes, None takes a name away."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = GOOD
    method: str = "POST"
    type: str | None = "application/json"
    path: str = ""
    environ: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def house(company: Company) -> Iterator[House]:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    document = {"format": 1, "slug": "rung", "title": "Rung", "team": "operations", "run_as": ROBOT, "steps": STEPS}
    workflows.import_file(document | {"triggers": [{"id": "on", "kind": "webhook", "signed": True, "enabled": True}]}, publish=True)
    automation.synchronise()
    made = automation.managing.renew_secret(company.mona, "rung", "on")
    app = web_app()
    ways = {
        "whole": app,
        "flask": lambda environ, start: Flask.wsgi_app(app, environ, start),
    }
    kept_deliveries.lately.clear()
    yield House(f"/hooks/{made.address}", str(made.secret), company, ways)
    kept_deliveries.lately.clear()


def rush() -> None:
    kept_deliveries.lately.extend([time.monotonic() + 60] * kept_deliveries.MANY)


def ask(way: Any, path: str, sent: Sent) -> Response:
    builder = EnvironBuilder(
        sent.path or path, method=sent.method, headers=[*sent.headers.items()], data=sent.body or None, content_type=sent.type
    )
    environ = builder.get_environ()
    environ["wsgi.input"] = io.BytesIO(sent.body)
    for name, value in sent.environ.items():
        environ.pop(name, None)
        environ |= {name: value} if value is not None else {}
    return Response.from_app(way, environ, buffered=True)


def answer(response: Response) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of an answer, without what differs from one delivery to the next."""
    headers = {name: value for name, value in response.headers.items() if name not in ("X-Request-Id", "X-RateLimit-Remaining")}
    assert len(response.headers["X-Request-Id"]) == 36
    if response.mimetype == "text/html":  # each page has a token of its own
        return response.status_code, headers | {"Content-Length": ""}, None
    told = response.get_json() if response.is_json and response.data else response.get_data()
    for each in told.get("runs", [told]) if isinstance(told, dict) else []:
        if "runId" in each:
            each["runId"] = bool(each["runId"])
    return response.status_code, headers, told


def _github(house: House) -> dict[str, str]:
    import hashlib
    import hmac

    body = json.dumps({"why": f"pushed {next(_numbers)}"}).encode()
    return {"body": body, "X-Hub-Signature-256": "sha256=" + hmac.new(house.secret.encode(), body, hashlib.sha256).hexdigest()}  # type: ignore[dict-item]


def _svix(house: House) -> dict[str, str]:
    return {name.replace("webhook-", "svix-"): value for name, value in house.signed().items()}


def _of_github(house: House) -> Sent:
    headers = _github(house)
    return Sent({"X-Hub-Signature-256": headers["X-Hub-Signature-256"]}, headers["body"])  # type: ignore[arg-type]


def _with(body: bytes) -> Callable[[House], Sent]:
    return lambda house: Sent(house.signed(body), body)


LATIN = '{"why": "\xe9"}'.encode("latin-1")
BIG = b'{"why": "' + b"x" * 1_100_000 + b'"}'
CASES: dict[str, tuple[Callable[[House], Sent], int, str | None]] = {
    "right": (lambda house: Sent(house.signed()), 202, None),
    "no signature": (lambda _: Sent(), 401, "not_verified"),
    "forged": (lambda house: Sent(house.signed(over=b"{}")), 401, "not_verified"),
    "replayed": (lambda house: Sent(house.signed(ago=400)), 401, "not_verified"),
    "a clock ahead": (lambda house: Sent(house.signed(ago=-400)), 401, "not_verified"),
    "no time": (lambda house: Sent(house.signed() | {"webhook-timestamp": "soon"}), 401, "not_verified"),
    "half of a signature": (lambda house: Sent(house.signed() | {"webhook-signature": "v1"}), 401, "not_verified"),
    "a key and no signature": (lambda _: Sent({"Authorization": "Bearer cns_x"}), 401, "not_verified"),
    "a key beside": (lambda house: Sent(house.signed() | {"Authorization": "Bearer cns_x"}), 202, None),
    "svix": (lambda house: Sent(_svix(house)), 202, None),
    "as GitHub signs": (_of_github, 202, None),
    "too big": (_with(BIG), 413, "too_large"),
    "too big in pieces": (
        lambda house: Sent(house.signed(BIG), BIG, environ={"CONTENT_LENGTH": None, "wsgi.input_terminated": True}),
        413,
        "too_large",
    ),
    "in pieces": (lambda house: Sent(house.signed(), environ={"CONTENT_LENGTH": None, "wsgi.input_terminated": True}), 202, None),
    "shorter than it says": (
        lambda house: Sent(house.signed(), environ={"CONTENT_LENGTH": "500", "wsgi.input_terminated": True}),
        202,
        None,
    ),
    "cut off": (lambda house: Sent(house.signed(), environ={"CONTENT_LENGTH": "500", "wsgi.input_terminated": None}), 400, "malformed"),
    "a length that is none": (lambda house: Sent(house.signed(), environ={"CONTENT_LENGTH": "+18"}), 401, "not_verified"),
    "plain text": (lambda house: Sent(house.signed(), type="text/plain"), 415, "not_json"),
    "no type": (lambda house: Sent(house.signed(), type=None), 415, "not_json"),
    "another type of JSON": (lambda house: Sent(house.signed(), type="application/cloudevents+json; charset=UTF-8"), 202, None),
    "a character set": (lambda house: Sent(house.signed(), type="application/json; charset=latin-1"), 415, "not_json"),
    "compressed": (lambda house: Sent(house.signed() | {"Content-Encoding": "gzip"}), 415, "not_json"),
    "a form": (lambda house: Sent(house.signed(b"why=x"), b"why=x", type="application/x-www-form-urlencoded"), 202, None),
    "broken JSON": (_with(b'{"why": '), 400, "malformed"),
    "no object": (_with(b"7"), 400, "malformed"),
    "nothing": (_with(b""), 400, "malformed"),
    "a name twice": (_with(b'{"why": "a", "why": "b"}'), 400, "malformed"),
    "a NUL in a name": (_with(b'{"why": "a", "\\u0000": 1}'), 400, "malformed"),
    "no text": (lambda house: Sent(house.signed(LATIN), LATIN), 400, "malformed"),
    "a list": (_with(b'[{"why": "a"}, {"wy": "b"}]'), 202, None),
    "an empty list": (_with(b"[]"), 400, "malformed"),
    "without what is asked for": (_with(b'{"wy": "x"}'), 422, "invalid"),
    "of another type": (_with(b'{"why": ["x"]}'), 422, "invalid"),
    "a name too many": (_with(b'{"why": "x", "wy": 2.50}'), 202, None),
    "an id that is too long": (lambda house: Sent(house.signed(ident="x" * 300)), 400, "malformed"),
    "GET": (lambda house: Sent(house.signed(), b"", "GET"), 405, "method_not_allowed"),
    "PUT": (lambda house: Sent(house.signed(), method="PUT"), 405, "method_not_allowed"),
    "DELETE": (lambda house: Sent(house.signed(), method="DELETE"), 405, "method_not_allowed"),
    "HEAD": (lambda house: Sent(house.signed(), b"", "HEAD"), 405, None),
    "OPTIONS": (lambda house: Sent(house.signed(), b"", "OPTIONS"), 200, None),
    "unknown": (lambda house: Sent(house.signed(), path=f"{house.path}x"), 400, "old_address"),
    "a path behind": (lambda house: Sent(house.signed(), path=f"{house.path}/x"), 404, "not_found"),
    "two strokes": (lambda house: Sent(house.signed(), environ={"PATH_INFO": f"/{house.path}"}), 202, None),
    "with a query": (lambda house: Sent(house.signed(), path=f"{house.path}?a=1"), 202, None),
    "over TLS": (lambda house: Sent(house.signed(), environ={"wsgi.url_scheme": "https"}), 202, None),
    "of a host that is none": (lambda house: Sent(house.signed() | {"Host": "a b/c"}), 202, None),
    "with a cookie": (lambda house: Sent(house.signed() | {"Cookie": "session=x"}), 202, None),
    "from another site": (lambda house: Sent(house.signed() | {"Origin": "https://else.example"}), 202, None),
}


def test_each_answer_is_the_same_whichever_way_it_takes(house: House) -> None:
    other = []
    for hurried in (False, True):
        for name, (sent, wanted, code) in CASES.items():
            if hurried:
                rush()
            else:
                kept_deliveries.lately.clear()
            told = {way: answer(ask(client, house.path, sent(house))) for way, client in house.ways.items()}
            assert told["whole"] == told["flask"], f"{name}, {hurried=}"
            status_of, headers, body = told["whole"]
            if (status_of, body.get("code") if isinstance(body, dict) else None) != (wanted, code):
                other.append(f"{name}, {hurried=}: {status_of} {body!r}")
            assert headers["X-Content-Type-Options"] == "nosniff", name
            assert headers["Cache-Control"] == "no-store", name
    assert not other


def test_what_is_taken_once_has_one_run_and_each_refusal_its_reason(house: House, given_settings: Callable[..., None]) -> None:
    rush()
    ask(house.ways["whole"], house.path, Sent(house.signed()))  # looks the webhook up
    first = [ask(way, house.path, Sent(house.signed(ident=f"one-{n}"))).get_json() for n, way in enumerate(house.ways.values())]
    for way in house.ways.values():
        again = [ask(way, house.path, Sent(house.signed(ident=f"one-{n}"))).get_json() for n in range(2)]
        assert again == [each | {"duplicate": True} for each in first]
        other = b'{"why": "else"}'
        refused = ask(way, house.path, Sent(house.signed(other, ident="one-0"), other))
        assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency_mismatch")
    refusals = "select tries from console.firing where why like 'This delivery id was used%%'"
    assert fetch(refusals) == [(2,)], "each is noted once"

    given_settings(CONSOLE_RATE_LIMITS="4/min,1000/h,50000/day")
    settled = [ask(house.ways["whole"], house.path, Sent(house.signed())) for _ in range(6)]
    assert [each.status_code for each in settled] == [202] * 4 + [429] * 2
    assert [each.headers["X-RateLimit-Remaining"] for each in settled[:4]] == ["3", "2", "1", "0"]
    assert settled[5].get_json()["code"] == "rate_limited"
    given_settings(CONSOLE_RATE_LIMITS="off")

    status.pause(house.company.ines, "Repairs")
    paused = [ask(way, house.path, Sent(house.signed())) for way in house.ways.values()]
    assert [each.status_code for each in paused] == [202, 202]


def test_what_fails_inside_is_answered_by_flask_under_the_same_request(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rush()
    ask(house.ways["whole"], house.path, Sent(house.signed()))
    monkeypatch.setenv("HANDRAIL_FAULT", "triggers.kept=raise")
    failed = ask(house.ways["whole"], house.path, Sent(house.signed(ident="fails")))
    assert (failed.status_code, failed.get_json()["code"]) == (500, "internal_error")
    assert failed.get_json()["request_id"] == failed.headers["X-Request-Id"]
    monkeypatch.delenv("HANDRAIL_FAULT")
    taken = ask(house.ways["whole"], house.path, Sent(house.signed(ident="fails")))
    assert (taken.status_code, taken.get_json()["duplicate"]) == (202, True)


def test_a_webhook_that_was_switched_off_within_the_second_takes_nothing(house: House) -> None:
    rush()
    ask(house.ways["whole"], house.path, Sent(house.signed()))
    fetch("update console.trigger set enabled = false where id = 'on' returning 1")
    refused = ask(house.ways["whole"], house.path, Sent(house.signed()))
    assert (refused.status_code, refused.get_json()["code"]) == (404, "webhook_off")


def test_a_webhook_is_looked_up_again_each_second_of_a_rush_and_taken_by_the_short_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    rush()
    ask(house.ways["whole"], house.path, Sent(house.signed()))
    monkeypatch.setattr(found_hooks, "KEPT_S", 0.0)  # each delivery is of another second

    def asked(*_: Any) -> Any:
        raise AssertionError("the application was asked")

    short = hurried_hooks.before(asked)
    assert ask(short, house.path, Sent(house.signed())).status_code == 202

    fetch("update console.workflow set status = 'paused' where slug = 'rung' returning 1")
    with pytest.raises(AssertionError, match="was asked"):
        ask(short, house.path, Sent(house.signed()))
    refused = [ask(house.ways["whole"], house.path, Sent(house.signed())) for _ in range(2)]
    assert [(each.status_code, each.get_json()["code"]) for each in refused] == [(404, "webhook_off")] * 2
    assert fetch("select tries from console.firing where why like 'It was off%%'") == [(2,)], "each is noted once"

    fetch("update console.workflow set status = 'active' where slug = 'rung' returning 1")
    assert [ask(house.ways["whole"], house.path, Sent(house.signed())).status_code for _ in range(2)] == [202] * 2

    def broken(*_: Any) -> Any:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(found_hooks, "fetch", broken)
    with pytest.raises(AssertionError, match="was asked"):
        ask(short, house.path, Sent(house.signed()))


def test_a_rush_that_comes_over_http_is_answered_by_the_server_as_it_is(house: House) -> None:
    port = quiet_port()
    command = [sys.executable, "-P", "-m", "console.web", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]

    def ask_served(headers: dict[str, str], body: bytes, method: str = "POST", path: str = house.path) -> tuple[int, Any]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            told = connection.getresponse()
            return told.status, json.loads(told.read() or b"null")

    def is_up() -> bool:
        with contextlib.suppress(OSError):
            return bool(ask_served({}, b"", "GET", "/health"))
        return False

    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as web:
        try:
            assert until(is_up)
            taken = [ask_served(house.signed(ident=f"one-{number}"), GOOD) for number in range(60)]
            again = [ask_served(house.signed(ident=f"one-{number}"), GOOD) for number in range(50, 60)]
            large = b'{"why": "' + b"x" * 200_000 + b'"}'
            others = [
                ask_served(house.signed(large), large)[0],
                ask_served(house.signed(over=b"{}"), GOOD)[0],
                ask_served(house.signed(BIG), BIG)[0],
            ]
        finally:
            web.terminate()
            web.wait(30)
    assert {status for status, _ in taken} == {202}
    assert len({told["runId"] for _, told in taken}) == 60
    assert [told["runId"] for _, told in again] == [told["runId"] for _, told in taken[50:]]
    assert {told["duplicate"] for _, told in again} == {True}
    assert others == [422, 401, 413]
    [[begun_later]] = fetch("select count(*) from console.firing where status = 'waiting'")
    assert begun_later > 20, "it was a rush"
