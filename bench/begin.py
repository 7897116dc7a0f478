"""Runs of enrolled people that begin a second with one worker, in turn with DBOS starting the same; what a start costs in processor and in bytes.

    python bench/begin.py [--rounds 5] [--runs 1000]

Its own server in a temporary folder, `console.worker` as a process of its own. In each round as many people as `--runs` wait in a workflow that is paused; it is activated,
and the time runs until each of them has a run that has done its first automatic steps and rests for two days, log, chain, sealed values and places included. DBOS (locked in
peers/dbos.txt) starts as many durable workflows of one step, which keep their input and a short text and nothing else. Bars: 300 runs a second; 2 × DBOS.
Processor is that of the worker and of the server together, without what both take when nothing begins; bytes are what the database has grown by: goals are 2 ms and 2 kB a start.
"""

import argparse
import functools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import enrolment
import rig

BAR_BEGIN, BAR_DBOS = 300.0, 2.0
TICKS = os.sysconf("SC_CLK_TCK")
RESTING = "select count(*) from console.run where status = 'waiting_time'"
SIZE = "select pg_database_size(current_database())"


def processor_s(postmaster: int, worker: int) -> float:
    """Seconds of processor that these two processes and the children of the first have taken, those that have ended included."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) in (postmaster, worker) or int(fields[1]) == postmaster:
            total += sum(int(fields[place]) for place in ((11, 12, 13, 14) if int(folder.name) == postmaster else (11, 12)))
    return total / TICKS


class House:
    """People of a shop, the workflow, and who enrols them."""

    def __init__(self, server: Any, people: int) -> None:
        self.actor = enrolment.furnish(server, people, held=False)
        self.postmaster = int(next(Path(os.environ["CONSOLE_DATA_DIR"]).rglob("postmaster.pid")).read_text().split()[0])
        self.taken = 0
        self.costs: list[tuple[float, float]] = []

    def wait(self, runs: int, worker: int) -> None:
        """So many more people wait in the workflow, which is paused then; the worker stands still meanwhile, since nobody is enrolled in a paused one."""
        from console import enrolments
        from console.db.engine import fetch

        os.kill(worker, signal.SIGSTOP)
        fetch("update console.workflow set status = 'active' where slug = 'nurture' returning id")
        keys = [str(self.taken + number) for number in range(1, runs + 1)]
        self.taken += runs
        for start in range(0, runs, 500):
            batch = enrolments.batches.begin(self.actor, "nurture", enrolments.Question(keys=keys[start : start + 500]))
            enrolment.until(lambda batch=batch: enrolments.batches.get(self.actor, batch.id).status == "done", 60)
        fetch("update console.workflow set status = 'paused' where slug = 'nurture' returning id")
        os.kill(worker, signal.SIGCONT)
        waiting = "select count(*) from console.enrolment where status = 'waiting'"
        assert int(fetch(waiting)[0][0]) == runs

    def begin(self, runs: int, worker: int) -> float:
        """Runs that begin a second."""
        from console.db.engine import fetch

        self.wait(runs, worker)
        time.sleep(2)  # the worker has put the events of the enrolment in order
        idle = processor_s(self.postmaster, worker)
        time.sleep(2)
        before, size, spent, then = (
            int(fetch(RESTING)[0][0]),
            int(fetch(SIZE)[0][0]),
            processor_s(self.postmaster, worker),
            time.perf_counter(),
        )
        idle = (spent - idle) / 2
        fetch("update console.workflow set status = 'active' where slug = 'nurture' returning id")
        enrolment.until(lambda: int(fetch(RESTING)[0][0]) > before, 60)
        first, since = int(fetch(RESTING)[0][0]), time.perf_counter()
        enrolment.until(lambda: int(fetch(RESTING)[0][0]) >= before + runs, 600)
        rate = (before + runs - first) / (time.perf_counter() - since)
        time.sleep(2)  # places in the log and in the workflow are part of what a start costs
        spent = processor_s(self.postmaster, worker) - spent - idle * (time.perf_counter() - then)
        self.costs.append((spent * 1000 / runs, (int(fetch(SIZE)[0][0]) - size) / runs))
        return rate


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="Runs of enrolled people that begin a second, beside DBOS.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1_000, help="of each round")
    told = parser.parse_args()
    with rig.console() as server, tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        peer = rig.Peer("dbos", "dbos_starts.py", Path(folder), server.create_database("dbos", "dbos"))
        house = House(server, told.runs * (told.rounds + 1))
        worker = subprocess.Popen([sys.executable, "-m", "console.worker"], stdin=subprocess.PIPE, env=os.environ)
        try:
            mine, theirs = functools.partial(house.begin, told.runs, worker.pid), functools.partial(peer.ask, told.runs)
            mine(), theirs()
            house.costs.clear()
            figures = rig.in_turn(told.rounds, mine, theirs)
        finally:
            worker.terminate()
            worker.wait(30)
            peer.end()
    rate, than_dbos = statistics.median(figures[0]), rig.ratio(figures[0], figures[1])
    version = next(each for each in peer.versions if each.startswith("dbos"))
    print(
        f"runs that begin a second, first steps done: {rate:,.0f}; {version}: {statistics.median(figures[1]):,.0f}; ratio {than_dbos:.2f}"
    )
    processor, size = (statistics.median(column) for column in zip(*house.costs, strict=True))
    print(
        f"a start costs {processor:.1f} ms of processor and {size / 1000:.1f} kB; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )
    sys.exit(0 if rate >= BAR_BEGIN and than_dbos >= BAR_DBOS else 1)


if __name__ == "__main__":
    main()
