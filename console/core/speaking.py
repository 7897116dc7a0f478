"""What an expression in a text for people comes to, said as people say it: options by label, amounts with their currency, codes as words.

Expressions that compute with a value keep computing with what is stored: only a path that stands alone between the brackets is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from console.core import expressions, plain_words
from console.core.expressions.nodes import Path
from console.core.papers import iban

SPOKEN = "$spoken"
"""Where the roots of a text keep how their values are said. No expression can name it."""
NAMES = "$names"
"""Where they keep by what name a reference is said: a function of collection and key that gives the name, or None. Without it the key is said."""
_PROGRAM_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")
"""A code without a label among options, as `no_match`. Any other text may be somebody's own and is kept to the letter."""


@dataclass(frozen=True, slots=True)
class Say:
    """How a value is said: the labels of its options; for an amount its currency, a code or the name of the value beside it.

    `references` is the collection whose keys the value holds; `person`: it is somebody's e-mail address.
    """

    labels: Mapping[str, str]
    currency: str | None = None
    minor: bool = False
    money: bool = False
    references: str | None = None
    person: bool = False


Saying: TypeAlias = Mapping[tuple[str, ...], Say]
"""Path (`("steps", "load", "record", "risk")`) → how its value is said."""


def spoken(expression: expressions.Expression, roots: Mapping[str, Any]) -> str:
    """The value of the expression as text for people; days stay as they are, because their reader has a form for them."""
    value = expression.value(roots)
    shown = expressions.value_text(value)
    node, how = expression.node, said_how(expression, roots)
    if not isinstance(node, Path):
        return shown
    if how is not None and how.references is not None and NAMES in roots:
        keys = [expressions.value_text(item) for item in (value if isinstance(value, list) else [value])]
        return ", ".join((key.strip("•") and roots[NAMES](how.references, key)) or key for key in keys if key)
    if how is not None and how.money and (said := _amount(how, node, value, roots)) is not None:
        return said
    if isinstance(value, list) and how is not None and how.labels:
        return ", ".join(
            how.labels.get(str(item)) or code_in_words(expressions.value_text(item)) for item in value
        )
    return (
        (how.labels.get(shown) or code_in_words(shown))
        if how is not None and how.labels
        else iban.spoken(shown)
    )


def said_how(expression: expressions.Expression, roots: Mapping[str, Any]) -> Say | None:
    """How the value is said, of a path that stands alone."""
    node = expression.node
    return (roots.get(SPOKEN) or {}).get(node.names) if isinstance(node, Path) else None


def _amount(how: Say, node: Path, value: Any, roots: Mapping[str, Any]) -> str | None:
    code = how.currency
    if code is not None and len(code) != len("EUR"):
        beside = Path(node.root, (*node.steps[:-1], code), node.position)
        code = expressions.value_text(expressions.Expression(beside.dotted, beside).value(roots))
    return plain_words.amount_words(expressions.value_text(value), code, minor=how.minor)


def code_in_words(text: str) -> str:
    """A code as words, `no_match` as `no match`; any other text as it is."""
    return text.replace("_", " ") if _PROGRAM_WORD.fullmatch(text) else text


def fill_text(template: str, roots: Mapping[str, Any]) -> str:
    """The template with its expressions filled in as people say them, days in plain English: for mails, notices and titles."""

    def said(expression: expressions.Expression) -> str:
        text = spoken(expression, roots)
        return plain_words.day_words(text) or text

    return "".join(
        part if isinstance(part, str) else said(part) for part in expressions.active_parts(template, roots)
    )
