"""An answer that arrives in parts: whoever asked hears the text grow, and gets at the end the body that would have come in one piece.

Providers send server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) where a request says `stream`. `console.ai.transport` hands
each part that it reads to the `Joined` of its thread. An endpoint that answers in one piece, or refuses, has sent no event: its body is left as it is.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Hear = Callable[[str], None]
"""Takes the text of the answer so far."""


class Joined(ABC):
    """The body of an answer, put together from its events."""

    def __init__(self, hear: Hear) -> None:
        self.hear, self.events = hear, 0
        self._grown, self._due = list[str](), 0
        self._rest = b""

    def feed(self, part: bytes) -> None:
        """Bytes as they arrive, cut anywhere."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._take(line.removeprefix(b"data:"))

    def body(self) -> bytes | None:
        """The body as JSON; None where no event came."""
        self.feed(b"\n")
        if self._grown:
            self.hear("".join(self._grown))
        return json.dumps(self.whole()).encode() if self.events else None

    def _take(self, data: bytes) -> None:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return  # `[DONE]`, and what is no event
        if isinstance(event, dict):
            self.events += 1
            self.take(event)

    def grow(self, parts: list[str], text: str) -> None:
        """Add what came to the parts of a text. The longer it is, the more comes before it is heard again: each look costs all of it."""
        parts.append(text)
        self._grown, self._due = parts, self._due - len(text)
        if self._due <= 0:
            heard = "".join(parts)
            self._due = len(heard) // 64
            self.hear(heard)

    @abstractmethod
    def take(self, event: Mapping[str, Any]) -> None:
        """One event."""

    @abstractmethod
    def whole(self) -> dict[str, Any]:
        """What the events said."""


class JoinedMessage(Joined):
    """A message of Anthropic's. Source: https://docs.anthropic.com/en/api/messages-streaming."""

    def __init__(self, hear: Hear) -> None:
        super().__init__(hear)
        self.message: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        self.texts: dict[int, list[str]] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Text of a block grows; what stands beside it is kept."""
        place = event.get("index")
        at = place if isinstance(place, int) else -1
        delta = _mapping(event.get("delta"))
        match event.get("type"):
            case "message_start":
                self.message = dict(_mapping(event.get("message")))
            case "content_block_start":
                self.blocks[at] = dict(_mapping(event.get("content_block")))
            case "content_block_delta" if at in self.blocks:
                grown = delta.get("text") if delta.get("type") == "text_delta" else delta.get("partial_json")
                if isinstance(grown, str):
                    self.grow(self.texts.setdefault(at, []), grown)
            case "message_delta":
                self.message |= delta
                self.message["usage"] = {
                    **_mapping(self.message.get("usage")),
                    **_mapping(event.get("usage")),
                }
            case "error":
                self.message = dict(event)

    def whole(self) -> dict[str, Any]:
        """The message. Where it broke off it has no reason to stop, and is no answer."""
        if self.message.get("type") == "error":
            return self.message
        for at, parts in self.texts.items():
            block, text = self.blocks[at], "".join(parts)
            block |= {"input": _parsed(text)} if block.get("type") == "tool_use" else {"text": text}
        return {**self.message, "content": [self.blocks[at] for at in sorted(self.blocks)]}


class JoinedCompletion(Joined):
    """A completion of chat/completions. Source: https://platform.openai.com/docs/api-reference/chat-streaming."""

    def __init__(self, hear: Hear) -> None:
        super().__init__(hear)
        self.said: dict[str, Any] = {}
        self.message: dict[str, Any] = {}
        self.texts: dict[str, list[str]] = {}
        self.reason: Any = None

    def take(self, event: Mapping[str, Any]) -> None:
        """Content grows; usage stands in the last event."""
        self.said |= {name: event[name] for name in ("id", "model", "usage", "error") if event.get(name)}
        choices = event.get("choices")
        choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
        self.reason = choice.get("finish_reason") or self.reason
        for name, grown in _mapping(choice.get("delta")).items():
            if name in {"content", "refusal"} and isinstance(grown, str):
                self.grow(self.texts.setdefault(name, []), grown)
            elif name == "tool_calls" and grown:
                self.message[name] = grown

    def whole(self) -> dict[str, Any]:
        """The completion, or the error that came in its place."""
        message = self.message | {name: "".join(parts) for name, parts in self.texts.items()}
        return {**self.said, "choices": [{"message": message, "finish_reason": self.reason}]}


class _Listening(threading.local):
    joined: Joined | None = None


_listening = _Listening()


@contextmanager
def joining(joined: Joined | None) -> Iterator[None]:
    """The answers to what this thread sends are fed to this while they arrive."""
    _listening.joined = joined
    try:
        yield
    finally:
        _listening.joined = None


def joined_of_thread() -> Joined | None:
    """What the answer of this thread is fed to; None where nobody listens."""
    return _listening.joined


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
