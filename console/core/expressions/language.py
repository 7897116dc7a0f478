"""Parsed expressions.

`parse(text)` gives an `Expression`; `Expression.test(roots)` is true only if the expression is certainly true. `console.records.sql_conditions`
turns the same tree into SQL. The cost is linear: no loops, at most 2 000 characters and 30 levels.
Source: design of scopes, "one expression language"; the operators are those of CEL.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from lark.exceptions import UnexpectedInput, VisitError

from console.core.expressions.evaluation import Evaluate, Roots, compiled
from console.core.expressions.nodes import Node, Path, walk
from console.core.expressions.operands import to_json
from console.core.expressions.parser import ExpressionError, expression_parser, require_lookups, syntax_error

MOST_CHARACTERS = 2_000


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
        raise ExpressionError(
            f"An expression has at most {MOST_CHARACTERS} characters; this one has {len(text)}.",
            MOST_CHARACTERS,
        )
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
