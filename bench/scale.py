"""What an installation feels of its history: pages, steps and timers with 10,000,000 events and 1,000,000 live runs, against a hundredth of both.

    python bench/scale.py [--events 10000000] [--runs 1000000]

Two consoles, each in a process and on a server of its own. The events are those of activity.py (3 years), the runs those of work.py (three in ten, before people)
and of engine.py (the rest, before timers). Pages and steps are measured by processor time, of the process and of its connections in PostgreSQL, so that other load
changes little, and steps in turn; timers by the clock. Prints both figures and their ratio. Bars: newest page of the log 15 ms, with two filters 50 ms; pages 300 ms; a completed step
at most 1.1 times as long; the 95th percentile of timers at most 2 s late.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import activity
import engine
import rig
import step
import work

SMALLER = 100
ROUNDS, STEPS, TURNS = 12, 500, 7
PEOPLE = 0.3
"""The part of the live runs that waits for people; the rest waits for timers."""
BARS = {
    "log, no filter": 15.0,
    "log, one filter": 15.0,
    "log, two filters": 50.0,
    "timers, 95th percentile": 2000.0,
}
PAGE_MS, STEP_RATIO = 300.0, 1.1
PAGES = {
    "Home": "/",
    "Work": "/work",
    "Work, nobody's, overdue": "/work?person=none&due=overdue",
    "Executions": "/workflows/work-3/executions",
    "Overview of a workflow": "/workflows/work-3",
    "Metrics": "/workflows/work-3/metrics",
    "Workflows": "/workflows",
    "Activity": "/activity",
}


def filled(server: Any, events: int, runs_wanted: int) -> None:
    """History first, so that what is done afterwards comes after it."""
    moments = {
        "begin": activity.BEGIN.isoformat(),
        "step": activity.YEARS_S / events,
        "months": activity.MONTHS,
        "events": events,
    }
    server.sql(activity.FILL % moments, "console")
    work.furnish(server, int(runs_wanted * PEOPLE))


def processor_ms(ask: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds of processor time for one of so many, after three that do not count."""
    for _ in range(3):
        ask()
    begin = work.processor_s()
    for _ in range(rounds):
        ask()
    return (work.processor_s() - begin) / rounds * 1000


def figures(server: Any, events: int, runs_wanted: int) -> tuple[dict[str, float], step.Walker]:
    """What is measured, in milliseconds, and a run whose steps can be."""
    from console.auth import access
    from console.log.event_lists import LogFilter, rows

    began = time.perf_counter()
    filled(server, events, runs_wanted)
    access.grant("admin", "activity", ["read"])
    person = step.prepare()
    engine.publish("pause", [engine.step("wait", "wait", "end", {"duration": "minutes(0.08)"})])
    access.grant("operator", "workflow:pause", ["see", "start", "resume"])
    access.refresh()
    engine.waiting(server, runs_wanted - int(runs_wanted * PEOPLE))
    print(
        f"{events:,} events, {runs_wanted:,} live runs made in {time.perf_counter() - began:.0f} s",
        file=sys.stderr,
    )
    middle = activity.BEGIN + timedelta(days=500)
    found = {
        "log, no filter": processor_ms(lambda: rows(LogFilter(), limit=51)),
        "log, one filter": processor_ms(lambda: rows(LogFilter(user="usr_399"), limit=51)),
        "log, two filters": processor_ms(
            lambda: rows(LogFilter(kinds=("kind29",), gte=middle, lt=middle + timedelta(days=1)), limit=51)
        ),
    }
    client = work.signed_in()

    def answered(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)

    found |= {name: processor_ms(lambda path=path: answered(path)) for name, path in PAGES.items()}
    walker = step.Walker(person)
    late = engine.lateness(walker.actor)
    found["timers, 95th percentile"] = late[int(len(late) * 0.95)] * 1000
    found["gigabytes"] = float(server.sql("select pg_database_size('console')")) / 2**30
    return found, walker


class Alone:
    """One size, in a process of its own: `figures`, and `step()` for milliseconds of a completed step."""

    def __init__(self, events: int, runs_wanted: int) -> None:
        sizes = ["--events", str(events), "--runs", str(runs_wanted)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, __file__, "--alone", *sizes], text=True, **pipes)
        self.figures: dict[str, float] = self._answer()

    def step(self) -> float:
        """Milliseconds, of the next steps of its run."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        return float(self._answer())

    def end(self) -> None:
        """Let it take its server away."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def main() -> int:
    """Measure small and large, print, judge."""
    parser = argparse.ArgumentParser(description="Pages, steps and timers with much history.")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--alone", action="store_true", help="only this size, as one line of JSON")
    told = parser.parse_args()
    if told.alone:
        with rig.console() as server:
            found, walker = figures(server, told.events, told.runs)
            print(json.dumps(found), flush=True)
            for _ in sys.stdin:
                print(processor_ms(walker.complete, STEPS), flush=True)
        return 0
    both = [Alone(told.events // part, told.runs // part) for part in (SMALLER, 1)]
    few, many = (one.figures for one in both)
    steps = rig.in_turn(TURNS, both[0].step, both[1].step)
    for one, taken in zip(both, steps, strict=True):
        one.figures["step"] = statistics.median(taken)
        one.end()
    size = f"{told.events:,} events and {told.runs:,} live runs"
    for name, took in many.items():
        print(f"{name:26} {few[name]:9.2f} {took:9.2f}  {took / few[name]:6.2f} ×")
    held = [
        rig.held(f"{name}, {size}", took, " ms", most=BARS.get(name, PAGE_MS))
        for name, took in many.items()
        if name not in {"step", "gigabytes"}
    ]
    held.append(
        rig.held(f"step, {size}, against a hundredth", rig.ratio(steps[1], steps[0]), " ×", most=STEP_RATIO)
    )
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
