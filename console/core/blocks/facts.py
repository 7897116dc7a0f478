"""Facts: a grid of figures in two or three columns, what is remarked after each."""

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
    Tones,
    hidden,
    label_in,
    left_out,
)

SHOWN = 9
"""Facts that are shown at once; the others unfold."""


class Fact(Repeated, Figure):
    """One figure."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")
    of: Expr | None = Field(
        None, description="Expression for what it is a part of, shown after it alike: 6 of 6"
    )
    remark: Template | None = Field(
        None, description="What is said after the figure; {{ expressions }} are filled in"
    )
    none: Template = Field(
        Template("None"),
        description="What stands there where there is no value; {{ expressions }} are filled in",
    )
    tone: Tones = Field(
        "none", description="Tone of the remark, or of the figure where there is none; a word, or cases"
    )


class Facts(Block):
    """Figures, figure first and remark after."""

    entries = "facts"
    block: Literal["facts"]
    columns: Literal[2, 3] = Field(3, description="Columns on a wide page")
    facts: list[Fact] = Field(min_length=1, max_length=60)

    def found(self, at: At) -> Data:
        """Each fact as leaves."""
        facts, total = at.parts("facts")
        made = [
            fact.made(
                label=fact.text("label"),
                value=fact.leaf(),
                of=fact.leaf("of"),
                remark=fact.text("remark"),
                none=fact.text("none"),
                tone=fact.tone(),
            )
            for fact in facts
        ]
        return {"columns": self.columns, "facts": made, **at.more("facts", total - len(made))}

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """Each fact in words."""
        facts = [_in_words(fact, say) for fact in data["facts"]]
        columns = 2 if len(facts) == 4 else data["columns"]  # the fourth does not stand alone
        return {
            "columns": min(columns, max(1, len(facts))),
            "facts": facts,
            "shown": SHOWN,
            "left_out": left_out(data),
        }


def _in_words(fact: Data, say: Say) -> Data:
    shut = hidden(fact["value"])
    missing = fact["value"].get("value") in (None, "", []) and not shut
    figure = say(fact["none"] if missing else fact["value"])
    if "of" in fact and not shut and not missing:
        figure += f" of {say(fact['of'])}"
    tone = (fact.get("tone") or {}).get("value", "none")
    remark = "" if shut or (missing and not _whole(fact.get("remark"))) else say(fact.get("remark"))
    return {"label": label_in(fact, say), "figure": figure, "remark": remark, "tone": tone, "hidden": shut}


def _whole(remark: Leaf | None) -> bool:
    """Whether nothing is missing from a sentence: beside a value that is missing, one with a gap says nothing."""
    return all(
        isinstance(part, str) or part.get("value") is not None for part in (remark or {}).get("parts", ())
    )
