"""What differs between two documents, as changes; the inverse of changes; and merging the changes of two editors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from console.core.drafting.applying import apply, completed, effective, require_shape
from console.core.drafting.changes import (
    AddStep,
    AddTrigger,
    Change,
    ChangeError,
    Move,
    RemoveStep,
    RemoveTrigger,
    Set,
    SetDocument,
    SetTrigger,
    parts,
)
from console.core.drafting.ordering import same

Path = tuple[str | int, ...]
STARTS = "triggers"


@dataclass(frozen=True, slots=True)
class Collision:
    """What both editors changed, differently. `step` None: `field` of the document, or the order of the steps. None in `mine` or `theirs`: removed."""

    step: str | None
    field: str
    mine: Any
    theirs: Any

    def to_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return asdict(self)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Changes that turn one document into the other, as small as a value each; both must have a shape (`require_shape`)."""
    made: list[Change] = []
    for name in sorted({*before, *after} - {"steps", "triggers"}):
        made += [
            SetDocument(field=list(place), **given)
            for place, given in _values((name,), before.get(name, _Absent), after.get(name, _Absent))
        ]
    old, new = _by_id(before["steps"]), _by_id(after["steps"])
    made += [RemoveStep(step=step, heal=False) for step in old if step not in new]
    for step in new:
        if step in old:
            made += _settings(old[step], new[step])
    order = [step for step in old if step in new]
    for place, step in enumerate(new):
        if step not in old:
            made.append(AddStep(step=dict(new[step]), place=place))
            made += _settings(completed(new[step]), new[step])
            order.insert(place, step)
        elif order[place] != step:
            made.append(Move(step=step, place=place))
            order.insert(place, order.pop(order.index(step)))
    return made + _triggers(before, after)


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Changes of the values of one step that turn it from the old into the new."""
    if same(old, new):
        return []
    return [
        Set(step=new["id"], field=list(place), **given)
        for name in sorted({*old, *new} - {"id"})
        for place, given in _values((name,), old.get(name, _Absent), new.get(name, _Absent))
    ]


def touched(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[tuple[str | None, str]]:
    """What differs: (step, "") for a step, (None, key) for a part of the document, (None, "order") for the order of the steps of both.

    Of the triggers (None, "triggers.<id>") for each, (None, "triggers") for their order and whether there is a list.
    """
    old, new = _by_id(before["steps"]), _by_id(after["steps"])
    found: set[tuple[str | None, str]] = {
        (step, "") for step in {*old, *new} if not same(old.get(step), new.get(step))
    }
    found |= {
        (None, name)
        for name in {*before, *after} - {"steps", STARTS}
        if not same(before.get(name), after.get(name))
    }
    found |= {(None, name) for name in _started(before, after)}
    if [step for step in old if step in new] != [step for step in new if step in old]:
        found.add((None, "order"))
    return found


def merge(
    base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Sequence[Change]
) -> tuple[dict[str, Any], list[Collision]]:
    """My changes, made on `base`, put on top of what another editor has made of it meanwhile; and where both changed the same step differently.

    With collisions the document is theirs. What changes nothing takes nothing of theirs away: a box that was filled and emptied again.
    Raises ChangeError if my changes cannot be applied to `base`, or what they make of it has no shape.
    """
    mine = effective(base, mine)
    wanted = apply(base, mine)
    require_shape(wanted)
    if not (ours := touched(base, wanted)):
        return dict(theirs), []
    if base is theirs:
        return wanted, []
    if not _started(
        base, wanted
    ):  # a trigger that was added and removed again takes away none of theirs with its id
        mine = [change for change in mine if _about(change) != (None, STARTS)]
    both = ours & touched(base, theirs)
    collisions = [
        Collision(step, name, *pair)
        for step, name in sorted(both, key=str)
        if not same(*(pair := _pair(wanted, theirs, step, name)))
    ]
    if collisions:
        return dict(theirs), collisions
    changes = [change for change in difference(base, wanted) if _about(change) not in both] if both else mine
    if _started(base, wanted) and _started(base, theirs):
        changes = [
            *(each for each in difference(base, wanted) if _about(each) not in {*both, (None, STARTS)}),
            _both_started(base, theirs, wanted),
        ]
    try:
        return apply(theirs, changes), []
    except ChangeError as error:  # mine leads to a step, or stands behind one, that they removed
        step = _about(changes[error.number])[0]
        return dict(theirs), [
            Collision(step, "", *(_pair(wanted, theirs, step, "") if step else (wanted, dict(theirs))))
        ]


def _about(change: Change) -> tuple[str | None, str]:
    """What the change touches, as `touched` names it."""
    match change:
        case AddStep():
            return str(change.step.get("id") or change.after), ""
        case Move(at=None):
            return None, "order"
        case SetDocument():
            return None, str(parts(change.field)[0]) if change.field is not None else ""
        case AddTrigger() | SetTrigger() | RemoveTrigger():
            return None, STARTS
    return change.step, ""


def _started(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """What differs of the triggers, as `touched` names it."""
    if same(before.get(STARTS), after.get(STARTS)) and (STARTS in before) == (STARTS in after):
        return set()
    old, new = _by_id(before.get(STARTS) or []), _by_id(after.get(STARTS) or [])
    found = {f"{STARTS}.{each}" for each in {*old, *new} if not same(old.get(each), new.get(each))}
    moved = [each for each in old if each in new] != [each for each in new if each in old]
    return found | {STARTS} if moved or not found else found


def _both_started(
    base: Mapping[str, Any], theirs: Mapping[str, Any], wanted: Mapping[str, Any]
) -> SetDocument:
    """The triggers as both want them, in the order of theirs unless only mine is another."""
    first, second = (wanted, theirs) if STARTS in _started(base, wanted) else (theirs, wanted)
    kept, other = _by_id(first.get(STARTS) or []), _by_id(second.get(STARTS) or [])
    for name in sorted(_started(base, second) - {STARTS}):
        each = name.removeprefix(f"{STARTS}.")
        if each in other:
            kept[each] = other[each]
        else:
            kept.pop(each, None)
    return SetDocument(field=STARTS, value=[dict(each) for each in kept.values()])


def _pair(
    wanted: Mapping[str, Any], theirs: Mapping[str, Any], step: str | None, name: str
) -> tuple[Any, Any]:
    if step is not None:
        return _by_id(wanted["steps"]).get(step), _by_id(theirs["steps"]).get(step)
    if name == "order":
        return [each["id"] for each in wanted["steps"]], [each["id"] for each in theirs["steps"]]
    if name.startswith(f"{STARTS}."):
        each = name.removeprefix(f"{STARTS}.")
        return _by_id(wanted.get(STARTS) or []).get(each), _by_id(theirs.get(STARTS) or []).get(each)
    return wanted.get(name), theirs.get(name)


class _Absent:
    """No such key."""


def _values(place: Path, old: Any, new: Any) -> list[tuple[Path, dict[str, Any]]]:
    """The places at which the values differ, with `value` as the argument of a change; without it where the key is gone."""
    if new is _Absent:
        return [] if old is _Absent else [(place, {})]
    if old is _Absent:
        return [(place, {"value": new})]
    if same(old, new):
        return []
    if (
        isinstance(old, Mapping)
        and isinstance(new, Mapping)
        and old
        and new
        and (len(place) > 1 or place[0] != "next")
    ):
        names = sorted({*old, *new})
        if "" not in names:
            return [
                found
                for name in names
                for found in _values((*place, name), old.get(name, _Absent), new.get(name, _Absent))
            ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and old:
        return [
            found
            for number, pair in enumerate(zip(old, new, strict=True))
            for found in _values((*place, number), *pair)
        ]
    return [(place, {"value": new})]


def _triggers(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The differences of the triggers, each of which has an id; where their order changed, or a list appeared or went, the whole list."""
    if same(before.get("triggers"), after.get("triggers")) and ("triggers" in before) == (
        "triggers" in after
    ):
        return []
    old, new = _by_id(before.get("triggers") or []), _by_id(after.get("triggers") or [])
    if not old or not new or [each for each in old if each in new] != [each for each in new if each in old]:
        return [
            SetDocument(field="triggers", value=after["triggers"])
            if "triggers" in after
            else SetDocument(field="triggers")
        ]
    made: list[Change] = [RemoveTrigger(trigger=each) for each in old if each not in new]
    for each in old:
        if each in new:
            for name in sorted({*old[each], *new[each]} - {"id"}):
                made += [
                    SetTrigger(trigger=each, field=list(place), **given)
                    for place, given in _values(
                        (name,), old[each].get(name, _Absent), new[each].get(name, _Absent)
                    )
                ]
    return made + [
        AddTrigger(trigger=dict(new[each]), place=place) for place, each in enumerate(new) if each not in old
    ]


def _by_id(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {entry["id"]: entry for entry in entries}
