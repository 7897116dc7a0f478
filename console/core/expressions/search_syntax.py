"""What people type above a list: `refund -cancelled`, `status:open or (amount>20 created_at:2026-01)`, `customer.name:"Ana Ilić"`.

Words search all fields, `field:` one field, `relation.field:` a field of the related record. `NULL` means no value, `2026` and `2026-01` all
days in them. What cannot be parsed, such as an unclosed parenthesis or an unknown field, is searched as text: a search never fails.
"""

import pathlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

from console.core.counted_moments import count, is_counted
from console.core.documents.collections import Collection, Field, Relation, condition_rows, default_titles
from console.core.errors import Malformed
from console.core.filters import Test, checked_value, whole_amount
from console.core.moments import midnight
from console.core.scopes import Scope

LONGEST = 1_000
MOST_TERMS = 40
MOST_DEPTH = 20
SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq"}
YES_NO = {"yes": True, "true": True, "no": False, "false": False}
NULL = "NULL"
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")

_BRACKETED_NUMBER = re.compile(r"\+?\d* ?\(\d+\)[\d ./-]*")
"""A telephone number such as `(020) 7946 0780`, whose brackets hold nothing together."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text that some field of the record contains or equals. `everywhere`: looked for in every row, also of a table that is too large for it.

    `shown`: names of fields that are looked at besides those that the collection names, where that takes no scan.
    """

    text: str
    everywhere: bool = False
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Several:
    """All of the conditions (`and`), or at least one (`or`)."""

    kind: str
    items: tuple["Sought", ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Not this condition; records for which it is unknown are included."""

    item: "Sought"


@dataclass(frozen=True, slots=True)
class Through:
    """A record that the relation leads to, within `scope`, meets the condition."""

    relation: Relation
    scope: Scope
    item: "Sought"


Sought: TypeAlias = Words | Without | Through | Test | Several


class Way(NamedTuple):
    """The target of a relation, for this reader."""

    relation: Relation
    collection: Collection
    scope: Scope


class _Term(NamedTuple):
    """`name:value` as typed. `phrase`: the value was quoted, so it is never NULL or a period."""

    name: str
    sign: str
    value: str
    phrase: bool
    colon: str = ":"

    @property
    def text(self) -> str:
        """The term as typed."""
        return f"{self.name}{self.colon}{self.sign}" + (f'"{self.value}"' if self.phrase else self.value)


class _Plain(NamedTuple):
    """A word or phrase without a field."""

    text: str
    phrase: bool


class _Joined(NamedTuple):
    """`and`, `or` or `not` of what was typed."""

    kind: str
    items: tuple[Any, ...]


class _Builder(Transformer[Token, Any]):
    """Turns the parse tree into the tuples above."""

    def either(self, items: list[Any]) -> Any:
        return _Joined("or", tuple(item for item in items if not isinstance(item, Token)))

    def both(self, items: list[Any]) -> Any:
        sides: list[list[Any]] = [[]]
        for before, item, after in zip([None, *items], items, [*items[1:], None], strict=False):
            joins = (
                item.text
                if isinstance(item, _Plain) and not item.phrase and _fielded(before) and _fielded(after)
                else ""
            )
            if joins == "or":
                sides.append([])
            elif joins != "and" and not isinstance(item, Token):
                sides[-1].append(item)
        joined = [_Joined("and", tuple(side)) if len(side) > 1 else side[0] for side in sides]
        return _Joined("or", tuple(joined)) if len(joined) > 1 else joined[0]

    def without(self, items: list[Any]) -> Any:
        return _Joined("not", (items[-1],))

    def group(self, items: list[Any]) -> Any:
        return _Joined("and", (items[0],))

    def fielded(self, items: list[Any]) -> Any:
        name, sign, value = items
        phrase = value.type == "PHRASE"
        return _Term(str(name)[:-1], str(sign or ""), str(value)[1:-1] if phrase else str(value), phrase)

    def compared(self, items: list[Any]) -> Any:
        name, sign, value = items
        phrase = value.type == "PHRASE"
        return _Term(str(name), str(sign), str(value)[1:-1] if phrase else str(value), phrase, "")

    def phrase(self, items: list[Any]) -> Any:
        return _Plain(str(items[0])[1:-1], True)

    def word(self, items: list[Any]) -> Any:
        return _Plain(str(items[0]), False)


def _fielded(item: Any) -> bool:
    """Whether it is a term with a field, a group or a negation: beside words, `or` and `and` in small letters are words."""
    return isinstance(item, _Term | _Joined)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = pathlib.Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


def read(
    text: str,
    collection: Collection,
    hidden: frozenset[str] = frozenset(),
    ways: Callable[[str], Way | None] = lambda _name: None,
    zone: str = "UTC",
    *,
    extended: bool = False,
    kept: Callable[[Field, str], Any] = lambda _field, text: text,
) -> Sought | None:
    """The search as a condition; None if it is empty. Never raises.

    `hidden` fields are treated as unknown. `ways` gives the target of a relation by name, for this reader. Days are days of `zone`.
    `extended`: words are also searched in referenced records. `kept`: what the field holds for what people read and type: 4599 for 45.99.
    """
    typed = default_titles.without_label(collection.title, text.strip()[:LONGEST])
    if not typed:
        return None
    try:
        tree = _Builder().transform(_parser().parse(typed))
    except (LarkError, RecursionError):
        tree = _Plain(typed, True)
    if _size(tree) > MOST_TERMS or _depth(tree) > MOST_DEPTH:
        tree = _Plain(typed, True)
    if _BRACKETED_NUMBER.fullmatch(typed):
        tree = _Joined("or", (_Plain(typed, True), tree))
    return _Reader(collection, hidden, ways, zone, kept, extended=extended).read(tree)


def words(sought: Sought | None) -> list[str]:
    """The texts to highlight in results; without those after a minus."""
    match sought:
        case Words():
            return [sought.text]
        case Test(op="contains" | "eq") if isinstance(sought.value, str):
            return [sought.value]
        case Several():
            return [text for item in sought.items for text in words(item)]
    return []


def with_reach(sought: Sought, *, everywhere: bool, shown: frozenset[str]) -> Sought:
    """The same search with words that are looked for so, as `Words` says."""
    match sought:
        case Words():
            return replace(sought, everywhere=everywhere, shown=shown)
        case Several():
            items = (with_reach(each, everywhere=everywhere, shown=shown) for each in sought.items)
            return Several(sought.kind, tuple(items))
    return sought


def shown_fields(sought: Sought | None) -> frozenset[str]:
    """The names that its words look at besides those that the collection names."""
    match sought:
        case Words():
            return sought.shown
        case Several():
            return frozenset().union(*map(shown_fields, sought.items))
    return frozenset()


def is_everywhere(sought: Sought | None) -> bool:
    """Whether some words are looked for in every row."""
    match sought:
        case Words():
            return sought.everywhere
        case Several():
            return any(is_everywhere(item) for item in sought.items)
    return False


def worded(sought: Sought | None) -> bool:
    """Whether the search looks for words in any field, which is what large tables answer through their indexes."""
    match sought:
        case Words():
            return True
        case Several():
            return any(worded(item) for item in sought.items)
    return False


def _size(tree: Any) -> int:
    return sum(map(_size, tree.items)) if isinstance(tree, _Joined) else 1


def _depth(tree: Any) -> int:
    return 1 + max(map(_depth, tree.items)) if isinstance(tree, _Joined) else 1


class _Reader:
    """Interprets the words for one collection."""

    def __init__(
        self,
        collection: Collection,
        hidden: frozenset[str],
        ways: Callable[[str], Way | None],
        zone: str,
        kept: Callable[[Field, str], Any],
        *,
        extended: bool = False,
    ) -> None:
        self.collection, self.hidden, self.ways, self.zone, self.kept = collection, hidden, ways, zone, kept
        self.fields: Mapping[str, Field] = _named(collection, hidden)
        referred = (
            [self._way(relation.name) for relation in collection.relations if relation.kind == "to_one"]
            if extended
            else []
        )
        self.beside = tuple(way for way in referred if way is not None)

    def read(self, tree: Any) -> Sought:
        """The condition for the tree."""
        match tree:
            case _Plain():
                return self._words(tree.text)
            case _Term():
                return self._term(tree)
            case _Joined(kind="not"):
                return Without(self.read(tree.items[0]))
            case _Joined(kind="and"):
                return self._all(tree.items)
        return Several("or", tuple(self.read(item) for item in tree.items))

    def _all(self, items: tuple[Any, ...]) -> Sought:
        """All of the conditions. Adjacent words may also occur together in one field, such as the label of a value."""
        plain = [item.text for item in items if isinstance(item, _Plain)]
        each = Several("and", tuple(self.read(item) for item in items))
        together = len(plain) == len(items) > 1 and not any(item.phrase for item in items)
        return (
            Several("or", (self._words(" ".join(plain)), each))
            if together
            else each
            if len(items) > 1
            else each.items[0]
        )

    def _words(self, text: str) -> Sought:
        """A text in the record, or in a referenced one if the search is extended."""
        here = Words(text)
        return (
            Several("or", (here, *(Through(way.relation, way.scope, here) for way in self.beside)))
            if self.beside
            else here
        )

    def _term(self, term: _Term) -> Sought:
        first, dot, rest = term.name.partition(".")
        field = self.fields.get(_folded(term.name))
        if field is not None:
            found = self._test(field, term)
            led = self._led_by(field, term)
            if found is None:
                return led or self._led(term.name, Words(term.value), term)
            return (
                Several("or", (found, led))
                if led and field.stored == "text" and isinstance(found, Test) and found.op != "is_null"
                else found
            )
        if dot and rest:
            way = self._way(first)
            inner = (
                _Reader(way.collection, way.scope.hidden, lambda _name: None, self.zone, self.kept)
                if way
                else None
            )
            if inner is not None and way is not None and _folded(rest) in inner.fields:
                return Through(way.relation, way.scope, inner._term(term._replace(name=rest)))
            return self._words(term.text)
        return self._led(term.name, Words(term.value), term)

    def _led(self, name: str, item: Sought, term: _Term) -> Sought:
        """The search in the record that a relation of this name leads to; without such a relation, the term as text."""
        way = self._way(name) if not term.sign else None
        return Through(way.relation, way.scope, item) if way else Words(term.text)

    def _led_by(self, field: Field, term: _Term) -> Sought | None:
        """The search in the record that the field alone leads to, whose title people read in its place; None where it leads nowhere."""
        led = next(
            (
                each
                for each in self.collection.relations
                if each.kind == "to_one" and [here for here, _ in each.columns] == [field.name]
            ),
            None,
        )
        way = self._way(led.name) if led and not term.sign else None
        return Through(way.relation, way.scope, Words(term.value)) if way else None

    def _way(self, name: str) -> Way | None:
        wanted = _folded(name)
        found = next(
            (
                relation
                for relation in self.collection.relations
                if wanted in {_folded(relation.name), _folded(relation.label)}
            ),
            None,
        )
        columns = {here for here, _ in found.columns} if found else set()
        return self.ways(found.name) if found and not columns & self.hidden else None

    def _test(self, field: Field, term: _Term) -> Sought | None:
        """The field compared with the value; None if the value does not fit the field."""
        if term.value == NULL and not term.phrase:
            return Test(field.name, "is_null", True) if term.sign in ("", "=") else None
        if (field.stored in {"date", "datetime"} or is_counted(field)) and (
            period := _period(term.value)
        ) is not None:
            return self._within(field, term.sign, *period)
        try:
            if (
                own := condition_rows.own_currency(field)
            ) in self.collection.by_name and own not in self.hidden:
                op = SIGNS.get(term.sign, "eq")
                return Test(field.name, op, whole_amount(field, op, term.value), whole=own)
            op, value = self._value(field, term)
            return Test(field.name, op, checked_value(field, op, value))
        except Malformed:
            return None

    def _value(self, field: Field, term: _Term) -> tuple[str, Any]:
        if term.sign and (term.sign != "=" or (field.stored == "text" and field.options is None)):
            return SIGNS[term.sign], self.kept(field, term.value)
        if field.stored == "boolean":
            return "eq", YES_NO.get(term.value.lower(), term.value)
        if field.options is not None:
            wanted = term.value.lower()
            meant = [
                each.value for each in field.options if wanted in {each.value.lower(), each.label.lower()}
            ]
            return ("contains" if field.stored == "array" else "eq"), meant[0] if meant else term.value
        value = self.kept(field, term.value)
        contained = field.stored == "array" or (field.stored == "text" and value == term.value)
        return "contains" if contained else "eq", value

    def _within(self, field: Field, sign: str, first: date, after: date | None) -> Sought:
        """A day, month or year: the field is within it, before it, or from its end on."""
        begin, end = self._edge(field, first), self._edge(field, after)
        until, beyond = ("lt", "gte") if after is not None else ("lte", "gt")
        match sign:
            case "<":
                return Test(field.name, "lt", begin)
            case "<=":
                return Test(field.name, until, end)
            case ">":
                return Test(field.name, beyond, end)
            case ">=":
                return Test(field.name, "gte", begin)
        return Several("and", (Test(field.name, "gte", begin), Test(field.name, until, end)))

    def _edge(self, field: Field, day: date | None) -> str | int:
        """When the day begins; None stands for the end of the calendar, which a zone's first and last midnight may lie beyond."""
        if field.stored == "date":
            return (day or date.max).isoformat()
        try:
            at = midnight(day, self.zone) if day is not None else datetime.max.replace(tzinfo=UTC)
        except OverflowError:
            at = (datetime.min if day == date.min else datetime.max).replace(tzinfo=UTC)
        if is_counted(field):
            return count(str(field.widget), at, whole=field.stored == "integer")
        return at.isoformat().replace("+00:00", "Z")


def _period(text: str) -> tuple[date, date | None] | None:
    """(first day, first day after) of `2026`, `2026-01` or `2026-01-31`; None for other texts. No day comes after the last of the calendar."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    try:
        first = date(year, month, day)
    except ValueError:
        return None
    try:
        if found[3]:
            return first, first + timedelta(days=1)
        return first, date(year + 1, 1, 1) if not found[2] else date(year + month // 12, month % 12 + 1, 1)
    except (ValueError, OverflowError):
        return first, None


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


def _named(collection: Collection, hidden: frozenset[str]) -> dict[str, Field]:
    """Readable fields by name, else by label, ignoring case, `-` and `_`."""
    shown = [field for field in collection.fields if field.name not in hidden and not field.hidden]
    return {_folded(field.label): field for field in reversed(shown)} | {
        _folded(field.name): field for field in reversed(shown)
    }
