"""What is kept for each channel, read at most once a second: it is asked for with every message."""

import time
from dataclasses import dataclass

from console.core import sms_gateway
from console.core.sms_gateway import SmsGateway
from console.infra.db.engine import fetch, hot_engine

KEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """A row: whether its own sandbox is on, what that answers, and of SMS the gateway that was described."""

    sandbox: bool = False
    script: str = ""
    gateway: SmsGateway | None = None


_kept: tuple[object, float, dict[str, KeptChannel]] = (None, 0.0, {})
"""Through which engine, when, and what the table says."""


def kept_for(kind: str) -> KeptChannel:
    """What is kept for this kind of messages."""
    global _kept  # noqa: PLW0603 (what this process knows, swapped by one assignment)
    source, now = hot_engine(), time.monotonic()
    if _kept[0] is not source or now - _kept[1] > KEPT_S:
        rows = fetch("select kind, sandbox, script, gateway from console.channel")
        made = {
            kind: KeptChannel(bool(on), script, sms_gateway.read(said)) for kind, on, script, said in rows
        }
        _kept = (source, now, made)
    return _kept[2].get(kind, KeptChannel())


def forget() -> None:
    """Look again at the next question."""
    global _kept  # noqa: PLW0603 (as above)
    _kept = (None, 0.0, {})
