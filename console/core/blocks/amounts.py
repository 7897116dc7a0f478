"""Amounts: one bar that is the whole, its parts in order, and what is left."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import (
    At,
    Block,
    Data,
    Figure,
    Leaf,
    Repeated,
    Say,
    Template,
    hidden,
    label_in,
    number_in,
    required_number,
    share,
)

THIN = Decimal("0.01")
"""Share below which a part is drawn as a line of three pixels."""
GAP = Decimal("0.3")
MOST_PARTS = 24


class Whole(Figure):
    """What the bar stands for."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")


class AmountPart(Repeated, Figure):
    """A part of the whole."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")
    now: bool = Field(False, description="Whether this is what is asked for now; the others were before")


class Amounts(Block):
    """Amounts that are parts of a whole."""

    nothing = "Nothing yet."
    block: Literal["amounts"]
    whole: Whole = Field(description="What the whole bar stands for")
    parts: list[AmountPart] = Field(
        min_length=1, max_length=12, description="Its parts, in the order in which they are drawn"
    )
    left: Template | None = Field(
        Template("Remaining"),
        description="What the rest is called; {{ expressions }} are filled in; none: not named",
    )

    def found(self, at: At) -> Data:
        """The whole and its parts; `amiss` where they make no bar, which is said beside the figures. Raises Unfit for what is no amount."""
        there = at.inside("whole")
        if there is None:
            return {"parts": []}
        whole = _amount(there)
        made = [
            {**_amount(part), "now": getattr(part.part, "now", False)}
            for part in at.parts("parts", most=MOST_PARTS)[0]
        ]
        places = [
            whole["value"]["from"],
            *(amount["value"]["from"] for amount in made),
            *(place for amount in made for place in amount.get("rests_on", ())),
        ]
        if amiss := _amiss(whole, made):
            return {"whole": whole, "parts": made, "amiss": {"from": places, "value": amiss}}
        total, used = (number_in(whole["value"]) or Decimal(0)), _sum(made)
        known = all(
            number_in(amount["value"]) is not None for amount in made
        )  # of a part that nobody knows it cannot be told what is left
        rest: Leaf = {**whole["value"], "from": places, "value": str(total - used) if known else None}
        left = {"label": at.text("left"), "value": rest} if self.left is not None else None
        return {"whole": whole, "parts": made, **({"left": left} if left else {})}

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """The words, and the bars unless a figure is hidden or unknown: `x` and `width` in per cent, `thin` for a line. `drawn`: there is a bar, even if all is left."""
        if "whole" not in data:
            return {"drawn": False, "bars": [], "lines": []}
        leaves = [data["whole"]["value"], *(part["value"] for part in data["parts"])]
        whole, shut = number_in(leaves[0]), hidden(*leaves, data.get("left", {}).get("value"))
        lines = [{"kind": "whole", **_in_words(data["whole"], say)}]
        lines += [
            {"kind": "now" if part["now"] else "before", **_in_words(part, say)} for part in data["parts"]
        ]
        lines += [{"kind": "left", **_in_words(data["left"], say)}] if "left" in data else []
        if not shut and data.get("amiss"):
            return {"drawn": False, "bars": [], "lines": lines, "amiss": data["amiss"].get("value")}
        if shut or not whole:
            told = shut or any(
                number_in(leaf) for leaf in leaves[1:]
            )  # what was paid back of an amount that nobody knows is no nothing
            return {
                "drawn": False,
                "bars": [],
                "lines": [line for line in lines if shut or line["kind"] != "left"] if told else [],
            }
        if any(number_in(leaf) is None for leaf in leaves[1:]):
            return {"drawn": False, "bars": [], "lines": lines}
        return {"drawn": True, "bars": _bars(data["parts"], whole), "lines": lines}


def _amount(at: At) -> Data:
    """A part with its amount. Raises Unfit for what is no amount."""
    made = at.made(label=at.text("label"), value=at.leaf())
    if made["value"]["value"] is not None:
        required_number(made["value"]["value"], "an amount")
    return made


def _amiss(whole: Data, parts: list[Data]) -> str | None:
    """Why no bar can be drawn of these amounts; None if one can."""
    amounts = [part["value"] for part in (whole, *parts) if part["value"]["value"] is not None]
    if len({_unit(leaf) for leaf in amounts}) > 1:
        return "This is not drawn: the amounts are not all in one currency."
    if any((number_in(leaf) or 0) < 0 for leaf in amounts):
        return "This is not drawn: an amount is less than nothing."
    total = number_in(whole["value"])
    return (
        "This is not drawn: the parts come to more than the whole." if total and _sum(parts) > total else None
    )


def _sum(parts: list[Data]) -> Decimal:
    return sum((number_in(part["value"]) or Decimal(0) for part in parts), Decimal(0))


def _unit(leaf: Leaf) -> tuple[Any, bool]:
    look = leaf.get("look", {})
    return look.get("currency"), bool(look.get("minor"))


def _in_words(part: Data, say: Say) -> Data:
    return {"label": label_in(part, say), "shown": say(part["value"])}


def _bars(parts: list[Data], whole: Decimal) -> list[Data]:
    made, x = [], Decimal(0)
    for part in parts:
        amount = number_in(part["value"]) or Decimal(0)
        if amount:
            gap = GAP if x else Decimal(0)
            width = amount / whole * 100 - gap
            thin = amount / whole < THIN
            made.append(
                {
                    "x": f"{x + gap:.2f}",
                    "width": share(max(width, Decimal(0)), Decimal(100)),
                    "now": part["now"],
                    "thin": thin,
                }
            )
        x += amount / whole * 100
    return made
