"""The console's own tables in PostgreSQL: engines, transactions, ids and migrations."""

from console.db.engine import fetch, hot_engine, transaction
from console.db.ids import new_id, uuid7

__all__ = ["fetch", "hot_engine", "new_id", "transaction", "uuid7"]
