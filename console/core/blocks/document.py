"""Document: a file that opens at the right with the step, the passage that is spoken of, what it says, and whether it was opened."""

import re
from typing import Literal

from pydantic import Field

from console.core import media, speaking
from console.core.blocks.base import At, Block, Data, Expr, Figure, Repeated, Say, Template, hidden, label_in

LONGEST = 2_000
"""Characters of a passage that are kept."""


_KEY = re.compile(r"fil_\w+|[0-9]+|[0-9a-fA-F-]{32,36}")
"""The id of a file or the key of a record: no name of a document."""


class Said(Repeated, Figure):
    """Something that is said of the document."""

    label: Template = Field(description="What it is; {{ expressions }} are filled in")
    remark: Template | None = Field(
        None, description="What is said after the value; {{ expressions }} are filled in"
    )


class Document(Block):
    """A document beside the run."""

    opens = True
    nothing = "No document."
    block: Literal["document"]
    document: Expr = Field(
        description="Expression for the document: a file, its id, the name under which it was handed in, its title, or the column of a record that names it"
    )
    page: Expr | None = Field(
        None, description="Expression for the page; none: the first with the passage, else the first"
    )
    passage: Expr | None = Field(
        None, description="Expression for the passage that is framed where it stands in the document"
    )
    says: list[Said] = Field(default_factory=list, max_length=20, description="What it says")
    open: bool = Field(
        True, description="Whether it opens at the right with the step; the first of several does"
    )

    def found(self, at: At) -> Data:
        """Which document is meant, its page and passage, and what is said of it."""
        document, passage = at.leaf("document"), at.leaf("passage")
        if document is not None and media.is_value(document["value"]):
            document["value"] = {name: document["value"][name] for name in ("file", "name")}
        if passage is not None:
            passage["value"] = passage["value"][:LONGEST] if isinstance(passage["value"], str) else None
        said = [
            part.made(label=part.text("label"), value=part.leaf(), remark=part.text("remark"))
            for part in at.parts("says")[0]
        ]
        page = at.number("page", "the page")
        return {
            "document": document,
            "says": said,
            "open": self.open,
            **{name: leaf for name, leaf in (("page", page), ("passage", passage)) if leaf},
        }

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """The document as the page found it (`data["paper"]`, None where there is none: then its `file` or, in words, the `slot` that it would fill), the passage, and what is said of it."""
        given = data["document"].get("value")
        named = given.get("name") if isinstance(given, dict) else None
        passage = data.get("passage") or {}
        return {
            "hidden": hidden(data["document"]),
            "missing": given in (None, "", []),
            "file": str(named or ""),
            "slot": (
                speaking.code_in_words(given)
                if isinstance(given, str) and not _KEY.fullmatch(given)
                else "A document"
            )
            if named is None
            else "",
            "page": say(data.get("page")) if (data.get("page") or {}).get("value") is not None else "",
            "quote": "" if hidden(passage) else str(passage.get("value") or ""),
            "said": [
                {
                    "label": label_in(line, say),
                    "shown": say(line["value"]),
                    "remark": "" if hidden(line["value"]) else say(line.get("remark")),
                }
                for line in data["says"]
            ],
        }
