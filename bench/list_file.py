"""A list of 1,000,000 rows × 12 columns as a file, made as a worker makes it, against `COPY` of the same rows; and the memory that it takes.

    python bench/list_file.py [--rows 1000000] [--rounds 3]

Its own server in a temporary folder, whose database of the rows has PostgreSQL's defaults for parallel queries, as a user's has. A round takes, in turn: `COPY` of the rows in their order by psycopg; the CSV file; the Excel workbook. Both files are
judged, put in the reader's words, written, and encrypted in parts. The bar: at most 60 MB more than the process held before.
"""

import argparse
import functools
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import rig
from list import FILL

NAMES = ["customer", "email", "city", "status", "amount", "quantity", "paid", "sold_on", "created_at", "reference", "note"]
MOST_GROWTH_MB = 60


def copied(url: str) -> None:
    """The rows as COPY sends them."""
    import psycopg

    command = "copy (select * from sale order by id) to stdout (format csv)"
    with psycopg.connect(url) as driver, driver.cursor() as cursor, cursor.copy(command) as copy:
        for _ in copy:
            pass


def written(actor: Any, form: Any) -> None:
    """The list as a file, by the function of the worker's job."""
    from console import browse
    from console.browse import list_files
    from console.db.engine import fetch

    made = list_files.ask(actor, "shop.sale", browse.BrowseQuery(), form)
    list_files.advance(made)
    found = list_files.get(actor, made)
    if not found.ready:
        raise SystemExit(f"the file was not made: {found.status} {found.why}")
    fetch("delete from console.list_export returning 1")
    list_files.sweep()


def rate(rows: int, work: Callable[[], None]) -> float:
    """Rows a second."""
    begin = time.perf_counter()
    work()
    return rows / (time.perf_counter() - begin)


def growth(work: Callable[[], None]) -> float:
    """The most megabytes that the process held beyond what it held before."""
    process, ended = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    most = [before]

    def look() -> None:
        while not ended.wait(0.02):
            most.append(max(most.pop(), process.memory_info().rss))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        ended.set()
        looking.join()
    return float(most[0] - before) / 1e6


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="Rows a second of a list as a file.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with rig.console() as server:
        from console import accounts, sources

        server.sql("create database bench_shop")
        server.sql(
            "alter database bench_shop set max_parallel_workers_per_gather = 2"
        )  # PostgreSQL's own default, which the embedded server lowers
        server.sql(FILL.replace("%%", "%").replace("%d", str(given.rows)), "bench_shop")
        url = server.url("postgres", "bench_shop")
        sources.add(
            "shop", url, documents=[{"id": "shop.sale", "source": "shop", "table": "sale", "columns": ["id", *NAMES]}], may=rig.ALL_RIGHTS
        )
        person = accounts.create_person(
            "ines@example.com", role="admin", team="admin", name="Ines", password="a long enough bench password"
        ).person
        actor = accounts.actor_of_person(person.id, "sys:bench")
        ways = {"COPY": functools.partial(copied, url)} | {form: functools.partial(written, actor, form) for form in ("csv", "xlsx")}
        held = True
        for name in ("csv", "xlsx"):
            grown = growth(ways[name])
            held = held and grown <= MOST_GROWTH_MB
            print(f"{name}: {grown:.1f} MB (bar: {MOST_GROWTH_MB})")
        figures = rig.in_turn(given.rounds, *(functools.partial(rate, given.rows, way) for way in ways.values()))
        for name, found in zip(ways, figures, strict=True):
            print(f"{name}: {statistics.median(found):,.0f} rows/s, {rig.ratio(found, figures[0]):.3f} × COPY")
    if not held:
        sys.exit("a bar does not hold")


if __name__ == "__main__":
    main()
