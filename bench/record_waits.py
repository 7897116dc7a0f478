"""Runs that wait for a change of their record, woken by one statement of another program: how many a second, at what cost, and whether looks at another collection go on.

    python bench/record_waits.py [--runs 5000] [--workers 2] [--kill]

Its own server in a temporary folder; the workers are real, and write as in production. With `--kill` one worker is killed and PostgreSQL restarted in the middle. Bars: every run goes on, none twice, and the other collection is looked at every 5 s at least; across the kills within 10 s, as all work is to go on.
"""

import argparse
import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import enrolment
import rig

ROBOT, LONGEST_S, LONGEST_KILLED_S, PATIENCE_S = "robot@example.org", 5.0, 10.0, 900
FILL = """
create table looked (id integer primary key, paid boolean not null default false, updated_at timestamptz not null default now());
create table other (id integer primary key, paid boolean not null default false, updated_at timestamptz not null default now());
insert into looked (id) select generate_series(1, %d);
insert into other (id) values (1);
create index on looked (updated_at, id);
analyze;
"""
STEPS: list[dict[str, Any]] = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "pause"}},
    {
        "id": "pause",
        "type": "wait",
        "title": "Pause",
        "config": {"event": "record.updated", "filter": "record.paid"},
        "next": {"event": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
]
STANDING = "select count(*) filter (where status = 'waiting_event'), count(*) filter (where status = 'completed') from /* every run */ console.run where collection = 'shop.looked'"
TWICE = "select count(*) from (select run from console.activity where kind = 'event_arrived' group by run having count(*) > 1) twice"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Runs that are woken by one statement of another program.")
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true")
    told = parser.parse_args()
    with rig.console() as server:
        furnish(server, told.runs)
        workers = [worker() for _ in range(told.workers)]
        try:
            held = measured(server, told.runs, workers, kill=told.kill)
        finally:
            for process in workers:
                process.terminate()
            for process in workers:
                process.wait(30)
    sys.exit(0 if held else 1)


def worker() -> "subprocess.Popen[bytes]":
    """A worker process."""
    return subprocess.Popen([sys.executable, "-m", "console.worker"], stdin=subprocess.PIPE, env=os.environ)


def furnish(server: Any, rows: int) -> None:
    """The tables and a workflow for each, live."""
    from console import access, accounts, sources, workflows

    server.sql("create database bench_shop")
    server.sql(FILL % rows, "bench_shop")
    names = ("looked", "other")
    documents = [
        {"id": f"shop.{name}", "source": "shop", "table": name, "changes": {"column": "updated_at", "every_s": 1}} for name in names
    ]
    sources.add("shop", server.url("postgres", "bench_shop"), documents=documents, may=rig.ALL_RIGHTS)
    accounts.create_person("ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password")
    accounts.create_service_account(ROBOT, [("admin", "admin")])
    for name in names:
        head = {"format": 1, "slug": name, "title": name, "team": "admin", "roles": ["admin"], "run_as": ROBOT, "steps": STEPS}
        access.grant("admin", f"workflow:{name}", ["see", "start", "resume", "edit", "publish"])
        access.refresh()
        settings = {"parallel": 1000, "exclusive": False}
        workflows.import_file(head | {"collection": f"shop.{name}", "settings": settings}, publish=True, rights=False)


def begin(name: str, keys: range) -> None:
    """A run for each of these records."""
    from console import runs, workflows
    from console.core.run.origin import RecordRef, StartedBy
    from console.db.engine import fetch

    [[ident]] = fetch("select id from console.workflow where slug = %s", (name,))
    by = StartedBy("bench", "api", {}, ())
    for start in range(keys.start, keys.stop, 200):
        wanted = [
            runs.WantedStart(f"bench-{name}-{key}", by, RecordRef(f"shop.{name}", str(key)), {})
            for key in range(start, min(start + 200, keys.stop))
        ]
        answers = runs.start_many_hands_off(workflows.live(ident).id, wanted, places=len(wanted))
        assert all(isinstance(answer, str) for answer in answers), answers[:1]


def measured(server: Any, many: int, workers: "list[subprocess.Popen[bytes]]", *, kill: bool) -> bool:
    """Print the figures; whether the bars hold."""
    import psycopg

    from console.db.engine import fetch

    begin("other", range(1, 2))
    begin("looked", range(1, many + 1))
    enrolment.until(lambda: fetch(STANDING)[0][0] == many, PATIENCE_S)
    marked = "select count(*) from console.source_watch where mark is not null"
    enrolment.until(lambda: fetch(marked)[0][0] == 2, 60)
    time.sleep(10)
    with psycopg.connect(server.url("postgres", "bench_shop"), autocommit=True) as shop:
        shop.execute("update looked set paid = true, updated_at = clock_timestamp()")
    used, began, loads = processor(workers), time.perf_counter(), []
    looks, looked, killed = [0.0], None, not kill
    progress = began
    while True:
        try:
            [[waiting, over]] = fetch(STANDING)
            [[seen]] = fetch("select max(looked_at) from console.source_watch where collection = 'shop.other'")
        except Exception as error:
            if not kill:
                raise
            print(f"  {type(error).__name__} after {time.perf_counter() - began:.1f} s")
            time.sleep(0.5)
            continue
        now = time.perf_counter()
        if seen != looked:
            looks, looked = [*looks, now - began], seen
        if not killed and over > many // 4:
            workers[0].kill()
            workers[0].wait()
            killed = True
            workers.append(worker())
            restart(server)
            print(f"  killed with {over} over, after {now - began:.1f} s")
        if now - progress > 10:
            print(f"  {now - began:.0f} s: {waiting} wait, {over} over; load {os.getloadavg()[0]:.0f}", flush=True)
            loads.append(os.getloadavg()[0])
            progress = now
        if over == many or now - began > PATIENCE_S:
            break
        time.sleep(0.1)
    took, cost = time.perf_counter() - began, processor(workers) - used
    enrolment.until(lambda: fetch("select count(*) from console.log_pending")[0][0] == 0, 120)
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    [[twice]], [[left, done]] = fetch(TWICE), fetch(STANDING)
    print(
        f"{done:,} of {many:,} woken in {took:.1f} s: {done / took:.0f} a second, {1000 * cost / max(done, 1):.1f} ms of the workers' processors each; load {os.getloadavg()[0]:.0f}"
    )
    print(
        f"the other collection was looked at {len(gaps)} times, {statistics.median(gaps or [took]):.1f} s apart, at most {max(gaps or [took]):.1f} s; woken twice {twice}, left {left}"
    )
    return done == many and twice == 0 and max(gaps or [took]) <= (LONGEST_KILLED_S if kill else LONGEST_S)


def processor(workers: "list[subprocess.Popen[bytes]]") -> float:
    """Seconds of the processors that the workers have used, of those that live."""
    ticks = 0
    for process in workers:
        if process.poll() is None:
            told = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def restart(server: Any) -> None:
    """Kill PostgreSQL as a power cut does, and start it again."""
    os.kill(server.pid, signal.SIGKILL)
    time.sleep(2)
    server.ensure()


if __name__ == "__main__":
    main()
