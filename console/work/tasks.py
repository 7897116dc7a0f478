"""Tasks for a person or a team, made by a run, which may wait for them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, runs
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch, transaction
from console.runs.commands.run_rights import may_work, see

SHOWN = 200
RESULTS = ("done", "not_done")
LONGEST_NOTE = 2000
_COLUMNS = (
    "id, run, run_team, team, assignee, status, waits, due_on, created_at, closed_at, closed_by, subject, nonce, ct, closed_for, "
    "(select array[r.workflow, r.version::text, a.step] from console.run r join console.attempt a on a.run = r.id and a.n = task.n "
    "where r.id = task.run and (r.label is null or r.label = any(%s)))"
)
NOT_YOURS = "A task whose text you may not read"
_SELECT = f"select {_COLUMNS} from console.task"  # noqa: S608 (names of this file)


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its reader may see it. `about` is the title of its run, and `href` its page.

    `away` says that its assignee is away and who stands in; `closed_for` is the assignee in whose place another person closed it;
    `of` is the record of the loop that it is about, whose page the reader may not be allowed to see; `note` is what was said at its closing.
    """

    id: str
    title: str
    text: str | None
    status: str
    waits: bool
    due_on: date | None
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    assignee: str | None
    team: str | None
    about: str
    href: str
    away: str = ""
    closed_for: str | None = None
    of: tuple[str, str] | None = None
    note: str = ""


def tasks_of(actor: Actor, instead: Sequence[str] | None = None) -> list[Task]:
    """Open tasks of the person, and of those who are away and in whose place they stand (`instead`, where known); those due first come first."""
    whose = [actor.id, *(absences.stood_in_for(actor.id) if instead is None else instead)]
    return _read(actor, "assignee = any(%s) and status = 'open' order by due_on nulls last, id", (whose,))


def to_do(actor: Actor, day: date, instead: Sequence[str]) -> tuple[int, int]:
    """How many open tasks of the person, and of these who are away, there are, and how many of them were due before the day."""
    whose = [actor.id, *instead]
    counted = "select count(*), count(*) filter (where due_on < %s) from console.task where assignee = any(%s) and status = 'open'"
    number, late = fetch(counted, (day, whose))[0]
    return number, late


def of_teams(actor: Actor) -> list[Task]:
    """Open tasks of the person's teams that have no assignee or another one."""
    where = (
        "team = any(%s) and status = 'open' and assignee is distinct from %s order by due_on nulls last, id"
    )
    return _read(actor, where, (list(actor.teams), actor.id))


def closed(actor: Actor) -> list[Task]:
    """Closed tasks of the person and their teams, the latest first."""
    where = "status <> 'open' and (assignee = %s or closed_by = %s or team = any(%s)) order by closed_at desc, id desc"
    return _read(actor, where, (actor.id, actor.id, list(actor.teams)))


def open_of_runs(actor: Actor, run_ids: Sequence[str]) -> list[Task]:
    """Open tasks that these runs have made, whoever they are for; those due first come first."""
    return (
        _read(actor, "run = any(%s) and status = 'open' order by due_on nulls last, id", (list(run_ids),))
        if run_ids
        else []
    )


def titles_of(actor: Actor, ids: Sequence[str]) -> dict[str, str]:
    """The titles of these tasks, as far as the person may read them; for who was told of them."""
    return {
        task.id: task.title for task in (_read(actor, "id = any(%s)", (list(ids),), len(ids)) if ids else ())
    }


def _read(actor: Actor, where: str, given: tuple[Any, ...], most: int = SHOWN) -> list[Task]:
    rows = fetch(f"{_SELECT} where {where} limit {most}", (access.runs(actor).cleared, *given))
    names = accounts.names({name for row in rows for name in (row[4], row[10], row[14]) if name})
    others = {row[4] for row in rows if row[4] and row[4] != actor.id and row[5] == "open"}
    gone = absences.away_words(others) if others else {}
    titles: dict[str, str | None] = {}
    with runs.judged_once(row[1] for row in rows):
        found = [(row, _task(actor, row, names, titles)) for row in rows]
    return [replace(task, away=gone.get(row[4], "")) for row, task in found if task is not None]


def _task(actor: Actor, row: Any, names: dict[str, str], titles: dict[str, str | None]) -> Task | None:
    """The task; None where the person may not see its run."""
    (
        ident,
        run,
        _,
        team,
        assignee,
        status,
        waits,
        due_on,
        created_at,
        closed_at,
        closed_by,
        subject,
        nonce,
        ct,
        instead,
        made_at,
    ) = row
    if run not in titles:
        titles[run] = title_if_seen(actor, run)
    about = titles[run]
    if about is None:
        return None
    try:
        values = subjects.unseal(subject, f"task|{ident}", nonce, ct)
    except subjects.Unreadable:
        values = {"title": "Its text was erased"}
    if made_at is not None and not runs.words_of_event(
        actor, made_at[0], int(made_at[1]), made_at[2], run=run
    ):
        values, due_on = {"title": NOT_YOURS}, None
    return Task(
        ident,
        str(values["title"]),
        values.get("text"),
        status,
        waits,
        due_on,
        created_at,
        closed_at,
        names.get(closed_by or ""),
        names.get(assignee or ""),
        team,
        about,
        f"/runs/{run}",
        closed_for=names.get(instead or ""),
        of=(str(values["of"][0]), str(values["of"][1])) if values.get("of") else None,
        note=str(values.get("note") or ""),
    )


def title_if_seen(actor: Actor, run_id: str) -> str | None:
    """The title of the run; None where the person may not see it."""
    try:
        return runs.title(actor, run_id)
    except ConsoleError:
        return None


def could_do(person: str, task_id: str, run_id: str) -> bool:
    """Whether a person, by id, sees the run of the task, and works on such runs or is of another team whose task it is."""
    try:
        theirs = accounts.actor_of_person(person, "sys:engine")
        seen = see(theirs, run_id)
    except ConsoleError:
        return False
    [(team,)] = fetch("select nullif(team, run_team) from console.task where id = %s", (task_id,))
    return team in theirs.teams or may_work(theirs, seen.run, seen.definition)


def close(actor: Actor, task_id: str, result: str, note: str = "") -> None:
    """Close the task with a result. A run that waits for it continues.

    Raises NotFound for a task of other people or about something that the person may not see, Invalid, and Conflict if it is closed already.
    """
    rows = (
        fetch(f"{_SELECT} where id = %s", (access.runs(actor).cleared, task_id))
        if "\x00" not in task_id
        else []
    )
    assignee = rows[0][4] if rows else None
    instead = assignee if assignee in absences.stood_in_for(actor.id) else None
    if (
        not rows
        or not (assignee == actor.id or instead or rows[0][3] in actor.teams)
        or (task := _task(actor, rows[0], {}, {})) is None
    ):
        raise NotFound
    note = note.strip()
    if result not in RESULTS:
        raise Invalid("Say what came of it.", at=("result", f"One of: {', '.join(RESULTS)}."))
    if len(note) > LONGEST_NOTE or "\x00" in note or (result == "not_done" and not note):
        raise Invalid(
            "The task is not closed yet.", at=("note", "Say in at most 2,000 characters why it is not done.")
        )
    run, subject = rows[0][1], rows[0][11]
    kept = _with_note(task_id, subject, rows[0][12], rows[0][13], note)
    changed = sa.text(
        "update console.task set status = :status, closed_at = :at, closed_by = :by, closed_for = :instead,"
        " kid = coalesce(:kid, kid), nonce = coalesce(:nonce, nonce), ct = coalesce(:ct, ct) where id = :id and status = 'open'"
    )
    with transaction() as connection:
        parameters = {
            "status": result,
            "at": log.now(),
            "by": actor.id,
            "instead": instead,
            "id": task_id,
            **kept,
        }
        if connection.execute(changed, parameters).rowcount == 0:
            raise Conflict("This task is closed already.", code="not_possible")
        sealed = {"note": note} if note else None
        opened = {"task": task_id, "result": result} | ({"stands_in_for": instead} if instead else {})
        log.note(actor, "task_closed", open=opened, sealed=sealed, subject=subject, connection=connection)
    if task.waits:
        output = {
            "title": task.title,
            "due": str(task.due_on) if task.due_on else None,
            "result": result,
            "note": note,
            "closed_by": actor.id,
        }
        runs.arrive(actor, run, task_id, outcome=result, output=output)


def _with_note(task_id: str, subject: str, nonce: bytes, ct: bytes, note: str) -> dict[str, Any]:
    """The sealed columns of the task's texts with the note; None for each without a note, or where the texts were erased."""
    columns: tuple[Any, ...] = (None, None, None)
    if note:
        about = f"task|{task_id}"
        with suppress(subjects.Unreadable):
            columns = subjects.seal(
                subject, about, subjects.unseal(subject, about, nonce, ct) | {"note": note}
            )
    return dict(zip(("kid", "nonce", "ct"), columns, strict=True))


_ERASED = "update console.task set status = 'not_done', closed_at = %s, closed_by = %s where subject = %s and status = 'open' returning id"


def close_erased(connection: Connection, actor: Actor, subject: str) -> None:
    """Close the open tasks about somebody in the transaction that erases them: nobody can read any more what they were."""
    for (ident,) in connection.exec_driver_sql(_ERASED, (log.now(), actor.id, subject)).all():
        log.note(actor, "task_closed", open={"task": ident, "result": "not_done"}, connection=connection)


_LEFT = f"""
select t.id, t.run, t.status, t.due_on, t.closed_by, t.subject, t.nonce, t.ct from console.task t
join {access.EVERY_RUN.sql()} on r.id = t.run and r.status = 'waiting_event' and r.waiting->>'key' = t.id
where t.waits and t.status <> 'open' and t.closed_at < now() - interval '5 seconds' limit 100
"""  # noqa: S608 (a text of ours)


def pick_up() -> int:
    """Continue runs that still wait for a closed task, because a process died in between. Returns how many."""
    moved = 0
    for ident, run, status, due_on, closed_by, subject, nonce, ct in fetch(_LEFT):
        try:
            texts = subjects.unseal(subject, f"task|{ident}", nonce, ct)
        except subjects.Unreadable:
            texts = {"title": None}
        told = {"title": texts["title"], "note": texts.get("note", "")}
        output = told | {"due": str(due_on) if due_on else None, "result": status, "closed_by": closed_by}
        moved += runs.arrive(runs.ENGINE, run, ident, outcome=status, output=output)
    return moved
