"""Giving a run the result of its message: once, also after a crash."""

import logging
from datetime import timedelta

from console import log, runs
from console.core import contacting
from console.db.engine import fetch
from console.messages.message_rows import Message, read

UNSURE = "It cannot be told whether the message left. Ask its receiver or look at the provider, then say what came of it."
NO_CALLBACK = "The provider did not tell how the call ended. Look there, then say what came of it."
LEFT_S = 5
AT_ONCE = 200
_log = logging.getLogger(__name__)
_UNTOLD = "outcome is not null and told_at is null and run is not null and at < %s order by at limit %s"
_TOLD = "update console.message set told_at = %s where id = %s and told_at is null returning id"


def tell_run(message: Message, *, in_worker: bool) -> None:
    """Let the run go on with the outcome of its message, as it stands now, if it still waits for it; at once where this is a job of a worker."""
    if message.run is None or message.outcome is None:
        return
    result = message.result
    outcome = contacting.way_on(message.outcome, str(result.get("label", "")), message.outcomes)
    reason, told = str(result.get("reason", "")), (log.now(), message.id)
    if outcome is not None:
        output, also = _output(message), lambda connection, _: connection.exec_driver_sql(_TOLD, told)
        if runs.arrive(runs.ENGINE, message.run, message.key, outcome=outcome, output=output, in_worker=in_worker, also=also):
            return
    elif message.outcome == "unknown":
        runs.will_not_come(message.run, message.key, "message_unknown", reason or UNSURE, asks=True)
    elif message.outcome == "expired":
        runs.will_not_come(message.run, message.key, "message_expired", f"{reason} Does the message still fit?", asks=True)
    else:
        runs.will_not_come(message.run, message.key, message.code or "message_failed", reason or "The message could not be sent.")
    fetch(_TOLD, told)


def _output(message: Message) -> dict[str, object]:
    """What later steps find as `steps.<id>`."""
    result, content = message.result, message.content or {}
    output: dict[str, object] = {"message": message.id, "status": message.outcome, "to": content.get("to"), "reason": result.get("reason")}
    if message.channel == "call":
        output |= {"outcome": message.outcome, "attempts": message.number}
        output |= {name: result.get(name) for name in ("label", "transcript", "recording", "call_back_at")}
    return output


def tell_left() -> int:
    """Give runs the result of their message if a process died before it did so; returns how many."""
    left = read(_UNTOLD, (log.now() - timedelta(seconds=LEFT_S), AT_ONCE))
    for message in left:
        try:
            tell_run(message, in_worker=False)
        except Exception:  # noqa: BLE001 (one run's trouble must not stop the others)
            _log.exception("message %s", message.id)
    return len(left)
