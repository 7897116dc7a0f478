"""How many events a second get their place in the log, and what one page of the list costs afterwards.

    python bench/sequencer.py [--events 100000] [--rounds 5]

Its own server in a temporary folder, writing to disk as in production. A round appends events to many chains (not timed), then
times the sequencer and, interleaved with it, a plain `INSERT … SELECT` of as many rows of the same width into a table with the
same indexes: what the database charges for the list alone. Prints both medians and the ratio, then the time of the newest page
and of one deep in the log.
"""

import argparse
import functools
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg

CHAINS = 200
PER_WRITE = 50
T = TypeVar("T")


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Events per second of the sequencer.")
    parser.add_argument("--events", type=int, default=100_000, help="events of one round")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def append(count: int, start: int) -> None:
    """`count` committed events without a place, on chains of their own."""
    from console.db import uuid7
    from console.log import Fact, Frame, chained, write

    actor = {"kind": "user", "id": "usr_01kq0000000000000000000000", "session": "ses_1", "team": "operations", "roles": ["operator"]}
    frame = Frame(
        actor, 1, {"id": "wf_01kq0000000000000000000000", "version": 3, "hash": "0" * 64}, {"source": "s", "coll": "customer", "key": "17"}
    )
    now = datetime.now(UTC)
    seqs, heads = [0] * CHAINS, [b""] * CHAINS
    for number in range(count // PER_WRITE):
        chain = number % CHAINS
        name = f"sys:bench-{start}-{chain}"
        facts = [
            Fact(str(uuid7()), "step_completed", now, {"n": 1, "outcome": "approve", "type": "decision"}, {}, ("decide", 1))
            for _ in range(PER_WRITE)
        ]
        links = chained(facts, name, seqs[chain], heads[chain], frame)
        seqs[chain], heads[chain] = write(name, seqs[chain], links), links[-1].leaf


def timed(work: Callable[..., T], *given: Any) -> tuple[float, T]:
    """Seconds that `work` took, and its answer."""
    begin = time.perf_counter()
    answer = work(*given)
    return time.perf_counter() - begin, answer


def measure(events: int, rounds: int, admin_url: str) -> None:
    """Rounds of both, then pages of the list; prints the medians."""
    from console.activity import sequencing
    from console.log.event_lists import LogFilter, rows

    ours, plain = [], []
    with psycopg.connect(admin_url, autocommit=True) as database:
        version = database.execute("select current_setting('server_version')").fetchone()
        database.execute("create table public.plain (like console.activity including indexes)")
        copy = "insert into public.plain select * from console.activity where pos > %s"
        for number in range(rounds):
            append(events, number)
            before = database.execute("select coalesce(max(pos), 0) from console.activity").fetchone()
            seconds, placed = timed(sequencing.sequence)
            if placed != events:
                raise SystemExit(f"placed {placed}, not {events}")
            ours.append(seconds / events)
            plain.append(timed(database.execute, copy, before)[0] / events)
    mine, theirs = statistics.median(ours), statistics.median(plain)
    print(f"PostgreSQL {version[0] if version else '?'}, {rounds} rounds of {events:,} events, {os.cpu_count()} cores")
    print(f"sequencer {1 / mine:,.0f} events/s; the rows of the list alone {1 / theirs:,.0f}/s; ratio {theirs / mine:.2f}")
    total = events * rounds
    for name, before_pos in (("newest page", None), ("page in the middle", total // 2)):
        took = [timed(functools.partial(rows, LogFilter(), limit=50, before=before_pos))[0] for _ in range(50)]
        print(f"{name} of {total:,}: {statistics.median(took) * 1000:.2f} ms")


def main() -> None:
    """Set up, measure, take down."""
    told = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "CONSOLE_DATA_DIR": folder,
            "CONSOLE_SECRET_KEY": secrets.token_urlsafe(32),
            "CONSOLE_MASTER_KEY": secrets.token_urlsafe(32),
            "CONSOLE_SIGNING_KEY": secrets.token_urlsafe(32),
        }
        from console.db import engine, migrate
        from console.postgres import Embedded

        server = Embedded(Path(folder)).acquire()
        try:
            migrate.upgrade(engine.migration_url())
            measure(told.events, told.rounds, server.url("postgres"))
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    main()
