"""Steps that ask another system by its whole address, against a real server on this machine: what leaves, what comes back, and where a secret may not go."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from console import log, runs
from console.infra import settings
from console.infra.db.engine import fetch
from console.infra.outbound import outgoing_secrets
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Received, Receiver
from tests.support.engine import overdue, publish, step

SECRET = "sk_live_9876543210"


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with outside.http() as receiver:
        monkeypatch.setenv("CONSOLE_PRIVATE_HOSTS", "127.0.0.1")
        settings.current.cache_clear()
        yield receiver
    monkeypatch.undo()
    settings.current.cache_clear()


def answers(told: Any, status: int = 200) -> Callable[[Received], tuple[int, bytes, dict[str, str]]]:
    return lambda _: (status, json.dumps(told).encode(), {"Content-Type": "application/json"})


def keep(name: str, text: str, *hosts: str) -> None:
    fetch(
        "insert into console.outgoing_secret (name, sealed, hosts, changed_by) values (%s, %s, %s, 'usr_x') returning 1",
        (name, outgoing_secrets.seal(name, text), list(hosts)),
    )


def asked(
    company: Company, config: dict[str, Any], then: str = "steps.ask.result", **more: Any
) -> tuple[str, dict[str, Any]]:
    steps = [
        step("start", "start", "ask")
        | {"config": {"fields": [{"name": "note", "label": "Note", "type": "text"}]}},
        step("ask", "action", "after", {"operation": "http", **config}) | more,
        step("after", "output", "end", {"values": {"came": then}}),
        step("end", "end", None),
    ]
    publish("asking", steps, collection="customer", exclusive=False)
    run_id = runs.start(company.olivia, "asking", "customer", "1", {"note": "A & B / ../x"})
    company.work()
    return run_id, company.told(run_id)


def test_what_leaves_is_what_the_templates_say_and_the_answer_is_the_result(
    company: Company, system: Receiver
) -> None:
    system.answer = answers({"id": "c_1", "tags": ["new"], "amount": 12.5})
    config = {
        "url": f"{system.url}/v1/customers/{{{{ record.id }}}}/notes/{{{{ input.note }}}}?dry={{{{ record.updated_at }}}}&n=1",
        "headers": {"X-Customer": "no. {{ record.id }}"},
        "body": {
            "name": "{{ record.display_name }}",
            "id": "{{ record.id }}",
            "balance": "{{ record.balance }}",
            "list": ["x", "{{ input.note }}!", 3, None],
        },
    }
    _, told = asked(company, config)
    sent = system.received[0]
    assert (sent.method, sent.path) == ("POST", "/v1/customers/1/notes/A%20%26%20B%20%2F%20..%2Fx?dry=&n=1")
    assert (sent.headers["x-customer"], bool(sent.headers["idempotency-key"])) == ("no. 1", True)
    assert json.loads(sent.body) == {
        "name": "Adaeze Okonkwo-Bell",
        "id": 1,
        "balance": "12.50",
        "list": ["x", "A & B / ../x!", 3, None],
    }
    assert (told["status"], told["context"]["after"]["came"]) == (
        "completed",
        {"id": "c_1", "tags": ["new"], "amount": "12.5"},
    )


@pytest.mark.parametrize(
    ("config", "page", "status"),
    [
        ({"method": "GET"}, b"<!DOCTYPE html><title>Sign in</title>", "waiting_time"),
        ({}, b"\xef\xbb\xbf \n<HTML><body>Maintenance", "waiting_person"),
        ({"success": [200]}, b"<html>", "completed"),
        ({"method": "GET", "headers": {"accept": "text/html"}}, b"<!doctype html><p>Prices", "completed"),
        ({}, b"<ok/>", "completed"),
        ({}, b"", "completed"),
        ({}, b"Saved", "completed"),
    ],
)
def test_a_web_page_in_place_of_an_answer_is_no_success_unless_the_step_takes_one(
    company: Company, system: Receiver, config: dict[str, Any], page: bytes, status: str
) -> None:
    system.answer = lambda _: (200, page, {"Content-Type": "text/html"})
    _, told = asked(company, {"url": f"{system.url}/pay", **config})
    assert told["status"] == status, told
    if status == "waiting_person":
        assert "web page in place of data" in str(told)


def test_a_secret_goes_to_its_host_alone_and_stands_nowhere(company: Company, system: Receiver) -> None:
    host = system.url.partition("://")[2]
    keep("bank", SECRET, host)
    system.answer = answers({"you_sent": f"Bearer {SECRET}", "ok": True})
    run_id, told = asked(company, {"url": f"{system.url}/pay", "secret": "bank"})
    assert system.received[0].headers["authorization"] == f"Bearer {SECRET}"
    assert told["context"]["after"]["came"] == {"you_sent": "Bearer [secret]", "ok": True}
    rows = str(
        [
            *log.events_of(run_id),
            *fetch("select request, result from console.effect"),
            *fetch("select sealed::text, hosts from console.outgoing_secret"),
        ]
    )
    assert "you_sent" in rows
    assert SECRET not in rows
    asked(company, {"url": f"{system.url}/pay", "secret": "bank", "secret_header": "X-Api-Key"})
    assert system.received[-1].headers["x-api-key"] == SECRET


def test_a_secret_that_is_told_back_in_another_spelling_is_left_out_too(
    company: Company, system: Receiver
) -> None:
    secret = 'p"/\\<+&=%9kQ'
    keep("bank", secret, system.url.partition("://")[2])
    again = [
        json.dumps(secret),
        json.dumps(secret).replace("/", "\\/"),
        '"p\\"/\\\\\\u003c+\\u0026=%9kQ"',
        f'"{quote(secret)}"',
        f'"{quote(secret, safe="")}"',
    ]
    system.answer = lambda _: (200, f"[{','.join(again)}]".encode(), {"Content-Type": "application/json"})
    run_id, told = asked(company, {"url": f"{system.url}/pay", "secret": "bank"})
    assert told["context"]["after"]["came"] == {"answer": ["[secret]"] * len(again)}
    assert "9kQ" not in str([*log.events_of(run_id), *fetch("select request, result from console.effect")])


def test_a_secret_for_another_host_is_not_sent(
    company: Company, system: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_HTTP_SECRETS", "shared=sk_shared_12345678")
    settings.current.cache_clear()
    keep("bank", SECRET, "api.bank.example")
    for name, code in (("bank", "secret_elsewhere"), ("shared", "secret_elsewhere")):
        _, told = asked(company, {"url": f"{system.url}/pay", "secret": name})
        assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", code)
    assert system.received == []


def test_no_address_of_ones_own_network_is_asked(
    company: Company, system: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONSOLE_PRIVATE_HOSTS")
    settings.current.cache_clear()
    for url in (
        f"{system.url}/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
    ):
        _, told = asked(company, {"method": "GET", "url": url})
        assert told["status"] == "waiting_person"
        assert told["current"]["take_over"]["code"] in ("private_address", "not_https")
    assert system.received == []


def test_a_busy_system_is_asked_again_as_the_workflow_says_under_the_same_key(
    company: Company, system: Receiver
) -> None:
    system.answer = lambda _: (429, b"", {"Retry-After": "7200"})
    steps = [
        step("start", "start", "ask"),
        step("ask", "action", "end", {"operation": "http", "url": f"{system.url}/x"}),
        step("end", "end", None),
    ]
    publish("asking", steps, retries=2)
    run_id = runs.start(company.olivia, "asking", None, None)
    company.work()
    assert company.told(run_id)["status"] == "waiting_time"
    until = fetch("select waiting ->> 'until' from console.run where id = %s", (run_id,))[0][0]
    assert timedelta(minutes=110) < datetime.fromisoformat(until) - log.now() <= timedelta(minutes=120), (
        "as long as it was asked to"
    )
    system.answer = answers({"id": 1})
    overdue(run_id)
    company.work()
    assert company.told(run_id)["status"] == "completed"
    assert len({request.headers["idempotency-key"] for request in system.received}) == 1
