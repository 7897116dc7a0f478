"""What a provider of a channel is: it sends one message; some can be asked later whether it arrived, and some tell by themselves.

A provider is a plug-in: one file in `console/messaging/providers/`, or a class of another package under the entry point `console.messaging.channels`.
It never looks at the database, the clock or who may be reached: that is judged before.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from console.core.contacting import Kind
from console.core.errors import ConsoleError
from console.core.plain_words import one_line

ABOUT_US = frozenset({401, 402, 403, 404, 407})
"""Statuses by which a provider speaks of our account, its credit or its address, not of the message: it leaves when somebody has mended that."""
MOST_WORDS = 200


WORDS_STAND_IN = (
    "message",
    "error",
    "errors",
    "detail",
    "description",
    "title",
    "error_text",
    "error-text",
    "errorMessage",
    "error_message",
    "errorDescription",
    "response_msg",
    "reason",
    "text",
)
"""Names under which providers write what is wrong, in words, the plainest first."""
LEAD_TO_WORDS = ("requestError", "serviceException", "messages", "status", "data", "results", "result")
"""Names under which these stand deeper in; a word of their own says nothing to a person."""
DEEPEST = 8


def said_in(body: bytes) -> str:
    """What a provider says in words behind a status, as `: …` to stand behind it: a line of text, or what its JSON calls a message or an error. Empty for a page, or nothing."""
    text = body.decode("utf-8", "replace").strip()
    if text[:1] in ("{", "["):
        try:
            text = message_of(json.loads(text))
        except (ValueError, RecursionError):
            return ""
    words = one_line(text, MOST_WORDS)
    return "" if not words or words[0] in "<[" else f": {words.rstrip('.')}"


def message_of(told: Any, deep: int = 0) -> str:
    """The words of an error, wherever in it they stand: of several errors those of the first."""
    if isinstance(told, str):
        return told
    if isinstance(told, list):
        return message_of(told[0], deep + 1) if told and deep < DEEPEST else ""
    if not isinstance(told, dict) or deep > DEEPEST:
        return ""
    inside = (told[name] for name in LEAD_TO_WORDS if isinstance(told.get(name), dict | list))
    found = (
        message_of(each, deep + 1)
        for each in (*(told[name] for name in WORDS_STAND_IN if name in told), *inside)
    )
    return next((words for words in found if words), "")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that leaves now. `id` is ours, the same at every try; `content` is what the step wrote, `to` the address in its plainest form.

    `callback` is where the provider tells what became of it, `unsubscribe` the page on which the reader ends messages; None: the console has no
    address that is reached from outside. `at` is the moment of this try: a provider has no clock of its own.
    For a look-up, `since` is when it was handed over, and `taken` are the provider's ids of other messages.
    """

    id: str
    kind: Kind
    to: str
    content: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    language: str = "en"
    callback: str | None = None
    unsubscribe: str | None = None
    since: datetime | None = None
    taken: frozenset[str] = frozenset()
    at: datetime = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Handed:
    """The provider has the message. `provider_id` is its own id, "" where it gives none.

    `outcome` is how it ended, where that is known at once or by the look-up: delivered, failed, opted_out (it failed as its receiver wants no more), or
    that of a call; `label`, `transcript` and `recording` belong to a call, and so does `call_back`: when they want to be called again, as a moment or as
    they said it. `reason` is why it failed, in a sentence, and `said` what the provider says of that itself where the sentence is ours.
    """

    provider_id: str = ""
    outcome: str = ""
    label: str = ""
    transcript: str = ""
    recording: str = ""
    call_back: str = ""
    reason: str = ""
    said: str = ""

    def __post_init__(self) -> None:
        """Leave out NUL characters: a run could not store what it is told with them."""
        for name in self.__slots__:
            object.__setattr__(self, name, getattr(self, name).replace("\x00", ""))


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that came to the provider's own address, as it was sent. `url` is the address that was asked for, names of headers are in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. It is the one of our id where that is known, else the one of the provider's id in `handed`.

    `certain`: False where anybody could have written it, so that one about no message of ours is passed over and not refused.
    """

    handed: Handed
    message_id: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person wrote to us: their address, the text, and the provider's id of it, by which the same one again is known.

    `stops`: the provider took it for a wish to get no more, by words of its own.
    """

    sender: str
    text: str
    provider_id: str
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """Who got a message called it unwanted, as the provider of their mailbox says: our id of it, and their address, each "" where it is not told."""

    message_id: str
    address: str = ""


class BadSignature(ConsoleError):
    """The signature is not the provider's."""

    status = 401
    default_code = "bad_signature"


class Provider(ABC):
    """One way out. Subclasses live one to a file."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    title: ClassVar[str]
    looks: ClassVar[bool] = False  # whether `find` can tell that a message is not there
    calls_back: ClassVar[bool] = False  # whether it has an address of its own here, and `told`
    by_page: ClassVar[bool] = (
        False  # whether it is set up on a page: who does so means it, and it stands before those of the settings
    )
    most_bytes: ClassVar[int] = 512 * 1024  # of a callback
    thanks: ClassVar[tuple[str, str]] = (
        '{"status":"ok"}',
        "application/json",
    )  # what a callback is answered with, and its type

    def missing(self) -> tuple[str, ...]:
        """Names of settings that it needs and that are not set; empty: it can be used."""
        return ()

    @abstractmethod
    def send(self, letter: Letter) -> Handed:
        """Hand the message over. Raises IntegrationError where nothing left, OutcomeUnknown where it may have left."""
        raise NotImplementedError

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """What became of a message that may have left; None: it is not there. Raises IntegrationError or OutcomeUnknown if that cannot be told."""
        raise NotImplementedError

    def thanking(self) -> tuple[str, str]:
        """What a callback is answered with that was taken, and its type."""
        return self.thanks

    def told(self, callback: Callback) -> Receipt | Answer | Complaint | Sequence[Receipt | Answer] | None:
        """What a callback says; None: nothing of interest. Where it may say several things, all of them; one about no message of ours is passed over then. Raises BadSignature for what is not the provider's, Invalid for what cannot be read."""
        raise NotImplementedError
