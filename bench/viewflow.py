"""A step completed in process against a user task completed by viewflow (Django), each on its own database of one server.

    python bench/viewflow.py [--rounds 5] [--seconds 2]

Ours is `runs.complete` as in step.py. Viewflow, of the versions locked in peers/requirements.txt, does in its own process what its
task view does in a POST: lock, load, judge, check the form, keep what was typed, complete, create the next task. Both are asked in
turn on the same server, which writes to disk. The bar: ours at least four times as many a second.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import rig
import step

BAR = 4.0
PEERS = Path(__file__).resolve().parent / "peers"
UV = Path(sys.executable).with_name("uv")


class Viewflow:
    """The peer's process. Versions are those of its lock file, in an environment made for this run."""

    def __init__(self, folder: Path, url: str) -> None:
        python = folder / "peer" / "bin" / "python"
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "peer"], check=True)
        lock = PEERS / "requirements.txt"
        subprocess.run([UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock], check=True)
        self.versions = [line.split(" ;")[0].rstrip(" \\") for line in lock.read_text().splitlines() if line.startswith("django")]
        self.process = subprocess.Popen(
            [python, PEERS / "viewflow_tasks.py", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )
        self.django = self._line().split()[1]

    def per_second(self, seconds: float) -> float:
        """User tasks completed a second."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self._line())

    def end(self) -> None:
        """Its input ends, so it does."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"viewflow ended with status {self.process.wait()}; what it said stands above.")
        return line


def main() -> int:
    """Set up, measure in turn, print, judge."""
    parser = argparse.ArgumentParser(description="A completed step against viewflow's user task.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    told = parser.parse_args()
    with rig.console() as server, tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        peer = Viewflow(Path(folder), server.create_database("viewflow", "viewflow"))
        try:
            walker = step.Walker(step.prepare())
            for _ in range(200):
                walker.complete()
            mine, theirs = rig.in_turn(
                told.rounds, lambda: rig.per_second(walker.complete, told.seconds), lambda: peer.per_second(told.seconds)
            )
        finally:
            peer.end()
    found = rig.ratio(mine, theirs)
    print(f"{os.cpu_count()} cores, {told.rounds} rounds of {told.seconds:g} s; Django {peer.django}, {peer.versions[-1]}")
    print(
        f"{statistics.median(mine):,.0f} steps/s, viewflow {statistics.median(theirs):,.0f} tasks/s, ratio {found:.1f} (bar at least {BAR:g})"
    )
    return 0 if found >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
