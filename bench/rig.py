"""What the measurements share: a server and a console of their own in a temporary folder, and rounds taken in turn.

Every script runs alone (`python bench/list.py`), writes to disk as in production, and leaves nothing behind.
"""

import csv
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
ALL_RIGHTS = {"admin": ("browse", "read", "create", "update", "delete", "export")}
"""What `sources.add` lets the administrators of a bench do."""


@contextmanager
def console() -> Iterator[Any]:
    """A migrated console over its own embedded server; gives the server. Everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "CONSOLE_DATA_DIR": folder,
            "CONSOLE_ENV_FILE": os.devnull,
            "CONSOLE_SECRET_KEY": secrets.token_urlsafe(32),
            "CONSOLE_MASTER_KEY": secrets.token_urlsafe(32),
            "CONSOLE_SIGNING_KEY": secrets.token_urlsafe(32),
            "CONSOLE_RATE_LIMITS": "off",  # one key asks as often as it can
        }
        from console.infra.db import engine, migrate
        from console.infra.postgres import Embedded
        from console.operations import wiring

        server = Embedded(Path(folder)).acquire()
        try:
            migrate.upgrade(engine.migration_url())
            wiring.connect()
            yield server
        finally:
            engine.dispose()
            server.stop()


def in_turn(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """The figures of each measure, taken in turn (A B A B …): what slows the machine slows all of them."""
    figures: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for kept, measure in zip(figures, measures, strict=True):
            kept.append(measure())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios round by round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def held(
    bar: str, figure: float, unit: str = "", *, least: float | None = None, most: float | None = None
) -> bool:
    """Whether the figure is at least, or at most, what the bar asks; printed, and added to history.csv."""
    good = (least is None or figure >= least) and (most is None or figure <= most)
    wanted = f"at least {least:,g}" if least is not None else f"at most {most:,g}"
    print(f"{bar}: {figure:,.3g}{unit}, {wanted}: {'held' if good else 'NOT HELD'}", flush=True)
    with open(Path(__file__).with_name("history.csv"), "a", newline="", encoding="utf-8") as file:
        row = (
            bar,
            f"{figure:.4g}{unit}",
            wanted,
            "yes" if good else "no",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
            Path(sys.argv[0]).name,
        )
        csv.writer(file, lineterminator="\n").writerow((*row, f"{os.getloadavg()[0]:.1f}"))
    return good


def per_second(work: Callable[[], Any], seconds: float) -> float:
    """How often a second `work` is done, over at least so many seconds."""
    done, begin = 0, time.perf_counter()
    while (passed := time.perf_counter() - begin) < seconds:
        work()
        done += 1
    return done / passed


class Peer:
    """A product that ours is measured against: its program in `peers/` in a process and an environment of its own, versions as locked there.

    It says `ready …` when it is, and then answers each line with a figure.
    """

    def __init__(self, name: str, program: str, folder: Path, url: str) -> None:
        peers = Path(__file__).resolve().parent / "peers"
        python, uv, lock = (
            folder / "peer" / "bin" / "python",
            Path(sys.executable).with_name("uv"),
            peers / f"{name}.txt",
        )
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "peer"], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", lock], check=True
        )
        self.name = name
        self.versions = [
            line.split(" ;")[0].rstrip(" \\") for line in lock.read_text().splitlines() if "==" in line
        ]
        self._process = subprocess.Popen(
            [python, peers / program, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        self.ready = self._line()

    def ask(self, *told: object) -> float:
        """The figure that it answers to these words."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, told)) + "\n")
        self._process.stdin.flush()
        return float(self._line())

    def end(self) -> None:
        """Its input ends, so it does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(
                f"{self.name} ended with status {self._process.wait()}; what it said stands above."
            )
        return line
