"""The tree over the log as it is kept: tiles in a table, grown by what has a new place, and heads of it signed for outsiders.

Whoever grows the tree holds a lock; the signing key is handed in, and only the worker and the command line have it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console.core.errors import Conflict
from console.infra.db import tables
from console.infra.db.engine import borrowed, engine, fetch, transaction
from console.log import checkpoint, verify
from console.log.tree import EMPTY, HASH_BYTES, WIDTH, Tiles

_GROW, _GROW_ANEW = "select console.grow_tree()", "select console.grow_tree(true)"
_CUT_OFF = """
select exists (select from console.activity where pos > %(size)s)
and not exists (select from console.activity a join console.event e on e.id = a.event where a.pos = %(size)s + 1)
"""
_OTHERS = """
select a.pos from console.activity a join console.event e on e.id = a.event join console.tile t on t.level = 0 and t.index = (a.pos - 1) / 256
where a.pos > %s and a.pos <= %s and substr(t.hashes, 1 + 32 * ((a.pos - 1) %% 256)::integer, 32) <> e.leaf order by a.pos limit 1
"""
_ABOVE = """
select below.index, below.level from console.tile below
left join console.tile above on above.level = below.level + 1 and above.index = below.index / 256
where below.index >= %(size)s >> 8 * (below.level + 1) and below.index < %(upto)s >> 8 * (below.level + 1)
and substr(above.hashes, 1 + 32 * (below.index %% 256)::integer, 32) is distinct from console.tile_root(below.hashes) order by below.index limit 1
"""
_MARK = "select bit_xor(hashtextextended(encode(hashes, 'hex'), level * 1000003 + index)) from console.tile"
_AFTER = "select index, hashes from console.tile where level = 0 and index >= %s"


class Damaged(Conflict):
    """The order of the log is not what was signed; the message begins with the first bad place."""

    default_code = "log_damaged"


class Table:
    """Tiles in the console's database, read within one transaction. The server writes them, from the events alone."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, level: int, index: int) -> bytes:
        """The hashes of a tile side by side. Raises KeyError where there is none."""
        tile = tables.tile.c
        stored = self.connection.execute(
            sa.select(tile.hashes).where(tile.level == level, tile.index == index)
        ).scalar()
        if stored is None:
            raise KeyError((level, index))
        return bytes(stored)


class Kept(Tiles):
    """The tree of the first `size` events as it is kept. Raises Damaged where a part that is needed is not there."""

    def __init__(self, connection: Connection, size: int) -> None:
        super().__init__(Table(connection), size)
        self.connection = connection

    def _hashes(self, level: int, index: int, count: int) -> list[bytes]:
        try:
            return super()._hashes(level, index, count)
        except LookupError:
            raise _not_whole(index, level, self.size) from None


def _not_whole(index: int, level: int, size: int) -> Damaged:
    wide = WIDTH ** (level + 1)
    first, last = index * wide + 1, min((index + 1) * wide, size)
    return Damaged(
        f"positions {first} to {last}: the tree over them is not the one of their events. `console rebuild` makes it anew"
    )


def tree_size(connection: Connection) -> int:
    """How many events the tree has."""
    last = "select index * 256 + length(hashes) / 32 from console.tile where level = 0 order by index desc limit 1"
    return int(connection.exec_driver_sql(last).scalar() or 0)


@contextmanager
def grown() -> Iterator[Kept]:
    """The tree with everything that has a place by now; what was new is committed when the block ends."""
    with transaction() as connection:
        yield Kept(connection, connection.exec_driver_sql(_GROW).scalar_one())


def _require_whole(tree: Kept) -> None:
    """That the tree goes on from the newest signed head, by the events that are there. Raises Damaged: what was signed over it would be of no use.

    Costs what is new since that head.
    """
    connection, (size, root) = tree.connection, _signed()
    if tree.size < size or tree.root(size) != root:
        raise Damaged(
            f"position {min(size, tree.size)}: the tree is not the one whose first {size} events were signed. `console verify` says more."
        )
    if tree.size > (connection.exec_driver_sql("select max(pos) from console.activity").scalar() or 0):
        raise Damaged(f"position {tree.size}: the event is missing from the list")
    if connection.exec_driver_sql(_CUT_OFF, {"size": tree.size}).scalar():
        raise Damaged(f"position {tree.size + 1}: the event is missing")
    other = connection.exec_driver_sql(_OTHERS, (size, tree.size)).scalar()
    if other is not None:
        raise Damaged(f"position {other}: another event stood here when the tree was made")
    if (above := connection.exec_driver_sql(_ABOVE, {"size": size, "upto": tree.size}).first()) is not None:
        raise _not_whole(above[0], above[1], tree.size)


def _signed() -> tuple[int, bytes]:
    """Size and root of the newest signed head; those of no events where there is none, or none that can be read."""
    head = newest()
    with suppress(checkpoint.Malformed):
        if head is not None:
            signed = checkpoint.parse(head[1]).checkpoint
            return signed.size, signed.root
    return 0, EMPTY


def regrown(*, check: bool = False) -> bool:
    """Whether the tree was not what the events lead to, and has been made anew from them (unless `check`, which only looks).

    Only where the events lead to the newest signed head, and what was not signed yet is as it was: otherwise the tree is what tells of
    the damage, and stays.
    """
    size, root = _signed()
    with engine().connect() as connection, connection.begin() as work:
        connection.exec_driver_sql(_GROW)  # what is only new is no difference
        mark = connection.exec_driver_sql(_MARK).scalar()
        tiles = connection.exec_driver_sql(_AFTER, (size // WIDTH,)).all()
        tree = Kept(connection, connection.exec_driver_sql(_GROW_ANEW).scalar_one())
        now = {index: bytes(hashes) for index, hashes in connection.exec_driver_sql(_AFTER, (size // WIDTH,))}
        goes_on = all(
            _goes_on(bytes(was), now.get(index, b""), max(0, size - index * WIDTH) * HASH_BYTES)
            for index, was in tiles
        )
        leads = tree.size >= size and tree.root(size) == root
        same = connection.exec_driver_sql(_MARK).scalar() == mark
        grown = goes_on and leads and not same
        if check or not (grown or same):
            work.rollback()
        return grown


def leaves_lead() -> bool:
    """Whether the leaves in the tree's lowest tiles, all of them, lead to the newest signed head."""
    size, root = _signed()
    tree = verify.Tree()
    for block in leaves(size):
        tree.append([block[at : at + HASH_BYTES] for at in range(0, len(block), HASH_BYTES)])
    return (tree.size, tree.root()) == (size, root)


def _goes_on(was: bytes, now: bytes, start: int) -> bool:
    return now[start:].startswith(was[start:])


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
        _require_whole(tree)
        if size == 0 or newest_size() == size:
            return None
        note = checkpoint.sign(origin, size, tree.root(), seeds)
    row = {"size": size, "note": note, "key": str(checkpoint.verifier_key(origin, seeds[-1]))}
    with transaction() as connection:
        kept = connection.execute(
            postgresql.insert(tables.checkpoint)
            .values(row)
            .on_conflict_do_nothing()
            .returning(tables.checkpoint.c.size)
        )
        return note if kept.first() else None


def leaves(size: int) -> Iterator[bytes]:
    """The first `size` leaves as they were when they got their place, side by side, some at a time; from the tiles, not from the events."""
    index = 0
    while index * WIDTH < size:
        rows = fetch(
            "select hashes from console.tile where level = 0 and index >= %s order by index limit 64",
            (index,),
            binary=True,
        )
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
    return [
        str(row[0])
        for row in fetch("select key from console.checkpoint group by key order by max(size) desc")
    ]


def newest_size() -> int:
    """Size of the newest signed head, 0 before the first."""
    return int(fetch("select coalesce(max(size), 0) from console.checkpoint")[0][0])


def newest() -> tuple[int, str, datetime] | None:
    """(size, note, when) of the newest signed head; None before the first."""
    rows: list[Any] = fetch("select size, note, at from console.checkpoint order by size desc limit 1")
    return (int(rows[0][0]), rows[0][1], rows[0][2]) if rows else None


def covering(place: int) -> tuple[int, str, str, datetime] | None:
    """(size, note, public key, when) of the oldest signed head that has this place of the log; None while there is none."""
    rows: list[Any] = fetch(
        "select size, note, key, at from console.checkpoint where size >= %s order by size limit 1", (place,)
    )
    return (int(rows[0][0]), rows[0][1], str(rows[0][2]), rows[0][3]) if rows else None
