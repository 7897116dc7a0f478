"""The attempts of a long run that a page loads: the latest 100, and before them the last completed attempt of each step.

So the cost of a page or of completing a step does not grow with the run. The other attempts are only counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from console.core.run import NEXT_ITEM, SIMULATED, Attempt, Run

LATEST = 100
CAME_TO = ("done", "performing")
MARKS = f"""array(select max(m.n) from console.attempt m where m.run = r.id and r.attempts > {LATEST} and m.n <= r.attempts - {LATEST}
    and m.status in ('done', 'performing') group by m.step)"""  # noqa: S608 (a number of this file)
"""SQL for a row `r` of runs: the numbers of the attempts before the latest that are loaded too."""

LEFT = f"""case when r.attempts > {LATEST} then (
    select jsonb_build_array(count(*), count(*) filter (where l.status not in ('cancelled', 'skipped')), count(*) filter (where l.status = 'done'),
           coalesce(max(l.n), 0), exists (select from console.effect e where e.run = r.id and e.n <= r.attempts - {LATEST} and e.result->>'{SIMULATED}' = 'true'))::text
    from console.attempt l where l.run = r.id and l.n <= r.attempts - {LATEST} and not (l.outcome is not distinct from '{NEXT_ITEM}'
     and exists (select from console.attempt f where f.run = l.run and f.n = l.n + 1 and f.step = l.step and f.replaces is null))) end"""  # noqa: S608 (texts of this file)
"""SQL for a row `r` of runs: the counts of `Left` as JSON; null if no attempt is left out."""


@dataclass(frozen=True, slots=True)
class Left:
    """The attempts before the latest: up to which number, how many steps of the path these are, how many count, how many are done.

    `items` is how many of the last of them belong to the same pass through a list as the first of the latest; `simulated`: the sandbox held back an effect of theirs.
    """

    until: int
    steps: int = 0
    counted: int = 0
    done: int = 0
    items: int = 0
    simulated: bool = False


def left_of(run: Run, text: str | None) -> Left | None:
    """The value of `LEFT` for this run."""
    if text is None:
        return None
    steps, counted, done, last, simulated = orjson.loads(text)
    until = run.made - LATEST
    return Left(until, steps, counted, done, until - last, simulated)


def latest(run: Run, left: Left | None) -> tuple[dict[int, Attempt], Left | None]:
    """(the attempts to keep after the run has gone on, the counts of the others)."""
    until, former = run.made - LATEST, left.until if left else 0
    if until <= former:
        return run.attempts, left
    left = left or Left(0)
    for n in range(former + 1, until + 1):
        left = _behind(left, run.attempts[n], run.attempts[n + 1])
    kept = {
        attempt.step: n
        for n, attempt in sorted(run.attempts.items())
        if n <= until and attempt.status in CAME_TO
    }
    return {n: each for n, each in run.attempts.items() if n > until or kept.get(each.step) == n}, left


def _behind(left: Left, attempt: Attempt, following: Attempt) -> Left:
    left = replace(left, simulated=left.simulated or attempt.simulated)
    if passes_on(attempt, following):
        return replace(left, until=attempt.n, items=left.items + 1)
    counts = attempt.status not in ("cancelled", "skipped")
    return replace(
        left,
        until=attempt.n,
        steps=left.steps + 1,
        counted=left.counted + counts,
        done=left.done + (attempt.status == "done"),
        items=0,
    )


def passes_on(attempt: Attempt, following: Attempt) -> bool:
    """Whether both attempts belong to the same pass through a list, which the path shows as one step."""
    return attempt.step == following.step and attempt.outcome == NEXT_ITEM and following.replaces is None


def path(attempts: Mapping[int, Attempt], left: Left | None) -> list[tuple[Attempt, int]]:
    """(attempt, number of items before it) of the latest attempts, in order. A pass through a list is represented by its last attempt."""
    found: list[tuple[Attempt, int]] = []
    items = left.items if left else 0
    for n, attempt in sorted(attempts.items()):
        if left is not None and n <= left.until:
            continue
        same = bool(found) and passes_on(found[-1][0], attempt)
        found[-1 if same else len(found) :] = [(attempt, found[-1][1] + 1 if same else items)]
        items = 0
    return found
