"""A model's endpoint on 127.0.0.1: Anthropic's Messages (as their SDK 2.10 sends them) and OpenAI's chat/completions, over real HTTP.

What it answers is read from the prompt (`model_reading`); it refuses what the real service refuses (`model_refusals`); and it fails in every way that is asked of
it: `server.fault("http_529", times=2)`, or `POST /_fault {"mode": "stall", "containing": "Acme"}`. By hand: `python -m tests.servers.model --port 0`.
"""

import argparse
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from console.ai import providers
from tests.servers import model_answers, model_refusals
from tests.servers.model_answers import AS_CHAT, AS_MESSAGE, Fault

KEY = "sk-test-0123456789"
MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "local-model")
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
BOMB = gzip.compress(b" " * (8 * 1024 * 1024), 1)
LARGEST_REQUEST = 32 * 1024 * 1024
WIRE = {
    "slow",
    "stall",
    "drip",
    "slow_header",
    "drop",
    "reset",
    "drop_mid_stream",
    "end_early",
    "huge",
    "endless",
    "bomb",
    "html_502",
    "html_200",
    "not_json",
    "empty_body",
    "redirect",
    "stream_error",
    "not_http",
}


@dataclass
class Asked:
    """One request as it arrived; keys are masked."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    at: float

    @property
    def text(self) -> str:
        """The body as text, for looking whether something was sent at all."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass
class Server:
    """The endpoint while it runs. `url` is the base URL of Anthropic's SDK, `chat_url` the one for chat/completions; `keys` are taken, None takes any."""

    url: str = ""
    keys: set[str] | None = None
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: {} for name in MODELS})
    requests: list[Asked] = field(default_factory=list)
    seconds: float = 0.0
    tells_models: bool = True
    streams: bool = True
    slowly_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    cached: set[str] = field(default_factory=set)

    @property
    def chat_url(self) -> str:
        """The base URL of an OpenAI-compatible provider."""
        return f"{self.url}/v1"

    def fault(
        self, mode: str, *, times: int | None = 1, containing: str = "", seconds: float = 0.05, **headers: str
    ) -> None:
        """Fail so for the next `times` requests (None: for all) whose body contains the text. Underscores in names of headers are hyphens."""
        if mode not in WIRE and mode not in model_answers.MODES and not mode.startswith("http_"):
            raise ValueError(f"there is no mode {mode}")
        with self.lock:
            self.faults.append(
                Fault(
                    mode,
                    times,
                    containing,
                    seconds,
                    {name.replace("_", "-"): value for name, value in headers.items()},
                )
            )

    def obey(self, answer: dict[str, Any], *, containing: str = "", times: int | None = 1) -> None:
        """Answer like this, as a model that does whatever a text says, the next `times` requests whose body contains the text."""
        with self.lock:
            self.faults.append(Fault("obedient", times, containing, answer=answer))

    def well(self) -> None:
        """No more faults."""
        with self.lock:
            self.faults.clear()

    def next_fault(self, text: str, only: str = "") -> Fault | None:
        """The first fault that is meant for this request, used up by it."""
        with self.lock:
            for fault in self.faults:
                if (
                    (fault.times is None or fault.times > 0)
                    and fault.containing in text
                    and fault.mode.startswith(only)
                ):
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None

    @property
    def asked(self) -> list[Asked]:
        """The questions for an answer, without looks at models."""
        return [each for each in self.requests if each.method == "POST"]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Http"

    def do_GET(self) -> None:
        """Models, and what the endpoint keeps of the requests."""
        made = self.server.made
        if self.path == "/_requests":
            self._json(
                200,
                [
                    {"method": each.method, "path": each.path, "headers": each.headers, "body": each.body}
                    for each in made.requests
                ],
            )
            return
        self._note(None)
        if fault := made.next_fault(self.path):
            self._fail(fault, AS_MESSAGE, {})
        elif not self.path.startswith("/v1/models") or not made.tells_models:
            self._error(404, "not_found_error", "Not found")
        elif self._let_in(chat="anthropic-version" not in self.headers):
            self._models(unquote(self.path.removeprefix("/v1/models").strip("/")))

    def do_POST(self) -> None:
        """Questions, and faults by HTTP."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_REQUEST:
            self._error(413, "request_too_large", "Request exceeds the maximum size")
            return
        text = self.rfile.read(length).decode("utf-8", "replace")
        with suppress(ValueError):
            text = json.dumps(json.loads(text), ensure_ascii=False)
        if self.path == "/_fault":
            self._control(text)
            return
        asked = None
        with suppress(ValueError):
            asked = json.loads(text)
        self._note(asked)
        if self.path.partition("?")[0] in {"/v1/messages", "/v1/chat/completions"}:
            self._question(asked, text, chat=self.path.startswith("/v1/chat"))
        else:
            self._error(404, "not_found_error", "Not found")

    def _question(self, asked: Any, text: str, *, chat: bool) -> None:
        made = self.server.made
        style = AS_CHAT if chat else AS_MESSAGE
        made.ended.wait(made.seconds)
        fault = made.next_fault(text)
        if fault and (fault.mode.startswith("http_") or fault.mode in WIRE):
            self._fail(fault, style, asked)
            return
        if not self._let_in(chat=chat):
            return
        refused = (model_refusals.of_chat if chat else model_refusals.of_message)(
            asked
        ) or model_answers.capability(fault, asked, chat=chat)
        if refused:
            self._error(*refused, chat=chat)
        elif asked["model"] not in made.models:
            self._error(404, "not_found_error", f"model: {asked['model']}", chat=chat)
        elif asked.get("stream") and not made.streams:
            self._error(400, "invalid_request_error", "stream: not offered here", chat=chat)
        elif asked.get("stream"):
            self._parts(
                model_answers.parts(
                    model_answers.whole(asked, fault, self._cache(asked), chat=chat), chat=chat
                )
            )
        else:
            self._json(200, model_answers.whole(asked, fault, self._cache(asked), chat=chat))

    def _parts(self, events: list[dict[str, Any]]) -> None:
        """Server-sent events, cut where no event ends; the connection's end is the answer's."""
        self._head(200, None, "text/event-stream")
        told = (
            "".join(
                f"event: {event.get('type', 'message')}\ndata: {json.dumps(event)}\n\n" for event in events
            ).encode()
            + b"data: [DONE]\n\n"
        )
        with suppress(OSError):
            for at in range(0, len(told), 700):
                self.wfile.write(told[at : at + 700])
                self.wfile.flush()
                self.server.made.ended.wait(self.server.made.slowly_s)
        self.close_connection = True

    def _let_in(self, *, chat: bool) -> bool:
        shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
        keys = self.server.made.keys
        if not shown and not (chat and keys is None):
            self._error(401, "authentication_error", "Authentication header is missing", chat=chat)
        elif keys is not None and shown not in keys:
            self._error(401, "authentication_error", "invalid API key", chat=chat)
        elif not chat and not self.headers.get("anthropic-version"):
            self._error(400, "invalid_request_error", "anthropic-version: header is required", chat=chat)
        else:
            return True
        return False

    def _models(self, name: str) -> None:
        made = self.server.made
        if not name:
            self._json(
                200,
                {
                    "object": "list",
                    "data": [{"id": each, "object": "model", "type": "model"} for each in made.models],
                    "has_more": False,
                },
            )
        elif name in made.models:
            about = {
                "id": name,
                "type": "model",
                "display_name": name,
                "created_at": "2026-01-01T00:00:00Z",
                "lifecycle": "active",
                "retires_at": None,
            }
            self._json(200, about | made.models[name])
        else:
            self._error(404, "not_found_error", f"model: {name}")

    def _cache(self, asked: Mapping[str, Any]) -> int:
        """Tokens of the system text that was marked to be cached and has been seen before."""
        system = asked.get("system")
        if not isinstance(system, list) or not any("cache_control" in block for block in system):
            return 0
        text = "".join(block.get("text", "") for block in system)
        made = self.server.made
        with made.lock:
            seen = text in made.cached
            made.cached.add(text)
        return len(text) // 4 if seen and len(text) // 4 >= 1024 else 0

    def _fail(self, fault: Fault, style: str, asked: Any) -> None:
        if fault.mode.startswith("http_"):
            status = int(fault.mode.removeprefix("http_"))
            self._error(
                status,
                TYPES.get(status, "api_error"),
                f"This is a {status}.",
                chat=style == AS_CHAT,
                headers=fault.headers,
            )
            return
        with suppress(OSError):
            getattr(self, f"_wire_{fault.mode}")(fault, style, asked)

    def _whole(self, style: str, asked: Any) -> bytes:
        return json.dumps(
            model_answers.whole(asked, None, 0, chat=style == AS_CHAT) if asked else {"id": "x"}
        ).encode()

    def _wire_slow(self, fault: Fault, style: str, asked: Any) -> None:
        self.server.made.ended.wait(fault.seconds)
        self._bytes(200, self._whole(style, asked))

    def _wire_stall(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self.server.made.ended.wait(60)
        self.close_connection = True

    def _wire_drip(self, fault: Fault, style: str, asked: Any) -> None:
        body = self._whole(style, asked)
        self._head(200, len(body))
        self._slowly(body, fault)

    def _wire_slow_header(self, fault: Fault, _style: str, _asked: Any) -> None:
        self._slowly(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: yes\r\n" * 10_000, fault)

    def _wire_drop(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self.close_connection = True

    def _wire_reset(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _wire_drop_mid_stream(self, _fault: Fault, style: str, asked: Any) -> None:
        body = self._whole(style, asked)
        self._head(200, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def _wire_end_early(self, _fault: Fault, style: str, asked: Any) -> None:
        body = self._whole(style, asked)
        self._head(200, None)
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def _wire_huge(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(200, json.dumps({"id": "x" * (3 * 1024 * 1024)}).encode())

    def _wire_endless(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._head(200, None)
        while not self.server.made.ended.wait(0.001):
            self.wfile.write(b" " * 65536)

    def _wire_bomb(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(200, BOMB, **{"Content-Encoding": "gzip"})

    def _wire_html_502(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(502, PAGE, "text/html")

    def _wire_html_200(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(200, PAGE.replace(b"502 Bad Gateway", b"Sign in to the network"), "text/html")

    def _wire_not_json(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(200, b"This is no JSON at all {")

    def _wire_empty_body(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(200, b"")

    def _wire_redirect(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self._bytes(307, b"", Location=f"{self.server.made.url}/elsewhere")

    def _wire_stream_error(self, _fault: Fault, style: str, _asked: Any) -> None:
        self._bytes(200, json.dumps(_wrong("overloaded_error", "Overloaded", chat=style == AS_CHAT)).encode())

    def _wire_not_http(self, _fault: Fault, _style: str, _asked: Any) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.close_connection = True

    def _slowly(self, body: bytes, fault: Fault) -> None:
        for at in range(len(body)):
            if self.server.made.ended.wait(fault.seconds):
                break
            self.wfile.write(body[at : at + 1])
            self.wfile.flush()
        self.close_connection = True

    def _control(self, text: str) -> None:
        made = self.server.made
        try:
            told = json.loads(text)
            if told.get("mode") in {None, "well"}:
                made.well()
            else:
                made.fault(
                    told["mode"],
                    times=told.get("times", 1),
                    containing=told.get("containing", ""),
                    seconds=float(told.get("seconds", 0.05)),
                    **told.get("headers", {}),
                )
            if "every_seconds" in told:
                made.seconds = float(told["every_seconds"])
        except (ValueError, TypeError, AttributeError) as error:
            self._json(400, {"error": str(error)})
            return
        self._json(200, {"faults": len(made.faults)})

    def _note(self, body: Any) -> None:
        masked = {
            name.lower(): "***" if name.lower() in {"authorization", "x-api-key"} else value
            for name, value in self.headers.items()
        }
        with self.server.made.lock:
            self.server.made.requests.append(Asked(self.command, self.path, masked, body, time.monotonic()))

    def _error(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        chat: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._bytes(status, json.dumps(_wrong(kind, message, chat=chat)).encode(), **(headers or {}))

    def _json(self, status: int, value: Any) -> None:
        self._bytes(status, json.dumps(value).encode())

    def _bytes(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        with suppress(OSError):
            self._head(status, len(body), kind, headers)
            self.wfile.write(body)

    def _head(
        self,
        status: int,
        length: int | None,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("request-id", f"req_{len(self.server.made.requests):06d}")
        self.send_header("x-request-id", f"req_{len(self.server.made.requests):06d}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what is asserted."""


def _wrong(kind: str, message: str, *, chat: bool) -> dict[str, Any]:
    if chat:
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_000000"}


class _Http(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    made: Server

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no fault here."""


@contextmanager
def serving(port: int = 0, *, keys: set[str] | None = None) -> Iterator[Server]:
    """The endpoint while the block lasts, at a port that the system chose."""
    made = Server(keys=keys)
    server = _Http(("127.0.0.1", port), Handler)
    server.made = made
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        providers.forget()  # who asked from this process lets go of its connections
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve until interrupted; the first line says where."""
    parser = argparse.ArgumentParser(description="A model's endpoint for tests and benches.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long each answer takes")
    told = parser.parse_args()
    with serving(told.port) as made, suppress(KeyboardInterrupt):
        made.seconds = told.seconds
        print(made.url, flush=True)
        made.ended.wait()


if __name__ == "__main__":
    main()
