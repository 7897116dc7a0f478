"""A document of the docs as a reader takes it in: passages with the words that it sets off, and blocks to be typed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
Kind: TypeAlias = Literal["strong", "em", "code", "lead"]


@dataclass(frozen=True)
class Word:
    """Words that are set off: `strong` is pressed or named, `em` is a title, `code` is typed; `lead` begins a paragraph and ends with its own stop."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        mark = {"strong": "**", "em": "*", "code": "`", "lead": "**"}[self.kind]
        return f"{mark}{self.text}{mark}"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and the text as it stands."""

    language: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A numbered step, or what stands between two headings: its words in their order, and its blocks."""

    title: str
    number: int
    words: tuple[Word, ...]
    blocks: tuple[Block, ...]


@dataclass
class _Open:
    title: str
    number: int = 0
    words: list[Word] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def closed(self) -> Passage:
        return Passage(self.title, self.number, tuple(self.words), tuple(self.blocks))


def _set_off(inline: Token) -> Iterator[Word]:
    kind: Kind | None = None
    said, first = "", False
    children = [token for token in inline.children or () if token.type != "text" or token.content]
    for place, token in enumerate(children):
        if token.type in ("strong_open", "em_open"):
            kind, said, first = ("strong" if token.type == "strong_open" else "em"), "", place == 0
        elif token.type in ("strong_close", "em_close") and kind:
            leads = kind == "strong" and first and said.endswith((".", ":", "?"))
            yield Word("lead" if leads else kind, " ".join(said.rstrip(".,:;").split()))
            kind = None
        elif kind:
            said += token.content or (" " if token.type == "softbreak" else "")
        elif token.type == "code_inline":
            yield Word("code", token.content)


@cache
def passages(name: str) -> tuple[Passage, ...]:
    """The passages of a document of the tree (`docs/tutorial/first-review.md`); what stands outside of a numbered step is numbered 0."""
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text(encoding="utf-8"))
    made = [_Open("")]
    counts: list[int] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline" and before is not None and before.type == "heading_open":
            made.append(_Open(token.content))
        elif token.type == "ordered_list_open":
            counts.append(int(token.attrGet("start") or 1))
        elif token.type == "ordered_list_close":
            counts.pop()
            made.append(_Open(made[-1].title))
        elif token.type == "list_item_open" and token.info:
            made.append(_Open(made[-1].title, counts[-1]))
            counts[-1] += 1
        elif token.type == "inline":
            made[-1].words += _set_off(token)
        elif token.type == "fence":
            made[-1].blocks.append(Block(token.info.strip(), token.content))
    return tuple(one.closed() for one in made if one.words or one.blocks or one.number)


def numbered(name: str) -> dict[int, Passage]:
    """The numbered steps of a document whose numbers run through."""
    found = [one for one in passages(name) if one.number]
    assert [one.number for one in found] == list(range(1, len(found) + 1)), "the steps are numbered 1, 2, 3 …"
    return {one.number: one for one in found}


def blocks(name: str, *languages: str) -> list[Block]:
    """The fenced blocks of these languages, in their order."""
    return [block for passage in passages(name) for block in passage.blocks if block.language in languages]


def words(name: str, *kinds: Kind) -> list[str]:
    """What is set off in these ways, in its order."""
    return [word.text for passage in passages(name) for word in passage.words if word.kind in kinds]
