"""The expression language of scopes, conditions and templates."""

from console.core.expressions.evaluation import compiled
from console.core.expressions.language import MOST_CHARACTERS, TEMPLATE, Expression, lacks, names, parse, paths, render, shown, templates
from console.core.expressions.parser import ROOTS, TABLES, ExpressionError, UnknownName

OPEN_MODULES = frozenset({"functions", "nodes", "operands", "search_syntax"})
