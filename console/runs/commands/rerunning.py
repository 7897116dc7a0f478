"""Repeating an ended run: always as a new run, linked to the old one."""

from collections.abc import Mapping
from typing import Any, Literal

from console import workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid
from console.core.run import Run, repeating
from console.core.run.commands import Taken
from console.core.run.origin import FREE, Fork, StartedBy
from console.infra.db.engine import fetch
from console.runs.commands.run_rights import see
from console.runs.commands.run_starts import HandsOff, account_of, begin, begin_branch
from console.runs.engine.made_by_runs import HARMLESS, made_by_runs
from console.runs.engine.run_causes import causes_of
from console.runs.store import loaded_rows, version_origins
from console.runs.store.run_store import Also, load
from console.workflows import Definition

PART_OF_ENDED = (
    "It is a part of another run, which did not complete either: do that one again, with all its parts."
)
PART_OF_LIVE = "It is a part of another run, which has not ended: wait for its end, or go on with it there."
MADE = "It stopped after this was made, or may have been, and nothing has undone it:"
_REACHED_NOBODY = (
    "select n from console.message where run = %s and status in ('failed', 'skipped', 'expired', 'cancelled')"
)
MADE_TWICE = "From where it stopped it would be made a second time. Look there first; then do it again from the start, or by hand."


def rerun(
    actor: Actor,
    run_id: str,
    *,
    origin: Literal["start", "failure"],
    version: Literal["original", "current"],
    given: Mapping[str, Any] | None = None,
    also: Also | None = None,
) -> str:
    """Start a new run of the same workflow on the same record and return its id; of an item of a loop, or a branch, only that part.

    `origin` start: with the same input, or the `given` one. `origin` failure: from where the ended run stopped; its completed steps are taken
    over, so that no effect is made twice. Raises Conflict `not_possible` if the run has not ended, did not fail, or the steps differ in this
    version, if it is a part of a run that did not complete, `already_done` if it stopped at a step that made something; Invalid; what `start` raises.
    """
    seen = see(actor, run_id, whole=True)
    run = seen.run
    if not run.ended:
        raise Conflict("This run has not ended: go on with it, or cancel it first.", code="not_possible")
    if version == "original" and run.version < 0:
        raise Conflict(
            "This run tried a draft. Do it again with the live version, or execute the draft again on its page Test.",
            code="not_possible",
        )
    _require_own(run)
    definition = seen.definition if version == "original" else workflows.live(run.workflow)
    if origin == "failure" and given is not None:
        raise Invalid(
            "Another input begins at the start.", at=("input", "Leave it out, or take from: start.")
        )
    taken = _standing(run) if origin == "failure" else ()
    if origin == "failure":
        _require_nothing_made(run)
    values, causes = given if given is not None else run.input, causes_of(run)
    if not run.hands_off:
        return begin(
            *(actor, definition, run.collection, run.record, values),
            linked_to=run.id,
            taken=taken,
            caused_by=causes,
            test=run.test,
            also=also,
        )
    access.require(actor, run.team, f"workflow:{definition.slug}", "start")
    account = (
        account_of(definition)
        if definition.document.run_as is not None
        else accounts.actor_of_person(run.started_by)
    )
    began = run.origin
    started = None if began is None else StartedBy(began["id"], run.trigger, began["event"])
    again = HandsOff(
        by=actor, asker=actor if given is not None else None, origin=started, repeats=causes, test=run.test
    )
    if run.fork is not None:
        if given is not None:
            raise Invalid("A part of a run has the input of that run.", at=("input", "Leave it out."))
        fork, acts_for = _fork(run, definition), accounts.actor_of_person(run.acts_for)
        return begin_branch(acts_for, definition, seen.loaded, fork, again, linked_to=run.id, taken=taken)
    return begin(
        account,
        definition,
        run.collection,
        run.record,
        values,
        linked_to=run.id,
        taken=taken,
        hands_off=again,
        also=also,
    )


def _require_own(run: Run) -> None:
    """Raise Conflict `not_possible` if the run that started this one waits for it still, or ended badly: its retry does the parts again, and some would be done twice."""
    if (
        run.parent is None
        or str((run.origin or {}).get("key", "")).endswith(FREE)
        or (whole := load(run.parent)) is None
    ):
        return
    if whole.run.ended and whole.run.status != "completed":
        raise Conflict(PART_OF_ENDED, code="not_possible")
    if not whole.run.ended and (run.fork is not None or whole.run.joins == (run.origin or {}).get("key")):
        raise Conflict(PART_OF_LIVE, code="not_possible")


def _fork(run: Run, definition: Definition) -> Fork:
    """Where the part began and ends. Raises Conflict `not_possible` if this version has no such steps."""
    fork, steps = run.fork or {}, {step.id for step in definition.document.steps}
    if not {fork["start"], *filter(None, [fork["join"]])} <= steps:
        raise Conflict("This version has other steps: do it again with its own version.", code="not_possible")
    return Fork(fork["start"], fork["join"], fork["context"], fork["item"], bool(fork.get("guided")))


def _require_nothing_made(run: Run) -> None:
    """Raise Conflict `already_done` if steps that are not taken over made something, which the new run would make a second time.

    A message that is known to have reached nobody, because a mail server refused it, say, is none.
    """
    others = [
        attempt
        for _, attempt in sorted(run.attempts.items())
        if not (attempt.standing and attempt.status == "done")
    ]
    reached_nobody = {n for (n,) in fetch(_REACHED_NOBODY, (run.id,))}
    own = [
        (at, effect)
        for at, effect in repeating.outstanding(run, others)
        if effect.kind != "message" or at.n not in reached_nobody
    ]
    made = [effect for _, effect in (*own, *made_by_runs(run, others)) if effect.kind not in HARMLESS]
    if made:
        done = "; ".join(dict.fromkeys(repeating.describe_effect(effect) for effect in made))
        raise Conflict(f"{MADE} {done}. {MADE_TWICE}", code="already_done")


def _standing(run: Run) -> tuple[Taken, ...]:
    """The completed steps of a run that stopped before its end, without the start step, which a part of a run has not."""
    if run.status == "completed":
        raise Conflict(
            "This run has completed; nothing failed. Do it again from the start.", code="not_possible"
        )
    done = [
        attempt
        for _, attempt in sorted(run.attempts.items())
        if attempt.standing and attempt.status == "done"
    ]
    read = version_origins.origins_of(run.workflow, run.version).steps
    return tuple(
        Taken(
            *(
                each.step,
                each.outcome or "default",
                each.values,
                each.values if each.output is None else each.output,
            ),
            handled_manually=each.handled_manually,
            loaded=loaded_rows.of_step(
                run.id, each.step, read[each.step].places.values() if each.step in read else ()
            ),
        )
        for each in (done[1:] if run.fork is None else done)
    )
