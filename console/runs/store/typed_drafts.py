"""Drafts: unfinished forms. They are the only state of a run outside the log, and encrypted under the subject's key."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from console import log
from console.core.run.proposal import MARKS
from console.infra import subjects
from console.infra.db import request_writes, tables
from console.infra.db.engine import fetch
from console.infra.db.run_reach import EVERY_RUN


@dataclass(frozen=True, slots=True)
class Draft:
    """The unfinished values of an attempt, who typed them, and when they were saved."""

    values: Mapping[str, Any]
    saved_at: datetime
    by: str

    def to_json(self) -> dict[str, Any]:
        """`{values, outcome, saved_at, by}`."""
        marks = self.values.get(MARKS)
        outcome = marks.get("outcome") if isinstance(marks, Mapping) else None
        return {
            "values": dict(self.values),
            "outcome": outcome,
            "saved_at": log.body.moment(self.saved_at),
            "by": self.by,
        }


def keep(run_id: str, n: int, person: str, subject: str, values: Mapping[str, Any], now: datetime) -> bool:
    """Save the draft in place of the earlier one. False, and nothing saved, if the person does not hold the run at that attempt."""
    kid, nonce, ciphertext = subjects.seal(subject, f"draft|{run_id}|{n}|{person}", dict(values))
    kept = fetch(
        "insert into console.draft (run, n, person, kid, nonce, ct, saved_at) select r.id, %s, %s, %s, %b, %b, %s "  # noqa: S608 (a text of ours)
        f"from {EVERY_RUN.sql()} "
        "where r.id = %s and r.current = %s and r.holder = %s "
        "on conflict (run, n, person) do update set kid = excluded.kid, nonce = excluded.nonce, ct = excluded.ct, saved_at = excluded.saved_at "
        "returning run",
        (n, person, kid, nonce, ciphertext, now, run_id, n, person),
    )
    if kept:
        request_writes.keep_draft()
    return bool(kept)


def put(
    connection: Connection,
    run_id: str,
    n: int,
    person: str,
    subject: str,
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    """Save a draft with the transition after which the run stands at this attempt."""
    kid, nonce, ciphertext = subjects.seal(subject, f"draft|{run_id}|{n}|{person}", dict(values))
    row = {"run": run_id, "n": n, "person": person, "kid": kid, "nonce": nonce, "ct": ciphertext}
    made = insert(tables.draft).values(**row, saved_at=now)
    written = {name: made.excluded[name] for name in ("kid", "nonce", "ct", "saved_at")}
    connection.execute(made.on_conflict_do_update(index_elements=["run", "n", "person"], set_=written))


MARK = "/"
"""Between the id of a step and the name of its field, where the values of several steps are typed on one screen."""


def item_part(step_id: str, key: str) -> str:
    """What the values of an item are called by where the forms of several items of a step are on one screen."""
    return f"{step_id}{MARK}{quote(key, safe='')}"


def of_part(part: str) -> tuple[str, str | None]:
    """(step, key of the item; None: the step has no items) of a part of a screen."""
    step_id, mark, key = part.partition(MARK)
    return step_id, unquote(key) if mark else None


def own_values(values: Mapping[str, Any], step_id: str) -> dict[str, Any]:
    """The values of one further step, or part, among those of a whole screen, by the names that they have there."""
    start = f"{step_id}{MARK}"
    return {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}


def named_values(step_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a further step by the names that they have on the whole screen."""
    return {f"{step_id}{MARK}{name}": value for name, value in values.items()}


def left_on_screen(run_id: str, n: int, subject: str | None, step_id: str) -> Draft | None:
    """What is typed on the screen of attempt `n` for this step, which stands there or below, and for those below it."""
    kept = latest(run_id, n, subject)
    if kept is None:
        return None
    later = {name: value for name, value in kept.values.items() if MARK in name}
    own = own_values(later, step_id)
    rest = {name: value for name, value in later.items() if not name.startswith(f"{step_id}{MARK}")}
    outcome = (kept.values.get(MARKS) or {}).get("outcome")
    chosen = {MARKS: {"outcome": outcome}} if outcome is not None else {}
    left = own | rest | chosen
    return Draft(left, kept.saved_at, kept.by) if left else None


def latest(run_id: str, n: int, subject: str | None) -> Draft | None:
    """The latest draft at the attempt, by any person; None if there is none, or its key was erased."""
    rows = fetch(
        "select person, nonce, ct, saved_at from console.draft where run = %s and n = %s order by saved_at desc limit 1",
        (run_id, n),
    )
    return decrypt_draft(run_id, n, subject, *rows[0]) if rows else None


def decrypt_draft(
    run_id: str, n: int, subject: str | None, person: str, nonce: bytes, ciphertext: bytes, saved_at: datetime
) -> Draft | None:
    """The draft of a row `(person, nonce, ct, saved_at)`; None if its key was erased."""
    if subject is None:
        return None
    try:
        values = subjects.unseal(subject, f"draft|{run_id}|{n}|{person}", nonce, ciphertext)
    except subjects.Unreadable:
        return None
    return Draft(values, saved_at, person)


OTHERS = "others"
MOST_OTHERS = 50


def with_other_items(kept: Draft | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values for one item of a list, or several, with the drafts of other items as `others`: by key, the latest last, at most 50."""
    own = {name: value for name, value in values.items() if name != OTHERS}
    others = drafts_of_items(kept.values) if kept is not None else {}
    others = {key: typed for key, typed in others.items() if key not in drafts_of_items(own)}
    return own | {OTHERS: dict(list(others.items())[-MOST_OTHERS:])} if others else own


def drafts_of_items(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Key → what is typed for this item of a list, by the names of its step's fields; the latest last."""
    found = {str(key): dict(typed) for key, typed in (values.get(OTHERS) or {}).items()}
    own = {name: value for name, value in values.items() if name != OTHERS and MARK not in name}
    if isinstance(own.get("item"), str):
        found.pop(own["item"], None)
        found[own["item"]] = own
    for name, value in values.items():
        part, mark, field = name.rpartition(MARK)
        key = of_part(part)[1] if mark else None
        if key is not None:
            found.setdefault(key, {"item": key})[field] = value
    return found


def left_of_items(run_id: str, n: int, subject: str | None, done: Collection[str]) -> Draft | None:
    """What is typed at attempt `n` for the items of its list that are not `done`."""
    kept = latest(run_id, n, subject)
    left = drafts_of_items(kept.values) if kept is not None else {}
    left = {key: typed for key, typed in left.items() if key not in done}
    return replace(kept, values={"item": None, OTHERS: left}) if kept is not None and left else None
