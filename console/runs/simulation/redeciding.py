"""Ended runs, decided again by another version with their recorded answers, to see which would go another way. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from console.core import outcome_words
from console.core.actor import Actor
from console.core.documents.saved_tests import ChosenAnswer, ChosenEnding
from console.core.errors import ConsoleError, SourceDown
from console.core.run import Attempt, Run
from console.core.run.simulation import Script, Simulated
from console.log import masking
from console.records import Record
from console.runs.commands.run_rights import see
from console.runs.engine.stepping import chosen_at
from console.runs.simulation.dry_runs import dry_run
from console.runs.simulation.former_runs import FormerRun, unchanged_steps
from console.runs.simulation.workflow_trials import definition_to_try
from console.runs.views import lists, reader_reach
from console.workflows import Definition, readable_version

MOST = 25
HIDDEN = "It holds values that you may not read, so it is not decided again for you."
CONFIDENTIAL = "It is confidential, so it is not decided again here."
GONE = "Its record is gone, or outside what you may see."
SIDE = frozenset({"task", "notice", "documents", "message"})


@dataclass(frozen=True, slots=True)
class Redecided:
    """A run that has ended, and what would come of it now. `place` is the title of the first step that differs, `because` what decided so; `why` says why it was not decided."""

    run: str
    title: str
    ended_at: datetime | None
    ended: str
    would_end: str
    place: str = ""
    because: str = ""
    why: str = ""

    @property
    def differs(self) -> bool:
        """Whether it would go another way, or end otherwise."""
        return not self.why and (bool(self.place) or self.ended != self.would_end)


def redecide(
    actor: Actor, slug_or_id: str, *, limit: int = MOST, after: str | None = None
) -> tuple[list[Redecided], str | None]:
    """The newest completed runs decided again by the draft, and the cursor of the next ones. Only runs that the actor may see, and whose values they may read.

    What unchanged steps read and found counts as it was then; what is worked out anew reads the records as they are today, apart from what the run
    itself changed. Raises NotFound, NotAllowed, DefinitionError for a draft with errors,
    Malformed for a cursor, SourceDown.
    """
    definition = definition_to_try(actor, slug_or_id)
    heads, following = lists.find(
        actor, {"workflow": definition.slug, "status": "completed"}, limit=limit, after=after
    )
    return [_redecided(actor, definition, head) for head in heads if not head.test], following


def _redecided(actor: Actor, definition: Definition, head: lists.RunHead) -> Redecided:
    base = Redecided(
        head.id, head.record_title or head.workflow_title, head.ended_at, head.ending or head.status, ""
    )
    seen = see(actor, head.id, whole=True)
    run = seen.run
    if run.label is not None:
        return replace(base, why=CONFIDENTIAL)
    standing = [
        attempt
        for _, attempt in sorted(run.attempts.items())
        if attempt.standing or attempt.status == "failed"
    ]
    if any(
        masking.names_closed(
            reader_reach.kept_from(actor, run.workflow, run.version, attempt.step, run=run.id)
        )
        for attempt in standing
    ):
        return replace(base, why=HIDDEN)
    if run.record is not None and seen.record is None:
        return replace(base, why=GONE)
    about = _as_before(seen.record, run, standing) if seen.record is not None else None
    version = readable_version(run.workflow, run.version)
    former = FormerRun(
        standing,
        unchanged_steps(version.document, definition.document) if version is not None else frozenset(),
    )
    try:
        found = dry_run(
            actor,
            definition,
            run.record,
            run.input,
            recorded(seen.definition, standing),
            now=run.created_at,
            about=about,
            former=former,
        )
    except SourceDown:
        raise
    except ConsoleError as error:
        return replace(
            base,
            would_end="It would not begin",
            place=definition.document.start.title,
            why="" if error.details else error.message,
        )
    return replace(
        base,
        would_end=_end(found),
        place=_place(definition, standing, found),
        because=_because(definition, standing, found),
    )


def _as_before(record: Record, run: Run, standing: Sequence[Attempt]) -> Record:
    """The record as it is today, with the values that the run itself overwrote."""
    before: dict[str, Any] = {}
    for attempt in standing:
        for effect in attempt.effects:
            request = effect.request
            changes = request.get("changes")
            if (
                effect.status == "succeeded"
                and isinstance(changes, Mapping)
                and request.get("key") == run.record
            ):
                for name, change in changes.items():
                    before.setdefault(name, change.get("old"))
    return replace(record, values={name: before.get(name, value) for name, value in record.values.items()})


def recorded(definition: Definition, standing: Sequence[Attempt]) -> Script:
    """What was answered and what came back in a run, for the nth entry into each step."""
    answers: dict[str, list[ChosenAnswer]] = {}
    endings: dict[str, list[ChosenEnding]] = {}
    for attempt in standing:
        decided = [approval for approval in attempt.approvals if approval.status in ("approved", "rejected")]
        answers.setdefault(attempt.step, []).append(
            ChosenAnswer(
                values=dict(attempt.values),
                outcome=chosen_at(definition, attempt),
                approval=("approved" if decided[-1].status == "approved" else "rejected")
                if decided
                else None,
            )
        )
        endings.setdefault(attempt.step, []).append(_ending(attempt))
    return Script(answers, endings, recorded=True)


def _ending(attempt: Attempt) -> ChosenEnding:
    """How the effects of the attempt ended. The results of child runs and models are its output."""
    own = [effect for effect in attempt.effects if effect.compensates is None]
    if attempt.status == "failed":
        return ChosenEnding(outcome="failed", result=None)
    outside = [effect for effect in own if effect.kind not in SIDE]
    if outside:
        result = dict(outside[-1].result or {})
        values = result.get("values", {})
        return ChosenEnding(
            outcome="succeeded",
            result={**values, **({"outcome": result["outcome"]} if "outcome" in result else {})},
        )
    output = dict(attempt.output or {})
    if any(effect.kind == "message" for effect in own):
        return ChosenEnding(
            outcome="succeeded",
            result={"outcome": output.get("status"), "label": output.get("label"), **output},
        )
    if attempt.outcome == "timeout":
        return ChosenEnding(outcome="failed", result=None)
    return ChosenEnding(outcome="succeeded", result=output)


def _end(found: Simulated) -> str:
    if found.question is not None:
        return f"Stops at “{found.question.title}”"
    return found.outcome or found.status.replace("_", " ")


def _place(definition: Definition, standing: Sequence[Attempt], found: Simulated) -> str:
    """The title of the first step at which the paths differ; empty if they do not."""
    titles = {step.id: step.title for step in definition.document.steps}
    taken = [each for each in found.path if not each.branch]
    for former, now in zip_longest(standing, taken):
        if former is None or now is None or former.step != now.step:
            return (
                now.title
                if now is not None
                else titles.get(former.step, former.step)
                if former is not None
                else ""
            )
    if found.question is not None:
        return found.question.title
    return ""


def _because(definition: Definition, standing: Sequence[Attempt], found: Simulated) -> str:
    """The last step that both ways have and what it came to then and now: of a condition the rule that held."""
    steps = {step.id: {"type": step.type, "config": step.config} for step in definition.document.steps}
    for former, now in zip(standing, (each for each in found.path if not each.branch), strict=False):
        if former.step != now.step:
            return ""
        if former.outcome != now.outcome:
            then, today = (
                (each.output or {}).get("rule") or outcome_words.words(steps[now.step], each.outcome or "")
                for each in (former, now)
            )
            return f"{now.title}: {then} → {today}"
    return ""
