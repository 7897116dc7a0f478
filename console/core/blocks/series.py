"""Series: figures over time as bars, grey up to what was expected and amber above."""

import re
from decimal import Decimal
from typing import Literal

from pydantic import Field

from console.core.blocks.base import (
    At,
    Block,
    Data,
    Expr,
    Figure,
    Leaf,
    Repeated,
    Say,
    Template,
    hidden,
    left_out,
    number_in,
    required_number,
)

HEIGHT, TOP = Decimal(56), Decimal(4)
"""Height of the picture's bars in pixels, and the gap above the highest."""
LABELS, LETTERS = 4, 36
"""Names below the bars, so that they do not touch each other on a telephone."""


class Point(Repeated, Figure):
    """A figure and the time that it is of."""

    label: Template = Field(description="What it is of, such as the month; {{ expressions }} are filled in")


MONTH = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))(?:-01)?")


class Series(Block):
    """Figures in the order of time."""

    nothing = "No figures."
    block: Literal["series"]
    points: list[Point] = Field(min_length=1, max_length=120)
    expected: Expr | None = Field(None, description="Expression for what each was expected to be")
    expected_label: Template = Field(
        Template("expected"), description="What stands after that figure; {{ expressions }} are filled in"
    )
    words: Template | None = Field(
        None, description="What the picture says, for who cannot see it; {{ expressions }} are filled in"
    )

    def found(self, at: At) -> Data:
        """The newest points. Raises Unfit for what is no number."""
        points, total = at.parts("points", newest=True)
        made = [one.made(label=one.text("label"), value=one.leaf()) for one in points]
        for point in made:
            if point["value"]["value"] is not None:
                required_number(point["value"]["value"], "a figure")
        expected = at.made(
            expected=at.number("expected", "what was expected"),
            expected_label=at.text("expected_label"),
            words=at.text("words"),
        )
        expected.pop("rests_on", None)
        return {"points": made, **at.more("points", total - len(made)), **expected}

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """The bars: places in per cent of the width, heights in pixels; a table of the same."""
        points = data["points"]
        months = {month[1] for point in points if (month := _month_of(point["label"]))}
        twice = len({month[5:] for month in months}) < len(months)
        rows = [_row(point, say, year=twice) for point in points]
        shut = hidden(data.get("expected"), *(point["value"] for point in points))
        known = [
            (number, value)
            for number, point in enumerate(points)
            if (value := number_in(point["value"])) is not None
        ]
        expected = number_in(data.get("expected"))
        look = points[0]["value"].get("look", {}) if points else {}
        line: Leaf | None = {**data["expected"], "look": look} if data.get("expected") else None
        drawing = {
            "rows": rows,
            "hidden": shut,
            "left_out": left_out(data),
            "expected_words": say(line) if line else "",
            "expected_short": say(_short(line)) if line else "",
            "expected_label": say(data.get("expected_label")),
        }
        words = say(data.get("words")) or _in_words(rows, drawing)
        if shut or not known or len(points) == 1:
            return {
                **drawing,
                "bars": [],
                "one": rows[0] if len(points) == 1 and known and not shut else None,
                "words": words,
            }
        return {**drawing, "one": None, "words": words, **_bars(known, rows, expected)}


def _row(point: Data, say: Say, *, year: bool) -> Data:
    """A point in words; `brief` is its figure with what it is of, in few characters."""
    label, short = say(_month(point["label"], year=year)).strip(" –"), say(_short(point["value"]))
    return {
        "label": label or "–",
        "shown": say(point["value"]),
        "short": short,
        "brief": f"{short} in {label}" if label else short,
    }


def _month_of(label: Leaf) -> re.Match[str] | None:
    """The month of a name that is nothing but a month or the first day of one."""
    parts = label.get("parts", ())
    value = parts[0].get("value") if len(parts) == 1 and isinstance(parts[0], dict) else None
    return MONTH.fullmatch(value) if isinstance(value, str) else None


def _month(label: Leaf, *, year: bool) -> Leaf:
    """Such a name, to be said as the month; with its `year` where a month is there of several."""
    month = _month_of(label)
    return (
        {
            **label["parts"][0],
            "value": f"{month[1]}-01",
            "look": {"as": "month of a year" if year else "month"},
        }
        if month
        else label
    )


def _short(leaf: Leaf) -> Leaf:
    """The same, to be said in few characters."""
    return {**leaf, "short": True}


def _bars(known: list[tuple[int, Decimal]], rows: list[Data], expected: Decimal | None) -> Data:
    reached = [*(value for _, value in known), expected or Decimal(0), Decimal(0)]
    high, low = max(reached), min(reached)
    scale = (HEIGHT - TOP) / (high - low) if high > low else Decimal(0)
    zero = HEIGHT + low * scale
    step = Decimal(100) / len(rows)
    bars = []
    for number, value in known:
        x, width = number * step + step / 10, step * 8 / 10
        limit = expected if expected is not None else value
        usual = min(value, limit) if value > 0 else value
        bars.append(
            {
                "x": f"{x:.2f}",
                "width": f"{width:.2f}",
                "soft": _bar(zero, Decimal(0), usual, scale),
                "over": _bar(zero, max(limit, Decimal(0)), value, scale)
                if value > max(limit, Decimal(0))
                else None,
            }
        )
    last = len(rows) - 1
    fitting = min(len(rows), max(2, min(LABELS, LETTERS // (max(len(row["label"]) for row in rows) + 2))))
    names = [
        {
            "x": f"{number * step + step / 2:.2f}",
            "label": rows[number]["label"],
            "end": number == last,
        }
        for number in (round(place * last / (fitting - 1)) for place in range(fitting))
    ]
    peak, lowest = max(known, key=lambda pair: pair[1]), min(known, key=lambda pair: pair[1])
    return {
        "bars": bars,
        "names": names,
        "base": f"{zero:.1f}",
        "height": 72,
        "line": f"{zero - expected * scale:.1f}" if expected is not None else None,
        "peak": rows[peak[0]]["brief"] if peak[1] > 0 else "",
        "lowest": rows[lowest[0]]["brief"] if lowest[1] < 0 else "",
    }


def _bar(zero: Decimal, start: Decimal, end: Decimal, scale: Decimal) -> Data:
    """A bar from one value to another, as its upper edge and its height; at least half a pixel."""
    upper, lower = zero - max(start, end) * scale, zero - min(start, end) * scale
    return {"y": f"{upper:.1f}", "height": f"{max(lower - upper, Decimal('0.5')):.1f}"}


def _in_words(rows: list[Data], drawing: Data) -> str:
    if not rows:
        return ""
    first, last = rows[0], rows[-1]
    words = f"From {first['shown']} in {first['label']} to {last['shown']} in {last['label']}"
    return (
        f"{words}; {drawing['expected_words']} {drawing['expected_label']}."
        if drawing["expected_words"]
        else f"{words}."
    )
