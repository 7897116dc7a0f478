"""Anthropic's Messages API, through their SDK. Source: the SDK's own code, version 2.10; docs/how-to/connect-a-model.md.

The form is asked for as structured output; where a model or the service refuses the schema, as the input of the one tool that the model must use.
"""

import hashlib
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from console.ai import failures
from console.ai.streaming import Hear, JoinedMessage, joining
from console.core.proposal_types import ProviderError, Raw

MODEL = "claude-haiku-5-5"
BASE_URL = "https://api.anthropic.com"
TOOL = "propose"
_ENDING = re.compile(r"/v1(/messages)?/*$")
"""The path that the SDK adds to the base URL; people often include it."""
Stop = Literal["complete", "truncated", "refused", "other"]
STOPS: dict[str, Stop] = {
    "end_turn": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
}
_UNFIT = re.compile(
    r"grammar|union|too complex|schema|output_config|output_format|structured output", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a call. `private`: the base URL may be in one's own network, with plain http."""

    model: str
    api_key: str = field(repr=False)
    base_url: str = BASE_URL
    private: bool = False

    name = "anthropic"

    @property
    def fingerprint(self) -> str:
        """A text that changes when a setting above changes. The key cannot be found from it."""
        return hashlib.sha256(
            repr((self.name, self.model, self.api_key, self.base_url)).encode()
        ).hexdigest()[:16]


class Anthropic:
    """Asks for typed JSON and hands on what came. Safe for many threads."""

    name = "anthropic"

    def __init__(self, config: Config) -> None:
        """Raises ProviderError without a key: the SDK would look for other credentials on this machine."""
        if not config.api_key:
            raise ProviderError("no_key", "There is no key.")
        import anthropic
        import httpx2

        from console.ai.transport import Transport

        for logger in ("anthropic", "httpx2", "httpcore2"):  # ANTHROPIC_LOG=debug would write requests out
            logging.getLogger(logger).setLevel(logging.WARNING)
        self.config, self.model = config, config.model
        self._unfit: set[str] = set()
        self._streams = True
        self._client = anthropic.Anthropic(
            api_key=config.api_key,
            base_url=_ENDING.sub("", config.base_url),
            max_retries=0,
            open_telemetry={},
            http_client=httpx2.Client(
                transport=Transport(private=config.private),
                follow_redirects=False,
                trust_env=False,
                headers={"Accept-Encoding": "identity"},
            ),
        )

    def complete(
        self,
        system: str,
        user: str,
        schema: Mapping[str, Any],
        *,
        deadline: float,
        max_tokens: int,
        user_id: str = "",
        hear: Hear | None = None,
    ) -> Raw:
        """The answer; `user_id` goes as metadata, and `hear` takes the text while it arrives. Raises ProviderError only."""
        if hear is not None and self._streams:
            try:
                with joining(JoinedMessage(hear)):
                    return self._complete(
                        system,
                        user,
                        schema,
                        deadline=deadline,
                        max_tokens=max_tokens,
                        user_id=user_id,
                        parts=True,
                    )
            except ProviderError as error:
                if error.code != "bad_request" or "stream" not in error.detail.lower():
                    raise
                self._streams = False
        return self._complete(
            system, user, schema, deadline=deadline, max_tokens=max_tokens, user_id=user_id, parts=False
        )

    def _complete(
        self,
        system: str,
        user: str,
        schema: Mapping[str, Any],
        *,
        deadline: float,
        max_tokens: int,
        user_id: str,
        parts: bool,
    ) -> Raw:
        schema_hash = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
        request: dict[str, Any] = {
            "model": self.model,
            "max_tokens": max_tokens,
            "system": [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": user}],
            **({"metadata": {"user_id": user_id}} if user_id else {}),
            **({"extra_body": {"stream": True}} if parts else {}),
        }
        if schema_hash not in self._unfit:
            try:
                return self._schema(request, schema, deadline)
            except ProviderError as error:
                if error.code != "bad_request" or not _UNFIT.search(error.detail):
                    raise
        answer = self._tool(request, schema, deadline)
        self._unfit.add(schema_hash)
        return answer

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def about(self, *, deadline: float) -> dict[str, Any]:
        """What the service says about the model: `lifecycle`, `retires_at` and more. Only the model's name is sent. Raises ProviderError."""
        answer = self._sent(
            lambda timeout: self._client.models.with_raw_response.retrieve(self.model, timeout=timeout),
            deadline,
        )
        return answer[0]

    def _schema(self, request: Mapping[str, Any], schema: Mapping[str, Any], deadline: float) -> Raw:
        form = {"format": {"type": "json_schema", "schema": schema}}
        return structured(*self._create({**request, "output_config": form}, deadline), self.model)

    def _tool(self, request: Mapping[str, Any], schema: Mapping[str, Any], deadline: float) -> Raw:
        tool = {"name": TOOL, "description": "Hand in the proposal.", "input_schema": schema}
        choice = {"type": "tool", "name": TOOL, "disable_parallel_tool_use": True}
        return handed_in(
            *self._create({**request, "tools": [tool], "tool_choice": choice}, deadline), self.model
        )

    def _create(self, request: Mapping[str, Any], deadline: float) -> tuple[dict[str, Any], str | None]:
        return self._sent(
            lambda timeout: self._client.messages.with_raw_response.create(**request, timeout=timeout),
            deadline,
        )

    def _sent(self, send: Any, deadline: float) -> tuple[dict[str, Any], str | None]:
        """The body of a good answer, an object, and the id of the request. The time-out is for all of it (`Transport`). Raises ProviderError."""
        import anthropic

        left = deadline - time.monotonic()
        if left <= 0:
            raise ProviderError("timeout", "The time was up before the request was sent.")
        try:
            response = send(left).http_response
        except anthropic.APIStatusError as error:
            raise self._refused(error.response) from error
        except anthropic.APIConnectionError as error:
            raise _cause(error) from error
        except Exception as error:
            raise ProviderError("internal_error", f"{type(error).__name__} in the SDK") from error
        body = failures.read_json(response.content)
        if failures.is_error(body):
            raise self._refused(response)
        return body, response.headers.get("request-id")

    def _refused(self, response: Any) -> ProviderError:
        return failures.of_status(
            response.status_code, response.content, response.headers, secret=self.config.api_key
        )


def _cause(error: BaseException) -> ProviderError:
    """The transport's own error, which the SDK wraps."""
    if isinstance(error.__cause__, ProviderError):
        return error.__cause__
    return ProviderError("connection", "The connection broke.", passing=True)


def structured(body: Mapping[str, Any], request_id: str | None, model: str) -> Raw:
    """The texts of a message; thinking before them is left out, and a tool that is used though none was offered makes it no answer."""
    stop: Stop = STOPS.get(str(body.get("stop_reason")), "other")
    blocks = _blocks(body)
    if any(block.get("type") == "tool_use" for block in blocks):
        stop = "other"
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    return _raw(
        "".join(text for text in texts if isinstance(text, str)), stop, "json_schema", body, model, request_id
    )


def handed_in(body: Mapping[str, Any], request_id: str | None, model: str) -> Raw:
    """The input of the one tool that was offered. It is not read where the message was cut off: half of it looks whole."""
    used = [block for block in _blocks(body) if block.get("type") == "tool_use"]
    ended = str(body.get("stop_reason"))
    fits = ended == "tool_use" and len(used) == 1 and used[0].get("name") == TOOL
    stop: Stop = "complete" if fits else "other" if ended == "end_turn" else STOPS.get(ended, "other")
    return _raw(json.dumps(used[0].get("input")) if fits else "", stop, "tool", body, model, request_id)


def _blocks(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = body.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _raw(
    text: str, stop: Stop, mode: str, body: Mapping[str, Any], model: str, request_id: str | None
) -> Raw:
    counts = body.get("usage")
    usage = counts if isinstance(counts, dict) else {}
    cached = failures.count(usage.get("cache_read_input_tokens"))
    fresh = failures.count(usage.get("input_tokens")) + failures.count(
        usage.get("cache_creation_input_tokens")
    )
    named = body.get("model")
    return Raw(
        text=text,
        stop=stop,
        model=named[:200] if isinstance(named, str) and named else model,
        mode=mode,
        input_tokens=fresh + cached,
        cached_tokens=cached,
        output_tokens=failures.count(usage.get("output_tokens")),
        request_id=request_id[:200] if request_id else None,
    )
