"""The one language of scopes, conditions and templates."""

from console.core.expressions.language import (
    ROOTS,
    TABLES,
    TEMPLATE,
    Expression,
    ExpressionError,
    compiled,
    names,
    parse,
    paths,
    render,
    shown,
    templates,
)

__all__ = [
    "ROOTS",
    "TABLES",
    "TEMPLATE",
    "Expression",
    "ExpressionError",
    "compiled",
    "functions",
    "names",
    "nodes",
    "operands",
    "parse",
    "paths",
    "render",
    "search_syntax",
    "shown",
    "templates",
]
