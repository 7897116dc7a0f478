"""One call of a provider, from the question to an answer or a code: one deadline for everything, one more try where there is time for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.ai.safety.contact_details import SURROGATE
from console.core.proposal_types import Code, Provider, ProviderError, Raw

WAIT_S = 0.25
"""Before the second try, where the other side does not say how long."""
LEAST_S = 0.25
"""Seconds that must remain after the wait for a second try."""

UNFINISHED: dict[str, tuple[Code, str]] = {
    "truncated": ("truncated", "The answer was cut off at the limit of its length."),
    "refused": ("refused", "The model refused to answer."),
    "other": ("malformed", "The answer did not end as an answer does."),
}
EMPTY: tuple[Code, str] = ("malformed", "The answer is empty.")


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, not judged yet; `ms` for all tries together."""

    raw: Raw
    ms: int
    tries: int


class CallFailed(ProviderError):
    """No answer. `code` and `detail` say why; `raw` is there where something came that cannot be used and may cost (truncated, refused)."""

    def __init__(self, error: ProviderError, *, ms: int, tries: int, raw: Raw | None = None) -> None:
        super().__init__(
            error.code,
            error.detail,
            retry_after_s=error.retry_after_s,
            passing=error.passing,
            request_id=error.request_id,
        )
        self.ms, self.tries, self.raw = ms, tries, raw


def call(
    provider: Provider,
    system: str,
    user: str,
    schema: Mapping[str, Any],
    *,
    seconds: float,
    max_tokens: int,
    user_id: str = "",
    hear: Callable[[str], None] | None = None,
) -> Answered:
    """The provider's answer to this prompt within `seconds`; `hear` takes its text while it arrives, beginning anew with a second try. A temporary fault is retried once if the wait fits. Raises only CallFailed."""
    began = time.monotonic()
    deadline = began + seconds
    tries = 0
    while True:
        tries += 1
        try:
            raw = _ask_once(
                provider,
                system,
                user,
                schema,
                deadline=deadline,
                max_tokens=max_tokens,
                user_id=user_id,
                hear=hear,
            )
        except ProviderError as error:
            wait = WAIT_S if error.retry_after_s is None else error.retry_after_s
            if tries < 2 and error.passing and time.monotonic() + wait + LEAST_S < deadline:
                time.sleep(wait)
                continue
            raise CallFailed(error, ms=ms_since(began), tries=tries) from error
        if raw.stop != "complete" or not raw.text.strip():
            code, words = UNFINISHED.get(raw.stop, EMPTY)
            raise CallFailed(
                ProviderError(code, words, request_id=raw.request_id),
                ms=ms_since(began),
                tries=tries,
                raw=raw,
            )
        return Answered(raw, ms_since(began), tries)


def _ask_once(
    provider: Provider,
    system: str,
    user: str,
    schema: Mapping[str, Any],
    *,
    hear: Callable[[str], None] | None,
    **more: Any,
) -> Raw:
    try:
        raw = provider.complete(system, user, schema, **more, hear=hear)
        return replace(raw, text=SURROGATE.sub("\ufffd", raw.text))  # half a character can be kept nowhere
    except ProviderError:
        raise
    except Exception as error:  # the last net: a call always ends in a code
        raise ProviderError("internal_error", type(error).__name__) from error


def ms_since(began: float) -> int:
    """Whole milliseconds since that moment of `time.monotonic`."""
    return round((time.monotonic() - began) * 1000)
