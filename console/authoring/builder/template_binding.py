"""Templates: workflow documents whose fields are declared, bound to the columns of any collection by title, type and choices."""

import functools
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field as Setting

from console import workflows
from console.auth import access
from console.authoring.builder.new_workflows import (
    Beginning,
    alike,
    beginning_of,
    document_of,
    over_fields,
    over_names,
)
from console.authoring.builder.reachable_names import visible_collections
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.documents.fields import Definition
from console.core.plain_words import humanised

APPROVER = "approver"
"""The role of those who answer approvals, in a template."""


class Role(Definition):
    """A field that a template works on, of one of the types; of any where there are none. `choices`: variable → title of a value that it writes there."""

    name: str
    title: str
    types: list[str] = Setting(default_factory=list)
    optional: bool = False
    written: bool = False
    choices: dict[str, str] = Setting(default_factory=dict)


class Template(Definition):
    """A template, with a sample of the record that it is about, what is answered in a run of it, and the id of the step at which that ends."""

    id: str
    records: str
    fields: list[Role]
    sample: dict[str, Any] = Setting(default_factory=dict)
    answers: dict[str, Any] = Setting(default_factory=dict)
    ends: str = ""
    workflow: dict[str, Any]


class Binding(Definition):
    """Role → column of the collection, and variable → the value used for it there. `sure`: nothing has to be asked."""

    collection: str
    columns: dict[str, str]
    values: dict[str, str]
    sure: bool


@functools.cache
def templates() -> Mapping[str, Template]:
    """Return the shipped templates by id."""
    files = sorted((workflows.templates_folder() / "templates").glob("*.json"))
    return {
        path.stem: Template.model_validate({"id": path.stem, **json.loads(path.read_text(encoding="utf-8"))})
        for path in files
    }


def template_of(actor: Actor, beginning: str, collection: str | None) -> Template | None:
    """Return the template to bind; None where the beginning is about no record, or has its own collection here and no other is chosen. Raises Invalid for one that is not there.

    The fields of a workflow that declares none are those of its collection that it names.
    """
    if beginning in templates():
        return templates()[beginning]
    document = document_of(actor, beginning)
    own = document.get("collection")
    here = any(each.id == own for each in visible_collections(actor))
    if own is None or (here and collection in (None, own)):
        return None
    used: dict[str, None] = {}
    over_fields(document, lambda name: used.setdefault(name) or name, own)
    fields = [
        Role(name=name, title=humanised(name), optional=True) for name in used if not _asks(document, name)
    ]
    return Template(id=beginning, records=humanised(own.rpartition(".")[2]), fields=fields, workflow=document)


def _asks(value: Any, name: str) -> bool:
    """Tell whether a form in it has a field of this name."""
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return (isinstance(value, Mapping) and value.get("name") == name) or any(
        _asks(each, name) for each in parts
    )


def beginnings() -> list[Beginning]:
    """Return the templates as what a new workflow begins from, by title."""
    made = [beginning_of(name, each.workflow, own=False) for name, each in templates().items()]
    return sorted(made, key=lambda each: each.title)


def choices_of(actor: Actor, collection: Collection, role: Role) -> list[Field]:
    """Return the fields of the collection that may have the role: of its types, for writing not read-only; never amounts in a smallest unit."""
    scope = access.scope_for(actor, collection.id)
    writes = role.written or bool(role.choices)
    return [
        field
        for field in collection.readable(scope)
        if not role.types
        or (
            field.type in role.types
            and not field.minor
            and not field.references
            and field.name not in collection.key
            and not (writes and field.readonly)
        )
    ]


def match(
    actor: Actor, template: Template, collection: Collection, chosen: Mapping[str, str] | None = None
) -> Binding:
    """Return the fields that have the roles: the chosen ones, else those of the title, or with the choices; the only one of the type is to be confirmed."""
    given, columns, values, sure = chosen or {}, dict[str, str](), dict[str, str](), True
    for role in template.fields:
        every = choices_of(actor, collection, role)
        free = {each.name: each for each in every if each.name not in columns.values()}
        titled = alike(role.title, {name: each.label for name, each in free.items()})
        fitting = [name for name, each in free.items() if role.choices and _values(role, each, {})[1]]
        decided = titled if titled in free else fitting[0] if len(fitting) == 1 else ""
        alone = next(iter(free), "") if len(every) == 1 and not (role.optional or role.written) else ""
        name = given.get(role.name, decided or alone)
        sure = sure and (role.name in given or bool(decided) or (role.optional and bool(role.types)))
        if name in free:
            columns[role.name] = name
            found, whole = _values(role, free[name], given)
            values |= found
            sure = sure and whole
        else:
            sure = sure and role.optional and not name
    return Binding(collection=collection.id, columns=columns, values=values, sure=sure)


def _values(role: Role, field: Field, chosen: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Return variable → value of the field for the role's choices, and whether each is known: of a text it is what somebody says."""
    if not field.options:
        return {name: chosen.get(name) or title for name, title in role.choices.items()}, all(
            chosen.get(name) for name in role.choices
        )
    options = {each.value: each.label for each in field.options}
    found = {name: chosen.get(name) or alike(title, options) for name, title in role.choices.items()}
    known = {name: value for name, value in found.items() if value in options}
    return known, len(known) == len(role.choices)


def find_binding(actor: Actor, template: Template) -> Binding | None:
    """Return how the template fits the collection whose label is that of its records, else the only one that it fits; None where neither is sure."""
    keyed = [each for each in visible_collections(actor) if each.key]
    titled = alike(template.records, {each.id: each.label for each in keyed})
    found = [match(actor, template, each) for each in keyed if titled in (each.id, template.records)]
    sure = [each for each in found if each.sure]
    return sure[0] if len(sure) == 1 else None


def bind(template: Template, binding: Binding, approver: str) -> dict[str, Any]:
    """Return the workflow for the collection: columns in the place of roles, without what works on fields that it has not."""
    without = {role.name for role in template.fields} - binding.columns.keys()
    steps = [_without(step, without) for step in template.workflow["steps"]]
    gone = {
        step["id"]: step["next"]["default"]
        for step in steps
        if step["type"] == "update_data" and not any(step["config"].values())
    }
    steps = [
        {**step, "next": {way: _beyond(to, gone) for way, to in step["next"].items()}}
        for step in steps
        if step["id"] not in gone
    ]
    own = template.workflow["collection"]
    here = {("roles", APPROVER): approver, ("collections", own): binding.collection}
    document: dict[str, Any] = over_fields(
        {**template.workflow, "steps": steps}, lambda name: binding.columns.get(name, name), own
    )
    document = over_names(document, lambda part, name: here.get((part, name), name))
    unused = {name for role in template.fields if role.name in without for name in role.choices}
    variables = {**document.pop("variables", {}), **binding.values}
    variables = {name: value for name, value in variables.items() if name not in unused}
    return document | ({"variables": variables} if variables else {})


def _beyond(step: str, gone: Mapping[str, str]) -> str:
    while step in gone:
        step = gone[step]
    return step


def _without(step: Mapping[str, Any], roles: set[str]) -> dict[str, Any]:
    config = dict(step["config"])
    if "fields" in config and step["type"] != "start":
        config["fields"] = [
            each for each in config["fields"] if not isinstance(each, str) or each not in roles
        ]
    if "set" in config:
        config["set"] = [each for each in config["set"] if each["field"] not in roles]
    return {**step, "config": config}


def asks_approver(template: Template) -> bool:
    """Tell whether somebody approves something in it."""
    return any(APPROVER in (step["config"].get("roles") or ()) for step in template.workflow["steps"])


def approver_of(actor: Actor, team: str | None) -> str:
    """Return the role whose holders answer approvals where nobody says otherwise: the actor's own, since nobody answers their own request."""
    own = sorted(role for role, place in actor.roles if place in (team, "*"))
    return own[0] if own else next(iter(actor.role_names), APPROVER)
