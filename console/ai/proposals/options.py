"""The settings of the AI that are in force: the newest version of the document, with what the machine's environment gives before it.

Kept in the process and followed within a second by every one, by the number of `console.version` named `ai`.
"""

import base64
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from console.ai import providers
from console.ai.proposals.settings_document import BUILD_S, Options, read
from console.core.proposal_types import Provider
from console.infra import settings, subjects
from console.infra.db.engine import fetch
from console.infra.db.process_cache import ProcessCache
from console.infra.settings import AI

MILLION = 1_000_000
OFF_FOR_ALL = "The AI is switched off: {reason}"
OFF_FOR = "The AI is switched off here: {reason}"
HOUSE = "+house."
NO_REASON = "no reason was given."


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who is asked for a purpose, for how long and how much."""

    config: providers.Config
    seconds: float
    max_tokens: int

    @property
    def rules(self) -> bool:
        """Whether nobody is asked: `console.ai.providers.rules.answer(ask)` is the answer."""
        return isinstance(self.config, providers.rules.Config)

    def provider(self) -> Provider:
        """The provider, ready to be called. Raises ProviderError without a key, TypeError for rules."""
        if isinstance(self.config, providers.rules.Config):
            raise TypeError("rules answer an ask themselves")
        return providers.provider(self.config)


@dataclass(frozen=True, slots=True)
class Current:
    """The AI settings in force. `version` 0: never saved. `at`, `by` and `note` say who saved them, when and why."""

    document: Options
    version: int = 0
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    by: str = ""
    note: str = ""

    @property
    def from_environment(self) -> bool:
        """Whether provider, model, key and base URL are the machine's, and nobody changes them here."""
        return settings.current().ai.told

    @property
    def ai(self) -> AI:
        """Who is asked: what the environment says, else the document."""
        given, kept = settings.current().ai, self.document
        return given if given.told else AI(kept.provider, kept.model, self.key, kept.base_url)

    @property
    def key(self) -> str | None:
        """The key that was saved here, None without one. One that was sealed for another provider or address opens nowhere else."""
        return open_key(self.document)

    @property
    def seconds(self) -> float:
        """The whole deadline of a proposal."""
        return float(settings.current().ai_seconds)

    @property
    def blind_percent(self) -> int:
        """How many of a hundred proposals a person sees only after deciding: as the environment says, else the document."""
        given = settings.current().ai_blind_percent
        return self.document.blind_percent if given is None else given

    def chosen(self, purpose: str) -> Chosen:
        """Who is asked for this purpose, and how."""
        ai_now, how = self.ai, self.document.purpose(purpose)
        seconds = (
            float(how.seconds or BUILD_S)
            if purpose == "build"
            else min(float(how.seconds or self.seconds), self.seconds)
        )
        model_settings = (
            ai_now if ai_now.provider == "rules" or how.model is None else replace(ai_now, model=how.model)
        )
        return Chosen(providers.config(model_settings, private=ai_now.told), seconds, how.max_tokens)

    def off(
        self, collection: str | None = None, workflow: str | None = None, step: str | None = None
    ) -> str | None:
        """Why the AI is off here, in words for people; None where it is on. `workflow` is its slug."""
        kept = self.document
        if not kept.on:
            return OFF_FOR_ALL.format(reason=kept.reason or NO_REASON)
        switched_off = kept.collections.get(collection or "") or kept.steps.get(f"{workflow}/{step}")
        return OFF_FOR.format(reason=switched_off) if switched_off else None

    @property
    def policy(self) -> tuple[str, str]:
        """The company's text for every prompt: (before, after)."""
        return self.document.house.prefix, self.document.house.suffix

    @property
    def house_mark(self) -> str:
        """A suffix for the prompt's version that names the house's own text; empty without one."""
        house = self.document.house
        return f"{HOUSE}{house.number}" if house.prefix or house.suffix else ""

    @property
    def price_version(self) -> str:
        """The price table for costs."""
        return self.document.prices.version

    def cost(
        self, model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int
    ) -> Decimal | None:
        """What a call costs in the currency of the table, to the millionth; None where the table does not know the model.

        `input_tokens` counts what was not cached.
        """
        price = self.document.prices.of(model)
        if price is None:
            return None
        whole = price.input * input_tokens + price.cached * cached_tokens + price.output * output_tokens
        return (whole / MILLION).quantize(Decimal("0.000001"))


_NUMBER = "select number from console.version where name = 'ai'"
_NEWEST = "select version, at, by, note, document from console.ai_setting order by version desc limit 1"


def current() -> Current:
    """The options in force, at most a second old."""
    return _options.get()[1]


def _read_options(former: tuple[int, Current] | None) -> tuple[int, Current]:
    number = int(fetch(_NUMBER)[0][0])
    return former if former is not None and former[0] == number else (number, newest())


_options: ProcessCache[tuple[int, Current]] = ProcessCache(_read_options)
forget = _options.forget


def newest() -> Current:
    """The newest options in the database."""
    rows = fetch(_NEWEST)
    if not rows:
        return Current(Options())
    version, at, by, note, document = rows[0]
    return Current(read(document), version, at, by, note)


def house_key() -> bytes:
    """The key for hashes of values and persons; it is never sent anywhere."""
    return hmac.digest(settings.current().master_key, b"handrail ai", "sha256")


def seal_key(key: str, provider: str, base_url: str | None) -> str:
    """The key under the master key, for this provider at this address only: whoever changes the address enters the key again."""
    return base64.b64encode(subjects.wrap(key.encode(), _about(provider, base_url))).decode()


def open_key(kept: Options) -> str | None:
    """The key of a document; None where there is none, or where it was sealed for something else or under another master key."""
    if kept.key is None:
        return None
    try:
        return subjects.unwrap(base64.b64decode(kept.key), _about(kept.provider, kept.base_url)).decode()
    except (subjects.Unreadable, ValueError):
        return None


def _about(provider: str, base_url: str | None) -> str:
    return f"ai_setting|key|{provider}|{base_url or ''}"
