"""Any endpoint that speaks chat/completions as OpenAI does: llama.cpp, vLLM, Ollama, a gateway. Source: docs/how-to/connect-a-model.md.

The form is asked for by its JSON Schema; where that is refused, as any JSON object with the schema in words; where no form may be asked for at all, by these
words alone. What an endpoint does not take is left out from then on, and remembered by the process as long as its settings are the same.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from console.ai import failures
from console.ai.streaming import Hear, JoinedCompletion, joining
from console.core.proposal_types import ProviderError, Raw

Stop = Literal["complete", "truncated", "refused", "other"]
STOPS: dict[str, Stop] = {"stop": "complete", "length": "truncated", "content_filter": "refused"}
MOST_DIALECTS = 1000
_ENDING = re.compile(r"(/chat/completions)?/*$")
"""The path that is added to the base URL; people often include it."""
_FENCED = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*)\n```", re.DOTALL)
_UNFIT = ("response_format", "json_schema", "schema", "grammar", "structured", "union", "too complex")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a call; many endpoints need no key. `private`: the base URL may be in one's own network, with plain http."""

    model: str
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    private: bool = False

    name = "openai_compatible"

    @property
    def fingerprint(self) -> str:
        """A text that changes when a setting above changes. The key cannot be found from it."""
        return hashlib.sha256(
            repr((self.name, self.model, self.api_key, self.base_url)).encode()
        ).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of an endpoint: how it takes the schema, the name of the limit, and whether it takes a temperature."""

    form: Literal["json_schema", "json_object", "text"] = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    stream: bool = True

    def after(self, refusal: str) -> "Dialect | None":
        """The next one to try after it was refused in these words, None where they are about something else."""
        words = refusal.lower()
        if "stream" in words and self.stream:
            return replace(self, stream=False)
        if "max_completion_tokens" in words and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "temperature" in words and self.temperature:
            return replace(self, temperature=False)
        if self.form == "json_schema" and any(word in words for word in _UNFIT):
            return replace(self, form="json_object")
        if self.form == "json_object" and "response_format" in words:
            return replace(self, form="text")
        return None


class OpenAICompatible:
    """Asks for typed JSON and hands on what came. Safe for many threads."""

    name = "openai_compatible"

    def __init__(self, config: Config) -> None:
        import httpx2

        from console.ai.transport import Transport

        self.config, self.model = config, config.model
        self._dialects: dict[str, Dialect] = {}
        self._usual = Dialect()  # of a schema that was not asked for yet
        self._base = _ENDING.sub("", config.base_url)
        self._bare = self._base.count("/") == 2  # a host and nothing more: most have their API under /v1
        self._client = httpx2.Client(
            transport=Transport(private=config.private),
            follow_redirects=False,
            trust_env=False,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "Handrail",
                **({"Authorization": f"Bearer {config.api_key}"} if config.api_key else {}),
            },
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
        """The answer; `user_id` goes as user, and `hear` takes the text while it arrives. Raises ProviderError only."""
        form = json.dumps(schema, sort_keys=True)
        schema_hash = hashlib.sha256(form.encode()).hexdigest()
        dialect = self._dialects.get(schema_hash, self._usual)
        while True:
            try:
                request = self._request_body(dialect, system, user, schema, max_tokens, user_id)
                parts = hear is not None and dialect.stream
                request |= {"stream": True, "stream_options": {"include_usage": True}} if parts else {}
                with joining(JoinedCompletion(hear) if hear is not None and parts else None):
                    body, request_id = self._sent("POST", "chat/completions", deadline, request)
            except ProviderError as error:
                other = dialect.after(error.detail) if error.code == "bad_request" else None
                if other is None:
                    raise
                dialect = other
                continue
            if len(self._dialects) < MOST_DIALECTS:
                self._dialects[schema_hash] = dialect
            if dialect.form == "text":
                self._usual = dialect  # no schema will do better
            return completion(body, request_id, dialect.form, self.model)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._client.close()

    def about(self, *, deadline: float) -> dict[str, Any]:
        """The list of models that the endpoint tells (`data`: objects with `id`); nothing of ours is sent. Raises ProviderError."""
        return self._sent("GET", "models", deadline, None)[0]

    def _request_body(
        self,
        dialect: Dialect,
        system: str,
        user: str,
        schema: Mapping[str, Any],
        max_tokens: int,
        user_id: str,
    ) -> dict[str, Any]:
        strict = dialect.form == "json_schema"
        words = (
            system
            if strict
            else f"{system}\n\nAnswer with one JSON object and nothing else. Its JSON Schema:\n{json.dumps(schema)}"
        )
        form = (
            {"type": "json_schema", "json_schema": {"name": "proposal", "strict": True, "schema": schema}}
            if strict
            else {"type": "json_object"}
        )
        return {
            "model": self.model,
            "messages": [{"role": "system", "content": words}, {"role": "user", "content": user}],
            dialect.limit: max_tokens,
            **({} if dialect.form == "text" else {"response_format": form}),
            **({"temperature": 0} if dialect.temperature else {}),
            **({"user": user_id} if user_id else {}),
        }

    def _sent(
        self, method: str, path: str, deadline: float, request: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], str | None]:
        """The body of a good answer, an object, and the id of the request. The time-out is for all of it (`Transport`). Raises ProviderError."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise ProviderError("timeout", "The time was up before the request was sent.")
        try:
            response = self._client.request(method, f"{self._base}/{path}", json=request, timeout=left)
            if response.status_code == 404 and self._bare and (left := deadline - time.monotonic()) > 0:
                response = self._client.request(method, f"{self._base}/v1/{path}", json=request, timeout=left)
        except ProviderError:
            raise
        except Exception as error:
            raise ProviderError("internal_error", f"{type(error).__name__} while asking") from error
        body = failures.read_json(response.content)
        if response.status_code != 200 or failures.is_error(body):
            raise failures.of_status(
                response.status_code, response.content, response.headers, secret=self.config.api_key
            )
        return body, response.headers.get("x-request-id")


def completion(body: Mapping[str, Any], request_id: str | None, mode: str, model: str) -> Raw:
    """The one choice of a completion; a tool that is called though none was offered makes it no answer."""
    choices = body.get("choices")
    choice = (
        choices[0] if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], dict) else {}
    )
    said_by_model = choice.get("message")
    message = said_by_model if isinstance(said_by_model, dict) else {}
    stop: Stop = STOPS.get(str(choice.get("finish_reason")), "other")
    if message.get("tool_calls"):
        stop = "other"
    if message.get("refusal"):
        stop = "refused"
    counts = body.get("usage")
    usage = counts if isinstance(counts, dict) else {}
    details = usage.get("prompt_tokens_details")
    named = body.get("model")
    identity = request_id or body.get("id")
    return Raw(
        text=_bare(_text(message.get("content"))) if mode == "text" else _text(message.get("content")),
        stop=stop,
        model=named[:200] if isinstance(named, str) and named else model,
        mode=mode,
        input_tokens=failures.count(usage.get("prompt_tokens")),
        cached_tokens=failures.count(details.get("cached_tokens")) if isinstance(details, dict) else 0,
        output_tokens=failures.count(usage.get("completion_tokens")),
        request_id=identity[:200] if isinstance(identity, str) else None,
    )


def _bare(text: str) -> str:
    """An answer without the one code fence around all of it: whoever is asked in words alone likes to put it there. Nothing else is taken away."""
    fenced = _FENCED.fullmatch(text.strip())
    return fenced[1] if fenced and "```" not in fenced[1] else text


def _text(content: Any) -> str:
    """The text of a message, which some send in parts."""
    if isinstance(content, list):
        texts = [
            part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"
        ]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""
