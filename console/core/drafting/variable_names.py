"""Names of variables in a document: where each is used, and the document in which it is called otherwise."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from console.core.drafting.renaming import in_expressions, own_name

ROOT = "variables"
APART = frozenset({"format", "slug", "title", "description", "collection", "team", "variables", "tables"})
"""Parts of a document in which no expression stands."""
APART_OF_STEPS = frozenset({"id", "type", "title", "next"})


class Use(NamedTuple):
    """A place where a variable is used: the step (None: the document itself) and its field."""

    step: str | None
    field: str


def used_in(document: Mapping[str, Any], name: str) -> list[Use]:
    """Where the variable is used, in the order of the document."""
    own = own_name(ROOT, name)
    return [use for use, text in _texts(document) if in_expressions(text, own, f"{ROOT}.{name}_") != text]


def renamed_variable(document: Mapping[str, Any], name: str, new: str) -> dict[str, Any]:
    """The document in which the variable is called `new` wherever it is named. One without it stays as it is."""
    own = own_name(ROOT, name)
    made = {
        part: _changed(part, value, lambda text: in_expressions(text, own, f"{ROOT}.{new}"))
        for part, value in document.items()
    }
    rules = document.get(ROOT)
    if isinstance(rules, Mapping):
        made[ROOT] = {new if each == name else each: value for each, value in rules.items()}
    return made


def _changed(part: str, value: Any, change: Callable[[str], str]) -> Any:
    if part in APART:
        return value
    if part == "steps" and isinstance(value, list):
        return [
            {
                name: given if name in APART_OF_STEPS else _walked(given, change)
                for name, given in step.items()
            }
            if isinstance(step, Mapping)
            else step
            for step in value
        ]
    return _walked(value, change)


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walked(each, change) for each in value]
    if isinstance(value, Mapping):
        return {name: _walked(each, change) for name, each in value.items()}
    return value


def _texts(document: Mapping[str, Any]) -> Iterator[tuple[Use, str]]:
    """(place, text) of every text in which an expression may stand."""
    for step in document.get("steps") or ():
        if isinstance(step, Mapping):
            for name, value in step.items():
                if name not in APART_OF_STEPS:
                    yield from (
                        (Use(str(step.get("id")), field), text) for field, text in _within(name, value)
                    )
    for part, value in document.items():
        if part != "steps" and part not in APART:
            yield from ((Use(None, field), text) for field, text in _within(part, value))


def _within(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _within(f"{place}[{number}]", each)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _within(f"{place}.{name}", each)
