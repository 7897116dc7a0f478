"""One call for who audits: its row, what was proposed against what was handed in, and, when it is asked for, the very words that went out and came back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from console import log, workflows
from console.ai.proposals import call_log, feedback, field_labels, options, prompts
from console.ai.proposals.call_log import Call, Field
from console.ai.proposals.feedback import Opinion
from console.ai.proposals.options import HOUSE
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra.db.engine import fetch
from console.log import event_view
from console.records import catalogue
from console.runs.commands.run_rights import see
from console.runs.views.reader_reach import hidden_from

ANSWERS = frozenset({"proposal_made", "proposal_failed"})
HANDED_IN = frozenset({"step_submitted", "step_completed"})
CHOICE = "outcome"

Kept = Literal["kept", "expired", "gone", "none"]
"""Whether the words of a call are there: past their time, erased with the person (or never kept), or nobody was asked."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A field of the proposal beside what was handed in; values are None where there is none or the reader may not read it."""

    name: str
    label: str
    proposed: Any
    submitted: Any
    reason: str | None
    sources: Sequence[Mapping[str, Any]]
    field: Field


@dataclass(frozen=True, slots=True)
class Audited:
    """A call as its page shows it. `reads`: the reader may see the run, without it no values are shown. `message` is what the person was told instead of a proposal."""

    call: Call
    workflow: str
    slug: str
    step: str
    fields: Sequence[Compared]
    words: Kept
    reads: bool
    message: str | None
    banner: str | None
    house: int | None
    feedback: Sequence[Opinion] = ()


def call(actor: Actor, call_id: str) -> Audited:
    """The call, without the words of its prompt. Raises NotAllowed without `ai.audit`, NotFound."""
    call_made, fields = call_log.get(actor, call_id)
    answer, handed_in, reads = _events(actor, call_made)
    data = answer.get("data") or {}
    step = _step(call_made)
    return Audited(
        call_made,
        step[0],
        step[1],
        step[2],
        _compared(
            fields,
            data.get("proposal") or {},
            (handed_in.get("data") or {}),
            call_made,
            {each.name: step[3](each.name) for each in fields},
        ),
        _prompt_state(call_made),
        reads,
        data.get("message"),
        (data.get("proposal") or {}).get("banner"),
        house_of(call_made.prompt_version),
        feedback.opinions_of(call_id) if reads else (),
    )


def words(actor: Actor, call_id: str) -> tuple[Call, Mapping[str, Any] | None, Kept]:
    """The prompt and answer of a call, None if no longer stored; reading it is logged. Raises as `call` does."""
    call_made, _ = call_log.get(actor, call_id)
    state = _prompt_state(call_made)
    prompt = prompts.read(call_id) if state == "kept" else None
    log.note(
        actor,
        "ai_call_read",
        open={"call": call_id, "run": call_made.run, "found": prompt is not None},
        team=call_made.team,
        label=_label(call_id),
    )
    return call_made, prompt, state if prompt is not None or state != "kept" else "gone"


def house_of(prompt_version: str | None) -> int | None:
    """Which text of the house was in a prompt of this version; None where none was."""
    _, mark, number = (prompt_version or "").partition(HOUSE)
    return int(number) if mark and number.isdigit() else None


def _label(call_id: str) -> str | None:
    rows = fetch("select label from console.ai_call where id = %s", (call_id,))
    return rows[0][0] if rows else None


def _prompt_state(call_made: Call) -> Kept:
    if call_made.provider in (None, "rules") or call_made.status in ("pending", "off"):
        return "none"
    if fetch("select 1 from console.ai_prompt where call = %s", (call_made.id,)):
        return "kept"
    limit = timedelta(days=options.current().document.retention_days)
    return "expired" if log.now() - call_made.at >= limit else "gone"


def _events(actor: Actor, call_made: Call) -> tuple[Mapping[str, Any], Mapping[str, Any], bool]:
    """(the event of the answer, that of the step being handed in, whether the reader may see the run), masked for this reader."""
    if call_made.run is None:
        return {}, {}, False
    try:
        see(actor, call_made.run)
    except NotFound:
        return {}, {}, False
    every = log.history(call_made.run)
    answers = [event for event in every if event.type in ANSWERS and event.open.get("call") == call_made.id]
    ends = [
        event
        for event in every
        if event.type in HANDED_IN and (event.open.get("proposal") or {}).get("call") == call_made.id
    ]
    wanted = [*answers[-1:], *ends[:1]]
    opened = log.open_values(call_made.run, wanted) if wanted else {}
    hidden, names = (
        hidden_from(actor, looking_back=True),
        event_view.names_of(list(opened.values()), described=catalogue.described),
    )
    shown = {n: event_view.as_json(event, names, hidden=hidden) for n, event in opened.items()}
    return (shown.get(answers[-1].n, {}) if answers else {}, shown.get(ends[0].n, {}) if ends else {}, True)


def _step(call_made: Call) -> tuple[str, str, str, Callable[[str], str]]:
    """(title of the workflow, its slug, title of the step, what its fields are called); of a draft, or where the version is not known, without the step's."""
    try:
        definition = workflows.version(call_made.workflow or "", call_made.version or 0)
        step = next(each for each in definition.document.steps if each.id == call_made.step)
    except (NotFound, StopIteration):
        known = workflows.find_known(call_made.workflow)
        named = (known.title, known.slug) if known is not None else (call_made.workflow or "", "")
        return *named, call_made.step or "", lambda name: field_labels.of_step(None, None, name)
    return (
        definition.title,
        definition.slug,
        step.title,
        lambda name: field_labels.of_step(definition.document, step, name),
    )


def _compared(
    fields: Sequence[Field],
    proposal: Mapping[str, Any],
    handed_in: Mapping[str, Any],
    call_made: Call,
    called: Mapping[str, str],
) -> list[Compared]:
    proposed = {entry["name"]: entry for entry in proposal.get("fields") or ()}
    values = handed_in.get("values") or {}
    rows = []
    for field in fields:
        if field.name == CHOICE:
            choice = proposal.get("choice") or {}
            of_decision = (
                call_made.outcome,
                call_made.submitted_outcome,
                choice.get("reason"),
                choice.get("sources") or (),
            )
        else:
            entry = proposed.get(field.name) or {}
            of_decision = (
                entry.get("value"),
                values.get(field.name),
                entry.get("reason"),
                entry.get("sources") or (),
            )
        rows.append(Compared(field.name, called[field.name], *of_decision, field))
    return rows
