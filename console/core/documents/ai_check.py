"""Errors in the AI settings of a document: unknown fields, and steps without anything to propose or without a person to see it."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from console.core.documents.references import suggestion
from console.core.documents.workflow import StepAI
from console.core.documents.workflow_sketch import Problem, Sketch

OUTCOME = "outcome"
UNSEEN = "The step completes without a click, so nobody would see what is proposed: leave completion out, or remove ai."

NOT_ASKED = (
    "The AI decides only where it is asked for the choice: give the step ai, with the choice and not off."
)
NOTHING_LEFT = "The run goes on with the answer: in shadow there would be none to go on with."


def problems(sketches: Sequence[Sketch]) -> list[Problem]:
    """All errors in `ai` of steps."""
    found = []
    for sketch in sketches:
        written = _settings(sketch)
        found += [*_ai_errors(sketch, written)] if written is not None else []
        asked = written is not None and written.mode != "off" and written.outcome
        if getattr(sketch.config, "maker", None) == "ai" and not asked:
            found.append(Problem(sketch.id, "config.maker", NOT_ASKED))
    return found


def _settings(sketch: Sketch) -> StepAI | None:
    """The AI settings of the step if they are valid; errors in others are reported by the document's model."""
    given = sketch.raw.get("ai")
    try:
        return StepAI.model_validate(given) if isinstance(given, dict) else None
    except ValidationError:
        return None


def _ai_errors(sketch: Sketch, written: StepAI) -> Iterator[Problem]:
    kind = sketch.kind
    if kind is None:
        return
    if not kind.ai:
        yield Problem(
            sketch.id, "ai", f"There is nothing to propose at a step of type {sketch.type}: remove ai."
        )
        return
    if sketch.config is None:
        return
    if sketch.completion == "automatic" and written.mode != "off" and not kind.ai_alone:
        yield Problem(sketch.id, "ai", UNSEEN)
    if sketch.completion == "automatic" and written.mode == "shadow" and sketch.type == "llm":
        yield Problem(sketch.id, "ai.mode", NOTHING_LEFT)
    if written.fields == [] and not (
        written.outcome and (kind.purpose == "decide" or kind.choices(sketch.config))
    ):
        yield Problem(sketch.id, "ai.fields", "Nothing is left to propose here: name fields, or remove ai.")
    fields_known = kind.ai_fields(sketch.config)
    if fields_known is None:
        if kind.choices(sketch.config):
            yield from _no_choices(sketch, written, kind.choices(sketch.config))
        return
    for name, given in (
        ("fields", written.fields or []),
        ("trusted_only", written.trusted_only),
        ("quotes", written.quotes),
    ):
        for place, field in enumerate(given):
            if field not in fields_known:
                yield Problem(sketch.id, f"ai.{name}[{place}]", _no_such(field, fields_known))
    for place, field in enumerate(written.trusted_only if written.fields is not None else ()):
        if field not in (written.fields or ()):
            reason = f"{field} is not among the fields that are proposed."
            yield Problem(sketch.id, f"ai.trusted_only[{place}]", reason, "warning")
    yield from _unsupported(sketch, written, fields_known)


def conditions(sketch: Sketch) -> Iterator[tuple[str, str]]:
    """(place, expression) of everything that makes a choice certain."""
    written = _settings(sketch)
    for name, supporting in written.supports.items() if written is not None else ():
        for option, condition in ({"": supporting} if isinstance(supporting, str) else supporting).items():
            yield f"ai.supports.{name}" + (f".{option}" if option else ""), condition


def _unsupported(sketch: Sketch, written: StepAI, fields_known: Sequence[str]) -> Iterator[Problem]:
    """Conditions of certainty on something that is not a field or choice of the step."""
    ways = sorted(name for name in (sketch.outcomes or ()) if name != "default")
    yield from _no_choices(sketch, written, ways)
    for name in written.supports:
        if name not in fields_known and not (name == OUTCOME and ways):
            yield Problem(
                sketch.id,
                f"ai.supports.{name}",
                _no_such(name, [*fields_known, *([OUTCOME] if ways else [])]),
            )


def _no_choices(sketch: Sketch, written: StepAI, ways: Sequence[str]) -> Iterator[Problem]:
    """Conditions of certainty for a choice that the step does not offer."""
    condition = written.supports.get(OUTCOME)
    for option in condition if isinstance(condition, dict) else ():
        if option not in ways:
            message = f"There is no choice {option}{suggestion(option, ways)}"
            yield Problem(sketch.id, f"ai.supports.{OUTCOME}.{option}", message)


def _no_such(field: str, fields_known: Sequence[str]) -> str:
    if not fields_known:
        return (
            f"There is no field {field} that could be proposed: the step has no field that a person fills in."
        )
    return f"There is no field {field} that could be proposed{suggestion(field, fields_known)}"
