"""The expression language of scopes, conditions and templates."""

from console.core.expressions.evaluation import compiled
from console.core.expressions.language import MOST_CHARACTERS, Expression, names, parse, paths
from console.core.expressions.parser import ROOTS, TABLES, ExpressionError, UnknownName
from console.core.expressions.text_templates import (
    TEMPLATE,
    active_parts,
    choice_of,
    chooses,
    joined,
    lacks,
    raw_expressions,
    render,
    render_json,
    templates,
    texts_in,
    value_text,
    wrong_choices,
)

OPEN_MODULES = frozenset({"currency_comparisons", "functions", "nodes", "operands", "search_syntax"})
