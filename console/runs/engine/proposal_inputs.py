"""Everything from which the request to a model is built: the step as the person sees it, read with their rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import log, steps
from console.auth import accounts
from console.core.actor import Actor
from console.core.documents import fields as definitions
from console.core.documents.workflow import StepAI
from console.core.errors import ConsoleError, NotAllowed, NotFound
from console.core.forms import FormField
from console.core.proposal_types import FieldSpec
from console.core.run import Attempt, Run
from console.core.run.proposal import is_second_call
from console.infra.db.engine import fetch
from console.records import Record
from console.runs.commands.run_rights import Seen, see
from console.runs.engine import proposing
from console.runs.engine.proposal_answers import record_answer
from console.runs.engine.stepping import OpenStep, context_of, prompt_of, require_step, step_at
from console.runs.store.run_store import load
from console.steps.base import AtHand, Context, Prompt, StepView
from console.steps.proposable import TICK, Proposable
from console.workflows import Definition

QUOTING = frozenset({"text", "long_text"})
QUOTE_NAMES = frozenset({"quote", "quotes", "quotation", "verbatim", "excerpt", "citation", "zitat"})
"""Words in the name of a text field that mean that it holds a quotation."""
MOVED_ON = "The run had gone on before anything could be proposed here."
NOT_ENTITLED = "Whoever this was for may not do this step, so that nothing was proposed."
_PENDING = "select run, n, person, purpose, at, deadline_at from console.ai_call where id = %s and status = 'pending'"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContext:
    """A run as one person may see it: what a question about it may be answered from. `record` is the run's; `step` and `at_hand` (the current item of a list) where it is asked at a step."""

    person: Actor
    run: Run
    subject: str | None
    definition: Definition
    record: Record | None
    asked_at: datetime
    deadline_at: datetime
    ai: StepAI
    step: StepView | None = None
    at_hand: AtHand | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalContext(CaseContext):
    """What a call to a model is built from. `context` was read with the rights of `person`, and holds nothing that they may not see.

    `fields` may be proposed; their `treatment` is `full`, for the caller to narrow. `columns`: name → collection of the fields that belong to
    a record. A tick list is requested tick by tick (`flags.pep`) and joined again by `record_answer`. `outcomes` are (value, label). `review`
    are the values that a second look is about (`outcome`: the choice).
    """

    call: str
    purpose: str
    attempt: Attempt
    step: StepView
    context: Context
    prompt: Prompt
    proposable: Proposable
    fields: tuple[FieldSpec, ...]
    outcomes: tuple[tuple[str, str], ...]
    columns: Mapping[str, str]
    instruction: str
    review: Mapping[str, Any] | None = None


def case_context(actor: Actor, run_id: str, asked_at: datetime, deadline_at: datetime) -> CaseContext:
    """The run for a question about it, whatever its state. Raises NotFound for a run that the actor may not see, SourceDown."""
    seen = see(actor, run_id, whole=True)
    if seen.down is not None:
        raise seen.down
    return CaseContext(
        person=actor,
        run=seen.run,
        subject=seen.loaded.subject,
        definition=seen.definition,
        record=seen.record,
        asked_at=asked_at,
        deadline_at=deadline_at,
        ai=StepAI.model_validate({}),
    )


def proposal_context(call_id: str) -> ProposalContext | None:
    """The context of this call; None if it is no longer wanted, which is recorded here.

    Raises what reading the step raises (SourceDown and other errors of the console): the caller records them with `record_answer`.
    """
    rows = fetch(_PENDING, (call_id,))
    if not rows:
        return None
    run_id, n, person, purpose, at, deadline = rows[0]
    loaded = load(run_id, whole=True)
    if loaded is None or not proposing.waits_for(loaded.run, call_id):
        return _not_wanted(call_id, MOVED_ON)
    try:
        actor = accounts.actor_of_person(person, "sys:engine")
        seen = see(actor, run_id, recent=loaded)
        open_step = step_at(seen.definition, seen.run)
        if open_step.attempt.n != n or not proposing.waits_for(seen.run, call_id):
            return _not_wanted(call_id, MOVED_ON)
        require_step(actor, open_step, named=False)
    except (NotAllowed, NotFound):
        return _not_wanted(call_id, NOT_ENTITLED)
    if seen.down is not None:
        raise seen.down
    return _proposal_context(call_id, purpose, (at, deadline), actor, seen, open_step)


def _not_wanted(call_id: str, message: str) -> ProposalContext | None:
    """Record why the call is not wanted, and return None."""
    record_answer(call_id, "proposal_failed", {"status": "off", "code": None}, {"message": message})
    return None


def _proposal_context(
    call_id: str,
    purpose: str,
    times: tuple[datetime, datetime],
    actor: Actor,
    seen: Seen,
    open_step: OpenStep,
) -> ProposalContext:
    context, prompt = _seen_at_step(actor, seen, open_step)
    settings = proposing.settings_of(seen.definition, open_step.attempt.step) or StepAI.model_validate({})
    judged = definitions.judged_of(open_step.view.config)
    proposable = open_step.kind.proposes(open_step.view, context, prompt).only(
        settings.fields, outcome=settings.outcome
    )
    return ProposalContext(
        call=call_id,
        purpose=purpose,
        asked_at=times[0],
        deadline_at=times[1],
        person=actor,
        run=seen.run,
        subject=seen.loaded.subject,
        definition=seen.definition,
        attempt=open_step.attempt,
        step=open_step.view,
        ai=settings,
        record=seen.record,
        context=context,
        prompt=prompt,
        proposable=proposable,
        fields=tuple(_spec(field, settings, proposable, judged) for field in proposable.fields),
        outcomes=proposable.outcomes,
        columns=_columns(seen.run, prompt, context, proposable),
        instruction=open_step.kind.instruction(open_step.view, context, settings.instruction),
        review=_reviewed(open_step.attempt.proposal or {}, call_id),
        at_hand=open_step.kind.at_hand(open_step.view, context),
    )


def _reviewed(proposal: Mapping[str, Any], call_id: str) -> dict[str, Any] | None:
    """The values that a second look is about; None for a first one."""
    if not is_second_call(proposal, call_id):
        return None
    values = {str(each["name"]): each["value"] for each in proposal["fields"]}
    return values | ({"outcome": proposal["outcome"]} if proposal["choice"] else {})


def unfit(known: ProposalContext, values: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """(names of the values that the step would refuse, of those that it would take only with a sentence), as completing it with them says."""
    typed = {name: value for name, value in values.items() if TICK not in name}
    at_item = {definitions.OWN_ITEM: known.at_hand.key} if known.at_hand is not None else {}
    try:
        steps.get(known.step.type).complete(known.step, known.context, typed | at_item, None)
    except ConsoleError as error:
        wrong = {str(detail["field"]) for detail in error.details if "field" in detail}
        return frozenset(wrong & typed.keys()), frozenset(
            name for name in typed if definitions.because(name) in wrong
        )
    return frozenset(), frozenset()


def _seen_at_step(actor: Actor, seen: Seen, open_step: OpenStep) -> tuple[Context, Prompt]:
    """What the person sees at the step; in a list, at the item of the proposal."""
    item = (open_step.attempt.proposal or {}).get("item") if open_step.kind.by_items else None
    context = context_of(actor, open_step, seen.record, log.now(), item=item)
    return context, prompt_of(open_step, context)


def _spec(field: FormField, settings: StepAI, proposable: Proposable, judged: frozenset[str]) -> FieldSpec:
    """A field of the form as the model is asked for it."""
    options = field.options if isinstance(field.options, list) else []
    return FieldSpec(
        name=field.name,
        label=field.label,
        type=field.type,
        required=field.required,
        options=tuple((str(option["value"]), str(option["label"])) for option in options),
        minimum=_text(field.min),
        maximum=_text(field.max),
        max_length=field.max_length,
        help=field.help or "",
        trusted_only=field.name.partition(".")[0] in settings.trusted_only,
        opaque=field.name == proposable.picks,
        now=field.now,
        finding=field.name.partition(".")[0] in judged,
        quote=field.type in QUOTING
        and (field.name in settings.quotes or bool(QUOTE_NAMES & set(field.name.split("_")))),
        foreign=proposable.foreign,
    )


def _text(bound: Any) -> str | None:
    return None if bound is None else str(bound)


def _columns(run: Run, prompt: Prompt, context: Context, proposable: Proposable) -> dict[str, str]:
    """Fields of the form that belong to a record → their collection."""
    collection = prompt.progress.collection if prompt.progress is not None else run.collection
    return (
        {field.name: collection for field in proposable.fields if field.name in context.forms}
        if collection
        else {}
    )
