"""How many events a second the single-file verifier checks in an export, and how much memory it takes.

    python bench/verify.py [--events 300000] [--rounds 3]

Makes two exports of as many events on many chains: one without values, and one in which every third event opens two. Each is read
as an archive and as a folder. Prints events and megabytes a second of one core, and the memory that checking took.
"""

import argparse
import contextlib
import functools
import io
import json
import secrets
import statistics
import sys
import tempfile
import time
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import orjson
import rig  # the checkout on the path

BAR = 100_000

CHAIN_EVENTS = 12
SEED = secrets.token_bytes(32)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Events per second of the verifier.")
    parser.add_argument("--events", type=int, default=300_000, help="events of an export")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def make(folder: Path, count: int, *, values: bool) -> str:
    """An export of `count` events in `folder`; answers its verifier key."""
    from console.log import checkpoint, verify
    from console.log.body import Fact, Frame, link

    actor = {
        "kind": "user",
        "id": "usr_01kq0000000000000000000000",
        "session": "ses_1",
        "team": "operations",
        "roles": ["operator"],
    }
    workflow = {"id": "wf_01kq0000000000000000000000", "version": 3, "hash": "0" * 64}
    frame = Frame(
        actor, 1, workflow, {"source": "s", "coll": "customer", "key": "17"}, "req_01kq0000000000000000000000"
    )
    now, tree, head = datetime.now(UTC), verify.Tree(), b""
    folder.mkdir()
    with (
        (folder / "events.jsonl").open("wb") as events,
        (folder / "values.jsonl").open("wb") as opened,
        (folder / "leaves").open("wb") as leaves,
    ):
        for number in range(count):
            chain, seq = divmod(number, CHAIN_EVENTS)
            sealed = (
                {"values": {"email": f"p{number}@example.com"}, "reason": "the address was wrong"}
                if values and number % 3 == 0
                else {}
            )
            told = {
                "n": 1,
                "outcome": "approve",
                "type": "decision",
                "title": "Operator decision",
                "revision": seq,
            }
            fact = Fact(
                f"01970000-0000-7000-8000-{number:012x}", "step_completed", now, told, sealed, ("decide", 1)
            )
            made = link(fact, f"run_{chain:026}", seq + 1, head if seq else b"", frame)
            head = made.leaf
            tree.append([made.leaf])
            events.write(made.body + b"\n")
            leaves.write(made.leaf)
            for name in sorted(made.values):
                salt, value = made.values[name]
                line = {"event": made.id, "name": name, "salt": salt.hex(), "value": value}
                opened.write(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n")
    proofs = {"size": count, "complete": True, "positions": None, "inclusion": None, "consistency": None}
    (folder / "proofs.json").write_text(json.dumps(proofs))
    (folder / "checkpoint").write_text(checkpoint.sign("bench.example/log", count, tree.root(), [SEED]))
    key = str(checkpoint.verifier_key("bench.example/log", SEED))
    (folder / "key").write_text(key)
    return key


def zipped(folder: Path) -> Path:
    """The folder as an archive."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return path


def seconds(path: Path, key: str) -> float:
    """Processor seconds of one verification."""
    from console.log import verify

    begin = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = verify.main([str(path), "--key", key])
    if code:
        raise SystemExit(said.getvalue())
    return time.process_time() - begin


def main() -> None:
    """Measure and print."""
    given, good = arguments(), True
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        for name, values in (("events alone", False), ("with values", True)):
            folder = Path(root) / name.replace(" ", "-")
            key = make(folder, given.events, values=values)
            size = sum((folder / file).stat().st_size for file in ("events.jsonl", "values.jsonl")) / 1e6
            archive = zipped(folder)
            ways = {"folder": folder, "archive": archive}
            figures = rig.in_turn(
                given.rounds, *(functools.partial(seconds, path, key) for path in ways.values())
            )
            for way, took in zip(ways, figures, strict=True):
                middle = statistics.median(took)
                good &= rig.held(
                    f"verified a second, {name}, {way}", given.events / middle, " events", least=BAR
                )
                print(f"{name}, {way}: {given.events / middle:,.0f} events/s, {size / middle:,.0f} MB/s ")
            if not values:
                small = Path(root) / "small"
                memory = [
                    peak(zipped(folder), key),
                    peak(small, make(small, given.events // 10, values=False)),
                ]
                print(
                    f"memory: {memory[0] / 1e6:.1f} MB for {given.events} events, {memory[1] / 1e6:.1f} MB for a tenth of them"
                )
    sys.exit(0 if good else 1)


def peak(path: Path, key: str) -> int:
    """The most bytes that a verification held."""
    tracemalloc.start()
    seconds(path, key)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    main()
