"""What is wrong with what a document lets the AI propose: fields that are not there, steps at which there is nothing to propose or nobody to see it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from console.core.references import meant
from console.core.sketches import Problem, Sketch
from console.core.workflow import StepAI

UNSEEN = "The step completes without a click, so nobody would see what is proposed: leave completion out, or remove ai."

NOTHING_LEFT = "The run goes on with the answer: in shadow there would be none to go on with."


def problems(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with `ai` of steps."""
    return [problem for sketch, written in _asked(sketches, raw) for problem in _wrong(sketch, written)]


def _asked(sketches: Sequence[Sketch], raw: Mapping[str, Any]) -> Iterator[tuple[Sketch, StepAI]]:
    """The steps that have sound settings for it; others are told by the document's model."""
    written = raw.get("steps")
    steps = written if isinstance(written, list) else []
    for sketch in sketches:
        given = steps[sketch.place].get("ai") if sketch.place < len(steps) and isinstance(steps[sketch.place], dict) else None
        if not isinstance(given, dict):
            continue
        try:
            yield sketch, StepAI.model_validate(given)
        except ValidationError:
            continue


def _wrong(sketch: Sketch, written: StepAI) -> Iterator[Problem]:
    kind = sketch.kind
    if kind is None:
        return
    if not kind.ai:
        yield Problem(sketch.id, "ai", f"There is nothing to propose at a step of type {sketch.type}: remove ai.")
        return
    if sketch.config is None:
        return
    if sketch.completion == "automatic" and written.mode != "off" and not kind.ai_alone:
        yield Problem(sketch.id, "ai", UNSEEN)
    if sketch.completion == "automatic" and written.mode == "shadow" and sketch.type == "llm":
        yield Problem(sketch.id, "ai.mode", NOTHING_LEFT)
    if written.fields == [] and not (written.outcome and kind.purpose == "decide"):
        yield Problem(sketch.id, "ai.fields", "Nothing is left to propose here: name fields, or remove ai.")
    known = kind.ai_fields(sketch.config)
    if known is None:
        return
    for name, given in (("fields", written.fields or []), ("trusted_only", written.trusted_only)):
        for place, field in enumerate(given):
            if field not in known:
                yield Problem(sketch.id, f"ai.{name}[{place}]", _no_such(field, known))
    yield from _left_out(sketch, written)


def _left_out(sketch: Sketch, written: StepAI) -> Iterator[Problem]:
    """Fields that would have to be trusted and are not proposed at all."""
    if written.fields is None:
        return
    for place, field in enumerate(written.trusted_only):
        if field not in written.fields:
            yield Problem(sketch.id, f"ai.trusted_only[{place}]", f"{field} is not among the fields that are proposed.", "warning")


def _no_such(field: str, known: Sequence[str]) -> str:
    if not known:
        return f"There is no field {field} that could be proposed: the step has no field that a person fills in."
    return f"There is no field {field} that could be proposed{meant(field, known)}"
