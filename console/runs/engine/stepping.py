"""Calling a step type: what it reads, what it shows, and the completion of what was submitted.

Records are read through `records/`, with the rights of the person (of the holder for an automatic step), outside of any transaction.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from console import browse, connectors, records, steps
from console.auth import access
from console.core.actor import Actor
from console.core.contact_stages import named_fields
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.forms import FormField, by_label, clean, refusal
from console.core.mcp_tools import Tool
from console.core.plain_words import roles_words
from console.core.policy import Rules, on_day
from console.core.run import Attempt, Run, duties, settling
from console.core.run.commands import Plan
from console.core.speaking import NAMES, SPOKEN, fill_text
from console.infra.db.engine import fetch
from console.log import masking
from console.records import Record
from console.runs.engine import opened_documents, proposing
from console.runs.engine.people_behind import people_behind
from console.runs.engine.step_reads import lead_record, read_rows
from console.runs.store import loaded_rows, version_origins
from console.steps.base import Completion, Context, Focus, Option, Prompt, StepType, StepView
from console.steps.effects import action_preview, spoken_values
from console.workflows import Definition

PERFORMING, NAMED = ("start", "resume"), 5
LONGEST_BUTTON = 60
_DONE = "select step, by, \"values\" from console.attempt where run = %s and step = any(%s) and status = 'done' and not revised and by is not null"
_OPEN = "select name from console.person where id = any(%s) and disabled_at is null"


@dataclass(frozen=True, slots=True)
class OpenStep:
    """The current step of a run: its attempt, its type and its settings."""

    definition: Definition
    run: Run
    attempt: Attempt
    kind: StepType
    view: StepView

    @property
    def by_hand(self) -> bool:
        """Whether a person does a step that has no form of its own."""
        return self.kind.automatic


@functools.lru_cache(maxsize=256)
def plan_of(definition: Definition) -> Plan:
    """The plan of a version: the graph, and which steps are done without a person."""
    document = definition.document
    alone = {step.id for step in document.steps if steps.get(step.type).by_itself(step.config)}
    asks = frozenset(
        step.id for step in document.steps if step.id in alone and not steps.get(step.type).automatic
    )
    clicked = {
        step.id
        for step in document.steps
        if step.completion == "automatic" and not _has_form(definition, step.id)
    }
    forms = {step.id for step in document.steps if not steps.get(step.type).automatic}
    lists = {
        step.id for step in document.steps if steps.get(step.type).by_items
    }  # skipped if the list is empty
    skips = frozenset(((clicked - alone) & forms) | lists)
    waits = frozenset(step.id for step in document.steps if steps.get(step.type).waits)
    return Plan(document, frozenset(alone | clicked), asks, skips, waits)


def _has_form(definition: Definition, step_id: str) -> bool:
    """Whether the step has a form that a person must have seen."""
    kind, view = _step(definition, step_id)
    return kind.asks(view.config)


def step_at(definition: Definition, run: Run) -> OpenStep:
    """The current step. Raises NotFound if the run has ended."""
    if (attempt := run.attempt) is None:
        raise NotFound
    kind, view = _step(definition, attempt.step)
    return OpenStep(definition, run, attempt, kind, view)


@functools.lru_cache(maxsize=4096)
def _step(definition: Definition, step_id: str) -> tuple[StepType, StepView]:
    step = definition.document.step(step_id)
    return steps.get(step.type), steps.view(step)


def chosen_at(definition: Definition, attempt: Attempt) -> str | None:
    """The option that was chosen at a completed step, of those that it offered."""
    kind, _ = _step(definition, attempt.step)
    return kind.chosen(attempt.outcome, attempt.output or {})


def record_of(actor: Actor, run: Run) -> Record | None:
    """The run's record as the actor may see it; None if the run has none. Raises NotFound if it is deleted or out of their scope."""
    if run.collection is None or run.record is None:
        return None
    return records.get(run.collection, run.record, access.scope_for(actor, run.collection, "read"))


def run_facts(run: Run) -> dict[str, Any]:
    """What conditions of rights and expressions read as `run`."""
    return {
        "id": run.id,
        "started_by": run.started_by,
        "holder": run.holder,
        "team": run.team,
        "version": run.version,
    }


def require_step(actor: Actor, open_step: OpenStep, *, named: bool = True) -> None:
    """Raise NotAllowed unless the actor may do this step, by the workflow, its roles, the fields it changes, and separation of duties.

    `named`: an error by separation of duties names people who could do it.
    """
    obj = f"workflow:{open_step.definition.slug}"
    if not any(
        access.can(actor, open_step.run.team, obj, act, run=run_facts(open_step.run)) for act in PERFORMING
    ):
        access.require(actor, open_step.run.team, obj, "resume", run=run_facts(open_step.run))
    wanted = open_step.definition.document.step(open_step.attempt.step).roles
    if wanted and not access.held(actor, open_step.run.team) & set(wanted):
        mine = open_step.run.holder == actor.id
        way_out = (
            "Save the run, or let one of them take it over."
            if mine
            else "One of them takes it over; you need do nothing."
        )
        raise NotAllowed(
            f"“{open_step.view.title}” is for {roles_words(wanted)}. {way_out}",
            need=(obj, "resume"),
            team=open_step.run.team,
        )
    if (open_step.kind.tags or open_step.kind.edits(open_step.view)) and open_step.run.collection is not None:
        access.require(actor, open_step.run.team, f"collection:{open_step.run.collection}", "update")
    _require_apart(actor, open_step, named=named)


def require_tagging(actor: Actor, run: Run) -> None:
    """Raise NotAllowed unless the actor may change records of the run's collection, and so tag them."""
    if run.collection is not None:
        access.require(actor, run.team, f"collection:{run.collection}", "update")


def _require_apart(actor: Actor, open_step: OpenStep, *, named: bool) -> None:
    """Raise NotAllowed if a rule for separation of duties excludes the actor from the step."""
    document = open_step.definition.document
    rules = document.step(open_step.attempt.step).not_by
    if not rules:
        return
    run = open_step.run
    done = [*duties.standing_steps(run), *done_before(run.id, rules)]
    behind = people_behind(run, [actor.id, *(each.by for each in done)])
    # whoever made a key of the account comes here with it; by itself the account is nobody's hand
    doers = [actor.id, *sorted(behind.get(actor.id, ()))] if actor.kind == "key" else [actor.id]
    broken = (
        duties.violated_rule(rules, done, doer, starter=run.started_by, behind=behind) for doer in doers
    )
    rule = next((rule for rule in broken if rule is not None), None)
    if rule is not None:
        could = _names_of_others(open_step, rules, done, behind) if named else ()
        raise duties.refusal_by_rule(
            rule, {step.id: step.title for step in document.steps}, open_step.view.title, could
        )
    access.narrowing.require_approver(actor, f"workflow:{open_step.definition.slug}")


def done_before(run_id: str, rules: Sequence[str]) -> list[duties.DoneStep]:
    """The completed steps that the rules name, by whom they were done; one statement."""
    wanted = duties.steps_of(rules)
    rows = fetch(_DONE, (run_id, wanted)) if wanted else []
    return [duties.DoneStep(step, by, values) for step, by, values in rows]


def _names_of_others(
    open_step: OpenStep, rules: Sequence[str], done: Sequence[duties.DoneStep], behind: duties.Behind
) -> list[str]:
    """Names of at most five people who could do the step, in order."""
    wanted, obj = (
        open_step.definition.document.step(open_step.attempt.step).roles,
        f"workflow:{open_step.definition.slug}",
    )
    people = {
        row.sub.removeprefix("user:")
        for row in access.all_rows()
        if row.ptype == "g" and row.sub.startswith("user:")
    }
    able = [
        person
        for person in people
        if access.can(Actor("user", person), open_step.run.team, obj, "resume", run=run_facts(open_step.run))
        and (not wanted or access.held(Actor("user", person), open_step.run.team) & set(wanted))
        and duties.violated_rule(rules, done, person, starter=open_step.run.started_by, behind=behind) is None
        and (open_step.run.label is None or open_step.run.label in access.clearance_of(person))
    ]
    return sorted(name for (name,) in fetch(_OPEN, (able,)))[:NAMED] if able else []


def may_do_step(
    actor: Actor, definition: Definition, team: str, collection: str | None, step_id: str
) -> bool:
    """Whether the actor, who may resume such runs, could do the step, by its roles and the fields that it changes."""
    kind, view = _step(definition, step_id)
    wanted = definition.document.step(step_id).roles
    if wanted and not access.held(actor, team) & set(wanted):
        return False
    return (
        collection is None
        or not (kind.tags or kind.edits(view))
        or access.can(actor, team, f"collection:{collection}", "update")
    )


def context_of(
    actor: Actor,
    open_step: OpenStep,
    record: Record | None,
    now: datetime,
    shown: Mapping[str, Any] | None = None,
    item: str | None = None,
    hidden: masking.Within | None = None,
) -> Context:
    """What the step can read, with the actor's rights. `shown` are the record's fields as the actor last saw them, `item` the key of an item.

    `hidden` removes values of the run that the actor may not see: for texts only, never for decisions.
    """
    run, document = open_step.run, open_step.definition.document
    asked = opened_documents.asked_by(open_step.definition, open_step.attempt.step)
    looked_at = opened_documents.opened_documents(run.id) if opened_documents.OPENED in asked else []
    seen: dict[str, Any] = {opened_documents.OPENED: [look.key for look in looked_at if look.complete]}
    if opened_documents.FAILED in asked:
        seen[opened_documents.FAILED] = opened_documents.failed_checks(run.id)
    held = run.context if hidden is None else held_by_steps(run, hidden)
    written = document.step(open_step.attempt.step).content
    led, followed = (
        lead_record(
            actor, run.team, record, version_origins.ways_of_step(open_step.kind, open_step.view, written)
        )
        if record
        else (None, [])
    )
    roots = {
        "record": led,
        "input": held.get(
            document.start.id,
            run.input if hidden is None else _masked(run.input, hidden, document.start.id, run),
        ),
        "steps": _WithEntries(run, open_step.attempt.step, held),
        **rules_of(open_step.definition, (run.created_at or now).astimezone(UTC).date()).roots,
        "run": run_facts(run) | {name: value for name, value in seen.items() if name in asked},
        "currentUser": actor.attributes,
        "now": now,
        **({"item": run.fork["item"]} if run.fork is not None and run.fork["item"] is not None else {}),
        SPOKEN: spoken_values.of_run(
            open_step.definition.id, open_step.definition.number, document, open_step.attempt.step
        ),
        NAMES: lambda collection, key: _name(actor, collection, key),
    }
    edits, forms, gone = open_step.kind.edits(open_step.view), dict[str, FormField](), frozenset[str]()
    if edits and record is not None and run.collection is not None:
        scope, collection = (
            access.scope_for(actor, run.collection, "update"),
            records.collection(run.collection),
        )
        gone = frozenset(() if open_step.kind.by_items else edits).difference(collection.by_name)
        forms = {
            field.name: field
            for field in records.forms(
                collection, named_fields(collection, edits), record, scope, run.workflow
            )
        }
    wanted = open_step.kind.reads(open_step.view)
    reads = {read.name: read_rows(actor, run, record, read, roots) for read in wanted}
    acts = {
        name: action_preview.ready(
            actor, run, name, run.record if key is None else key, record if key is None else None, now
        )
        for name, key in open_step.kind.acts(open_step.view, roots).items()
    }
    tool, no_tool = _tool(open_step)
    context = Context(
        roots=roots,
        tool=tool,
        no_tool=no_tool,
        reads=reads,
        forms=forms,
        gone=gone,
        former=dict(open_step.attempt.defaults or {})
        if hidden is None
        else _masked(open_step.attempt.defaults or {}, hidden, open_step.attempt.step, run),
        shown=shown,
        titles={step.id: step.title for step in document.steps},
        acts=acts,
        loaded=loaded_rows.loaded_by([*((read, reads[read.name]) for read in wanted), *followed], acts),
        key=settling.idempotency_key(
            run.id, open_step.attempt.step, open_step.attempt.attempt, len(open_step.attempt.effects) + 1
        ),
        manual=frozenset(
            attempt.step for attempt in run.attempts.values() if attempt.standing and attempt.handled_manually
        ),
        chosen=item,
        asks_ai=proposing.goes_on_with_answer(open_step.definition, open_step.attempt.step),
        opened={look.key: look.counted for look in looked_at},
        state=functools.partial(_state, record),
    )
    focus = open_step.kind.focus(open_step.view, context) if open_step.kind.by_items else None
    if focus is None:
        return context
    gone = frozenset(focus.fields).difference(records.collection(focus.collection).by_name)
    return replace(context, forms=_focused(actor, run, focus), gone=gone)


def _tool(open_step: OpenStep) -> tuple[Tool | None, str]:
    """The tool that the step calls, or why there is none."""
    if (named := open_step.kind.tool(open_step.view.config)) is None:
        return None, ""
    try:
        return connectors.tool_of(*named), ""
    except NotFound as error:
        return None, error.message


def _state(record: Record | None) -> str | None:
    if record is None or record.key is None:
        return None
    return records.change_state(records.collection(record.collection), record.key, record.values)


def _name(actor: Actor, collection: str, key: str) -> str | None:
    known = browse.names_of(actor, [(collection, key)], "read").get((collection, key))
    return known.title if known is not None else None


class _WithEntries(Mapping[str, Mapping[str, Any]]):
    """The context with `attempt` for each step: how often the run entered it, the current step included. A value of that name goes before."""

    def __init__(self, run: Run, current: str, held: Mapping[str, Mapping[str, Any]]) -> None:
        self.run, self.current, self.held = run, current, held

    def __getitem__(self, step: str) -> Mapping[str, Any]:
        if step != self.current and step not in self.held:
            raise KeyError(step)
        return {"attempt": self.run.entries(step) or 1, **self.held.get(step, {})}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.held, self.current]))

    def __len__(self) -> int:
        return len(self.held) + (self.current not in self.held)


def held_by_steps(run: Run, hidden: masking.Within) -> dict[str, Any]:
    """Step → its values in the run, without those that are hidden."""
    return {step: _masked(output, hidden, step, run) for step, output in run.context.items()}


def _masked(values: Any, hidden: masking.Within, step: str, run: Run) -> Any:
    """The values of the step without those that are hidden."""
    return masking.mask(values, "", masking.at_step(hidden, step), run.collection)[0]


def _focused(actor: Actor, run: Run, focus: Focus) -> Mapping[str, FormField]:
    """Form fields of a record other than the run's; empty if the actor may not change it."""
    if not access.can(actor, run.team, f"collection:{focus.collection}", "update"):
        return {}
    scope, collection = (
        access.scope_for(actor, focus.collection, "update"),
        records.collection(focus.collection),
    )
    record = Record(focus.collection, focus.key, focus.title, dict(focus.values))
    return {
        field.name: field
        for field in records.forms(collection, list(focus.fields), record, scope, run.workflow)
    }


@functools.lru_cache(maxsize=256)
def rules_of(definition: Definition, day: date) -> Rules:
    """The variables of a version on a day. A run keeps those of the day on which it began."""
    return on_day(definition.document, day)


def prompt_of(open_step: OpenStep, context: Context) -> Prompt:
    """What a person is shown. A step without a form lets the person choose the next step."""
    if not open_step.by_hand:
        prompt = open_step.kind.prepare(open_step.view, context)
        if "{{" not in prompt.button:
            return prompt
        return replace(prompt, button=fill_text(prompt.button, context.roots)[:LONGEST_BUTTON])
    document = open_step.definition.document
    ways = {
        outcome: target
        for outcome, target in document.step(open_step.attempt.step).next.items()
        if outcome != "error"
    }
    if len(ways) <= 1:
        return Prompt(button="Continue")
    return Prompt(
        outcomes=tuple(
            Option(outcome, f"On to {document.step(target).title}") for outcome, target in ways.items()
        ),
        button="Continue",
    )


def completion_of(
    open_step: OpenStep, context: Context, values: Mapping[str, Any], outcome: str | None
) -> Completion:
    """The completion of the step with the submitted values. Raises Invalid with one detail per wrong field."""
    if not open_step.by_hand:
        completion = completion_of_values(open_step, context, values, outcome)
        if outcome is not None:
            _require_offered(prompt_of(open_step, context), outcome)
        return completion
    prompt = prompt_of(open_step, context)
    clean(prompt.fields, dict(values))
    offered = [option.value for option in prompt.outcomes]
    if not offered:
        if outcome is not None:
            _require_offered(prompt, outcome)
        return open_step.kind.by_hand(open_step.view, context)
    if outcome not in offered:
        raise Invalid("Choose the way on.", at=("outcome", f"One of: {', '.join(offered)}."))
    return Completion(outcome, {}, {"branch": outcome})


def completion_of_values(
    open_step: OpenStep, context: Context, values: Mapping[str, Any], outcome: str | None
) -> Completion:
    """The completion that the kind of step makes of the values. What it raises names fields by their labels."""
    try:
        return open_step.kind.complete(open_step.view, context, dict(values), outcome)
    except Invalid as error:
        if error.details:
            error.message = by_label(
                error,
                {field.name: field.label for field in open_step.kind.prepare(open_step.view, context).fields},
            )
        raise


def _require_offered(prompt: Prompt, outcome: str) -> None:
    """Raise Invalid for an outcome that the step does not offer, if the step type has not done so."""
    offered = [option.value for option in prompt.outcomes]
    if outcome not in offered:
        named = f" Choose one of: {', '.join(offered)}." if offered else " Nothing is chosen at this step."
        raise refusal([{"field": "outcome", "reason": f"{outcome[:60]} cannot be chosen here.{named}"}])
