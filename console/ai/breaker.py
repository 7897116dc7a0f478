"""When a provider is left alone: after five failures within a minute for a minute; at once where it refuses for good (a bad key, no credit), until it takes
a call again. Of those who ask, one in a minute is let through to see. Pure.

One state for each provider and model, kept as JSON by whoever has a place for it, so that several workers share it. Moments are seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast, get_args

from console.core.proposal_types import Code

FAILURES = 5
WITHIN_S = 60.0
OPEN_S = 60.0
TRIAL_S = 60.0
LASTING: frozenset[Code] = frozenset({"auth", "billing", "model_not_found", "no_key"})
"""These pass only when somebody mends them: here, by changed settings, or at the provider. Until then one call in a minute tries it."""
COUNTED: frozenset[Code] = frozenset(
    {"timeout", "rate_limited", "overloaded", "connection", "malformed", "internal_error"}
)
"""These tell of the provider. What else goes wrong tells of one request."""

Phase = Literal["closed", "open", "trial"]


@dataclass(frozen=True, slots=True)
class State:
    """`failures` are the moments of the last ones while closed. `until`: open till then. `trial`: one call was let through at that moment, to see.

    `lasting`: it refuses, and not because of the moment. `settings` is the configuration's fingerprint that this was seen with; `code` is of the last failure that
    counted, of a lasting one what it refuses for.
    """

    settings: str = ""
    failures: tuple[float, ...] = ()
    until: float | None = None
    trial: float | None = None
    lasting: bool = False
    code: Code | None = None

    def phase(self, now: float) -> Phase:
        """The present state."""
        if self.until is None:
            return "closed"
        return (
            "open" if now < self.until or (self.trial is not None and now < self.trial + TRIAL_S) else "trial"
        )


def read_state(stored: Mapping[str, Any] | None, settings: str) -> State:
    """The state as it was stored, a new one where there is none, where it is not readable, or where the settings have changed since."""
    if not stored or stored.get("settings") != settings:
        return State(settings)
    lasting = stored.get("lasting") is True
    try:
        return State(
            settings,
            tuple(float(at) for at in stored.get("failures", ()))[-FAILURES:],
            (0.0 if lasting else None) if stored.get("until") is None else float(stored["until"]),
            None if stored.get("trial") is None else float(stored["trial"]),
            lasting,
            cast("Code", stored["code"]) if stored.get("code") in get_args(Code) else None,
        )
    except (TypeError, ValueError):
        return State(settings)


def stored(state: State) -> dict[str, Any]:
    """The state as JSON."""
    return {**asdict(state), "failures": list(state.failures)}


def admit(state: State, now: float) -> tuple[bool, State]:
    """Whether a call may be made now, and the state after that: the one call that tries whether it is better is let through once."""
    match state.phase(now):
        case "closed":
            return True, state
        case "trial":
            return True, replace(state, trial=now)
        case _:
            return False, state


def succeeded(state: State) -> State:
    """After a call that was answered, or a test of the connection that went well: closed. Of a closed one, the failures stay counted until they are old."""
    return state if state.until is None else State(state.settings)


def failed(state: State, now: float, code: Code) -> State:
    """After a call that failed."""
    if code in LASTING:
        return State(state.settings, until=now + OPEN_S, lasting=True, code=code)
    if code not in COUNTED:
        return (
            succeeded(state) if state.until is not None and state.trial is not None else state
        )  # the provider did answer
    if state.until is not None:
        return (
            state
            if state.trial is None
            else replace(state, until=now + OPEN_S, trial=None, code=state.code if state.lasting else code)
        )
    failures = (*(at for at in state.failures if now - at < WITHIN_S), now)[-FAILURES:]
    if len(failures) < FAILURES:
        return replace(state, failures=failures, code=code)
    return State(state.settings, until=now + OPEN_S, code=code)


def record_failure(before: State, after: State) -> bool:
    """Whether it was this failure that opened it: the moment to tell an administrator, once."""
    return after.until is not None and before.until is None
