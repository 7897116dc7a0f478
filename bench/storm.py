"""A burst of occasions of one trigger: taken in, told twice, and their runs begun, many in one statement and, in turn, one by one.

    python bench/storm.py [--occasions 10000] [--rounds 5]

Its own server in a temporary folder, one process that does what a worker's job `fire` does. Bars: none is lost and none starts twice; begun together at least 2 × as
many a second as one by one.
"""

import argparse
import os
import statistics
import sys
import time
from typing import Any

import rig

ROBOT = "robot@example.org"
BAR, EACH = 2.0, 200
WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slug": "storm",
    "title": "Storm",
    "team": "admin",
    "run_as": ROBOT,
    "settings": {"exclusive": False},
    "triggers": [{"id": "burst", "kind": "event", "on": "run.failed"}],
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "rest"}},
        {"id": "rest", "type": "wait", "title": "Rest", "config": {"duration": "hours(48)"}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ],
}


def main() -> None:
    """Take in, begin, count."""
    parser = argparse.ArgumentParser(description="A burst of occasions of one trigger.")
    parser.add_argument("--occasions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    with rig.console():
        held = measured(told.occasions, told.rounds)
    sys.exit(0 if held else 1)


def measured(occasions: int, rounds: int) -> bool:
    """Print the figures; whether the bars hold."""
    from console import access, accounts, log, triggers, workflows
    from console.db.engine import fetch, transaction
    from console.triggers import firing, trigger_rows

    accounts.create_person("ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password")
    accounts.create_service_account(ROBOT, [("admin", "admin")])
    access.grant("admin", "workflow:storm", ["see", "start", "resume"])
    access.refresh()
    workflows.import_file(WORKFLOW, publish=True, rights=False)
    triggers.synchronise()
    [row] = trigger_rows.active("event")
    began = time.perf_counter()
    for _ in range(2):
        for first in range(0, occasions, 500):
            with transaction() as connection:
                firing.take_in(connection, row, [firing.Occasion(str(number), log.now()) for number in range(first, first + 500)])
    taken_s = time.perf_counter() - began

    def begin(at_once: int) -> float:
        firing.AT_ONCE = at_once
        before, since, done = _left(), time.perf_counter(), 0
        while done < EACH and before:
            waiting = [firing._Firing(*each) for each in fetch(firing._NEXT, (row.workflow, at_once))]
            if at_once == 1 or not firing._start_many(row.workflow, waiting):
                for each in waiting:
                    firing._start(each)
            done += len(waiting)
        return done / (time.perf_counter() - since)

    begin(100), begin(1)
    together, alone = rig.in_turn(rounds, lambda: begin(100), lambda: begin(1))
    since, left = time.perf_counter(), _left()
    firing.AT_ONCE = 100
    while _left():
        try:
            triggers.fire(row.workflow)
        except triggers.firing.PutBack:
            continue
    rest_s = time.perf_counter() - since
    [(runs, firings)] = fetch(
        "select (select count(*) from console.run), (select count(distinct run) from console.firing where status = 'started')"
    )
    ratio = rig.ratio(together, alone)
    print(
        f"{occasions:,} occasions taken in twice in {taken_s:.1f} s; {runs:,} runs of {firings:,} firings, begun at {left / rest_s:,.0f} a second"
    )
    print(
        f"together {statistics.median(together):,.0f} a second, one by one {statistics.median(alone):,.0f}; ratio {ratio:.2f};"
        f" load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )
    return (runs, firings) == (occasions, occasions) and ratio >= BAR


def _left() -> int:
    from console.db.engine import fetch

    return int(fetch("select count(*) from console.firing where status = 'waiting'")[0][0])


if __name__ == "__main__":
    main()
