"""An export of a small log, made without a database, and what a forger may do to it."""

import json
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import orjson

from console.log import body, checkpoint, tree
from console.log.body import Fact, Frame, Link, link

ORIGIN = "fernwick.example/log"
SEED, OTHER = bytes(range(32)), bytes(range(32, 64))
VKEY = str(checkpoint.verifier_key(ORIGIN, SEED))
BEGIN = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
CHAINS = (
    *(f"run_{number:026}" for number in range(9)),
    "ses_1",
    "key_1",
    "sys:config",
    'run_with "quotes" and {braces}',
)
ODD = 'O\'Brien "Ж" \\ / \x01\x1f\x7f\u2028 \U0001f600 </script>'


@dataclass(frozen=True)
class Export:
    """The files of an export as values; each forgery changes some of them."""

    lines: tuple[bytes, ...]
    values: tuple[bytes, ...]
    leaves: bytes
    proofs: dict[str, Any]
    checkpoint: str
    key: str = VKEY
    extra: dict[str, bytes] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def files(self) -> dict[str, bytes]:
        """Bytes by name."""
        made = {
            "events.jsonl": b"".join(line + b"\n" for line in self.lines),
            "values.jsonl": b"".join(line + b"\n" for line in self.values),
            "checkpoint": self.checkpoint.encode(),
            "proofs.json": json.dumps(self.proofs).encode(),
            "leaves": self.leaves,
            "key": f"{self.key}\n".encode(),
            "README.txt": b"How to check this.\n",
        }
        return {name: data for name, data in (made | self.extra).items() if name not in self.without}

    def folder(self, path: Path) -> Path:
        """The export as a folder."""
        path.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (path / name).write_bytes(data)
        return path

    def zipped(self) -> bytes:
        """The export as an archive."""
        stream = BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files().items():
                archive.writestr(name, data)
        return stream.getvalue()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The events, parsed."""
        return [orjson.loads(line) for line in self.lines]


@dataclass(frozen=True)
class Log:
    """Events in the order of their places, with their chains."""

    links: tuple[Link, ...]
    chains: tuple[str, ...]

    @property
    def leaves(self) -> list[bytes]:
        """Their leaf hashes."""
        return [made.leaf for made in self.links]


def sealed_of(number: int) -> dict[str, Any]:
    """What event `number` commits to: nothing, or values of every form."""
    forms: list[dict[str, Any]] = [
        {},
        {"values": {"email": f"p{number}@example.com", "name": ODD, "tax/id": None}, "reason": "because"},
        {},
        {"screen": {"text": [ODD, 1, -7, True, None, [], {}], "é": {"z": 2**53 - 1, "a": "\ue000"}}},
    ]
    return forms[number % 4]


def make(
    count: int = 300,
    seed: int = 7,
    kinds: Sequence[tuple[int, str]] = (),
    accounts: Mapping[int, int] | None = None,
) -> Log:
    """`count` events on several chains; `kinds` gives the kind of some, by place from 1, `accounts` of how many events some account."""
    drawn, named = random.Random(seed), dict(kinds)
    heads: dict[str, tuple[int, bytes]] = {}
    links, chains = [], []
    for place in range(1, count + 1):
        chain = drawn.choice(CHAINS)
        seq, head = heads.get(chain, (0, b""))
        actor = {
            "kind": "user",
            "id": "usr_1",
            "session": "ses_1",
            "team": "operations",
            "roles": ["operator", "lead"],
        }
        frame = Frame(
            actor,
            3,
            {"id": "wf_1", "version": 2, "hash": "0" * 64} if chain.startswith("run_") else None,
            {"source": "s", "coll": "customer", "key": ODD if place % 5 == 0 else "17"}
            if place % 3
            else None,
            f"req_{place}" if place % 2 else None,
        )
        kind = named.get(place, "step_completed")
        fact = Fact(
            f"01970000-0000-7000-8000-{place:012x}",
            kind,
            BEGIN + timedelta(seconds=place),
            {"count": accounts[place]}
            if accounts and place in accounts
            else {"n": place, "prev": "x", "run": "y", "text": '{"sealed":{}}'},
            sealed_of(place) if kind == "step_completed" else {},
            ("decide", 1) if place % 2 else None,
        )
        made = link(fact, chain, seq + 1, head, frame)
        heads[chain] = seq + 1, made.leaf
        links.append(made)
        chains.append(chain)
    return Log(tuple(links), tuple(chains))


def values_of(
    links: Sequence[Link], missing: Callable[[str], str | None] = lambda name: None
) -> tuple[bytes, ...]:
    """The lines of values.jsonl; `missing` gives the reason why a name is left out."""
    lines = []
    for made in links:
        for name in sorted(made.values):
            salt, value = made.values[name]
            reason = missing(name)
            told = {"missing": reason} if reason else {"salt": salt.hex(), "value": value}
            lines.append(orjson.dumps({"event": made.id, "name": name, **told}, option=orjson.OPT_SORT_KEYS))
    return tuple(lines)


def exported(
    log: Log,
    *,
    since: int | None = None,
    keys: Sequence[bytes] = (SEED,),
    values: tuple[bytes, ...] | None = None,
) -> Export:
    """A complete export."""
    leaves = log.leaves
    steps = (
        None
        if since is None
        else {
            "from": since,
            "proof": [
                item.hex() for item in tree.consistency(since, len(leaves), tree.complete_subtrees(leaves))
            ],
        }
    )
    proofs = {
        "size": len(leaves),
        "complete": True,
        "positions": None,
        "inclusion": None,
        "consistency": steps,
    }
    note = checkpoint.sign(ORIGIN, len(leaves), tree.root(leaves), keys)
    told = values_of(log.links) if values is None else values
    return Export(tuple(made.body for made in log.links), told, b"".join(leaves), proofs, note)


def chosen(log: Log, places: Sequence[int], *, since: int | None = None) -> Export:
    """An export of the events at these places, from 1, each with its proof."""
    whole, leaves = exported(log, since=since), log.leaves
    inclusion = [
        [item.hex() for item in tree.inclusion(place - 1, len(leaves), tree.complete_subtrees(leaves))]
        for place in places
    ]
    picked = [log.links[place - 1] for place in places]
    return replace(
        whole,
        lines=tuple(made.body for made in picked),
        values=values_of(picked),
        leaves=b"".join(made.leaf for made in picked),
        proofs=whole.proofs | {"complete": False, "positions": [*places], "inclusion": inclusion},
    )


def edited(line: bytes, **changes: Any) -> bytes:
    """The event with other top-level values, canonical again."""
    return body.canonical(cast("dict[str, Any]", orjson.loads(line)) | changes)


def rechained(lines: Sequence[bytes]) -> tuple[bytes, ...]:
    """The events with every `run_seq` and `prev` computed anew, as a forger with patience does it."""
    heads: dict[str, tuple[int, str]] = {}
    made = []
    for line in lines:
        event = orjson.loads(line)
        seq, head = heads.get(event["run"], (0, ""))
        again = edited(line, run_seq=seq + 1, prev=head)
        heads[event["run"]] = seq + 1, body.leaf(again).hex()
        made.append(again)
    return tuple(made)


def resigned(export: Export, seed: bytes, *, told: bool = True) -> Export:
    """The export with tree, leaves (where `told`), values' ids and checkpoint computed anew for its lines."""
    leaves = [body.leaf(line) for line in export.lines]
    return replace(
        export,
        leaves=b"".join(leaves) if told else export.leaves,
        proofs=export.proofs | {"size": len(leaves)},
        checkpoint=checkpoint.sign(ORIGIN, len(leaves), tree.root(leaves), [seed]),
        key=str(checkpoint.verifier_key(ORIGIN, seed)),
    )


def put(items: Sequence[bytes], place: int, *new: bytes, instead: int = 0) -> tuple[bytes, ...]:
    """The items with `new` before number `place` (from 1), in place of `instead` of them."""
    return (*items[: place - 1], *new, *items[place - 1 + instead :])


def swapped(items: Sequence[bytes], first: int, second: int) -> tuple[bytes, ...]:
    """The items with numbers `first` and `second` (from 1) exchanged."""
    made = [*items]
    made[first - 1], made[second - 1] = made[second - 1], made[first - 1]
    return tuple(made)


def other_salt(line: bytes) -> bytes:
    """A line of values.jsonl with another salt."""
    told = orjson.loads(line)
    return orjson.dumps(
        told | {"salt": sha256(told["salt"].encode()).hexdigest()[:32]}, option=orjson.OPT_SORT_KEYS
    )


def other_value(line: bytes, value: Any) -> bytes:
    """A line of values.jsonl with another value."""
    return orjson.dumps(orjson.loads(line) | {"value": value}, option=orjson.OPT_SORT_KEYS)
