"""The console's own look at its log: every new event under a signed head within a minute, and the whole log again in rounds, a part at a time.

It finds damage early and names its place. It is no proof: that is what an outsider makes of an export, without us.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from console.db.engine import alone, fetch, transaction
from console.log import checkpoint, heads
from console.log.tree import HASH_BYTES, WIDTH, Tiles, root

PART = 50_000
"""Events of one part of a round: about a second of one core."""
AT_ONCE = 5_000

_ROWS = """
select a.pos, e.run, e.run_seq, e.leaf, e.body, before.leaf from console.activity a join console.event e on e.id = a.event
left join console.event before on before.run = e.run and before.run_seq = e.run_seq - 1 where a.pos > %s and a.pos <= %s order by a.pos
"""
_TILES = "select index, hashes from console.tile where level = %s and index between %s and %s"
_KEEP = """
update console.log_check set upto = %(upto)s, problem = %(problem)s, at = case when %(problem)s::text is null then now() else at end,
    whole_at = case when %(whole)s then now() else whole_at end where name = %(name)s returning name
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """How far the log was checked. `upto` is the last place found in order, `event_at` the moment of the event there.

    `at` is when that was found, `round_upto` how far the present round has come, `whole_at` when a round last ended;
    `problem` names the first bad place, None where all was well.
    """

    upto: int
    event_at: datetime | None
    at: datetime | None
    round_upto: int
    whole_at: datetime | None
    problem: str | None


def state() -> Checked:
    """What the last checks found. One statement."""
    rows = fetch(
        "select n.upto, a.at, n.at, r.upto, r.whole_at, coalesce(n.problem, r.problem) from console.log_check n "
        "join console.log_check r on r.name = 'round' left join console.activity a on a.pos = n.upto where n.name = 'new'"
    )
    return Checked(*rows[0])


def check() -> str | None:
    """Check what came under a signed head since the last time, and the next part of the present round; the first problem, None where all is well.

    A bad place is looked at again each time: once it is mended, the check goes on from there. One process at a time does it.
    """
    with alone("log check") as mine:
        if not mine:
            return None
        head = heads.newest()
        return _checked(*head[:2]) if head else _without_head()


def _without_head() -> str | None:
    """A log that had a signed head has one for ever."""
    upto = fetch("select upto from console.log_check where name = 'new'")[0][0]
    problem = _shorter(upto, 0)
    if problem:
        _keep("new", upto, problem)
    return problem


def _checked(size: int, note: str) -> str | None:
    found = dict(fetch("select name, upto from console.log_check"))
    problem = _shorter(found["new"], size) or _part(found["new"], size, size) or _head(size, note)
    _keep("new", found["new"] if problem else size, problem)
    begin = 0 if found["round"] >= size else found["round"]
    end = min(begin + PART, size)
    bad = _part(begin, end, size)
    _keep("round", begin if bad else end, bad, whole=not bad and end == size)
    return problem or bad


def _keep(name: str, upto: int, problem: str | None, *, whole: bool = False) -> None:
    fetch(_KEEP, {"name": name, "upto": upto, "problem": problem, "whole": whole})


def _shorter(upto: int, size: int) -> str | None:
    return f"the log ends at position {size}, and {upto} had been checked before" if upto > size else None


def _part(after: int, upto: int, size: int) -> str | None:
    """The first problem among the places after `after` up to `upto` of a tree of `size` leaves."""
    for begin in range(after, upto, AT_ONCE):
        end = min(begin + AT_ONCE, upto)
        problem = _events(fetch(_ROWS, (begin, end), binary=True), begin, end, size)
        if problem:
            return problem
    return None


def _events(rows: Sequence[Any], begin: int, end: int, size: int) -> str | None:
    first, last = begin // WIDTH, (end - 1) // WIDTH
    tiles = {index: bytes(hashes) for index, hashes in fetch(_TILES, (0, first, last), binary=True)}
    for expected, (pos, run, number, leaf, body, before) in enumerate(rows, begin + 1):
        if pos != expected:
            return f"position {expected}: the event is missing from the list"
        index, place = divmod(pos - 1, WIDTH)
        problem = _event(
            bytes(body), bytes(leaf), run, number, before, tiles.get(index, b"")[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        )
        if problem:
            return f"position {pos}, run {run} event {number}: {problem}"
    if len(rows) < end - begin:
        return f"position {begin + len(rows) + 1}: the event is missing"
    return _above(tiles, size)


def _event(body: bytes, leaf: bytes, run: str, number: int, before: bytes | None, kept: bytes) -> str | None:
    if hashlib.sha256(b"\x00" + body).digest() != leaf:
        return "the event was edited: its hash is another"
    if kept != leaf:
        return "another event stood here when the tree was made"
    told = orjson.loads(body)
    if (told["run"], told["run_seq"]) != (run, number):
        return f"the event belongs elsewhere: it says run {told['run']} event {told['run_seq']}"
    if told["prev"] != (bytes(before).hex() if before is not None else "") or (before is None) != (number == 1):
        return "the chain is broken: the event before it is another one, or missing"
    return None


def _above(tiles: dict[int, bytes], size: int) -> str | None:
    """Whether the whole ones of these tiles of leaves are what the level above was made of."""
    whole = sorted(index for index in tiles if (index + 1) * WIDTH <= size)
    if not whole:
        return None
    above = {index: bytes(hashes) for index, hashes in fetch(_TILES, (1, whole[0] // WIDTH, whole[-1] // WIDTH), binary=True)}
    for index in whole:
        hashes = [tiles[index][at : at + HASH_BYTES] for at in range(0, WIDTH * HASH_BYTES, HASH_BYTES)]
        place = index % WIDTH * HASH_BYTES
        if above.get(index // WIDTH, b"")[place : place + HASH_BYTES] != root(hashes):
            return f"positions {index * WIDTH + 1} to {(index + 1) * WIDTH}: the tree above them was made of other events"
    return None


def _head(size: int, note: str) -> str | None:
    """Whether the newest signed head is one of this log, and of the tree as it is kept."""
    key = heads.verifier_key()
    try:
        told = checkpoint.verified(note, str(key))
        with transaction() as connection:
            whole = Tiles(heads.Table(connection), size).root()
    except (checkpoint.Malformed, checkpoint.Unsigned, LookupError) as error:
        return f"the signed head of {size} events: {error}"
    return None if (told.size, told.root) == (size, whole) else f"the signed head of {size} events is of another tree"
