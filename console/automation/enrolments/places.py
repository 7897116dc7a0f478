"""Who is where: pages of a workflow's enrolments by keyset, one of them with the path that it took. Who may not see a record is told of nobody there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import browse
from console.auth import access, accounts
from console.automation.enrolments.admission import seal_context
from console.automation.enrolments.targets import Target
from console.browse import tags
from console.core.actor import Actor
from console.core.drafting.graph_pieces import NODE
from console.core.errors import ConsoleError, Malformed, NotFound
from console.core.list_addresses import id_of_cursor
from console.core.moments import moment_text
from console.core.run import Attempt
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, read_rows

HERE = ("waiting", "active")
STATUSES = (*HERE, "left", "refused")
PAGE = 50
MOST_PAGES = 20
_PATH = """
select a.run, a.n, a.step, a.attempt, a.status, a.entered_at, a.completed_at, a.by, a.outcome from console.attempt a where a.run = any(%s) order by a.run, a.n
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that a lead came to: what came of it (None while it is there, or where it broke off), and when."""

    step: str
    outcome: str | None
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """A place in a workflow. `title` names the record or the lead; `paused` says that the workflow is; `outcome` is the end that the run of one who has left came to; `tags` are those of a lead without a record."""

    id: str
    title: str
    collection: str | None
    record: str | None
    status: str
    run: str | None
    version: int | None
    step: str | None
    entered_by: str
    entered_by_name: str
    origin: str
    trigger: str | None
    at: datetime
    begun_at: datetime | None
    left_at: datetime | None
    ending: str | None
    reason: str | None
    outcome: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    path: Sequence[Passed] = ()
    tags: Sequence[str] = ()

    def to_json(self, *, paused: bool = False) -> dict[str, Any]:
        """As the API tells it: steps by the ids of their nodes, as `POST …/nodes` answers them."""
        status = "paused" if paused and self.status in HERE else self.status
        history = [
            {"node_id": f"{NODE}{each.step}", "outcome": each.outcome, "at": moment_text(each.at)}
            for each in self.path
        ]
        return {
            "id": self.id,
            "values": dict(self.values),
            "record": self.record,
            "status": status,
            "node_id": f"{NODE}{self.step}" if self.step is not None else None,
            "run_id": self.run,
            "version": self.version,
            "at": moment_text(self.at),
            "left_at": moment_text(self.left_at),
            "reason": self.reason,
            "tags": list(self.tags),
            "history": history,
        }


@dataclass(frozen=True, slots=True)
class Places:
    """A page of leads that the reader may see, the newest first; `next` is the cursor."""

    rows: Sequence[Lead]
    next: str | None


def page(
    actor: Actor,
    target: Target,
    *,
    status: str | None = None,
    step: str | None = None,
    version: int | None = None,
    limit: int = PAGE,
    after: str | None = None,
    paths: bool = False,
) -> Places:
    """Leads of the workflow, which the caller has judged. `status` None: those who are in it now. Raises Malformed for a status or cursor that is none.

    One statement, one for the titles of a page and one for the names; another one with `paths`. For a reader who sees only a part of the records as many
    pages as fill one, at most `MOST_PAGES`.
    """
    kept = tables.enrolment.c
    if status is not None and status not in STATUSES:
        raise Malformed(f"There is no status {status}.", at=("status", f"One of {', '.join(STATUSES)}."))
    if after is not None:
        id_of_cursor(after, "lead_")
    wanted: list[sa.ColumnElement[bool]] = [kept.workflow == target.id]
    wanted.append(kept.left_at.is_(None) if status is None else kept.status == status)
    if step is not None:
        wanted.append(kept.step == step.replace("\x00", ""))
    if version is not None:
        wanted.append(kept.version == version)
    if after is not None:
        wanted.append(kept.id < after)
    found = sa.select(tables.enrolment).where(*wanted).order_by(kept.id.desc()).limit(limit + 1)
    leads: list[Lead] = []
    last: str | None = None
    for _ in range(MOST_PAGES):
        rows = read_rows(found if last is None else found.where(kept.id < last))
        leads += _leads(actor, rows[:limit], paths=paths)
        last = rows[limit - 1].id if len(rows) > limit else None
        if last is None or len(leads) >= limit:
            break
    return Places(leads[:limit], leads[limit - 1].id if len(leads) > limit else last)


def partly(actor: Actor, target: Target) -> bool:
    """Whether the actor sees only a part of the workflow's records."""
    return target.collection is not None and not access.scope_for(actor, target.collection, "read").unlimited


def lead(actor: Actor, target: Target, lead_id: str) -> Lead:
    """One lead of the workflow with its path. Raises NotFound where there is none whose record the actor sees."""
    kept = tables.enrolment.c
    rows: Sequence[Any] = ()
    if "\x00" not in lead_id:
        rows = read_rows(sa.select(tables.enrolment).where(kept.id == lead_id, kept.workflow == target.id))
    leads = _leads(actor, rows, paths=True)
    if not leads:
        raise NotFound
    return leads[0]


def leads_of(run_ids: Sequence[str]) -> dict[str, str]:
    """Run → the enrolment by which somebody is in it. For pages of the runs; the page of an enrolment judges its reader."""
    found = (
        fetch("select run, id from console.enrolment where run = any(%s)", (list(run_ids),))
        if run_ids
        else []
    )
    return {row[0]: row[1] for row in found}


def run_of(lead_id: str) -> str | None:
    """The run of a lead; None before it has begun."""
    return next(
        (row[0] for row in fetch("select e.run from console.enrolment e where e.id = %s", (lead_id,))), None
    )


def _leads(actor: Actor, rows: Sequence[Any], *, paths: bool) -> list[Lead]:
    """The leads whose records the actor sees; one without a record is seen by whoever sees the workflow."""
    titles = _titles(actor, rows)
    values = _values(rows)
    names = accounts.names({row.entered_by for row in rows}) if rows else {}
    passed = _paths([row.run for row in rows if row.run]) if paths else {}
    tagged = tags.names_of_runs([row.run for row in rows if row.run and row.record is None])
    outcomes = _outcomes([row.run for row in rows if row.run and row.left_at])
    return [
        Lead(
            **{
                name: getattr(row, name)
                for name in (
                    "id",
                    "collection",
                    "record",
                    "status",
                    "run",
                    "version",
                    "step",
                    "entered_by",
                    "origin",
                    "trigger",
                )
            },
            **{name: getattr(row, name) for name in ("at", "begun_at", "left_at", "ending", "reason")},
            title=titles[row.record] if row.record is not None else _name(values.get(row.id, {})),
            entered_by_name=names.get(row.entered_by, ""),
            values=values.get(row.id, {}),
            path=passed.get(row.run, ()),
            outcome=outcomes.get(row.run),
            tags=tagged.get(row.run, ()),
        )
        for row in rows
        if row.record is None or row.record in titles
    ]


def _outcomes(run_ids: Sequence[str]) -> dict[str, str]:
    """Run → the label of the end that it came to, for those that came to one."""
    wanted = (
        f"select r.id, r.ending from {access.EVERY_RUN.sql()} where r.id = any(%s) and r.ending is not null"  # noqa: S608 (a text of ours)
    )
    return dict(fetch(wanted, (list(run_ids),))) if run_ids else {}


def _titles(actor: Actor, rows: Sequence[Any]) -> dict[str, str]:
    """Key → title of the records that the actor sees. Who sees all of them sees those that are gone by their keys."""
    keys: dict[str, list[str]] = {}
    for row in rows:
        if row.collection is not None:
            keys.setdefault(row.collection, []).append(row.record)
    found: dict[str, str] = {}
    for collection, wanted in keys.items():
        try:
            scope = access.scope_for(actor, collection, "read")
            found |= dict.fromkeys(wanted, "A record that is gone") if scope.unlimited else {}
            found |= browse.titles(actor, collection, wanted, scope)
        except ConsoleError:
            continue  # the source is down: what cannot be checked is not shown
    return found


def _values(rows: Sequence[Any]) -> dict[str, Mapping[str, Any]]:
    sealed = [row for row in rows if row.ct is not None]
    if sealed:
        subjects.load({row.subject for row in sealed})
    return {row.id: opened_values(row.id, row.subject, row.nonce, row.ct) for row in sealed}


def opened_values(
    lead: str, subject: str | None, nonce: bytes | None, ciphertext: bytes | None
) -> Mapping[str, Any]:
    """The values that somebody came in with; none where they brought none, or were erased."""
    if subject is None or nonce is None or ciphertext is None:
        return {}
    try:
        opened: Mapping[str, Any] = subjects.unseal(subject, seal_context(lead), nonce, ciphertext)
    except subjects.Unreadable:
        return {}
    return opened


def _name(values: Mapping[str, Any]) -> str:
    names = (values.get(name) for name in ("name", "full_name", "company", "email", "phone"))
    return next((str(value) for value in names if value), None) or next(
        (str(value) for value in values.values() if value), "Erased"
    )


def _paths(run_ids: Sequence[str]) -> dict[str, list[Passed]]:
    found: dict[str, list[Passed]] = {}
    for run_id, *row in fetch(_PATH, (list(run_ids),)) if run_ids else []:
        attempt = Attempt(*row)
        at = attempt.completed_at or attempt.entered_at
        found.setdefault(run_id, []).append(Passed(attempt.step, attempt.came_to, attempt.status, at))
    return found
