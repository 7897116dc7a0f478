"""Comparison: ours beside theirs, and one word for each line: Same, Differs or Unknown."""

from collections import Counter
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import (
    As,
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
    label_in,
    left_out,
    number_in,
    share,
)
from console.core.expressions import operands

WORDS = {"same": "Same", "differs": "Differs", "unknown": "Unknown"}
PLURALS = {"same": "same", "differs": "differ", "unknown": "unknown"}

NUMERIC = ("number", "percent", "money")

SHOWN, UNFOLDED = 20, 30
"""Lines that are shown at once of more than the second figure, beside those that are spoken of."""


class Line(Repeated):
    """Something that both sides say."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")
    group: Template | None = Field(
        None,
        description="What the line is about, as a heading over its lines where there are several; {{ expressions }} are filled in",
    )
    ours: Expr = Field(description="Expression for what we hold")
    theirs: Expr = Field(description="Expression for what they say")
    as_: As | None = Field(
        None, alias="as", description="How both are shown; none: as the fields that the expressions name"
    )
    currency: Expr | None = Field(
        None, description="Expression for the currency of money; none: that of the fields"
    )
    ours_remark: Template | None = Field(
        None, description="Small text below ours; {{ expressions }} are filled in"
    )
    theirs_remark: Template | None = Field(
        None, description="Small text below theirs; {{ expressions }} are filled in"
    )
    same: Expr | None = Field(
        None,
        description="Expression for whether both are the same, unknown for Unknown; none: whether the values are equal",
    )
    counts: Expr | None = Field(
        None, description="Expression; where it is certainly not true the line is shown and does not count"
    )
    verdict: Template | None = Field(
        None, description="Words in place of Same, Differs and Unknown; {{ expressions }} are filled in"
    )
    hot: Expr | None = Field(
        None, description="Expression; where it holds the line is marked as the one that is spoken of"
    )


class Match(Part):
    """How well both fit, between 0 and 1."""

    value: Expr = Field(description="Expression for a number from 0 to 1")
    line: Expr | None = Field(None, description="Expression for the value from which more is asked for")
    line_label: Template | None = Field(
        None, description="What is asked for from there on; {{ expressions }} are filled in"
    )


FITS = {"as": "number", "places": 3}
"""How well both fit is told to the thousandth: two decimals would lift 0.898 to the line at 0.90."""


class Need(Part):
    """How many lines have to say the same word."""

    verdict: Literal["same", "differs"] = "differs"
    count: Expr = Field(description="Expression for how many")
    text: Template = Field(description="What they are needed for; {{ expressions }} are filled in")
    remark: Template | None = Field(
        None, description="What is said after it; {{ expressions }} are filled in"
    )


class Comparison(Block):
    """Two sides of one thing, line by line."""

    heads = True
    nothing = "Nothing to compare."
    entries = "lines"
    block: Literal["comparison"]
    ours: Template = Field(
        Template("Ours"), description="Heading of our side; {{ expressions }} are filled in"
    )
    theirs: Template = Field(
        Template("Theirs"), description="Heading of the other side; {{ expressions }} are filled in"
    )
    line: Template = Field(
        Template("Identifier"), description="Heading of the lines; {{ expressions }} are filled in"
    )
    match: Match | None = Field(None, description="How well both fit")
    lines: list[Line] = Field(min_length=1, max_length=60)
    need: Need | None = Field(None, description="What the lines have to come to")

    def found(self, at: At) -> Data:
        """Each line with its verdict."""
        lines, total = at.parts("lines")
        match, need = at.inside("match"), at.inside("need")
        shown = {
            "match": match.made(
                value=match.number("value", "how well both fit"),
                line=match.number("line", "the line"),
                label=match.text("line_label"),
            )
            if match
            else None,
            "need": need.made(
                verdict=self.need.verdict if self.need else None,
                count=need.number("count", "how many are needed"),
                text=need.text("text"),
                remark=need.text("remark"),
            )
            if need
            else None,
        }
        heads = {name: at.text(name) for name in ("ours", "theirs", "line")}
        return {
            **heads,
            "lines": [_line(line) for line in lines],
            **at.more("lines", total - len(lines)),
            **{name: part for name, part in shown.items() if part},
        }

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """Each line in words, how many say what, and what is still needed."""
        lines = _grouped([_in_words(line, say) for line in data["lines"]])
        told = Counter(_verdict_and_word(line) for line in lines if line["counts"] and line["verdict"])
        tally = ", ".join(
            f"{count} {own or (WORDS[word].lower() if count == 1 else PLURALS[word])}"
            for word in WORDS
            for (verdict, own), count in told.items()
            if verdict == word
        )
        heads = {f"{name}_head": say(data[name]) for name in ("ours", "theirs", "line")}
        first = SHOWN if len(lines) > UNFOLDED else len(lines)
        return {
            **heads,
            "lines": [line for number, line in enumerate(lines) if number < first or line["hot"]],
            "folded": [line for line in lines[first:] if not line["hot"]],
            "tally": tally,
            "left_out": left_out(data),
            "match": _match(data, say),
            "need": _need(data, lines, say),
        }


def verdicts_alone(block: Comparison) -> Comparison:
    """The comparison with nothing but its lines that stand once under a fixed label, and of those only what their verdicts rest on."""
    bare = {
        "group": None,
        "ours_remark": None,
        "theirs_remark": None,
        "verdict": None,
        "hot": None,
        "counts": None,
    }
    lines = [
        line.model_copy(update=bare) for line in block.lines if line.each is None and "{{" not in line.label
    ]
    return block.model_copy(
        update={"title": None, "remark": None, "empty": None, "match": None, "need": None, "lines": lines}
    )


def _line(at: At) -> Data:
    ours, theirs = at.leaf("ours"), at.leaf("theirs")
    made = at.made(
        label=at.text("label"),
        group=at.text("group"),
        ours=ours,
        theirs=theirs,
        ours_remark=at.text("ours_remark"),
        theirs_remark=at.text("theirs_remark"),
        verdict=_verdict(at, ours, theirs),
        words=at.text("verdict"),
    )
    counts, hot = (at.leaf(name) for name in ("counts", "hot"))
    made |= {"counts": {"from": counts["from"], "value": counts["value"] is not False}} if counts else {}
    return made | ({"hot": {"from": hot["from"], "value": hot["value"] is True}} if hot else {})


def _verdict(at: At, ours: Leaf | None, theirs: Leaf | None) -> Leaf:
    """The verdict of the document's own expression; without one it rests on both values. Where a side says nothing it is unknown."""
    verdict = at.leaf("same")
    if verdict is not None:
        silent = any(leaf is not None and _silent(leaf) for leaf in (ours, theirs))
        return {"from": verdict["from"], "value": _word(None if silent else verdict["value"])}
    sides = [leaf or {"value": None} for leaf in (ours, theirs)]
    return {"from": [leaf["from"] for leaf in (ours, theirs) if leaf], "value": _word(_same(*sides))}


def _silent(leaf: Leaf) -> bool:
    """Whether a side says nothing; a value that this reader may not see is there all the same."""
    return not hidden(leaf) and leaf.get("value") in (None, "", [])


def _word(same: Any) -> str:
    return "same" if same is True else "differs" if same is False else "unknown"


def _same(ours: Leaf, theirs: Leaf) -> Any:
    """Whether both are equal; of lists whether any is; unknown where one side says nothing."""
    if _silent(ours) or _silent(theirs):
        return None
    shape = (ours.get("look") or {}).get("as")
    found = [
        _equal(value, other, shape) for value in _listed(ours["value"]) for other in _listed(theirs["value"])
    ]
    return (
        True
        if any(each is True for each in found)
        else False
        if all(each is False for each in found)
        else None
    )


def _equal(value: Any, other: Any, shape: str | None) -> Any:
    """Whether two values are equal: 100 is 100.00, and it is unknown whether a whole date lies in a year that is known alone."""
    numbers = [operands.number_of(one) for one in (value, other)] if shape in NUMERIC else [None]
    if None not in numbers:
        return numbers[0] == numbers[1]
    if shape == "day" and isinstance(value, str) and isinstance(other, str) and value != other:
        return None if value.startswith(other) or other.startswith(value) else False
    return operands.equal(_plain(value), _plain(other))


def _listed(value: Any) -> list[Any]:
    return value[:100] if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _agreeing_first(ours: Leaf, theirs: Leaf) -> tuple[Leaf, Leaf]:
    """Both sides, of lists first the values that are equal: they are what the verdict is about."""
    shape = (ours.get("look") or {}).get("as")
    left, right = _listed(ours["value"]), _listed(theirs["value"])
    pairs = ((value, other) for value in left for other in right if _equal(value, other, shape) is True)
    value, other = next(pairs, (left[0], right[0]) if left and right else (None, None))
    return _begun_with(ours, value), _begun_with(theirs, other)


def _begun_with(leaf: Leaf, value: Any) -> Leaf:
    if not isinstance(leaf["value"], list) or value not in leaf["value"]:
        return leaf
    at = leaf["value"].index(value)
    return {**leaf, "value": [value, *leaf["value"][:at], *leaf["value"][at + 1 :]]}


def _in_words(line: Data, say: Say) -> Data:
    sides = line["ours"], line["theirs"]
    if not hidden(*sides):
        sides = _agreeing_first(*sides)
    shut = hidden(line["verdict"])
    counts = (line.get("counts") or {"value": True})["value"] is not False
    verdict = None if shut else line["verdict"]["value"]
    return {
        "label": label_in(line, say),
        "group": say(line.get("group")),
        **{
            side: _side(leaf, line.get(f"{side}_remark"), say)
            for side, leaf in zip(("ours", "theirs"), sides, strict=True)
        },
        "verdict": verdict,
        "word": say(line["verdict"]) if shut else WORDS[line["verdict"]["value"]],
        "words": say(line.get("words")),
        "counts": counts,
        "hot": (line.get("hot") or {}).get("value") is True,
    }


def _verdict_and_word(line: Data) -> tuple[str, str]:
    """The verdict of a line, and its own word where that says less than Same: *Alike* is not counted as the same."""
    return line["verdict"], str(line["words"] or "").lower() if line["verdict"] == "same" else ""


def _grouped(lines: list[Data]) -> list[Data]:
    """The lines of each group together, in the order of the groups; all as they are where there is one group alone."""
    groups = list(dict.fromkeys(line["group"] for line in lines))
    return (
        sorted(lines, key=lambda line: groups.index(line["group"]))
        if len(groups) > 1
        else [{**line, "group": ""} for line in lines]
    )


def _side(leaf: Leaf, remark: Leaf | None, say: Say) -> Data:
    """A value in words; of several the first, and how many more there are."""
    value = leaf.get("value")
    several = isinstance(value, list) and len(value) > 1
    first = {**leaf, "value": value[0]} if several and isinstance(value, list) else leaf
    more = f"and {len(value) - 1:,} more" if several and isinstance(value, list) else ""
    aside = "" if hidden(leaf) else " · ".join(part for part in (more, say(remark)) if part)
    return {
        "shown": say(first),
        "aside": aside,
        "hidden": hidden(leaf),
        "missing": value in (None, "", []) and not hidden(leaf),
    }


def _match(data: Data, say: Say) -> Data | None:
    given = data.get("match")
    if given is None:
        return None
    value, line = number_in(given["value"]), number_in(given.get("line"))
    whole = Decimal(1)
    return {
        "shown": say({**given["value"], "look": FITS}),
        "width": share(value, whole) if value is not None else None,
        "line": share(line, whole) if line is not None else None,
        "line_shown": " ".join(part for part in (say(given.get("line")), say(given.get("label"))) if part),
    }


def _need(data: Data, lines: list[Data], say: Say) -> Data | None:
    given = data.get("need")
    if given is None:
        return None
    count = number_in(given["count"])
    shut = hidden(given["count"], *(line["verdict"] for line in data["lines"]))
    have = sum(line["verdict"] == given["verdict"] and line["counts"] for line in lines)
    of = min(int(count), 12) if count is not None else 0
    words = say(given["text"]), say(given.get("remark"))
    return {
        "text": words[0],
        "remark": words[1],
        "have": None if shut else have,
        "of": of,
        "full": 0 if shut else min(have, of),
    }
