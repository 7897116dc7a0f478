"""What runs have made outside that steps of a run started: branches, bodies of loops, other workflows. For going back, and for a step that starts them again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from console.core.run import Attempt, Effect, Run, repeating
from console.core.run.commands import FormerRuns
from console.infra.db.engine import fetch
from console.infra.db.run_reach import EVERY_RUN
from console.runs.store.run_store import load

MOST = 100
HARMLESS = repeating.COMPARED | {"notice"}
"""Kinds that nobody is asked about: a write that compares first, and a notice to people of the house."""
_MADE = f"""
with recursive started as (
    select r.id, split_part(r.origin ->> 'key', ':', 2)::int as n from {EVERY_RUN.sql()} where r.parent = %s
    union all select c.id, s.n from started s join {EVERY_RUN.sql("c")} on c.parent = s.id
)
select s.n, s.id from started s where s.n = any(%s)
and exists (select from console.effect e where e.run = s.id and e.status in ('succeeded', 'unknown') and e.compensates is null)
order by s.id desc limit %s
"""  # noqa: S608 (a text of ours)


def made_by_runs(
    run: Run, attempts: Iterable[Attempt], shown: Callable[[str], bool] | None = None
) -> list[tuple[Attempt, Effect]]:
    """(the attempt, the effect) of what runs made, and nobody took back, that these attempts have started, or runs of theirs; the newest run first.

    `shown` says of which runs it may be told. A task is named without its title, which may hold values of that run alone.
    """
    by_number = {attempt.n: attempt for attempt in attempts}
    found: list[tuple[Attempt, Effect]] = []
    for number, run_id in fetch(_MADE, (run.id, list(by_number), MOST)):
        loaded = load(run_id, whole=True) if shown is None or shown(run_id) else None
        if loaded is None:
            continue
        newest = [loaded.run.attempts[n] for n in sorted(loaded.run.attempts, reverse=True)]
        made = repeating.outstanding(loaded.run, newest)
        found += [
            (by_number[number], replace(effect, request={}) if effect.kind == "task" else effect)
            for _, effect in made
        ]
    return found


def former_runs(run: Run, values: Mapping[str, Any]) -> FormerRuns | None:
    """What runs made that the current step started before: at attempts that were cancelled, or at this one, which failed then. None if they made nothing.

    All attempts must be loaded, or the last one of the step if it stands and started runs. `values` are those that the step is completed with now: its result can be kept if it would start the same runs with the
    same context.
    """
    current = run.attempt
    if current is None:
        return None
    gone = [current]
    for attempt in sorted(run.attempts.values(), key=lambda each: each.n, reverse=True):
        if attempt.n < current.n and repeating.same_place(attempt, current):
            if not attempt.standing:
                gone.append(attempt)
            elif starts_runs_and_stands(attempt):
                break
    made = [(attempt, effect) for attempt, effect in made_by_runs(run, gone) if effect.kind not in HARMLESS]
    if not made:
        return None
    by = {attempt.n: attempt for attempt, _ in made}
    only = next(iter(by.values())) if len(by) == 1 else current
    same = (
        only is not current
        and only.completed_at is not None
        and only.outcome is not None
        and only.values == values
    )
    return FormerRuns([effect for _, effect in made], only if same and _same_context(run, only) else None)


def starts_runs_and_stands(attempt: Attempt) -> bool:
    """Whether it still stands and started runs: what runs made that the step started before it does not matter any more."""
    return attempt.standing and bool(attempt.values.get("children"))


_FORKS = f"select distinct r.fork -> 'context' from {EVERY_RUN.sql()} where r.parent = %s and split_part(r.origin ->> 'key', ':', 2)::int = %s"  # noqa: S608 (a text of ours)


def _same_context(run: Run, attempt: Attempt) -> bool:
    """Whether the run knows now what it knew when the attempt started its runs."""
    return [row[0] for row in fetch(_FORKS, (run.id, attempt.n))] in ([run.context], [None])
