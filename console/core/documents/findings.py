"""Short findings for the list of steps: rules of the document over the values that the run knows. Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from console.core import expressions
from console.core.documents.document_parts import Part
from console.core.expressions import Expression
from console.core.expressions.nodes import Path

LONGEST = 2000
Words = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class FindingCase(Part):
    """Words that stand where a condition holds; without a condition, where no case before it held."""

    if_: str | None = Field(None, alias="if", description="Expression; unknown is not enough")
    text: Words = Field(description="The words; {{ expressions }} are filled in")


Finding = Words | Annotated[list[FindingCase], Field(min_length=1, max_length=12)]
Piece = tuple[str | None, Any]
"""A part of the words: (None, text), or (the step's field that the value is of as `step.field`, else "", the value)."""


def cases_of(rule: Any) -> list[FindingCase]:
    """The cases of a rule; of words alone one without a condition."""
    return [FindingCase.model_validate({"text": rule})] if isinstance(rule, str) else list(rule)


def texts(place: str, rule: Any) -> list[tuple[str, str, bool]]:
    """(place, text, whether it is a template) of each expression and template of a rule as it stands in a document; odd shapes are left out."""
    if isinstance(rule, str):
        return [(place, rule, True)]
    expressions_found = []
    for number, case in enumerate(rule if isinstance(rule, list) else ()):
        if isinstance(case, Mapping):
            expressions_found += (
                [(f"{place}[{number}].if", case["if"], False)] if isinstance(case.get("if"), str) else []
            )
            expressions_found += (
                [(f"{place}[{number}].text", case["text"], True)] if isinstance(case.get("text"), str) else []
            )
    return expressions_found


def names_of(rule: Any) -> set[tuple[str, ...]]:
    """All names that the rule looks at, as paths from their roots."""
    names: set[tuple[str, ...]] = set()
    for case in cases_of(rule):
        parts = [
            *([expressions.parse(case.if_)] if case.if_ is not None else []),
            *expressions.templates(case.text),
        ]
        names |= {path for part in parts for path in expressions.paths(part)}
    return names


def pieces(rule: Any, roots: Mapping[str, Any]) -> list[Piece] | None:
    """The words of the first case that holds, in pieces; None where none does, or where a value in it is not known."""
    for case in cases_of(rule):
        if case.if_ is None or expressions.parse(case.if_).test(roots):
            return _filled(case.text, roots)
    return None


def _filled(template: str, roots: Mapping[str, Any]) -> list[Piece] | None:
    pieces: list[Piece] = []
    for part in expressions.active_parts(template, roots):
        value = part if isinstance(part, str) else part.evaluate(roots)
        if value is None:
            return None
        pieces.append((None if isinstance(part, str) else field_of(part), value))
    return pieces


def field_of(expression: Expression) -> str:
    """`step.field` where the expression is nothing but a value of a step, else an empty text."""
    node = expression.node
    names: Sequence[str] = node.names if isinstance(node, Path) else ()
    return ".".join(names[1:]) if len(names) > 2 and names[0] == "steps" else ""
