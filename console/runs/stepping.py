"""A step between its type and the world: what is read for it, what is shown, what comes of what was submitted.

Reads happen here, through `records/` and under the rights of the person (or, for an automatic step, of the run's holder), outside
of any transaction.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from console import access, records, steps
from console.core import expressions
from console.core.actor import Actor
from console.core.collections import Collection
from console.core.commands import Plan
from console.core.forms import FormField, clean
from console.core.policy import Rules, on_day
from console.core.run import Attempt, Run
from console.core.scopes import Scope
from console.errors import Invalid, NotAllowed, NotFound
from console.records import Record
from console.steps.base import Completion, Context, Option, Prompt, Read, Rows, StepType, StepView
from console.workflows import Definition

PERFORMING = ("start", "resume")


@dataclass(frozen=True, slots=True)
class Stand:
    """A run at its open attempt, with the step's type and settings."""

    definition: Definition
    run: Run
    attempt: Attempt
    kind: StepType
    view: StepView

    @property
    def by_hand(self) -> bool:
        """Whether a person stands in for a step that has no form of its own."""
        return self.kind.automatic


@functools.lru_cache(maxsize=256)
def plan_of(definition: Definition) -> Plan:
    """The graph of a version, and which of its steps go on without a person."""
    document = definition.document
    alone = {step.id for step in document.steps if steps.get(step.type).by_itself(step.config)}
    asks = frozenset(step.id for step in document.steps if step.id in alone and not steps.get(step.type).automatic)
    return Plan(document, frozenset(alone | {step.id for step in document.steps if step.completion == "automatic"}), asks)


def stand(definition: Definition, run: Run) -> Stand:
    """Where the run stands; it must have an open or performing attempt."""
    attempt = run.attempt
    if attempt is None:
        raise NotFound
    kind, view = _step(definition, attempt.step)
    return Stand(definition, run, attempt, kind, view)


@functools.lru_cache(maxsize=4096)
def _step(definition: Definition, step_id: str) -> tuple[StepType, StepView]:
    step = definition.document.step(step_id)
    return steps.get(step.type), steps.view(step)


def record_of(actor: Actor, run: Run) -> Record | None:
    """The record that the run is about, as the actor may see it. Raises NotFound when it is gone or out of their scope."""
    if run.collection is None or run.record is None:
        return None
    return records.get(run.collection, run.record, access.scope_for(actor, run.collection, "read"))


def require_step(actor: Actor, here: Stand) -> None:
    """Raise NotAllowed unless the actor may do this step: the workflow, the roles it names, the fields it changes."""
    obj = f"workflow:{here.definition.slug}"
    if not any(access.can(actor, here.run.team, obj, act) for act in PERFORMING):
        access.require(actor, here.run.team, obj, "resume")
    wanted = here.definition.document.step(here.attempt.step).roles
    if wanted and not access.held(actor, here.run.team) & set(wanted):
        names = " or ".join(wanted)
        raise NotAllowed(f"“{here.view.title}” is for {names}. Save the run, or let one of them take it over.", need=(obj, "resume"))
    if here.kind.edits(here.view) and here.run.collection is not None:
        access.require(actor, here.run.team, f"collection:{here.run.collection}", "update")


def context_of(actor: Actor, here: Stand, record: Record | None, now: datetime, shown: Mapping[str, Any] | None = None) -> Context:
    """What the step may look at, read under the actor's rights. `shown` is what the actor last saw of the record's fields."""
    run, document = here.run, here.definition.document
    roots = {
        "record": records.collection(record.collection).typed(record.values) if record else None,
        "input": run.context.get(document.start.id, run.input),
        "steps": run.context,
        **rules_of(here.definition, (run.created_at or now).astimezone(UTC).date()).roots,
        "run": {"id": run.id, "started_by": run.started_by, "holder": run.holder, "team": run.team, "version": run.version},
        "currentUser": actor.attributes,
        "now": now,
    }
    forms: Mapping[str, FormField] = {}
    edits = here.kind.edits(here.view)
    if edits and record is not None and run.collection is not None:
        scope = access.scope_for(actor, run.collection, "update")
        forms = {field.name: field for field in records.forms(records.collection(run.collection), list(edits), record, scope)}
    return Context(
        roots=roots,
        reads={read.name: _rows(actor, run, record, read) for read in here.kind.reads(here.view)},
        forms=forms,
        former=dict(here.attempt.defaults or {}),
        shown=shown,
        titles={step.id: step.title for step in document.steps},
        manual=frozenset(attempt.step for attempt in run.attempts.values() if attempt.standing and attempt.handled_manually),
    )


def _rows(actor: Actor, run: Run, record: Record | None, read: Read) -> Rows:
    if run.collection is None or run.record is None or record is None:
        return Rows("", "", (), ())
    own = records.collection(run.collection)
    if read.relation is None:
        return _own(actor, own, record, read)
    relation = own.relation(read.relation)
    if relation is None:
        raise NotFound(f"{own.label} has no relation {read.relation} any more.")
    target = records.collection(relation.collection)
    if not access.can(actor, run.team, f"collection:{target.id}", "read"):
        return Rows(target.id, relation.label, (), (), denied=(relation.name,))
    scope = access.scope_for(actor, target.id, "read")
    where = expressions.parse(read.where) if read.where else None
    found = records.related(run.collection, run.record, relation.name, scope, limit=read.limit, sort=read.sort, where=where)
    fields, denied = _columns(target, scope, read.fields)
    kept = {field["name"] for field in fields}
    rows = [{"key": row.key, "title": row.title, "values": {k: v for k, v in row.values.items() if k in kept}} for row in found.rows]
    return Rows(target.id, relation.label, fields, rows, denied, more=found.next is not None)


def _own(actor: Actor, collection: Collection, record: Record, read: Read) -> Rows:
    scope = access.scope_for(actor, collection.id, "read")
    fields, denied = _columns(collection, scope, read.fields)
    values = {field["name"]: record.values.get(field["name"]) for field in fields}
    return Rows(collection.id, collection.label_one, fields, [{"key": record.key, "title": record.title, "values": values}], denied)


def _columns(collection: Collection, scope: Scope, names: Sequence[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """(columns in the shape of the API, names that may not be read) of what is to be shown; no names: everything readable."""
    wanted = names or [field.name for field in collection.readable(scope)]
    known = [field for name in wanted if (field := collection.field(name)) is not None and name not in scope.hidden]
    return [field.to_json() for field in known], tuple(name for name in wanted if name in scope.hidden)


@functools.lru_cache(maxsize=256)
def rules_of(definition: Definition, day: date) -> Rules:
    """The house rules of a version on a day: a run keeps those of the day on which it began."""
    return on_day(definition.document, day)


def prompt_of(here: Stand, context: Context) -> Prompt:
    """What a person is shown. A step that has no form of its own asks for the way on, when a person stands in for it."""
    if not here.by_hand:
        return here.kind.prepare(here.view, context)
    document = here.definition.document
    ways = document.step(here.attempt.step).next
    if len(ways) <= 1:
        return Prompt(button="Go on")
    return Prompt(
        outcomes=tuple(Option(outcome, f"On to {document.step(target).title}") for outcome, target in ways.items()), button="Go on"
    )


def completion_of(here: Stand, context: Context, values: Mapping[str, Any], outcome: str | None) -> Completion:
    """What comes of what a person submitted. Raises Invalid with one detail per field that is wrong."""
    if not here.by_hand:
        return here.kind.complete(here.view, context, dict(values), outcome)
    prompt = prompt_of(here, context)
    clean(prompt.fields, dict(values))
    offered = [option.value for option in prompt.outcomes]
    if not offered:
        return here.kind.by_hand(here.view, context)
    if outcome not in offered:
        raise Invalid("Choose the way on.", details=[{"field": "outcome", "reason": f"One of: {', '.join(offered)}."}])
    return Completion(outcome, {}, {"branch": outcome})


def label_of(prompt_options: tuple[Option, ...], outcome: str) -> str | None:
    """The label of the chosen option, None where nothing was to be chosen."""
    return next((option.label for option in prompt_options if option.value == outcome), None)
