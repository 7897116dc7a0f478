"""The expression language of scopes, conditions and templates."""

from console.core.expressions.evaluation import compiled
from console.core.expressions.language import MOST_CHARACTERS, Expression, names, parse, paths
from console.core.expressions.parser import ROOTS, TABLES, ExpressionError, UnknownName
from console.core.expressions.text_templates import (
    TEMPLATE,
    choice_of,
    chooses,
    inside,
    joined,
    lacks,
    render,
    render_json,
    shown,
    standing,
    templates,
    texts_in,
    wrong_choices,
)

OPEN_MODULES = frozenset({"currency_comparisons", "functions", "nodes", "operands", "search_syntax"})
