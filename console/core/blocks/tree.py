"""Tree: who owns, layer by layer, and what each person holds in all, across one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import (
    At,
    Block,
    Data,
    Expr,
    Leaf,
    Part,
    Repeated,
    Say,
    Template,
    hidden,
    left_out,
    number_in,
)

SOMEBODY = "Somebody you may not see"
NAMELESS = "Without a name"
MOST_OWNERS = 500
"""Owners that are kept."""
AT_ONCE = 40
"""Rows that are shown at once; of more, those that lead to a person above the line."""
MOST_ROWS = 300
WIDTH = Decimal("0.64")
"""Pixels of a bar for each per cent."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The share, in per cent, from which a person counts as an owner; `inclusive`: exactly that share counts."""

    share: Decimal
    inclusive: bool

    def reached(self, held: Decimal) -> bool:
        """Whether somebody who holds this much counts."""
        return held >= self.share if self.inclusive else held > self.share

    def words(self, share: str) -> str:
        """How much it takes."""
        return f"{share} % or more" if self.inclusive else f"more than {share} %"


class Mark(Part):
    """A word at an owner."""

    label: Template = Field(description="The word; {{ expressions }} are filled in")
    tone: Literal["good", "warn", "bad", "none"] = "warn"


class Owner(Repeated):
    """Who holds how much of whom."""

    owner: Expr = Field(description="Expression for the key of the owner, by which `of` of others names it")
    name: Template = Field(description="What the owner is called; {{ expressions }} are filled in")
    of: Expr | None = Field(
        None,
        description="Expression for the key of what is owned; none or null: the company that the tree is about",
    )
    share: Expr = Field(description="Expression for how much of it, in per cent")
    person: Expr | None = Field(
        None, description="Expression; whether the owner is a person; none: whoever is owned by nobody"
    )
    in_all: Expr | None = Field(
        None,
        description="Expression for what the owner holds in all, in per cent; none: computed from the shares",
    )
    country: Expr | None = Field(None, description="Expression for the country, as a code")
    marks: list[Mark] = Field(default_factory=list, max_length=8)


class Tree(Block):
    """Owners by layer."""

    heads = True
    nothing = "No owner is known."
    block: Literal["tree"]
    owners: list[Owner] = Field(min_length=1, max_length=40)
    root: Expr | None = Field(
        None, description="Expression for the key of the company that the tree is about"
    )
    line: Expr = Field(
        Expr("25"),
        description="Expression for the share, in per cent, from which a person counts as an owner",
    )
    inclusive: Expr | None = Field(
        None, description="Expression; whether exactly that share counts; none: it does"
    )
    below: Template | None = Field(
        None, description="What is said where nobody holds that much; {{ expressions }} are filled in"
    )

    def found(self, at: At) -> Data:
        """Each owner as leaves. Raises Unfit for a share that is no number."""
        owners, total = at.parts("owners", most=MOST_OWNERS)
        leaves = {
            name: leaf
            for name, leaf in (
                ("root", at.key("root")),
                ("line", at.number("line", "the line")),
                ("inclusive", at.key("inclusive")),
                ("below", at.text("below")),
            )
            if leaf
        }
        return {
            "owners": [_owner(owner) for owner in owners],
            **at.more("owners", total - len(owners)),
            **leaves,
        }

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """Rows in the order of the tree, with their bars in pixels; `more` are those that unfold."""
        shut = hidden(
            data.get("root"),
            data.get("inclusive"),
            *(owner["share"] for owner in data["owners"]),
            *(owner.get("of") for owner in data["owners"]),
        )
        known = _Known.of(data, say, drawn=not shut)
        line = Limit(
            number_in(data["line"]) or Decimal(25),
            inclusive=(data.get("inclusive") or {}).get("value", True) is not False,
        )
        rows = list(known.rows(line))
        leading = [row for row in rows if row["leads"]] if len(rows) > AT_ONCE else []
        first = leading[:MOST_ROWS] or rows[:AT_ONCE]
        others = [row for row in rows if not row["leads"]] if leading else rows[AT_ONCE:]
        more = others[:MOST_ROWS]
        above = any(row["above"] for row in rows)
        return {
            "rows": first,
            "more": more,
            "left_out": left_out(data) + len(rows) - len(first) - len(more),
            "line_words": f"{say(data['line'])} %",
            "line_x": f"{line.share * WIDTH:.1f}",
            "drawn": not shut,
            "over": [] if shut else list(known.over()),
            "nobody": ""
            if above or shut or not rows
            else say(data.get("below")) or f"Nobody holds {line.words(say(data['line']))}.",
        }


def _owner(at: At) -> Data:
    made = at.made(
        owner=at.key("owner"),
        name=at.text("name"),
        of=at.key("of"),
        share=at.number("share", "a share"),
        person=at.key("person"),
        in_all=at.number("in_all", "what an owner holds in all"),
        country=at.leaf("country"),
    )
    made["share"].pop("look", None)  # shown as a number in any case
    marks = [
        mark.made(label=mark.text("label"), tone={"from": [], "value": getattr(mark.part, "tone", "warn")})
        for mark in at.parts("marks")[0]
    ]
    for leaf in (made["share"], made.get("in_all")):
        value = number_in(leaf)
        if leaf is not None and value is not None and not 0 <= value <= 100:
            label = {"from": leaf["from"], "parts": [f"not counted: {_short(value)} %"]}
            marks.append({"label": label, "tone": {"from": [], "value": "bad"}})
            leaf["value"] = None
    return {**made, **({"marks": marks} if marks else {})}


@dataclass(frozen=True, slots=True)
class _Known:
    """The owners by what they own. `held` is what each holds in all, in per cent; edges that close a circle count for nothing there."""

    owners: list[Data]
    by_owned: Mapping[str, list[int]]
    keys: list[str]
    names: Mapping[str, str]
    held: Mapping[str, Decimal]
    say: Say
    drawn: bool
    told: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, data: Data, say: Say, *, drawn: bool) -> "_Known":
        owners = data["owners"]
        root = _key(data.get("root"), "")
        keys = [_key(one.get("owner"), f"#{number}") for number, one in enumerate(owners)]
        keys = [
            "" if key == root else key for key in keys
        ]  # the company of the tree, which owns itself through others
        by_owned: dict[str, list[int]] = {}
        for number, owner in enumerate(owners):
            owned = _key(owner.get("of"), "")
            by_owned.setdefault("" if owned in ("", root) or owned not in keys else owned, []).append(number)
        if len(owners) > AT_ONCE:
            for numbers in by_owned.values():
                numbers.sort(key=lambda number: -(number_in(owners[number]["share"]) or Decimal(0)))
        names: dict[str, str] = {}
        for key, one in zip(keys, owners, strict=True):
            said = say(one["name"]).strip()
            names[key] = names.get(key, "") or (
                "" if said == "–" else said
            )  # a row that says no name may be of an owner that another row names
        names = {key: name or NAMELESS for key, name in names.items()}
        return cls(owners, by_owned, keys, names, _held(owners, keys, by_owned), say, drawn)

    def rows(self, line: Limit) -> Iterator[Data]:
        """Depth first; an owner that stands above itself is named and not followed again."""
        walked = list(self._walk())
        leading = self._leading(line)
        for (depth, number, back), guides in zip(walked, _guides([row[0] for row in walked]), strict=True):
            row = self._row(depth, number, line, back=back) | guides
            row["leads"] = self.keys[number] in leading
            row["small"] = not (row["leads"] or back or row["marks"] or self.by_owned.get(self.keys[number]))
            yield row

    def _walk(self) -> Iterator[tuple[int, int, bool]]:
        """(layer, number of the owner, whether it stands above itself), at most four times as many as are drawn."""
        left: list[tuple[int, int, tuple[str, ...]]] = [
            (1, number, ("",)) for number in reversed(self.by_owned.get("", []))
        ]
        for _ in range(4 * MOST_OWNERS):
            if not left:
                return
            depth, number, above = left.pop()
            key = self.keys[number]
            back = key in above
            yield depth, number, back
            if not back:
                left += [(depth + 1, below, (*above, key)) for below in reversed(self.by_owned.get(key, []))]

    def over(self) -> Iterator[str]:
        """A sentence for each company of which more than the whole is held."""
        for owned, numbers in self.by_owned.items():
            held = sum(
                (number_in(self.owners[number]["share"]) or Decimal(0) for number in numbers), Decimal(0)
            )
            if held > MOST_HELD:
                shut = any(
                    self.keys[number] == owned and hidden(owner["name"])
                    for number, owner in enumerate(self.owners)
                )
                what = (
                    "this company"
                    if not owned
                    else SOMEBODY.lower()
                    if shut
                    else self.names.get(owned, NAMELESS)
                )
                yield f"The shares in {what} come to {_short(held)} %: at least one of them is wrong."

    def _leading(self, line: Limit) -> set[str]:
        """Keys of persons above the line and of everything through which they hold."""
        found = {
            key
            for number, key in enumerate(self.keys)
            if self._person(number) and line.reached(self._in_all(number))
        }
        grown = True
        while grown:
            above = {
                owned
                for owned, numbers in self.by_owned.items()
                if owned and any(self.keys[number] in found for number in numbers)
            }
            grown = not above <= found
            found |= above
        return found

    def _row(self, depth: int, number: int, line: Limit, *, back: bool) -> Data:
        owner, key = self.owners[number], self.keys[number]
        person, in_all, direct = (
            self._person(number) and not back,
            self._in_all(number),
            number_in(owner["share"]) or Decimal(0),
        )
        first = person and key not in self.told and not back
        self.told.update({key} if person else ())
        several = sum(other == key for other in self.keys) > 1
        name = SOMEBODY if hidden(owner["name"]) else self.names[key]
        return {
            "depth": depth,
            "share": self._share(owner["share"]),
            "name": "" if back else name,
            "holder": first,
            "country": ""
            if hidden(owner.get("country")) or not (owner.get("country") or {}).get("value")
            else self.say(owner["country"]),
            "land": str((owner.get("country") or {}).get("value") or "")[:12],
            "marks": [
                {"label": self.say(mark["label"]), "tone": mark["tone"]["value"]}
                for mark in owner.get("marks", ())
            ],
            "back": f"back to {name}" if back else "",
            "above": person and line.reached(in_all),
            "in_all": f"{_beside(in_all, line.share)} %" if first and self.drawn and in_all else "",
            "incl": f"incl. {_short(in_all - direct) if first else _short(self._through(number))}"
            if person and several and not first and self.drawn
            else "",
            "fill": f"{min(direct if depth == 1 else in_all, in_all) * WIDTH:.1f}"
            if first and self.drawn
            else None,
            "soft_x": f"{direct * WIDTH + 1:.1f}" if first and depth == 1 and in_all > direct else None,
            "soft": f"{max((in_all - direct) * WIDTH - 1, Decimal('0.5')):.1f}"
            if first and depth == 1 and in_all > direct and self.drawn
            else f"{self._through(number) * WIDTH:.1f}"
            if person and not first and self.drawn
            else None,
        }

    def _share(self, leaf: Leaf) -> str:
        value = number_in(leaf)
        return "–" if value is None else f"{self.say({**leaf, 'value': _short(value), 'look': PLAIN})} %"

    def _person(self, number: int) -> bool:
        person = self.owners[number].get("person")
        return bool(person["value"]) if person is not None else not self.by_owned.get(self.keys[number])

    def _in_all(self, number: int) -> Decimal:
        share = number_in(self.owners[number].get("in_all"))
        return share if share is not None else self.held.get(self.keys[number], Decimal(0))

    def _through(self, number: int) -> Decimal:
        """What an owner holds of the company through what it owns here, in per cent."""
        owned = _key(self.owners[number].get("of"), "")
        whole = self.held.get(owned, Decimal(100)) if owned in self.held else Decimal(100)
        return (number_in(self.owners[number]["share"]) or Decimal(0)) * whole / 100


PLAIN = {"as": "number"}
"""How a share is shown: it is in per cent, whatever its column is taken for."""
MOST_HELD = Decimal("100.01")
"""What all shares of a company may come to, in per cent: rounded ones add up to a little more than the whole."""
INDENT, MOST_INDENTED = 14, 8
"""Pixels by which a layer is moved to the right, and how often."""


def _guides(depths: list[int]) -> list[Data]:
    """For each row the width of its indent, the place of its own angle, and the places of the lines that pass it: in pixels, in a row 21 high."""
    made: list[Data] = []
    going: set[int] = set()  # layers of which another row follows further down, seen from below
    for depth in reversed(depths):
        going = {layer for layer in going if layer <= depth}
        places = [INDENT * (layer - 1) + 5 for layer in sorted(going) if layer <= MOST_INDENTED]
        layer = min(depth, MOST_INDENTED)
        made.append({"indent": INDENT * layer, "angle": INDENT * (layer - 1) + 5, "passing": places})
        going.add(depth)
    return made[::-1]


def _held(owners: list[Data], keys: list[str], by_owned: Mapping[str, list[int]]) -> dict[str, Decimal]:
    """Key of an owner → what it holds in all, in per cent, without edges that close a circle."""
    order: list[str] = []
    open_, done, closing = set[str](), set[str](), set[tuple[str, int]]()
    left: list[tuple[str, bool]] = [("", False)]
    while left:
        owned, leave = left.pop()
        if leave:
            open_.discard(owned)
            done.add(owned)
            order.append(owned)
        elif owned not in done and owned not in open_:
            open_.add(owned)
            left.append((owned, True))
            for number in by_owned.get(owned, ()):
                if keys[number] in open_:
                    closing.add((owned, number))
                else:
                    left.append((keys[number], False))
    held: dict[str, Decimal] = {"": Decimal(100)}
    for owned in reversed(order):
        for number in by_owned.get(owned, ()):
            if (owned, number) not in closing:
                part = (number_in(owners[number]["share"]) or Decimal(0)) * held.get(owned, Decimal(0)) / 100
                held[keys[number]] = held.get(keys[number], Decimal(0)) + part
    return held


def _key(leaf: Leaf | None, otherwise: str) -> str:
    value: Any = leaf.get("value") if leaf is not None else None
    return otherwise if value in (None, "") else str(value)


def _short(value: Decimal) -> str:
    """A percentage with at most two decimals; a part that is smaller is not called nothing."""
    return "< 0.01" if 0 < value < Decimal("0.005") else f"{value:.2f}".rstrip("0").rstrip(".")


def _beside(value: Decimal, line: Decimal) -> str:
    """A percentage; one that would be rounded to the line is said to lie below or above it."""
    said = _short(value)
    return said if value == line or said != _short(line) else f"{'<' if value < line else '>'} {said}"
