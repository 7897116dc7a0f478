"""Starting a run: what the actor may start, on which record, with which input. Every start goes through `begin`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import browse, log, records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.forms import field_name
from console.core.run import Event, Run, commands, decisions, fold
from console.core.run.causes import Causes, bounded, cause_of_actor
from console.core.run.commands import Taken
from console.core.run.origin import Fork, Parent, StartedBy
from console.infra import subjects
from console.infra.db.engine import fetch
from console.infra.db.ids import new_id
from console.records import Record
from console.runs.commands import segment_starts, transitions
from console.runs.commands.run_rights import see
from console.runs.engine.advancing import go_on
from console.runs.engine.stepping import OpenStep, completion_of_values, context_of, plan_of, step_at
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import Also, LiveRun, StartedAlready, find_conflict, live_run, write
from console.steps.base import Context
from console.workflows import Definition

NOBODY_ASKS = frozenset({"schedule", "event"})
"""Kinds of triggers behind which nobody waits for an answer."""
WAITS = "This record is enrolled in this workflow already, and waits for its run to begin."
StartStep = tuple[OpenStep, Context]
WRONG_INPUT = "The run was started with a wrong input."


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets a run that is started for somebody else: the inbox, or the person (in place of `stands_in_for`); with a reason that they see there."""

    reason: str
    inbox: str | None = None
    person: str | None = None
    stands_in_for: str | None = None

    def command(self, run: Run, by: str) -> commands.Command:
        """The command by which the run goes there from whoever started it."""
        if self.inbox is not None:
            return commands.Escalate(by, run.revision, self.inbox, self.reason)
        return commands.Assign(by, run.revision, self.person or "", self.reason, None, self.stands_in_for)


def start(
    actor: Actor,
    workflow: str,
    collection: str | None,
    record: str | None,
    given: Mapping[str, Any] | None = None,
    *,
    test: bool = False,
    also: Also | None = None,
    to: Addressee | None = None,
) -> str:
    """Start a run of the live version and return its id. If the workflow names an account to run as, nobody holds the run.

    `test`: it is marked as a test, and is not the one live run on its record; what it writes and sends is real. `also`: what is written with it in one transaction.
    `to`: who gets it, in the same transaction; whom the caller may ask is the caller's to judge.

    Raises NotFound for a workflow or record that the actor may not see, NotAllowed without the right to start, Invalid for the input (fields
    named `input.…`), Conflict `run_is_live` if a run is live on the record (with `run_id` if the actor may see it), `outside_segments` if the workflow is not for it.
    """
    definition = _live_for(actor, workflow)
    _require_way(actor, definition, record)
    if definition.document.run_as is None:
        return begin(actor, definition, collection, record, given, test=test, also=also, to=to)
    _judged(
        actor, definition, collection, record
    )  # who starts it sees the record too, whatever the account may see
    hands_off = HandsOff(by=actor, asker=actor, test=test)
    return begin(
        account_of(definition), definition, collection, record, given, hands_off=hands_off, also=also
    )


def try_start(
    actor: Actor,
    workflow: str,
    collection: str | None,
    record: str | None,
    given: Mapping[str, Any] | None = None,
    *,
    alone: bool = False,
) -> None:
    """Check everything that `start` checks, and raise what it would raise; nothing is started. `alone`: other live runs on the record do not matter."""
    definition = _live_for(actor, workflow)
    _require_way(actor, definition, record)
    check(actor, definition, collection, record, given or {}, alone=alone)


def check(
    actor: Actor,
    definition: Definition,
    collection: str | None,
    record: str | None,
    given: Mapping[str, Any],
    *,
    asker: Actor | None = None,
    alone: bool = False,
) -> str | None:
    """Check everything that `begin` checks, and raise what it would raise; the key that only one live run may have. `alone`: other live runs do not matter.

    `asker` handed in the input, and sees every record that it names.
    """
    about, _, exclusive = _judged(actor, definition, collection, record)
    require_none_live(actor, None if alone else exclusive)
    checked_input(actor, definition, about, given, definition.document.team or "", log.now(), asker)
    return exclusive


@dataclass(frozen=True, slots=True)
class HandsOff:
    """How a run starts that nobody holds. `origin` None: the person or key `by` started it by hand. `key`: two starts with the same key are one run.

    `subject`: under whose key its values are kept if it has no record; None: the run's own. `asker`: who handed in the input, and sees every record that it
    names, whatever the account may see. `run_id`: the id that the run was promised to have. `lead`: the place whose turn it is.
    """

    by: Actor | None = None
    asker: Actor | None = None
    origin: StartedBy | None = None
    key: str | None = None
    test: bool = False
    parent: Parent | None = None
    alone: bool = False
    subject: str | None = None
    run_id: str | None = None
    lead: str | None = None
    repeats: Causes = ()

    @property
    def caused_by(self) -> Causes:
        """What caused it: who starts it by hand, then what its origin says, and what caused the run that it repeats."""
        by_hand = (cause_of_actor(self.by),) if self.by is not None else ()
        return bounded((*by_hand, *(self.origin.caused_by if self.origin is not None else ()), *self.repeats))

    @property
    def exclusive(self) -> bool:
        """Whether it counts as the one live run on its record: one that a step of another run starts only where that says so (`alone`)."""
        return not self.test and (self.parent is None or self.alone)


def account_of(definition: Definition) -> Actor:
    """The service account that runs of this version act as. Raises Conflict `no_account` if it is closed, or the document names none."""
    named = definition.document.run_as
    if named is None:
        raise Conflict(
            f"{definition.title} names no account to run as: set run_as, and publish it.", code="no_account"
        )
    try:
        return accounts.service_account(named)
    except NotFound:
        message = f"The service account {named}, as which {definition.title} runs, is closed. Open it again, or name another and publish."
        raise Conflict(message, code="no_account") from None


def _require_way(actor: Actor, definition: Definition, record: str | None) -> None:
    """Raise Conflict `switched_off` where the document names this way of starting as a trigger, and every such trigger is switched off."""
    kind = _way(actor, record is not None)
    named = [trigger for trigger in definition.document.triggers if trigger.kind == kind]
    if not named:
        return
    switches = dict(
        fetch(
            "select id, enabled from console.trigger where workflow = %s and kind = %s", (definition.id, kind)
        )
    )
    if not any(switches.get(trigger.id, trigger.starts_enabled) for trigger in named):
        words = {"api": "programs", "mcp": "assistants", "record": "a record", "manual": "hand"}[kind]
        raise Conflict(
            f"Starting {definition.title} {'from' if kind == 'record' else 'by'} {words} is switched off under its triggers.",
            code="switched_off",
        )


def _live_for(actor: Actor, workflow: str) -> Definition:
    """The live version of the workflow. Raises NotFound for one that the actor may not see."""
    definition = workflows.live(workflow)
    obj = f"workflow:{definition.slug}"
    if not access.can(actor, definition.document.team or "", obj, "see"):
        raise NotFound(f"There is no published workflow {workflow}.", hidden=access.label_of(obj) is None)
    return definition


def _judged(
    actor: Actor, definition: Definition, collection: str | None, record: str | None, *, goes_on: bool = False
) -> tuple[Record | None, str | None, str | None]:
    """(record, label, key that only one live run may have) of a run that the actor may start. Raises what `start` raises for them.

    `goes_on`: it takes over steps of a former run, which may have taken the record out of the workflow's segments.
    """
    require_start(actor, definition)
    about = record_of_start(actor, definition, collection, record)
    if about is not None and not goes_on:
        segment_starts.require_inside(actor, definition.document, about.key)
    return about, *label_and_key(definition, about)


def require_start(actor: Actor, definition: Definition) -> None:
    """Raise NotAllowed unless the actor may start runs of the workflow, Conflict `not_active` if no run can start."""
    access.require(actor, definition.document.team or "", f"workflow:{definition.slug}", "start")
    workflows.require_active(definition)


def label_and_key(definition: Definition, about: Record | None) -> tuple[str | None, str | None]:
    """(label, key that only one live run may have) of a run about this record."""
    of_record = access.label_of(f"collection:{about.collection}", about.values) if about is not None else None
    label = definition.document.clearance or of_record
    return label, _exclusive(definition, about, label)


def begin(
    actor: Actor,
    definition: Definition,
    collection: str | None,
    record: str | None,
    given: Mapping[str, Any] | None = None,
    *,
    linked_to: str | None = None,
    taken: Sequence[Taken] = (),
    caused_by: Causes = (),
    hands_off: HandsOff | None = None,
    test: bool = False,
    also: Also | None = None,
    to: Addressee | None = None,
) -> str:
    """Start a run of this version and return its id. `linked_to` is the ended run that it repeats, `taken` its steps to take over, `caused_by` what caused that.

    `hands_off`: nobody holds it, `actor` is the account as which it runs, and a worker does its steps. Raises what `start` raises.
    """
    about, label, exclusive = _judged(actor, definition, collection, record, goes_on=bool(taken))
    if test or (hands_off is not None and not hands_off.exclusive):
        exclusive = None
    by = actor if hands_off is None else hands_off.by
    require_none_live(by or actor, exclusive, hands_off)
    run_id, events = start_events(
        *(actor, definition, about, label, exclusive, given or {}),
        linked_to=linked_to,
        taken=taken,
        caused_by=caused_by,
        hands_off=hands_off,
        test=test,
    )
    if to is not None:
        begun = fold(events)
        if begun.holder is not None and begun.holder != to.person:
            events += decisions.decide(plan_of(definition), begun, to.command(begun, actor.id), log.now())
    whose = hands_off.subject if hands_off is not None and about is None else None
    subject = subject_of(about) if about and label is None else whose or subjects.subject_of("run", run_id)
    try:
        loaded = write(
            by or ENGINE, definition, None, events, subject=subject, hand_on=hands_off is not None, also=also
        )
    except StartedAlready as already:
        return already.run_id
    except LiveRun as live:
        require_none_live(by or actor, live.exclusive_key)
        raise
    if hands_off is None:
        go_on(actor, definition, loaded)
    return run_id


def start_events(
    actor: Actor,
    definition: Definition,
    about: Record | None,
    label: str | None,
    exclusive: str | None,
    given: Mapping[str, Any],
    *,
    linked_to: str | None = None,
    taken: Sequence[Taken] = (),
    caused_by: Causes = (),
    hands_off: HandsOff | None = None,
    test: bool = False,
) -> tuple[str, list[Event]]:
    """(id of the new run, the events that start it), for an actor who was judged. Raises Invalid for the input, with its fields named `input.…`.

    With a wrong input from a schedule or an event the run fails at its start: it can be seen, and started again with another input.
    """
    team, run_id, now = (
        definition.document.team or "",
        (hands_off and hands_off.run_id) or new_id("run"),
        log.now(),
    )
    by = actor if hands_off is None else hands_off.by
    values, output, wrong = _input(actor, definition, about, given, team, now, hands_off)
    command = commands.Start(
        by=by.id if by is not None else None,
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
        titled=browse.naming.title_in_log(about).get(log.masking.TITLED, {}) if about else {},
        label=label,
        linked_to=linked_to,
        taken=taken,
        trigger=_trigger(by or actor, about, hands_off),
        acts_for=actor.id if hands_off is not None else None,
        origin=hands_off.origin if hands_off is not None else None,
        caused_by=hands_off.caused_by
        if hands_off is not None
        else bounded((cause_of_actor(actor), *caused_by)),
        key=hands_off.key if hands_off is not None else None,
        test=test or (hands_off is not None and hands_off.test),
        parent=hands_off.parent if hands_off is not None else None,
        wrong=wrong,
    )
    return run_id, decisions.decide(plan_of(definition), Run(), command, now)


def _input(
    actor: Actor,
    definition: Definition,
    about: Record | None,
    given: Mapping[str, Any],
    team: str,
    now: datetime,
    hands_off: HandsOff | None,
) -> tuple[Mapping[str, Any], Mapping[str, Any], str]:
    """(values, output, what is wrong with the input of a start that nobody can be told of). Raises Invalid where somebody can."""
    try:
        return *checked_input(
            actor, definition, about, given, team, now, hands_off.asker if hands_off is not None else None
        ), ""
    except Invalid as error:
        if (
            hands_off is None
            or hands_off.by is not None
            or hands_off.origin is None
            or hands_off.origin.kind not in NOBODY_ASKS
        ):
            raise
        labels = {
            field["name"]: field.get("label") for field in definition.document.start.config.get("fields", ())
        }
        named = [
            (str(detail["field"]).removeprefix("input."), detail.get("reason", error.message))
            for detail in error.details
        ]
        return (
            given,
            {},
            " ".join([WRONG_INPUT, *(f"{labels.get(name) or name}: {reason}" for name, reason in named[:5])]),
        )


def begin_branch(
    actor: Actor,
    definition: Definition,
    parent: Loaded,
    fork: Fork,
    hands_off: HandsOff,
    *,
    linked_to: str | None = None,
    taken: Sequence[Taken] = (),
) -> str:
    """Start a branch of the parent's own workflow, on its record, and return its id. The parent was allowed to start; the branch's steps are judged one by one.

    `linked_to` is the ended branch that it repeats, which then stands for the parent too, `taken` its steps to take over.
    """
    run, by, now = parent.run, hands_off.by, log.now()
    command = commands.Start(
        by=by.id if by is not None else None,
        id=new_id("run"),
        team=run.team,
        version=definition.number,
        workflow=run.workflow,
        collection=run.collection,
        record=run.record,
        exclusive=None,
        input=run.input,
        output={},
        trigger="workflow",
        linked_to=linked_to,
        taken=taken,
        label=run.label,
        acts_for=actor.id,
        origin=hands_off.origin,
        caused_by=hands_off.caused_by,
        key=hands_off.key,
        test=hands_off.test,
        parent=hands_off.parent,
        fork=fork,
    )
    try:
        events = decisions.decide(plan_of(definition), Run(), command, now)
        write(by or ENGINE, definition, None, events, subject=parent.subject, hand_on=True)
    except StartedAlready as already:
        return already.run_id
    return command.id


def _trigger(actor: Actor, about: Record | None, hands_off: HandsOff | None) -> str:
    """The kind of trigger in lists."""
    if hands_off is not None and hands_off.origin is not None:
        return hands_off.origin.kind
    return _way(actor, about is not None)


def _way(actor: Actor, on_record: bool) -> str:
    """How somebody starts a run who asks for it."""
    if actor.kind == "key":
        return "mcp" if access.by_assistant(actor) else "api"
    return "record" if on_record else "manual"


def _exclusive(definition: Definition, about: Record | None, label: str | None) -> str | None:
    """The key that only one live run may have. Runs with a label have keys of their own, so that they never block a visible run."""
    if about is None or not definition.document.settings.exclusive:
        return None
    return f"{definition.id}|{about.collection}|{about.key}" + (f"|{label}" if label else "")


def record_of_start(
    actor: Actor, definition: Definition, collection: str | None, record: str | None
) -> Record | None:
    """The record of the new run, as the actor may see it; None for a workflow without a collection."""
    key = key_of_start(definition, collection, record)
    wanted = definition.document.collection
    return (
        records.get(wanted, key, access.scope_for(actor, wanted, "read"))
        if wanted is not None and key is not None
        else None
    )


def key_of_start(definition: Definition, collection: str | None, record: str | None) -> str | None:
    """The key of the record that the run is about; None for a workflow without a collection. Raises Invalid, Conflict `not_possible`."""
    wanted = definition.document.collection
    if wanted is None:
        if collection or record:
            raise Invalid("This workflow is about no record.", at=("collection", "Leave it out."))
        return None
    if collection != wanted or record is None:
        raise Invalid(
            f"This workflow starts from a record of {wanted}.",
            at=("collection", f"Name a record of {wanted}.")
            if collection != wanted
            else ("record", "Name the record that it is about."),
        )
    records.require_plain_key(wanted)
    return record


def require_none_live(actor: Actor, exclusive: str | None, hands_off: HandsOff | None = None) -> None:
    """Raise Conflict `run_is_live` if a live run has the key; with its id if the actor may see it. Before a hands-off start one that was promised counts too,
    and who waits to begin (`already_enrolled`), but not its own.
    """
    if exclusive is None:
        return
    run_id = (
        live_run(exclusive)
        if hands_off is None
        else find_conflict(exclusive, promised=hands_off.run_id, lead=hands_off.lead)
    )
    if run_id is None:
        return
    if run_id.startswith("lead_"):
        raise Conflict(WAITS, code="already_enrolled")
    try:
        see(actor, run_id)
    except ConsoleError:
        raise Conflict(
            "A run of this workflow is already ongoing on this record.", code="run_is_live"
        ) from None
    raise Conflict(
        "A run of this workflow is already ongoing on this record.", code="run_is_live", run_id=run_id
    )


def start_step(
    actor: Actor, definition: Definition, record: Record | None, team: str, now: datetime
) -> StartStep:
    """The start step of a run that is not begun, and what it can read."""
    open_step = step_at(definition, decisions.opening(plan_of(definition), actor.id, team, now))
    return open_step, context_of(actor, open_step, record, now)


def checked_input(
    actor: Actor,
    definition: Definition,
    record: Record | None,
    given: Mapping[str, Any],
    team: str,
    now: datetime,
    asker: Actor | None = None,
    step: StartStep | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values, output) of the start step, which may be given as `start_step` has it. Raises Invalid with its fields named `input.…`, also for a record that `asker` may not see."""
    try:
        open_step, context = step or start_step(actor, definition, record, team, now)
        completion = completion_of_values(open_step, context, given, None)
        for whom in (asker, actor) if asker is not None else (actor,):
            transitions.require_existing_references(whom, open_step, context, given)
    except Invalid as error:
        raise Invalid(
            error.message,
            details=[
                {**detail, "field": f"input.{field_name(str(detail['field']))}"} for detail in error.details
            ],
        ) from None
    return completion.values, completion.output if completion.output is not None else completion.values


def subject_of(record: Record) -> str:
    """The subject under whose key the values of a run on this record are encrypted: the person that the collection names, else the record."""
    return subjects.subject_of(
        *(records.subject(record.collection, record.key or "") or (record.collection, record.key or ""))
    )
