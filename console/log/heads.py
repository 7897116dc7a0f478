"""The tree over the log as it is kept: tiles in a table, grown by what has a new place, and heads of it signed for outsiders.

Whoever grows the tree holds a lock; the signing key is handed in, and only the worker and the command line have it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console.db import tables
from console.db.engine import borrowed, fetch, transaction
from console.log import checkpoint
from console.log.tree import HASH_BYTES, WIDTH, Tiles

AT_ONCE = 100_000


class Table:
    """Tiles in the console's database, read and written within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, level: int, index: int) -> bytes:
        """The hashes of a tile side by side. Raises KeyError where there is none."""
        tile = tables.tile.c
        found = self.connection.execute(sa.select(tile.hashes).where(tile.level == level, tile.index == index)).scalar()
        if found is None:
            raise KeyError((level, index))
        return bytes(found)

    def put(self, level: int, index: int, tile: bytes) -> None:
        """Keep a tile in place of the shorter one that was there."""
        insert = postgresql.insert(tables.tile).values(level=level, index=index, hashes=tile)
        self.connection.execute(insert.on_conflict_do_update(index_elements=["level", "index"], set_={"hashes": tile}))


@contextmanager
def grown() -> Iterator[Tiles]:
    """The tree with everything that has a place by now; what was new is committed when the block ends."""
    with transaction() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.tree'))"))
        version = tables.version
        size = connection.execute(sa.select(version.c.number).where(version.c.name == "tree")).scalar_one()
        tree = Tiles(Table(connection), size)
        while leaves := _placed(connection, tree.size):
            tree.append(leaves)
        if tree.size != size:
            connection.execute(sa.update(version).where(version.c.name == "tree").values(number=tree.size))
        yield tree


def _placed(connection: Connection, after: int) -> Sequence[bytes]:
    """Leaves of the events whose place comes after `after`, in order; places have no gaps."""
    activity, event = tables.activity.c, tables.event.c
    found = (
        sa.select(event.leaf)
        .select_from(tables.activity.join(tables.event, event.id == activity.event))
        .where(activity.pos > after, activity.pos <= after + AT_ONCE)
        .order_by(activity.pos)
    )
    return [bytes(leaf) for (leaf,) in connection.execute(found)]


@contextmanager
def signing() -> Iterator[None]:
    """Nobody else signs a head while the block lasts, in any process; waits for who does. A process that dies lets go at once."""
    with borrowed() as driver:
        driver.execute("select pg_advisory_lock(hashtext('console.head'))")
        try:
            yield
        finally:
            if not driver.closed:
                driver.execute("select pg_advisory_unlock(hashtext('console.head'))")


def sign(origin: str, seeds: Sequence[bytes]) -> str | None:
    """Sign the head of the tree as it is now and keep it; the note, or None where one of this size is kept already, or there is nothing yet.

    At a change of key both sign, the older first; the last one is the key of the log from then on.
    """
    with grown() as tree:
        size = tree.size
        if size == 0 or newest_size() == size:
            return None
        note = checkpoint.sign(origin, size, tree.root(), seeds)
    row = {"size": size, "note": note, "key": str(checkpoint.verifier_key(origin, seeds[-1]))}
    with transaction() as connection:
        kept = connection.execute(
            postgresql.insert(tables.checkpoint).values(row).on_conflict_do_nothing().returning(tables.checkpoint.c.size)
        )
        return note if kept.first() else None


def leaves(size: int) -> Iterator[bytes]:
    """The first `size` leaves as they were when they got their place, side by side, some at a time; from the tiles, not from the events."""
    index = 0
    while index * WIDTH < size:
        rows = fetch("select hashes from console.tile where level = 0 and index >= %s order by index limit 64", (index,), binary=True)
        if not rows:
            return
        for (hashes,) in rows:
            yield bytes(hashes)[: HASH_BYTES * (size - index * WIDTH)]
            index += 1
            if index * WIDTH >= size:
                return


def verifier_key() -> str | None:
    """The public key of the newest head, None before the first. Web processes learn it here: the signing key is not theirs."""
    rows = fetch("select key from console.checkpoint order by size desc limit 1")
    return str(rows[0][0]) if rows else None


def verifier_keys() -> list[str]:
    """The public keys of all heads, the newest first: several after a change of key."""
    return [str(row[0]) for row in fetch("select key from console.checkpoint group by key order by max(size) desc")]


def newest_size() -> int:
    """Size of the newest signed head, 0 before the first."""
    return int(fetch("select coalesce(max(size), 0) from console.checkpoint")[0][0])


def newest() -> tuple[int, str, datetime] | None:
    """(size, note, when) of the newest signed head; None before the first."""
    rows: list[Any] = fetch("select size, note, at from console.checkpoint order by size desc limit 1")
    return (int(rows[0][0]), rows[0][1], rows[0][2]) if rows else None
