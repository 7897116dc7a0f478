"""The console's own tables in PostgreSQL: engines, transactions, ids and migrations."""

from console.db.engine import fetch, hot_engine, transaction
from console.db.ids import new_id, uuid7

__all__ = [
    "ahead",
    "dump",
    "engine",
    "fetch",
    "fitness",
    "hot",
    "hot_engine",
    "ids",
    "migrate",
    "new_id",
    "presence",
    "release",
    "request_writes",
    "server",
    "tables",
    "tidying",
    "transaction",
    "troubles",
    "uuid7",
]
