"""Whether a provider can be used: one tiny question whose answer has to fit a schema, for "Test connection" and for saving settings; and a look that asks no model at all."""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from console.ai import providers
from console.ai.calling import EMPTY, CallFailed, call, ms_since
from console.core.proposal_types import Code, ProviderError, Raw

SECONDS = 15.0
LOOK_S = 5.0
MOST_TOKENS = 500
SOON = timedelta(days=60)
SYSTEM = "Answer in the form that you are given, and with nothing else."
USER = "This is a test of the connection. Set ready to true."
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ready"],
    "properties": {"ready": {"type": "boolean"}},
}
WORDS: dict[Code, str] = {
    "no_key": "There is no key. Enter one, or choose rules.",
    "timeout": "Nothing came within {seconds:g} seconds. Check the base URL, and whether this machine may reach it.",
    "rate_limited": "The provider is reached and the key is good, but it asks to wait: the limit of requests is used up. Try again in a minute, or raise the limit there.",
    "overloaded": "The provider is reached, and cannot answer at the moment. Try again in a minute.",
    "auth": "The provider does not take this key. Check it, and that it may use this model.",
    "billing": "The provider takes the key, and wants to be paid first: there is no credit left, or no way of payment.",
    "bad_request": "The provider does not take the question. Check that the model can be asked for JSON by a schema.",
    "model_not_found": "The provider does not know this model, or nothing is at this address. Check the model's name and the base URL.",
    "refused": "The model answers, and refused a harmless question. Choose another one.",
    "truncated": "The model answers, and did not come to an end. Choose another one, or one that thinks less.",
    "malformed": "Something answered, and not as a model does. Check the base URL.",
    "connection": "No connection. Check the base URL and the network.",
    "internal_error": "Something went wrong on our side; the log of this machine tells more.",
}
REDIRECTED = "The base URL leads to another address, which is not followed. Enter the one that it leads to."
UNFIT = "The model answers, and not in the form that was asked for. Choose one that can be asked for JSON by a schema."
ALOUD = "The model answers, and writes its thoughts (<think>) before the JSON, so that no answer of it can be read. Switch its thinking off, or let the server keep the thoughts apart."
NOTHING = "The model answers with nothing; it may have thought only. Switch its thinking off, or choose another one."
THOUGHTS = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)
MOST_SHOWN = 300  # characters
LOOSE = (
    "Works, but the schema was refused: the form is asked for {how}, and more proposals will be thrown away."
)
SILENT = "something answers there, and does not tell of its models: test the connection to be sure"
HOW = {"tool": "as a tool's input", "json_object": "as any JSON", "text": "in words alone"}


@dataclass(frozen=True, slots=True)
class Probed:
    """The result of the test, for people. `code` None: it works; `detail` is the other side's message, for administrators."""

    ok: bool
    message: str
    ms: int = 0
    code: Code | None = None
    detail: str = ""
    model: str = ""
    ends: bool = False
    """Whether the model will not be there for long."""


def probe(config: providers.Config, *, seconds: float = SECONDS) -> Probed:
    """The outcome of one tiny call; nothing of any person or record is in it. Never raises."""
    if isinstance(config, providers.rules.Config):
        return Probed(
            ok=True, message="Rules need no connection: they propose what is certain.", model=config.model
        )
    try:
        adapter = providers.provider(config)
        answered = call(adapter, SYSTEM, USER, SCHEMA, seconds=seconds, max_tokens=MOST_TOKENS)
    except CallFailed as error:
        return _failed(error, seconds, error.ms)
    except ProviderError as error:
        return _failed(error, seconds, 0)
    if not _fits(answered.raw):
        text = answered.raw.text
        words = ALOUD if THOUGHTS.search(text) else UNFIT
        return Probed(
            ok=False,
            message=words,
            ms=answered.ms,
            code="malformed",
            detail=text.strip()[:MOST_SHOWN],
            model=answered.raw.model,
        )
    return Probed(
        ok=True, message=_works(answered.raw, answered.ms), ms=answered.ms, model=answered.raw.model
    )


def try_provider(config: providers.Config, *, seconds: float = LOOK_S) -> Probed:
    """Whether the provider is there and knows the model, without a call that costs. Never raises."""
    if isinstance(config, providers.rules.Config):
        return Probed(ok=True, message="rules propose what is certain", model=config.model)
    began = time.monotonic()
    try:
        adapter = providers.provider(config)
        began = time.monotonic()  # what an import takes is not the provider's
        about = adapter.about(deadline=began + seconds)
    except ProviderError as error:
        if error.code == "model_not_found" and config.model not in error.detail:
            return Probed(
                ok=True, message=f"{config.model}: {SILENT}", ms=ms_since(began), model=config.model
            )
        return _failed(error, seconds, ms_since(began))
    if isinstance(config, providers.anthropic.Config):
        return _lifecycle(config.model, about, ms_since(began))
    known = [
        model["id"]
        for model in _list(about.get("data"))
        if isinstance(model, dict) and isinstance(model.get("id"), str)
    ]
    if known and config.model not in known:
        return Probed(
            ok=False,
            message=WORDS["model_not_found"],
            ms=ms_since(began),
            code="model_not_found",
            model=config.model,
        )
    return Probed(ok=True, message=f"{config.model} answers", ms=ms_since(began), model=config.model)


def _failed(error: ProviderError, seconds: float, ms: int) -> Probed:
    words = (
        REDIRECTED
        if error.code == "malformed" and "redirect" in error.detail
        else WORDS.get(error.code, WORDS["internal_error"])
    )
    if error.detail == EMPTY[1]:
        words = NOTHING
    if error.code == "connection" and error.detail:
        words = f"No connection: {error.detail.rstrip('.')}. Check the base URL and the network."
    return Probed(
        ok=False, message=words.format(seconds=seconds), ms=ms, code=error.code, detail=error.detail
    )


def _fits(raw: Raw) -> bool:
    """Whether the answer has the form that was asked for, whatever stands in it."""
    try:
        said = json.loads(raw.text)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.keys() == {"ready"} and isinstance(said["ready"], bool)


def _works(raw: Raw, ms: int) -> str:
    if raw.mode in HOW:
        return LOOSE.format(how=HOW[raw.mode])
    return f"Works: {raw.model} answered in {ms / 1000:.1f} seconds."


def _lifecycle(model: str, about: dict[str, Any], ms: int) -> Probed:
    """The result from what the service says about the model's remaining lifetime."""
    ends = _moment(about.get("retires_at"))
    if about.get("lifecycle") == "retired":
        return Probed(
            ok=False,
            message=f"{model} is no longer offered: choose another model.",
            ms=ms,
            code="model_not_found",
            model=model,
        )
    if about.get("lifecycle") == "deprecated" or (ends is not None and ends < datetime.now(UTC) + SOON):
        when = f" on {ends:%Y-%m-%d}" if ends else " soon"
        return Probed(
            ok=True,
            message=f"{model} answers, and ends{when}: choose another model before that.",
            ms=ms,
            model=model,
            ends=True,
        )
    return Probed(ok=True, message=f"{model} answers", ms=ms, model=model)


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
