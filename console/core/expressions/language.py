"""The one language of scopes, conditions and templates: parsed with a grammar, evaluated with three truth values.

`parse(text)` gives an `Expression`; `Expression.test(roots)` is true only where it is certainly so. The same tree is turned into SQL by
`console.records.sql_conditions`. Cost is linear by construction: no loops, at most 2 000 characters and 30 levels.
Source: design of scopes, "one expression language"; the operators are those of CEL.
"""

import pathlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from console.core.expressions import operands
from console.core.expressions.functions import FUNCTIONS, METHODS, Function
from console.core.expressions.nodes import Calculation, Call, Compare, Items, Junction, Literal, Node, Not, Path, Within, walk
from console.core.expressions.operands import UNKNOWN, moment_of, to_json
from console.core.related_record import Leading
from console.errors import DefinitionError

MOST_CHARACTERS = 2_000
MOST_DEPTH = 30
MOST_TEMPLATE = 20_000
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
)
TABLES = "tables"
TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)

Roots: TypeAlias = Mapping[str, Any]
Evaluate: TypeAlias = Callable[[Roots], Any]


class ExpressionError(DefinitionError):
    """An expression that cannot be read; `position` is the offset of the first character that is wrong, from 0."""

    default_code = "expression"

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(
            f"{message} (at character {position + 1})", details=[{"field": "expression", "reason": message, "position": position}]
        )
        self.position = position
        self.reason = message


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
        """Is it certainly true? What is unknown, or no truth value, is not."""
        return self._run(roots) is True

    def denies(self, roots: Roots) -> bool:
        """Is it certainly false? What is unknown is not."""
        return self._run(roots) is False


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression that `text` is. Raises ExpressionError, which says what is wrong and where."""
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


def require_lookups(root: Node) -> None:
    """Raises ExpressionError for a policy table that stands elsewhere than as what `lookup` looks in: it is no value."""
    looked_in = {id(node.arguments[0]) for node in walk(root) if isinstance(node, Call) and node.name == "lookup" and node.arguments}
    for node in walk(root):
        if isinstance(node, Path) and node.root == TABLES and (id(node) not in looked_in or len(node.steps) != 2):
            raise ExpressionError("A policy table is read by lookup(tables.<table>.<column>, key).", node.position)


def names(expression: Expression) -> set[str]:
    """Dotted paths that the expression looks at, as written: `record.email`, `$currentUser.id`, `now`."""
    return {node.dotted for node in walk(expression.node) if isinstance(node, Path)}


def paths(expression: Expression) -> set[tuple[str, ...]]:
    """The same paths name by name, up to the first position in a list: a name may hold a dot."""
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
            raise ExpressionError(error.reason, match.start(1) + match[1].index(text) + error.position) from None
        end = match.end()
    if "{{" in template[end:]:
        raise ExpressionError("This '{{' is never closed by '}}'.", template.index("{{", end))
    return found


def render(template: str, roots: Roots) -> str:
    """The template with each `{{ expression }}` replaced by its value as text; what is null or unknown becomes empty."""
    return "".join(part if isinstance(part, str) else shown(part.value(roots)) for part in _parts(template))


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str | Expression, ...]:
    """Texts and expressions of the template by turns."""
    found = templates(template)
    parts: list[str | Expression] = []
    for number, text in enumerate(TEMPLATE.split(template)[::2]):
        parts += [text, *found[number : number + 1]]
    return tuple(parts)


def shown(value: Any) -> str:
    """A value as it stands in a text: lists by commas, objects not at all."""
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


# ---------------------------------------------------------------------------------------------------------------- reading


@lru_cache(maxsize=1)
def expression_parser() -> Lark:
    grammar = pathlib.Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=True, cache=False)


MEANT = {"or": "||", "and": "&&", "not": "!"}
"""How words are written that people try."""


def syntax_error(text: str, error: UnexpectedInput) -> ExpressionError:
    """The error in words: what stands where it may not."""
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
    """The text of a quoted string. Escapes: backslash, quotes, n, r, t and uXXXX (two of them where a character needs a pair)."""
    plain = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in plain:
            raise ExpressionError(f"'\\{match[2]}' is no escape; use \\\\ for a backslash.", (token.start_pos or 0) + 1 + match.start())
        return plain[match[2]]

    made = re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", replaced, str(token)[1:-1], flags=re.DOTALL)
    try:
        text = made.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ExpressionError("There is half of a character in this text.", token.start_pos or 0) from None
    if "\x00" in text:
        raise ExpressionError("There is a NUL character in this text, which no record can hold.", token.start_pos or 0)
    return text


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Builds the nodes while the parser reduces, so that nothing here recurses; refuses what is too deep."""

    def start(self, node: Node) -> Node:
        return node

    def root(self, token: Token) -> Node:
        name, position = str(token), token.start_pos or 0
        if name in FUNCTIONS:
            raise ExpressionError(f"{name} is a function: write {name}(…).", position)
        if name not in ROOTS:
            raise ExpressionError(f"There is no '{name}'. A path begins with one of {', '.join(ROOTS)}.", position)
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
        if isinstance(node, Literal) and isinstance(node.value, (int, Decimal)) and not isinstance(node.value, bool):
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


def _called(table: Mapping[str, Function], name: str, position: int, target: tuple[Node, ...], arguments: tuple[Node, ...]) -> Node:
    known = table.get(name)
    if known is None:
        raise ExpressionError(f"There is no function '{name}'. There are {', '.join(sorted(table))}.", position)
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
    """The same node one level deeper: brackets count, so that depth bounds what a reader has to follow."""
    kept = {name: getattr(node, name) for name in node.__slots__ if name != "depth"}
    return type(node)(**kept, depth=_depth(node))


# ------------------------------------------------------------------------------------------------------------- evaluating


def compiled(node: Node) -> Evaluate:
    """The node as a function of the roots."""
    match node:
        case Literal(value=value):
            return lambda _: value
        case Items(items=items):
            parts = [compiled(item) for item in items]
            return lambda roots: [part(roots) for part in parts]
        case Path():
            return _path(node)
        case Not(item=item):
            inner = compiled(item)
            return lambda roots: operands.negated(inner(roots))
        case Junction(kind=kind, items=items):
            return _junction([compiled(item) for item in items], decisive=kind == "any")
        case Compare():
            return _comparison(node)
        case Within(item=item, list=items):
            one, many = compiled(item), compiled(items)
            return lambda roots: operands.member(one(roots), many(roots))
        case Calculation():
            return _calculation(node)
        case Call(name=name, method=method, arguments=arguments):
            return _call((METHODS if method else FUNCTIONS)[name], [compiled(argument) for argument in arguments])


def _path(node: Path) -> Evaluate:
    root = "currentUser" if node.root == "$currentUser" else node.root
    if node.root == "now" and not node.steps:
        return lambda roots: _now(roots) or UNKNOWN
    steps = node.steps

    def reach(roots: Roots) -> Any:
        value = roots.get(root, UNKNOWN)
        for number, step in enumerate(steps, 1):
            if isinstance(value, Leading) and isinstance(step, str) and number < len(steps) and (there := value.led(step)) is not None:
                value = there
            elif isinstance(step, str) and isinstance(value, Mapping):
                value = value.get(step, UNKNOWN)
            elif isinstance(step, int) and isinstance(value, (list, tuple)) and step < len(value):
                value = value[step]
            else:
                return UNKNOWN
        return value

    return reach


def _now(roots: Roots) -> datetime | None:
    return moment_of(roots.get("now"))


def _junction(parts: list[Evaluate], decisive: bool) -> Evaluate:
    """`decisive` is the truth value that settles the matter: true for any, false for all."""

    def settle(roots: Roots) -> Any:
        result: Any = not decisive
        for part in parts:
            value = part(roots)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                result = UNKNOWN
        return result

    return settle


def _comparison(node: Compare) -> Evaluate:
    left, right = compiled(node.left), compiled(node.right)
    match node.operator:
        case "==":
            return lambda roots: operands.equal(left(roots), right(roots))
        case "!=":
            return lambda roots: operands.negated(operands.equal(left(roots), right(roots)))
    wanted = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[node.operator]

    def order(roots: Roots) -> Any:
        found = operands.ordered(left(roots), right(roots))
        return UNKNOWN if found is UNKNOWN else found in wanted

    return order


def _calculation(node: Calculation) -> Evaluate:
    operations = {"+": operands.plus, "-": operands.less, "*": operands.times, "/": operands.over}
    first = compiled(node.first)
    rest = [(operations[operator], compiled(item)) for operator, item in node.rest]

    def calculate(roots: Roots) -> Any:
        value = first(roots)
        for operation, item in rest:
            value = operation(value, item(roots))
        return value

    return calculate


def _call(function: Function, arguments: list[Evaluate]) -> Evaluate:
    call = function.call
    return lambda roots: call(_now(roots), *(argument(roots) for argument in arguments))
