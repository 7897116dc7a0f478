"""Whether the workflows that are said to govern a column exist, and write it. Pure: from documents alone.

A workflow writes a column by a step that changes the record or its rows, by an effect of a step, or by an action that a step names. A function of
ours may write anything, so a workflow that calls one is believed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from console.core.documents.action_document import slug_of
from console.core.effect_kinds import KINDS

ANY_COLLECTION = None


def warnings(
    collections: Iterable[Mapping[str, Any]],
    workflows: Iterable[Mapping[str, Any]],
    actions: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[str, str, str]]:
    """(collection, column, reason) for each that names a workflow which is not there, or which never writes the column."""
    by_slug = {str(each.get("slug")): each for each in workflows}
    by_id = {str(each.get("id")): each for each in actions}
    for document in collections:
        collection = str(document.get("id"))
        for column, governed in (document.get("governed") or {}).items():
            for slug in [governed] if isinstance(governed, str) else governed:
                about = _made_of(slug, by_slug, by_id)
                if about is None:
                    yield collection, column, f"There is no workflow {slug}: nobody can change this any more."
                elif not _writes(about, collection, column, by_id):
                    yield (
                        collection,
                        column,
                        f"The workflow {slug} never writes this: name the workflow that does.",
                    )


def _made_of(
    slug: str, workflows: Mapping[str, Mapping[str, Any]], actions: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The workflow's document; for one that does a single action, a document with this action."""
    if slug in workflows:
        return workflows[slug]
    named = next((action for action in actions.values() if slug_of(str(action.get("id"))) == slug), None)
    return (
        None
        if named is None
        else {"collection": named.get("collection"), "steps": [{"config": {"action": named.get("id")}}]}
    )


def _writes(
    workflow: Mapping[str, Any], collection: str, column: str, actions: Mapping[str, Mapping[str, Any]]
) -> bool:
    own = workflow.get("collection")
    report = workflow.get("report") or {}
    if own == collection and column in (report.get("values") or {}):
        return True
    for step in workflow.get("steps") or ():
        config = step.get("config") or {}
        items = config.get("items") if isinstance(config.get("items"), Mapping) else None
        target = (items.get("collection") or ANY_COLLECTION) if items else own
        changed = [
            *(config.get("fields") or ()),
            *(entry.get("field") for entry in config.get("set") or () if isinstance(entry, Mapping)),
        ]
        if (
            step.get("type") in ("update_data", "loop")
            and column in changed
            and target in (collection, ANY_COLLECTION)
        ):
            return True
        operates = step.get("type") == "action" and config.get("operation") in ("create", "update")
        if (
            operates
            and (config.get("collection") or own) == collection
            and column in (config.get("values") or {})
        ):
            return True
        effects = [(own, config["effect"])] if isinstance(config.get("effect"), Mapping) else []
        offered = [config, *(each for each in config.get("actions") or () if isinstance(each, Mapping))]
        for action in filter(None, (actions.get(str(each.get("action"))) for each in offered)):
            effects += [(action.get("collection"), effect) for effect in action.get("effects") or ()]
            undone = actions.get(str((action.get("compensation") or {}).get("action")))
            effects += (
                [(undone.get("collection"), effect) for effect in undone.get("effects") or ()]
                if undone is not None
                else []
            )
        if any(_effect_writes(about, effect, collection, column) for about, effect in effects):
            return True
    return False


def _effect_writes(own: Any, effect: Mapping[str, Any], collection: str, column: str) -> bool:
    kind = KINDS.get(str(effect.get("kind")))
    if kind is None or kind.hidden_writes:
        return kind is not None
    try:
        writes = kind.model_validate(effect).writes()
    except ValidationError:  # the check of its own document says so
        return False
    return writes is not None and (writes.collection or own) == collection and column in writes.rules
