"""Actions that ask another system, against a real server on this machine: slow, failing, cut off, answering twice, and values that want to be more than values."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from console import runs
from console.auth import access
from console.core.run import Run
from console.infra import settings
from console.runs.store.run_store import load
from console.steps import effects
from tests.company import Company
from tests.servers import outside
from tests.servers.outside import Received, Receiver
from tests.support.acting import hand_in, imported, run_of
from tests.support.engine import overdue

pytestmark = pytest.mark.lengthy

PAY: dict[str, Any] = {
    "format": 1,
    "id": "customer.pay",
    "title": "Pay out",
    "collection": "customer",
    "team": "operations",
    "form": [
        {"name": "amount", "label": "Amount", "type": "integer", "required": True},
        {"name": "note", "label": "Note", "type": "text"},
    ],
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
    assert json.loads(sent.body) == {
        "amount": 12500,
        "metadata": {"key": sent.headers["idempotency-key"], "note": "A & B"},
    }
    assert (sent.headers["authorization"], sent.headers["x-note"]) == ("Bearer sk_test_12345678", "A & B")
    assert told["status"] == "completed"
    assert told["context"]["act"]["results"]["payment"] == {"id": "pay_1", "status": "succeeded"}
    assert told["context"]["act"]["message"] == "Paid 12500 as pay_1."
    assert company.sql("select updated_at from customer where id = 1") == [("pay_1",)]


def test_a_refusal_is_said_at_the_form_and_may_be_mended(company: Company, provider: Receiver) -> None:
    provider.answer = says(400, {"error": {"message": "Amount is too high.", "param": "amount"}})
    run_id, told = paid(company)
    assert (told["status"], told["current"]["errors"]) == (
        "waiting_person",
        [{"field": "amount", "reason": "Amount is too high."}],
    )
    provider.answer = says(200, {"id": "pay_2", "status": "succeeded"})
    assert hand_in(company, run_id, amount=100)["status"] == "completed"
    keys = [request.headers["idempotency-key"] for request in provider.received if request.method == "POST"]
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
    provider.raw, provider.answer = (
        None,
        says(200, {"data": [{"key": run.unknown.request["key"], "id": "pay_3"}]}),
    )
    report = effects.check(company.olivia, run.unknown, run)
    assert report is not None
    assert (report.status, (report.result or {})["values"]) == ("succeeded", {"id": "pay_3"})
    provider.answer = says(200, {"data": []})
    report = effects.check(company.olivia, run.unknown, run)
    assert report is not None
    assert report.status == "failed"
    assert [request.method for request in provider.received] == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "note",
    [
        "a&b=c#d?e",
        "x\u2028y",
        "../../admin",
        "日本",
        "{{ record.id }}",
        "a%0d%0aX: 1",
        "'; drop table customer",
    ],
)
def test_a_value_stays_a_value_in_path_query_and_body(
    company: Company, provider: Receiver, note: str
) -> None:
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
    run_id, _ = paid(
        company, {**PAY, "effects": [{**PAY["effects"][0], **effect}], "done": None, "outcomes": []}
    )
    assert [each.status for attempt in loaded(run_id).attempts.values() for each in attempt.effects] == [
        stands
    ]
    assert [request.method for request in provider.received].count("POST") == 1


def test_where_the_target_takes_a_key_twice_it_is_asked_again_with_it(
    company: Company, provider: Receiver
) -> None:
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


def test_the_secret_is_kept_nowhere(company: Company, provider: Receiver) -> None:
    provider.answer = says(500, {"error": "x"})
    run_id, told = paid(company)
    assert "sk_test" not in json.dumps(told)
    assert "sk_test" not in str(loaded(run_id))


CAREFUL: dict[str, Any] = {
    **PAY["effects"][0],
    "again": [429, 500],
    "expect": "answer.amount == input.amount",
    "look_up": {
        **PAY["effects"][0]["look_up"],
        "expect": "item.amount == input.amount",
        "more": "answer.has_more == true",
    },
}
LISTED: dict[str, Any] = {"data": [{"key": "KEY", "id": "pay_9", "amount": 12500}]}
NOTHING: dict[str, Any] = {"data": []}
LIES: list[tuple[str, tuple[int, Any], tuple[int, Any], str, str]] = [
    ("a yes to another amount", (200, {"id": "pay_9", "amount": 99}), (200, LISTED), "contradiction", "done"),
    ("a yes without an amount", (200, {"id": "pay_9"}), (200, NOTHING), "contradiction", "not_done"),
    ("a page in place of an answer", (200, b"<html>ok</html>"), (200, LISTED), "unreadable", "done"),
    ("an answer that breaks off", (200, b'{"id": "pay_9", "amo'), (200, LISTED), "unreadable", "done"),
    ("a yes without a body", (204, b""), (200, LISTED), "unreadable", "done"),
    ("refused, and done", (400, {"error": "No."}), (200, LISTED), "contradiction", "done"),
    ("refused, and nobody can tell", (400, {"error": "No."}), (503, {}), "contradiction", "unclear"),
    (
        "another list",
        (302, {}),
        (200, {"data": [{"key": "KEY", "id": "pay_9", "amount": 1}]}),
        "status_302",
        "unclear",
    ),
    ("a page in place of the list", (302, {}), (200, b"<html>"), "status_302", "unclear"),
    ("no list", (302, {}), (200, {"error": "Who are you?"}), "status_302", "unclear"),
    ("a part of the list", (302, {}), (200, {"data": [], "has_more": True}), "status_302", "unclear"),
]


def bytes_of(told: Any, key: str) -> bytes:
    return told if isinstance(told, bytes) else json.dumps(told).replace("KEY", key).encode()


def lying(
    post: tuple[int, Any], look: tuple[int, Any], provider: Receiver
) -> Callable[[Received], tuple[int, bytes, dict[str, str]]]:
    """A provider that says one thing when it is asked to pay, and another when it is asked whether it has."""

    def answer(request: Received) -> tuple[int, bytes, dict[str, str]]:
        status, told = post if request.method == "POST" else look
        return status, bytes_of(told, provider.received[0].headers["idempotency-key"]), {}

    return answer


def test_what_cannot_be_true_is_unknown_and_only_a_whole_list_says_that_nothing_was_done(
    company: Company, provider: Receiver
) -> None:
    document = {**PAY, "effects": [CAREFUL], "outcomes": [], "done": None}
    access.grant("operator", "collection:customer", ["act"], team="operations")
    imported(document)
    for name, post, look, code, checked in LIES:
        provider.received.clear()
        provider.answer = lying(post, look, provider)
        run_id = run_of(company, document)
        told = hand_in(company, run_id, amount=12500)
        assert (told["status"], (told["current"]["take_over"] or {}).get("code")) == (
            "waiting_person",
            code,
        ), name
        assert [request.method for request in provider.received].count("POST") == 1, name
        effect = told["current"]["effect"]["id"]
        provider.answer = lying((200, {"id": "pay_9", "amount": 12500}), look, provider)
        assert runs.check(company.olivia, run_id, revision=None, effect=effect) == checked, name
        if checked == "unclear":
            runs.settle(company.olivia, run_id, revision=None, effect=effect, done=True, reason="Seen there.")
        assert company.told(run_id)["status"] == "completed", name


def test_what_may_have_been_done_is_not_called_refused_after_the_last_try(
    company: Company, provider: Receiver
) -> None:
    provider.answer = lying((500, {}), (500, {}), provider)
    run_id, told = paid(company, {**PAY, "effects": [CAREFUL], "outcomes": [], "done": None})
    while told["status"] == "waiting_time":
        overdue(run_id)
        company.work()
        told = company.told(run_id)
    assert (told["status"], told["current"]["type"], told["current"]["effect"]["status"]) == (
        "waiting_person",
        "settle",
        "unknown",
    )
    assert [request.method for request in provider.received].count("POST") == 1
    other, told = paid(
        company, {**PAY, "id": "customer.pay2", "effects": [CAREFUL], "outcomes": [], "done": None}
    )
    runs.stop_trying(company.olivia, other, revision=None)
    assert company.told(other)["current"]["type"] == "settle"
