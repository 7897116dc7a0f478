"""Names in a workspace that are not connected here: collections, fields, relations, segments, inboxes. Warnings, for a source may come later."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeAlias

from console import records
from console.core import expressions
from console.core.documents.collections import Collection
from console.core.documents.json_shape import Spot
from console.core.documents.workspaces import (
    SELECTING,
    Action,
    Chart,
    CollectionList,
    Component,
    Dropdown,
    Fields,
    Inbox,
    Metric,
    Related,
    WorkflowButtons,
    Workspace,
    expressions_of,
    texts_of,
)
from console.core.documents.workspaces.components import Part
from console.core.errors import ConsoleError, NotFound
from console.core.expressions import ExpressionError
from console.records import sql_question
from console.workflows import inboxes

Find: TypeAlias = Callable[[str], Collection | None]
"""Name of a collection → the collection, None where it is not there."""


def unknown_names(document: Workspace, find: Find | None = None) -> list[Spot]:
    """A line for each name that is not there, at its component. `find` is asked for collections; without it those that are connected."""
    look_up = find or _collection
    return [
        Spot((item.id, *place), reason)
        for item in document.every
        for place, reason in (*_unknown_of(document, item, look_up), *_of_words(document, item, look_up))  # type: ignore[arg-type]
    ]


def _of_words(document: Workspace, item: Part, find: Find) -> Iterator[tuple[tuple[str, ...], str]]:
    """Fields of a chosen record that words and conditions name."""
    for place, text, template, _ in texts_of(item):
        with suppress(ExpressionError):
            found = {
                path[1:]
                for each in expressions_of(text, template=template)
                for path in expressions.paths(each)
                if path[0] == "selected"
            }
            for chosen, *steps in sorted(found):
                collection = _led(document, chosen, find)
                for step in steps:
                    known = (
                        collection is None
                        or step in ("key", "title")
                        or collection.field(step)
                        or collection.relation(step)
                    )
                    if collection is not None and not known:
                        yield (place,), f"There is no field {step} in {collection.label}."
                    relation = (
                        collection.relation(step)
                        if collection is not None and step not in collection.by_name
                        else None
                    )
                    collection = (
                        find(relation.collection)
                        if relation is not None and relation.kind == "to_one"
                        else None
                    )


def _unknown_of(document: Workspace, item: Component, find: Find) -> Iterator[tuple[tuple[str, ...], str]]:
    match item:
        case CollectionList() | Chart() | Metric() if item.collection:
            collection = find(item.collection)
            if collection is None:
                yield ("collection",), f"There is no collection {item.collection} here."
                return
            yield from _of_records(collection, item)
        case Chart() | Metric() if item.sql:
            yield from _of_sql(item)
        case Dropdown() if item.collection:
            collection = find(item.collection)
            if collection is None or collection.field(item.field or "") is None:
                yield ("field",), f"There is no field {item.field} of {item.collection} here."
        case Inbox():
            if all(each.id != item.inbox for each in inboxes.all_inboxes()):
                yield ("inbox",), f"There is no inbox {item.inbox} here."
        case Fields() | Related() | Action() | WorkflowButtons():
            collection = _led(document, item.of, find)
            if collection is None:
                yield ("of",), f"{item.of} leads to no record here."
                return
            if isinstance(item, Related) and collection.relation(item.relation) is None:
                yield ("relation",), f"There is no relation {item.relation} in {collection.label}."
            if isinstance(item, Fields):
                for name in item.fields or ():
                    if collection.field(name) is None:
                        yield ("fields",), f"There is no field {name} in {collection.label}."


def _of_records(
    collection: Collection, item: CollectionList | Chart | Metric
) -> Iterator[tuple[tuple[str, ...], str]]:
    if item.segment and collection.segment(item.segment) is None:
        yield ("segment",), f"There is no segment {item.segment} in {collection.label}."
    named = {"sort": (getattr(item, "sort", None) or "").removeprefix("-")}
    named |= {name: getattr(item, name, None) or "" for name in ("field", "date", "by", "then")}
    for place, name in named.items():
        if name and collection.field(name) is None:
            yield (place,), f"There is no field {name} in {collection.label}."
    for name in getattr(item, "columns", None) or ():
        if collection.field(name) is None:
            yield ("columns",), f"There is no field {name} in {collection.label}."
    texts = [("where", text) for text in item.where] + [("part", text) for text in getattr(item, "part", ())]
    texts += [("stages", stage.where) for stage in getattr(item, "stages", None) or ()]
    for place, text in texts:
        try:
            paths = expressions.paths(expressions.parse(text))
        except ExpressionError:
            continue
        for path in sorted(paths):
            if path[0] != "record" or len(path) == 1 or path[1] in collection.by_name:
                continue
            if collection.relation(path[1]) is None:
                yield (place,), f"There is no field {path[1]} in {collection.label}."
            else:
                yield (
                    (place,),
                    f"{path[1]} leads to another record: a condition here looks at fields of {collection.label} alone.",
                )


def _of_sql(item: Chart | Metric) -> Iterator[tuple[tuple[str, ...], str]]:
    collection = next((each for each in records.collections() if each.source == item.source), None)
    if collection is None:
        yield ("source",), f"There is no data source {item.source} here."
        return
    if expressions.chooses(item.sql or ""):
        yield ("sql",), "A question cannot choose by {{ if … }}: SQL has CASE."
        return
    try:
        sql_question.parse(expressions.TEMPLATE.sub("'x'", item.sql or ""), collection.dialect)
    except ConsoleError as error:
        yield ("sql",), error.message


def _collection(name: str) -> Collection | None:
    try:
        return records.collection(name)
    except NotFound:
        return None


def _led(document: Workspace, path: str, find: Find) -> Collection | None:
    """The collection that a selection and relations from it lead to."""
    name, *ways = path.split(".")
    owner = next(
        (item for item in document.every if isinstance(item, SELECTING) and item.select == name), None
    )
    collection: Collection | None = None
    if isinstance(owner, CollectionList):
        collection = find(owner.collection)
    elif isinstance(owner, Inbox):
        known = next((each for each in inboxes.all_inboxes() if each.id == owner.inbox), None)
        collection = find(known.source.collection) if known and known.source else None
    for way in ways:
        relation = collection.relation(way) if collection else None
        collection = find(relation.collection) if relation is not None and relation.kind == "to_one" else None
    return collection
