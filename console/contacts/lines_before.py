"""Which line of a file was the first about somebody: kept in a small database beside the file, so that a million lines need no memory.

It holds no name and no address, only numbers made of them with a secret of the file. A process that goes on with the file finds it as it was.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

ASKED = 500


class LinesBefore:
    """Answers for lines in the order of the file."""

    def __init__(self, connection: sqlite3.Connection, secret: bytes) -> None:
        self._connection, self._secret = connection, secret

    def first(self, numbered: Sequence[tuple[int, str]]) -> Mapping[int, int]:
        """Line → the first line about the same, which may be itself; takes (line, who it is about)."""
        named = {number: self._number(who) for number, who in numbered}
        with self._connection:
            self._connection.executemany("insert into line values (?, ?) on conflict do nothing", [(who, n) for n, who in named.items()])
        found: dict[int, int] = {}
        wanted = list(dict.fromkeys(named.values()))
        for start in range(0, len(wanted), ASKED):
            part = wanted[start : start + ASKED]
            marks = ",".join("?" * len(part))
            found |= dict(self._connection.execute(f"select who, number from line where who in ({marks})", part))  # noqa: S608 (marks only)
        return {number: found[who] for number, who in named.items()}

    def _number(self, who: str) -> int:
        return int.from_bytes(hashlib.blake2b(who.encode("utf-8", "replace"), digest_size=8, key=self._secret[:64]).digest(), signed=True)


@contextmanager
def lines_before(path: Path, secret: bytes) -> Iterator[LinesBefore]:
    """The lines of one reading of a file."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("pragma synchronous = off")  # what a lost machine forgets is found in the contacts themselves
        connection.execute("create table if not exists line (who integer primary key, number integer not null)")
        yield LinesBefore(connection, secret)


def no_lines_before(numbered: Sequence[tuple[int, str]]) -> Mapping[int, int]:
    """For a few lines that are looked at by themselves."""
    firsts: dict[str, int] = {}
    return {number: firsts.setdefault(who, number) for number, who in numbered}
