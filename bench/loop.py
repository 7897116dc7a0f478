"""A loop over very many records by a worker: items a second, minute by minute, and the worker's memory.

    python bench/loop.py [--items 10000] [--every 10]

Its own server in a temporary folder, `console.worker` as a process of its own. The body of the loop is one step that works something out of the item.
Printed are, for each span of `--every` seconds, how many items are done, how many a second, and the memory of the worker. Bars: the last third goes at least
0.8 times as fast as the first, and the worker has at most 60 MB more at its end than after the first third.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import rig
from enrolment import FILL, ROBOT

BAR_PACE, BAR_MB = 0.8, 60.0
DONE = "select count(*) from console.run where parent is not null and ended_at is not null"
WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slug": "sweep",
    "title": "Sweep",
    "collection": None,
    "team": "admin",
    "run_as": ROBOT,
    "settings": {"visit_limit": 1000},
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "each"}},
        {
            "id": "each",
            "type": "loop",
            "title": "Each person",
            "config": {
                "body": "grade",
                "items": {"all": True, "collection": "shop.person", "fields": ["name", "score"], "limit": 500},
                "on_failure": "continue",
            },
            "next": {"default": "end"},
        },
        {"id": "grade", "type": "output", "title": "Grade", "config": {"values": {"grade": "item.score / 10"}}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def furnish(server: Any, items: int) -> None:
    """A table of so many people, and the workflow that goes through it."""
    from console import access, accounts, sources, workflows

    server.sql("create database bench_shop")
    server.sql(FILL.replace("{rows}", str(items)), "bench_shop")
    person = {"id": "shop.person", "source": "shop", "table": "person", "title": "{{ record.name }}"}
    sources.add("shop", server.url("postgres", "bench_shop"), documents=[person], may=rig.ALL_RIGHTS)
    accounts.create_person("ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password")
    accounts.create_service_account(ROBOT, [("admin", "admin")])
    access.grant("admin", "workflow:sweep", ["see", "start", "resume"])
    access.refresh()
    workflows.import_file(WORKFLOW, publish=True, rights=False)


def measured(items: int, every_s: float, worker: "subprocess.Popen[bytes]") -> list[tuple[float, int, float]]:
    """(seconds, items done, megabytes of the worker) at the end of each span, until all are done."""
    from console import runs
    from console.core.run.origin import StartedBy
    from console.db.engine import fetch

    run = runs.start_hands_off("sweep", by=StartedBy("bench", "schedule"), record=None, values={}, key="bench")
    begin, found = time.perf_counter(), [(0.0, 0, megabytes(worker.pid))]
    while not fetch("select ended_at from console.run where id = %s", (run,))[0][0]:
        passed = time.perf_counter() - begin
        if passed - found[-1][0] >= every_s:
            found.append((passed, fetch(DONE)[0][0], megabytes(worker.pid)))
            pace = (found[-1][1] - found[-2][1]) / (found[-1][0] - found[-2][0])
            print(f"{passed:7.0f} s  {found[-1][1]:>8,} items  {pace:6.1f} a second  {found[-1][2]:4.0f} MB", flush=True)
        time.sleep(0.2)
    found.append((time.perf_counter() - begin, fetch(DONE)[0][0], megabytes(worker.pid)))
    [[status, context]] = fetch(
        "select r.status, c.output from console.run r join console.run_context c on c.run = r.id and c.step = 'each' where r.id = %s",
        (run,),
    )
    if status != "completed" or found[-1][1] != items:
        raise SystemExit(f"not all are done: {status}, {found[-1][1]:,} of {items:,}, {str(context)[:200]}")
    return found


def judge(items: int, found: list[tuple[float, int, float]]) -> bool:
    """Print the figures; whether both bars hold."""
    first = next(each for each in found if each[1] >= items / 3)
    second = next(each for each in found if each[1] >= items * 2 / 3)
    last = found[-1]
    early, late = first[1] / first[0], (last[1] - second[1]) / max(0.001, last[0] - second[0])
    print(f"{items:,} items in {last[0]:.0f} s: {items / last[0]:.1f} a second; the first third {early:.1f}, the last {late:.1f}")
    print(f"memory of the worker {first[2]:.0f} MB after the first third, {last[2]:.0f} MB at the end; load {os.getloadavg()[0]:.0f}")
    return late >= BAR_PACE * early and last[2] - first[2] <= BAR_MB


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="Items of a loop a second, and the memory of the worker.")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two lines")
    told = parser.parse_args()
    with rig.console() as server:
        furnish(server, told.items)
        worker = subprocess.Popen([sys.executable, "-m", "console.worker"], stdin=subprocess.PIPE, env=os.environ)
        try:
            held = judge(told.items, measured(told.items, told.every, worker))
        finally:
            worker.terminate()
            worker.wait(30)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
