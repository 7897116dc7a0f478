"""Endpoints that others wrote: the same two protocols with the habits of gateways, proxies and local servers. Each answer is a proposal or a code with words, never a fault."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from console.ai import calling
from console.ai.calling import CallFailed
from console.ai.providers import anthropic, openai_compatible
from console.ai.safety import guard
from console.core.proposal_types import Ask, FieldSpec, Provider, Source
from tests.ai.questions import AMOUNT, EVIDENCE, SYSTEM
from tests.tables import cases

ITEM = {"name": "amount", "value": 89.9, "confidence": "high", "rationale": "It says so.", "sources": ["s1"]}
GOOD: dict[str, Any] = {"decision": "propose", "decline_reason": "", "flags": [], "fields": [ITEM]}
TEXT = json.dumps(GOOD)
ASK = Ask(
    "propose",
    "step",
    "Refund",
    "update_data",
    "",
    (FieldSpec("amount", "Amount", "decimal"),),
    sources=(Source("s1", "record", "Order", {"amount": "89.90"}, trusted=True),),
)


class Endpoint:
    """A port that answers whatever was put there, byte for byte; `paths` is what was asked for."""

    def __init__(self, server: socket.socket) -> None:
        self.server, self.answer, self.at, self.paths = server, b"", None, list[str]()  # type: tuple[socket.socket, bytes, str | None, list[str]]

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                with connection, suppress(OSError):
                    self.one(connection)

    def one(self, connection: socket.socket) -> None:
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        while len(body) < length:
            body += connection.recv(65536)
        self.paths.append(head.split(b" ")[1].decode())
        fits = self.at is None or self.paths[-1] == self.at
        connection.sendall(self.answer if fits else http({"detail": "Not Found"}, 404))
        connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def foreign() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Endpoint(server)
        thread = threading.Thread(target=made.serve, daemon=True)
        thread.start()
        yield made
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture(scope="module")
def chatter(foreign: Endpoint) -> Iterator[Provider]:
    with closing(chatting(foreign)) as provider:
        yield provider


@pytest.fixture(scope="module")
def messenger(foreign: Endpoint) -> Iterator[Provider]:
    with closing(claude(foreign)) as provider:
        yield provider


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, foreign: Endpoint) -> None:
    monkeypatch.setattr(calling, "WAIT_S", 0.01)
    foreign.at = None


def http(body: Any, status: int = 200, *headers: str, kind: str = "application/json") -> bytes:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [
        f"HTTP/1.1 {status} X",
        f"Content-Type: {kind}",
        *headers,
        f"Content-Length: {len(sent)}",
        "Connection: close",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + sent


def chat(content: Any = TEXT, finish: Any = "stop", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": usage,
    }


def message(content: Any = None, stop: Any = "end_turn", **more: Any) -> dict[str, Any]:
    blocks = [{"type": "text", "text": TEXT}] if content is None else content
    usage = {"input_tokens": 10, "output_tokens": 5}
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": blocks,
        "stop_reason": stop,
        "usage": usage,
        **more,
    }


def asked(foreign: Endpoint, provider: Provider, answer: bytes) -> str:
    """What came of it: the code of the failure, else that of the guard, else `ready`."""
    foreign.answer = answer
    foreign.paths.clear()
    try:
        answered = calling.call(provider, SYSTEM, EVIDENCE, AMOUNT, seconds=10, max_tokens=500)
    except CallFailed as error:
        return error.code if error.detail and "sk-" not in error.detail else f"{error.code}: {error.detail}"
    judged = guard.judge(ASK, answered.raw)
    assert judged.code is not None or [one.value for one in judged.fields] == ["89.90"]
    return judged.code or "ready"


def chatting(foreign: Endpoint, base: str = "/v1") -> openai_compatible.OpenAICompatible:
    return openai_compatible.OpenAICompatible(
        openai_compatible.Config("m", f"http://127.0.0.1:{foreign.port}{base}", "sk-1", private=True)
    )


def claude(foreign: Endpoint, base: str = "") -> anthropic.Anthropic:
    return anthropic.Anthropic(
        anthropic.Config("claude-haiku-5-5", "sk-1", f"http://127.0.0.1:{foreign.port}{base}", private=True)
    )


ODD: tuple[Any, ...] = (None, [], "x", 3, {}, {"error": "boom"}, {"error": ["boom"]})
NO_CHOICES: tuple[Any, ...] = (
    [],
    None,
    {},
    [None],
    chat()["choices"] * 2,
    [{"text": TEXT, "finish_reason": "stop"}],
)


def both(whole: dict[str, Any]) -> list[tuple[bytes, str]]:
    """What may come of either protocol around a good answer, and in its place."""
    plain = json.dumps(whole).encode()
    return [
        (http(whole), "ready"),
        (http(plain, 200, kind="text/html"), "ready"),
        (http(b"\xef\xbb\xbf" + plain), "ready"),
        (http(gzip.compress(plain), 200, "Content-Encoding: gzip"), "ready"),
        (http(plain, 200, "Content-Encoding: gzip"), "malformed"),
        (http(gzip.compress(gzip.compress(plain)), 200, "Content-Encoding: gzip, gzip"), "malformed"),
        (http(b"{", 200), "malformed"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(whole), "ready"),
        (http(b""), "malformed"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "malformed"),
        (http(b"<html>Sign in</html>", 200, kind="text/html"), "malformed"),
        (http(b"<html>no</html>", 403, kind="text/html"), "auth"),
        (http(b"", 302, "Location: http://127.0.0.1:1/"), "malformed"),
        (http(b"[" * 90_000), "malformed"),
        (http(b" " * 1_100_000), "malformed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{}", "connection"),
        (b"\x00\x01\r\n\r\n", "connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\r\n\r\n", "malformed"),
        (http(whole, 200, "Content-Length: 3"), "connection"),
        *((http(odd), "malformed") for odd in ODD),
        (http({"error": {"message": "slow down", "code": 429}}), "rate_limited"),
        (http({**whole, "error": {"message": "late", "code": 502}}), "overloaded"),
        (http({"error": {"message": "no key sk-1", "code": "invalid_api_key"}}), "auth"),
        (http({"error": {"message": "x", "status": "503"}}), "overloaded"),
        (
            http({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            "overloaded",
        ),
        (http({"error": {"message": 3, "type": [], "code": {}}}), "malformed"),
        (http({"detail": [{"msg": "field required"}]}, 422), "bad_request"),
        (http({"error": {"message": "m"}}, 429, "Retry-After: 999999999999999"), "rate_limited"),
        (http({}, 529, "Retry-After: -5"), "overloaded"),
        (http({}, 503, "Retry-After: Wed, 21 Oct 2099 07:28:00 GMT"), "overloaded"),
        (http({}, 999), "overloaded"),
        (http({}, 402), "billing"),
    ]


FENCED = f"```json\n{TEXT}\n```"
CHATS = [
    (http(chat([{"type": "text", "text": TEXT}])), "ready"),
    (http(chat(reasoning_content="hm", extra=1)), "ready"),
    (http(chat(tool_calls=[])), "ready"),
    (http(chat(refusal=None)), "ready"),
    (http({**chat(), "usage": None}), "ready"),
    (http({"choices": chat()["choices"]}), "ready"),
    (http({**chat(), "usage": {"prompt_tokens": "12", "completion_tokens": -1}}), "ready"),
    (http({**chat(), "error": None}), "ready"),
    (http(chat(None)), "malformed"),
    (http(chat(GOOD)), "malformed"),
    (http(chat([TEXT])), "malformed"),
    (http(chat(FENCED)), "malformed"),
    (http(chat(f"Here it is: {TEXT}")), "malformed"),
    (http(chat(f"<think>hm</think>{TEXT}")), "malformed"),
    (http(chat(None, refusal="I cannot.")), "refused"),
    (http(chat(finish="length")), "truncated"),
    (http(chat(finish="content_filter")), "refused"),
    *(
        (http(chat(finish=odd)), "malformed")
        for odd in ("tool_calls", "function_call", None, "", "eos", "STOP", 3)
    ),
    (
        http(chat(None, "tool_calls", tool_calls=[{"function": {"name": "refund", "arguments": TEXT}}])),
        "malformed",
    ),
    *((http({"choices": odd}), "malformed") for odd in NO_CHOICES),
    (http(chat(json.dumps({**GOOD, "extra": 1}))), "not_in_form"),
    (http(chat(json.dumps({**GOOD, "fields": [{**ITEM, "extra": 1}]}))), "not_in_form"),
    (http(chat(json.dumps({**GOOD, "fields": [{**ITEM, "value": "89,90"}]}))), "ready"),
    (http(chat(json.dumps([GOOD]))), "malformed"),
    (http(chat(json.dumps({**GOOD, "fields": [{**ITEM, "value": "a lot"}]}))), "not_in_form"),
    (
        http(chat(json.dumps({**GOOD, "fields": [{**ITEM, "value": 89.9, "confidence": 0.99}]}))),
        "not_in_form",
    ),
    (http(chat(TEXT.replace('"value": 89.9', '"value": 89.9, "value": 12'))), "malformed"),
    (http(chat(TEXT.replace("89.9", "NaN"))), "malformed"),
]
MESSAGES = [
    (http(message([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": TEXT}])), "ready"),
    (http({**message(), "usage": None}), "ready"),
    (http(message([{"type": "text", "text": TEXT[:40]}, {"type": "text", "text": TEXT[40:]}])), "ready"),
    (http(message([None, {"type": "text", "text": TEXT}])), "ready"),
    (http(message(TEXT)), "malformed"),
    (http(message([])), "malformed"),
    (http(message([{"type": "text", "text": 3}])), "malformed"),
    (http(message([{"type": "text", "text": FENCED}])), "malformed"),
    (http(message([], "refusal")), "refused"),
    (http(message(stop="max_tokens")), "truncated"),
    *(
        (http(message(stop=odd)), "malformed")
        for odd in ("pause_turn", "stop_sequence", "tool_use", None, "", 3)
    ),
    (
        http(
            message(
                [
                    {"type": "tool_use", "id": "t", "name": "refund", "input": GOOD},
                    {"type": "text", "text": TEXT},
                ]
            )
        ),
        "malformed",
    ),
]


@cases(("answer", "outcome"), both(chat()) + CHATS)
def test_an_endpoint_that_chats(foreign: Endpoint, chatter: Provider, answer: bytes, outcome: str) -> None:
    assert asked(foreign, chatter, answer) == outcome


@cases(("answer", "outcome"), both(message()) + MESSAGES)
def test_an_endpoint_with_messages(
    foreign: Endpoint, messenger: Provider, answer: bytes, outcome: str
) -> None:
    assert asked(foreign, messenger, answer) == outcome


@cases(
    ("base", "path"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/v1//", "/v1/chat/completions"),
        ("/gateway/x", "/gateway/x/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("", "/chat/completions"),
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
    ],
)
def test_base_urls_that_people_write_for_an_endpoint_of_their_own(
    foreign: Endpoint, base: str, path: str
) -> None:
    foreign.at = path
    with closing(chatting(foreign, base)) as provider:
        assert asked(foreign, provider, http(chat())) == "ready"


@cases(
    ("base", "path"),
    [
        ("", "/v1/messages"),
        ("/", "/v1/messages"),
        ("/v1", "/v1/messages"),
        ("/v1/", "/v1/messages"),
        ("/v1/messages", "/v1/messages"),
        ("/gateway/x/", "/gateway/x/v1/messages"),
        ("/gateway/v1", "/gateway/v1/messages"),
    ],
)
def test_base_urls_that_people_write_for_messages(foreign: Endpoint, base: str, path: str) -> None:
    foreign.at = path
    with closing(claude(foreign, base)) as provider:
        assert asked(foreign, provider, http(message())) == "ready"


def test_a_host_without_a_path_is_asked_in_two_places_only_where_the_first_is_empty(
    foreign: Endpoint,
) -> None:
    foreign.at = "/nowhere"
    with closing(chatting(foreign, "")) as provider:
        assert asked(foreign, provider, b"") == "model_not_found"
        assert foreign.paths == ["/chat/completions", "/v1/chat/completions"]
    with closing(chatting(foreign)) as provider:
        assert asked(foreign, provider, b"") == "model_not_found"
        assert foreign.paths == ["/v1/chat/completions"]
