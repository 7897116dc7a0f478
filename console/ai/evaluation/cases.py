"""The steps behind a figure: when, in which run, who, and what became of the values. Record values are not among them; the run shows those to who may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import workflows
from console.ai.evaluation import measure
from console.ai.evaluation.measure import Window
from console.ai.proposals import field_labels
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import Malformed
from console.core.list_addresses import cursor_of
from console.core.run.proposal import LEVELS
from console.infra.db.engine import fetch

PAGE = 50
_LONG = 120
_VALUE = "exists (select from console.ai_field f where f.call = c.id and {})"
_BECAME: Mapping[str, str] = {
    **{
        name: _VALUE.format(
            f"f.outcome = '{name}' and (%(field)s::text is null or f.name = %(field)s) and (%(level)s::text is null or f.confidence = %(level)s)"
        )
        for name in (
            "accepted",
            "small_edit",
            "edited",
            "cleared",
            "ignored",
            "blind_equal",
            "blind_different",
        )
    },
    "dropped": _VALUE.format("f.dropped is not null and (%(field)s::text is null or f.name = %(field)s)"),
    "changed": _VALUE.format(
        "f.outcome in ('edited', 'small_edit', 'cleared', 'ignored') and (%(field)s::text is null or f.name = %(field)s) and (%(level)s::text is null or f.confidence = %(level)s)"
    ),
    "hidden": "c.mode in ('blind', 'shadow') and c.submitted_at is not null",
    "by_hand": "c.handled_manually and c.submitted_at is not null",
    "without": "c.status in ('failed', 'declined', 'off') and c.submitted_at is not null",
    "quick": f"c.seconds < {measure.QUICK_S} and c.status = 'ok' and c.mode not in ('blind', 'shadow') and c.handled_manually is not true",
    "unopened": "coalesce(c.opened, 0) = 0 and c.submitted_at is not null and c.status = 'ok' and c.mode not in ('blind', 'shadow') and c.handled_manually is not true",
    "revised": "c.revised_at is not null",
    "automatic": "c.submitted_by like 'sys%%'",
}
BECAME = tuple(_BECAME)
_ROWS = """
select c.id, c.at, c.run, c.workflow, c.step, c.version, c.status, c.code, c.mode, c.model, c.submitted_by, c.submitted_at, c.handled_manually, c.seconds, c.opened,
       (select array_agg(array[f.name, coalesce(f.confidence, ''), coalesce(f.outcome, case when f.dropped is not null then 'dropped' end, '')] order by f.name)
          from console.ai_field f where f.call = c.id)
from console.ai_call c
where c.at >= %(since)s and c.at < %(until)s and c.label is null and c.mode <> 'second' and (%(seen)s::text[] is null or c.run = any(%(seen)s)) and (c.team, c.workflow) in (select * from unnest(%(teams)s::text[], %(workflows)s::text[]))
  and (%(workflow)s::text is null or c.workflow = %(workflow)s) and (%(step)s::text is null or c.step = %(step)s)
  and (%(person)s::text is null or c.submitted_by = %(person)s) and (%(code)s::text is null or c.code = %(code)s)
  and (%(field)s::text is null or exists (select from console.ai_field f where f.call = c.id and f.name = %(field)s))
  and (%(after_at)s::timestamptz is null or (c.at, c.id) < (%(after_at)s, %(after_id)s)) and {}
order by c.at desc, c.id desc limit %(page)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the steps: `became` is one of BECAME; every part may be None."""

    became: str | None = None
    field: str | None = None
    level: str | None = None
    person: str | None = None
    code: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One step that asked. `values` are (field, confidence, what became of it); `opened` counts sources, `seconds` from being shown to being handed in."""

    call: str
    at: datetime
    run: str
    workflow: str
    step: str
    version: int
    status: str
    code: str | None
    mode: str
    model: str | None
    person: str | None
    submitted_at: datetime | None
    by_hand: bool
    seconds: float | None
    opened: int | None
    values: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cases, newest first; `next` is the cursor of the following one, `labels` (workflow, step, field) → what people call it."""

    rows: Sequence[Case]
    next: str | None
    names: Mapping[str, str]
    titles: Mapping[tuple[str, str], str]
    known: Mapping[str, workflows.Known]
    labels: Mapping[tuple[str, str, str], str]


def find_cases(actor: Actor, window: Window, wanted: Wanted) -> Page:
    """The steps behind a figure, for who may read the figure. Raises NotAllowed, NotFound, Malformed."""
    seen = measure.allowed(actor)
    given = measure.parameters(actor, seen, window) | _checked(wanted) | {"page": PAGE + 1}
    rows = fetch(_ROWS.format(_BECAME[wanted.became] if wanted.became else "true"), given)
    cases = [_case(row) for row in rows[:PAGE]]
    known = {each.id: each for each in seen.values()}
    people = {case.person for case in cases if case.person}
    following = f"{cases[-1].at.isoformat()}~{cases[-1].call}" if len(rows) > PAGE else None
    return Page(
        cases,
        following,
        accounts.names(people) if people else {},
        measure.titles(list(known.values()), [(case.workflow, case.step) for case in cases]),
        known,
        field_labels.of_live(
            list(known.values()),
            [(case.workflow, case.step, name) for case in cases for name, _, _ in case.values],
        ),
    )


def _case(row: Sequence[Any]) -> Case:
    values = [(str(name), str(level), str(became)) for name, level, became in row[15] or ()]
    columns = dict(
        zip(
            (
                "call",
                "at",
                "run",
                "workflow",
                "step",
                "version",
                "status",
                "code",
                "mode",
                "model",
                "person",
                "submitted_at",
            ),
            row,
            strict=False,
        )
    )
    return Case(
        **columns,
        by_hand=bool(row[12]),
        seconds=None if row[13] is None else float(row[13]),
        opened=row[14],
        values=values,
    )


def _checked(wanted: Wanted) -> dict[str, Any]:
    if wanted.became is not None and wanted.became not in BECAME:
        raise Malformed(
            f"There is no outcome {wanted.became}.", at=("became", f"One of {', '.join(BECAME)}.")
        )
    if wanted.level is not None and wanted.level not in LEVELS:
        raise Malformed(f"There is no level {wanted.level}.", at=("level", f"One of {', '.join(LEVELS)}."))
    given = {"field": wanted.field, "level": wanted.level, "person": wanted.person, "code": wanted.code}
    for name, value in given.items():
        if value is not None and (len(value) > _LONG or "\x00" in value):
            raise Malformed(f"{name} is no name.", at=(name, "Nothing is called like this."))
    return given | _cursor(wanted.after)


def _cursor(text: str | None) -> dict[str, Any]:
    if text is None:
        return {"after_at": None, "after_id": None}
    moment, call = cursor_of(text, "aic_")
    return {"after_at": moment, "after_id": call}
