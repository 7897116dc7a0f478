"""How far a step's proposals are trusted: off, shadow, assist, auto. Up by a person who sees the evidence, down by itself.

The step's document says how far it may go without anybody's word (`mode`: off, shadow, assist); only a promotion makes it run by itself, and only while
model, prompt and form are those that were measured. A few cases stay hidden from people for ever, so that there is always something to measure by.
"""

import functools
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy.engine import Connection

from console import log, workflows
from console.ai.proposals import options, track_record
from console.ai.proposals.track_record import Under, fingerprint
from console.ai.statistics import wilson_lower
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

__all__ = [
    "ENGINE",
    "Held",
    "Mode",
    "fingerprint",
    "look_back",
    "mode_of",
    "settle",
    "step_back",
    "stored_mode",
    "worded",
]

Mode = Literal["off", "shadow", "assist", "blind", "auto"]
ENGINE = Actor("system", "sys_engine", "Handrail", session="sys:config")
CHECKED_SHARE = 0.02
"""The lasting share of automatic steps that a person does without seeing the proposal."""
SEASONED = 30
"""Decided proposals before any is hidden: a step that is new shows what it has."""
RECENT = 200
LEAST_BOUND = 0.95
REVERTS = 2
KEPT_S = 60.0

_NEWEST = "select mode, at, by, why, fingerprint, told from console.ai_ladder where workflow = %s and step = %s order by at desc, id desc limit 1"
_AUTOMATIC = """
select distinct on (workflow, step) workflow, step, mode from console.ai_ladder order by workflow, step, at desc, id desc
"""
_INSERT = "insert into console.ai_ladder (id, workflow, step, at, mode, by, why, fingerprint, told) values (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)"
_DECIDED = """
select count(*) from (select from console.ai_call where workflow = %s and step = %s and submitted_at is not null and mode = 'assist' limit %s) c
"""


@dataclass(frozen=True, slots=True)
class Held:
    """The mode of a step: since when, set by whom (None: by itself), why, and under which fingerprint."""

    mode: Literal["shadow", "assist", "auto"]
    at: datetime
    by: str | None
    why: str
    fingerprint: str
    told: dict[str, Any]


def mode_of(workflow: str, step: str, fingerprint: str, own_mode: str, *, call: str) -> Mode:
    """How the proposal of this call is to be used.

    `workflow` is the id, `fingerprint` that of `fingerprint()` over the step, model and prompt version in use, `own_mode` the document's. `blind`: as assist, but
    hidden from this person (5 % of what would be shown, 2 % of what would run by itself); the same call is always answered alike.
    `auto` says that it may run by itself where every value is high, nothing was dropped and nothing flagged. A step that may no longer is stepped back at once.
    """
    if own_mode == "off":
        return "off"
    now_held = stored_mode(workflow, step)
    if now_held is not None and now_held.mode == "auto" and own_mode == "assist":
        if (why := _why_back(workflow, step, fingerprint, now_held)) is None:
            return "blind" if _drawn(call) < CHECKED_SHARE else "auto"
        step_back(workflow, step, why, fingerprint=fingerprint)
        now_held = stored_mode(workflow, step)
    if own_mode == "shadow" and (now_held is None or now_held.mode == "shadow"):
        return "shadow"
    if now_held is not None and now_held.mode == "shadow":
        return "shadow"
    return (
        "blind"
        if _drawn(call) < options.current().blind_percent / 100
        and _has_enough_decisions(workflow, step, int(time.monotonic() // KEPT_S))
        else "assist"
    )


def stored_mode(workflow: str, step: str) -> Held | None:
    """The step's stored mode, set by a person or by stepping back; None if never set."""
    rows = fetch(_NEWEST, (workflow, step))
    return Held(*rows[0]) if rows else None


def look_back() -> int:
    """Step back whatever runs by itself and should not any more: a worker's duty, for steps that nobody comes to. How many did."""
    back = 0
    for workflow, step, mode in fetch(_AUTOMATIC):
        now_held = stored_mode(workflow, step) if mode == "auto" else None
        about = track_record.under(workflow, step) if now_held is not None else None
        if now_held is None or (about is not None and (_why_now(about, now_held)) is None):
            continue
        step_back(
            workflow,
            step,
            "form" if about is None else _why_now(about, now_held) or "",
            fingerprint=about.print if about else "",
        )
        back += 1
    return back


def step_back(workflow: str, step: str, why: str, *, fingerprint: str = "") -> None:
    """Let a step that ran by itself be shown to people again. `why` is changed, form, agreement, trusted_only or reverts. Once, whoever notices first."""
    settle(ENGINE, workflow, step, "assist", why, fingerprint, {}, unless="assist")


def worded(reason: str) -> str:
    """The reason without the spaces around it. Raises Invalid without one."""
    why = reason.strip()
    if not why or len(why) > 2000 or "\x00" in why:
        raise Invalid(
            "A reason is needed.",
            at=("reason", "Say why in at most 2,000 characters; it is kept in the log."),
        )
    return why


def settle(
    actor: Actor,
    workflow: str,
    step: str,
    mode: str,
    why: str,
    mark: str,
    facts: dict[str, Any],
    *,
    unless: str | None = None,
) -> bool:
    """Write where the step stands from now on, with its event; False where it stands at `unless` by now."""
    workflow_known = workflows.find_known(workflow)
    by, label = None if actor is ENGINE else actor.id, workflow_known.label if workflow_known else None
    with transaction() as connection:
        _one_at_a_time(connection, workflow, step)
        rows = connection.exec_driver_sql(_NEWEST, (workflow, step)).all()
        before = rows[0][0] if rows else None
        if unless is not None and before == unless:
            return False
        values = (new_id("ail"), workflow, step, log.now(), mode, by, why, mark, orjson.dumps(facts).decode())
        connection.exec_driver_sql(_INSERT, values)
        open_ = {
            "workflow": workflow,
            "step": step,
            "mode": mode,
            "mode_before": before,
            "fingerprint": mark,
            **facts,
        }
        kind = (
            "ai_promoted"
            if _HEIGHT[mode] > _HEIGHT.get(before or "", -1) and by is not None
            else "ai_stepped_back"
        )
        if by is None:
            open_["cause"] = why
        log.note(
            actor,
            kind,
            open=open_,
            sealed={"reason": why} if by is not None else None,
            team=workflow_known.team if workflow_known and workflow_known.team else None,
            chain=None if label else workflows.CHAIN,
            label=label,
            connection=connection,
        )
    _recent.cache_clear()
    return True


_HEIGHT = {"shadow": 0, "assist": 1, "auto": 2}


def _one_at_a_time(connection: Connection, workflow: str, step: str) -> None:
    connection.exec_driver_sql(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"ai_ladder|{workflow}|{step}",)
    )


def _why_back(workflow: str, step: str, mark: str, now_held: Held) -> str | None:
    """Why the step may no longer run by itself; None where it may."""
    if now_held.fingerprint != mark:
        return "changed"
    return _recent(workflow, step, now_held.at, int(time.monotonic() // KEPT_S))


@functools.lru_cache(maxsize=256)
def _recent(workflow: str, step: str, _at: datetime, _minute: int) -> str | None:
    now_held, about = stored_mode(workflow, step), track_record.under(workflow, step)
    return None if now_held is None else "form" if about is None else _why_now(about, now_held)


def _why_now(about: Under, now_held: Held) -> str | None:
    """The reasons in the track record against it now."""
    now = datetime.now(UTC)
    if now_held.fingerprint != about.print:
        return "changed"
    if track_record.wrong_trusted(about, now, since=now_held.at):
        return "trusted_only"
    if (
        track_record.revised_since(about.workflow, about.step, max(now_held.at, now - timedelta(days=1)))
        >= REVERTS
    ):
        return "reverts"
    cases = track_record.hidden(about, now, RECENT)
    agreed = sum(case.agreed for case in cases)
    return "agreement" if wilson_lower(agreed, len(cases)) < LEAST_BOUND else None


def _drawn(call: str) -> float:
    """A number of 0–1 that the call's id decides: ids are random, and who reads the log later can draw again."""
    return int.from_bytes(hashlib.sha256(call.encode()).digest()[:8]) / 2**64


@functools.lru_cache(maxsize=512)
def _has_enough_decisions(workflow: str, step: str, _minute: int) -> bool:
    return int(fetch(_DECIDED, (workflow, step, SEASONED))[0][0]) >= SEASONED
