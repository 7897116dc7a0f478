"""docs/reference/asvs.md: every requirement of ASVS 5.0 up to level 2 once, with evidence that is there, and with what is open."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.test_serve import ROOT

PAGE = ROOT / "docs/reference/asvs.md"
LEVELS = """
1 1:22 2:1111122223 3:112222222223 4:222 5:123
2 1:122 2:112 3:12223 4:23
3 1:3 2:113 3:12223 4:11222233 5:11122333 6:3 7:22333
4 1:12233 2:23333 3:22 4:1222
5 1:2 2:112333 3:113 4:222
6 1:122 2:111111112222 3:11223333 4:112233 5:22222333 6:2223 7:33 8:2222
7 1:222 2:1111 3:22 4:11222 5:223 6:22
8 1:1233 2:1123 3:133 4:23
9 1:111 2:1222
10 1:22 2:223 3:22223 4:1111122222233333 5:22222 6:22 7:222
11 1:2233 2:22233 3:11233 4:1222 5:23 6:23 7:33
12 1:12233 2:11 3:22223
13 1:2333 2:222223 3:2233 4:1222233
14 1:22 2:12223333 3:122
15 1:12233 2:12233 3:1222222 4:3333
16 1:2 2:22222 3:2222 4:222 5:2223
17 1:23 2:22223333 3:22
"""
"""Chapter, then section:levels of its requirements 1, 2, 3 …, of OWASP ASVS 5.0.0."""
WANTS_EVIDENCE, WANTS_WORDS = {"yes", "in part", "no"}, {"in part", "no", "does not apply"}


class Row(NamedTuple):
    """A line of the page."""

    number: str
    level: str
    requirement: str
    state: str
    evidence: str
    open: str


def rows() -> list[Row]:
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def links(row: Row) -> list[tuple[str, Path]]:
    """Words and file of each piece of evidence."""
    found = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", row.evidence)
    return [(words, (PAGE.parent / target).resolve()) for words, target in found]


def test_every_requirement_up_to_level_two_stands_there_once_with_its_level() -> None:
    wanted = [
        (f"{chapter}.{section}.{number}", level)
        for chapter, *sections in (line.split() for line in LEVELS.split("\n") if line)
        for section, levels in (part.split(":") for part in sections)
        for number, level in enumerate(levels, 1)
        if level in "12"
    ]
    assert len(wanted) == 253
    assert [(row.number, row.level) for row in rows()] == wanted


def test_each_piece_of_evidence_is_there() -> None:
    missing = []
    for row in rows():
        for words, file in links(row):
            test = words.strip("`")
            if not file.exists() or (
                test.startswith("test_")
                and not test.endswith(".py")
                and f"def {test}(" not in file.read_text()
            ):
                missing.append((row.number, words))
        if row.state in WANTS_EVIDENCE and not links(row):
            missing.append((row.number, "no evidence"))
    assert missing == []


def test_what_does_not_hold_says_what_is_open() -> None:
    assert {row.state for row in rows()} <= WANTS_EVIDENCE | WANTS_WORDS
    assert [row.number for row in rows() if row.state in WANTS_WORDS and not row.open] == []


def test_the_counts_at_the_top_are_those_of_the_table() -> None:
    told = re.findall(r"^\| (yes|in part|no|does not apply) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    assert {state: int(count) for state, count in told} == Counter(row.state for row in rows())
