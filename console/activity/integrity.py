"""Whether the log is in order, as far as the console can tell by itself, and the alarm where it is not. What an outsider proves with an export needs none of this."""

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console import log
from console.activity import sequencing
from console.auth import access, notify
from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra.db.engine import fetch, transaction
from console.log import guards, recheck, tree_heads
from console.log.guards import Missing
from console.log.recheck import Checked

logger = logging.getLogger(__name__)
_ALARM = "update console.log_check set alarm = %(words)s where name = 'new' and alarm is distinct from %(words)s returning name"
KEEP = "Keep the database and its backups as they are, compare with a checkpoint that somebody outside holds, and restore a backup from before"
MEND = "console rebuild"


@dataclass(frozen=True, slots=True)
class Standing:
    """The problem that the last check found, and the protections that the database lacks now."""

    checked: Checked
    missing: Sequence[Missing]

    @property
    def in_order(self) -> bool:
        """Whether nothing is known against the log."""
        return self.checked.problem is None and not self.missing

    @property
    def words(self) -> str | None:
        """Everything that is wrong, None where nothing is."""
        problem = [self.checked.problem] if self.checked.problem else []
        return "; ".join([*problem, *(each.words for each in self.missing)]) or None

    @property
    def way_out(self) -> str:
        """What to do about it; empty if nothing is wrong."""
        mend = [
            f"As the owner of the tables: {each.mend}" if each.mend else "Make it as migrations/sql has it"
            for each in self.missing
        ]
        if self.checked.problem:
            mend.insert(0, MEND if MEND in self.checked.problem else KEEP)
        return ". ".join(dict.fromkeys(mend)) + (". Then find out who could do this" if self.missing else "")


def log_state() -> Standing:
    """How the log stands. Two statements, whose cost does not depend on how long the log is."""
    return Standing(recheck.state(), guards.missing())


def look() -> str | None:
    """Look at the log anew, part by part, and at what guards it; everything that is wrong, None where nothing is.

    A tree that is not what the events and the newest signed head tell is made anew at once, and an event says so. Everything else stays as it is: it is an alarm,
    an event and a notice to the administrators, once, and stands in `doctor`, `/health` and `/metrics` until it is mended.
    """
    (former_alarm,) = fetch("select coalesce(alarm, '') from console.log_check where name = 'new'")[0]
    problem = recheck.check()
    if problem is not None and problem not in former_alarm:  # once: it reads the whole log
        if tree_heads.regrown():
            sequencing.told_rebuilt(sequencing.SYSTEM, problem)
        recheck.check()
    words = log_state().words
    if words is not None:
        logger.error("alarm: the activity log is not in order: %s", words)
    if fetch(_ALARM, {"words": words}) and words is not None:
        _tell(words)
    return words


def _tell(words: str) -> None:
    """An event, and a notice to the administrators."""
    now = log_state()
    place = re.match(r"positions? (\d+)", now.checked.problem or "")
    opened = {"position": int(place[1]) if place else None, "guards": len(now.missing)}
    log.note(sequencing.SYSTEM, "log_damaged", open={name: value for name, value in opened.items() if value})
    key = f"log_damaged:{hashlib.sha256(words.encode()).hexdigest()[:16]}"
    notify.notify(sorted(access.holders("admin")), "log_damaged", key, link="/activity/proof")


def rebuild(actor: Actor, *, check: bool = False) -> Iterator[str]:
    """What of the list of events, and of the tree over them, is not what the events say; made anew unless `check`.

    Raises Conflict where the events themselves are not what was signed: then list and tree are what tells of it, and stay.
    """
    if tree_heads.regrown(check=check):
        yield "tree: not the one of the events that were signed"
        if not check:
            sequencing.told_rebuilt(actor, "rebuild")
    if (rows := _relisted(mend=False)) and not tree_heads.leaves_lead():
        raise Conflict(
            f"position {rows[0][0]}: neither the list of events nor the tree over them leads to what was signed: both stay as they are. {KEEP}.",
            code="log_damaged",
        )
    if rows and not check:
        _relisted(mend=True)
        log.note(actor, "log_rebuilt", open={"part": "list", "count": len(rows), "first": rows[0][0]})
    yield from (f"position {place}: activity: {problem}" for place, problem in rows)


def _relisted(*, mend: bool) -> Sequence[tuple[int, str]]:
    try:
        with transaction() as connection:
            return connection.exec_driver_sql("select place, problem from console.relist(%s)", (mend,)).all()
    except sa.exc.DataError as error:
        raise Conflict(
            "An event of the log cannot be read. `console verify` names it; the list stays as it is.",
            code="log_damaged",
        ) from error
