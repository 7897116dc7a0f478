"""An action before a person: the record that it would be done to, what stands beside it, and whether they may."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from console import records
from console.auth import access
from console.auth.access import limits
from console.auth.access.labels import all_titles
from console.core.actor import Actor
from console.core.documents.action_document import Action
from console.core.errors import NotFound
from console.core.run import Run
from console.core.speaking import SPOKEN
from console.records import Record
from console.steps.base import Act
from console.steps.effects import action_cache, spoken_values
from console.steps.effects.effect_call import related_records, roots_of

_BOTH: tuple[Literal["execute", "request"], ...] = ("execute", "request")


def ready(
    actor: Actor, run: Run, action_id: str, key: str | None, record: Record | None, now: datetime
) -> Act:
    """The action with everything read under the actor's rights; `record` is given where it has been read already.

    A record that is not there, or out of the actor's scope, is the `problem`. Raises NotFound for an action that is not there, SourceDown.
    """
    action, problem = action_cache.get(action_id), ""
    if action.collection is None:
        record = None
    elif record is None or record.collection != action.collection:
        record, problem = _record(actor, action, key)
    rows = related_records(actor, record, action.related)
    roots = roots_of(actor, run, record, {}, rows, action.variables, now) | {
        SPOKEN: spoken_values.of_action(action.id)
    }
    return Act(
        action,
        action.collection,
        record.key if record else None,
        record.title if record else "",
        roots,
        may(actor, run.team, action, roots),
        dict(record.values) if record else {},
        problem,
        _limits(actor, run.team, action, roots),
        {each.id: each.title for each in action_cache.every().values()},
        lambda values: preview_action(actor, run.team, action, roots, values),
    )


def _record(actor: Actor, action: Action, key: str | None) -> tuple[Record | None, str]:
    """The action's record, or why there is none."""
    collection = action.collection or ""
    try:
        return records.get(collection, key or "", access.scope_for(actor, collection, "read")), ""
    except NotFound:
        label = records.collection(collection).label_one
        return (
            None,
            f"There is no {label.lower()} here for “{action.title}”, or it is outside what you may see.",
        )


def may(
    actor: Actor, team: str | None, action: Action, roots: Mapping[str, Any] | None = None
) -> Literal["execute", "request", ""]:
    """`execute`, else `request`, else nothing: what the actor may do with the action in runs of the team, as far as it can be told before
    its form is filled in.
    """
    obj, known_roots = f"action:{action.id}", roots or {}
    record = access.follow_relations(action.collection, known_roots.get("record"))
    for act in _BOTH:
        if access.could(actor, team, obj, act, record, run=known_roots.get("run")):
            return act
    return ""


def _limits(actor: Actor, team: str | None, action: Action, roots: Mapping[str, Any]) -> str:
    """Up to where the actor may execute it, where that depends on what is typed; else nothing."""
    obj, record, run = (
        f"action:{action.id}",
        access.follow_relations(action.collection, roots.get("record")),
        roots.get("run"),
    )
    if access.can(actor, team, obj, "execute", record, run=run) or not access.could(
        actor, team, obj, "execute", record, run=run
    ):
        return ""
    unmet, names = (
        limits.decision_of(actor.id, team, obj, "execute", access.roots_of(actor, record, run)).unmet,
        all_titles(),
    )
    return " ".join(dict.fromkeys(limits.limit(unmet_rule.row, names) for unmet_rule in unmet))


def preview_action(
    actor: Actor, team: str | None, action: Action, roots: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[Literal["execute", "request", ""], str]:
    """What the actor may do with these values of the form, and the limits that they are over, as sentences."""
    obj, record = f"action:{action.id}", access.follow_relations(action.collection, roots.get("record"))
    for act in _BOTH:
        if access.can(actor, team, obj, act, record, run=roots.get("run"), typed=values):
            return act, ""
    judged_roots = access.roots_of(actor, record, roots.get("run"), values)
    return "", limits.exceeded_limits(actor.id, team, obj, "execute", judged_roots) or limits.exceeded_limits(
        actor.id, team, obj, "request", judged_roots
    )
