"""Whether a worker is there: each holds a lock of the database, shared, for as long as it lives."""

import sqlalchemy as sa

from console.db.engine import hot_engine

PRESENCE = (1_214_346_834, 1)
"""The advisory lock (two numbers)."""

_SOMEBODY_WORKS = sa.text(
    "select exists (select from pg_locks where locktype = 'advisory' and classid = :first and objid = :second and objsubid = 2 and granted"
    " and database = (select oid from pg_database where datname = current_database()))"
)


def somebody_works() -> bool:
    """Whether a worker is there now, on any machine."""
    first, second = PRESENCE
    with hot_engine().connect() as connection:
        return bool(connection.execute(_SOMEBODY_WORKS, {"first": first, "second": second}).scalar_one())
