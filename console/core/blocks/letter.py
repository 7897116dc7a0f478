"""Letter: a message whole, as it was written, with the passage marked that is spoken of."""

import re
from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import At, Block, Data, Expr, Say, Template, Unfit, hidden

LONGEST = 40_000
"""Characters of a message that are kept."""
LINES, WIDTH = 40, 100
"""What is shown before the rest unfolds: lines, each of about so many characters."""


class Letter(Block):
    """A message from outside the house."""

    nothing = "No message."
    block: Literal["letter"]
    sender: Template | None = Field(None, description="Who wrote; {{ expressions }} are filled in")
    sent: Template | None = Field(None, description="How and when; {{ expressions }} are filled in")
    number: Template | None = Field(None, description="Which message it is; {{ expressions }} are filled in")
    body: Expr = Field(description="Expression for the text; HTML in it is shown as it is written")
    mark: Expr | None = Field(None, description="Expression for the passage to mark, or a list of them")

    def found(self, at: At) -> Data:
        """The message, at most 40,000 characters of it."""
        body, mark = at.leaf("body"), at.leaf("mark")
        text = body["value"] if body else None
        if text is not None and not isinstance(text, str):
            raise Unfit("This cannot be shown: the message is not a text.")
        kept = {**body, "value": text[:LONGEST]} if body and text else body
        cut = max(0, len(text or "") - LONGEST)
        heads = {name: leaf for name in ("sender", "sent", "number") if (leaf := at.text(name)) is not None}
        return {**heads, "body": kept, **({"mark": mark} if mark else {}), "cut": cut}

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """Its lines as runs of (text, whether it is marked): those that are shown at once, and the rest."""
        heads = {name: say(data.get(name)) for name in ("sender", "sent", "number")}
        if hidden(data["body"]):
            return {**heads, "hidden": True, "lines": [], "rest": []}
        lines = _lines(str(data["body"].get("value") or ""), _passages(data))
        first = _first(lines)
        return {**heads, "hidden": False, "lines": lines[:first], "rest": lines[first:]}


def _passages(data: Data) -> list[str]:
    """The passages to mark, as far as they are texts."""
    given: Any = (data.get("mark") or {}).get("value")
    return [text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str) and text.strip()][:20]


def _lines(text: str, passages: list[str]) -> list[list[tuple[str, bool]]]:
    """The lines of the text, each in runs. A passage is found whatever its white space, and may go over several lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    marked = sorted(found.span() for passage in passages for found in re.finditer(r"\s+".join(map(re.escape, passage.split())), text))
    runs: list[tuple[str, bool]] = []
    end = 0
    for start, stop in marked:
        if start >= end:
            runs += [(text[end:start], False), (text[start:stop], True)]
            end = stop
    lines: list[list[tuple[str, bool]]] = [[]]
    for words, on in [*runs, (text[end:], False)]:
        for number, piece in enumerate(words.split("\n")):
            if number:
                lines.append([])
            if piece:
                lines[-1].append((piece, on))
    return [] if lines == [[]] else lines


def _first(lines: list[list[tuple[str, bool]]]) -> int:
    """How many lines are shown at once: as many as `LINES` hold when they are broken at `WIDTH`; always one."""
    used = 0
    for number, line in enumerate(lines):
        used += 1 + sum(len(words) for words, _ in line) // WIDTH
        if used > LINES:
            return max(number, 1)
    return len(lines)
