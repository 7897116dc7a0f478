"""One change applied to a document."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from console.core.documents import graph
from console.core.documents.document_parts import RESERVED
from console.core.documents.draft_shape import misshapen
from console.core.documents.json_shape import problems_of_values
from console.core.documents.workflow import MAX_BYTES
from console.core.drafting import changes
from console.core.drafting.changes import Change, ChangeError, MisshapenError, parts
from console.core.drafting.ordering import ordered, same
from console.core.drafting.renaming import renamed

ENDS = frozenset({"end"})
"""Step types that nothing follows."""
FIXED = frozenset({"id", "steps", "slug"})
OUTCOMES = frozenset({"outcome", "value"})
"""Settings in a list that name an outcome: of a branch, of an option."""
MOST_OUTCOMES = 50
LONGEST_LIST = 10_000


def apply(document: Mapping[str, Any], given: Change | Sequence[Change]) -> dict[str, Any]:
    """The document after the changes, with its keys in order as those of the given one are, which stays as it is.

    Raises ChangeError, with the number of the change, for a change that names what is not there.
    """
    listed = given if isinstance(given, Sequence) else [given]
    made = dict(document)
    for number, change in enumerate(listed):
        made = _next(made, change, number)
    return ordered(made, document)


def effective(document: Mapping[str, Any], given: Sequence[Change]) -> list[Change]:
    """Those of the changes that change something, each after those before it. Raises ChangeError as `apply`."""
    made, kept = dict(document), list[Change]()
    for number, change in enumerate(given):
        after = _next(made, change, number)
        parts_of = [
            [*each["steps"], *(each.get(name) for name in sorted({*made, *after} - {"steps"}))]
            for each in (made, after)
        ]
        if (
            len(parts_of[0]) != len(parts_of[1])
            or not all(map(same, *parts_of))
            or made.keys() != after.keys()
        ):
            kept.append(change)
        made = after
    return kept


def require_shape(document: Any, settings: Mapping[str, type[BaseModel]] | None = None) -> None:
    """Raises MisshapenError, with the place, if the document could not be shown any more: with a step without an id of its own, a list for a title."""
    if not isinstance(document, Mapping):
        raise MisshapenError("A workflow is an object, in braces.", "value")
    steps = document.get("steps")
    if not isinstance(steps, list):
        raise MisshapenError("steps must be a list.", "steps")
    seen: set[str] = set()
    for number, step in enumerate(steps):
        if not isinstance(step, Mapping):
            raise MisshapenError("A step must be an object.", f"steps[{number}]")
        for name in ("id", "type"):
            if not isinstance(step.get(name), str) or not step[name]:
                raise MisshapenError(f"A step needs its {name}.", f"steps[{number}].{name}")
        if not isinstance(step.get("next", {}), Mapping) or not isinstance(step.get("config", {}), Mapping):
            raise MisshapenError("next and config of a step must be objects.", f"steps[{number}]")
        if step["id"] in seen:
            raise MisshapenError(
                f"Two steps have the id {step['id']}: give one of them an id of its own.",
                f"steps[{number}].id",
            )
        seen.add(step["id"])
    triggers = document.get("triggers", [])
    if not isinstance(triggers, list) or not all(
        isinstance(each, Mapping) and isinstance(each.get("id"), str) for each in triggers
    ):
        raise MisshapenError("triggers must be a list of objects, each with an id.", "triggers")
    for spot in [*problems_of_values(document), *misshapen(document, settings)]:
        raise MisshapenError(spot.reason, spot.path)
    if (size := len(json.dumps(document, ensure_ascii=False).encode())) > MAX_BYTES:
        raise MisshapenError(
            f"The workflow is too large: {size:,} bytes, at most {MAX_BYTES:,} are kept.", "value"
        )


def index_of(document: Mapping[str, Any], step: str) -> int:
    """The index of the step. Raises ChangeError if it is not there."""
    for number, entry in enumerate(document["steps"]):
        if entry["id"] == step:
            return number
    raise ChangeError(f"There is no step {step} any more.", "step")


def _next(document: dict[str, Any], change: Change, number: int) -> dict[str, Any]:
    """The document after one change of a list. Raises ChangeError with its number; MisshapenError where one before it has left no shape to change."""
    try:
        return _applied(document, change)
    except ChangeError as error:
        raise error.at(number) from None
    except (TypeError, AttributeError, LookupError):
        require_shape(document)
        raise


def _applied(document: dict[str, Any], change: Change) -> dict[str, Any]:
    match change:
        case changes.AddStep():
            return _added(document, change)
        case changes.RemoveStep():
            return _removed(document, change)
        case changes.Set():
            if (first := parts(change.field)[0]) == "id":
                raise ChangeError(
                    "An id is changed by rename_step, so that what names the step follows.", "field"
                )
            if (
                first in ("next", "config")
                and len(parts(change.field)) == 1
                and not (change.leaves_out or isinstance(change.value, Mapping))
            ):
                raise ChangeError(f"{first} must be an object.", "value")
            if first == "type" and not (isinstance(change.value, str) and change.value):
                raise ChangeError("A step needs its type.", "value")
            return _with_step(document, change.step, lambda step: _set(step, change))
        case changes.Connect():
            index_of(document, change.to)
            return _with_step(
                document,
                change.step,
                lambda step: {**step, "next": {**step.get("next", {}), change.outcome: change.to}},
            )
        case changes.Disconnect():
            return _with_step(
                document,
                change.step,
                lambda step: {
                    **step,
                    "next": {key: to for key, to in step.get("next", {}).items() if key != change.outcome},
                },
            )
        case changes.Move():
            return _moved(document, change)
        case changes.RenameStep():
            index_of(document, change.step)
            if change.id != change.step and any(step["id"] == change.id for step in document["steps"]):
                raise ChangeError(f"There is a step {change.id} already: choose another id.", "id")
            return renamed(document, change.step, change.id)
        case changes.AddTrigger():
            return _trigger_added(document, change)
        case changes.SetTrigger() | changes.RemoveTrigger():
            return _trigger_changed(document, change)
        case changes.SetDocument(field=None):
            require_shape(change.value)
            return dict(change.value)
        case changes.SetDocument():
            place = parts(change.field)  # type: ignore[arg-type]
            if place[0] == "steps":
                raise ChangeError(
                    "Steps are changed by their own changes: add_step, set, remove_step.", "field"
                )
            return _put(document, place, change.value, gone=change.leaves_out)  # type: ignore[no-any-return]


def _with_step(document: dict[str, Any], step: str, change: Any) -> dict[str, Any]:
    number = index_of(document, step)
    steps = list(document["steps"])
    steps[number] = change(dict(steps[number]))
    return {**document, "steps": steps}


def _set(step: dict[str, Any], change: changes.Set) -> dict[str, Any]:
    """The step with the value. Where an outcome is called otherwise, the way on from it is kept."""
    place = parts(change.field)
    made: dict[str, Any] = _put(step, place, change.value, gone=change.leaves_out)
    if (
        place[0] != "config"
        or place[-1] not in OUTCOMES
        or not isinstance(change.value, str)
        or not change.value
    ):
        return made
    former, ways = _at(step, place), step.get("next", {})
    if (
        former not in ways
        or change.value in ways
        or former in (_at(made, [*place[:-2], n, place[-1]]) for n in range(MOST_OUTCOMES))
    ):
        return made
    return {
        **made,
        "next": {change.value if outcome == former else outcome: to for outcome, to in ways.items()},
    }


def _at(value: Any, place: Sequence[str | int]) -> Any:
    """The text at the place; None where none is there."""
    for part in place:
        value = (
            value.get(part)
            if isinstance(value, Mapping)
            else value[part]
            if isinstance(value, list) and isinstance(part, int) and part < len(value)
            else None
        )
    return value if isinstance(value, str) else None


def completed(step: Mapping[str, Any]) -> dict[str, Any]:
    """The step with what an added step gets where it says nothing: a title after its type, an empty `config` and `next`."""
    title = step.get("title") or str(step.get("type")).replace("_", " ").capitalize()
    return {"config": {}, "next": {}} | dict(step) | {"title": title}


def _added(document: dict[str, Any], change: changes.AddStep) -> dict[str, Any]:
    kind = change.step.get("type")
    if not isinstance(kind, str) or not kind:
        raise ChangeError("A step needs its type.", "step.type")
    ids = {step["id"] for step in document["steps"]}
    name = change.step.get("id") or free_id(kind, ids)
    if not isinstance(name, str) or name in ids:
        raise ChangeError(f"There is a step {name} already: choose another id.", "step.id")
    step = completed(change.step) | {"id": name}
    if not isinstance(step["config"], Mapping) or not isinstance(step["next"], Mapping):
        raise ChangeError("next and config of a step must be objects.", "step")
    steps = list(document["steps"])
    place = len(steps) if change.place is None else change.place
    if change.after is not None:
        number = index_of(document, change.after)
        before = steps[number]
        ways = before.get("next", {})
        former = ways.get(change.outcome, None if change.outcome == "error" else ways.get("default"))
        former = (
            None if before["type"] in ENDS else former
        )  # a way out of an end is a mistake that stays where it is
        if former is not None and kind not in ENDS and "default" not in step["next"]:
            step["next"] = {**step["next"], "default": former}
        if before["type"] not in ENDS:
            steps[number] = {**before, "next": {**before.get("next", {}), change.outcome: name}}
            if change.outcome == "default" and former is not None:
                steps = _ending_at(steps, before, former, name)
        place = number + 1 if change.place is None else change.place
    steps.insert(place, step)
    return {**document, "steps": steps}


def _ending_at(steps: list[Any], before: Mapping[str, Any], former: str, name: str) -> list[Any]:
    """The steps with what belongs to `before`, a step that starts others (branches, the body of a loop), ending at the step `name` that follows it now."""
    edges = {step["id"]: [to for to in step.get("next", {}).values() if to != former] for step in steps}
    inside = graph.reachable(edges, begun_by(before))
    return [
        {
            **step,
            "next": {outcome: name if to == former else to for outcome, to in step.get("next", {}).items()},
        }
        if step["id"] in inside
        else step
        for step in steps
    ]


def begun_by(step: Mapping[str, Any]) -> list[str]:
    """The steps at which what the step starts begins: its branches, the body of its loop."""
    config = step.get("config") or {}
    given = config.get("branches")
    branches = given if isinstance(given, list) else []
    starts = [config.get("body"), *(each.get("start") for each in branches if isinstance(each, Mapping))]
    return [start for start in starts if isinstance(start, str)]


def free_id(kind: str, taken: set[str]) -> str:
    """An id for a step of this type: `email`, and `email_2` where that is taken."""
    plain = re.sub(r"[^a-z0-9_]+", "_", kind.lower()).strip("_")[:56]
    base = plain if re.match(r"[a-z]", plain) else f"step_{plain}".rstrip("_")
    base = f"{base}_step" if base in RESERVED else base
    return (
        base
        if base not in taken
        else next(f"{base}_{n}" for n in range(2, len(taken) + 3) if f"{base}_{n}" not in taken)
    )


def _removed(document: dict[str, Any], change: changes.RemoveStep) -> dict[str, Any]:
    number = index_of(document, change.step)
    gone = document["steps"][number]
    onward = gone.get("next", {}).get("default")
    steps = [step for step in document["steps"] if step is not gone]
    if change.heal:
        steps = [_healed(step, change.step, onward if onward != change.step else None) for step in steps]
    made = {**document, "steps": steps}
    if change.heal and isinstance(document.get("groups"), list):
        made["groups"] = [_without(group, change.step) for group in document["groups"]]
    return made


def _healed(step: Mapping[str, Any], gone: str, onward: str | None) -> Mapping[str, Any]:
    """The step with its ways to the removed step leading on to `onward`, or removed where that is None or the step itself."""
    ways = step.get("next", {})
    if gone not in ways.values():
        return step
    further = onward if onward != step["id"] else None
    kept = {outcome: further if to == gone else to for outcome, to in ways.items()}
    return {**step, "next": {outcome: to for outcome, to in kept.items() if to is not None}}


def _without(group: Any, step: str) -> Any:
    if (
        not isinstance(group, Mapping)
        or not isinstance(group.get("steps"), list)
        or step not in group["steps"]
    ):
        return group
    return {**group, "steps": [member for member in group["steps"] if member != step]}


def _moved(document: dict[str, Any], change: changes.Move) -> dict[str, Any]:
    number = index_of(document, change.step)
    steps = list(document["steps"])
    step = steps.pop(number)
    if "at" in change.model_fields_set:
        step = {key: value for key, value in step.items() if key != "at"} | (
            {"at": change.at} if change.at is not None else {}
        )
    steps.insert(number if change.place is None else change.place, step)
    return {**document, "steps": steps}


def _trigger_added(document: dict[str, Any], change: changes.AddTrigger) -> dict[str, Any]:
    triggers = list(document.get("triggers", []))
    kind = change.trigger.get("kind")
    if not isinstance(kind, str) or not kind:
        raise ChangeError("A trigger needs its kind.", "trigger.kind")
    ids = {each["id"] for each in triggers}
    name = change.trigger.get("id") or free_id(kind, ids)
    if not isinstance(name, str) or name in ids:
        raise ChangeError(f"There is a trigger {name} already: choose another id.", "trigger.id")
    triggers.insert(len(triggers) if change.place is None else change.place, {**change.trigger, "id": name})
    return {**document, "triggers": triggers}


def _trigger_changed(
    document: dict[str, Any], change: changes.SetTrigger | changes.RemoveTrigger
) -> dict[str, Any]:
    triggers = list(document.get("triggers", []))
    number = next((place for place, each in enumerate(triggers) if each["id"] == change.trigger), None)
    if number is None:
        raise ChangeError(f"There is no trigger {change.trigger} any more.", "trigger")
    if isinstance(change, changes.RemoveTrigger):
        return {**document, "triggers": triggers[:number] + triggers[number + 1 :]}
    place = parts(change.field)
    if place[0] == "id":
        raise ChangeError("The id of a trigger never changes: remove it and add another.", "field")
    triggers[number] = _put(triggers[number], place, change.value, gone=change.leaves_out)
    return {**document, "triggers": triggers}


def _put(container: Any, place: Sequence[str | int], value: Any, *, gone: bool) -> Any:
    """A copy of the container with the value at the place; with `gone`, without it. What is missing on the way is created as an object."""
    first, rest = place[0], place[1:]
    if isinstance(container, list):
        return _put_in_list(container, first, rest, value, gone=gone)
    if not isinstance(container, Mapping | None):
        raise ChangeError(f"There is nothing named {first} in a text or number.", "field")
    key = str(first)
    made = dict(container or {})
    if not rest:
        made.pop(key, None)
        return made if gone else {**made, key: value}
    if gone and key not in made:
        return made
    inner = made.get(key)
    if inner is None and rest[0] == 0 and isinstance(rest[0], int):
        inner = []
    return {**made, key: _put(inner, rest, value, gone=gone)}


def _put_in_list(
    container: list[Any], first: str | int, rest: Sequence[str | int], value: Any, *, gone: bool
) -> list[Any]:
    if not isinstance(first, int):
        raise ChangeError(f"{first} is no number of an entry of the list.", "field")
    if (
        first > len(container)
        or first < 0
        or (gone and first == len(container))
        or len(container) >= LONGEST_LIST
    ):
        raise ChangeError(f"The list has {len(container)} entries: there is no entry {first + 1}.", "field")
    if gone and not rest:
        return [*container[:first], *container[first + 1 :]]
    held = container[first] if first < len(container) else None
    return [
        *container[:first],
        _put(held, rest, value, gone=gone) if rest else value,
        *container[first + 1 :],
    ]
