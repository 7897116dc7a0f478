"""Lists of texts in CHECKs: `CHECK (status IN ('open', 'closed'))`, as each database writes it down."""

import re

IN_LIST = re.compile(
    r"""\(?(?:"(?P<quoted>[^"]+)"|`(?P<ticked>[^`]+)`|\[(?P<bracketed>[^\]]+)\]|(?P<plain>\w+))\)?(?:::\w+(?:\(\d+\))?)?\)?"""
    r"""\s*(?:=\s*ANY\s*\(+\s*ARRAY\s*\[|\bIN\s*\()(?P<list>(?:\s*'(?:[^']|'')*'(?:::[\w ]+(?:\(\d+\))?)?\s*,?)+)[\])]""",
    re.IGNORECASE,
)
QUOTED = re.compile(r"'((?:[^']|'')*)'")


def listed(text: str) -> dict[str, list[str]]:
    """Columns that a CHECK in this SQL limits to a list of texts, with the list."""
    return {
        match["quoted"] or match["ticked"] or match["bracketed"] or match["plain"]: [
            item.replace("''", "'") for item in QUOTED.findall(match["list"])
        ]
        for match in IN_LIST.finditer(text)
    }
