"""Lists of texts in CHECKs: `CHECK (status IN ('open', 'closed'))`, as each database writes it down."""

import re
from collections.abc import Iterator

IN_LIST = re.compile(
    r"""\(?(?:"(?P<quoted>[^"]+)"|`(?P<ticked>[^`]+)`|\[(?P<bracketed>[^\]]+)\]|(?P<plain>\w+))\)?(?:::\w+(?:\(\d+\))?)?\)?"""
    r"""\s*(?:=\s*ANY\s*\(+\s*ARRAY\s*\[|\bIN\s*\()(?P<list>(?:\s*'(?:[^']|'')*'(?:::[\w ]+(?:\(\d+\))?)?\s*,?)+)[\])]""",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'((?:[^']|'')*)'")
NOT_NULL = re.compile(r"\bNOT\s+NULL\b", re.IGNORECASE)
EITHER = re.compile(r"\b(?:OR|CASE|NOT|XOR)\b|\|\|", re.IGNORECASE)
"""Words by which a list holds only where something else does too: `state IN ('done') AND closed_at IS NOT NULL OR state <> 'done'`."""
CHECK = re.compile(r"\bCHECK\s*\(", re.IGNORECASE)


def listed_values(*checks: str) -> dict[str, list[str]]:
    """Columns that any of these CHECKs limits to a list of texts, with the list."""
    return {
        match["quoted"] or match["ticked"] or match["bracketed"] or match["plain"]: [
            item.replace("''", "'") for item in QUOTED.findall(match["list"])
        ]
        for check in checks
        for match in IN_LIST.finditer(check)
        if _always(check, match)
    }


def _always(check: str, match: re.Match[str]) -> bool:
    """Whether the list holds for every row that has a value there."""
    name = re.escape(match["quoted"] or match["ticked"] or match["bracketed"] or match["plain"])
    empty = rf"""\(*["`\[]?{name}["`\]]?\)*(?:::\w+\)*)?\s+IS\s+NULL\)*"""
    rest = QUOTED.sub("''", NOT_NULL.sub("", check[: match.start()] + " " + check[match.end() :]))
    return not EITHER.search(re.sub(rf"\bOR\s+{empty}|{empty}\s+OR\b", "", rest, flags=re.IGNORECASE))


def checks_of(sql: str) -> Iterator[str]:
    """The conditions of the CHECKs in a CREATE TABLE."""
    plain = QUOTED.sub(
        lambda text: "'" + "x" * (len(text[0]) - 2) + "'", sql
    )  # no parenthesis of a text counts
    for begin in CHECK.finditer(plain):
        depth, end = 1, begin.end()
        while depth and end < len(plain):
            depth += {"(": 1, ")": -1}.get(plain[end], 0)
            end += 1
        yield sql[begin.end() : end - (not depth)]
