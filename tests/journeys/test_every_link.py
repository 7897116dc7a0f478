"""Whatever a page of the demo offers leads somewhere: every link that a person is shown is followed, page by page. None ends in an error, and none says what
only programs can read.
"""

import re
from collections import Counter, deque
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from tests.journeys.conftest import Demo, Visitor
from tests.plain_words import unreadable

pytestmark = pytest.mark.slow

MOST = 200
"""Pages of different shape for each person."""
SAME_SHAPE = 2
"""Of addresses that differ in ids, numbers and search alone, so many are opened."""
KEPT = {"tab", "list", "view", "segment", "kind", "status", "format"}
"""What in an address makes another page of it: its value is part of the shape."""
FOR_PROGRAMS = (
    "/api/docs",
    "/activity/proof",
    "/settings/collections",
    "/settings/sources",
    "/settings/ai",
    "/settings/access",
    "/settings/keys",
    "/schema",
    "/help",
)
"""Where people write for programs: documents of collections, connections, prompts, rules, keys; what proves the log; and the documentation of all that."""
NAMELESS = re.compile(r'<a (?![^>]*(?:aria-|title=))[^>]*href="[^"]+"[^>]*>\s*</a>')
"""A link with nothing to read in it."""
FOR_WRITERS = re.compile(r'<textarea [^>]*class="input mono"[^>]*>.*?</textarea>', re.DOTALL)
"""Where what programs read is written by hand, folded away: a condition as an expression, the document of an SMS gateway."""
BEGINNING = "the beginning"
PEOPLE = ["olivia", "mona", "stan", "malik", "gita", "rosa", "ada", "admin"]
"""One of each kind: operator, lead, buyer, officer, campaign manager, reviewer, auditor, admin."""


class Links(HTMLParser):
    """Where a page leads: links, and what htmx asks for by itself or at a click."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and "download" not in told and told.get("href"):
            self.found.append((told["href"], ""))
        if told.get("hx-get"):
            self.found.append(
                (told["hx-get"], told.get("hx-target", "").removeprefix("#") or told.get("id", ""))
            )


def offered(visitor: Visitor, page: str, path: str) -> bool:
    """Whether the page offers this still: other tests change records, people and runs of the same demo meanwhile."""
    links = Links(visitor.get(page).text).found
    return path in {
        urlsplit(urljoin(visitor.demo.url + page, href))._replace(scheme="", netloc="", fragment="").geturl()
        for href, _ in links
    }


def shape(path: str, target: str) -> str:
    """The address without what names one thing among many of its kind."""
    parts = urlsplit(path)
    place = re.sub(
        r"/(?:[a-z]+_[0-9A-Za-z-]{8,}|\d+|[0-9a-f-]{20,}|[^/]*%[^/]*|ch_\w+)(?=/|$)", "/*", parts.path
    )
    place = re.sub(
        r"^/c/[\w.-]+",
        lambda match: match[0] if match[0] in {"/c/customer", "/c/charge", "/c/supplier"} else "/c/*",
        place,
    )
    place = re.sub(
        r"^/help/.+", "/help/*", place
    )  # tests/views/test_help.py follows the links of all of them
    told = sorted(f"{name}={value}" if name in KEPT else name for name, value in parse_qsl(parts.query))
    return f"{place}?{'&'.join(told)} {target}"


@pytest.mark.parametrize("name", PEOPLE)
def test_every_link_that_a_person_is_shown_leads_somewhere(demo: Demo, name: str) -> None:
    visitor = Visitor(demo, name)
    waiting: deque[tuple[str, str, str]] = deque([("/", "", BEGINNING)])
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    unread, unnamed = set[str](), set[str]()
    opened = 0
    while waiting and opened < MOST:
        path, target, before = waiting.popleft()
        opened += 1
        headers = {"HX-Request": "true", "HX-Target": target} if target else {}
        answer = visitor.get(path, **headers)
        if answer.status not in (200, 204, 303) and (before == BEGINNING or offered(visitor, before, path)):
            wrong.append(f"{answer.status} {path} ({target or 'page'}), from {before}")
        if "text/html" not in str(answer.headers.get("Content-Type", "")):
            continue
        unnamed |= {f"{link}, on {path}" for link in NAMELESS.findall(answer.text)}
        if not path.startswith(FOR_PROGRAMS):
            unread |= {
                f"{what}, on {urlsplit(path).path}" for what in unreadable(FOR_WRITERS.sub("", answer.text))
            }
        for href, into in Links(answer.text).found:
            full = urlsplit(urljoin(demo.url + path, href))
            if f"{full.scheme}://{full.netloc}" != demo.url or full.path.startswith(
                ("/static/", "/sign-out")
            ):
                continue
            there = full.path + (f"?{full.query}" if full.query else "")
            kind = shape(there, into)
            if seen[kind] < SAME_SHAPE:
                seen[kind] += 1
                waiting.append((there, into, path))
    assert not wrong
    assert not unread
    assert not unnamed
    assert opened > 15
