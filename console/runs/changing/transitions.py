"""The transitions of a run: what a person, a program or the engine may ask for. Each judges, decides, and commits once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from console import access, accounts, log, records, settings, subjects, workflows
from console.core.actor import Actor
from console.core.forms import refusal
from console.core.run import Event, Run, commands, fold
from console.core.run.command_types import Taken
from console.core.run.commands import Command
from console.core.run.proposal import MARKS
from console.db.ids import new_id
from console.errors import Conflict, ConsoleError, Invalid, NotFound
from console.records import Record
from console.runs.changing import attachments, submitting, undoing
from console.runs.changing.approval_requests import asked_of, tell
from console.runs.changing.run_rights import Seen, holder_idle_s, see
from console.runs.engine import into_inbox, proposing
from console.runs.engine.advancing import go_on, handing_in, with_former, with_what_was_done
from console.runs.engine.stepping import context_of, facts, label_of, plan_of, prompt_of, require_step, stand
from console.runs.rows import typed_drafts
from console.runs.rows.run_store import ENGINE, LiveRun, Loaded, decide, live_run, load, recalled, retried, write
from console.runs.showing import reading
from console.runs.showing.screens import Screen, digest, item_of, last_shown, seen_fields, shown_event
from console.runs.showing.view import RunView
from console.steps.base import Completion, Prompt
from console.workflows import Definition

logger = logging.getLogger(__name__)


def start(actor: Actor, workflow: str, collection: str | None, record: str | None, given: Mapping[str, Any] | None = None) -> str:
    """Begin a run of the live version; answers its id.

    Raises NotFound for a workflow or record outside what the actor may see, NotAllowed without the right to start, Invalid for
    the input (fields named `input.…`), Conflict `run_is_live` with `run_id` where one is live and the actor may see it.
    """
    definition = workflows.live(workflow)
    team = definition.document.team or ""
    obj = f"workflow:{definition.slug}"
    if not access.can(actor, team, obj, "see"):
        raise NotFound(f"There is no published workflow {workflow}.") if access.label_of(obj) else NotFound(hidden=True)
    return begin(actor, definition, collection, record, given)


def begin(
    actor: Actor,
    definition: Definition,
    collection: str | None,
    record: str | None,
    given: Mapping[str, Any] | None = None,
    *,
    linked_to: str | None = None,
    taken: Sequence[Taken] = (),
) -> str:
    """Begin a run of this version; answers its id. With `linked_to` it does an ended one again, taking over what is `taken`. Raises what `start` does."""
    team = definition.document.team or ""
    access.require(actor, team, f"workflow:{definition.slug}", "start")
    workflows.require_active(definition)
    about = _subject_matter(actor, definition, collection, record)
    run_id, now = new_id("run"), log.now()
    of_record = access.label_of(f"collection:{about.collection}", about.values) if about is not None else None
    label = definition.document.clearance or of_record
    exclusive = _exclusive(definition, about, label)
    _require_none_live(actor, exclusive)
    values, output = input_of(actor, definition, about, given or {}, team, now)
    command = commands.Start(
        by=actor.id,
        id=run_id,
        team=team,
        version=definition.number,
        workflow=definition.id,
        collection=about.collection if about else None,
        record=about.key if about else None,
        exclusive=exclusive,
        input=values,
        output=output,
        title=about.title if about else "",
        label=label,
        linked_to=linked_to,
        taken=taken,
        trigger="api" if actor.kind == "key" else "record" if about is not None else "manual",
    )
    subject = subject_of(about) if about and label is None else subjects.subject_of("run", run_id)
    events = commands.decide(plan_of(definition), Run(), command, now)
    try:
        loaded = write(actor, definition, None, events, subject=subject)
    except LiveRun as live:
        _require_none_live(actor, live.exclusive_key)
        raise
    go_on(actor, definition, loaded)
    return run_id


def _exclusive(definition: Definition, about: Record | None, label: str | None) -> str | None:
    """The key of which only one run may live; runs with a label are among themselves, so that none of them ever stands in the way of others."""
    if about is None or not definition.document.settings.exclusive:
        return None
    return f"{definition.id}|{about.collection}|{about.key}" + (f"|{label}" if label else "")


def _subject_matter(actor: Actor, definition: Definition, collection: str | None, record: str | None) -> Record | None:
    """The record that the run will be about, as the actor may see it; None for a workflow without a collection."""
    wanted = definition.document.collection
    if wanted is None:
        if collection or record:
            raise Invalid("This workflow is about no record.", details=[{"field": "collection", "reason": "Leave it out."}])
        return None
    if collection != wanted or record is None:
        raise Invalid(
            f"This workflow starts from a record of {wanted}.",
            details=[{"field": "collection" if collection != wanted else "record", "reason": f"Name a record of {wanted}."}],
        )
    if records.collection(wanted).personal_key:
        raise Conflict(
            "Runs cannot be about these records: their key is itself personal. Start from the record that they belong to.",
            code="not_possible",
        )
    return records.get(wanted, record, access.scope_for(actor, wanted, "read"))


def _require_none_live(actor: Actor, exclusive: str | None) -> None:
    """Raise Conflict `run_is_live` where a run holds the key; with its id, if the actor may see it."""
    run_id = live_run(exclusive) if exclusive else None
    if run_id is None:
        return
    try:
        see(actor, run_id)
    except ConsoleError:
        raise Conflict("A run of this workflow is already ongoing on this record.", code="run_is_live") from None
    raise Conflict("A run of this workflow is already ongoing on this record.", code="run_is_live", run_id=run_id)


def input_of(
    actor: Actor, definition: Definition, record: Record | None, given: Mapping[str, Any], team: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values, output) of the start step. Raises Invalid with its fields named `input.…`."""
    opening = commands.opening(plan_of(definition), actor.id, team, now)
    here = stand(definition, opening)
    try:
        context = context_of(actor, here, record, now)
        completion = here.kind.complete(here.view, context, dict(given), None)
        submitting.require_there(actor, here, context, given)
    except Invalid as error:
        raise Invalid(error.message, details=[{**detail, "field": f"input.{detail['field']}"} for detail in error.details]) from None
    return completion.values, completion.output if completion.output is not None else completion.values


def subject_of(record: Record) -> str:
    """The subject whose values a run over this record holds: whom its collection says it is about, else the record itself."""
    return subjects.subject_of(*(records.subject(record.collection, record.key or "") or (record.collection, record.key or "")))


def complete(
    actor: Actor,
    run_id: str,
    *,
    step: str,
    revision: int | None,
    values: Mapping[str, Any],
    outcome: str | None = None,
    handled_manually: bool = False,
    reason: str = "",
    repeat: str | None = None,
) -> None:
    """Hand in the step that the run stands at; performs its record write and takes the automatic steps that follow.

    `repeat` (keep, again, compensate) says what to do where the change was made before. Raises Conflict (`stale_revision`, `not_holder`,
    `not_possible`, `record_gone`, `already_done` with the choices), Invalid with a detail per field, NotAllowed, NotFound, SourceDown.
    """
    asked = _HandedIn(step, revision, values, outcome, handled_manually, reason_of(reason), repeat)

    def once(kept: Loaded | None) -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, kept=kept)
        before, events = _completing(actor, seen, asked, log.now())
        return seen.definition, write(actor, seen.definition, before, events)

    definition, loaded = recalled(run_id, revision, once)
    tell(go_on(actor, definition, loaded).run)


def complete_and_look(
    actor: Actor,
    run_id: str,
    *,
    step: str,
    revision: int | None,
    values: Mapping[str, Any],
    outcome: str | None = None,
    handled_manually: bool = False,
    reason: str = "",
    repeat: str | None = None,
) -> RunView:
    """As `complete`; answers the run as it stands then. Where a person is asked next, what they are shown is noted in the same transaction."""
    asked = _HandedIn(step, revision, values, outcome, handled_manually, reason_of(reason), repeat)

    def once(kept: Loaded | None) -> tuple[Seen, Screen | None, Mapping[str, Any]]:
        seen, now = see(actor, run_id, shown=True, kept=kept), log.now()
        typed = _typed_for_others(seen, values)
        before, events = _completing(actor, seen, asked, now)
        screen, more, row = _shown_next(actor, seen, fold(events, before.run), now)
        return replace(seen, loaded=write(actor, seen.definition, before, events + more, shown=row)), screen, typed

    seen, screen, typed = recalled(run_id, revision, once, shown=True)
    if screen is not None:
        return reading.view(actor, seen, screen, reading.Beside(_carried(actor, seen, screen, typed)))
    onlooker = _Onlooker(actor)
    loaded = go_on(actor, seen.definition, seen.loaded, onlooker=onlooker)
    tell(loaded.run)
    return onlooker.view(loaded) or reading.get(actor, run_id)


def _shown_next(actor: Actor, seen: Seen, after: Run, now: datetime) -> tuple[Screen | None, list[Event], Mapping[str, Any] | None]:
    """What the actor will be shown of the run as it will stand, its events, the row that keeps it; nothing where that can only be known once it stands there."""
    screen = reading.upcoming(actor, seen, after, now)
    if screen is None:
        return None, [], None
    shown, row = shown_event(actor, after, screen, digest(screen), now)
    asks = proposing.asked_for_item(seen.definition, after, actor.id, item_of(screen), now)
    return screen, [shown, *([asks] if asks is not None else [])], row


class _Onlooker:
    """The person who handed a step in, as they look at where the automatic steps behind it lead: noted in the transaction of these."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.seen: Seen | None = None
        self.screen: Screen | None = None

    def __call__(self, ahead: Loaded) -> tuple[list[Event], Mapping[str, Any] | None]:
        """What they are shown. A run with a label is read as any other reading of it, afterwards."""
        if not ahead.shows or ahead.run.label is not None:
            return [], None
        try:  # what the steps did is theirs: it is written whatever comes of looking
            self.seen = see(self.actor, ahead.run.id, kept=ahead)
            self.screen, events, row = _shown_next(self.actor, self.seen, ahead.run, log.now())
        except Exception:
            logger.exception("run %s cannot be shown", ahead.run.id)
            return [], None
        return events, row

    def view(self, loaded: Loaded) -> RunView | None:
        """The run as it stands then, where it is what they were shown; None where it has to be read."""
        if self.seen is None or self.screen is None or not loaded.shows or loaded.run.status != "waiting_person":
            return None
        return reading.view(self.actor, replace(self.seen, loaded=loaded), self.screen, reading.Beside())


def _typed_for_others(seen: Seen, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was typed for other items of the list that the run stands at, by their keys."""
    run = seen.run
    if run.current is None or not stand(seen.definition, run).kind.by_items:
        return {}
    return typed_drafts.waiting(typed_drafts.latest(run.id, run.current, seen.loaded.subject), str(values.get("item")))


def _carried(actor: Actor, seen: Seen, screen: Screen, typed: Mapping[str, Any]) -> typed_drafts.Draft | None:
    """The draft at the next item of a list: what was typed for others and not handed in stays theirs."""
    run = seen.run
    if not typed or run.current is None or "progress" not in screen:
        return None
    key, now = screen["progress"]["key"], log.now()
    values = {**typed.get(key, {"item": None}), typed_drafts.OTHERS: {other: value for other, value in typed.items() if other != key}}
    typed_drafts.keep(run.id, run.current, actor.id, seen.loaded.subject or "", log.body.plain(values), now)
    return typed_drafts.Draft(values, now, actor.id)


@dataclass(frozen=True, slots=True)
class _HandedIn:
    """What was handed in at a step."""

    step: str
    revision: int | None
    values: Mapping[str, Any]
    outcome: str | None
    handled_manually: bool
    reason: str
    repeat: str | None


def _at_item(asked: _HandedIn, shown: Screen) -> _HandedIn:
    """What was handed in, with its item: where none is named, but the revision that was looked at is, the one whose form was drawn last counts."""
    key = (shown.get("progress") or {}).get("key")
    if asked.revision is None or key is None or "item" in asked.values:
        return asked
    return replace(asked, values={**asked.values, "item": key})


def _completing(actor: Actor, seen: Seen, asked: _HandedIn, now: datetime) -> tuple[Loaded, list[Event]]:
    """The events of the step that was handed in, and the run on which they follow."""
    run = seen.run
    here = stand(seen.definition, run) if run.current is not None else None
    commands.require_completable(run, actor.id, asked.step, asked.revision)
    if here is None:
        raise NotFound
    require_step(actor, here)
    _require_record(seen)
    edits = here.kind.by_items or (run.record is not None and here.kind.edits(here.view))
    shown = last_shown(run.id, here.attempt.n, actor.id) if edits else None
    asked = _at_item(asked, shown[1]) if here.kind.by_items and shown is not None else asked
    item = asked.values.get("item") if here.kind.by_items else None
    item = item if isinstance(item, str) else None
    context = context_of(actor, here, seen.record, now, seen_fields(shown[1]) if shown else None, item)
    if item is not None and shown is not None and context.forms and shown[1].get("progress", {}).get("key") != item:
        raise refusal(
            [{"field": "item", "reason": "You turned to another item since this form was drawn: look at this one again, then hand it in."}]
        )
    proposal = proposing.used(run, actor.id, item)
    context = replace(context, proposal=None if asked.handled_manually else proposing.in_sight(proposal))
    context = with_what_was_done(seen.loaded, here, context)
    if here.by_hand and not asked.handled_manually and (run.take_over or {}).get("code") == "already_done":
        completion = here.kind.complete_by_itself(here.view, context)  # it is asked what becomes of what was done before
    else:
        given = attachments.taken(here, context, submitting.without_unseen(actor, here, context, asked.values))
        completion = submitting.completed(actor, here, seen.record, context, given, asked.outcome)
        submitting.require_there(actor, here, context, given)
    prompt = prompt_of(here, context) if asked.outcome is not None or proposal is not None else None
    chosen = label_of(prompt.outcomes, completion.outcome) if prompt is not None and asked.outcome is not None else None
    loaded = with_former(seen.loaded, completion)
    command = handing_in(
        *(actor.id, asked.step, run, completion),
        handled_manually=asked.handled_manually,
        reason=asked.reason,
        chosen=chosen,
        repeat=asked.repeat,
        compensations=undoing.of_former(actor, loaded.run, now) if completion.effects or completion.task else (),
        approval=asked_of(completion.approval, loaded.run, here, context, seen.record) if completion.approval else None,
        **_of_proposal(run, proposal, prompt, completion, asked, now),
    )
    return loaded, decide(plan_of(seen.definition), loaded, command, now)


def _of_proposal(
    run: Run, proposal: Mapping[str, Any] | None, prompt: Prompt | None, completion: Completion, asked: _HandedIn, now: datetime
) -> dict[str, Any]:
    """What is kept of the proposal with what was handed in: what became of it, and what had been proposed where there was a choice."""
    if proposal is None or prompt is None:
        return {}
    choice = completion.outcome if asked.outcome is not None else None
    told = proposing.handed_in(run, proposal, prompt.fields, completion.values, choice, now, manual=asked.handled_manually)
    shown = proposing.in_sight(proposal)
    return {"proposal": told, "proposed": shown["outcome"] if shown is not None and choice is not None else None}


def _require_record(seen: Seen) -> None:
    if seen.down is not None:
        raise seen.down
    if seen.gone:
        raise Conflict(
            "The record was deleted meanwhile. What you typed is kept; abort the run, or save it and ask who deleted it.",
            code="record_gone",
        )


def draft(actor: Actor, run_id: str, *, step: str, revision: int | None, values: Mapping[str, Any], outcome: str | None = None) -> datetime:
    """Keep what was typed so far, unchecked; answers when. Changes neither revision nor log.

    Raises Conflict where the run is not this person's at this step any more: then nothing was kept.
    """
    seen = see(actor, run_id)
    here = commands.require_completable(seen.run, actor.id, step, revision, drafted=True)
    values = {**values, MARKS: {"outcome": outcome}} if outcome is not None else values
    now, kept = log.now(), attachments.drafted(run_id, values)
    if stand(seen.definition, seen.run).kind.by_items:
        kept = typed_drafts.of_items(typed_drafts.latest(run_id, here.n, seen.loaded.subject), kept)
    if not typed_drafts.keep(run_id, here.n, actor.id, seen.loaded.subject or "", log.body.plain(kept), now):
        raise Conflict("This run moved on while this was typed. Reload it to see where it stands.", code="stale_revision")
    return now


def commanded(
    actor: Actor, run_id: str, right: str | None, make: Callable[[Seen], Command], *, whole: bool = False, keep_draft: bool = False
) -> tuple[Definition, Loaded]:
    """See, judge, decide, commit; again when somebody looked at the run meanwhile."""

    def once() -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, whole=whole)
        if right is not None:
            access.require(actor, seen.run.team, f"workflow:{seen.definition.slug}", right, run=facts(seen.run))
        events = decide(plan_of(seen.definition), seen.loaded, make(seen), log.now())
        return seen.definition, write(actor, seen.definition, seen.loaded, events, keep_draft=keep_draft)

    return retried(once)


def typed_of(run: Run, subject: str | None) -> dict[str, Any] | None:
    """What is handed over with the run: the holder's draft."""
    kept = typed_drafts.latest(run.id, run.current, subject) if run.current is not None else None
    return dict(kept.values) if kept else None


def cancel(actor: Actor, run_id: str, *, revision: int | None, reason: str) -> None:
    """End the run from outside, whoever holds it."""
    commanded(actor, run_id, "cancel", lambda seen: commands.Cancel(actor.id, revision_of(seen, revision), reason_of(reason)))


def revision_of(seen: Seen, given: int | None) -> int:
    """The revision that the command names, or without one the run's own."""
    return seen.run.revision if given is None else given


def reason_of(reason: str) -> str:
    """A reason as the log takes it: at most 2,000 characters, without NUL."""
    if len(reason) > 2000 or "\x00" in reason:
        raise Invalid("The reason cannot be kept.", details=[{"field": "reason", "reason": "At most 2,000 characters of text."}])
    return reason


def end_for_erasure(run_id: str) -> None:
    """End a live run because what is held about its person must go, whatever is under way in it: nobody could go on without its values."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return
        told = {"former_holder": loaded.run.holder, "reason_code": "erased", "revision": loaded.run.revision + 1}
        write(ENGINE, workflows.version(loaded.run.workflow, loaded.run.version), loaded, [Event("run_cancelled", log.now(), told)])

    retried(once)


def save_idle(run_id: str) -> None:
    """Put aside a run whose holder has given no sign for long, with what they had typed; where their account is closed, into an inbox."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.status != "waiting_person" or loaded.run.holder is None:
            return
        definition = workflows.version(loaded.run.workflow, loaded.run.version)
        left = accounts.is_closed(loaded.run.holder)
        if loaded.run.unknown and not left:
            return
        minutes = min(definition.document.settings.idle_save_minutes, settings.current().idle_save_minutes)
        if holder_idle_s(loaded.run) < minutes * 60:
            return
        typed, now = typed_of(loaded.run, loaded.subject), log.now()
        command = commands.Save(None, loaded.run.revision, typed)
        events = [into_inbox.left(definition, loaded.run, typed, now)] if left else decide(plan_of(definition), loaded, command, now)
        write(ENGINE, definition, loaded, events)

    retried(once)
