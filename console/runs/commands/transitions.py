"""Completing a step: the transition of a run that most others build on. Each checks the rights and what was submitted, decides, and commits once."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from console import log, workflows
from console.auth import access
from console.browse import evidence
from console.core import media
from console.core.actor import Actor
from console.core.documents.fields import FieldDefinition
from console.core.errors import Conflict, Invalid, NotFound, SourceDown
from console.core.forms import is_empty, refusal
from console.core.origins import ANY
from console.core.run import Event, Run, commands, decisions, fold, moves
from console.core.run.commands import Command
from console.core.run.proposal import MARKS
from console.log import masking
from console.records import Record
from console.runs.commands import compensations
from console.runs.commands.approval_requests import complete_request, notify_approvers
from console.runs.commands.run_rights import Seen, may_work, see
from console.runs.engine import proposing
from console.runs.engine.advancing import (
    completing_command,
    go_on,
    loaded_with_former,
    with_done_before,
    with_former_runs,
)
from console.runs.engine.stepping import (
    OpenStep,
    completion_of,
    context_of,
    plan_of,
    prompt_of,
    require_step,
    run_facts,
    step_at,
)
from console.runs.store import loaded_rows, typed_drafts
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_rows import with_loaded_rows
from console.runs.store.run_store import Also, after_events, load, retried, retried_from_memory, write
from console.runs.views import gathered, reader_reach, reading
from console.runs.views.screens import (
    Screen,
    digest,
    draw_screen,
    item_of,
    items_shown,
    last_shown,
    seen_fields,
    shown_event,
)
from console.runs.views.view import RunView
from console.steps.base import Completion, Context, MessageWanted, Prompt
from console.workflows import Definition

logger = logging.getLogger(__name__)
FORMS = ("form", "fields", "output")
UNSAID = "This cannot be taken as it is. Why rests on something that you may not read: ask somebody who may."


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody submits at a step: the step's id, the revision the form was drawn with (None: any), the values and the chosen outcome.

    `repeat` (keep, again, compensate) says what to do if an effect was made before; `handled_manually` that the proposal was not used, with a `reason`.
    `part` is what the step, or the item of its list, is called by on the screen that it shares; None: by the step.
    `read` is the digest of what the person read at a step below the present one (`gathered.read_digest`); None: it is not compared.
    """

    step: str
    revision: int | None
    values: Mapping[str, Any]
    outcome: str | None = None
    handled_manually: bool = False
    reason: str = ""
    repeat: str | None = None
    read: str | None = None
    part: str | None = None

    @property
    def item(self) -> str | None:
        """Key of the item that a part of a screen is about."""
        return typed_drafts.of_part(self.part)[1] if self.part is not None else None


def complete(actor: Actor, run_id: str, submission: Submission) -> None:
    """Complete the current step, make its effects, and do the automatic steps that follow.

    Raises Conflict (`stale_revision`, `not_holder`, `not_possible`, `record_gone`, `already_done` with the choices), Invalid with a detail per
    field, NotAllowed, NotFound, SourceDown.
    """
    reason_of(submission.reason)

    def once(recent: Loaded | None) -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, recent=recent)
        before, events = _completion_events(actor, seen, submission, log.now())
        return seen.definition, write(actor, seen.definition, before, events)

    definition, loaded = retried_from_memory(run_id, submission.revision, once)
    notify_approvers(go_on(actor, definition, loaded).run)


def message_of(actor: Actor, run_id: str, submission: Submission) -> tuple[Run, MessageWanted]:
    """(the run, the message that its current step would send for these values), complete or not; nothing is recorded.

    Raises as `complete`, and Invalid where the step sends none.
    """
    seen, now = see(actor, run_id), log.now()
    moves.require_completable(seen.run, actor.id, submission.step, submission.revision)
    open_step = step_at(seen.definition, seen.run)
    require_step(actor, open_step)
    _require_record(seen)
    context = replace(context_of(actor, open_step, seen.record, now), foretold=True)
    completion = completion_of_form(
        actor, open_step, seen.record, context, submission.values, submission.outcome
    )
    if completion.message is None:
        raise Invalid("This step sends no message.", at="step")
    return seen.run, completion.message


def complete_and_look(
    actor: Actor, run_id: str, submission: Submission, later: Sequence[Submission] = ()
) -> RunView:
    """As `complete`, and return the run afterwards. If the next step is the actor's, their screen is recorded in the same transaction.

    `later` are those of the steps below it on its screen: all are checked before anything is written, and completed in the same transaction, up to the
    first that has to wait for a change of one before it. A detail of an error names its `step` where that is one of them.
    """
    reason_of(submission.reason)
    waiting: Sequence[Submission] = ()

    def once(recent: Loaded | None) -> tuple[Seen, Screen | None]:
        nonlocal waiting
        seen, now = see(actor, run_id, shown=True, recent=recent), log.now()
        before, events = _completion_events(actor, seen, submission, now)
        events, waiting = _complete_later(actor, seen, submission, before, events, later, now)
        screen, more, row = (
            (None, [], None) if waiting else _screen_after(actor, seen, fold(events, before.run), now)
        )
        keeps = _keeping(actor, after_events(before, events), waiting, now) if waiting else None
        written = write(actor, seen.definition, before, events + more, shown=row, also=keeps)
        return replace(seen, loaded=written), screen

    with loaded_rows.judged_once():
        view = _completed_and_looked(actor, run_id, submission.revision, once)
    current = view.json["current"]
    if not waiting or "complete" not in view.can or current is None or current["step"] != waiting[0].step:
        return view
    try:
        here = replace(waiting[0], revision=view.json["revision"])
        return complete_and_look(actor, run_id, here, waiting[1:])
    except (Conflict, Invalid):
        return reading.get(
            actor, run_id
        )  # the steps before are done; the rest is in the form, as it was typed


def _complete_later(
    actor: Actor,
    seen: Seen,
    first: Submission,
    before: Loaded,
    events: list[Event],
    later: Sequence[Submission],
    now: datetime,
) -> tuple[list[Event], Sequence[Submission]]:
    """(the events that complete the steps of a screen, the submissions that wait for a change of one before them)."""
    below: Sequence[str] = seen.definition.document.gathered_after(first.step)
    if (
        later
        and before.run.current is not None
        and gathered.goes_together(step_at(seen.definition, before.run))
    ):
        below = [first.step for each in later if each.item is not None]
    if [each.step for each in later] != list(below[: len(later)]):
        raise Conflict("These steps are not on one screen. Reload the run.", code="stale_revision")
    here, values, waiting = seen, first.values, list[Submission]()
    for submitted in later:
        at = replace(seen, loaded=after_events(before, events))
        if not waiting and _stands_at(at.run, submitted.step):
            screen = draw_screen(actor, at, now, submitted.item)
            drawn, _ = shown_event(actor, at.run, screen, digest(screen), now)
            at = replace(at, loaded=after_events(at.loaded, [drawn]))
            try:
                with _naming_step(submitted.part or submitted.step):
                    _require_read(submitted, screen)
                    _, more = _completion_events(actor, at, submitted, now, screen)
                events, here, values = [*events, drawn, *more], at, submitted.values
                continue
            except log.Moved:  # earlier attempts must be read, which needs these events committed first
                pass
        foreseen = at if submitted.item is not None else gathered.seen_ahead(actor, here, values, now)
        if foreseen is None or not _stands_at(foreseen.run, submitted.step):
            raise Conflict(
                "This run goes another way after these answers. Reload it to see where it stands.",
                code="stale_revision",
            )
        with _naming_step(submitted.part or submitted.step):
            _require_complete(actor, foreseen, submitted, now)
        here, values = foreseen, submitted.values
        waiting.append(submitted)
    return events, waiting


def _stands_at(run: Run, step: str) -> bool:
    return run.status == "waiting_person" and run.attempt is not None and run.attempt.step == step


@contextmanager
def _naming_step(step: str) -> Iterator[None]:
    """Name the step in each detail of what is raised."""
    try:
        yield
    except (Invalid, Conflict) as error:
        error.details = [{**detail, "step": step} for detail in error.details]
        raise


def _require_read(submitted: Submission, screen: Screen) -> None:
    """Raise Invalid if the step says something else than when the person read it: what was answered above it has changed it."""
    if submitted.read is not None and submitted.read != gathered.read_digest(screen):
        words = (
            f"“{screen['title']}” says something else after what you answered above it: read it, then go on."
        )
        raise Invalid(words, at=("", words))


def _require_complete(actor: Actor, seen: Seen, submitted: Submission, now: datetime) -> None:
    """Raise what the completion of the step would, without completing it."""
    open_step = step_at(seen.definition, seen.run)
    require_step(actor, open_step)
    context = context_of(actor, open_step, seen.record, now)
    given = with_stored_files(open_step, context, without_unseen(actor, open_step, context, submitted.values))
    completion_of_form(actor, open_step, seen.record, context, given, submitted.outcome)


def _keeping(actor: Actor, loaded: Loaded, waiting: Sequence[Submission], now: datetime) -> Also:
    """What keeps the submissions that wait as the draft of the attempt at which the run stands then."""
    attempt, subject = loaded.run.attempt, loaded.subject or ""
    values: dict[str, Any] = {}
    for each in waiting:
        own = attempt is not None and attempt.step == each.step and each.item is None
        values |= each.values if own else typed_drafts.named_values(each.part or each.step, each.values)
    values |= {MARKS: {"outcome": waiting[-1].outcome}} if waiting[-1].outcome is not None else {}
    kept = log.body.canonical_value(draft_with_stored_files(loaded.run.id, values))

    def keep(connection: Connection, run_id: str) -> None:
        if attempt is not None:
            typed_drafts.put(connection, run_id, attempt.n, actor.id, subject, kept, now)

    return keep


def _completed_and_looked(
    actor: Actor,
    run_id: str,
    revision: int | None,
    once: Callable[[Loaded | None], tuple[Seen, Screen | None]],
) -> RunView:
    """The run as the actor sees it, after `once` and the automatic steps that follow."""
    seen, screen = retried_from_memory(run_id, revision, once, shown=True)
    if screen is not None:
        run, listed = seen.run, "progress" in screen
        draft = typed_drafts.latest(run.id, run.current or 0, seen.loaded.subject) if listed else None
        return reading.view(actor, seen, screen, reading.PageState(draft))
    onlooker = _Onlooker(actor)
    loaded = go_on(actor, seen.definition, seen.loaded, onlooker=onlooker)
    notify_approvers(loaded.run)
    return onlooker.view(loaded) or reading.get(actor, run_id)


def _screen_after(
    actor: Actor, seen: Seen, after: Run, now: datetime
) -> tuple[Screen | None, list[Event], Mapping[str, Any] | None]:
    """(the actor's screen of the run as it will be, its events, its row); empty if the screen cannot be drawn before the commit."""
    if (
        after.current is None
        or after.status != "waiting_person"
        or seen.down is not None
        or not may_work(actor, after, seen.definition)
    ):
        return None, [], None
    try:
        screen = draw_screen(actor, replace(seen, loaded=replace(seen.loaded, run=after)), now)
    except (SourceDown, NotFound):
        return None, [], None
    shown, row = shown_event(actor, after, screen, digest(screen), now)
    asks = proposing.request_item_proposal(seen.definition, after, actor.id, item_of(screen), now)
    return screen, [shown, *([asks] if asks is not None else [])], row


class _Onlooker:
    """Draws the screen at which automatic steps end, for the person who completed the step before, so that it is recorded in the same transaction."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.seen: Seen | None = None
        self.screen: Screen | None = None

    def __call__(self, ahead: Loaded) -> tuple[list[Event], Mapping[str, Any] | None]:
        """(the events, the row) of the screen; empty for a run with a label, whose reading is recorded separately."""
        if not ahead.shows or ahead.run.label is not None:
            return [], None
        try:  # the steps are committed even if the screen cannot be drawn
            self.seen = see(self.actor, ahead.run.id, recent=ahead)
            self.screen, events, row = _screen_after(self.actor, self.seen, ahead.run, log.now())
        except Exception:
            logger.exception("run %s cannot be shown", ahead.run.id)
            return [], None
        return events, row

    def view(self, loaded: Loaded) -> RunView | None:
        """The run with the recorded screen; None if the run must be read again."""
        if (
            self.seen is None
            or self.screen is None
            or not loaded.shows
            or loaded.run.status != "waiting_person"
        ):
            return None
        return reading.view(self.actor, replace(self.seen, loaded=loaded), self.screen, reading.PageState())


def _with_item(submitted: Submission, shown: Screen, run_id: str, n: int, person: str) -> Submission:
    """The submission with its item of the list: without one, it is about the one item whose form was shown at its revision.

    Raises Conflict where the forms of several were shown.
    """
    key = (shown.get("progress") or {}).get("key")
    if submitted.revision is None or key is None or "item" in submitted.values:
        return submitted
    if len(items_shown(run_id, n, person)) > 1:
        reason = f"Several items were shown since the last one was handed in: say which one this is for, `item`, such as {key}."
        raise Conflict("Nothing was handed in.", code="not_possible", at=("item", reason))
    return replace(submitted, values={**submitted.values, "item": key})


def _completion_events(
    actor: Actor, seen: Seen, submitted: Submission, now: datetime, screen: Screen | None = None
) -> tuple[Loaded, list[Event]]:
    """(the run, the events that complete its step). `screen`: the person was shown this one, else the one that is recorded."""
    run = seen.run
    open_step = step_at(seen.definition, run) if run.current is not None else None
    moves.require_completable(run, actor.id, submitted.step, submitted.revision)
    if open_step is None:
        raise NotFound
    require_step(actor, open_step)
    _require_record(seen)
    edits = open_step.kind.by_items or (run.record is not None and open_step.kind.edits(open_step.view))
    shown = (
        (b"", screen)
        if screen is not None
        else last_shown(run.id, open_step.attempt.n, actor.id)
        if edits
        else None
    )
    if open_step.kind.by_items and shown is not None:
        submitted = _with_item(submitted, shown[1], run.id, open_step.attempt.n, actor.id)
    item = submitted.values.get("item") if open_step.kind.by_items else None
    item = item if isinstance(item, str) else None
    context = context_of(actor, open_step, seen.record, now, seen_fields(shown[1]) if shown else None, item)
    if (
        item is not None
        and shown is not None
        and context.forms
        and shown[1].get("progress", {}).get("key") != item
    ):
        raise refusal(
            [
                {
                    "field": "item",
                    "reason": "You turned to another item since this form was drawn: look at this one again, then hand it in.",
                }
            ]
        )
    proposal = proposing.proposal_for(run, actor.id, item)
    context = replace(context, proposal=None if submitted.handled_manually else proposing.if_shown(proposal))
    context = with_done_before(seen.loaded, open_step, context)
    starts_runs = bool(open_step.kind.begins(open_step.view.config))
    if (
        (open_step.by_hand or starts_runs)
        and not submitted.handled_manually
        and (run.take_over or {}).get("code") == "already_done"
    ):
        completion = open_step.kind.complete_by_itself(
            open_step.view, context
        )  # the person only chooses what to do about the earlier effect
    else:
        given = with_stored_files(
            open_step, context, without_unseen(actor, open_step, context, submitted.values)
        )
        completion = completion_of_form(actor, open_step, seen.record, context, given, submitted.outcome)
        require_existing_references(actor, open_step, context, given)
    prompt = prompt_of(open_step, context) if submitted.outcome is not None or proposal is not None else None
    chosen = (
        prompt.label_of(submitted.outcome) if prompt is not None and submitted.outcome is not None else None
    )
    loaded = loaded_with_former(seen.loaded, completion)
    command = replace(
        with_former_runs(
            completing_command(actor.id, submitted.step, run, completion), loaded.run, completion
        ),
        handled_manually=submitted.handled_manually,
        reason=submitted.reason,
        chosen=chosen,
        choice=submitted.outcome,
        repeat=submitted.repeat,
        compensations=compensations.compensate_former(actor, loaded.run, now)
        if completion.effects or completion.task
        else (),
        approval=complete_request(completion.approval, loaded.run, open_step, context, seen.record)
        if completion.approval
        else None,
        **_proposal_outcome(run, proposal, prompt, completion, submitted, now),
    )
    return loaded, with_loaded_rows(
        decisions.decide(plan_of(seen.definition), loaded.run, command, now), context
    )


def _proposal_outcome(
    run: Run,
    proposal: Mapping[str, Any] | None,
    prompt: Prompt | None,
    completion: Completion,
    submitted: Submission,
    now: datetime,
) -> dict[str, Any]:
    """Fields of the command: what the person made of the proposal, and the proposed outcome if there was a choice."""
    if proposal is None or prompt is None:
        return {}
    comparison = proposing.comparison_of(
        run,
        proposal,
        prompt.fields,
        completion.values,
        submitted.outcome,
        now,
        manual=submitted.handled_manually,
    )
    shown = proposing.if_shown(proposal)
    return {
        "proposal": comparison,
        "proposed": shown["outcome"] if shown is not None and submitted.outcome is not None else None,
    }


def _require_record(seen: Seen) -> None:
    if seen.down is not None:
        raise seen.down
    if seen.lacks_record:
        raise Conflict(
            "The record was deleted meanwhile. What you typed is kept; abort the run, or save it and ask who deleted it.",
            code="record_gone",
        )


def without_unseen(
    actor: Actor, open_step: OpenStep, context: Context, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The submitted values without empty fields whose value the actor may not see: those keep their value."""
    closed = reader_reach.kept_from(
        actor, open_step.run.workflow, open_step.run.version, open_step.attempt.step, run=open_step.run.id
    ).names
    if not closed:
        return dict(values)
    unseen = {
        name
        for name, value in values.items()
        if is_empty(value) and (name in closed or ANY in closed) and name not in context.forms
    }
    return {name: value for name, value in values.items() if name not in unseen}


def completion_of_form(
    actor: Actor,
    open_step: OpenStep,
    record: Record | None,
    context: Context,
    given: Mapping[str, Any],
    outcome: str | None,
) -> Completion:
    """The completion of the step with the submitted values. Reasons that rest on hidden values are replaced by a neutral text."""
    try:
        return completion_of(open_step, context, given, outcome)
    except (Invalid, Conflict) as error:
        hidden = reader_reach.kept_from(
            actor, open_step.run.workflow, open_step.run.version, open_step.attempt.step, run=open_step.run.id
        )
        if not masking.names_closed(hidden) or not error.details:
            raise
        plain = _reasons_in_sight(actor, open_step, record, context, given, outcome, hidden)
        details = [
            each if (each.get("field"), each.get("reason")) in plain else {**each, "reason": UNSAID}
            for each in error.details
        ]
        message = error.message if isinstance(error, Invalid) else UNSAID
        raise type(error)(message, code=error.code, details=details) from None


def _reasons_in_sight(
    actor: Actor,
    open_step: OpenStep,
    record: Record | None,
    context: Context,
    given: Mapping[str, Any],
    outcome: str | None,
    hidden: masking.Within,
) -> set[tuple[Any, Any]]:
    """(field, reason) of the errors that can be found without hidden values."""
    seen = context_of(
        actor,
        open_step,
        record,
        context.roots["now"],
        context.shown,
        context.chosen,
        hidden=reader_reach.replace_hidden(hidden),
    )
    try:
        completion_of(open_step, seen, given, outcome)
    except (Invalid, Conflict) as error:
        return {(each.get("field"), each.get("reason")) for each in error.details}
    return set()


def require_existing_references(
    actor: Actor, open_step: OpenStep, context: Context, given: Mapping[str, Any]
) -> None:
    """Raise Invalid with a detail for each field that names a record which the actor cannot see, unless the form already has that value."""
    config = open_step.view.config
    defined = [
        entry
        for part in FORMS
        for entry in vars(config).get(part) or ()
        if isinstance(entry, FieldDefinition)
    ]
    defined += [entry for act in context.acts.values() for entry in act.action.form]
    offered = [*context.forms.values(), *(entry.field() for entry in defined if entry.type == "reference")]
    if open_step.kind.choices(config):  # the names of the fields begin with their action
        offered = list(open_step.kind.prepare(open_step.view, context).fields)
    fields = [
        field for field in offered if isinstance(field.options, Mapping) and "collection" in field.options
    ]
    if fields and evidence.reference_errors(actor, open_step.run.team, fields, given):
        evidence.require(
            actor, open_step.run.team, open_step.kind.prepare(open_step.view, context).fields, given
        )


def with_stored_files(open_step: OpenStep, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The submitted values with each file in its stored form. Files of other runs are left out."""
    if not any(_may_hold_files(value) for value in values.values()):
        return dict(values)
    return evidence.with_files(prompt_of(open_step, context).fields, values, open_step.run.id)


def draft_with_stored_files(run_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a draft with each file in its stored form, at any depth. Files of other runs are left out, also where only an id names one."""
    uploaded = evidence.uploaded_files(run_id) if _names_file(values) else None
    return dict(values) if uploaded is None else dict(_stored(values, uploaded))


def _names_file(value: Any) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return media.file_id_of(value) is not None or any(map(_names_file, inner))


def _stored(value: Any, uploaded: Mapping[str, Any]) -> Any:
    """The value without files that are not among those uploaded to the run; None for one of them."""
    if (named := media.file_id_of(value)) is not None:
        return uploaded.get(named) if isinstance(value, Mapping) or named not in uploaded else value
    if isinstance(value, Mapping):
        return {
            name: kept
            for name, entry in value.items()
            if (kept := _stored(entry, uploaded)) is not None or entry is None
        }
    if isinstance(value, list):
        return [kept for entry in value if (kept := _stored(entry, uploaded)) is not None or entry is None]
    return value


def _may_hold_files(value: Any) -> bool:
    """Whether the value could mean one or more files, in any form."""
    entries = value if isinstance(value, list) else [value]
    return any(
        isinstance(entry, Mapping) or (isinstance(entry, str) and media.ID.fullmatch(entry))
        for entry in entries
    )


def draft(
    actor: Actor,
    run_id: str,
    *,
    step: str,
    revision: int | None,
    values: Mapping[str, Any],
    outcome: str | None = None,
) -> datetime:
    """Save the unfinished form without checking it, and return the time. Changes neither revision nor log.

    Raises Conflict if the person no longer holds the run at this step; then nothing is saved.
    """
    seen = see(actor, run_id)
    attempt = moves.require_completable(seen.run, actor.id, step, revision, drafted=True)
    values = {**values, MARKS: {"outcome": outcome}} if outcome is not None else values
    now, kept = log.now(), draft_with_stored_files(run_id, values)
    if step_at(seen.definition, seen.run).kind.by_items:
        kept = typed_drafts.with_other_items(
            typed_drafts.latest(run_id, attempt.n, seen.loaded.subject), kept
        )
    if not typed_drafts.keep(
        run_id, attempt.n, actor.id, seen.loaded.subject or "", log.body.canonical_value(kept), now
    ):
        raise Conflict(
            "This run moved on while this was typed. Reload it to see where it stands.", code="stale_revision"
        )
    return now


def run_command(
    actor: Actor,
    run_id: str,
    right: str | None,
    make: Callable[[Seen], Command],
    *,
    whole: bool = False,
    keep_draft: bool = False,
    also: Callable[[Seen], Also | None] = lambda _seen: None,
) -> tuple[Definition, Loaded]:
    """Give one command to a run: read it, check the right, decide, commit. Repeated if the run was changed meanwhile.

    `also` answers what is written in the same transaction.
    """

    def once() -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, whole=whole)
        if right is not None:
            access.require(
                actor, seen.run.team, f"workflow:{seen.definition.slug}", right, run=run_facts(seen.run)
            )
        events = decisions.decide(plan_of(seen.definition), seen.loaded.run, make(seen), log.now())
        return seen.definition, write(
            actor, seen.definition, seen.loaded, events, keep_draft=keep_draft, also=also(seen)
        )

    return retried(once)


def holder_draft(run: Run, subject: str | None) -> dict[str, Any] | None:
    """The holder's draft, which is handed over with the run."""
    kept = typed_drafts.latest(run.id, run.current, subject) if run.current is not None else None
    return dict(kept.values) if kept else None


def cancel(actor: Actor, run_id: str, *, revision: int | None, reason: str) -> None:
    """End the run, whoever holds it. One that goes on by itself is ended where it stands: it may move on with every second in which somebody writes the reason."""

    def command(seen: Seen) -> commands.Cancel:
        alone = seen.run.hands_off and seen.run.holder is None
        return commands.Cancel(actor.id, revision_of(seen, None if alone else revision), reason_of(reason))

    run_command(actor, run_id, "cancel", command)


def revision_of(seen: Seen, given: int | None) -> int:
    """The given revision, or if None the current one."""
    return seen.run.revision if given is None else given


def reason_of(reason: str) -> str:
    """The reason, checked: at most 2,000 characters, without NUL. Raises Invalid."""
    if len(reason) > 2000 or "\x00" in reason:
        raise Invalid("The reason cannot be kept.", at=("reason", "At most 2,000 characters of text."))
    return reason


def end_for_erasure(run_id: str) -> None:
    """Cancel a live run because its person is erased, even while an effect is under way: nobody could go on without the values."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return
        open_data = {
            "former_holder": loaded.run.holder,
            "reason_code": "erased",
            "revision": loaded.run.revision + 1,
        }
        write(
            ENGINE,
            workflows.version(loaded.run.workflow, loaded.run.version),
            loaded,
            [Event("run_cancelled", log.now(), open_data)],
        )

    retried(once)
