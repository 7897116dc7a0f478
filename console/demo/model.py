"""A stand-in for a model while the demo's past is made: an endpoint on this machine that proposes what stands in the sources it is sent.

It speaks chat/completions, so that its answers go the way of every model's: through prompt, guard and log. It says nothing about any real model.
"""

import html
import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from console.demo import past_runs

logger = logging.getLogger(__name__)

NAME = "demo-stand-in"
_SOURCE = re.compile(r"<source\b([^>]*)>(.*?)</source>", re.DOTALL)
_ID = re.compile(r"""\bid\s*=\s*["']([^"']+)["']""")


class Model(ThreadingHTTPServer):
    """The endpoint. `url` is what an OpenAI-compatible provider is given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        prompt = "\n".join(str(message["content"]) for message in request["messages"])
        schema = ((request.get("response_format") or {}).get("json_schema") or {}).get("schema") or {}
        text = json.dumps(answer(prompt, schema), ensure_ascii=False)
        usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4}
        completion = {
            "id": "demo",
            "model": NAME,
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            ],
            "usage": usage,
        }
        body = json.dumps(completion, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": NAME}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write requests to the log of the process, at the level that is off, and not to the terminal."""
        logger.debug(format, *args)


def answer(prompt: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that fits the schema: a field is proposed where a source holds a value under its name, or where people usually choose one."""
    pairs = list(_pairs(prompt))
    properties = schema.get("properties", {})
    made: dict[str, Any] = {}
    for name, inner in properties.items():
        if name == "fields" and inner.get("type") == "array":
            items = inner.get("items", {})
            made[name] = [item for variant in items.get("anyOf", [items]) if (item := _item(variant, pairs))]
    for name, inner in properties.items():
        if name not in made:
            made[name] = _plain_value(name, inner, bool(made.get("fields")))
    return made


def _pairs(prompt: str) -> Iterator[tuple[str, str, Any]]:
    """(source, name, value) of everything that the sources of the prompt hold as JSON."""
    for attributes, body in _SOURCE.findall(prompt):
        found = _ID.search(attributes)
        try:
            inner = json.loads(html.unescape(body).strip())
        except ValueError:
            inner = None
        yield from _inside(found[1] if found else "", "", inner)


def _inside(source: str, name: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    yield source, name, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _inside(source, str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _inside(source, name, inner)


def _item(variant: Mapping[str, Any], pairs: list[tuple[str, str, Any]]) -> dict[str, Any] | None:
    properties = variant.get("properties", {})
    named = properties.get("name", {})
    name = named.get("const") or next(iter(named.get("enum", [])), None)
    offered = _offered(properties.get("value", {}))
    usual = past_runs.TYPED.get(str(name))
    sources = [source for source, _, _ in pairs if source]
    found = next(
        (
            (source, value)
            for source, key, value in pairs
            if key == name and value is not None and (not offered or value in offered)
        ),
        None,
    )
    if (
        found is None
        and usual is not None
        and offered
        and set(usual if isinstance(usual, list) else [usual]) <= set(offered)
        and sources
    ):
        found = (sources[0], usual)
    if found is None and sources:
        way = (
            next((way for way in past_runs.GOOD if way in offered), None)
            if name == "outcome"
            else past_runs.SAID.get(str(name))
        )
        fits = past_runs.borne_out(str(name), {key: value for _, key, value in pairs})
        found = (sources[-1], way) if way is not None and fits else None
    if name is None or found is None:
        return None
    proposal = {
        "name": name,
        "value": found[1],
        "confidence": "high" if len(str(found[1])) % 3 else "medium",
        "sources": [found[0]],
    }
    words = "It is what the source says, and nothing speaks against it."
    return {
        key: proposal.get(key, words if inner.get("type") == "string" else _first(inner))
        for key, inner in properties.items()
    }


def _offered(schema: Mapping[str, Any]) -> list[Any]:
    inner = schema.get("items", schema) if isinstance(schema.get("items"), Mapping) else schema
    return [
        choice
        for each in inner.get("anyOf", [inner])
        for choice in each.get("enum", [each["const"]] if "const" in each else [])
    ]


def _plain_value(name: str, schema: Mapping[str, Any], fills: bool) -> Any:
    if name == "decision":
        wanted = "propose" if fills else "decline"
        return wanted if wanted in _offered(schema) else _first(schema)
    if schema.get("type") == "array":
        return []
    return (
        ""
        if schema.get("type") == "string" and not schema.get("enum") and (fills or "reason" not in name)
        else _first(schema)
    )


def _first(schema: Mapping[str, Any]) -> Any:
    """The plainest value that fits."""
    for variant in schema.get("anyOf", [schema]):
        if variant.get("type") == "null" or "null" in (
            variant.get("type") if isinstance(variant.get("type"), list) else ()
        ):
            return None
        if choices := _offered(variant):
            return choices[0]
    empty: Mapping[str, Any] = {
        "array": [],
        "object": {},
        "string": "Nothing in the sources says so.",
        "boolean": False,
        "number": 0,
        "integer": 0,
    }
    return empty.get(str(schema.get("type")))
