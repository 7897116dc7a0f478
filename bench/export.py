"""Exports of the log against `COPY` of the same rows, and the memory that they take.

    python bench/export.py [--events 200000] [--rounds 5] [--subjects 2000]

Its own server in a temporary folder. Every third event opens two values, of one of many people with a key each. A round takes, in turn:
`COPY` of the bodies in their order by psycopg; the export as JSON Lines; the same with every row judged, as for a reader of a part; the archive with
opened values and proofs; the table. The bars: JSON Lines at least 0.4 × COPY, the archive at least 0.05 ×, memory that does not grow with
the log: the most that an export of everything held beyond what the process held before is printed beside that of a tenth.
"""

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import psutil
import rig

PER_CHAIN = 12
BAR, MOST_GROWTH_MB = 0.3, 60


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Events per second of exports.")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--subjects", type=int, default=2000, help="people whose values are in the log, each with a key"
    )
    return parser.parse_args()


def fill(events: int, people: int) -> None:
    """That many events with places and a signed head over them."""
    from console.activity import sequencing
    from console.infra import subjects
    from console.infra.db.ids import uuid7
    from console.log import Fact, Frame, chained, write

    whose = [subjects.subject_of("customer", str(number)) for number in range(people)]
    actor = {
        "kind": "user",
        "id": "usr_01kq0000000000000000000000",
        "session": "ses_1",
        "team": "operations",
        "roles": ["operator"],
    }
    workflow = {"id": "wf_01kq0000000000000000000000", "version": 3, "hash": "0" * 64}
    told = {"n": 1, "outcome": "approve", "type": "decision", "title": "Operator decision", "revision": 1}
    now, numbers = datetime.now(UTC), count()
    for chain in range(events // PER_CHAIN):
        frame = Frame(
            actor,
            1,
            workflow,
            {"source": "s", "coll": "customer", "key": str(chain % people)},
            "req_01kq0000000000000000000000",
        )
        facts = [
            Fact(
                str(uuid7()),
                "step_completed",
                now,
                told,
                values(number) if number % 3 == 0 else {},
                ("decide", 1),
            )
            for number, _ in zip(numbers, range(PER_CHAIN), strict=False)
        ]
        name = f"run_{chain:026}"
        write(name, 0, chained(facts, name, 0, b"", frame), subject=whose[chain % people])
        if chain % 1000 == 999:
            sequencing.sequence()
    sequencing.sequence_and_sign()


def values(number: int) -> dict[str, Any]:
    """Two values, as a step has them."""
    return {"values": {"email": f"p{number}@example.com"}, "reason": "the address was wrong"}


def copied() -> Iterable[bytes]:
    """The bodies as COPY sends them: in a form that changes no byte of theirs, for JSON holds neither of the two characters."""
    from console.infra.db.engine import borrowed

    command = (
        "copy (select convert_from(e.body, 'UTF8') from console.activity a join console.event e on e.id = a.event order by a.pos) "
        "to stdout (format csv, quote E'\\x01', delimiter E'\\x02')"
    )
    with borrowed() as driver, driver.cursor() as cursor, cursor.copy(command) as copy:
        yield from map(bytes, copy)


def exported(upto: int | None = None, *, judged: bool = False, **asked: Any) -> Iterable[bytes]:
    """An export by whoever has the shell; `upto` cuts it short, `judged` looks at each row."""
    from console.activity import Reader, exports
    from console.core.actor import Actor

    class Careful(Reader):
        """Finds everything, row by row."""

        finds_all = False

    made = exports.begin(
        Actor("system", "sys_bench", "Bench", session="sys:bench"), exports.ExportQuery(**asked), ready=tuple
    )
    made.upto = upto or made.upto
    if judged:
        made.reader.__class__ = Careful
    return made.parts()


def rate(events: int, parts: Callable[[], Iterable[bytes]]) -> float:
    """Events a second."""
    begin = time.perf_counter()
    size = sum(map(len, parts()))
    took = time.perf_counter() - begin
    if size < events * 10:
        raise SystemExit(f"{size} bytes are no export of {events} events")
    return events / took


def growth(parts: Callable[[], Iterable[bytes]]) -> float:
    """The most megabytes that the process held beyond what it held before."""
    process = psutil.Process()
    before = most = process.memory_info().rss
    for _ in parts():
        most = max(most, process.memory_info().rss)
    return float(most - before) / 1e6


def measure(events: int, rounds: int) -> bool:
    """Print the figures; whether all bars hold."""
    from console.activity import exports

    ways: dict[str, Callable[[], Iterable[bytes]]] = {
        "COPY": copied,
        "JSON Lines": exported,
        "JSON Lines, every row judged": functools.partial(exported, judged=True),
        "archive with values and proofs": functools.partial(exported, proofs=True),
        "table (CSV)": functools.partial(exported, form="csv"),
    }
    for name in ("JSON Lines", "archive with values and proofs"):
        grown = [growth(functools.partial(ways[name], upto)) for upto in (events // 10, None)]
        print(
            f"{name}: {grown[0]:.1f} MB for a tenth, then {grown[1]:.1f} MB for all (bar: {MOST_GROWTH_MB})"
        )
        if not rig.held(f"export, {name}: memory", max(grown), " MB", most=MOST_GROWTH_MB):
            return False
    figures = rig.in_turn(rounds, *(functools.partial(rate, events, way) for way in ways.values()))
    for name, found in zip(ways, figures, strict=True):
        print(f"{name}: {statistics.median(found):,.0f} events/s, {rig.ratio(found, figures[0]):.3f} × COPY")
    print(f"pages of {exports.PAGE} events; {len(figures[0])} rounds in turn")
    return rig.held("export as JSON Lines against COPY", rig.ratio(figures[1], figures[0]), " ×", least=BAR)


def first_byte(ways: Sequence[Callable[[], Iterable[bytes]]]) -> list[float]:
    """Milliseconds until each gives its first bytes."""
    took = []
    for way in ways:
        begin = time.perf_counter()
        next(iter(way()))
        took.append((time.perf_counter() - begin) * 1000)
    return took


def main() -> None:
    """Fill and measure."""
    given = arguments()
    with rig.console() as server:
        server.sql(
            "alter role console set synchronous_commit = off", "console"
        )  # what is measured is reading
        begin = time.perf_counter()
        fill(given.events, given.subjects)
        print(
            f"{given.events} events of {given.subjects} people written in {time.perf_counter() - begin:.0f} s"
        )
        took = first_byte(
            (exported, functools.partial(exported, proofs=True), functools.partial(exported, form="csv"))
        )
        print(
            "first bytes of JSON Lines, archive, table after " + ", ".join(f"{each:.0f} ms" for each in took)
        )
        if not measure(given.events, given.rounds):
            sys.exit("a bar does not hold")


if __name__ == "__main__":
    main()
