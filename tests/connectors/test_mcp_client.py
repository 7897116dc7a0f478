"""Asking MCP servers over HTTP: by the one way out, with a key or a token, and what a server may not do to us."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.connectors import Connection, call_tool, credentials, offered_tools
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import settings
from tests.servers import mcp_servers, outside
from tests.servers.outside import Received, Receiver

SECRET = "sk_live_9876543210"
WRITE = {"name": "write", "inputSchema": {"type": "object", "properties": {}}}
Answer = Callable[[dict[str, Any]], Any]


@pytest.fixture
def there(given_settings: Callable[..., None]) -> Iterator[Receiver]:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with outside.http() as receiver:
        receiver.answer = answers(lambda _: {"content": [{"type": "text", "text": "done"}]})
        yield receiver


def answers(call: Answer) -> Callable[[Received], tuple[int, bytes, dict[str, str]]]:
    """A server that speaks the protocol, and answers a call of a tool by `call`: a result, or the whole HTTP answer."""

    def answer(received: Received) -> tuple[int, bytes, dict[str, str]]:
        asked = json.loads(received.body or b"{}")
        known = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "serverInfo": {"name": "s", "version": "1"},
        }
        results: dict[str, Any] = {"initialize": known, "tools/list": {"tools": [WRITE]}}
        if asked.get("method") == "tools/call":
            came = call(asked["params"])
            if isinstance(came, tuple):
                return came
            results["tools/call"] = came
        if "id" not in asked:
            return 202, b"", {}
        if asked["method"] not in results:
            return 400, b"", {}
        body = {"jsonrpc": "2.0", "id": asked["id"], "result": results[asked["method"]]}
        return 200, json.dumps(body).encode(), {"Content-Type": "application/json", "Mcp-Session-Id": "s1"}

    return answer


def at(there: Receiver, **more: Any) -> Connection:
    return Connection("there", f"{there.url}/mcp", (), **more)


def call(connection: Connection, seconds: float = 5) -> Any:
    return call_tool(connection, "write", {"x": 1}, lambda _: None, seconds)


def test_the_reference_server_answers_over_http(given_settings: Callable[..., None]) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with mcp_servers.over_http() as url:
        there = Connection("everything", url, ())
        assert "echo" in {tool.name for tool in offered_tools(there)}
        result = call_tool(there, "echo", {"message": "Zażółć"}, lambda _: None, 10)
        assert (result.values, result.refused) == ({"text": "Echo: Zażółć"}, False)
        assert call_tool(there, "get-sum", {"a": "x"}, lambda _: None, 10).refused


def test_a_key_is_shown_as_it_was_set_and_told_on_to_nobody(there: Receiver) -> None:
    there.answer = answers(lambda _: {"content": [{"type": "text", "text": f"You are {SECRET}"}]})
    for auth, name, value in (
        ({"kind": "key"}, "authorization", f"Bearer {SECRET}"),
        ({"kind": "key", "header": "X-Api-Key"}, "x-api-key", SECRET),
    ):
        result = call(at(there, auth=auth, sealed=credentials.seal("there", SECRET)))
        assert there.received[-1].headers[name] == value
        assert result.values == {"text": "You are [secret]"}


def test_a_token_that_has_expired_is_renewed_once_and_the_call_is_made_once(there: Receiver) -> None:
    given, made = list[str](), list[Any]()

    def answer(received: Received) -> tuple[int, bytes, dict[str, str]]:
        if received.path == "/token":
            given.append(received.body.decode())
            told = {"access_token": f"token-{len(given)}", "token_type": "Bearer", "expires_in": 3600}
            return 200, json.dumps(told).encode(), {"Content-Type": "application/json"}
        asked = json.loads(received.body or b"{}")
        if asked.get("method") == "tools/call" and received.headers["authorization"] == "Bearer token-1":
            return 401, b"", {}
        if asked.get("method") == "tools/call":
            made.append(asked["params"])
        return answers(lambda _: {"content": []})(received)

    there.answer = answer
    auth = {"kind": "oauth", "client_id": "console", "token_url": f"{there.url}/token", "scope": "files"}
    connection = at(there, auth=auth, sealed=credentials.seal("there", SECRET))
    assert call(connection).values == {"text": ""}
    assert (len(given), len(made)) == (2, 1)
    assert all("grant_type=client_credentials" in body and "scope=files" in body for body in given)
    call(connection)
    assert len(given) == 2, "a token is kept while it lasts"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b"5"),
        (200, b'"error"'),
        (200, b"[" * 20_000),
        (200, b'{"access_token": null, "expires_in": {}}'),
        (200, b'{"access_token": "x", "expires_in": 1e999}'),
        (200, b'{"access_token": "x", "expires_in": "NaN"}'),
        (200, b'{"access_token": "x\\r\\nHost: evil.example"}'),
        (200, b'{"access_token": "\\u00e9"}'),
        (200, b"\xff" * 70_000),
        (200, b'{"access_token": ""}'),
        (401, b'{"error": {"a": 1}, "error_description": ["x"]}'),
        (400, b'{"error": "x"}'),
        (500, b""),
    ],
)
def test_an_answer_that_is_no_token_is_said_and_never_sent(there: Receiver, status: int, body: bytes) -> None:
    there.answer = lambda _: (status, body, {"Location": "http://127.0.0.1:1/"})
    auth = {"kind": "oauth", "client_id": "console", "token_url": f"{there.url}/token"}
    with pytest.raises(IntegrationError) as refused:
        credentials.headers(at(there, auth=auth, sealed=credentials.seal("there", SECRET)))
    assert SECRET not in refused.value.message


@pytest.mark.parametrize(
    ("status", "code"), [(401, "auth"), (403, "auth"), (429, "busy"), (307, "moved"), (302, "moved")]
)
def test_a_refusal_before_anything_was_done_is_none_that_could_have_been_done(
    there: Receiver, status: int, code: str
) -> None:
    there.answer = answers(lambda _: (status, b"", {"Location": "http://127.0.0.1:1/elsewhere"}))
    with pytest.raises(IntegrationError) as refused:
        call(at(there, auth={"kind": "key"}, sealed=credentials.seal("there", SECRET)))
    assert refused.value.code == code
    assert sum(b"tools/call" in each.body for each in there.received) == 1


@pytest.mark.parametrize(
    "came",
    [
        (500, b"", {}),
        (200, b"{", {"Content-Type": "application/json"}),
        (200, b"<html>", {"Content-Type": "text/html"}),
        (200, b"x" * 5_000_000, {"Content-Type": "application/json"}),
        (200, b"", {"Content-Type": "text/event-stream"}),
    ],
)
def test_after_the_call_left_what_cannot_be_read_is_unknown(
    there: Receiver, came: tuple[int, bytes, dict[str, str]]
) -> None:
    there.answer = answers(lambda _: came)
    with pytest.raises(OutcomeUnknown):
        call(at(there), 3)
    assert sum(b"tools/call" in each.body for each in there.received) == 1, "and it is not sent again"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/mcp",
        "https://10.0.0.1/mcp",
        "https://[::ffff:127.0.0.1]/mcp",
        "https://169.254.169.254/",
    ],
)
def test_no_address_of_this_machine_or_a_private_network_is_asked_unless_it_is_named(
    given_settings: Callable[..., None], url: str
) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="other.example")
    with pytest.raises(IntegrationError) as refused:
        offered_tools(Connection("there", url, ()))
    assert refused.value.code in ("private_address", "not_https")


def test_it_works_in_a_thread_that_has_an_event_loop(there: Receiver) -> None:
    async def inside() -> Any:
        return call(at(there))  # blocks, as a job does

    assert asyncio.run(inside()).values == {"text": "done"}


def test_what_a_server_asks_of_us_is_answered_by_nobody(there: Receiver) -> None:
    call(at(there))
    begun = next(json.loads(each.body) for each in there.received if b'"initialize"' in each.body)
    assert begun["params"]["capabilities"] == {}, "no sampling, no elicitation, no roots"
    assert settings.current().private_hosts == {"127.0.0.1"}
