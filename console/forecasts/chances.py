"""How likely each ending of a step is that people or the world outside decide: by what came of it lately, else by figures that are stated as assumed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from console import log, steps
from console.core.actor import Actor
from console.core.documents.saved_tests import ChosenAnswer, ChosenEnding
from console.core.documents.workflow import Step, Workflow
from console.core.plain_words import humanised
from console.core.run.simulation import Script
from console.db import tables
from console.db.engine import hot_engine
from console.errors import Invalid
from console.runs.showing import record_reach
from console.steps.message_settings import MessageStep

LATELY = timedelta(days=30)
ENOUGH = 20
"""So many endings of a step lately say more than what is assumed."""
WHOLE = 100
DECIDED_BY_RULES = frozenset({"skipped", "expired"})
"""Endings of a message that consent, hours and caps decide, not chance."""
BY_OTHERS = frozenset({"llm", "human_input", "approval", "request_documents", "create_task"})
"""Steps that begin by themselves, and end as people or a model say."""
CALL, MESSAGE, EVENT, PERSON = "call", "message", "event", "person"
WORDS = {
    "event": "It happens", "timeout": "Nothing happens in time", "message.received": "They answer", "message.opened": "They open the e-mail",
    "sent": "It leaves and arrives", "failed": "It fails", "answered": "Answered, without a label", "no_answer": "Nobody answers",
    "voicemail": "A voicemail answers", "busy": "Busy",
}  # fmt: skip
ASSUMED_CALL = {"answered": 35, "no_answer": 35, "voicemail": 20, "busy": 8, "failed": 2}
UNLABELLED = 5
ASSUMED_EVENT, ASSUMED_ALSO = 15, 25


@dataclass(frozen=True, slots=True)
class StepChances:
    """The endings of a step in percent, together 100. `source` is `assumed`, `lately` (of so many `seen`) or `chosen`."""

    step: str
    title: str
    kind: str
    percent: Mapping[str, int]
    source: str = "assumed"
    seen: int = 0

    def words(self, ending: str) -> str:
        """The ending for people."""
        return WORDS.get(ending, humanised(ending))

    def to_json(self) -> dict[str, Any]:
        """CHANCES of the API."""
        return {"step": self.step, "title": self.title, "percent": dict(self.percent), "source": self.source, "seen": self.seen}


def of_document(
    actor: Actor, workflow: str, document: Workflow, chosen: Mapping[str, Mapping[str, int]] | None = None
) -> list[StepChances]:
    """The chances of each step of the document that has several endings by chance. `chosen` are those that the tester set. One or two statements.

    Raises Invalid for chances that are none: `chances.<step>`.
    """
    assumed = [each for step in document.steps if (each := _assumed(step)) is not None]
    seen = _lately(actor, workflow) if assumed else {}
    told = [_with_seen(each, document, seen.get(each.step, {})) for each in assumed]
    return _with_chosen(told, chosen or {})


def _assumed(step: Step) -> StepChances | None:
    kind, view = steps.get(step.type), steps.view(step)
    if isinstance(kind, MessageStep):
        if kind.channel != "call":
            return StepChances(step.id, step.title, MESSAGE, {"sent": 98, "failed": 2})
        labels = [label for label in view.config.answers if label in step.next]
        percent = dict(ASSUMED_CALL)
        if labels:
            percent["answered"] = UNLABELLED
            percent |= _shares(labels, ASSUMED_CALL["answered"] - UNLABELLED)
        return StepChances(step.id, step.title, CALL, percent)
    if step.type == "wait":
        if view.config.event is None:
            return None
        percent = {
            view.config.event: ASSUMED_EVENT,
            **_shares([each for each in view.config.also if each != view.config.event], ASSUMED_ALSO),
        }
        return StepChances(step.id, step.title, EVENT, {**percent, "timeout": WHOLE - sum(percent.values())})
    ways = list(kind.outcomes(view.config))
    by_chance = kind.name in BY_OTHERS or not kind.by_itself(step.config)
    return StepChances(step.id, step.title, PERSON, _shares(ways, WHOLE)) if ways and by_chance and step.next else None


def _shares(names: Sequence[str], whole: int) -> dict[str, int]:
    """The whole in equal parts; what is left over goes to the first ones."""
    each, over = divmod(whole, len(names)) if names else (0, 0)
    return {name: each + (number < over) for number, name in enumerate(names)}


def _lately(actor: Actor, workflow: str) -> dict[str, dict[str, int]]:
    """Step → how often it ended how in the last 30 days, in runs that the actor may count."""
    run, attempt = tables.run.c, tables.attempt.c
    allowed = record_reach.countable_runs(actor, run.workflow == workflow, run.version > 0)
    counted = (
        sa.select(attempt.step, attempt.outcome, sa.func.count())
        .select_from(tables.attempt.join(tables.run, run.id == attempt.run))
        .where(allowed, attempt.completed_at > log.now() - LATELY, attempt.outcome.is_not(None), attempt.status == "done")
        .group_by(attempt.step, attempt.outcome)
    )
    found: dict[str, dict[str, int]] = {}
    with hot_engine().connect() as connection:
        for step, outcome, count in connection.execute(counted):
            found.setdefault(step, {})[outcome] = count
    return found


def _with_seen(assumed: StepChances, document: Workflow, seen: Mapping[str, int]) -> StepChances:
    """The chances by what came of the step lately, where that was often enough. A wait says only whether something happened, so that what did keeps its share."""
    counts = {ending: count for ending, count in seen.items() if ending not in DECIDED_BY_RULES}
    total = sum(counts.values())
    if total < ENOUGH:
        return assumed
    if assumed.kind == EVENT:
        happened = round(WHOLE * counts.get("event", 0) / total)
        main, *also = [name for name in assumed.percent if name != "timeout"]
        share = sum(assumed.percent[name] for name in (main, *also))
        parts = {name: happened * assumed.percent[name] // share for name in also}
        percent = {main: happened - sum(parts.values()), **parts, "timeout": WHOLE - happened}
    else:
        percent = _rounded(_by_try(assumed, document, counts))
    return StepChances(assumed.step, assumed.title, assumed.kind, percent, "lately", total)


def _by_try(assumed: StepChances, document: Workflow, counts: Mapping[str, int]) -> dict[str, float]:
    """The weight of each ending of one try. A call that is tried several times ends unanswered only where every try did."""
    weights = {name: float(counts.get(name, 0)) for name in assumed.percent}
    step = document.step(assumed.step)
    tries = steps.view(step).config.max_attempts if assumed.kind == CALL else 1
    vain = sum(weights.get(name, 0.0) for name in ("no_answer", "voicemail", "busy"))
    total = sum(weights.values())
    if tries == 1 or not vain or vain == total:
        return weights
    once: float = (vain / total) ** (1 / tries)
    scale = {True: once / (vain / total), False: (1 - once) / (1 - vain / total)}
    return {name: weight * scale[name in ("no_answer", "voicemail", "busy")] for name, weight in weights.items()}


def _rounded(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole percents that add up to 100; the largest takes what rounding leaves over."""
    total = sum(weights.values())
    if not total:
        return _shares(list(weights), WHOLE)
    percent = {name: int(WHOLE * weight / total) for name, weight in weights.items()}
    percent[max(weights, key=lambda name: weights[name])] += WHOLE - sum(percent.values())
    return percent


def _with_chosen(told: Sequence[StepChances], chosen: Mapping[str, Mapping[str, int]]) -> list[StepChances]:
    by_step, wrong = {each.step: each for each in told}, list[dict[str, str]]()
    for step, percent in chosen.items():
        known = by_step.get(step)
        if known is None:
            wrong.append({"field": f"chances.{step}", "reason": "The workflow has no such step that ends by chance."})
        elif strange := sorted(set(percent) - set(known.percent)):
            wrong.append({"field": f"chances.{step}", "reason": f"“{known.title}” does not end as {strange[0]}."})
        elif min(percent.values(), default=0) < 0 or sum(percent.values()) != WHOLE:
            wrong.append(
                {"field": f"chances.{step}", "reason": f"“{known.title}”: the shares add up to {sum(percent.values())}, not to 100."}
            )
        elif {name: share for name, share in percent.items() if share} != {name: share for name, share in known.percent.items() if share}:
            whole = {name: percent.get(name, 0) for name in known.percent}
            by_step[step] = StepChances(step, known.title, known.kind, whole, "chosen")
    if wrong:
        raise Invalid(wrong[0]["reason"], details=wrong)
    return list(by_step.values())


@dataclass(frozen=True)
class DrawnScript(Script):
    """Endings drawn by these chances, for one contact: the same seed draws the same. `below`: the steps of the workflow that a step runs have no chances of their own."""

    drawn: bool = True
    chances: Mapping[str, StepChances] = field(default_factory=dict)
    random: Random = field(default_factory=Random)

    def _draw(self, step: str) -> tuple[StepChances | None, str]:
        known = self.chances.get(step)
        if known is None:
            return None, ""
        return known, self.random.choices(list(known.percent), list(known.percent.values()))[0]

    def answer(self, step: str, attempt: int) -> ChosenAnswer | None:  # noqa: ARG002 (each time is drawn anew)
        """How people and models end the step."""
        known, ending = self._draw(step) if self._kind(step) == PERSON else (None, "")
        approval: Any = ending if ending in ("approved", "rejected") else "approved"
        return ChosenAnswer(outcome=ending, approval=approval) if known is not None else None

    def ending(self, step: str, attempt: int) -> ChosenEnding | None:  # noqa: ARG002 (as above)
        """How the message, the call or the wait ends."""
        kind = self._kind(step)
        if kind not in (CALL, MESSAGE, EVENT):
            return None
        _, ending = self._draw(step)
        if kind == EVENT:
            return ChosenEnding(outcome="succeeded", result={"event": ending}) if ending != "timeout" else None
        return ChosenEnding(outcome="succeeded", result={"outcome": ending})

    def happens_at(self, now: datetime, until: datetime | None) -> datetime:
        """At some moment before the wait is over; within a day where it has no end."""
        return now + ((until - now) if until is not None else timedelta(days=1)) * self.random.random()

    def within(self, step: str) -> Script:  # noqa: ARG002 (of none of its steps)
        """No chances are known there: everything takes its usual end."""
        return DrawnScript(chances={}, random=self.random)

    def _kind(self, step: str) -> str:
        known = self.chances.get(step)
        return known.kind if known is not None else ""


def scripts(chances: Sequence[StepChances], seed: int, keys: Sequence[str]) -> Iterator[DrawnScript]:
    """A script for each contact. It depends on the seed and on the contact alone, not on who comes before."""
    by_step = {each.step: each for each in chances}
    for key in keys:
        yield DrawnScript(chances=by_step, random=Random(f"{seed}|{key}"))  # noqa: S311 (chance, no secret)
