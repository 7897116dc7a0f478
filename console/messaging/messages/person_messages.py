"""The messages of one person, as erasing them counts them and keeps those that wait from leaving."""

from console import log
from console.infra.db.engine import fetch

_COUNTED = (
    "select count(*), count(*) filter (where status = 'waiting') from console.message where subject = %s"
)
_CALLED_OFF = "update console.message set status = 'cancelled', code = 'erased', due_at = null, at = %s where subject = %s and status = 'waiting' returning id"


def count_of_person(subject: str) -> tuple[int, int]:
    """(how many there are to them and from them, how many of those wait)."""
    every, waiting = fetch(_COUNTED, (subject,))[0]
    return int(every), int(waiting)


def call_off(subject: str) -> int:
    """Let those that wait not leave, because the person is erased; returns how many. Their runs end in the same act."""
    return len(fetch(_CALLED_OFF, (log.now(), subject)))
