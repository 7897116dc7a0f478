"""The documentation as the console shows it: Markdown files drawn as pages, and found by their words."""

import math
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from console.core.errors import NotFound
from console.views import app, frame

DOCS = app.folder_of("docs")
FIRST = "README"
SHOWN = 20
MOST_WORDS = 12
ALIKE = 0.92
"""How alike a searched word and a word of a page are at least, 1 for equal: "installing" finds "install", "backup" finds "back"."""
COMMON = 0.15
"""Words that stand in more of the sections than this say little ("how", "to"), and are searched for only where there are no others."""
TITLE, HEADING, TEXT = 4.0, 3.0, 1.0
"""What a word weighs by where it stands."""
FOR_DEVELOPERS = ("adr/", "developers/")
"""Pages that come after the others: they count half."""

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_word = re.compile(r"\w+")
_sentence = re.compile(r"(?<=[.!?]) +(?=\S)")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a page and the sentences, cells and commands under it. `anchor` is "" for what stands above the first one."""

    page: str
    title: str
    heading: str
    anchor: str
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name is its path without `.md`. `html` lacks the title; `sections` are in their order."""

    name: str
    title: str
    html: Markup
    sections: list[Section]


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that was found, and its sentence that answers best, with the found words marked."""

    section: Section
    sentence: Markup


@cache
def names() -> frozenset[str]:
    """Return the names of all pages."""
    return frozenset(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


@cache
def page(name: str) -> Page:
    """Return a page of the documentation.

    Raises NotFound.
    """
    if name not in names():
        raise NotFound("There is no such page in Help. Search for its words.", code="page_not_found")
    tokens = _markdown.parse((DOCS / f"{name}.md").read_text(encoding="utf-8"))
    title = _plain(tokens[1])
    body = [token for token in tokens[3:] if token.type != "html_block"]
    sections = _sections(name, title, body)
    for token in body:
        if token.children:
            token.children = list(_relinked(name, token.children))
    html = nh3.clean(
        _markdown.renderer.render(body, _markdown.options, {}),
        tags=frame.PROSE | {"img"},
        attributes=frame.PROSE_ATTRIBUTES
        | {f"h{level}": {"id"} for level in range(2, 7)}
        | {"img": {"src", "alt"}},
        url_schemes=frame.PROSE_SCHEMES,
    )
    return Page(name, title, Markup(html), sections)  # noqa: S704 (it was cleaned)


def file(name: str) -> Path | None:
    """Return a picture or an example that pages link to, None for anything else."""
    return next((path for path in _files() if path.relative_to(DOCS).as_posix() == name), None)


@cache
def _files() -> list[Path]:
    return [path for path in DOCS.rglob("*") if path.suffix in {".png", ".json"}]


def _plain(token: Token) -> str:
    """Return the text of a paragraph, cell or heading without marks."""
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children or ())


def _sections(name: str, title: str, body: list[Token]) -> list[Section]:
    """Return the sections of a page, and give its headings their anchors."""
    found = [Section(name, title, title, "", [])]
    for before, token in zip([None, *body], body, strict=False):
        if token.type == "inline" and before and before.type == "heading_open":
            anchor = _anchor(token.content)
            before.attrSet("id", anchor)
            found.append(Section(name, title, _plain(token), anchor, []))
        elif token.type == "inline":
            found[-1].sentences.extend(_sentence.split(_plain(token)))
        elif token.type == "fence":
            found[-1].sentences.extend(filter(None, token.content.splitlines()))
    return found


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _relinked(name: str, children: list[Token]) -> Iterator[Token]:
    """Return the parts of a line with the addresses that links and pictures have in Help. What lies outside the documentation is no link."""
    dropped = False
    for child in children:
        attribute = "src" if child.type == "image" else "href"
        if child.type in {"link_open", "image"}:
            to = _address(name, str(child.attrGet(attribute)))
            dropped = to is None
            child.attrSet(attribute, to or "")
        if not (dropped and child.type in {"link_open", "link_close"}):
            yield child


def _address(name: str, target: str) -> str | None:
    if re.match(r"[a-z]+:|#", target):
        return target
    path, mark, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if path.removesuffix(".md") not in names() and file(path) is None:
        return None
    return f"/help/{path.removesuffix('.md')}{mark}{anchor}"


@cache
def _index() -> tuple[list[Section], dict[str, dict[int, float]]]:
    """Return all sections, and word → number of a section → weight there."""
    sections = [section for name in sorted(names() - {FIRST}) for section in page(name).sections]
    weights: dict[str, dict[int, float]] = defaultdict(dict)
    for number, section in enumerate(sections):
        share = 0.5 if section.page.startswith(FOR_DEVELOPERS) else 1
        for text, weight in (
            *((sentence, TEXT) for sentence in section.sentences),
            (section.title, TEXT if section.anchor else TITLE),
            (section.heading, HEADING),
        ):
            for word in _words(text):
                weights[word][number] = max(weight * share, weights[word].get(number, 0))
    return sections, dict(weights)


def _words(text: str) -> list[str]:
    return _word.findall(text.casefold())


def search(text: str) -> list[Hit]:
    """Return the sections that answer best, the best one first: rare words and words of headings count most, and more of the words count more."""
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    sections, index = _index()
    searched = list(dict.fromkeys(_words(text)))[:MOST_WORDS]
    telling = [word for word in searched if len(index.get(word, ())) < COMMON * len(sections)] or searched
    scores: Counter[int] = Counter()
    matched: Counter[int] = Counter()
    alike: set[str] = set()
    for word in telling:
        best: dict[int, float] = {}
        near = process.extract(
            word, list(index), scorer=JaroWinkler.similarity, score_cutoff=ALIKE, limit=SHOWN
        )
        for found, likeness, _ in near:
            rarity = math.log(1 + len(sections) / len(index[found])) * likeness**8
            for number, weight in index[found].items():
                best[number] = max(best.get(number, 0), weight * rarity)
        alike |= {found for found, _, _ in near}
        scores.update(best)
        matched.update(best.keys())
    ranked = sorted(scores, key=lambda number: -scores[number] * matched[number] ** 2)
    return [Hit(sections[number], _marked(sections[number], alike)) for number in ranked[:SHOWN]]


def _marked(section: Section, alike: set[str]) -> Markup:
    """Return the sentence with the most of the found words, which are marked."""
    sentence = max(section.sentences, key=lambda each: len(alike.intersection(_words(each))), default="")
    return Markup().join(
        Markup("<mark>{}</mark>").format(part) if part.casefold() in alike else part
        for part in re.split(r"(\w+)", sentence)
    )
