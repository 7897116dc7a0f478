"""What every kind of block has: its settings, the texts in them, and what it finds in the context of a run.

A block is settings in a workflow's document. `found` turns them into data, once, when a step is shown; the data is recorded with the screen.
`picture` turns data into what the template of the kind draws, whenever the screen is looked at. Both are pure. Everything computed stands in
the data as a leaf, `{"from": <place of the expression>, "value": …, "look": …}`, so that a reader's rights are applied leaf by leaf.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from console.core import expressions
from console.core.documents.fields import Definition, Located
from console.core.errors import ConsoleError
from console.core.expressions.operands import UNKNOWN, number_of

NOBODY_SAYS = "-"
"""Currency of an amount whose record names none: its decimals are not known."""
MOST_JUDGED = 10_000
"""Entries of a list of which a condition is judged."""
ENTRY = "entry"
"""Root of the expressions of a part with `each`: the entry of that list."""
MOST_ENTRIES = 200
"""Entries of a list that a block keeps; the rest is counted."""
Data: TypeAlias = dict[str, Any]
Leaf: TypeAlias = dict[str, Any]
Say: TypeAlias = Callable[[Leaf | None], str]
"""A leaf → its words for the reader."""
Looks: TypeAlias = Callable[[str, str | None], Mapping[str, Any]]
"""(expression, the expression of the list that its `entry` is of) → how values of the field that it names are shown, or {}."""
FIGURES = frozenset({"value", "of", "ours", "theirs", "before", "after"})
"""Settings that `as` and `currency` beside them are about."""
Tone = Literal["good", "warn", "bad", "none"]
As = Literal["text", "number", "percent", "money", "day", "moment", "country", "language"]


class Unfit(ConsoleError):
    """What a block is given cannot be drawn; the message stands in its place and holds no value."""

    default_code = "unfit"


class Expr(str):
    """An expression in a block's settings."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text; what it says is checked with the names that the step knows."""
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(min_length=1, max_length=expressions.MOST_CHARACTERS)
        )


class Template(str):
    """A text in a block's settings in which {{ expressions }} are filled in."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text of at most 2,000 characters."""
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(min_length=1, max_length=2_000)
        )


class Part(Definition):
    """A part of a block that may be left out."""

    if_: Expr | None = Field(
        None, alias="if", description="Expression; the part is shown only where it holds"
    )


class Repeated(Part):
    """A part that stands once, or once for each entry of a list."""

    each: Expr | None = Field(
        None,
        description="Expression for a list: the part stands once for each entry, which its expressions find as `entry`",
    )


class Figure(Part):
    """A value and how it is shown. What is not said comes from the field that the expression names."""

    value: Expr = Field(description="Expression for what is shown")
    as_: As | None = Field(
        None, alias="as", description="How it is shown; none: as the field that the expression names"
    )
    currency: Expr | None = Field(
        None, description="Expression for the currency of money; none: that of the field"
    )


class ToneCase(Definition):
    """A tone, and the condition for it."""

    if_: Expr | None = Field(None, alias="if", description="Expression; none: otherwise")
    tone: Tone


Tones: TypeAlias = Tone | list[ToneCase]


class Block(Part):
    """What every kind of block has."""

    block: str
    title: Template | None = Field(None, description="Heading; {{ expressions }} are filled in")
    remark: Template | None = Field(
        None, description="Small text at the right of the heading; {{ expressions }} are filled in"
    )
    empty: Template | None = Field(
        None, description="What stands there where there is nothing to show; {{ expressions }} are filled in"
    )
    side: Literal["left", "right"] | None = Field(
        None,
        description="Column, where two stand beside each other: neighbours with a side share a row; none: the whole width",
    )
    nothing: ClassVar[str] = "Nothing to show."
    heads: ClassVar[bool] = False  # whether its template draws title and remark
    opens: ClassVar[bool] = False  # whether it draws a document beside the run, which the page finds
    cites: ClassVar[bool] = (
        False  # whether it names sources (`sources`), whose documents the page finds by their id
    )
    entries: ClassVar[str] = (
        ""  # the list in its data that may be cut where there is no room for all, with how many were left out beside it
    )
    foretells: ClassVar[bool] = (
        False  # whether it draws what the step would change, which stands on the screen beside the blocks
    )

    @abstractmethod
    def found(self, at: "At") -> Data:
        """The block's own data. Raises Unfit where it cannot be drawn."""
        raise NotImplementedError

    @classmethod
    @abstractmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """What its template draws, from data of which the reader may see every leaf that is not `hidden`."""
        raise NotImplementedError


def texts(part: Definition, place: str, each: str | None = None) -> Iterator[tuple[Located, bool]]:
    """Every expression and template of a part with its place, and whether it is a template."""
    own = getattr(part, "each", None) or each
    for name, field in type(part).model_fields.items():
        yield from _texts(
            getattr(part, name), f"{place}.{field.alias or name}", each if name == "each" else own
        )


def _texts(value: Any, place: str, each: str | None) -> Iterator[tuple[Located, bool]]:
    match value:
        case Expr() | Template():
            yield Located(place, str(value), each=each), isinstance(value, Template)
        case Definition():
            yield from texts(value, place, each)
        case list():
            for number, item in enumerate(value):
                yield from _texts(item, f"{place}[{number}]", each)


@dataclass(frozen=True, slots=True)
class At:
    """A part of a block and the values that its expressions find. `each` is the list that its `entry` is of."""

    part: Definition
    place: str
    roots: Mapping[str, Any]
    looks: Looks
    each: str | None = None

    def key(self, name: str) -> Leaf | None:
        """The value of this expression, by which others name it and which nobody reads; None where the setting is left out."""
        text = getattr(self.part, name)
        return (
            None
            if text is None
            else {"from": self._place(name), "value": expressions.parse(text).evaluate(self.roots)}
        )

    def leaf(self, name: str = "value") -> Leaf | None:
        """The value of this expression, None where the setting is left out."""
        text = getattr(self.part, name)
        if text is None:
            return None
        look = dict(self.looks(text, self.each))
        look |= self._asked() if name in FIGURES else {}
        return {"from": self._place(name), **self._shown(expressions.parse(text).evaluate(self.roots), look)}

    def _shown(self, value: Any, look: dict[str, Any]) -> Leaf:
        """The value with how it is shown: of the options those that it names, of the currency's column what stands there."""
        if isinstance(look.get("options"), list):
            said = [str(item) for item in (value if isinstance(value, list) else [value])]
            look["options"] = [option for option in look["options"] if str(option.get("value")) in said]
        if (beside := look.pop("currency_at", None)) is not None and "currency_from" not in look:
            look["currency"] = expressions.parse(beside).evaluate(self.roots) or NOBODY_SAYS
        return {"value": value, **({"look": look} if look else {})}

    def _asked(self) -> dict[str, Any]:
        """How the settings say that the value is shown."""
        form, written = (getattr(self.part, name, None) for name in ("as_", "currency"))
        shown = {"as": form} if form else {}
        code = expressions.parse(written).evaluate(self.roots) if written is not None else None
        return {
            **shown,
            **({"currency": str(code), "currency_from": self._place("currency")} if code is not None else {}),
        }

    def text(self, name: str) -> Leaf | None:
        """The text of this template, with its values apart, so that each is shown as what it is."""
        template = getattr(self.part, name)
        if template is None:
            return None
        parts: list[Any] = []
        for part in expressions.active_parts(template, self.roots):
            if isinstance(part, str):
                parts.append(part)
            else:
                parts.append(self._shown(part.evaluate(self.roots), dict(self.looks(part.text, self.each))))
        return {"from": self._place(name), "parts": parts}

    def number(self, name: str, label: str) -> Leaf | None:
        """The value of this expression. Raises Unfit where it is there and no number; `label` says which in that sentence."""
        leaf = self.leaf(name)
        if leaf is not None and leaf["value"] is not None:
            required_number(leaf["value"], label)
        return leaf

    def holds(self, name: str = "if_") -> bool:
        """Whether this condition is true; a condition that is left out is."""
        text = getattr(self.part, name)
        return text is None or expressions.parse(text).test(self.roots)

    def tone(self, name: str = "tone") -> Leaf | None:
        """The tone of the first case that holds; None for none."""
        given = getattr(self.part, name)
        if isinstance(given, str):
            return {"from": [], "value": given}
        for number, case in enumerate(given or ()):
            if case.if_ is None or expressions.parse(case.if_).test(self.roots):
                return {
                    "from": [f"{self._place(name)}[{index}].if" for index in range(number + 1)],
                    "value": case.tone,
                }
        return None

    def inside(self, name: str) -> "At | None":
        """The part in this setting; None where it is left out or its condition does not hold."""
        part = getattr(self.part, name)
        if part is None:
            return None
        there = replace(self, part=part, place=self._place(name))
        return there if there.holds() else None

    def parts(self, name: str, *, newest: bool = False, most: int = MOST_ENTRIES) -> tuple[list["At"], int]:
        """(at most `most` parts of this setting whose conditions hold, those with `each` once for every entry; how many there are).

        With `newest` the last of a long list are kept, else the first.
        """
        found: list[At] = []
        total = 0
        for number, part in enumerate(getattr(self.part, name)):
            there, count = replace(self, part=part, place=f"{self._place(name)}[{number}]").entries(
                newest=newest, most=most
            )
            found, total = found + there, total + count
        return (found[-most:] if newest else found[:most]), total

    def more(self, name: str, count: int) -> Data:
        """How many entries of this setting are left out, under `more`; nothing for none. It rests on what decides which there are."""
        parts = enumerate(getattr(self.part, name))
        places = [
            place
            for number, part in parts
            for place in replace(self, part=part, place=f"{self._place(name)}[{number}]").rests_on
        ]
        return {"more": {"from": places, "value": count}} if count > 0 else {}

    def entries(self, *, newest: bool = False, most: int = MOST_ENTRIES) -> tuple[list["At"], int]:
        """(the part once for each entry of its list for which its condition holds, without a list at most once; how many there are)."""
        each = getattr(self.part, "each", None)
        if each is None:
            return ([self], 1) if self.holds() else ([], 0)
        given = expressions.parse(each).value(self.roots)
        if given not in (None, UNKNOWN) and not isinstance(given, list | tuple):
            raise Unfit("This cannot be drawn: what it goes through is not a list.")
        listed = given if isinstance(given, list | tuple) else ()
        judged = getattr(self.part, "if_", None) is not None
        total, reach = len(listed), MOST_JUDGED if judged else most
        listed = listed[-reach:] if newest else listed[:reach]
        made = [replace(self, roots={**self.roots, ENTRY: entry}, each=str(each)) for entry in listed]
        if judged:
            left = total - len(made)
            made = [entry for entry in made if entry.holds()]
            total = len(made) + left
        return (made[-most:] if newest else made[:most]), total

    @property
    def rests_on(self) -> list[str]:
        """Places of what decided that the part stands here: who may not see those does not see the part."""
        names = [
            field.alias or name
            for name, field in type(self.part).model_fields.items()
            if name in ("if_", "each")
        ]
        return [
            f"{self.place}.{name}"
            for name in names
            if getattr(self.part, "if_" if name == "if" else name) is not None
        ]

    def made(self, **leaves: Any) -> Data:
        """A part of the data: its leaves, without those left out."""
        rests = {"rests_on": self.rests_on} if self.rests_on else {}
        return {**rests, **{name: leaf for name, leaf in leaves.items() if leaf is not None}}

    def _place(self, name: str) -> str:
        return f"{self.place}.{type(self.part).model_fields[name].alias or name}"


def label_in(part: Data, say: Say) -> str:
    """What the part is called; a dash where a list has an entry without a name."""
    return say(part["label"]).strip() or "–"


def required_number(value: Any, label: str) -> Decimal | int:
    """The number that the value is or spells. Raises Unfit, which names the part and not the value."""
    number = number_of(value)
    if number is None:
        raise Unfit(f"This cannot be drawn: {label} is not a number.")
    return number


def number_in(leaf: Leaf | None) -> Decimal | None:
    """The number of a leaf; None where it is hidden, missing or something else."""
    found = number_of(leaf.get("value")) if leaf is not None else None
    return None if found is None else Decimal(found)


def left_out(data: Data) -> int:
    """How many entries the block leaves out; 0 where the reader may not know."""
    return int((data.get("more") or {}).get("value") or 0)


def hidden(*leaves: Leaf | None) -> bool:
    """Whether the reader may not see one of them."""
    return any(leaf is not None and leaf.get("hidden", False) for leaf in leaves)


def share(part: Decimal, whole: Decimal) -> str:
    """A length in per cent of the whole, for an attribute of a picture: at least 0, at most 100, two decimals."""
    return f"{min(max(part / whole, Decimal(0)), Decimal(1)) * 100:.2f}" if whole else "0.00"
