"""Which fields of a decision belong to which of its options, and what their boxes say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.views.runs.form_boxes import Box


@dataclass(frozen=True, slots=True)
class Belonging:
    """The options of a decision for which a field is shown (empty: all) and for which it is required; as values and in words."""

    options: Sequence[str] = ()
    needed: Sequence[str] = ()
    words: str = ""


def belonging(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Belonging]:
    """Return field name → its options, for fields that do not apply to all options alike."""
    labels = {option["value"]: option["label"] for option in outcomes}
    shown_for = {
        name: [option["value"] for option in outcomes if name in option.get("fields", ())]
        for option in outcomes
        for name in option.get("fields", ())
    }
    needed = {
        name: [option["value"] for option in outcomes if name in option.get("required", ())]
        for option in outcomes
        for name in option.get("required", ())
    }
    made = {}
    for name in {**shown_for, **needed}:
        shown, needs = shown_for.get(name, []), needed.get(name, [])
        words = f"Needed for {_quoted(labels, needs)}." if needs else ""
        if rest := [value for value in shown if value not in needs]:
            words = f"{words} {'Also for' if needs else 'Only for'} {_quoted(labels, rest)}.".strip()
        made[name] = Belonging(shown, needs, words)
    return made


def with_options(boxes: Sequence[Box], belongs: Mapping[str, Belonging]) -> list[Box]:
    """Return the boxes, each with its options in words (`whose`), so that it is clear without script and before a choice is made.

    `only`: no option needs it, so that once one is chosen the words say nothing that is not seen.
    """
    known = ((box, belongs.get(box.source)) for box in boxes)
    return [replace(box, whose=part.words, only=not part.needed) if part else box for box, part in known]


def _quoted(labels: Mapping[str, str], values: Sequence[str]) -> str:
    quoted = [f"“{labels[value]}”" for value in values]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
