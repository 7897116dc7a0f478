"""The steps that stand below the present one on its screen, as parts of one form: each field is called by its step and its name there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from console import runs
from console.runs.store import typed_drafts
from console.views import frame
from console.views.formats import Look
from console.views.runs import consequences
from console.views.runs.notices import Typed

STEPS, READ = "parts", "read."
"""The form's hidden inputs: the steps of its parts, and what was read in each."""


@dataclass(frozen=True, slots=True)
class Part:
    """A step below the present one, or an item of its list: its screen with the names that its fields have in the form, and the digest of what is read in it."""

    step: str
    screen: Mapping[str, Any]
    digest: str
    chosen: str | None

    @property
    def id(self) -> str:
        """Return the id of its section on the page."""
        return frame.dom_id("part", self.step)

    def wrong(self, details: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what is wrong in this part, by the names that its fields have in the form."""
        return [_named(self.step, detail) for detail in details if detail.get("step") == self.step]


def parts(run_id: str, values: Mapping[str, Any], outcome: str | None) -> list[Part]:
    """Return the steps below the present one with these values of the form; `outcome` is what is chosen at the last."""
    drawn = runs.later_screens(frame.actor(), run_id, values, outcome)
    return [
        Part(
            str(screen.get("part", screen["step"])),
            _with_names(screen),
            runs.read_digest(screen),
            outcome if screen["outcomes"] else None,
        )
        for screen in drawn
    ]


def combined_consequences(
    first: Sequence[consequences.Consequence], below: Sequence[Part], look: Look
) -> list[consequences.Consequence]:
    """Return what the button of the screen does."""
    further = [consequences.consequences(part.screen, look, part.chosen) for part in below]
    return [*first, *(one for made in further for one in made)]


def submissions(typed: Typed, first: runs.Submission) -> tuple[runs.Submission, list[runs.Submission]]:
    """Return what is submitted at the present step, and at each step below it. A choice belongs to the last of them."""
    names = request.form.getlist(STEPS)
    if not names:
        return first, []
    own = {name: value for name, value in typed.values.items() if typed_drafts.MARK not in name}
    later = [
        runs.Submission(
            step=step,
            part=name,
            revision=None,
            values=typed_drafts.own_values(typed.values, name) | ({"item": item} if item is not None else {}),
            outcome=typed.outcome if name == names[-1] else None,
            repeat=first.repeat,
            reason=first.reason if first.repeat else "",
            read=request.form.get(READ + name),
        )
        for name in names
        for step, item in [typed_drafts.of_part(name)]
    ]
    return runs.Submission(
        step=first.step,
        revision=first.revision,
        values=own,
        handled_manually=first.handled_manually,
        reason=first.reason,
        repeat=first.repeat,
    ), later


def changed(below: Sequence[Part]) -> list[Part]:
    """Return the parts that say something else than what the form says that was read."""
    return [part for part in below if request.form.get(READ + part.step) != part.digest]


def _with_names(screen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the screen with the names that its fields have in the form."""
    step, fields = screen.get("part", screen["step"]), screen.get("fields", ())
    names = {field["name"]: f"{step}{typed_drafts.MARK}{field['name']}" for field in fields}
    renamed = [
        {
            **field,
            "name": names[field["name"]],
            **{key: names.get(field[key], field[key]) for key in ("explains", "currency") if field.get(key)},
        }
        for field in fields
    ]
    outcomes = [
        {
            **outcome,
            **{
                key: [names.get(name, name) for name in outcome[key]]
                for key in ("fields", "required")
                if key in outcome
            },
        }
        for outcome in screen.get("outcomes", ())
    ]
    wrong = [_named(step, {**detail, "step": step}) for detail in screen.get("wrong", ())]
    return {**screen, "fields": renamed, "outcomes": outcomes, "wrong": wrong}


def _named(step: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is wrong in a part, by the names that its fields have in the form; a choice has none of its own."""
    field = detail.get("field")
    named = field if not field or field == "outcome" else f"{step}{typed_drafts.MARK}{field}"
    ways = [{**way, "set": typed_drafts.named_values(step, way["set"])} for way in detail.get("ways", ())]
    return {**detail, "field": named, **({"ways": ways} if ways else {})}
