"""What several pages say of one case or one list is the same on each: when it is due, and how many there are."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape

import pytest

from tests.journeys.conftest import Demo, Program, Visitor
from tests.journeys.test_lived_in import fixture_lived

__all__ = ["fixture_lived"]

pytestmark = pytest.mark.slow

ROW = re.compile(r"<tr\b.*?</tr>|<li\b(?:(?!<li\b).)*?</li>", re.DOTALL)
CASE = re.compile(r"(?:/runs/|/approvals/|resume=)((?:run|apr)_\w+)")
DUE = re.compile(
    r'data-l="Due".*?</td>|class="due num.*?</span>\s|<span class="badge[^>]*>(?:<svg.*?</svg>)?(?:Due |\d+ \w+ overdue).*?</span>',
    re.DOTALL,
)
OVERDUE = re.compile(r"\d+ (?:min|h|d) overdue")
INBOXES = ("kyc", "refund-requests", "compliance-desk", "disputes")


def rows(who: Visitor, path: str) -> Iterator[str]:
    """The rows of a list, page by page."""
    while path:
        text = who.read(path)
        yield from ROW.findall(text.partition("<main")[2])
        following = re.search(r'<a [^>]*href="([^"]+)"[^>]*rel="next"', text)
        path = unescape(following[1]) if following else ""


def due_of(row: str) -> str:
    """By when a row says that its case is due; empty for nothing."""
    cell = DUE.search(row)
    words = " ".join(re.sub(r"<[^>]+>", "", cell[0].partition(">")[2] if cell else "").split())
    return words.removeprefix("Due: ").removeprefix("Due ").strip("–")


def found(pattern: str, text: str) -> str:
    """The number of the first match; "0" without one."""
    match = re.search(pattern, text, re.DOTALL)
    return (match[1] if match else "") or "0"


@pytest.mark.parametrize("name", ["mona", "olivia"])
def test_a_case_is_due_at_the_same_time_on_every_page(lived: Demo, name: str) -> None:
    who, said = Visitor(lived, name), defaultdict[str, dict[str, str]](dict)
    for path in ("/?all=1", "/work", *(f"/inbox/{each}" for each in INBOXES), "/approvals"):
        for row in rows(who, path):
            if case := CASE.search(row):
                said[case[1]][path] = due_of(row)
    program = Program(lived, name)
    listed = {
        ticket["run"]: ticket["due"]
        for inbox in INBOXES
        for ticket in program("GET", f"/inboxes/{inbox}/tickets")[1].get("data", ())
    }
    for item in program("GET", "/work?limit=100")[1]["data"]:
        assert listed.get(item["run"], item["due"]) == item["due"], item
        if item["kind"] != "task" and said[item["id"]]:
            assert bool(item["due"]) is bool(said[item["id"]]["/work"]), item
            if item["collection"]:
                record = who.read(f"/c/{item['collection']}/{item['record']}")
                notice = re.search(
                    rf'<div class="notice (?:(?!<div class="notice).)*?/runs/{item["id"]}\b',
                    record,
                    re.DOTALL,
                )
                said[item["id"]] |= {"record": due_of(notice[0])} if notice else {}
    assert sum(len(pages) > 1 and any(pages.values()) for pages in said.values()) > 5
    assert not {case: pages for case, pages in said.items() if len(set(pages.values())) > 1}


@pytest.mark.parametrize("name", ["mona", "olivia"])
def test_a_figure_is_the_same_on_every_page_and_as_long_as_its_list(lived: Demo, name: str) -> None:
    who = Visitor(lived, name)
    home, work, approvals = who.read("/?all=1"), who.read("/work"), who.read("/approvals")
    rail = who.read("/notices", **{"HX-Request": "true", "HX-Target": "bell"})
    total = 0
    for inbox in INBOXES:
        box = re.search(rf'<a href="/inbox/{inbox}">(?:(?!</li>).)*class="many num".*?</li>', home, re.DOTALL)
        listed = [row for row in rows(who, f"/inbox/{inbox}") if "data-record" in row]
        of_home = found(r'class="many num">([^<]*)<', box[0]) if box else str(len(listed))
        of_work = found(rf'<a href="/inbox/{inbox}">[^<]*<span class="n">([^<]*)<', work)
        late = found(r"([\d,]+) overdue", box[0] if box else "")
        assert of_home == of_work == str(len(listed)), inbox
        assert box is None or late == str(sum(bool(OVERDUE.search(row)) for row in listed)), inbox
        total += int(of_home) if box else 0
    assert found(r'id="count-work"[^>]*>([^<]*)<', rail) == str(total)
    waiting = found(r'id="count-approvals"[^>]*>([^<]*)<', rail)
    assert waiting == found(r'aria-current="page"[^>]*>Waiting <span class="n">([^<]*)<', approvals)
    assert waiting == found(r'<a href="/\?show=decide"[^>]*>Approvals <span class="n">([^<]*)<', home)
    for path, words, figure in re.findall(r'href="(/work\?[^"]*)">([^<]*) <b class="num">([^<]*)<', home):
        listed = [row for row in rows(who, unescape(path)) if 'data-l="Due"' in row]
        assert str(len(listed)) == figure, words
        assert words != "Overdue" or all(OVERDUE.search(row) for row in listed)
