"""What a provider of a channel is: it sends one message, and some can be asked later whether it arrived.

A provider is a plug-in: one file in `console/channels/providers/`, or a class of another package under the entry point `console.channels`.
It never looks at the database, the clock or who may be reached: that is judged before.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from console.core.contacting import Kind


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that leaves now. `id` is ours, the same at every try; `content` is what the step wrote, `to` the address in its plainest form.

    `callback` is where the provider tells what became of it, `unsubscribe` the page on which the reader ends messages; None: the console has no
    address that is reached from outside. For a look-up, `since` is when it was handed over, and `taken` are the provider's ids of other messages.
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


@dataclass(frozen=True, slots=True)
class Handed:
    """The provider has the message. `provider_id` is its own id, "" where it gives none.

    `outcome` is how it ended, where that is known at once or by the look-up: delivered, failed, or that of a call; `label`, `transcript` and
    `recording` belong to a call.
    """

    provider_id: str = ""
    outcome: str = ""
    label: str = ""
    transcript: str = ""
    recording: str = ""
    reason: str = ""


class Provider(ABC):
    """One way out. Subclasses live one to a file."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    title: ClassVar[str]
    looks: ClassVar[bool] = False  # whether `find` can tell that a message is not there

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
