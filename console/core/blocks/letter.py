"""Letter: a message whole, as it was written, with the passage marked that is spoken of."""

import re
from typing import Any, Literal, TypeAlias

from pydantic import Field

from console.core.blocks.base import At, Block, Data, Expr, Say, Template, Unfit, hidden

Line: TypeAlias = list[tuple[str, bool]]
"""Runs of (text, whether it is marked)."""
LONGEST = 40_000
"""Characters of a message that are kept."""
LINES, WIDTH = 40, 72
"""What is shown before the rest unfolds: lines, each of about so many characters."""
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the reading direction: with them "00.021" is read as "120.00"."""


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
        text, turns = TURNS.subn("", str(data["body"].get("value") or ""))
        first, rest = _parted(_lines(text, _passages(data)))
        return {**heads, "hidden": False, "lines": first, "rest": rest, "turns": turns}


def _passages(data: Data) -> list[str]:
    """The passages to mark, as far as they are texts."""
    given: Any = (data.get("mark") or {}).get("value")
    return [
        text
        for text in (given if isinstance(given, list) else [given])
        if isinstance(text, str) and text.strip()
    ][:20]


def _lines(text: str, passages: list[str]) -> list[Line]:
    """The lines of the text, each in runs. A passage is found whatever its white space, and may go over several lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    marked = sorted(
        found.span()
        for passage in passages
        for found in re.finditer(r"\s+".join(map(re.escape, passage.split())), text)
    )
    runs: list[tuple[str, bool]] = []
    end = 0
    for start, stop in marked:
        if start >= end:
            runs += [(text[end:start], False), (text[start:stop], True)]
            end = stop
    lines: list[Line] = [[]]
    for words, on in [*runs, (text[end:], False)]:
        for number, piece in enumerate(words.split("\n")):
            if number:
                lines.append([])
            if piece:
                lines[-1].append((piece, on))
    return lines if any(words.strip() for line in lines for words, _ in line) else []


def _parted(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """(what is shown at once: as much as `LINES` hold when lines are broken at `WIDTH`; the rest). A line that is too long by itself is parted."""
    left = LINES
    for number, line in enumerate(lines):
        needs = 1 + sum(len(words) for words, _ in line) // WIDTH
        if needs > left:
            head, tail = _cut(line, LINES * WIDTH) if number == 0 else ([], line)
            return [*lines[:number], *([head] if head else [])], [
                *([tail] if tail else []),
                *lines[number + 1 :],
            ]
        left -= needs
    return lines, []


def _cut(line: Line, at: int) -> tuple[Line, Line]:
    """A line in two: its first `at` characters, and what follows."""
    head: Line = []
    for number, (words, on) in enumerate(line):
        if len(words) > at:
            return [*head, (words[:at], on)], [(words[at:], on), *line[number + 1 :]]
        head.append((words, on))
        at -= len(words)
    return head, []
