"""What a person takes of a proposal: its parts, one for each step, trigger and setting of the document, and the draft with the chosen ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from console.core import drafting
from console.core.drafting import Difference
from console.core.plain_words import humanised

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a proposal. `key` names it in the form: `step:<id>`, `trigger:<id>` or `document:<name>`; `lines` are what changes in it, in words."""

    key: str
    kind: Kind
    title: str
    step: str | None
    lines: Sequence[Difference] = ()


def parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Part]:
    """The parts, in the order of the document; moves of the canvas and the outline are none."""
    by_step: dict[str, list[Difference]] = {}
    for each in drafting.differences(before, after):
        if each.kind != "moved":
            by_step.setdefault(each.step or "", []).append(each)
    old, new = _by_id(before["steps"]), _by_id(after["steps"])
    found = []
    for step in [*new, *(each for each in old if each not in new)]:
        if step not in old or step not in new or by_step.get(step):
            kind: Kind = "added" if step not in old else "removed" if step not in new else "changed"
            found.append(
                Part(
                    f"step:{step}",
                    kind,
                    _title(new.get(step) or old[step]),
                    step,
                    [each for each in by_step.get(step, ()) if each.where],
                )
            )
    return [*_of_document(before, after, by_step.get("", [])), *found]


def _of_document(
    before: Mapping[str, Any], after: Mapping[str, Any], differences: Sequence[Difference]
) -> list[Part]:
    found = []
    for name in sorted({*before, *after} - {"steps", "triggers"}):
        if before.get(name) != after.get(name):
            word = humanised(name)
            lines = [each for each in differences if each.where.lower().startswith(word.lower())]
            found.append(Part(f"document:{name}", "changed", f"{word} of the workflow", None, lines))
    old, new = (_by_id(each.get("triggers") or []) for each in (before, after))
    for name in [*new, *(each for each in old if each not in new)]:
        if old.get(name) != new.get(name):
            kind: Kind = "added" if name not in old else "removed" if name not in new else "changed"
            title = drafting.trigger_name(old.get(name) or new[name])
            found.append(
                Part(
                    f"trigger:{name}",
                    kind,
                    title,
                    None,
                    [each for each in differences if each.what == title and each.where],
                )
            )
    return found


def apply_parts(
    before: Mapping[str, Any], after: Mapping[str, Any], chosen: Collection[str]
) -> dict[str, Any]:
    """The document with only the chosen parts. A way to a step that was not chosen leads to where that step would have led, or is left out."""
    made = {name: value for name, value in before.items() if f"document:{name}" not in chosen}
    made |= {name: value for name, value in after.items() if f"document:{name}" in chosen}
    old, new = _by_id(before["steps"]), _by_id(after["steps"])
    kept = {
        step: entry if f"step:{step}" in chosen else old[step]
        for step, entry in new.items()
        if f"step:{step}" in chosen or step in old
    }
    staying = [step for step in old if step not in new and f"step:{step}" not in chosen]
    order = list(kept)
    for step in staying:  # behind the step that it stood behind
        place = list(old).index(step)
        former = next((each for each in reversed(list(old)[:place]) if each in order), None)
        order.insert(order.index(former) + 1 if former is not None else 0, step)
    kept |= {step: old[step] for step in staying}
    made["steps"] = [_joined(kept[step], kept, {**old, **new}) for step in order]
    triggers = _triggers(before.get("triggers") or [], after.get("triggers") or [], chosen)
    if triggers or "triggers" in before:
        made["triggers"] = triggers
    return drafting.ordered(made)


def _joined(
    step: Mapping[str, Any], kept: Collection[str], every: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The step with ways only to steps that are kept."""
    ways = {}
    for outcome, to in (step.get("next") or {}).items():
        seen: set[str] = set()
        while to is not None and to not in kept and to not in seen:
            seen.add(to)
            to = (every.get(to, {}).get("next") or {}).get("default")  # noqa: PLW2901 (followed on)
        if to in kept and to != step["id"]:
            ways[outcome] = to
    return {**step, "next": ways}


def _triggers(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], chosen: Collection[str]
) -> list[Mapping[str, Any]]:
    old, new = _by_id(before), _by_id(after)
    found = [
        new[name] if f"trigger:{name}" in chosen else old[name]
        for name in new
        if f"trigger:{name}" in chosen or name in old
    ]
    return [
        *found,
        *(entry for name, entry in old.items() if name not in new and f"trigger:{name}" not in chosen),
    ]


def _by_id(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(entry.get("id")): entry for entry in entries}


def _title(step: Mapping[str, Any]) -> str:
    return str(step.get("title") or step["id"])
