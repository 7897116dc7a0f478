"""The track record of one step's proposals under one fingerprint: agreement with people who did not see them, coverage, and errors.

Only cases in which the proposal was hidden count as agreement: a person who saw it first may have followed it. Confidential runs are never counted.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from console import workflows
from console.ai.statistics import wilson_lower
from console.core.documents.workflow import Step
from console.core.errors import NotFound
from console.infra.db.engine import fetch

WINDOW = timedelta(days=180)
MOST_CASES = 500
MOST_VERSIONS = 50
WRONG = ("edited", "small_edit", "cleared", "blind_different")
"""Outcomes that say: what was proposed was not what the step needed."""

_WHERE = """
from console.ai_call c
where c.workflow = %(workflow)s and c.step = %(step)s and c.at >= %(since)s and c.label is null
  and c.version = any(%(versions)s) and c.model is not distinct from %(model)s and c.prompt_version is not distinct from %(prompt)s
"""
_HIDDEN = f"""
select c.id, c.run, c.at, f.agreed, f.high from (select c.id, c.run, c.at {_WHERE} and c.mode in ('shadow', 'blind') and c.status = 'ok'
  and c.submitted_at is not null order by c.at desc) c
cross join lateral (
    select bool_and(f.outcome = 'blind_equal') as agreed, bool_and(f.confidence = 'high') as high from console.ai_field f
    where f.call = c.id and f.dropped is null and f.outcome in ('blind_equal', 'blind_different')) f
where f.agreed is not null order by c.at desc limit %(limit)s
"""  # noqa: S608 (texts of this file)
_WRONG = f"""
select c.id, c.run, f.name from (select c.id, c.run, c.at {_WHERE} and c.submitted_at is not null) c join console.ai_field f on f.call = c.id
where f.name = any(%(trusted)s) and f.outcome = any(%(wrong)s) order by c.at desc limit 20
"""  # noqa: S608 (as above)
_SHOWN = f"""
select count(*), count(*) filter (where f.outcome = 'accepted') from (select c.id {_WHERE} and c.mode = 'assist' and c.submitted_at is not null
  and c.submitted_by not like 'sys%%' order by c.at desc limit 2000) c
join console.ai_field f on f.call = c.id and f.dropped is null and f.outcome is not null
"""  # noqa: S608 (as above)
_COVERED = """
select sum(greatest(cardinality(c.asked), 1)), sum(least(greatest(cardinality(c.asked), 1), c.found)) from (
    select c.asked, (select count(*) from console.ai_field f where f.call = c.id and f.dropped is null) as found from console.ai_call c
    where c.workflow = %(workflow)s and c.step = %(step)s and c.at >= %(since)s and c.label is null and c.status in ('ok', 'declined') and c.mode <> 'second'
      and (c.version = any(%(versions)s) and c.model is not distinct from %(model)s and c.prompt_version is not distinct from %(prompt)s) = %(same)s
    order by c.at desc limit %(limit)s) c
"""
_NEWEST = """
select model, prompt_version from console.ai_call
where workflow = %s and step = %s and label is null and status in ('ok', 'declined') and mode <> 'second' order by at desc limit 1
"""
_REVISED = """
select count(*) from console.ai_call where workflow = %s and step = %s and mode = 'auto' and at >= %s - interval '30 days' and revised_at >= %s
"""


@dataclass(frozen=True, slots=True)
class Under:
    """Under what a step's proposals are made: whatever of it changes, what was measured before says nothing any more."""

    workflow: str
    step: str
    model: str | None
    prompt_version: str | None
    print: str
    versions: tuple[int, ...] = ()
    trusted_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One proposal that nobody saw before deciding; `agreed` is whether every value of it was what the person put in."""

    call: str
    run: str
    at: datetime
    agreed: bool
    high: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """`hidden` are the newest cases, newest first; `shown` and `accepted` count values that people saw; coverage is a share of 0–1, None where nothing was asked."""

    hidden: Sequence[Case] = ()
    shown: int = 0
    accepted: int = 0
    coverage: float | None = None
    coverage_before: float | None = None
    wrong_trusted: Sequence[tuple[str, str, str]] = field(default_factory=list)

    @property
    def agreed(self) -> int:
        """In how many of the hidden cases every value was right."""
        return sum(case.agreed for case in self.hidden)

    @property
    def bound(self) -> float:
        """Wilson's lower bound of whole-step agreement."""
        return wilson_lower(self.agreed, len(self.hidden))


def fingerprint(step: Step, model: str | None, prompt_version: str | None) -> str:
    """A short hash of all that a step's proposals depend on: its form and instruction, the model, the words around them."""
    parts = {
        "type": step.type,
        "config": step.config,
        "ai": step.ai.model_dump(mode="json", exclude={"mode", "second_look"}) if step.ai else None,
    }
    text = orjson.dumps([parts, model, prompt_version or model], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]


def under(
    workflow: str, step: str, model: str | None = None, prompt_version: str | None = None
) -> Under | None:
    """The fingerprint of the step in the live version, with the versions that share it; without a model, for that of the newest call. None if there is no such step."""
    live = workflows.newest(workflow)
    live_step = _step(workflow, live, step) if live else None
    if live_step is None:
        return None
    if model is None and prompt_version is None:
        model, prompt_version = next(iter(fetch(_NEWEST, (workflow, step))), (None, None))
    mark = fingerprint(live_step, model, prompt_version)
    alike = [
        number
        for number in range(live, max(0, live - MOST_VERSIONS), -1)
        if (other := _step(workflow, number, step)) is not None
        and fingerprint(other, model, prompt_version) == mark
    ]
    return Under(
        workflow,
        step,
        model,
        prompt_version,
        mark,
        tuple(alike),
        tuple(live_step.ai.trusted_only) if live_step.ai else (),
    )


def gathered(about: Under, now: datetime) -> Evidence:
    """The track record of the last 180 days; five statements for any number of calls."""
    given = _parameters_of(about, now)
    shown, accepted = fetch(_SHOWN, given)[0]
    return Evidence(
        hidden(about, now, MOST_CASES),
        shown,
        accepted,
        _share(fetch(_COVERED, {**given, "same": True})[0]),
        _share(fetch(_COVERED, {**given, "same": False})[0]),
        wrong_trusted(about, now),
    )


def hidden(about: Under, now: datetime, limit: int) -> list[Case]:
    """The newest cases in which the proposal was recorded and not shown, newest first."""
    return [Case(*row) for row in fetch(_HIDDEN, {**_parameters_of(about, now), "limit": limit})]


def wrong_trusted(about: Under, now: datetime, since: datetime | None = None) -> list[tuple[str, str, str]]:
    """(call, run, field) of values that must be right and were not."""
    if not about.trusted_only:
        return []
    given = _parameters_of(about, now) | {"trusted": list(about.trusted_only), "wrong": list(WRONG)}
    return fetch(_WRONG, given | ({"since": since} if since is not None else {}))


def revised_since(workflow: str, step: str, since: datetime) -> int:
    """How many steps that ran automatically somebody sent back since then."""
    return int(fetch(_REVISED, (workflow, step, since, since))[0][0])


def _parameters_of(about: Under, now: datetime) -> dict[str, Any]:
    return {
        "workflow": about.workflow,
        "step": about.step,
        "since": now - WINDOW,
        "versions": list(about.versions),
        "model": about.model,
        "prompt": about.prompt_version,
        "limit": MOST_CASES,
    }


def _share(row: Sequence[Any]) -> float | None:
    return None if not row[0] else int(row[1] or 0) / int(row[0])


def _step(workflow: str, version: int, step: str) -> Step | None:
    try:
        return next(
            (each for each in workflows.version(workflow, version).document.steps if each.id == step), None
        )
    except NotFound:
        return None
