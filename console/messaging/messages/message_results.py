"""Giving a run the result of its message: once, also after a crash."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy.engine import Connection

from console import log, runs
from console.core import contacting
from console.infra.db import troubles
from console.infra.db.engine import fetch, transaction
from console.messaging.messages.message_rows import Message, read

LOOK_THERE = (
    "Ask its receiver or look at the provider, then say what came of it; sent again, it may reach them twice."
)
UNSURE = f"It cannot be told whether the message left. {LOOK_THERE}"
ALONE = {
    LOOK_THERE: "Ask its receiver or look at the provider before you send it again: it may reach them twice.",
    "Look there, then say what came of it.": "Look there.",
}
"""The same of a message without a run, where nothing waits for what somebody says."""
NO_CALLBACK = "The provider did not tell how the call ended. Look there, then say what came of it."
LEFT_S = 5
AT_ONCE = 200
_log = logging.getLogger(__name__)
LEAVES_S = 20
"""Who opts out has at most so long to leave their workflow by its exit: otherwise the run would go on first, as if they had said yes."""
_JUDGED = """
not exists (select from console.activity a, console.version v where a.kind = 'consent_withdrawn' and v.name = 'enrolled_exits_read' and a.pos > v.number)
and not exists (select from console.log_pending p join console.event e on e.id = p.id
    where e.body is not null and strpos(convert_from(e.body, 'UTF8'), '"consent_withdrawn"') > 0)
"""
"""That the exits have met all that was taken back: who is still in their workflow then stays in it."""
_UNTOLD = f"""
outcome is not null and told_at is null and run is not null and case when exists (select from console.opt_out o where o.message = message.id)
then at < %s or ({_JUDGED}) else at < %s end order by at limit %s
"""
_ENROLLED = "select from console.enrolment where run = %s and left_at is null and not of_run"
_TOLD = "update console.message set told_at = %s where id = %s and told_at is null returning id"
Write: TypeAlias = Callable[[Connection, datetime | None], object]
"""Writes what became of a message, and that its run was told at this moment (None: not yet). Raises log.Overtaken."""


def unsure(why: str) -> str:
    """Why nobody can tell whether the message left, with what to do."""
    return f"{why} {LOOK_THERE if 'cannot be told' in why else UNSURE}".strip()


def for_whom(message: Message, words: str) -> str:
    """The words, and what to do by whether a run waits for it."""
    for waits, alone in () if message.run else ALONE.items():
        words = words.replace(waits, alone)
    return words


def record(
    message: Message,
    write: Write,
    *,
    in_worker: bool,
    opted_out: bool = False,
    beside: Callable[[datetime], log.Beside] | None = None,
) -> bool:
    """Write what became of the message, which stands as `message` then, and let its run go on; False, with nothing written, where another process was first.

    Both are one transaction where the run goes on with the outcome. What became of the message is kept whatever the run does. `beside`: what `write` writes, for the run's own statement. `opted_out`: its receiver wants no more;
    the run of a place in a workflow goes on by `tell_left`, where no exit has ended it until then.
    """
    leaves = opted_out and bool(fetch(_ENROLLED, (message.run,)))
    try:
        try:
            if not leaves and _gone_on(message, write, in_worker=in_worker, beside=beside):
                return True
        except log.Overtaken:
            raise
        except Exception as error:
            if troubles.passes(error):
                raise  # nothing can be kept now
            _log.exception("message %s", message.id)  # `tell_left` tells the run later
            with transaction() as connection:
                write(connection, None)
            return True
        with transaction() as connection:
            write(connection, None)
    except log.Overtaken:
        return False
    if not leaves:
        tell_run(message, in_worker=in_worker)
    return True


def _gone_on(
    message: Message, write: Write, *, in_worker: bool, beside: Callable[[datetime], log.Beside] | None = None
) -> bool:
    """Whether the run waits for this outcome; then it goes on, and that and what is written are one transaction."""
    if message.run is None or message.outcome is None:
        return False
    outcome = contacting.way_on(message.outcome, str(message.result.get("label", "")), message.outcomes)
    if outcome is None:
        return False

    def write_told(connection: Connection, _run: str) -> None:
        write(connection, log.now())

    also = runs.AtOnce(write_told, lambda: beside(log.now())) if beside is not None else write_told
    output = _output(message)
    return runs.arrive(
        runs.ENGINE, message.run, message.key, outcome=outcome, output=output, in_worker=in_worker, also=also
    )


def tell_run(message: Message, *, in_worker: bool) -> None:
    """Let the run go on with the outcome of its message, as it stands now, if it still waits for it; at once where this is a job of a worker."""
    if message.run is None or message.outcome is None:
        return
    result, told = message.result, (log.now(), message.id)
    reason = str(result.get("reason", ""))
    if _gone_on(message, lambda connection, _: connection.exec_driver_sql(_TOLD, told), in_worker=in_worker):
        return
    if contacting.way_on(message.outcome, str(result.get("label", "")), message.outcomes) is not None:
        pass  # it waits for it no more
    elif message.outcome == "unknown":
        runs.will_not_come(message.run, message.key, "message_unknown", reason or UNSURE, asks=True)
    elif message.outcome == "expired":
        runs.will_not_come(
            message.run, message.key, "message_expired", f"{reason} Does the message still fit?", asks=True
        )
    else:
        runs.will_not_come(
            message.run,
            message.key,
            message.code or "message_failed",
            reason or "The message could not be sent.",
        )
    fetch(_TOLD, told)


def _output(message: Message) -> dict[str, object]:
    """What later steps find as `steps.<id>`."""
    result, content = message.result, message.content or {}
    output: dict[str, object] = {
        "message": message.id,
        "status": message.outcome,
        "to": content.get("to"),
        "reason": result.get("reason"),
    }
    if message.channel == "call":
        output |= {"outcome": message.outcome, "attempts": message.number}
        output |= {name: result.get(name) for name in ("label", "transcript", "recording", "call_back_at")}
    return output


def tell_left() -> int:
    """Give runs the result of their message if a process died before it did so, or its receiver opted out and no exit applied; returns how many."""
    now = log.now()
    left = read(_UNTOLD, (now - timedelta(seconds=LEAVES_S), now - timedelta(seconds=LEFT_S), AT_ONCE))
    for message in left:
        try:
            tell_run(message, in_worker=False)
        except Exception:  # noqa: BLE001 (one run's trouble must not stop the others)
            _log.exception("message %s", message.id)
    return len(left)
