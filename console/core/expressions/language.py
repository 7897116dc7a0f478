"""Parsed expressions and templates with `{{ … }}`.

`parse(text)` gives an `Expression`; `Expression.test(roots)` is true only if the expression is certainly true. `console.records.sql_conditions`
turns the same tree into SQL. The cost is linear: no loops, at most 2 000 characters and 30 levels.
Source: design of scopes, "one expression language"; the operators are those of CEL.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from lark.exceptions import UnexpectedInput, VisitError

from console.core.expressions.evaluation import Evaluate, Roots, compiled
from console.core.expressions.nodes import Node, Path, walk
from console.core.expressions.operands import to_json
from console.core.expressions.parser import ExpressionError, UnknownName, expression_parser, require_lookups, syntax_error

MOST_CHARACTERS = 2_000
MOST_TEMPLATE = 20_000
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Expression:
    """A parsed expression. Equal texts are equal expressions."""

    text: str
    node: Node

    @cached_property
    def _run(self) -> Evaluate:
        return compiled(self.node)

    def value(self, roots: Roots) -> Any:
        """The typed value, or `UNKNOWN`. `roots`: record, input, steps, variables, tables, item, run, lead, document, currentUser, now (aware)."""
        return self._run(roots)

    def evaluate(self, roots: Roots) -> Any:
        """The value as JSON: decimals as strings, days and moments in ISO form; null where it is unknown."""
        return to_json(self._run(roots))

    def test(self, roots: Roots) -> bool:
        """Whether it is certainly true. Unknown and other values than true or false are not."""
        return self._run(roots) is True

    def denies(self, roots: Roots) -> bool:
        """Whether it is certainly false. Unknown is not."""
        return self._run(roots) is False


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The parsed expression. Raises ExpressionError with reason and position."""
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"An expression has at most {MOST_CHARACTERS} characters; this one has {len(text)}.", MOST_CHARACTERS)
    if not text.strip():
        raise ExpressionError("The expression is empty.", 0)
    try:
        made = Expression(text, expression_parser().parse(text))  # type: ignore[arg-type]
    except UnexpectedInput as error:
        raise syntax_error(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None
    require_lookups(made.node)
    return made


def names(expression: Expression) -> set[str]:
    """Dotted paths that the expression uses, as written: `record.email`, `$currentUser.id`, `now`."""
    return {node.dotted for node in walk(expression.node) if isinstance(node, Path)}


def paths(expression: Expression) -> set[tuple[str, ...]]:
    """The same paths as tuples of names, up to the first list index; a name may contain a dot."""
    return {node.names for node in walk(expression.node) if isinstance(node, Path)}


def templates(template: str) -> list[Expression]:
    """The expressions between `{{` and `}}`, in order. Raises ExpressionError with the position in the template."""
    if len(template) > MOST_TEMPLATE:
        raise ExpressionError(f"A template has at most {MOST_TEMPLATE} characters.", MOST_TEMPLATE)
    found = []
    end = 0
    for match in TEMPLATE.finditer(template):
        text = match[1].strip()
        try:
            found.append(parse(text))
        except ExpressionError as error:
            place = match.start(1) + match[1].index(text) + error.position
            raise (UnknownName(error.name, place) if isinstance(error, UnknownName) else ExpressionError(error.reason, place)) from None
        end = match.end()
    if "{{" in template[end:]:
        raise ExpressionError("This '{{' is never closed by '}}'.", template.index("{{", end))
    return found


def render(template: str, roots: Roots) -> str:
    """The template with each `{{ expression }}` replaced by its value as text; null and unknown become empty."""
    return "".join(part if isinstance(part, str) else shown(part.value(roots)) for part in _parts(template))


def lacks(template: str, roots: Roots) -> bool:
    """Whether one of the expressions in the template gives nothing, so that the sentence has a gap."""
    return any(not isinstance(part, str) and not shown(part.value(roots)) for part in _parts(template))


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str | Expression, ...]:
    """Texts and expressions of the template, alternating."""
    found = templates(template)
    parts: list[str | Expression] = []
    for number, text in enumerate(TEMPLATE.split(template)[::2]):
        parts += [text, *found[number : number + 1]]
    return tuple(parts)


def shown(value: Any) -> str:
    """A value as text: list items separated by commas, objects as empty text."""
    if isinstance(value, str):
        return value
    plain = to_json(value)
    match plain:
        case None | dict():
            return ""
        case bool():
            return "true" if plain else "false"
        case list():
            return ", ".join(text for text in (shown(item) for item in plain) if text)
    return str(plain)
