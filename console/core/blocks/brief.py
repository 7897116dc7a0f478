"""Brief: what was found, in a few sentences, each with the numbers of the sources that show it."""

from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import At, Block, Data, Expr, Part, Repeated, Say, Template, hidden, left_out

MOST_LINES = 8
MOST_WRITTEN = 16
"""Lines that a brief may have; most are about what only some cases have, and the first that apply are shown."""


class BriefSource(Part):
    """Where a sentence comes from."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="By which lines name it")
    label: Template = Field(description="What it is called; {{ expressions }} are filled in")
    document: Expr | None = Field(
        None, description="Expression for a document that its number opens, as in the block document"
    )
    page: Expr | None = Field(None, description="Expression for the page")
    passage: Expr | None = Field(
        None, description="Expression for the passage that is framed where it stands in the document"
    )


class BriefLine(Repeated):
    """One sentence."""

    text: Template = Field(description="The sentence; {{ expressions }} are filled in")
    sources: list[str] = Field(
        min_length=1, max_length=6, description="The sources that show it, by their id"
    )


class Brief(Block):
    """A few sentences with their sources."""

    heads = True
    cites = True
    nothing = "Nothing was found so far."
    block: Literal["brief"]
    lines: list[BriefLine] = Field(min_length=1, max_length=MOST_WRITTEN)
    sources: list[BriefSource] = Field(min_length=1, max_length=20)

    def found(self, at: At) -> Data:
        """The sentences as leaves, and the sources that they name."""
        lines, total = at.parts("lines", most=MOST_LINES)
        made = [
            line.made(text=line.text("text"), sources=list(getattr(line.part, "sources", ())))
            for line in lines
        ]
        named = {source for line in made for source in line["sources"]}
        sources = [part for part in at.parts("sources")[0] if getattr(part.part, "id", None) in named]
        return {
            "lines": made,
            "sources": [_source(source) for source in sources],
            **at.more("lines", total - len(made)),
        }

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """The sentences of which the reader may see text and sources, with numbers in the order of first mention; `kept_back` counts the others."""
        shown = {
            source["id"]: source
            for source in data["sources"]
            if not hidden(source["label"], source.get("document"))
        }
        shut = {source["id"] for source in data["sources"]} - shown.keys()
        lines = [
            line
            for line in data["lines"]
            if not hidden(line["text"]) and not shut & set(line["sources"]) and say(line["text"]).strip()
        ]
        order = list(dict.fromkeys(source for line in lines for source in line["sources"] if source in shown))
        found: dict[str, Any] = data.get("papers") or {}
        sources = {
            name: {"number": number, "label": say(shown[name]["label"]), "paper": found.get(name)}
            for number, name in enumerate(order, 1)
        }
        return {
            "lines": [
                {
                    "text": say(line["text"]),
                    "cites": [sources[name] for name in line["sources"] if name in sources],
                }
                for line in lines
            ],
            "sources": list(sources.values()),
            "kept_back": sum(
                hidden(line["text"]) or bool(shut & set(line["sources"])) for line in data["lines"]
            ),
            "left_out": left_out(data),
        }


def _source(at: At) -> Data:
    made = at.made(
        label=at.text("label"),
        document=at.leaf("document"),
        page=at.number("page", "the page"),
        passage=at.leaf("passage"),
    )
    return {"id": getattr(at.part, "id", ""), **made}
