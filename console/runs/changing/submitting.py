"""What somebody hands in at a step, where the step knows things that are kept from them, and where what they name has to be there."""

from collections.abc import Mapping
from typing import Any

from console.browse import evidence
from console.core.actor import Actor
from console.core.documents.fields import FieldDefinition
from console.core.forms import is_empty
from console.core.origins import ANY
from console.errors import Conflict, Invalid
from console.log import masking
from console.records import Record
from console.runs.engine.stepping import Stand, completion_of, context_of
from console.runs.showing import reader_reach
from console.steps.base import Completion, Context

FORMS = ("form", "fields", "output")
UNSAID = "This cannot be taken as it is. Why rests on something that you may not read: ask somebody who may."


def without_unseen(actor: Actor, here: Stand, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was submitted but for fields that were left empty because what they hold is kept from the actor: those stay as they are."""
    closed = reader_reach.kept_from(actor, here.run.workflow, here.run.version, here.attempt.step).names
    if not closed:
        return dict(values)
    unseen = {name for name, value in values.items() if is_empty(value) and (name in closed or ANY in closed) and name not in context.forms}
    return {name: value for name, value in values.items() if name not in unseen}


def completed(
    actor: Actor, here: Stand, record: Record | None, context: Context, given: Mapping[str, Any], outcome: str | None
) -> Completion:
    """What comes of what was handed in. Reasons against it that are made of what is kept from the actor are not told to them."""
    try:
        return completion_of(here, context, given, outcome)
    except (Invalid, Conflict) as error:
        hidden = reader_reach.kept_from(actor, here.run.workflow, here.run.version, here.attempt.step)
        if not masking.names_closed(hidden) or not error.details:
            raise
        plain = _reasons_in_sight(actor, here, record, context, given, outcome, hidden)
        details = [each if (each.get("field"), each.get("reason")) in plain else {**each, "reason": UNSAID} for each in error.details]
        message = error.message if isinstance(error, Invalid) else UNSAID
        raise type(error)(message, code=error.code, details=details) from None


def _reasons_in_sight(
    actor: Actor,
    here: Stand,
    record: Record | None,
    context: Context,
    given: Mapping[str, Any],
    outcome: str | None,
    hidden: masking.Within,
) -> set[tuple[Any, Any]]:
    """(field, reason) of what is wrong as far as can be told without what is kept from the actor."""
    seen = context_of(actor, here, record, context.roots["now"], context.shown, context.chosen, hidden=reader_reach.without(hidden))
    try:
        completion_of(here, seen, given, outcome)
    except (Invalid, Conflict) as error:
        return {(each.get("field"), each.get("reason")) for each in error.details}
    return set()


def require_there(actor: Actor, here: Stand, context: Context, given: Mapping[str, Any]) -> None:
    """Raises Invalid with a detail for each field that names a record which is not there for the actor, unless the form holds it already."""
    config = here.view.config
    defined = [entry for part in FORMS for entry in getattr(config, part, None) or () if isinstance(entry, FieldDefinition)]
    defined += [entry for act in context.acts.values() for entry in act.action.form]
    fields = [*context.forms.values(), *(entry.field() for entry in defined if entry.type == "reference")]
    if evidence.reference_errors(actor, here.run.team, fields, given):
        evidence.require(actor, here.run.team, here.kind.prepare(here.view, context).fields, given)
