"""Events appended by eight writers while the sequencer places them, against a plain INSERT of the same bytes; and how far the list lags behind.

    python bench/append.py [--rounds 5] [--seconds 3] [--writers 8]

Each writer is a process with a chain of its own and makes the events of both sides alike, one transaction each, on the embedded server with
`fsync`. Ours checks the hash, keeps the chain's head, and notes the event as waiting for its place. A process runs the sequencer once a second all the
while, as the worker does. Lag is the age of the oldest event without a place, looked at ten times a second. Bars: 0.6 × and 1 s at the 95th percentile.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import rig

BAR, BAR_LAG_S = 0.6, 1.0
PLAIN = "create table public.plain (id bigint generated always as identity primary key, run text, run_seq int, leaf bytea, body bytea, unique (run, run_seq))"


def writer(kind: str, name: str, seconds: float, gate: Any, out: Any) -> None:
    """Append events to one chain for so long; puts how many a second."""
    from console.db import uuid7
    from console.db.engine import fetch
    from console.log import Fact, Frame, chained, write

    frame = Frame({"kind": "user", "id": "usr_1", "session": name, "team": "operations", "roles": ["operator"]}, 1, None, None)
    seq, head = 0, b""

    def step() -> None:
        nonlocal seq, head
        fact = Fact(
            str(uuid7()), "record_viewed", datetime.now(UTC), {"note": "as long as a look at a record is, with what belongs to it " * 4}
        )
        (made,) = chained([fact], name, seq, head, frame)
        if kind == "ours":
            write(name, seq, [made])
        else:
            fetch(
                "insert into public.plain (run, run_seq, leaf, body) values (%s, %s, %b, %b) returning id",
                (name, seq + 1, made.leaf, made.body),
            )
        seq, head = seq + 1, made.leaf

    for _ in range(20):
        step()
    gate.wait()
    out.put(rig.per_second(step, seconds))


def sequencer(stop: Any, lags: Any) -> None:
    """Once a second, as the worker; the lag ten times a second."""
    from console.activity import sequencing

    due, seen = 0.0, []
    while not stop.is_set():
        if time.monotonic() >= due:
            due = time.monotonic() + 1
            sequencing.sequence()
        seen.append(sequencing.lag().seconds)
        time.sleep(0.1)
    lags.put(seen)


def together(kind: str, writers: int, seconds: float, numbers: Iterator[int]) -> float:
    """Events a second of so many processes at once, on chains that nobody has used."""
    number = next(numbers)
    context = multiprocessing.get_context("spawn")
    gate, out = context.Barrier(writers), context.Queue()
    made = [context.Process(target=writer, args=(kind, f"ses_{kind}{number}{each}", seconds, gate, out)) for each in range(writers)]
    for process in made:
        process.start()
    total = sum(out.get(timeout=120) for _ in made)
    for process in made:
        process.join()
    return float(total)


def main() -> int:
    """Set up, measure in turn, print, judge."""
    parser = argparse.ArgumentParser(description="Appended events against plain inserts.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--writers", type=int, default=8)
    told = parser.parse_args()
    with rig.console() as server:
        server.sql(PLAIN, "console")
        server.sql("grant all on public.plain to console", "console")
        context = multiprocessing.get_context("spawn")
        stop, lags = context.Event(), context.Queue()
        beside = context.Process(target=sequencer, args=(stop, lags))
        beside.start()
        counter = iter(range(10_000))
        sides = [partial(together, kind, told.writers, told.seconds, counter) for kind in ("ours", "plain")]
        ours, plain = rig.in_turn(told.rounds, *sides)
        stop.set()
        seen = lags.get(timeout=30)
        beside.join()
        ratio, late = rig.ratio(ours, plain), statistics.quantiles(seen, n=20)[18]
        print(f"{os.cpu_count()} cores, {told.writers} writers, {told.rounds} rounds of {told.seconds:g} s")
        print(
            f"append {statistics.median(ours):,.0f}/s, plain insert {statistics.median(plain):,.0f}/s, ratio {ratio:.2f} (bar at least {BAR})"
        )
        print(f"lag of the list: median {statistics.median(seen):.2f} s, 95th percentile {late:.2f} s (bar at most {BAR_LAG_S:g} s)")
    return 0 if ratio >= BAR and late <= BAR_LAG_S else 1


if __name__ == "__main__":
    sys.exit(main())
