"""Dry runs of a workflow by its name: who may try it, and what they chose, checked."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from console import browse, records, workflows
from console.core.actor import Actor
from console.core.documents.json_shape import model_errors
from console.core.documents.saved_tests import WITHIN, Chosen
from console.core.documents.workflow import Workflow, read
from console.core.errors import Invalid, NotFound
from console.core.run.simulation import Gate, Script, Simulated
from console.runs.simulation.dry_runs import definition_of, dry_run
from console.workflows import Definition

Which = Literal["draft", "live"]


def try_workflow(
    actor: Actor,
    slug_or_id: str,
    *,
    record: str | None,
    given: Mapping[str, Any],
    answers: Mapping[str, Any],
    effects: Mapping[str, Any],
    which: Which = "draft",
    gate: Gate | None = None,
) -> Simulated:
    """A dry run of the draft or of the live version, with messages as `gate` judges them. The only thing written is that the actor looked at the record.

    Raises NotFound for a workflow or record that the actor may not see, NotAllowed for who may not edit the workflow, Invalid with the field of what
    was chosen (`answers.<step>.values`), DefinitionError for a draft with errors, SourceDown.
    """
    definition = definition_to_try(actor, slug_or_id, which)
    script = script_of(definition.document, answers, effects)
    found = dry_run(actor, definition, record, given, script, gate=gate)
    if record is not None:
        browse.note_view(actor, records.collection(definition.document.collection or ""), record)
    return found


def definition_to_try(actor: Actor, slug_or_id: str, which: Which = "draft") -> Definition:
    """The draft or the live version, for who may edit the workflow. Raises NotFound, NotAllowed, DefinitionError."""
    draft = workflows.open_draft(actor, slug_or_id)
    if which == "live":
        if draft.live is None:
            raise NotFound("Nothing was published of this workflow yet.")
        return workflows.version(draft.id, draft.live)
    problems = workflows.problems(draft)
    if any(problem.severity == "error" for problem in problems):
        raise workflows.refused("The draft", problems)
    return definition_of(draft.slug, draft.id, read(draft.document))


def script_of(document: Workflow, answers: Mapping[str, Any], effects: Mapping[str, Any]) -> Script:
    """What was chosen, checked. Raises Invalid with the field, also for a step that the workflow does not have."""
    try:
        chosen = Chosen.model_validate({"answers": dict(answers), "effects": dict(effects)})
    except ValidationError as error:
        details = [(spot.path, spot.reason) for spot in model_errors(error, Chosen)]
        raise Invalid(f"{details[0][0]}: {details[0][1]}", details=details) from None
    steps = {step.id for step in document.steps}
    unknown = [
        (f"{part}.{name}", "The workflow has no such step.")
        for part in ("answers", "effects")
        for name in getattr(chosen, part)
        if name.partition(WITHIN)[0] not in steps
    ]
    if unknown:
        raise Invalid(f"{unknown[0][0]}: {unknown[0][1]}", details=unknown)
    return Script(chosen.answers, chosen.effects)


def require_taken(found: Simulated) -> None:
    """Raise Invalid if the step refused what was answered there, with a detail for each field: `answers.<step>.<field>`."""
    question = found.question
    if question is None or not question.refused:
        return
    details = [
        {**each, "field": f"answers.{question.step}.{each.get('field', '')}".rstrip(".")}
        for each in question.errors
    ]
    raise Invalid(f"{question.title}: {details[0].get('reason') or question.why}", details=details)
