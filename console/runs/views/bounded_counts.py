"""Counts that read the newest of each figure up to a bound, so that they cost the same however much has happened; for a reader, of what they may see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from console import workflows
from console.auth import access
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.runs.views import record_reach
from console.runs.views.lists import visible_pairs

MOST = 10_000
MOST_CHECKED = 1_000
"""Of what is read one by one: where the reader sees a part of the records, each is looked up in its source."""
WORKFLOWS = "unnest(%(workflows)s::text[], %(most)s::int[]) w(id, most)"
"""SQL: the workflows, each with how many of a figure are read."""
_MORE, _SOME = "more than ", "at least "


@dataclass(frozen=True, slots=True)
class Bounded:
    """`number` of those that were read count; `why` says of how many of them for which reason. `than` stands before the number where others were not read."""

    number: int = 0
    than: str = ""
    why: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Bounded") -> "Bounded":
        why = {name: self.why.get(name, 0) + other.why.get(name, 0) for name in [*self.why, *other.why]}
        return Bounded(
            self.number + other.number, max(self.than, other.than, key=("", _SOME, _MORE).index), why
        )

    def __bool__(self) -> bool:
        return self.number > 0 or bool(self.than)

    def __str__(self) -> str:
        return f"{self.than}{self.number:,}"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a reader may count of some workflows. `given` are the parameters of the texts."""

    actor: Actor
    limited: Sequence[str]
    given: Mapping[str, Any]

    def columns(self, alias: str) -> str:
        """SQL: the collection and the record of a run, message or firing where it has to be looked up in its source whether the reader sees it."""
        one = f"case when {alias}.collection = any(%(limited)s) then {alias}.{{0}} end as {{0}}"
        return ", ".join(
            (one if self.limited else "null::text as {0}").format(name) for name in ("collection", "record")
        )

    def allowed(self, alias: str) -> str:
        """SQL: it is of a team and workflow that the reader may see, and they are cleared for it."""
        pairs = f"{alias}.team || ' ' || {alias}.workflow = any(%(pairs)s::text[])"  # joined with a list of pairs all would be read, and sorted
        return f"{pairs} and {access.runs(self.actor).open(alias)}"


def reach(
    actor: Actor,
    workflow_ids: Collection[str],
    since: datetime,
    until: datetime,
    *,
    also: Collection[str] = (),
) -> Reach:
    """What the actor may count of these workflows between two moments; `also` are collections that are looked up beside those of workflows."""
    beside = {one for one in also if not access.scope_for(actor, one, "read").unlimited}
    limited = {*record_reach.limited_collections(actor), *beside}
    about = {known.id: known.collection for known in workflows.all_known()}
    most = {
        one: MOST_CHECKED if beside or (limited and about.get(one) in (None, *limited)) else MOST
        for one in sorted(workflow_ids)
    }
    pairs = [" ".join(pair) for pair in sorted(visible_pairs(actor)) if pair[1] in most]
    given = {
        "workflows": [*most],
        "most": [*most.values()],
        "limited": sorted(limited),
        "pairs": pairs,
        "since": since,
        "until": until,
    }
    return Reach(actor, sorted(limited), given)


def few(within: Reach) -> Reach:
    """The same reach for a figure of which each is read: never more than `MOST_CHECKED`."""
    return replace(within, given={**within.given, "most": [MOST_CHECKED] * len(within.given["workflows"])})


def count_bounded(within: Reach, statement: str, **given: Any) -> dict[str, dict[str, Bounded]]:
    """Workflow → figure → how many. The statement gives rows (workflow, range, its bound, figure, why, collection, record, how many): of a range one more than
    its bound is read. One statement, and those to the sources.
    """
    rows = fetch(statement, {**within.given, **given}) if within.given["workflows"] else []
    wanted: dict[str, set[str]] = {}
    read: dict[tuple[str, str], int] = {}
    for workflow, part, _, _, _, collection, record, count in rows:
        read[workflow, part] = read.get((workflow, part), 0) + count
        if record is not None:
            wanted.setdefault(collection, set()).add(record)
    visible = record_reach.visible_records(within.actor, wanted)
    counts: dict[tuple[str, str], dict[str, Bounded]] = {}
    for workflow, part, _, name, why, collection, record, count in rows:
        seen = count if record is None or record in visible[collection] else 0
        figures = counts.setdefault((workflow, part), {})
        figures[name] = figures.get(name, Bounded()) + Bounded(seen, why={why: seen} if why and seen else {})
    found: dict[str, dict[str, Bounded]] = {}
    for workflow, part, most in {row[:3] for row in rows}:
        there = found.setdefault(workflow, {})
        for name, figure in counts[workflow, part].items():
            there[name] = there.get(name, Bounded()) + (
                _cut(figure, most) if read[workflow, part] > most else figure
            )
    return found


def _cut(figure: Bounded, most: int) -> Bounded:
    if figure.number <= most:
        return Bounded(figure.number, _SOME, figure.why)
    why = dict(figure.why)  # one more was read than is said
    if why:
        why[max(why, key=lambda name: why[name])] -= 1
    return Bounded(most, _MORE, why)
