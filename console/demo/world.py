"""The made-up company as rows, for any day: what rows.zip holds, its days counted from that day.

`bench/demo/make.py` makes the file.
"""

import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any

from console.core.working_time import Hours, after
from console.demo.paper_numbers import card_zone, passport_zone

Row = dict[str, Any]
Tables = dict[str, list[Row]]
ROWS = "rows.zip"
HOURS, ANSWER_S = Hours("Europe/Vilnius", frozenset(range(5)), time(8), time(18)), 16 * 3600
"""When tickets are answered, and within how much of that time."""
TOKEN = re.compile(r"\{(d|dotted|month)([+-]\d+)\}")
"""A day within a text: so many days from today as 2026-11-30 or 2026.11.30, or so many months as 2611."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document to be drawn: `form` names the template, `facts` what is printed on it; `row` receives hash and pages.

    `holder` is what the machine-readable zone of an identity paper is made of: the words for `passport_zone`, or for `card_zone` if it has a `code`.
    """

    path: str
    form: str
    facts: dict[str, str]
    row: Row = field(compare=False)
    holder: dict[str, Any] | None = None


@dataclass(slots=True)
class World:
    """Rows of both databases for a company whose present is `today`; `core` and `supply` are table name -> rows."""

    today: date
    core: Tables = field(default_factory=dict)
    supply: Tables = field(default_factory=dict)
    papers: list[Paper] = field(default_factory=list)

    def day(self, offset: int) -> date:
        """The date `offset` days after today; negative is in the past."""
        return self.today + timedelta(days=offset)

    def moment(self, days: float) -> datetime:
        """Midnight UTC of today moved by `days`, which may be a fraction; negative is in the past."""
        exact = datetime.combine(self.today, time(), UTC) + timedelta(days=days)
        return exact.replace(microsecond=0)


def columns(rows: Sequence[Row]) -> list[str]:
    """The column names of rows that all have the same ones."""
    return list(rows[0])


def month_of(today: date, offset: int) -> date:
    """The first day of the month that is so many months after that of `today`."""
    years, month = divmod(today.year * 12 + today.month - 1 + offset, 12)
    return date(years, month + 1, 1)


def text_of(today: date, text: str) -> str:
    """The text with its days counted from `today`."""

    def written(found: re.Match[str]) -> str:
        offset = int(found[2])
        if found[1] == "month":
            return f"{month_of(today, offset):%y%m}"
        day = (today + timedelta(days=offset)).isoformat()
        return day.replace("-", ".") if found[1] == "dotted" else day

    return TOKEN.sub(written, text) if "{" in text else text


def load(today: date) -> World:
    """The company whose present is `today`."""
    world = World(today)
    midnight = datetime.combine(today, time(), UTC)

    def day(value: int | str) -> date:
        return date.fromisoformat(value) if isinstance(value, str) else today + timedelta(days=value)

    readers: dict[str, Callable[[Any], Any]] = {
        "day": day,
        "moment": lambda value: midnight + timedelta(seconds=value),
        "month": lambda value: month_of(today, value),
        "decimal": Decimal,
        "text": lambda value: text_of(today, value),
        "json": lambda value: json.loads(text_of(today, value)),
    }
    with resources.files("console.demo").joinpath(ROWS).open("rb") as file, zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            head, *lines = archive.read(name).decode("utf-8").splitlines()
            named = json.loads(head)
            if name == "papers":
                continue
            database, table = name.split("/")
            reading = [readers.get(kind) for _, kind in named]
            keys = [key for key, _ in named]
            rows = [
                {
                    key: value if value is None or read is None else read(value)
                    for key, value, read in zip(keys, json.loads(line), reading, strict=True)
                }
                for line in lines
            ]
            (world.core if database == "core" else world.supply)[table] = rows
        for ticket in world.core["ticket"]:  # in working hours, which depend on the day of the week
            ticket["sla_due_at"] = ticket["sla_due_at"] and after(HOURS, ticket["created_at"], ANSWER_S)
        for line in archive.read("papers").decode("utf-8").splitlines()[1:]:
            path, form, facts, table, number, holder = json.loads(line)
            facts = {key: text_of(today, value) for key, value in facts.items()}
            if holder is not None:
                holder |= {"birth": day(holder["birth"]), "expires": day(holder["expires"])}
                facts["zone"] = "\n".join(
                    card_zone(**holder) if "code" in holder else passport_zone(**holder)
                )
            row = (world.core if table == "kyc_document" else world.supply)[table][number]
            world.papers.append(Paper(path, form, facts, row, holder))
    return world
