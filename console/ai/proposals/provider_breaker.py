"""Which provider is left alone for a while, as all processes know it: the state of `console.ai.breaker` in a row for each provider and model."""

import time
from collections.abc import Callable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.ai import breaker
from console.ai.providers import Config
from console.core.proposal_types import Code
from console.infra.db.engine import fetch, transaction

_READ = "select state from console.ai_breaker where key = %s"
_LOCKED = sa.text("select state from console.ai_breaker where key = :key for update")
_MADE = sa.text(
    "insert into console.ai_breaker (key, state, at) values (:key, '{}', now()) on conflict (key) do nothing"
)
_WRITTEN = sa.text("update console.ai_breaker set state = cast(:state as jsonb), at = now() where key = :key")


def may_ask(config: Config) -> bool:
    """Whether the provider may be asked now. Of all who ask after a rest, one is let through to see whether it is better."""
    state = breaker.read_state(_read(config), config.fingerprint)
    if state.phase(time.time()) == "closed":
        return True
    if state.phase(time.time()) != "trial":
        return False
    return _changed(config, lambda before: breaker.admit(before, time.time()))


def refused(config: Config) -> Code | None:
    """The reason why the provider refuses every call until it is mended (a wrong key, an unknown model …); None if there is none."""
    state = breaker.read_state(_read(config), config.fingerprint)
    return state.code if state.lasting else None


def closed(config: Config) -> bool:
    """Whether nobody is let through now; this look changes nothing."""
    return breaker.read_state(_read(config), config.fingerprint).phase(time.time()) == "open"


def answered(config: Config) -> None:
    """The provider has answered."""
    before = breaker.read_state(_read(config), config.fingerprint)
    if breaker.succeeded(before) != before:
        _changed(config, lambda state: (True, breaker.succeeded(state)))


def failed(config: Config, code: Code) -> bool:
    """The provider has failed; whether it was this that closed the door, which an administrator should hear of."""

    def change(state: breaker.State) -> tuple[bool, breaker.State]:
        after = breaker.failed(state, time.time(), code)
        return breaker.record_failure(state, after), after

    return _changed(config, change)


def _changed(config: Config, change: Callable[[breaker.State], tuple[bool, breaker.State]]) -> bool:
    with transaction() as connection:
        before = breaker.read_state(_locked(connection, config), config.fingerprint)
        answer, after = change(before)
        if after != before:
            connection.execute(
                _WRITTEN, {"key": _key(config), "state": orjson.dumps(breaker.stored(after)).decode()}
            )
    return answer


def _locked(connection: Connection, config: Config) -> Any:
    connection.execute(_MADE, {"key": _key(config)})
    return connection.execute(_LOCKED, {"key": _key(config)}).scalar()


def _read(config: Config) -> Any:
    rows = fetch(_READ, (_key(config),))
    return rows[0][0] if rows else None


def _key(config: Config) -> str:
    return f"{config.name} {config.model}"
