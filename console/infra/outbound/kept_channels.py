"""What is kept for each channel, read at most once a second: it is asked for with every message."""

from dataclasses import dataclass

from console.core import sms_gateway
from console.core.sms_gateway import SmsGateway
from console.infra.db.engine import fetch
from console.infra.db.process_cache import ProcessCache


@dataclass(frozen=True, slots=True)
class KeptChannel:
    """A row: whether its own sandbox is on, what that answers, and of SMS the gateway that was described."""

    sandbox: bool = False
    script: str = ""
    gateway: SmsGateway | None = None


def _read_channels(_: object) -> dict[str, KeptChannel]:
    rows = fetch("select kind, sandbox, script, gateway from console.channel")
    return {kind: KeptChannel(bool(on), script, sms_gateway.read(said)) for kind, on, script, said in rows}


_channels = ProcessCache(_read_channels)
forget = _channels.forget


def kept_for(kind: str) -> KeptChannel:
    """What is kept for this kind of messages."""
    return _channels.get().get(kind, KeptChannel())
