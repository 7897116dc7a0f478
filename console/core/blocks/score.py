"""Score: the total on its scale, and a bar for each factor: its points times its weight, beside last time."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from console.core.blocks.base import (
    At,
    Block,
    Data,
    Expr,
    Leaf,
    Repeated,
    Say,
    Template,
    Tones,
    Unfit,
    hidden,
    label_in,
    left_out,
    number_in,
    share,
)

UNFOLDED = 12
"""Factors that are shown at once; of more, those that add nothing unfold."""


class Band(Repeated):
    """A band of the scale."""

    from_: Expr = Field(alias="from", description="Expression for the score at which it begins")
    label: Template = Field(description="What it is called; {{ expressions }} are filled in")


class Factor(Repeated):
    """What adds to the score: points × weight ÷ most."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")
    points: Expr = Field(description="Expression for its points")
    weight: Expr = Field(Expr("1"), description="Expression for its weight: what the most points add")
    most: Expr | None = Field(
        None, description="Expression for the most points that it can have; none: as the block says"
    )
    last: Expr | None = Field(None, description="Expression for what it added last time")


class Score(Block):
    """A score and what it is made of."""

    nothing = "Not scored yet."
    entries = "factors"
    block: Literal["score"]
    total: Expr = Field(description="Expression for the score")
    out_of: Expr = Field(Expr("100"), description="Expression for the end of the scale")
    word: Template | None = Field(None, description="The score in a word; {{ expressions }} are filled in")
    tone: Tones = Field("none", description="Tone of that word, or cases")
    last: Expr | None = Field(None, description="Expression for the score last time")
    last_label: Template = Field(
        Template("last time"), description="What the earlier score is called; {{ expressions }} are filled in"
    )
    bands: list[Band] = Field(
        default_factory=list, max_length=8, description="The bands of the scale, from its start"
    )
    most: Expr = Field(Expr("3"), description="Expression for the most points that a factor can have")
    factors: list[Factor] = Field(default_factory=list, max_length=60)
    note: Template | None = Field(None, description="What is said below; {{ expressions }} are filled in")

    def found(self, at: At) -> Data:
        """The score, its scale, and each factor."""
        total, out_of = at.number("total", "the score"), at.number("out_of", "the end of the scale")
        if (number_in(out_of) or Decimal(0)) <= 0:
            raise Unfit("This cannot be drawn: the scale has no end.")
        most = at.number("most", "the most points")
        factors, count = at.parts("factors")
        bands = [
            part.made(start=part.number("from_", "the start of a band"), label=part.text("label"))
            for part in at.parts("bands")[0]
        ]
        made = at.made(
            total=total,
            out_of=out_of,
            word=at.text("word"),
            tone=at.tone(),
            last=at.number("last", "the score of last time"),
            last_label=at.text("last_label"),
            note=at.text("note"),
        )
        made.pop("rests_on", None)
        return {
            **made,
            "bands": bands,
            "factors": [_factor(factor, most) for factor in factors],
            **at.more("factors", count - len(factors)),
        }

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """The scale in per cent; each factor with its track, its bar and its ring in per cent of the heaviest."""
        end = number_in(data["out_of"])
        total, last = number_in(data["total"]), number_in(data.get("last"))
        heaviest = max(
            (number_in(factor["weight"]) or Decimal(0) for factor in data["factors"]), default=Decimal(0)
        )
        factors = [_drawn(factor, heaviest, say) for factor in data["factors"]]
        folded = [factor for factor in factors if factor["nothing"]] if len(factors) > UNFOLDED else []
        return {
            "missing": data["total"].get("value") is None and not hidden(data["total"]) and not factors,
            "total_words": say({"look": {"as": "number"}, **data["total"]}),
            "word": say(data.get("word")),
            "tone": (data.get("tone") or {}).get("value") or "none",
            "width": share(total, end) if total is not None and end else None,
            "last": share(last, end) if last is not None and end else None,
            "last_words": f"{say(data['last'])} {say(data.get('last_label'))}".strip()
            if last is not None
            else "",
            "end": say(data["out_of"]),
            "bands": [_band(band, end, say) for band in data["bands"]],
            "factors": [factor for factor in factors if factor not in folded],
            "folded": folded,
            "left_out": left_out(data),
            **_legend(data, factors),
            "note": say(data.get("note")),
        }


def _legend(data: Data, factors: list[Data]) -> Data:
    """What the rings mean, in place of a remark that is left out."""
    ringed = any(factor["ring"] is not None for factor in factors)
    return {
        "ringed": ringed,
        **({"remark": data.get("last_label")} if ringed and not data.get("remark") else {}),
    }


def _factor(at: At, most: Leaf | None) -> Data:
    """A factor; what it adds rests on its points, its weight and the most points."""
    points, weight = at.number("points", "points of a factor"), at.number("weight", "the weight of a factor")
    own = at.number("most", "the most points of a factor") or most
    values = [number_in(leaf) for leaf in (points, weight, own)]
    adds = None if None in values or not values[2] else values[0] * values[1] / values[2]  # type: ignore[operator]
    places = [leaf["from"] for leaf in (points, weight, own) if leaf]
    told: Leaf = {"from": places, "value": None if adds is None else str(round(adds, 6))}
    last = at.number("last", "what a factor added last time")
    return at.made(label=at.text("label"), points=points, weight=weight, most=own, adds=told, last=last)


def _band(band: Data, end: Decimal | None, say: Say) -> Data:
    start = number_in(band["start"])
    x = share(start, end) if start is not None and end else None
    return {"x": x, "first": x == "0.00", "words": f"{say(band['start'])} {say(band['label'])}".strip()}


def _drawn(factor: Data, heaviest: Decimal, say: Say) -> Data:
    shut = hidden(factor["points"], factor["weight"], factor["adds"])
    weight, adds, last = (number_in(factor.get(name)) for name in ("weight", "adds", "last"))
    known = not shut and adds is not None
    return {
        "label": label_in(factor, say),
        "hidden": shut,
        "track": share(weight, heaviest) if weight is not None else None,
        "bar": share(adds, heaviest) if known and adds else None,
        "ring": share(last, heaviest) if last is not None and known and last != adds else None,
        "sum": f"{say(factor['points'])}{_of_most(factor, say)} × {say(factor['weight'])}" if known else "–",
        "adds": f"{adds:,.1f}" if known else "–",
        "last": f"{last:,.1f}" if last is not None and last != adds else "",
        "up": known and last is not None and adds is not None and adds > last,
        "nothing": known and not adds,
    }


def _of_most(factor: Data, say: Say) -> str:
    """What the points are divided by, so that the line can be worked out."""
    most = factor.get("most")
    return f" of {say(most)}" if most and number_in(most) != 1 else ""
