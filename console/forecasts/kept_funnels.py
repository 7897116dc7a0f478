"""Funnels that somebody asked for: followed in the background with their progress told, kept for a day, for that person alone.

A funnel is counted from its beginning again where a process died over it: the same seed gives the same one.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from console import accounts, log, queue, records, subjects, workflows
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.moments import moment_text
from console.db import tables
from console.db.engine import alone, fetch, transaction
from console.db.ids import new_id
from console.errors import ConsoleError, Invalid, NotFound, TooMany
from console.forecasts import chances, whom_it_lets_in
from console.forecasts.funnel import Counting, Funnel
from console.forecasts.spending import Prices
from console.forecasts.walking import walk
from console.messages.delivery_gate import DeliveryGate
from console.runs.trying import workflow_trials
from console.runs.trying.workflow_trials import Which
from console.workflows import Definition

KEPT = timedelta(hours=24)
AT_ONCE = 2
"""Funnels of one person that may be waited for at once."""
PART = 50
"""So many contacts are read ahead at once."""
LONGEST_S = 120.0
LATER_S = 2.0
TOLD_EVERY_S = 0.5
MOST_SEED = 999_999
USUAL_SEED = 1
WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
UNDER_WAY = (WAITING, RUNNING)
NOBODY = "Nobody would be let in now, so there is nobody to follow."
NO_COLLECTION = "This workflow is about no records, so nobody is known whom it would let in."
GIVEN_UP = "It broke off by a fault of the console, which is written down. Ask for it again."
_log = logging.getLogger(__name__)
_STOP = "update console.funnel set status = 'stopped' where id = %s and status in ('waiting', 'running') returning 1"
_TELL = "update console.funnel set status = 'running', done = %s, total = %s where id = %s and status in ('waiting', 'running') returning 1"
_STANDS = f"f.status in ('waiting', 'running') and f.created_at < now() - interval '1 minute' and {queue.no_job('f.id')}"
_GAVE_UP = queue.given_up("f.id")
_LEFT = f"update console.funnel f set status = 'failed', why = %s where {_STANDS} and {_GAVE_UP} returning 1"  # noqa: S608 (texts of ours)
_END = """
update console.funnel set status = %s, why = %s, result_nonce = %s, result_ct = %s, done = coalesce(%s, done), total = coalesce(%s, total)
where id = %s and status in ('waiting', 'running') returning 1
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: the draft or the live version, whom to follow (see `whom_it_lets_in.find`), the seed of chance, and chances that differ from the usual ones."""

    which: Which = "draft"
    whom: str = ""
    seed: int = USUAL_SEED
    chances: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptFunnel:
    """A funnel that somebody asked for: how far it is (`done` of `total`, None: not known), and what came of it once it is done."""

    id: str
    person: str
    workflow: str
    wanted: Wanted
    status: str
    why: str
    done: int
    total: int | None
    created_at: datetime
    result: Funnel | None = None

    @property
    def under_way(self) -> bool:
        """Whether it may still come to its end."""
        return self.status in UNDER_WAY

    def to_json(self) -> dict[str, Any]:
        """The same in the shape of the API."""
        plain = {name: getattr(self, name) for name in ("id", "status", "done", "total")}
        return plain | {
            "why": self.why or None,
            "created_at": moment_text(self.created_at),
            "result": self.result.to_json() if self.result is not None else None,
        }


class _Stopped(Exception):
    """Whoever asked for it does not want it any more."""


def ask(actor: Actor, slug_or_id: str, wanted: Wanted) -> str:
    """Have the funnel counted; its id. Raises NotFound, NotAllowed for who may not edit the workflow, DefinitionError, Invalid for chances that are none, TooMany."""
    definition = workflow_trials.definition_to_try(actor, slug_or_id, wanted.which)
    if not 0 <= wanted.seed <= MOST_SEED:
        reason = f"Enter a whole number from 0 to {MOST_SEED:,}."
        raise Invalid(reason, details=[{"field": "seed", "reason": reason}])
    chances.of_document(actor, definition.id, definition.document, wanted.chances)
    ident, now, subject = new_id("fnl"), log.now(), subjects.of_person(actor.id)
    kid, nonce, ciphertext = subjects.seal(subject, _about(ident), asdict(wanted))
    row = {"id": ident, "person": actor.id, "workflow": definition.id, "subject": subject, "kid": kid, "nonce": nonce, "ct": ciphertext}
    kept = tables.funnel.c
    with transaction() as connection:
        under_way = sa.select(sa.func.count()).where(kept.person == actor.id, kept.status.in_(UNDER_WAY))
        if connection.execute(under_way).scalar_one() >= AT_ONCE:
            raise TooMany(f"{AT_ONCE} funnels of yours are being counted already. Wait for one of them, or stop it.", retry_after=10)
        connection.execute(sa.insert(tables.funnel).values(**row, created_at=now, expires_at=now + KEPT))
        queue.enqueue(connection, queue.FORECAST, ident, dedupe_key=ident)
    return ident


def get(actor: Actor, slug_or_id: str, ident: str) -> KeptFunnel:
    """The funnel that this person asked for. Raises NotFound for anybody else, NotAllowed for who may not edit the workflow any more."""
    draft = workflows.open_draft(actor, slug_or_id)
    found = _read(sa.and_(tables.funnel.c.id == ident.replace("\x00", ""), tables.funnel.c.workflow == draft.id))
    if found is None or found.person != actor.id:
        raise NotFound("There is no such funnel, or its day is over: ask for it again.")
    return found


def newest(actor: Actor, workflow: str) -> KeptFunnel | None:
    """The last one that this person asked for of the workflow; None where there is none of today. For who may edit the workflow."""
    return _read(sa.and_(tables.funnel.c.person == actor.id, tables.funnel.c.workflow == workflow))


def stop(actor: Actor, slug_or_id: str, ident: str) -> None:
    """Count no further. Raises as `get`."""
    fetch(_STOP, (get(actor, slug_or_id, ident).id,))


def sweep() -> int:
    """Forget those whose day is over, and end those whose job was given up; how many are forgotten."""
    fetch(_LEFT, (GIVEN_UP,))
    return len(fetch("delete from console.funnel where expires_at < now() returning id"))


# ------------------------------------------------------------------------------------------------------- in the background


def advance(ident: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: counts it with the rights of who asked. Raises PutBack where the process ends before it is done."""
    found = _read(tables.funnel.c.id == ident)
    if found is None or not found.under_way:
        return
    with alone(ident) as mine:
        if not mine:
            raise queue.PutBack(LATER_S)
        try:
            actor = accounts.actor_of_person(found.person, "sys:engine")
            definition = workflow_trials.definition_to_try(actor, found.workflow, found.wanted.which)
            told = _Telling(ident, stopping)
            funnel = counted(actor, definition, found.wanted, told)
        except _Stopped:
            return
        except queue.PutBack:
            raise
        except ConsoleError as error:
            fetch(_END, (FAILED, error.words, None, None, None, None, ident))
        except Exception:  # noqa: BLE001 (whatever it was, whoever waits for it is told)
            _log.exception("alarm: the funnel %s broke off", ident)
            fetch(
                _END, (FAILED, "It broke off by a fault of ours, which was written down. Ask for it again.", None, None, None, None, ident)
            )
        else:
            _, nonce, ciphertext = subjects.seal(subjects.of_person(found.person), f"{_about(ident)}|result", funnel.to_json())
            fetch(_END, (DONE, "", nonce, ciphertext, funnel.walked, funnel.walked, ident))


class _Telling:
    """Tells how far it is, twice a second, and hears then whether it goes on."""

    def __init__(self, ident: str, stopping: Callable[[], bool]) -> None:
        self._ident, self._stopping, self._told = ident, stopping, 0.0

    def __call__(self, done: int, total: int | None) -> None:
        if self._stopping():
            raise queue.PutBack(LATER_S)
        if time.monotonic() - self._told < TOLD_EVERY_S:
            return
        self._told = time.monotonic()
        if not fetch(_TELL, (done, total, self._ident)):
            raise _Stopped


def counted(
    actor: Actor,
    definition: Definition,
    wanted: Wanted,
    tell: Callable[[int, int | None], None] | None = None,
    *,
    most: int = whom_it_lets_in.MOST,
    longest_s: float = LONGEST_S,
) -> Funnel:
    """The funnel of at most `most` contacts; what is not done after `longest_s` is left out, and said. Raises NotFound, NotAllowed, SourceDown."""
    until, document, began = time.monotonic() + longest_s, definition.document, log.now()

    def going_on() -> bool:
        if tell is not None:
            tell(0, None)
        return time.monotonic() < until

    of_steps = chances.of_document(actor, definition.id, document, wanted.chances)
    whom = whom_it_lets_in.find(actor, definition.id, document, whom=wanted.whom, most=most, going_on=going_on)
    version = definition.number if definition.number > 0 else None
    funnel = Funnel(
        more=whom.more, inside=whom.inside, leaving=whom.leaving, seed=wanted.seed, version=version, whom=wanted.whom, at=moment_text(began),
        chances=[each.to_json() for each in of_steps], notes=list(whom.notes),
    )  # fmt: skip
    counting, keys = Counting(document, funnel, Prices(definition.id)), list(whom.found)
    if not keys:
        funnel.notes.append(NO_COLLECTION if document.collection is None else NOBODY)
        return counting.done()
    gate, collection = DeliveryGate(actor, document.title), records.collection(str(document.collection)).id
    scripts = chances.scripts(of_steps, wanted.seed, keys)
    for start in range(0, len(keys), PART):
        part = keys[start : start + PART]
        there = whom_it_lets_in.read(actor, collection, part)
        gate.read_ahead(collection, part)
        for number, (key, script) in enumerate(zip(part, scripts, strict=False), start):
            if key not in there:
                continue
            if time.monotonic() > until:
                funnel.more = funnel.stopped_early = True
                return counting.done()
            if tell is not None:
                tell(number, len(keys))
            begins = began + _turn(document, number)
            counting.add(walk(actor, definition, there[key], whom.found[key], script, gate, begins))
    return counting.done()


def _turn(document: Workflow, number: int) -> timedelta:
    """How much later than the first this one begins, by the pace of the workflow."""
    pace = document.settings
    days = number // pace.per_day if pace.per_day else 0
    within = number % pace.per_day if pace.per_day else number
    return timedelta(days=days, minutes=within // pace.per_minute if pace.per_minute else 0)


def _read(wanted: sa.ColumnElement[bool]) -> KeptFunnel | None:
    """The newest that is meant, unless its day is over or its question can no longer be read."""
    kept = tables.funnel
    newest_first = sa.select(kept).where(wanted, kept.c.expires_at > log.now()).order_by(kept.c.created_at.desc()).limit(1)
    with transaction() as connection:
        row = connection.execute(newest_first).first()
    if row is None:
        return None
    try:
        asked = Wanted(**subjects.unseal(row.subject, _about(row.id), row.nonce, row.ct))
        result = None
        if row.result_ct is not None:
            result = Funnel.of_json(subjects.unseal(row.subject, f"{_about(row.id)}|result", row.result_nonce, row.result_ct))
    except subjects.Unreadable:
        return None
    plain = {name: getattr(row, name) for name in ("id", "person", "workflow", "status", "why", "done", "total", "created_at")}
    return KeptFunnel(wanted=asked, result=result, **plain)


def _about(ident: str) -> str:
    return f"funnel|{ident}"
