"""Which line of a file was the first about somebody, and who opted out on any of its lines: kept in a small database beside the file, so that a million lines need no memory.

It holds no name and no address, only numbers made of them with a secret of the file. A process that goes on with the file finds it as it was.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

Kept = TypeVar("Kept")
ASKED = 500


class LinesBefore:
    """Answers for lines in the order of the file."""

    def __init__(self, connection: sqlite3.Connection, secret: bytes) -> None:
        self._connection, self._secret = connection, secret

    def first(self, numbered: Sequence[tuple[int, str]]) -> Mapping[int, int]:
        """Line → the first line about the same, which may be itself; takes (line, who it is about)."""
        named = {number: self._number(who) for number, who in numbered}
        with self._connection:
            self._connection.executemany(
                "insert into line values (?, ?) on conflict do nothing",
                [(who, n) for n, who in named.items()],
            )
        found: dict[int, int] = {}
        wanted = list(dict.fromkeys(named.values()))
        for start in range(0, len(wanted), ASKED):
            part = wanted[start : start + ASKED]
            marks = ",".join("?" * len(part))
            found |= dict(
                self._connection.execute(f"select who, number from line where who in ({marks})", part)  # noqa: S608 (marks only)
            )
        return {number: found[who] for number, who in named.items()}

    @property
    def looked_through(self) -> int | None:
        """How many lines were looked through for who opted out; None: all of them."""
        [[found]] = self._connection.execute("pragma user_version")
        return None if found < 0 else int(found)

    def note_refusals(
        self, refusals: Iterable[tuple[str, str, bool, datetime | None]], lines: int | None
    ) -> None:
        """Keep (who, channel, whether they opted out of it, or have only not agreed, by when) of the lines up to here, or to the end with None."""
        told = [(self._number(who), channel, opted_out, at) for who, channel, opted_out, at in refusals]
        rows = [(who, channel, opted_out) for who, channel, opted_out, at in told if at is None]
        dated = [(who, channel, at.timestamp()) for who, channel, _, at in told if at is not None]
        with self._connection:
            self._connection.executemany(
                "insert into refusal values (?, ?, ?) on conflict do update set opted_out = opted_out or excluded.opted_out",
                rows,
            )
            self._connection.executemany(
                "insert into dated_opt_out values (?, ?, ?) on conflict do update set at = max(at, excluded.at)",
                dated,
            )
            self._connection.execute(f"pragma user_version = {-1 if lines is None else int(lines)}")

    def refusals(self, whose: Iterable[str]) -> dict[str, dict[str, bool]]:
        """Who → channel → whether they opted out of it, or have only not agreed; those who did neither are left out."""
        return self._kept("refusal", whose, bool)

    def dated_opt_outs(self, whose: Iterable[str]) -> dict[str, dict[str, datetime]]:
        """Who → channel → by when they opted out of it, of those lines that tell it."""
        return self._kept("dated_opt_out", whose, lambda at: datetime.fromtimestamp(at, UTC))

    def _kept(
        self, table: str, whose: Iterable[str], read: Callable[[Any], Kept]
    ) -> dict[str, dict[str, Kept]]:
        named = {self._number(who): who for who in whose}
        numbers, found = list(named), dict[str, dict[str, Kept]]()
        for start in range(0, len(numbers), ASKED):
            part = numbers[start : start + ASKED]
            asked = f"select * from {table} where who in ({','.join('?' * len(part))})"  # noqa: S608 (a name of ours, and marks)
            for who, channel, value in self._connection.execute(asked, part):
                found.setdefault(named[who], {})[channel] = read(value)
        return found

    def _number(self, who: str) -> int:
        return int.from_bytes(
            hashlib.blake2b(who.encode("utf-8", "replace"), digest_size=8, key=self._secret[:64]).digest(),
            signed=True,
        )


@contextmanager
def lines_before(path: Path, secret: bytes) -> Iterator[LinesBefore]:
    """The lines of one reading of a file."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute(
            "pragma synchronous = off"
        )  # what a lost machine forgets is found in the contacts themselves
        connection.execute(
            "create table if not exists line (who integer primary key, number integer not null)"
        )
        connection.execute(
            "create table if not exists refusal (who integer, channel text, opted_out integer not null, primary key (who, channel)) without rowid"
        )
        connection.execute(
            "create table if not exists dated_opt_out (who integer, channel text, at real not null, primary key (who, channel)) without rowid"
        )
        yield LinesBefore(connection, secret)


def no_lines_before(numbered: Sequence[tuple[int, str]]) -> Mapping[int, int]:
    """For a few lines that are looked at by themselves."""
    firsts: dict[str, int] = {}
    return {number: firsts.setdefault(who, number) for number, who in numbered}
