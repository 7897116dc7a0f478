"""All errors of a workspace document at once: its shape, names that stand twice, and expressions over what is not there."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from console.core import expressions
from console.core.documents.json_shape import Spot, read_document
from console.core.documents.workspaces.components import (
    INPUTS,
    KINDS,
    SELECTING,
    Action,
    Chart,
    CollectionList,
    Dropdown,
    Fields,
    Figures,
    Link,
    Listed,
    Metric,
    Part,
    Related,
    Search,
    Tabs,
    Text,
    WorkflowButtons,
)
from console.core.documents.workspaces.workspace_document import FORMAT, Workspace
from console.core.expressions import Expression, ExpressionError, UnknownName

OF_RECORD = (Fields, Related, Action, WorkflowButtons)
SHARED = frozenset({"selected", "input", "me", "now", "$currentUser"})
SAFE_LINK = re.compile(r"^(/(?!/)|https://|http://|mailto:|\{\{)")
RESERVED = frozenset({"part", "preview", "as", "page"})
MOST_DEPTH = 4


def check(document: bytes | str | Mapping[str, Any]) -> list[Spot]:
    """All errors of the document that can be found without a database."""
    made, problems = read_document(document, Workspace, FORMAT, "The file of a workspace")
    if made is None:
        return [Spot(_without_tags(spot.place), spot.reason) for spot in problems]
    problems += _names(made)
    for item in made.every:
        problems += [Spot((item.id, *place), reason) for place, reason in _of_component(item, made)]
    return list({(spot.place, spot.reason): spot for spot in problems}.values())


def texts_of(item: Part) -> Iterator[tuple[str, str, bool, bool]]:
    """(field, text, whether it is a template, whether it may look at `record`) of every expression of a component."""
    if item.visible_if is not None:
        yield "visible_if", item.visible_if, False, False
    if item.title:
        yield "title", item.title, True, False
    if isinstance(item, (Text, Link)):
        yield "text", item.text, True, False
    if isinstance(item, Link):
        yield "to", item.to, True, False
    if isinstance(item, (Listed, Figures)):
        for text in item.where:
            yield "where", text, False, True
    if isinstance(item, Chart):
        for stage in item.stages or ():
            yield "stages", stage.where, False, True
    if isinstance(item, Metric):
        for text in item.part:
            yield "part", text, False, True
        if item.words:
            yield "words", item.words, True, False
    if isinstance(item, Figures) and item.sql:
        yield "sql", item.sql, True, False


def expressions_of(text: str, *, template: bool) -> list[Expression]:
    """The expressions in a text. Raises ExpressionError."""
    return expressions.templates(text) if template else [expressions.parse(text)]


def names_used(item: Part) -> frozenset[str]:
    """Names of selections, inputs and tabs that the component itself depends on: it is drawn anew when one of them changes."""
    found: set[str] = set()
    for _, text, template, _ in texts_of(item):
        try:
            paths = [
                path for each in expressions_of(text, template=template) for path in expressions.paths(each)
            ]
        except ExpressionError:
            continue
        found |= {path[1] for path in paths if path[0] in ("selected", "input") and len(path) > 1}
    if isinstance(item, OF_RECORD):
        found.add(item.of.partition(".")[0])
    if isinstance(item, CollectionList) and item.search:
        found.add(item.search)
    if isinstance(item, Tabs):
        found.add(item.name)
    return frozenset(found)


def _without_tags(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The place without the tag of the kind, which pydantic puts after the number of a component."""
    return tuple(
        part
        for number, part in enumerate(place)
        if not (number and part in KINDS and isinstance(place[number - 1], int))
    )


def _names(made: Workspace) -> Iterator[Spot]:
    ids = [item.id for item in made.every]
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        yield Spot((twice,), f"Two components are called {twice}: give one of them another name.")
    names: list[str] = [
        str(getattr(item, "name", None) or getattr(item, "select", None) or "") for item in made.every
    ]
    for twice in sorted({name for name in names if name and names.count(name) > 1}):
        users = [item for item, name in zip(made.every, names, strict=True) if name == twice]
        if (
            all(isinstance(item, SELECTING) for item in users)
            and len({item.collection for item in users if isinstance(item, CollectionList)}) < 2
        ):
            continue  # several lists choose the same record
        owner = next(item.id for item, name in zip(made.every, names, strict=True) if name == twice)
        yield Spot(
            (owner,), f"Two components use the name {twice} in the address: give one of them another name."
        )
    for item, name in zip(made.every, names, strict=True):
        if name in RESERVED:
            yield Spot((item.id,), f"{name} means something else in the address: choose another name.")
    if _depth(made.to_json()["components"]) > MOST_DEPTH:
        yield Spot(("components",), f"Sections and tabs stand in each other at most {MOST_DEPTH - 1} deep.")


def _depth(components: Any) -> int:
    inner = [each.get("components", []) for each in components] + [
        tab["components"] for each in components for tab in each.get("tabs", ())
    ]
    return 1 + max((_depth(each) for each in inner if each), default=0) if components else 0


def _unknown(name: str, selections: Collection[str], inputs: Collection[str], *, with_record: bool) -> str:
    """What to write in place of a path that begins with this name."""
    if name in selections:
        return f"Write selected.{name}: it is a chosen record."
    if name in inputs:
        return f"Write input.{name}: it is an input."
    known = [f"selected.{each}" for each in sorted(selections)] + [f"input.{each}" for each in sorted(inputs)]
    return f"There is no {name} here. Paths begin with {', '.join([*(['record'] if with_record else []), *known, 'me'])} or now."


def _of_component(item: Part, made: Workspace) -> Iterator[tuple[tuple[str, ...], str]]:
    selections = {each.select for each in made.every if isinstance(each, SELECTING) and each.select}
    inputs = {each.name for each in made.every if isinstance(each, INPUTS)}
    for field, text, template, with_record in texts_of(item):
        try:
            found = expressions_of(text, template=template)
        except UnknownName as error:
            yield (field,), _unknown(error.name, selections, inputs, with_record=with_record)
            continue
        except ExpressionError as error:
            yield (field,), f"{error.reason.rstrip('.')} (at character {error.position + 1})."
            continue
        for path in sorted({path for each in found for path in expressions.paths(each)}):
            if path[0] not in SHARED | ({"record"} if with_record else set()):
                yield (field,), _unknown(path[0], selections, inputs, with_record=with_record)
            elif path[0] == "selected" and len(path) > 1 and path[1] not in selections:
                yield (
                    (field,),
                    f"Nothing selects {path[1]}: give a Collection or an Inbox this name under “Chosen record is called”.",
                )
            elif path[0] == "input" and len(path) > 1 and path[1] not in inputs:
                yield (field,), f"There is no input called {path[1]} in this workspace."
    if isinstance(item, OF_RECORD) and item.of.partition(".")[0] not in selections:
        yield (
            ("of",),
            f"Nothing selects {item.of.partition('.')[0]}: give a Collection or an Inbox this name.",
        )
    if (
        isinstance(item, CollectionList)
        and item.search
        and not any(isinstance(each, Search) and each.name == item.search for each in made.every)
    ):
        yield ("search",), f"There is no search called {item.search} in this workspace."
    if isinstance(item, Link) and expressions.chooses(item.to):
        yield (
            ("to",),
            "An address cannot choose by {{ if … }}: two links are two components, each with its own visible_if.",
        )
    elif isinstance(item, Link) and not SAFE_LINK.match(item.to):
        yield ("to",), "An address begins with / for a page of the console, or with https://."
    if (
        isinstance(item, Dropdown)
        and item.options
        and item.default
        and item.default not in {each.value for each in item.options}
    ):
        yield ("default",), f"{item.default} is none of the options."
