"""New names in a workspace document: a selection or an input that its builder calls otherwise, columns and relations that a database does. Pure."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.core.documents.workspaces.components import SELECTING, CollectionList, Inbox
from console.core.documents.workspaces.edits import every_component
from console.core.documents.workspaces.workspace_document import Workspace
from console.core.expressions import TEMPLATE

Document = dict[str, Any]
Rename = Callable[[str, list[str]], list[str]]
"""(root, names after it) → the names that stand there now."""

EXPRESSIONS, CONDITIONS, TEMPLATES = (
    ("visible_if",),
    ("where", "part"),
    ("title", "text", "to", "words", "sql"),
)
_STRING = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
_PATH = re.compile(
    rf"(?P<said>{_STRING})|(?<![\w.$])(?P<root>record|selected|input)(?P<steps>(?:\.[A-Za-z]\w*(?!\w|\()|\[(?:{_STRING})\])+)",
    re.DOTALL,
)
_STEP = re.compile(rf"\.(?P<plain>\w+)|\[(?P<quoted>{_STRING})\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """Former name → new name, of the columns and of the relations of a collection."""

    columns: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, str] = field(default_factory=dict)


class Ways(Protocol):
    """Where relations of a collection led before the renaming."""

    def __call__(self, collection: str, relation: str, /) -> str | None:
        """The collection that the relation leads to, or None."""


def with_name(document: Mapping[str, Any], root: str, former: str, new: str) -> Document:
    """The document with another name for a selection (`root` selected) or an input, wherever it is used; its owner keeps the former one."""
    made = copy.deepcopy(dict(document))

    def rename(of: str, steps: list[str]) -> list[str]:
        return [new, *steps[1:]] if of == root and steps[:1] == [former] else steps

    for item in every_component(made["components"]):
        _in_texts(item, rename)
        if root == "selected" and str(item.get("of", "")).partition(".")[0] == former:
            item["of"] = ".".join([new, *item["of"].split(".")[1:]])
        if root == "input" and item.get("search") == former:
            item["search"] = new
    return made


def with_columns(
    document: Workspace, names: Mapping[str, Names], ways: Ways, of_inbox: Mapping[str, str]
) -> Document:
    """The document with columns and relations of collections (`names`) that are called otherwise now. `of_inbox`: inbox → collection of its tickets.

    A SELECT stays as it was written: what it names is not certain.
    """
    made = document.to_json()
    chosen = {
        part.select: _collection_of(part, of_inbox)
        for part in reversed(list(document.every))
        if isinstance(part, SELECTING) and part.select
    }

    def follow(
        collection: str | None, steps: list[str], *, fields: bool = True
    ) -> tuple[list[str], str | None]:
        """(the path as it is called now, the collection that it leads to). `fields`: it may end at a column."""
        told = []
        for step in steps:
            own = names.get(collection or "", Names())
            told.append((own.columns.get(step) if fields else None) or own.relations.get(step, step))
            collection = ways(collection, step) if collection else None
        return told, collection

    for item in every_component(made["components"]):
        about = item.get("collection")
        if of := str(item.get("of") or ""):
            name, *steps = of.split(".")
            told, about = follow(chosen.get(name), steps, fields=False)
            item["of"] = ".".join([name, *told])
        if relation := item.get("relation"):
            item["relation"] = names.get(about or "", Names()).relations.get(relation, relation)
            about = ways(about, relation) if about else None
        _in_columns(item, names.get(about or "", Names()).columns)

        def rename(root: str, steps: list[str], own: str | None = about) -> list[str]:
            if root == "record":
                return follow(own, steps)[0]
            return [steps[0], *follow(chosen.get(steps[0]), steps[1:])[0]] if root == "selected" else steps

        _in_texts(item, rename)
    return made


def _collection_of(item: Any, of_inbox: Mapping[str, str]) -> str | None:
    if isinstance(item, CollectionList):
        return item.collection
    return of_inbox.get(item.inbox) if isinstance(item, Inbox) else None


def _in_columns(item: Document, columns: Mapping[str, str]) -> None:
    """Put new names where settings of the component name columns."""
    for name in ("field", "date", "by", "then"):
        if isinstance(item.get(name), str):
            item[name] = columns.get(item[name], item[name])
    for name in ("columns", "fields"):
        if isinstance(item.get(name), list):
            item[name] = [columns.get(each, each) for each in item[name]]
    if isinstance(sort := item.get("sort"), str):
        bare = sort.removeprefix("-")
        item["sort"] = sort[: len(sort) - len(bare)] + columns.get(bare, bare)


def _in_texts(item: Document, rename: Rename) -> None:
    """Put new names into the expressions and templates of the component."""
    for name in EXPRESSIONS:
        if isinstance(item.get(name), str):
            item[name] = _in_expression(item[name], rename)
    for name in TEMPLATES:
        if isinstance(item.get(name), str):
            item[name] = TEMPLATE.sub(
                lambda found: "{{" + _in_expression(found[1], rename) + "}}", item[name]
            )
    for name in CONDITIONS:
        if isinstance(item.get(name), list):
            item[name] = [_in_expression(each, rename) for each in item[name]]
    for stage in item.get("stages") or ():
        stage["where"] = _in_expression(stage["where"], rename)


def _in_expression(text: str, rename: Rename) -> str:
    def told(found: re.Match[str]) -> str:
        if found["said"] is not None:
            return found[0]
        before = [
            step["plain"] or re.sub(r"\\(.)", r"\1", step["quoted"][1:-1], flags=re.DOTALL)
            for step in _STEP.finditer(found["steps"])
        ]
        after = rename(found["root"], before)
        return found[0] if after == before else found["root"] + "".join(map(step_words, after))

    return _PATH.sub(told, text)


def step_words(name: str) -> str:
    """A name as a step of a path: `.email`, `["full name"]`."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        return f".{name}"
    return '["' + name.replace("\\", "\\\\").replace('"', '\\"') + '"]'
