"""A step's id in everything that names it: ways, groups, expressions, templates, tests."""

import re
from collections.abc import Mapping
from typing import Any

from console.core.expressions import TEMPLATE, ExpressionError, parse

NAMING = frozenset({"step", "start"})
"""Keys of settings whose whole value is the id of a step (`opened.step`, a branch's `start`)."""
BY_STEP = frozenset({"answers", "effects"})
"""Keys of a saved test that hold an object by step."""
TEXTS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.DOTALL)


def own_name(root: str, name: str) -> re.Pattern[str]:
    """What names this part of a root in an expression: `steps.load`, `steps["load"]`."""
    return re.compile(
        rf"(?<![\w.$]){root}\s*(?:\.\s*{re.escape(name)}(?!\w)|\[\s*(?:\"{re.escape(name)}\"|'{re.escape(name)}')\s*\])"
    )


def in_expressions(text: str, own: re.Pattern[str], new: str) -> str:
    """The text with `new` in place of what `own` names, in its `{{ expressions }}`, or where it is an expression as a whole."""
    if own.search(text) is None:
        return text
    if "{{" in text:
        return TEMPLATE.sub(lambda found: _replaced(found.group(0), own, new), text)
    try:
        parse(text)
    except ExpressionError:
        return text
    return _replaced(text, own, new)


def _replaced(text: str, own: re.Pattern[str], new: str) -> str:
    """Replace outside of quoted texts only; an index in brackets is quoted itself, so it is looked for first."""
    out, at = [], 0
    for found in own.finditer(text):
        if any(quoted.start() < found.start() < quoted.end() for quoted in TEXTS.finditer(text)):
            continue
        out += [text[at : found.start()], new]
        at = found.end()
    return "".join([*out, text[at:]])


def renamed(document: Mapping[str, Any], step: str, new: str) -> dict[str, Any]:
    """The document in which the step is called `new` wherever it is named."""
    own = own_name("steps", step)

    def in_text(text: str) -> str:
        return in_expressions(text, own, f"steps.{new}")

    def walk(value: Any, key: str = "") -> Any:
        if isinstance(value, str):
            if key in NAMING and value == step:
                return new
            if key == "not_by" and (value == f"step:{step}" or value.startswith(f"step:{step}.")):
                return f"step:{new}{value[len(f'step:{step}') :]}"
            return in_text(value)
        if isinstance(value, list):
            return [walk(entry, key) for entry in value]
        if isinstance(value, dict):
            return {name: walk(entry, name) for name, entry in value.items()}
        return value

    def of_step(entry: Mapping[str, Any]) -> dict[str, Any]:
        made = {
            name: walk(value, name) if name not in ("id", "type", "title", "next") else value
            for name, value in entry.items()
        }
        if entry.get("id") == step:
            made["id"] = new
        if isinstance(entry.get("next"), Mapping):
            made["next"] = {
                outcome: new if target == step else target for outcome, target in entry["next"].items()
            }
        return made

    def of_path(name: Any) -> Any:
        """A step of a test; one of another workflow stands behind the step that runs it and a slash."""
        return (
            new + name[len(step) :]
            if isinstance(name, str) and (name == step or name.startswith(f"{step}/"))
            else name
        )

    def of_test(test: Any) -> Any:
        made = walk(test)
        if isinstance(made, dict):
            for name in BY_STEP & made.keys():
                if isinstance(made[name], dict):
                    made[name] = {of_path(key): value for key, value in made[name].items()}
            expected = made.get("expect")
            if isinstance(expected, dict) and isinstance(expected.get("path"), list):
                made["expect"] = expected | {"path": [of_path(entry) for entry in expected["path"]]}
        return made

    made: dict[str, Any] = {}
    for name, value in document.items():
        if name == "steps":
            made[name] = [of_step(entry) for entry in value]
        elif name == "groups" and isinstance(value, list):
            made[name] = [_in_group(group, step, new) for group in value]
        elif name == "tests" and isinstance(value, list):
            made[name] = [of_test(test) for test in value]
        elif name in ("slug", "title", "description", "collection", "team", "variables", "tables"):
            made[name] = value
        else:
            made[name] = walk(value, name)
    return made


def _in_group(group: Any, step: str, new: str) -> Any:
    if not isinstance(group, Mapping) or not isinstance(group.get("steps"), list):
        return group
    return {**group, "steps": [new if member == step else member for member in group["steps"]]}
