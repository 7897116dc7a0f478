"""From the text of an expression to its tree, by the grammar in language.lark; errors in words."""

import pathlib
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

from console.core.errors import DefinitionError
from console.core.expressions.functions import FUNCTIONS, METHODS, Function
from console.core.expressions.nodes import (
    Calculation,
    Call,
    Compare,
    Items,
    Junction,
    Literal,
    Node,
    Not,
    Path,
    Within,
    walk,
)

MOST_DEPTH = 30
ROOTS = (
    "record",
    "input",
    "steps",
    "variables",
    "tables",
    "item",
    "run",
    "lead",
    "now",
    "$currentUser",
    "related",
    "results",
    "key",
    "answer",
    "document",
    "found",
    "entry",
    "selected",
    "me",
    "former",
    "event",
    "approver",
)
TABLES = "tables"


class ExpressionError(DefinitionError):
    """An expression that cannot be parsed; `position` is the offset of the first wrong character, from 0."""

    default_code = "expression"

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(
            f"{message} (at character {position + 1})",
            details=[{"field": "expression", "reason": message, "position": position}],
        )
        self.position = position
        self.reason = message


class UnknownName(ExpressionError):
    """A path that begins with a name that nothing has."""

    def __init__(self, name: str, position: int = 0) -> None:
        super().__init__(f"There is no '{name}'. A path begins with one of {', '.join(ROOTS)}.", position)
        self.name = name


def require_lookups(root: Node) -> None:
    """Raises ExpressionError if a policy table is used outside of `lookup`: a table is not a value."""
    looked_in = {
        id(node.arguments[0])
        for node in walk(root)
        if isinstance(node, Call) and node.name == "lookup" and node.arguments
    }
    for node in walk(root):
        if (
            isinstance(node, Path)
            and node.root == TABLES
            and (id(node) not in looked_in or len(node.steps) != 2)
        ):
            raise ExpressionError(
                "A policy table is read by lookup(tables.<table>.<column>, key).", node.position
            )


@lru_cache(maxsize=1)
def expression_parser() -> Lark:
    """The parser, made once."""
    grammar = pathlib.Path(__file__).with_name("language.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        transformer=_Builder(),
        maybe_placeholders=True,
        cache=False,
    )


MEANT = {"or": "||", "and": "&&", "not": "!"}
"""Words that people try → the operator that they mean."""


def syntax_error(text: str, error: UnexpectedInput) -> ExpressionError:
    """The error in words: what stands at the wrong place."""
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    position = len(text) if ended or error.pos_in_stream is None else error.pos_in_stream
    rest = text[position:].lstrip()
    position = len(text) - len(rest) if rest else len(text)
    if not rest:
        return ExpressionError("The expression ends too early: something is missing here.", len(text))
    if rest.startswith("_"):
        return ExpressionError("A name must not begin with an underscore.", position)
    if rest.startswith(("'", '"')):
        return ExpressionError("A text stands where it may not, or its closing quote is missing.", position)
    if rest.startswith("=") and not rest.startswith("=="):
        return ExpressionError("'=' means nothing here; two values are compared with '=='.", position)
    word = re.match(r"\w+|\W", rest)
    meant = MEANT.get(word[0].lower()) if word else None
    if word is not None and meant is not None:
        return ExpressionError(f"'{word[0]}' cannot stand here; it is written '{meant}'.", position)
    return ExpressionError(f"'{word[0][:40] if word else rest[0]}' cannot stand here.", position)


def _unescaped(token: Token) -> str:
    """The content of a quoted string. Escapes: backslash, quotes, n, r, t and uXXXX (a pair of them for characters beyond FFFF)."""
    plain = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in plain:
            raise ExpressionError(
                f"'\\{match[2]}' is no escape; use \\\\ for a backslash.",
                (token.start_pos or 0) + 1 + match.start(),
            )
        return plain[match[2]]

    made = re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", replaced, str(token)[1:-1], flags=re.DOTALL)
    try:
        text = made.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("There is half of a character in this text.", token.start_pos or 0) from None
    if "\x00" in text:
        raise ExpressionError(
            "There is a NUL character in this text, which no record can hold.", token.start_pos or 0
        )
    return text


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Builds the nodes during parsing, without recursion; refuses trees that are too deep."""

    def start(self, node: Node) -> Node:
        return node

    def root(self, token: Token) -> Node:
        name, position = str(token), token.start_pos or 0
        if name in FUNCTIONS:
            raise ExpressionError(f"{name} is a function: write {name}(…).", position)
        if name not in ROOTS:
            raise UnknownName(name, position)
        return Path(name, (), position)

    def attribute(self, target: Node, token: Token) -> Node:
        return _reach(target, str(token), token.start_pos or 0)

    def element(self, target: Node, token: Token) -> Node:
        position = token.start_pos or 0
        step: str | int = int(token) if token.type == "INTEGER" else _unescaped(token)
        if isinstance(step, str) and step.startswith("_"):
            raise ExpressionError("A name must not begin with an underscore.", position)
        return _reach(target, step, position)

    def method(self, target: Node, token: Token, arguments: tuple[Node, ...] | None) -> Node:
        return _called(METHODS, str(token), token.start_pos or 0, (target,), arguments or ())

    def call(self, token: Token, arguments: tuple[Node, ...] | None) -> Node:
        return _called(FUNCTIONS, str(token), token.start_pos or 0, (), arguments or ())

    def arguments(self, *items: Node) -> tuple[Node, ...]:
        return items

    def group(self, node: Node) -> Node:
        return _deeper(node)

    def items(self, items: tuple[Node, ...] | None) -> Node:
        return Items(items or (), _depth(*(items or ())))

    def string(self, token: Token) -> Node:
        return Literal(_unescaped(token))

    def integer(self, token: Token) -> Node:
        if len(token) > 60:
            raise ExpressionError("A number has at most 60 digits.", token.start_pos or 0)
        return Literal(int(token))

    def decimal(self, token: Token) -> Node:
        if len(token) > 60:
            raise ExpressionError("A number has at most 60 digits.", token.start_pos or 0)
        return Literal(Decimal(str(token)))

    def true(self) -> Node:
        return Literal(True)

    def false(self) -> Node:
        return Literal(False)

    def null(self) -> Node:
        return Literal(None)

    def negation(self, node: Node) -> Node:
        return Not(node, _depth(node))

    def minus(self, _: Token, node: Node) -> Node:
        if (
            isinstance(node, Literal)
            and isinstance(node.value, (int, Decimal))
            and not isinstance(node.value, bool)
        ):
            return Literal(-node.value, _depth(node))
        return Calculation(Literal(0), (("-", node),), _depth(node))

    def compare(self, left: Node, token: Token, right: Node) -> Node:
        return Compare(str(token), left, right, token.start_pos or 0, _depth(left, right))

    def within(self, item: Node, items: Node) -> Node:
        return Within(item, items, _depth(item, items))

    def any_of(self, *items: Node) -> Node:
        return Junction("any", items, _depth(*items))

    def all_of(self, *items: Node) -> Node:
        return Junction("all", items, _depth(*items))

    def total(self, first: Node, *rest: Any) -> Node:
        return _chain(first, rest)

    def multiplied(self, first: Node, *rest: Any) -> Node:
        return _chain(first, rest)


def _chain(first: Node, rest: tuple[Any, ...]) -> Node:
    pairs = tuple((str(rest[at]), rest[at + 1]) for at in range(0, len(rest), 2))
    return Calculation(first, pairs, _depth(first, *(node for _, node in pairs)))


def _reach(target: Node, step: str | int, position: int) -> Node:
    if not isinstance(target, Path):
        raise ExpressionError("Only paths such as record.email lead on with a name.", position)
    if len(target.steps) >= MOST_DEPTH:
        raise ExpressionError(f"A path has at most {MOST_DEPTH} names.", position)
    return Path(target.root, (*target.steps, step), target.position)


def _called(
    table: Mapping[str, Function],
    name: str,
    position: int,
    target: tuple[Node, ...],
    arguments: tuple[Node, ...],
) -> Node:
    known = table.get(name)
    if known is None:
        raise ExpressionError(
            f"There is no function '{name}'. There are {', '.join(sorted(table))}.", position
        )
    if len(arguments) < known.least or (known.most is not None and len(arguments) > known.most):
        raise ExpressionError(f"{name} takes {_amount(known)}, not {len(arguments)}.", position)
    inside = (*target, *arguments)
    return Call(name, bool(target), inside, position, _depth(*inside))


def _amount(function: Function) -> str:
    if function.most is None:
        return f"at least {function.least} value"
    least, most = function.least, function.most
    return f"{least} to {most} values" if least != most else f"{most or 'no'} value{'' if most == 1 else 's'}"


def _depth(*nodes: Node) -> int:
    depth = 1 + max((node.depth for node in nodes), default=0)
    if depth > MOST_DEPTH:
        raise ExpressionError(f"An expression is at most {MOST_DEPTH} levels deep.", 0)
    return depth


def _deeper(node: Node) -> Node:
    """The same node one level deeper: parentheses count, because they make an expression harder to read."""
    kept = {name: getattr(node, name) for name in node.__slots__ if name != "depth"}
    return type(node)(**kept, depth=_depth(node))
