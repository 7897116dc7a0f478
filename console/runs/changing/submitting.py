"""Submitted forms: their files, fields that the person may not see, reasons that they may not read, and references that must exist."""

from collections.abc import Mapping
from typing import Any

from console.browse import evidence
from console.core import media
from console.core.actor import Actor
from console.core.documents.fields import FieldDefinition
from console.core.forms import is_empty
from console.core.origins import ANY
from console.errors import Conflict, Invalid
from console.log import masking
from console.records import Record
from console.runs.engine.stepping import OpenStep, completion_of, context_of, prompt_of
from console.runs.showing import reader_reach
from console.steps.base import Completion, Context

FORMS = ("form", "fields", "output")
UNSAID = "This cannot be taken as it is. Why rests on something that you may not read: ask somebody who may."


def without_unseen(actor: Actor, open_step: OpenStep, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The submitted values without empty fields whose value the actor may not see: those keep their value."""
    closed = reader_reach.kept_from(
        actor, open_step.run.workflow, open_step.run.version, open_step.attempt.step, run=open_step.run.id
    ).names
    if not closed:
        return dict(values)
    unseen = {name for name, value in values.items() if is_empty(value) and (name in closed or ANY in closed) and name not in context.forms}
    return {name: value for name, value in values.items() if name not in unseen}


def completion_of_form(
    actor: Actor, open_step: OpenStep, record: Record | None, context: Context, given: Mapping[str, Any], outcome: str | None
) -> Completion:
    """The completion of the step with the submitted values. Reasons that rest on hidden values are replaced by a neutral text."""
    try:
        return completion_of(open_step, context, given, outcome)
    except (Invalid, Conflict) as error:
        hidden = reader_reach.kept_from(actor, open_step.run.workflow, open_step.run.version, open_step.attempt.step, run=open_step.run.id)
        if not masking.names_closed(hidden) or not error.details:
            raise
        plain = _reasons_in_sight(actor, open_step, record, context, given, outcome, hidden)
        details = [each if (each.get("field"), each.get("reason")) in plain else {**each, "reason": UNSAID} for each in error.details]
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
    seen = context_of(actor, open_step, record, context.roots["now"], context.shown, context.chosen, hidden=reader_reach.without(hidden))
    try:
        completion_of(open_step, seen, given, outcome)
    except (Invalid, Conflict) as error:
        return {(each.get("field"), each.get("reason")) for each in error.details}
    return set()


def require_existing_references(actor: Actor, open_step: OpenStep, context: Context, given: Mapping[str, Any]) -> None:
    """Raise Invalid with a detail for each field that names a record which the actor cannot see, unless the form already has that value."""
    config = open_step.view.config
    defined = [entry for part in FORMS for entry in getattr(config, part, None) or () if isinstance(entry, FieldDefinition)]
    defined += [entry for act in context.acts.values() for entry in act.action.form]
    offered = [*context.forms.values(), *(entry.field() for entry in defined if entry.type == "reference")]
    fields = [field for field in offered if isinstance(field.options, Mapping) and "collection" in field.options]
    if fields and evidence.reference_errors(actor, open_step.run.team, fields, given):
        evidence.require(actor, open_step.run.team, open_step.kind.prepare(open_step.view, context).fields, given)


def with_stored_files(open_step: OpenStep, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The submitted values with each file in its stored form. Files of other runs are left out."""
    if not any(media.names_any(value) for value in values.values()):
        return dict(values)
    return evidence.with_files(prompt_of(open_step, context).fields, values, open_step.run.id)


def draft_with_stored_files(run_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a draft with each file in its stored form. Files of other runs are left out."""
    with_files = {name for name, value in values.items() if any(map(_is_file_value, value if isinstance(value, list) else [value]))}
    if not with_files:
        return dict(values)
    uploaded, kept = evidence.uploaded_files(run_id), dict(values)
    for name in with_files:
        entries = kept[name] if isinstance(kept[name], list) else [kept[name]]
        stored = [uploaded.get(media.file_id_of(entry) or "") if _is_file_value(entry) else entry for entry in entries]
        left = [entry for entry in stored if entry is not None]
        if isinstance(kept[name], list):
            kept[name] = left
        elif left:
            kept[name] = left[0]
        else:
            del kept[name]
    return kept


def _is_file_value(value: Any) -> bool:
    return isinstance(value, Mapping) and "file" in value
