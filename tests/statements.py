"""What the product asks the database while tests run: each statement that reads runs says for whom.

Statements are looked at once, where they leave for the server, and only those that the product itself sends: a test may look where it likes.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from console.infra.db.run_reach import ALL

ROOT = Path(__file__).parents[1]
OURS, ENGINES, OTHERS = (
    str(ROOT / "console") + "/",
    str(ROOT / "console" / "infra" / "db") + "/",
    (str(ROOT / "tests") + "/", str(ROOT / "migrations") + "/"),
)
TABLE = re.compile(
    r"(?<!update )(?<!into )(?<!delete from )\bconsole\.run\b(?!\.)(?P<after>(?: \w+)? "
    + re.escape(ALL)
    + r")?",
    re.IGNORECASE,
)
READS = re.compile(r"\s*(select|with|insert|update|delete)\b", re.IGNORECASE)
JUDGED = re.compile(r"\blabel is null\b|\bwhere false\b", re.IGNORECASE)

stray: dict[str, str] = {}
"""Statement → who sent it: those that read runs for nobody in particular."""
_seen: set[str] = set()


def reads_for_nobody(statement: str) -> bool:
    """Whether the statement reads runs without saying for whom: neither with the labels of a reader nor marked as the engine's."""
    if not READS.match(statement):
        return False
    found = [match for match in TABLE.finditer(statement) if match["after"] is None]
    return len(found) > len(JUDGED.findall(statement))


def watch() -> None:
    """Look at every statement from now on."""
    execute = psycopg.Cursor.execute

    def looked_at(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        if isinstance(query, str):
            _look(query)
        return execute(self, query, *given, **more)

    psycopg.Cursor.execute = looked_at  # type: ignore[method-assign]


@contextmanager
def all_sent(*sources: sa.Engine) -> Iterator[list[str]]:
    """Every statement that the console's own database is sent meanwhile, on whatever way, and those that these sources are asked."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def executing(cursor: Any, query: Any, *more: Any, **named: Any) -> Any:
        sent.append(str(query))
        return execute(cursor, query, *more, **named)

    def of_source(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", executing)
        for source in sources:
            sa.event.listen(source, "before_cursor_execute", of_source)
        yield sent
        for source in sources:
            sa.event.remove(source, "before_cursor_execute", of_source)


def _look(statement: str) -> None:
    if statement in _seen:
        return
    if "console.run" in statement and reads_for_nobody(statement):
        sender = _sender()
        if sender is None:
            return  # a test's own: the product may send the same
        stray[statement] = sender
    _seen.add(statement)


def _sender() -> str | None:
    """The place in the product that sends the statement; None where a test or a migration does."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(OTHERS) and name != __file__:
            return None
        if name.startswith(OURS) and not name.startswith(ENGINES):
            return f"{name.removeprefix(str(ROOT) + '/')}:{frame.f_lineno}"
        frame = frame.f_back
    return None
