"""A step completed in process against a user task completed by viewflow (Django), each on its own database of one server.

    python bench/viewflow.py [--rounds 5] [--seconds 2]

Ours is `runs.complete` as in step.py. Viewflow, of the versions locked in peers/viewflow.txt, does in its own process what its
task view does in a POST: lock, load, judge, check the form, keep what was typed, complete, create the next task. Both are asked in
turn on the same server, which writes to disk. The bar: ours at least five times as many a second.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

import rig
import step

BAR = 5.0


def main() -> int:
    """Set up, measure in turn, print, judge."""
    parser = argparse.ArgumentParser(description="A completed step against viewflow's user task.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    told = parser.parse_args()
    with (
        rig.console() as server,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder,
    ):
        peer = rig.Peer(
            "viewflow", "viewflow_tasks.py", Path(folder), server.create_database("viewflow", "viewflow")
        )
        try:
            walker = step.Walker(step.prepare())
            for _ in range(200):
                walker.complete()
            mine, theirs = rig.in_turn(
                told.rounds,
                lambda: rig.per_second(walker.complete, told.seconds),
                lambda: peer.ask(told.seconds),
            )
        finally:
            peer.end()
    found = rig.ratio(mine, theirs)
    versions = ", ".join(each for each in peer.versions if each.startswith("django"))
    print(f"{os.cpu_count()} cores, {told.rounds} rounds of {told.seconds:g} s; {versions}")
    print(
        f"{statistics.median(mine):,.0f} steps/s, viewflow {statistics.median(theirs):,.0f} tasks/s, ratio {found:.1f}"
    )
    return 0 if rig.held("step in process against viewflow", found, " ×", least=BAR) else 1


if __name__ == "__main__":
    sys.exit(main())
