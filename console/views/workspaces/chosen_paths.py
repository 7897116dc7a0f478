"""What is chosen in a workspace and where its relations lead, and what a condition over the workspace may name."""

from collections.abc import Mapping
from typing import Any

from console.core.documents.collections import Collection, Field, Option
from console.core.documents.workspaces import (
    INPUTS,
    SELECTING,
    CollectionList,
    Date,
    Dropdown,
    Toggle,
    Workspace,
)
from console.core.documents.workspaces.components import Part
from console.core.documents.workspaces.new_names import step_words
from console.core.plain_words import uncapitalised
from console.views.workspaces.condition_lines import known_collection
from console.workflows import inboxes

READER = {
    f"me.{name}": Field(name, label, "text", "text")
    for name, label in (("email", "E-mail address"), ("name", "Name"))
}


def choices(document: Workspace) -> list[str]:
    """What a chosen record is called; several lists may choose one of the same name."""
    return list(
        dict.fromkeys(
            str(item.select) for item in document.every if isinstance(item, SELECTING) and item.select
        )
    )


def selected(document: Workspace, name: str) -> Collection | None:
    """The collection of what is chosen under this name."""
    owner = next(
        (item for item in document.every if isinstance(item, SELECTING) and item.select == name), None
    )
    if isinstance(owner, CollectionList):
        return known_collection(owner.collection)
    known = next(
        (
            each
            for each in inboxes.all_inboxes()
            if owner is not None and each.id == getattr(owner, "inbox", "")
        ),
        None,
    )
    return known_collection(known.source.collection) if known and known.source else None


def path_target(document: Workspace, path: str) -> Collection | None:
    """The collection of the record that a choice and relations from it lead to."""
    name, *ways = path.split(".")
    collection = selected(document, name)
    for way in ways:
        relation = collection.relation(way) if collection else None
        collection = known_collection(relation.collection) if relation else None
    return collection


def paths(document: Workspace) -> list[tuple[str, str]]:
    """Choices, and what one relation leads to from them."""
    found = []
    for name in choices(document):
        collection = selected(document, name)
        one = collection.label_one if collection else name
        found.append((name, f"the chosen {one}"))
        ways = (
            [relation for relation in collection.relations if relation.kind == "to_one"] if collection else []
        )
        found += [(f"{name}.{relation.name}", f"its {uncapitalised(relation.label)}") for relation in ways]
    return found


def condition_groups(document: Workspace, most: int) -> dict[str, dict[str, Field]]:
    """Title → what a condition over the workspace may name: inputs, fields of chosen records and of those they lead to, and the reader."""
    found = {
        "An input of the workspace": {
            f"input.{item.name}": _of_input(item) for item in document.every if isinstance(item, INPUTS)
        }
    }
    chosen = ""
    for path, words in paths(document):
        collection = path_target(document, path)
        chosen = chosen if "." in path else words
        if collection is None:
            continue
        alone = (
            [Field("key", "Key", "text", "text"), Field("title", "Title", "text", "text")]
            if "." not in path
            else []
        )
        fields = [item for item in collection.fields[:most] if not item.hidden]
        title = f"Of {words}" if "." not in path else f"Of {words.removeprefix('its ')} of {chosen}"
        found[title] = {f"selected.{path}.{item.name}": item for item in (*alone, *fields)}
    return {title: named for title, named in {**found, "Of whoever looks": READER}.items() if named}


def _of_input(item: Part) -> Field:
    name, label = str(getattr(item, "name", "")), str(getattr(item, "label", ""))
    match item:
        case Toggle():
            return Field(name, label, "boolean", "boolean")
        case Date():
            return Field(name, label, "date", "date")
        case Dropdown(options=list() as options):
            return Field(
                name, label, "enum", "text", options=tuple(Option(each.value, each.label) for each in options)
            )
        case Dropdown(collection=collection, field=field):
            known = known_collection(collection or "")
            of = known.field(field or "") if known else None
            if of is not None:
                return Field(
                    name,
                    label,
                    "enum" if of.options else "text",
                    "text",
                    options=of.options,
                    references=of.references,
                )
    return Field(name, label, "text", "text")


def completions(document: Workspace, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, label) that an expression of the component may use, for the list that opens as one types."""
    found = [
        (name, "") for name in ("me.name", "me.email", "me.teams", "me.roles", "me.tags", "now", "today()")
    ]
    found += [(f"input.{item.name}", str(item.label)) for item in document.every if isinstance(item, INPUTS)]
    for name in choices(document):
        found += [
            (f"selected.{name}.key", "Key"),
            (f"selected.{name}.title", "Title"),
            *_steps(f"selected.{name}", selected(document, name)),
        ]
    return found + _steps("record", known_collection(str(given.get("collection") or "")))


def _steps(root: str, collection: Collection | None) -> list[tuple[str, str]]:
    return [(root + step_words(each.name), each.label) for each in (collection.fields if collection else ())]
