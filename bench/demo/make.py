"""Make console/demo/rows.zip: the demo's company as rows, with every day as its distance from today.

    python bench/demo/make.py

The company is made for three days. What moves with them is written as a distance, what stays is written as it is.
"""

import json
import re
import sys
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.demo import company  # noqa: E402 (the checkout on the path)
from console.demo.world import ROWS, Paper, World  # noqa: E402

FIRST = date(2026, 11, 30)
LATER = FIRST + timedelta(days=371)
"""The same day of the week, in another month and year."""
FIXED = FIRST - timedelta(days=17 * 365)
"""Days before this one, such as birthdays of adults, stay whatever today is: kept tests and documents can name them."""
DAY = re.compile(r"\b\d{4}([-.])\d\d\1\d\d\b")
MONTH = re.compile(r"(?<=INV-)\d{4}")


def moves(day: date, other: date) -> bool:
    """Whether the day is written as its distance from today; `other` is the same day of the later company."""
    return day >= FIXED and day - FIRST == other - LATER


def months(day: date, today: date) -> int:
    """How many months after today's the month of the day is."""
    return (day.year - today.year) * 12 + day.month - today.month


def in_text(text: str, other: str) -> str:
    """The text with the days that moved as tokens; `other` is the same text of the later company."""
    there = DAY.findall(other) and list(DAY.finditer(other))

    def token(number: int, found: re.Match[str]) -> str:
        sign = found[1]
        day, moved = (date.fromisoformat(each.replace(".", "-")) for each in (found[0], there[number][0]))
        if not moves(day, moved):
            return found[0]
        return "{" + f"{'dotted' if sign == '.' else 'd'}{(day - FIRST).days:+d}" + "}"

    for number, found in reversed(list(enumerate(DAY.finditer(text)))):
        text = text[: found.start()] + token(number, found) + text[found.end() :]
    found, moved = MONTH.search(text), MONTH.search(other)
    if found and moved and found[0] != moved[0]:
        year, month = 2000 + int(found[0][:2]), int(found[0][2:])
        text = (
            text[: found.start()]
            + "{month"
            + f"{months(date(year, month, 1), FIRST):+d}"
            + "}"
            + text[found.end() :]
        )
    return text


def kind_of(values: list[Any], others: list[Any]) -> str:
    """How a column is read again."""
    first = next((value for value in values if value is not None), None)
    match first:
        case datetime():
            return "moment"
        case date():
            distances = all(
                one is None or (one - FIRST) == (other - LATER)
                for one, other in zip(values, others, strict=True)
            )
            every_first = all(value is None or value.day == 1 for value in values)
            return "month" if every_first and not distances else "day"
        case Decimal():
            return "decimal"
        case dict() | list():
            return "json"
        case str():
            texts = (
                in_text(one, other)
                for one, other in zip(values, others, strict=True)
                if one is not None and one != other
            )
            return "text" if any("{" in text for text in texts) else "plain"
        case _:
            return "plain"


def written(kind: str, value: Any, other: Any) -> Any:
    """The value as rows.zip holds it."""
    if value is None:
        return None
    match kind:
        case "moment":
            seconds = (value - datetime.combine(FIRST, time(), UTC)).total_seconds()
            return int(seconds) if seconds == int(seconds) else seconds
        case "month":
            return months(value, FIRST)
        case "day":
            return (value - FIRST).days if moves(value, other) else value.isoformat()
        case "decimal":
            return str(value)
        case "text":
            return in_text(value, other)
        case "json":
            texts = (json.dumps(each, ensure_ascii=False) for each in (value, other))
            return in_text(*texts)
    return value


def lines_of(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[Any]:
    """The head of a table, and its rows."""
    kinds = [(name, kind_of([row[name] for row in rows], [row[name] for row in others])) for name in rows[0]]
    return [kinds] + [
        [written(kind, row[name], other[name]) for name, kind in kinds]
        for row, other in zip(rows, others, strict=True)
    ]


def paper_line(world: World, paper: Paper, other: Paper) -> list[Any]:
    """A paper: where it lies, what is printed on it, the row that it belongs to."""
    table = paper.path.partition("/")[0]
    rows = world.core["kyc_document"] if table == "kyc_document" else world.supply[table]
    number = next(number for number, row in enumerate(rows) if row is paper.row)
    facts = {name: in_text(value, other.facts[name]) for name, value in paper.facts.items()}
    holder = paper.holder and paper.holder | {
        name: written("day", paper.holder[name], other.holder[name]) for name in ("birth", "expires")
    }
    return [paper.path, paper.form, facts, table, number, holder]


def main() -> None:
    """Make the company twice, and write it."""
    world, later = company.make(FIRST), company.make(LATER)
    with zipfile.ZipFile(ROOT / "console" / "demo" / ROWS, "w", zipfile.ZIP_LZMA) as archive:

        def put(name: str, lines: list[Any]) -> None:
            text = "\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_LZMA
            archive.writestr(info, text)

        for database in ("core", "supply"):
            for table, rows in getattr(world, database).items():
                put(f"{database}/{table}", lines_of(rows, getattr(later, database)[table]))
        put(
            "papers",
            [[], *(paper_line(world, *pair) for pair in zip(world.papers, later.papers, strict=True))],
        )


if __name__ == "__main__":
    main()
