"""Runs that a step of a dry run would start: branches, the body of a loop, other workflows. They are followed one after another, with the same rules."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console import workflows
from console.core.documents.saved_tests import WITHIN
from console.core.errors import Conflict, ConsoleError
from console.core.run import Run, commands, simulation
from console.core.run.origin import Fork, Parent
from console.core.run.simulation import Question
from console.runs.commands import run_starts
from console.runs.engine import children
from console.runs.engine.children import ChildRun
from console.steps.base import NEXT, Child

if TYPE_CHECKING:
    from console.runs.simulation.dry_runs import Simulation

CHOSEN = "The tester chose that the run that it starts does not complete."
FREE = "A run that goes on by itself is not followed."


def join(dry: "Simulation") -> Question | None:
    """Follow the runs that the step starts, then go on with their results. Returns the question of the first run that cannot go on."""
    attempt, key = dry.run.attempt, str(dry.run.joins)
    if attempt is None:
        return dry.question("stuck")
    ending = dry.script.ending(attempt.step, attempt.attempt)
    if ending is not None:
        ended_well = ending.outcome == "succeeded"
        message = str((ending.result or {}).get("message") or CHOSEN)
        dry.give(
            commands.Arrive(key, output=dict(ending.result or {}))
            if ended_well
            else commands.Unanswered(key, "child_failed", message)
        )
        return None
    wanted = [Child.of(each) for each in attempt.values.get("children", ())]
    until = str(attempt.values.get("until", "all"))
    if until == "none":
        dry.note(FREE)
        dry.give(commands.Arrive(key, output={}))
        return None
    ended: dict[str, tuple[Run, Any]] = {}
    mine: dict[str, ChildRun] = {}
    for child in wanted:
        try:
            other = _begun(dry, key, child)
        except ConsoleError as error:
            dry.give(commands.Unanswered(key, error.code, error.message))
            return None
        question = other.play()
        inside = f"{attempt.step}{WITHIN}" if child.workflow is not None else ""
        dry.beside.setdefault(attempt.n, []).append(tuple(other.path(inside, child.branch)))
        dry.sent_beside.setdefault(attempt.n, []).extend(other.sent(inside))
        for text in other.notes:
            dry.note(text)
        if question is not None:
            return replace(question, step=f"{inside}{question.step}")
        dry.now = max(dry.now, other.now)
        ended[child.branch] = (other.run, other.definition.document)
        mine[child.branch] = ChildRun(
            child.branch, child.branch, key, other.run.status, other.run.ending, other.run.reason
        )
        if until == "any" and other.run.status == "completed":
            dry.note(
                "Of branches of which one is enough, the first in the list is taken to be the first that ends."
            )
            break
        if until == "all" and other.run.status != "completed":
            break
    _go_on(dry, key, until, wanted, mine, ended)
    return None


def _go_on(
    dry: "Simulation",
    key: str,
    until: str,
    wanted: list[Child],
    mine: dict[str, ChildRun],
    ended: dict[str, tuple[Run, Any]],
) -> None:
    failed = [child for child in mine.values() if child.status != "completed"]
    none_done = until == "any" and len(failed) == len(mine)
    if failed and (until == "all" or none_done):
        dry.give(children.failure(key, failed[0], children.called(wanted, dry.definition.document)))
        return
    values = dry.run.attempt.values if dry.run.attempt is not None else {}
    if values.get(NEXT):
        dry.note(f"Tried with the first {len(wanted):,} of the list, which is longer.")
    dry.give(commands.Arrive(key, output=children.outputs(wanted, mine, ended.get, {**values, NEXT: None})))


def _begun(dry: "Simulation", key: str, child: Child) -> "Simulation":
    """The run of one branch, begun. Raises what starting raises."""
    run, depth = dry.run, dry.depth + 1
    if depth > children.DEEPEST:
        raise Conflict(children.TOO_DEEP, code="too_deep")
    parent = Parent(run.id, child.branch, key, depth)
    given: Mapping[str, Any]
    output: Mapping[str, Any]
    if child.workflow is None:
        other = dry.run_beside(dry.definition, dry.script, dry.record())
        fork = Fork(child.start or "", children.join_of(dry.definition, run), run.context, child.item)
        collection, record, title, given, output = run.collection, run.record, "", run.input, {}
        definition = dry.definition
    else:
        definition = workflows.live(child.workflow)
        about = (
            (child.collection or run.collection, child.record or run.record)
            if definition.document.collection is not None
            else (None, None)
        )
        run_starts.try_start(dry.actor, definition.slug, *about, child.input, alone=True)
        found = run_starts.record_of_start(dry.actor, definition, *about)
        step = run.attempt.step if run.attempt is not None else ""
        other = dry.run_beside(definition, dry.script.within(step), found)
        given, output = run_starts.checked_input(
            dry.actor, definition, other.record(), child.input, definition.document.team or "", dry.now
        )
        collection, record = (found.collection, found.key) if found is not None else (None, None)
        fork, title = None, found.title if found is not None else ""
    other.begin(
        commands.Start(
            by=None,
            id=f"{simulation.ID}.{child.branch}",
            team=definition.document.team or "",
            version=definition.number,
            workflow=definition.id,
            collection=collection,
            record=record,
            exclusive=None,
            input=given,
            output=output,
            title=title,
            trigger="workflow",
            acts_for=dry.actor.id,
            test=True,
            parent=parent,
            fork=fork,
        )
    )
    return other
