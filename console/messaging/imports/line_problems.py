"""All that is wrong with a line of a file of contacts, so that whoever mends it mends it once."""

import re
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console import records
from console.messaging.imports import cells

if TYPE_CHECKING:
    from console.messaging.imports.imports import Line, Plan

MOST = 6
"""Problems of one line that are told; of more, how many there are besides."""


def errors_if_new(plan: "Plan", values: Mapping[str, Any]) -> list[str]:
    """Why a contact of these values cannot be added, as it would be said by the form for one."""
    return [
        *(f"{field.label} is needed." for field in plan.needed if values.get(field.name) in (None, "")),
        *cells.wrong_zone(plan.collection, values),
    ]


def merge_errors(plan: "Plan", lines: Sequence["Line"]) -> list["Line"]:
    """The lines; those that are left out though they would be a new contact have with their reasons all others for which that could not be added."""
    at = [number for number, line in enumerate(lines) if line.outcome == "refused" and line.addable]
    ended = list(lines)
    further = records.refusals_of_new(plan.collection, [lines[number].values for number in at], plan.create)
    for number, reasons in zip(at, further, strict=True):
        ended[number] = replace(lines[number], reasons=join_errors(plan, lines[number].reasons, reasons))
    return ended


def validate_lines(
    plan: "Plan", lines: Sequence["Line"], nowhere: Mapping[str, AbstractSet[str]]
) -> list["Line"]:
    """The lines, refused for what would refuse them when they are added or changed; `nowhere` is field → values that lead to no record."""
    new = [line for line in lines if line.outcome == "new" and not line.done]
    refusals = records.refusals_of_new(plan.collection, [line.values for line in new], plan.create)
    wrong = dict(zip([line.number for line in new], refusals, strict=True))
    ended = []
    for line in lines:
        reasons = list(wrong.get(line.number, []))
        if (line.outcome in ("new", "changed") and not line.done) or line.addable:
            reasons += [
                cells.led_nowhere(plan.collection.by_name[name], line.values[name])
                for name in nowhere
                if str(line.values.get(name)) in nowhere[name]
            ]
        ended.append(
            replace(line, outcome="refused", reasons=join_errors(plan, line.reasons, reasons))
            if reasons
            else line
        )
    return ended


def join_errors(plan: "Plan", first: Sequence[str], further: Sequence[str]) -> tuple[str, ...]:
    """The first reasons, and of the further ones those about other fields: what is wrong with a value is told once."""
    told = {label for reason in first for label in _labels_in(plan, reason)}
    new = [reason for reason in further if told.isdisjoint(_labels_in(plan, reason))]
    return tuple(dict.fromkeys((*first, *new)))


def _labels_in(plan: "Plan", reason: str) -> set[str]:
    """The labels of the fields that a reason is about. It begins with them, or with one of a few words of ours."""
    begun = reason.removeprefix("A spreadsheet has shortened ")
    named = {
        field.label for field in plan.collection.fields if re.match(rf"{re.escape(field.label)}(?!\w)", begun)
    }
    parts = {
        part
        for part, words in (("country", "There is no country "), ("zone", "There is no time zone "))
        if reason.startswith(words)
    }
    by_name = plan.collection.by_name
    return named | {
        by_name[name].label for part in parts if (name := plan.part(part)) is not None and name in by_name
    }


def bounded(reasons: Sequence[str]) -> tuple[str, ...]:
    """As many reasons as are told of one line, and how many there are besides."""
    left = len(reasons) - MOST
    return tuple(reasons) if left <= 1 else (*reasons[:MOST], f"There are {left} more problems.")
