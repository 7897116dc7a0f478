"""The console's own look at its log: every new event under a signed head within a minute, and the whole log again in rounds, a part at a time.

It finds damage early and names its place. It is no proof: that is what an outsider makes of an export, without us.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from console.infra import subjects
from console.infra.db.engine import alone, fetch, transaction
from console.log import checkpoint, event_lists, tree_heads
from console.log.body import OF_PEOPLE, commitment
from console.log.read import EXPIRED, unsealed
from console.log.tree import HASH_BYTES, WIDTH, root

PART = 20_000
"""Events of one part of a round, of which there is one a minute: about a second of one core, and ten million events in eight hours."""
AT_ONCE = 1_000

_ROWS = """
select a.pos, a.event, e.run, e.run_seq, e.leaf, e.body, before.leaf, v.sub, v.nonce, v.ct,
       a.at, a.kind, a.actor, a.team, a.collection, a.record, a.run, a.workflow, a.origin, a.label
from (select * from console.activity where pos > %(after)s and pos <= %(upto)s
    union all select p.pos, p.event, null, null, null, null, null, null, null, null, null, null from console.archived(%(after)s + 1, %(upto)s) p) a
left join console.event e on e.id = a.event
left join console.event before on before.run = e.run and before.run_seq = e.run_seq - 1
left join lateral (select * from console.event_value v where v.event = e.id limit 1) v on true
order by a.pos
"""
_TILES = "select index, hashes from console.tile where level = %s and index between %s and %s"
_HEADS = "select size, note, key from console.checkpoint where size > %s and size <= %s order by size"
_LOST = """
select e.run, e.run_seq from console.event e where e.id between %(first)s and %(last)s
and not exists (select from console.activity a where a.event = e.id and a.event between %(first)s and %(last)s)
and not exists (select from console.log_pending p where p.id = e.id)
and not exists (select from console.archived_events(array[e.id])) order by e.id limit 1
"""
_NOTED = """
select t.body ->> 'type' = 'activity_archived', (t.body #>> '{data,open,first}')::bigint, (t.body #>> '{data,open,last}')::bigint from (
    select event as id from console.activity where kind in ('activity_archived', 'activity_attached') union all select id from console.log_pending where run = 'sys:config'
) a cross join lateral (select convert_from(e.body, 'UTF8')::jsonb as body from console.event e where e.id = a.id limit 1) t
where t.body ->> 'type' in ('activity_archived', 'activity_attached') order by a.id
"""
_KEEP = """
update console.log_check set upto = %(upto)s, problem = %(problem)s, at = case when %(problem)s::text is null then now() else at end,
    whole_at = case when %(whole)s then now() else whole_at end, owed = %(owed)s::jsonb, heads = %(heads)s, heads_upto = %(heads_upto)s
where name = %(name)s returning name
"""
_COUNT_HEADS = "select count(*) from console.checkpoint where size <= %s"
_SO_FAR = "select name, upto, owed, heads, heads_upto from console.log_check"
NOTES = {"erased": "subject_erased", "expired": "values_expired"}
"""Why a value is gone → the kind of event that accounts for it."""


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
    """The result of the last checks. One statement."""
    rows = fetch(
        "select n.upto, a.at, n.at, r.upto, r.whole_at, coalesce(n.problem, r.problem) from console.log_check n "
        "join console.log_check r on r.name = 'round' left join console.activity a on a.pos = n.upto where n.name = 'new'"
    )
    return Checked(*rows[0])


@dataclass(slots=True)
class Part:
    """A stretch of the log that is looked at, in order, and what has to be remembered from one to the next.

    `owed` are values that are gone with no event after them that accounts for it so far: reason → [first place, how many events].
    `heads` is how many signed heads there were up to place `heads_upto` when a round last ended.
    """

    upto: int = 0
    owed: dict[str, list[int]] = field(default_factory=dict)
    heads: int = 0
    heads_upto: int = 0
    values: bool = True


def check() -> str | None:
    """Check what came under a signed head since the last time, and the next part of the present round; the first problem, None where all is well.

    A bad place is looked at again each time: once it is mended, the check goes on from there. One process at a time does it.
    """
    with alone("log check") as mine:
        if not mine:
            return None
        head = tree_heads.newest()
        return _checked(*head[:2]) if head else _signed_head_missing()


def first_problem() -> str | None:
    """The first problem of the whole log under its newest signed head, but for values, which an export opens and compares; None where all is well."""
    head = tree_heads.newest()
    if head is None:
        return None
    size, note, _ = head
    return _part(Part(values=False), size, size) or _head(size, note)


def _signed_head_missing() -> str | None:
    """A log that had a signed head has one for ever."""
    upto = fetch("select upto from console.log_check where name = 'new'")[0][0]
    problem = _shorter(upto, 0)
    if problem:
        _keep("new", Part(upto), problem)
    return problem


def _checked(size: int, note: str) -> str | None:
    parts = {name: Part(*more) for name, *more in fetch(_SO_FAR)}
    new, part = Part(parts["new"].upto, values=False), parts["round"]
    problem = (
        _shorter(new.upto, size) or _part(new, size, size) or _head(size, note) or _event_without_place(size)
    )
    _keep("new", new, problem)
    if part.upto >= size:
        part = Part(heads=part.heads, heads_upto=part.heads_upto)
    begin = replace(part, owed={reason: [*claim] for reason, claim in part.owed.items()})
    end = min(part.upto + PART, size)
    bad = _part(part, end, size) or (_whole(part, size) if end == size else None)
    if ended := end == size and not bad:
        part.heads, part.heads_upto = fetch(_COUNT_HEADS, (size,))[0][0], size
    _keep("round", begin if bad else part, bad, whole=ended)
    return problem or bad


def _keep(name: str, part: Part, problem: str | None, *, whole: bool = False) -> None:
    columns = {
        "name": name,
        "upto": part.upto,
        "problem": problem,
        "whole": whole,
        "owed": orjson.dumps(part.owed).decode(),
        "heads": part.heads,
        "heads_upto": part.heads_upto,
    }
    fetch(_KEEP, columns)


def _shorter(upto: int, size: int) -> str | None:
    return (
        f"position {upto}: the head signed there is gone; the newest one left is of {size} events"
        if upto > size
        else None
    )


def _whole(part: Part, size: int) -> str | None:
    """Problems that only show at the end of a round: values without an event, and signed heads that are gone."""
    for reason, (first, events) in sorted(part.owed.items()):
        if not event_lists.later(NOTES[reason], size):
            return f"position {first}: values of {events} events, this the first, are gone or changed, and no event after them tells of an erasure or expiry"
    left = fetch(_COUNT_HEADS, (part.heads_upto,))[0][0]
    if left < part.heads:
        return f"position {part.heads_upto}: {part.heads - left} of the {part.heads} signed heads up to there are gone"
    return None


def _event_without_place(size: int) -> str | None:
    """An event that is in the log and neither in the list nor waiting for its place, among those after the newest signed head."""
    return _lost(_event_at(size) + 1, 2**62)


def _event_at(pos: int) -> int:
    rows = fetch("select event from console.places(%(pos)s, %(pos)s)", {"pos": pos})
    return int(rows[0][0]) if rows else 0


def noted_ranges() -> list[tuple[int, int]]:
    """(First, last) place of each month whose rows of the list were archived, as the log says, and not attached again."""
    ranges: dict[int, int] = {}
    for archived, first, last in fetch(_NOTED):
        if archived:
            ranges[first] = last
        else:
            ranges.pop(first, None)
    return [*ranges.items()]


def _lost(first: int, last: int) -> str | None:
    rows = fetch(_LOST, {"first": first, "last": last})
    return (
        f"run {rows[0][0]} event {rows[0][1]}: the event has no place in the list, and waits for none"
        if rows
        else None
    )


def _part(part: Part, upto: int, size: int) -> str | None:
    """The first problem among the places after those of the part up to `upto`, of a tree of `size` leaves; `part` comes as far as all is well."""
    for begin in range(part.upto, upto, AT_ONCE):
        end = min(begin + AT_ONCE, upto)
        rows = fetch(_ROWS, {"after": begin, "upto": end}, binary=True)
        problem = _events(part, rows, begin, end, size) or _signed(begin, end, size)
        ids = [row[1] for row in rows]
        problem = problem or _lost(min(_event_at(begin) + 1, *ids), max(ids))
        if problem:
            return problem
        part.upto = end
    return None


def _events(part: Part, rows: Sequence[Any], begin: int, end: int, size: int) -> str | None:
    first, last = begin // WIDTH, (end - 1) // WIDTH
    tiles = {index: bytes(hashes) for index, hashes in fetch(_TILES, (0, first, last), binary=True)}
    archived = noted_ranges() if any(row[11] is None for row in rows) else []
    if part.values:
        subjects.load({row[7] for row in rows if row[7] and row[7] != EXPIRED})
    for expected, row in enumerate(rows, begin + 1):
        if row[0] != expected:
            return f"position {expected}: the event is missing from the list"
        if row[5] is None:
            return f"position {expected}: the event is missing"
        if row[11] is None and not any(low <= expected <= high for low, high in archived):
            return f"position {expected}: the event is missing from the list, and no event says that it was archived"
        index, place = divmod(expected - 1, WIDTH)
        try:
            problem = _event(part, row, tiles.get(index, b"")[place * HASH_BYTES : (place + 1) * HASH_BYTES])
        except (ValueError, LookupError, TypeError, AttributeError):
            problem = "the event cannot be read: the console never wrote it"
        if problem:
            return f"position {expected}, run {row[2]} event {row[3]}: {problem}"
    if len(rows) < end - begin:
        return f"position {begin + len(rows) + 1}: the event is missing from the list"
    return _above(tiles, size)


def _event(part: Part, row: Any, kept: bytes) -> str | None:
    pos, _, run, number, leaf, body, before, sub, nonce, ct, *columns = row
    if hashlib.sha256(b"\x00" + body).digest() != leaf:
        return "the event was edited: its hash is another"
    if kept != leaf:
        return "another event stood here when the tree was made"
    event = orjson.loads(body)
    if (event["run"], event["run_seq"]) != (run, number):
        return f"the event belongs elsewhere: it says run {event['run']} event {event['run_seq']}"
    if event["prev"] != (bytes(before).hex() if before is not None else "") or (before is None) != (
        number == 1
    ):
        return "the chain is broken: the event before it is another one, or missing"
    if columns[0] is not None and tuple(columns) != (of_body := list_columns(event)):
        wrong = [
            name
            for name, stored, expected in zip(LISTED, columns, of_body, strict=True)
            if stored != expected
        ]
        return f"the activity list says another {' and another '.join(wrong)} than the event. `console rebuild` mends the list"
    return _values(part, pos, event, sub, nonce, ct) if part.values else None


LISTED = ("at", "kind", "actor", "team", "collection", "record", "run", "workflow", "origin", "label")


def list_columns(event: Any) -> tuple[Any, ...]:
    """The columns of the activity list for an event, in the order of `LISTED`: as `console.listed` of the database tells them."""
    actor, target, workflow = event["actor"], event["target"] or {}, event["wf"] or {}
    at = datetime.fromisoformat(event["at"])
    return (
        at,
        event["type"],
        actor["id"],
        actor["team"],
        target.get("coll"),
        target.get("key"),
        event["run"],
        workflow.get("id"),
        actor["kind"],
        event.get("label"),
    )


def _values(part: Part, pos: int, event: Any, sub: str | None, nonce: Any, ct: Any) -> str | None:
    """Whether the values that stand beside the event are those that it commits to; which are gone is remembered, until an event tells why."""
    if (reason := ACCOUNTS.get(event["type"])) in part.owed:
        first, events = part.owed.pop(reason)
        left = events - count if isinstance(count := event["data"]["open"].get("count"), int) else 0
        if left > 0:
            part.owed[reason] = [first, left]
    if not (sealed := event["data"]["sealed"]):
        return None
    opened: Any = {}
    with suppress(subjects.Unreadable):
        opened = unsealed(event["id"], sub, nonce, ct) if sub and ct else {}
    if not opened:
        claim = part.owed.setdefault(EXPIRED if sub == EXPIRED else "erased", [pos, 0])
        claim[1] += 1
        return None
    for name, promised in sealed.items():
        if name not in opened and name.partition("/")[0] in OF_PEOPLE:
            continue  # of a colleague who was erased
        if name not in opened or commitment(bytes.fromhex(opened[name][0]), opened[name][1]) != promised:
            return f"value changed: {name} is not what the event commits to"
    return None


ACCOUNTS = {kind: reason for reason, kind in NOTES.items()}


def _above(tiles: dict[int, bytes], size: int) -> str | None:
    """Whether the whole ones of these tiles of leaves are what the level above was made of."""
    whole = sorted(index for index in tiles if (index + 1) * WIDTH <= size)
    if not whole:
        return None
    above = {
        index: bytes(hashes)
        for index, hashes in fetch(_TILES, (1, whole[0] // WIDTH, whole[-1] // WIDTH), binary=True)
    }
    for index in whole:
        hashes = [tiles[index][at : at + HASH_BYTES] for at in range(0, WIDTH * HASH_BYTES, HASH_BYTES)]
        place = index % WIDTH * HASH_BYTES
        if above.get(index // WIDTH, b"")[place : place + HASH_BYTES] != root(hashes):
            return f"positions {index * WIDTH + 1} to {(index + 1) * WIDTH}: the tree above them was made of other events"
    return None


def _signed(begin: int, end: int, size: int) -> str | None:
    """Whether the heads signed for these sizes are of this log."""
    heads_here = fetch(_HEADS, (begin, end))
    if not heads_here:
        return None
    with transaction() as connection:
        tree = tree_heads.Kept(connection, size)
        return next(
            (problem for signed, note, key in heads_here if (problem := _of_tree(tree, signed, note, key))),
            None,
        )


def _head(size: int, note: str) -> str | None:
    """Whether the newest signed head is one of this log, and of the tree as it is kept."""
    with transaction() as connection:
        return _of_tree(tree_heads.Kept(connection, size), size, note, str(tree_heads.verifier_key()))


def _of_tree(tree: tree_heads.Kept, size: int, note: str, key: str) -> str | None:
    try:
        signed = checkpoint.verified(note, key)
        same = (signed.size, signed.root) == (size, tree.root(size))
    except (checkpoint.Malformed, checkpoint.Unsigned) as error:
        return f"position {size}: the head signed there: {error}"
    except tree_heads.Damaged as error:
        return error.message
    return None if same else f"position {size}: the head signed there is of another tree"
