"""Requesting a proposal again, and supplying values that a step handled manually left out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import log, steps
from console.browse import evidence
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound
from console.core.forms import FormField, examine, is_empty, refusal, takes_files
from console.core.run import Attempt, Run, decisions
from console.core.run.commands import Supply
from console.core.run.moves import require_holder, stale_form
from console.core.run.proposal import PENDING
from console.runs.commands.run_rights import Seen, see
from console.runs.engine import proposing
from console.runs.engine.stepping import OpenStep, context_of, plan_of, prompt_of, require_step, step_at
from console.runs.store.run_store import after_events, retried, write
from console.runs.views.screens import item_of, last_shown


def propose_again(actor: Actor, run_id: str, *, revision: int | None, item: str | None = None) -> None:
    """Request a proposal for the current step again: after a failure, or for another item of a list. Does not change the revision.

    Raises Conflict (`stale_revision`, `not_holder`, `not_possible`), NotAllowed, NotFound.
    """

    def once() -> None:
        seen = see(actor, run_id)
        open_step = _open_step_of_holder(actor, seen, revision)
        if proposing.settings_of(seen.definition, open_step.attempt.step) is None:
            raise Conflict("Nothing is proposed at this step: fill in the form.", code="not_possible")
        wanted = (item or _shown_last(open_step, actor.id)) if open_step.kind.by_items else None
        if _on_its_way(open_step.attempt, actor.id, wanted):
            return
        event = proposing.request(seen.definition, seen.run, actor.id, log.now(), item=wanted)
        write(actor, seen.definition, seen.loaded, [event], keep_draft=True)

    retried(once)


def _shown_last(open_step: OpenStep, person: str) -> str | None:
    """The item of a list whose form was last shown to this person."""
    shown = last_shown(open_step.run.id, open_step.attempt.n, person)
    return item_of(shown[1]) if shown is not None else None


def _on_its_way(attempt: Attempt, person: str, item: str | None) -> bool:
    """Whether the same request has no answer yet: two clicks make one request."""
    before = attempt.proposal
    return (
        before is not None
        and before["status"] == PENDING
        and before["for"] == person
        and before.get("item") == item
    )


def _open_step_of_holder(actor: Actor, seen: Seen, revision: int | None) -> OpenStep:
    """The open step that this person holds. Raises Conflict if there is none."""
    run = seen.run
    if run.ended or run.current is None:
        raise Conflict("This run has ended; nothing is proposed any more.", code="not_possible")
    if revision is not None and revision != run.revision:
        raise stale_form()
    require_holder(run, actor.id)
    open_step = step_at(seen.definition, run)
    if run.status != "waiting_person" or open_step.attempt.status != "open" or run.unknown is not None:
        raise Conflict("This is not possible while the run waits for something else.", code="not_possible")
    require_step(actor, open_step)
    return open_step


def supply(actor: Actor, run_id: str, *, revision: int | None, step: str, values: Mapping[str, Any]) -> None:
    """Supply empty fields of a step that was handled manually. A proposal for the current step is requested again.

    Raises Invalid with a detail per field, Conflict (`stale_revision`, `not_holder`, `not_possible`), NotAllowed, NotFound.
    """

    def once() -> None:
        seen = see(actor, run_id, whole=True)
        open_step, now = _open_step_of_holder(actor, seen, revision), log.now()
        target, fields = _lacking(actor, seen, step)
        given, details = examine([replace(field, required=False) for field in fields], values)
        details += evidence.reference_errors(actor, seen.run.team, fields, values)
        if details:
            raise refusal(details, fields)
        given = {name: value for name, value in given.items() if name in values and not is_empty(value)}
        if not given:
            raise Invalid(
                "Nothing was supplied: fill in a field.", at=("values", "At least one field is needed.")
            )
        command = Supply(actor.id, seen.run.revision, target.n, given)
        events = decisions.decide(plan_of(seen.definition), seen.loaded.run, command, now)
        after = after_events(seen.loaded, events).run
        if proposing.settings_of(
            seen.definition, open_step.attempt.step
        ) is not None and proposing.form_is_open(after):
            item = (open_step.attempt.proposal or {}).get("item")
            events.append(proposing.request(seen.definition, after, actor.id, now, item=item))
        write(actor, seen.definition, seen.loaded, events, keep_draft=True)

    retried(once)


def supply_form(actor: Actor, run_id: str, step: str) -> list[FormField]:
    """The empty fields of a step that was handled manually. Raises as `supply` does, NotFound if nothing is missing."""
    seen = see(actor, run_id, whole=True)
    return _lacking(actor, seen, step)[1]


def _lacking(actor: Actor, seen: Seen, step: str) -> tuple[Attempt, list[FormField]]:
    """(the attempt that was handled manually, the empty fields of its form), as this person would see them."""
    target = _handled(seen.run, step)
    if target is None or not proposing.can_be_supplied(seen.definition, step):
        raise NotFound(f"Nothing is missing from a step {step[:60]}.")
    document = seen.definition.document.step(step)
    view = steps.view(document)
    there = OpenStep(
        seen.definition,
        seen.run,
        target._replace(defaults=dict(target.values)),
        steps.get(document.type),
        view,
    )
    require_step(actor, there)
    fields = prompt_of(there, context_of(actor, there, seen.record, log.now())).fields
    known = seen.run.context.get(step, {})
    return target, [
        field
        for field in fields
        if not field.readonly and not takes_files(field) and is_empty(known.get(field.name))
    ]


def _handled(run: Run, step: str) -> Attempt | None:
    """The last completed attempt of the step, if it was handled manually; else None."""
    standing = [
        attempt for _, attempt in sorted(run.attempts.items()) if attempt.step == step and attempt.standing
    ]
    return standing[-1] if standing and standing[-1].handled_manually else None
