"""Failed runs with their cause, read from the log in its order. Incidents and alerts are made of them."""

import hashlib
import re

import sqlalchemy as sa

from console import runs
from console.auth import access
from console.infra.db.engine import fetch, transaction

AT_ONCE = 5_000
TIMED_OUT = "timed_out"
_MARK = sa.text("select number from console.version where name = 'failures' for update skip locked")
_UPTO = sa.text(
    "select max(pos) from (select pos from console.activity where pos > :mark order by pos limit :most) a"
)
_FAILED = sa.text(
    f"""
select a.run, a.pos, a.at, r.workflow, r.version, r.team, r.label, coalesce(r.reason, '') as reason,
    case when a.kind = 'run_timed_out' then '{TIMED_OUT}' else coalesce(convert_from(e.body, 'UTF8')::jsonb #>> '{{data,open,code}}', '') end as code,
    coalesce((select t.step from console.attempt t where t.run = r.id and t.status in ('failed', 'cancelled') order by t.n desc limit 1), '') as step
from console.activity a join console.event e on e.id = a.event join {access.EVERY_RUN.sql()} on r.id = a.run
where a.pos > :mark and a.pos <= :upto and a.kind in ('run_failed', 'run_timed_out') order by a.pos
"""  # noqa: S608 (texts of this file)
)
_INSERT = sa.text(
    "insert into console.failure (run, pos, workflow, version, step, code, cause, at, team, label)"
    " values (:run, :pos, :workflow, :version, :step, :code, :cause, :at, :team, :label) on conflict (run) do nothing"
)
_RETRIED = sa.text(
    f"""
update console.failure f set retried_by = r.id from {access.EVERY_RUN.sql()}, console.activity a
where a.pos > :mark and a.pos <= :upto and a.kind = 'run_started' and r.id = a.run and r.linked_to = f.run and f.retried_by is null
"""  # noqa: S608 (as above)
)
_DONE = sa.text("update console.version set number = :upto where name = 'failures'")
_OF_WHOLE = f"""
from {access.EVERY_RUN.sql("part")} join {access.EVERY_RUN.sql("whole")} on whole.id = part.parent
where part.id = {{run}} and right(part.origin ->> 'key', {len(runs.FREE)}) <> '{runs.FREE}'"""
TOLD_BY_WHOLE = f"""exists (select {_OF_WHOLE} and (whole.ended_at is not null and whole.status <> 'completed' or whole.take_over ->> 'code' is not null))"""
"""Condition, with `run` the column of the failed run: it is a part of a run that did not complete, or asks somebody, which stands for it."""
WHOLE_IS_OPEN = f"""exists (select {_OF_WHOLE} and whole.ended_at is null and whole.waiting ->> 'key' = part.origin ->> 'key'
and right(part.origin ->> 'key', {len(runs.EACH)}) <> '{runs.EACH}')"""
"""Condition, likewise: the run that it is a part of still waits for its parts, so nobody knows yet whether that one fails too. One that goes on when an item fails does not."""
_WHOLES = f"""
with recursive whole as (select parent, 0 as up from {access.EVERY_RUN.sql()} where r.id = %s
    union all select r.parent, up + 1 from whole join {access.EVERY_RUN.sql()} on r.id = whole.parent)
select r.workflow from whole join {access.EVERY_RUN.sql()} on r.id = whole.parent order by up
"""  # noqa: S608 (texts of this file)
_PARTICULARS = re.compile(r"[\"“”'‘’«»][^\"“”'‘’«»]{0,200}[\"“”'‘’«»]|\b[\w.+-]+@[\w.-]+|\b\w*\d[\w.:/-]*")


def read_log() -> int:
    """Write down what failed and what was repeated since the last call; returns how many failed. One process at a time; safe to repeat."""
    found = 0
    while True:
        with transaction() as connection:
            mark = connection.execute(_MARK).scalar()
            upto = (
                None if mark is None else connection.execute(_UPTO, {"mark": mark, "most": AT_ONCE}).scalar()
            )
            if upto is None:
                return found
            bounds = {"mark": mark, "upto": upto}
            rows = connection.execute(_FAILED, bounds).all()
            for row in rows:
                connection.execute(
                    _INSERT, {**row._mapping, "cause": cause_of(row.step, row.code, row.reason)}
                )
            connection.execute(_RETRIED, bounds)
            connection.execute(_DONE, {"upto": upto})
        found += len(rows)


def workflows_of_wholes(run_id: str) -> list[str]:
    """The workflows (their ids) of the runs that this one is a part of, the nearest first."""
    return [row[0] for row in fetch(_WHOLES, (run_id,))]


def cause_of(step: str, code: str, message: str) -> str:
    """A name for failures that are alike: the same step, code and message but for what it names: quoted words, numbers, addresses."""
    alike = _PARTICULARS.sub("…", message.casefold())
    return hashlib.sha256(f"{step}\0{code}\0{alike}".encode()).hexdigest()[:16]
