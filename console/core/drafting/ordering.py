"""The order of keys in a draft, so that equal drafts have equal bytes whoever wrote them and wherever they were stored.

The keys that the models know stand in their order, free and unknown ones by name. Nothing is added or left out, other than in
`Workflow.to_json`, so that an unfinished document and one of a newer format keep all they hold.
"""

import functools
import json
import operator
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from console.core.documents.workflow import Workflow

FREE = frozenset({"config", "content"})
"""Keys of a step below which the keys stand by name, as in `Workflow.to_json`."""


def ordered(document: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document with its keys in order; steps that it has from `known`, a document in order, are not looked at."""
    if known is None:
        return _by_model(Workflow, document)
    there, kinds = {id(step) for step in known.get("steps", ())}, _inside(_fields(Workflow)["steps"])[2]
    steps = [step if id(step) in there else _fitted(kinds, step) for step in document["steps"]]
    return _by_model(Workflow, {**document, "steps": []}) | {"steps": steps}


def written(document: Mapping[str, Any]) -> bytes:
    """The document as a file: UTF-8, two spaces, final newline. Equal to `Workflow.canonical` for a canonical document."""
    return (json.dumps(ordered(document), ensure_ascii=False, indent=2) + "\n").encode()


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; unlike in Python true is not 1."""
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _by_model(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    fields = _fields(model)
    made = {
        key: value if isinstance(value := given[key], str) else _fitted(kinds, value)
        for key, kinds in fields.items()
        if key in given
    }
    if len(made) < len(given):
        made |= {key: _fitted((), given[key]) for key in sorted(given.keys() - made.keys())}
    return _kept(given, made)


def _fitted(kinds: tuple[Any, ...], value: Any) -> Any:
    """The value in the order of that of the kinds which it can be: a model, an object by name, a list."""
    if isinstance(value, Mapping):
        model, inner, _ = _inside(kinds)
        if model is not None:
            return _by_model(model, value)
        return _kept(
            value,
            {
                key: part if isinstance(part := value[key], str) else _fitted(inner, part)
                for key in sorted(value)
            },
        )
    if isinstance(value, list):
        inner = _inside(kinds)[2]
        made = [_fitted(inner, entry) for entry in value]
        return value if all(map(operator.is_, made, value)) else made
    return value


def _kept(given: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """What is given, where it is in order already: comparing the two is then quick."""
    alike = [*given] == [*made] and all(map(operator.is_, made.values(), given.values()))
    return given if alike and isinstance(given, dict) else made


@functools.cache
def _inside(kinds: tuple[Any, ...]) -> tuple[type[BaseModel] | None, tuple[Any, ...], tuple[Any, ...]]:
    """What a value of these kinds is made of: the model, the kinds of the values by name, the kinds of the entries of a list."""
    model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return (
        model,
        next((_kinds(get_args(kind)[1]) for kind in kinds if get_origin(kind) is dict), ()),
        next((_kinds(get_args(kind)[0]) for kind in kinds if get_origin(kind) is list), ()),
    )


@functools.cache
def _fields(model: type[BaseModel]) -> Mapping[str, tuple[Any, ...]]:
    """The keys of a model in its order, each with the kinds of its value."""
    return {
        field.alias or name: () if name in FREE else _kinds(field.annotation)
        for name, field in model.model_fields.items()
    }


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, without what is only annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(kind for member in get_args(annotation) for kind in _kinds(member))
    return (annotation,)
