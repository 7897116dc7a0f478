"""Changes in words: what publishing a draft, or restoring a version, would change."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from console.core import schedule
from console.core.documents.triggers import Trigger
from console.core.drafting.changes import AddStep, Change, Move, RemoveStep, Set, SetDocument, parts
from console.core.drafting.comparing import difference
from console.core.drafting.ordering import same
from console.core.drafting.renaming import renamed

LONGEST = 300
MOST_ALIKE = 5
"""So many new steps are compared with one that is gone."""
NAMED = {
    "next": "Leads to",
    "config": "",
    "if": "when",
    "ai": "Proposals",
    "instruction": "What the model is told",
}
TRIGGERS = {
    "schedule": "at the times of a schedule",
    "event": "when something happens",
    "webhook": "when another program calls",
    "manual": "by hand",
    "record": "from a record",
    "api": "by a program",
    "mcp": "by an assistant",
}


class Difference(NamedTuple):
    """One change: `what` it is about (a step by its title), `where` in it, the former and the new value in words."""

    kind: Literal["added", "changed", "removed", "moved"]
    what: str
    where: str = ""
    old: str = ""
    new: str = ""
    step: str | None = None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What turns one document into the other, in words, in the order of the document. A step that only has another id is one change."""
    ids = _other_ids(before, after)
    for old, new in ids.items():
        before = renamed(before, old, new)
    titles = {
        step["id"]: str(step.get("title") or step["id"])
        for document in (before, after)
        for step in document["steps"]
    }
    found = [
        _spoken(change, before, titles)
        for change in difference(_without_triggers(before), _without_triggers(after))
    ]
    found += _triggers(before.get("triggers") or (), after.get("triggers") or ())
    found += [Difference("changed", titles[new], "ID in rules", old, new, new) for old, new in ids.items()]
    order = {step["id"]: number for number, step in enumerate(after["steps"])}
    return sorted(
        (each for each in found if each is not None), key=lambda each: order.get(each.step or "", -1)
    )


def _other_ids(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Former id → new id of each step that is set as it was, and is called otherwise by rules."""
    old, new = ({step["id"]: step for step in document["steps"]} for document in (before, after))
    pairs: dict[str, str] = {}
    for step in [each for each in old if each not in new]:
        alike = [
            each
            for each in new
            if each not in old
            and each not in pairs.values()
            and new[each].get("type") == old[step].get("type")
        ]
        for other in alike[:MOST_ALIKE]:
            moved = next(each for each in renamed(before, step, other)["steps"] if each["id"] == other)
            if moved.get("config") and same(moved["config"], new[other].get("config")):
                pairs[step] = other
                break
    return pairs


def _spoken(change: Change, before: Mapping[str, Any], titles: Mapping[str, str]) -> Difference | None:
    match change:
        case AddStep():
            return Difference("added", titles[change.step["id"]], step=change.step["id"])
        case RemoveStep():
            return Difference("removed", titles[change.step], step=change.step)
        case Move(at=None):
            return Difference("moved", titles[change.step], "Order in the outline", step=change.step)
        case Set():
            step: Mapping[str, Any] = next(
                (each for each in before["steps"] if each["id"] == change.step), {}
            )
            place = parts(change.field)
            if place[0] == "at":
                return None
            words = titles if place[0] == "next" else {}
            return Difference(
                "changed", titles[change.step], *_placed(step, change, place, words), step=change.step
            )
        case SetDocument(field=field) if field is not None:
            place = parts(field)
            return Difference(
                "changed",
                "The workflow",
                *_placed(before, change, place, titles if place[0] == "groups" else {}),
            )
    return None


def _placed(
    held: Any, change: Set | SetDocument, place: Sequence[str | int], words: Mapping[str, str]
) -> tuple[str, str, str]:
    """Where it is, the parts of lists by their names, and both values."""
    named: list[str | int] = []
    for part in place:
        held = (
            held.get(str(part))
            if isinstance(held, Mapping)
            else held[part]
            if isinstance(held, list) and isinstance(part, int)
            else None
        )
        named.append((isinstance(part, int) and isinstance(held, Mapping) and _name(held)) or part)
    return _where(named), *_spoken_pair(held, None if change.leaves_out else change.value, words)


def _spoken_pair(before: Any, after: Any, words: Mapping[str, str]) -> tuple[str, str]:
    """Both values in words, of two objects what differs; where they are told alike, that it is changed in its details."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        before, after = (
            {name: one[name] for name in one if one[name] != other.get(name)}
            for one, other in ((before, after), (after, before))
        )
    old, new = _value(before, words), _value(after, words)
    return ("", "in its details") if old == new and old else (old, new)


def _without_triggers(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "triggers"}


def _triggers(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[Difference | None]:
    """The differences of the triggers, each by its name; their order says nothing."""
    old, new = ({str(each.get("id")): each for each in triggers} for triggers in (before, after))
    gone: list[Difference | None] = [
        Difference("removed", trigger_name(old[each])) for each in old if each not in new
    ]
    changed: list[Difference | None] = [
        Difference(
            "changed",
            trigger_name(old[each]),
            _where((name,)),
            *_spoken_pair(old[each].get(name), new[each].get(name), {}),
        )
        for each in old
        if each in new
        for name in sorted({*old[each], *new[each]})
        if not same(old[each].get(name), new[each].get(name))
    ]
    return [
        *gone,
        *changed,
        *(Difference("added", trigger_name(new[each])) for each in new if each not in old),
    ]


def _where(place: Sequence[str | int]) -> str:
    named = [
        f"{part + 1}" if isinstance(part, int) else NAMED.get(part, part.replace("_", " ")) for part in place
    ]
    text = ", ".join(part for part in named if part and part != "default")
    return text[:1].upper() + text[1:]


def _value(value: Any, words: Mapping[str, str]) -> str:
    """The value in words: an object by its name, else by what it holds."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            text = words.get(value, value)
        case dict():
            text = _name(value) or ", ".join(
                _entry(name, _value(each, words)) for name, each in value.items()
            )
        case list():
            text = ", ".join(_value(each, words) for each in value)
        case _:
            text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _entry(name: str, value: str) -> str:
    return value if name == "default" else f"{(NAMED.get(name) or name).replace('_', ' ')}: {value}"


def _name(given: Mapping[str, Any]) -> str:
    """What an object in a document is called; empty where it has no name."""
    return next(
        (found for key in ("label", "title", "name") if isinstance(found := given.get(key), str) and found),
        "",
    )


def trigger_name(trigger: Mapping[str, Any]) -> str:
    """What a trigger is called, else when it fires; its id tells nobody anything."""
    try:
        cron = Trigger.model_validate(dict(trigger)).fields
    except ValidationError:
        cron = trigger.get("cron")
    fires = schedule.spoken(cron) if isinstance(cron, str) and schedule.wrong_cron(cron) is None else None
    return f"Trigger “{_name(trigger) or fires or TRIGGERS.get(str(trigger.get('kind')), str(trigger.get('kind', '')))}”"
