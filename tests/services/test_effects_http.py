"""Actions that ask another system, against a real server on this machine: slow, failing, cut off, answering twice, and values that want to be more than values."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from console import access, effects, settings
from console.core.run import Run
from console.runs.store import load
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Received, Receiver
from tests.services.acting import hand_in, imported, run_of

PAY: dict[str, Any] = {
    "format": 1,
    "id": "customer.pay",
    "title": "Pay out",
    "collection": "customer",
    "team": "operations",
    "form": [{"name": "amount", "label": "Amount", "type": "integer", "required": True}, {"name": "note", "label": "Note", "type": "text"}],
    "irreversible": True,
    "effects": [
        {
            "kind": "http",
            "name": "payment",
            "summary": "Pays through the provider",
            "target": "provider",
            "path": "/v1/customers/{{ record.id }}/payments",
            "query": {"note": "input.note"},
            "body": {"amount": "input.amount", "metadata.key": "key", "metadata.note": "input.note"},
            "headers": {"X-Note": "input.note"},
            "secret": "provider",
            "timeout_s": 1,
            "result": {"id": "answer.id", "status": "answer.status"},
            "look_up": {
                "path": "/v1/payments",
                "query": {"key": "key"},
                "within": "answer.data",
                "where": "item.key == key",
                "result": {"id": "item.id"},
            },
        },
        {
            "kind": "sql_write",
            "name": "customer",
            "summary": "Notes the payment",
            "set": {"updated_at": "results.payment.id"},
        },
    ],
    "outcomes": [{"if": "results.payment.status == 'pending'", "outcome": "pending"}],
    "done": "Paid {{ input.amount }} as {{ results.payment.id }}.",
}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with outside.http() as receiver:
        monkeypatch.setenv("CONSOLE_HTTP_TARGETS", f"provider={receiver.url}")
        monkeypatch.setenv("CONSOLE_HTTP_SECRETS", "provider=sk_test_12345678")
        settings.current.cache_clear()
        yield receiver
    monkeypatch.undo()
    settings.current.cache_clear()


def says(status: int, told: Any) -> Callable[[Received], tuple[int, bytes, dict[str, str]]]:
    return lambda _: (status, json.dumps(told).encode(), {"Content-Type": "application/json"})


def loaded(run_id: str) -> Run:
    found = load(run_id, whole=True)
    assert found is not None
    return found.run


def paid(company: Company, document: dict[str, Any] = PAY, **values: Any) -> tuple[str, dict[str, Any]]:
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(document)
    run_id = run_of(company, document)
    return run_id, hand_in(company, run_id, **({"amount": 12500} | values))


def test_it_sends_what_it_says_and_keeps_what_came_back(company: Company, provider: Receiver) -> None:
    provider.answer = says(200, {"id": "pay_1", "status": "succeeded"})
    _, told = paid(company, note="A & B")
    sent = provider.received[0]
    assert (sent.method, sent.path) == ("POST", "/v1/customers/1/payments?note=A%20%26%20B")
    assert json.loads(sent.body) == {"amount": 12500, "metadata": {"key": sent.headers["idempotency-key"], "note": "A & B"}}
    assert (sent.headers["authorization"], sent.headers["x-note"]) == ("Bearer sk_test_12345678", "A & B")
    assert told["status"] == "completed"
    assert told["context"]["act"]["results"]["payment"] == {"id": "pay_1", "status": "succeeded"}
    assert told["context"]["act"]["message"] == "Paid 12500 as pay_1."
    assert company.sql("select updated_at from customer where id = 1") == [("pay_1",)]


def test_a_refusal_is_said_at_the_form_and_may_be_mended(company: Company, provider: Receiver) -> None:
    provider.answer = says(400, {"error": {"message": "Amount is too high.", "param": "amount"}})
    run_id, told = paid(company)
    assert (told["status"], told["current"]["errors"]) == ("waiting_person", [{"field": "amount", "reason": "Amount is too high."}])
    provider.answer = says(200, {"id": "pay_2", "status": "succeeded"})
    assert hand_in(company, run_id, amount=100)["status"] == "completed"
    keys = [request.headers["idempotency-key"] for request in provider.received]
    assert keys[0] != keys[1]


def test_no_answer_is_unknown_and_is_not_asked_again(company: Company, provider: Receiver) -> None:
    provider.raw = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    run_id, told = paid(company)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "no_answer")
    company.work()
    assert len(provider.received) == 1
    run = loaded(run_id)
    assert run.unknown is not None
    assert run.unknown.result is not None
    assert run.unknown.result["sent"]["key"] == provider.received[0].headers["idempotency-key"]
    provider.raw, provider.answer = None, says(200, {"data": [{"key": run.unknown.request["key"], "id": "pay_3"}]})
    report = effects.check(company.olivia, run.unknown, run)
    assert report is not None
    assert (report.status, (report.result or {})["values"]) == ("succeeded", {"id": "pay_3"})
    provider.answer = says(200, {"data": []})
    report = effects.check(company.olivia, run.unknown, run)
    assert report is not None
    assert report.status == "failed"
    assert [request.method for request in provider.received] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "note", ["a&b=c#d?e", "x\u2028y", "../../admin", "日本", "{{ record.id }}", "a%0d%0aX: 1", "'; drop table customer"]
)
def test_a_value_stays_a_value_in_path_query_and_body(company: Company, provider: Receiver, note: str) -> None:
    provider.answer = says(200, {"id": "pay_1", "status": "succeeded"})
    effect = {**PAY["effects"][0], "path": "/v1/notes/{{ input.note }}/payments", "headers": {}}
    _, told = paid(company, {**PAY, "effects": [effect], "done": None, "outcomes": []}, note=note)
    assert told["status"] == "completed"
    path, _, query = provider.received[0].path.partition("?")
    assert [unquote(part) for part in path.split("/")] == ["", "v1", "notes", note, "payments"]
    assert parse_qsl(query) == [("note", note)]
    assert json.loads(provider.received[0].body)["metadata"]["note"] == note


@pytest.mark.parametrize(
    ("effect", "note"),
    [
        ({"path": "/v1/{{ input.note }}/x", "headers": {}}, ".."),
        ({"path": "/v1/{{ input.note }}/x", "headers": {}}, "."),
        ({"path": "/v1/{{ input.missing }}/x", "headers": {}}, "x"),
        ({"headers": {"X-Note": "input.note"}}, "a\tb"),
        ({"headers": {"X-Note": "input.note"}}, "ключ"),
        ({"target": "nowhere"}, "x"),
        ({"secret": "unknown"}, "x"),
    ],
)
def test_what_would_be_more_than_a_value_is_refused_and_nothing_is_sent(
    company: Company, provider: Receiver, effect: dict[str, Any], note: str
) -> None:
    document = {**PAY, "effects": [{**PAY["effects"][0], **effect}], "done": None, "outcomes": []}
    form = [*PAY["form"], {"name": "missing", "label": "Missing", "type": "text"}]
    _, told = paid(company, {**document, "form": form}, note=note)
    assert (told["status"], bool(told["current"]["errors"])) == ("waiting_person", True)
    assert provider.received == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://localhost:9"])
def test_where_nobody_is_nothing_was_sent(company: Company, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CONSOLE_HTTP_TARGETS", f"provider={url}")
    monkeypatch.setenv("CONSOLE_HTTP_SECRETS", "provider=sk_test_12345678")
    settings.current.cache_clear()
    run_id, _ = paid(company)
    run = loaded(run_id)
    assert (run.status, run.waiting and run.waiting["for"]) == ("waiting_time", "retry")
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.mark.parametrize(
    ("status", "effect", "stands"),
    [
        (500, {}, "unknown"),
        (500, {"again": [500]}, "requested"),
        (429, {}, "requested"),
        (302, {}, "unknown"),
        (404, {}, "failed"),
        (409, {"success": [409]}, "succeeded"),
    ],
)
def test_a_status_means_what_the_action_says(
    company: Company, provider: Receiver, status: int, effect: dict[str, Any], stands: str
) -> None:
    provider.answer = says(status, {"id": "x", "status": "ok"})
    run_id, _ = paid(company, {**PAY, "effects": [{**PAY["effects"][0], **effect}], "done": None, "outcomes": []})
    assert [each.status for attempt in loaded(run_id).attempts.values() for each in attempt.effects] == [stands]
    assert len(provider.received) == 1


def test_where_the_target_takes_a_key_twice_it_is_asked_again_with_it(company: Company, provider: Receiver) -> None:
    def answer_late(handler: Any) -> None:
        if len(provider.received) < 2:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        provider.raw = None
        body = b'{"id": "pay_9", "status": "pending"}'
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    provider.raw = answer_late
    document = {**PAY, "effects": [{**PAY["effects"][0], "idempotent": True}, PAY["effects"][1]]}
    run_id, _ = paid(company, document)
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["context"]["act"]["outcome"]) == ("completed", "pending")
    assert len({request.headers["idempotency-key"] for request in provider.received}) == 1
    assert len(provider.received) == 2


def test_what_is_no_json_gives_no_values(company: Company, provider: Receiver) -> None:
    provider.answer = lambda _: (200, b"<html>\xff", {})
    _, told = paid(company, {**PAY, "effects": [PAY["effects"][0]], "done": "Done {{ results.payment.id }}."})
    assert told["context"]["act"]["results"]["payment"] == {"id": None, "status": None}
    assert told["context"]["act"]["message"] == "Done ."


def test_a_form_is_sent_as_forms_are(company: Company, provider: Receiver) -> None:
    provider.answer = says(200, {})
    paid(company, {**PAY, "effects": [{**PAY["effects"][0], "encoding": "form"}], "done": None, "outcomes": []}, note="a b")
    sent = dict(parse_qsl(provider.received[0].body.decode()))
    assert sent == {"amount": "12500", "metadata[key]": provider.received[0].headers["idempotency-key"], "metadata[note]": "a b"}


def test_the_secret_is_kept_nowhere(company: Company, provider: Receiver) -> None:
    provider.answer = says(500, {"error": "x"})
    run_id, told = paid(company)
    assert "sk_test" not in json.dumps(told)
    assert "sk_test" not in str(loaded(run_id))
