"""The console's own tables in PostgreSQL: engines, transactions, ids and migrations.

The functions are loaded when they are first asked for: the command line imports `console.infra.db.release`, and SQLAlchemy only where a command reads or writes.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.infra.db.engine import fetch, hot_engine, read_row, read_rows, read_value, transaction
    from console.infra.db.ids import new_id, uuid7_text

OPEN_MODULES = frozenset(
    {
        "dump",
        "engine",
        "fitness",
        "ids",
        "migrate",
        "presence",
        "process_cache",
        "release",
        "replica",
        "request_writes",
        "run_reach",
        "server",
        "tables",
        "tidying",
        "timelines",
        "troubles",
    }
)


def __getattr__(name: str) -> Any:
    if name in {"fetch", "hot_engine", "read_row", "read_rows", "read_value", "transaction"}:
        from console.infra.db import engine

        return getattr(engine, name)
    if name in {"new_id", "uuid7_text"}:
        from console.infra.db import ids

        return getattr(ids, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
