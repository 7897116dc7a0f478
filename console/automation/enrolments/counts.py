"""How many are in which workflow, at which step, in which version. Nothing is counted when it is asked for: each change of rows notes its difference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.auth import access
from console.auth.access import EVERY_RUN
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.runs import Difference
from console.runs.views import record_reach

AT_ONCE = 10_000
MOST_LINES = 200
"""Lines that a workflow's counts may have before they are folded."""
_COUNTS = """
select c.version, c.step, c.status, sum(c.n) from console.enrolment_count c where c.workflow = %s
group by c.version, c.step, c.status having sum(c.n) <> 0
"""
_COUNTS_OF = """
select e.version, e.step, e.status, count(*) from console.enrolment e where e.workflow = %s and (e.record is null or e.record = any(%s)) group by 1, 2, 3
"""
_RECORDS = "select e.record from console.enrolment e where e.workflow = %s and e.record is not null order by e.id desc limit %s"
Line = tuple[int | None, str | None, str, int]
_WRONG_PLACES = f"""
select e.id, array_remove(array[case when e.version is distinct from r.version then 'version' end, case when a.step is not null and e.step is distinct from a.step
    then 'step' end, case when r.ended_at is not null then 'status' end], null)
from console.enrolment e join {EVERY_RUN.sql()} on r.id = e.run left join console.attempt a on a.run = r.id and a.n = r.current
where e.left_at is null and (e.version is distinct from r.version or (a.step is not null and e.step is distinct from a.step) or r.ended_at is not null)
"""  # noqa: S608 (texts of ours)
_MEND_PLACES = f"""
update console.enrolment e set version = r.version, step = coalesce(a.step, e.step), left_at = r.ended_at, reason = r.reason,
    status = case when r.ended_at is null then 'active' else 'left' end, ending = case when r.ended_at is not null then r.status end
from {EVERY_RUN.sql()} left join console.attempt a on a.run = r.id and a.n = r.current where r.id = e.run and e.id = any(%s) returning e.id
"""  # noqa: S608 (texts of ours)
_LEAVE_ENDED = _MEND_PLACES.replace(
    " returning", " and r.ended_at is not null and e.left_at is null returning"
)
_WRONG_COUNTS = """
with counted as (select e.workflow, e.version, e.step, e.status, count(*) as n from console.enrolment e group by 1, 2, 3, 4),
told as (select c.workflow, c.version, c.step, c.status, sum(c.n) as n from console.enrolment_count c group by 1, 2, 3, 4 having sum(c.n) <> 0)
select workflow, version, step, status, sum(n) from (
    select workflow, version, step, status, n from counted union all select workflow, version, step, status, -n from told
) d group by 1, 2, 3, 4 having sum(n) <> 0 order by 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Who is in a workflow: those who wait to begin, those whose run is live, by step (who waits stands at the first one), by version; and who has left."""

    waiting: int = 0
    active: int = 0
    left: int = 0
    refused: int = 0
    steps: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[int, int] = field(default_factory=dict)

    @property
    def enrolled(self) -> int:
        """Everybody who is in it now."""
        return self.waiting + self.active

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        numbers = {name: getattr(self, name) for name in ("enrolled", "waiting", "active")}
        return numbers | {
            "steps": dict(self.steps),
            "versions": {str(version): n for version, n in self.versions.items()},
        }


def counts_for(actor: Actor, workflow_id: str, collection: str | None) -> Counts:
    """The counts of a workflow about this collection, of those whose record the actor sees. One statement; for an actor who sees only a part of the
    records another one to their source: then the newest `MOST_COUNTED` are counted.
    """
    return of_lines(lines_for(actor, workflow_id, collection))


def lines_for(actor: Actor, workflow_id: str, collection: str | None) -> Sequence[Line]:
    """How many are in which version, at which step, in which state, as `counts_for`."""
    seen = seen_records(actor, workflow_id, collection)
    rows = fetch(_COUNTS, (workflow_id,)) if seen is None else fetch(_COUNTS_OF, (workflow_id, seen))
    return [(version, step, status, int(n)) for version, step, status, n in rows]


def seen_records(actor: Actor, workflow_id: str, collection: str | None) -> list[str] | None:
    """The keys of the newest `MOST_COUNTED` in the workflow whose records the actor sees; None for who sees every record."""
    if collection is None or access.scope_for(actor, collection, "read").unlimited:
        return None
    keys = {row[0] for row in fetch(_RECORDS, (workflow_id, record_reach.MOST_COUNTED))}
    return sorted(record_reach.visible_records(actor, {collection: keys})[collection])


def of_lines(rows: Iterable[Line]) -> Counts:
    """The counts that these lines add up to."""
    of_status: dict[str, int] = {}
    steps: dict[str, int] = {}
    versions: dict[int, int] = {}
    for version, step, status, n in rows:
        of_status[status] = of_status.get(status, 0) + n
        if status in ("waiting", "active"):
            steps[step or ""] = steps.get(step or "", 0) + n
        if status == "active" and version is not None:
            versions[version] = versions.get(version, 0) + n
    return Counts(
        **of_status,
        steps={step: n for step, n in sorted(steps.items()) if n},
        versions={v: n for v, n in sorted(versions.items()) if n},
    )


def follow() -> int:
    """Update the places of enrolled people from the next events of the log; returns how many events were read. Called by the worker."""
    read = 0
    while events := int(fetch("select console.follow_enrolled_runs(%s)", (AT_ONCE,))[0][0]):
        read += events
        if events < AT_ONCE:
            break
    fetch("select console.fold_enrolment_counts(%s)", (MOST_LINES,))
    return read


def leave_ended(leads: Sequence[str]) -> None:
    """Let those of these leave whose run has ended: events that were read before their run was noted are not read again."""
    if leads:
        fetch(_LEAVE_ENDED, (list(leads),))


def rebuild(*, check: bool = False) -> Iterator[Difference]:
    """Every difference between the enrolments and their runs, and between the counts and the enrolments; corrects them, unless `check`."""
    follow()
    wrong = [(str(row[0]), tuple(row[1])) for row in fetch(_WRONG_PLACES)]
    for lead, columns in wrong:
        yield Difference(lead, "enrolment", "place", columns)
    if wrong and not check:
        fetch(_MEND_PLACES, ([lead for lead, _ in wrong],))
    off = fetch(_WRONG_COUNTS)
    for workflow, version, step, status, n in off:
        yield Difference(
            str(workflow),
            "enrolment_count",
            f"{status} {step or '-'} {version or '-'}",
            (f"off by {int(n)}",),
        )
    if off and not check:
        columns = tuple(list(column) for column in zip(*off, strict=True))
        fetch(
            "insert into console.enrolment_count (workflow, version, step, status, n)"
            " select * from unnest(%s::text[], %s::integer[], %s::text[], %s::text[], %s::bigint[]) returning id",
            columns,
        )
