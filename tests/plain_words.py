"""What people read on a page, and what of it they cannot: ids, moments for programs, words of programs, cents, JSON, codes of countries.

What stands under *Technical* is for programs and their makers, and is not read here; nor is what people are told to type (`data-typed`).
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from babel import Locale

VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "use",
        "path",
        "circle",
        "rect",
        "line",
    }
)
UNREAD = frozenset({"script", "style", "template", "noscript", "kbd"})
SPOKEN = ("aria-label", "title", "alt", "placeholder")
VALUES = frozenset({"td", "dd", "ins", "del"})
"""Elements that hold a value and nothing else."""
COUNTRIES = frozenset(
    str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))
) - {"IT", "ID"}
"""Without the ones that are a trade, and what stands above the numbers of records, too."""
RULES = {
    "an id": re.compile(
        r"\b(?:run|evt|usr|wf|fil|rec|apr|eff|aic|key|ses|sub|tsk|tkt)_[0-9a-z]{10,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    ),
    "a moment for programs": re.compile(r"(?<![\w./-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?(?![\w-])"),
    "a word of programs": re.compile(
        r"(?<![\w@./:-])[a-z]+(?:_[a-z]+)+(?![\w@/])|(?<![\w@./:-])(?:(?:steps|record|variables|input)\.[a-z_]+|[a-z]+\.[a-z]+_[a-z_]+)"
    ),
    "a smallest unit": re.compile(
        r"\bminor units?\b|(?<!per )\bcents?\b|\bin its smallest unit\b", re.IGNORECASE
    ),
    "JSON": re.compile(r"[{\[]\s*\"[^\"]*\"\s*[:,\]]|\{\}|\[\]"),
}


@dataclass
class Page(HTMLParser):
    """The texts of a page with the element that they stand in."""

    text: str
    said: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, bool]] = []
        self._shut = 0
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        unread = tag in UNREAD or "data-technical" in told or "data-typed" in told
        if not (unread or self._shut):
            self.said += [(tag, str(told[name])) for name in SPOKEN if told.get(name)]
            if tag == "input" and told.get("type", "text") in ("text", "number") and told.get("value"):
                self.said.append((tag, str(told["value"])))
        if tag not in VOID:
            self._open.append((tag, unread))
            self._shut += unread

    def handle_endtag(self, tag: str) -> None:
        while tag in (open_ for open_, _ in self._open):
            closed, unread = self._open.pop()
            self._shut -= unread
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._shut:
            self.said.append((self._open[-1][0] if self._open else "", " ".join(data.split())))


def unreadable(text: str) -> list[str]:
    """What stands on the page that people cannot read, each with what it is."""
    found = []
    for place, said in Page(text).said:
        found += [
            f"{what}: {match[0]} in “{said[:90]}”"
            for what, rule in RULES.items()
            if (match := rule.search(said))
        ]
        if place in VALUES and said and all(part in COUNTRIES for part in said.split(", ")):
            found.append(f"a code of a country: {said}")
    return found
