"""The steps that stand on one screen with the present one: each is drawn as it will be after what is typed above it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from console.core.actor import Actor
from console.core.documents.workflow import Step
from console.core.errors import ConsoleError, NotAllowed, NotFound, SourceDown
from console.core.run import commands, decisions
from console.log import now as time_now
from console.runs.commands.run_rights import Seen, may_work, see
from console.runs.engine.stepping import (
    OpenStep,
    completion_of,
    context_of,
    plan_of,
    prompt_of,
    require_step,
    step_at,
)
from console.runs.store import typed_drafts
from console.runs.store.run_store import after_events
from console.runs.views.consequences import typed_values
from console.runs.views.screens import Screen, TypedForm, digest, draw_screen, without_loaded
from console.steps.base import Completion, WriteRecord

MOST_ITEMS = 25
"""Items of a list on one screen; the next ones follow when these are done."""


def later_screens(
    actor: Actor, run_id: str, values: Mapping[str, Any], outcome: str | None = None
) -> list[Screen]:
    """The screens of the steps below the present one, with these `values` of the whole screen. Nothing is recorded.

    `outcome` is that of the last of them. Ends before the first step that the actor may not do.
    """
    seen = see(actor, run_id)
    run = seen.run
    if (
        run.current is None
        or run.status != "waiting_person"
        or run.unknown is not None
        or seen.down is not None
        or seen.lacks_record
        or not may_work(actor, run, seen.definition)
    ):
        return []
    drawn: list[Screen] = []
    now = time_now()
    here = {name: value for name, value in values.items() if typed_drafts.MARK not in name}
    open_step = step_at(seen.definition, run)
    if goes_together(open_step):
        return _item_screens(actor, seen, open_step, values, now)
    names = seen.definition.document.gathered_after(open_step.attempt.step)
    for name in names:
        ahead = seen_ahead(actor, seen, here, now)
        if ahead is None or ahead.run.attempt is None or ahead.run.attempt.step != name:
            break
        seen, here = ahead, typed_drafts.own_values(values, name)
        chosen = outcome if name == names[-1] else None
        try:
            require_step(actor, step_at(seen.definition, seen.run), named=False)
            drawn.append(without_loaded(draw_screen(actor, seen, now, None, TypedForm(here, chosen))))
        except (SourceDown, NotFound, NotAllowed):
            break
    return drawn


def goes_together(open_step: OpenStep) -> bool:
    """Whether the forms of all items of this step are drawn on one screen."""
    return getattr(open_step.view.config, "screen", None) == "one"


def is_one_screen(step: Step) -> bool:
    """Whether the forms of all items of this step of a document are drawn on one screen."""
    return step.config.get("screen") == "one"


def _item_screens(
    actor: Actor, seen: Seen, open_step: OpenStep, values: Mapping[str, Any], now: datetime
) -> list[Screen]:
    """The screens of the open items below the present one, each with the `part` that its fields are called by."""
    progress = prompt_of(open_step, context_of(actor, open_step, seen.record, now)).progress
    drawn = []
    for item in progress.items[:MOST_ITEMS] if progress is not None else ():
        if progress is not None and item.state == "todo" and item.key != progress.key:
            part = typed_drafts.item_part(open_step.attempt.step, item.key)
            typed = TypedForm({**typed_drafts.own_values(values, part), "item": item.key})
            screen = draw_screen(actor, seen, now, item.key, typed)
            drawn.append(without_loaded(screen) | {"title": item.title, "part": part})
    return drawn


def seen_ahead(actor: Actor, seen: Seen, values: Mapping[str, Any], now: datetime) -> Seen | None:
    """The run as it will be when the present step is completed with these values and its changes are made; None if that cannot be told.

    A form that is not complete yet counts as it is.
    """
    open_step, run = step_at(seen.definition, seen.run), seen.run
    try:
        context = replace(context_of(actor, open_step, seen.record, now), foretold=True)
        given = typed_values(prompt_of(open_step, context), values, item=False)
        try:
            completion = completion_of(open_step, context, given, None)
        except ConsoleError:
            completion = Completion("default", given)
        command = commands.Complete(
            actor.id,
            open_step.attempt.step,
            run.revision,
            completion.outcome,
            values=completion.values,
            output=completion.output,
        )
        events = decisions.decide(plan_of(seen.definition), run, command, now)
    except ConsoleError:
        return None
    record = seen.record
    for effect in completion.effects:
        if isinstance(effect, WriteRecord) and effect.collection is None and record is not None:
            changed = {name: change["new"] for name, change in effect.changes.items()}
            record = replace(record, values={**record.values, **changed})
    return replace(seen, loaded=after_events(seen.loaded, events), record=record)


def read_digest(screen: Screen) -> str:
    """SHA-256 of what a person reads in a screen before they type, in hexadecimal."""
    read = {name: screen.get(name) for name in ("text", "content", "tables", "notes", "outcomes", "missing")}
    fields = [(field["name"], field.get("value"), field.get("now")) for field in screen["fields"]]
    return digest(read | {"fields": fields}).hex()
