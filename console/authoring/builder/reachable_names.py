"""What the person who asks may name: collections with their fields, actions, roles, teams, inboxes. Names, types and labels; never a value of a record. And the step types, as a model reads them."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import actions, records, steps, workflows
from console.ai.builder_prompt import described
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.documents.workflow_check import Surroundings
from console.core.expressions.functions import FUNCTIONS
from console.workflows import inboxes


def visible_collections(actor: Actor) -> list[Collection]:
    """The collections whose records the actor may look through, in any of their teams."""
    return [
        each
        for each in records.collections()
        if any(access.can(actor, team, f"collection:{each.id}", "browse") for team in (*actor.teams, None))
    ]


def reachable(actor: Actor) -> dict[str, Any]:
    """The names as JSON. They are sent and kept with the turn, so the rights at the moment of asking count."""
    known = visible_collections(actor)
    ids = {each.id for each in known}
    return {
        "collections": [_collection(actor, each, ids) for each in known],
        "actions": [
            {"id": each.id, "title": each.title, "collection": each.collection}
            for each in actions.list_actions()
            if each.collection in {None, *ids}
        ],
        "roles": sorted(
            {row.sub.partition(":")[2] for row in access.all_rows() if row.sub.startswith("role:")}
        ),
        "teams": [{"id": team.id, "name": team.name} for team in accounts.teams()],
        "inboxes": [{"id": each.id, "title": each.title} for each in inboxes.all_inboxes()],
    }


def _collection(actor: Actor, collection: Collection, ids: set[str]) -> dict[str, Any]:
    scope = access.scope_for(actor, collection.id)
    fields = collection.readable(scope)
    names = {each.name for each in fields}
    return {
        "id": collection.id,
        "label": collection.label,
        "fields": [
            {"name": each.name, "label": each.label, "type": each.type} | _money(each, collection, names)
            for each in fields
        ],
        "relations": [
            {"name": each.name, "label": each.label, "collection": each.collection, "kind": each.kind}
            for each in collection.relations
            if each.collection in ids
        ],
        "segments": [
            {"id": each.id, "label": each.label}
            for each in collection.segments
            if not each.fields & scope.hidden and names
        ],
    }


def _money(field: Field, collection: Collection, seen: set[str]) -> dict[str, Any]:
    """In which currency an amount is held, and that it is in its smallest unit; nothing of a currency that the person may not see."""
    told = (
        {}
        if field.currency is None or (field.currency in collection.by_name and field.currency not in seen)
        else {"currency": field.currency}
    )
    return told | ({"minor": True} if field.minor else {})


def restrict_context(names: Mapping[str, Any], document: Mapping[str, Any]) -> Surroundings:
    """The surroundings of the document as far as these names reach: what is out of reach does not exist there, and no name of a person does."""
    around = workflows.validation_context()
    limited = None
    if around.collections is not None:
        by_id = {each["id"]: each for each in names["collections"]}
        limited = {
            name: _limited(around.collections[name], each)
            for name, each in by_id.items()
            if name in around.collections
        }
        own = document.get("collection")
        if isinstance(own, str) and own in around.collections and own not in limited:
            limited[own] = _limited(
                around.collections[own], {"label": own, "fields": [], "relations": [], "segments": []}
            )
    ids = {each["id"] for each in names["actions"]}
    return replace(
        around,
        collections=limited,
        actions={name: about for name, about in (around.actions or {}).items() if name in ids},
        approvals={name: rules for name, rules in (around.approvals or {}).items() if name in ids},
        people=None,
        managers=(),
        accounts=None,
        names=replace(around.names, people=None) if around.names else None,
    )


def _limited(collection: Collection, names: Mapping[str, Any]) -> Collection:
    """The collection with the fields, relations and segments that are told of it."""
    kept = {
        name: {str(each.get("name") or each.get("id")) for each in names[name]}
        for name in ("fields", "relations", "segments")
    }
    return replace(
        collection,
        label=names["label"],
        stored_fields=tuple(each for each in collection.stored_fields if each.name in kept["fields"]),
        computed_fields=tuple(each for each in collection.computed_fields if each.name in kept["fields"]),
        relations=tuple(each for each in collection.relations if each.name in kept["relations"]),
        segments=tuple(each for each in collection.segments if each.id in kept["segments"]),
    )


@functools.cache
def catalogue() -> str:
    """One line for each step type, by name; then the functions of expressions."""
    lines = [
        described(
            kind.name, kind.title, kind.gist, _outcomes(kind), kind.Config.model_json_schema(by_alias=True)
        )
        for kind in steps.all_types().values()
    ]
    return "\n".join([*lines, f"Functions of expressions: {', '.join(sorted(FUNCTIONS))}"])


def _outcomes(kind: Any) -> tuple[str, ...]:
    """The outcomes of the type, unless they depend on its settings."""
    try:
        return tuple(kind.outcomes(kind.Config()))
    except Exception:  # noqa: BLE001 (settings are needed: which outcomes there are stands in them)
        return ("by its settings",)
