"""How long the demo takes to start: from a fresh clone, again, with `--reset`; `console serve` over the same data; and `bin/setup` with nothing to do.

    python bench/start.py [--rounds 3] [--cold]

Clones this checkout (what is committed) into a temporary folder and runs its `bin/demo`, timed until `/health` answers. The package
cache is warm (this machine has installed the lock before); `--cold` gives the clone an empty one. From nothing is done once, the
others `--rounds` times, of which the medians count. Bars: 60 s from nothing, 4 s again and by `console serve`, 30 s with `--reset`, 2 s for `bin/setup`.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import rig

ROOT = Path(__file__).resolve().parent.parent
BARS = {
    "bin/demo, from nothing": 60.0,
    "bin/demo, again": 4.0,
    "bin/demo, --reset": 30.0,
    "console serve": 4.0,
    "bin/setup": 2.0,
}
LONGEST_S = 900


def environment(folder: Path, *, cold: bool) -> dict[str, str]:
    """Ours without what would change how the clone starts."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONSOLE_", "DATABASE_", "VIRTUAL_ENV", "PYTHON"))
    }
    return (
        kept
        | {"CONSOLE_ENV_FILE": os.devnull}
        | ({"UV_CACHE_DIR": str(folder / "cache"), "PIP_CACHE_DIR": str(folder / "cache")} if cold else {})
    )


def demo(clone: Path, told: Mapping[str, str], *more: str) -> float:
    """Seconds until `bin/demo` serves."""
    return started([clone / "bin" / "demo", "--port", "0", "--no-browser", *more], told)


def serve(clone: Path, told: Mapping[str, str]) -> float:
    """Seconds until `console serve` serves the data of the demo."""
    command = [clone / ".venv" / "bin" / "console", "serve", "--port", "0"]
    return started(command, {**told, "CONSOLE_DATA_DIR": str(clone / "data")})


def started(command: Sequence[str | Path], told: Mapping[str, str]) -> float:
    """Seconds until the command says where it serves, which it does when `/health` answers. It is stopped afterwards."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(told),
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Handrail on "):
                return time.perf_counter() - begin
        raise SystemExit(f"{command[0]} ended with status {process.wait()}; what it said stands above.")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def setup(clone: Path, told: Mapping[str, str]) -> float:
    """Seconds of `bin/setup`."""
    begin = time.perf_counter()
    subprocess.run(
        [clone / "bin" / "setup"], check=True, env=dict(told), stdin=subprocess.DEVNULL, timeout=LONGEST_S
    )
    return time.perf_counter() - begin


def main() -> int:
    """Clone, start, print, judge."""
    parser = argparse.ArgumentParser(description="How long the demo and the set-up take.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is done again")
    parser.add_argument("--cold", action="store_true", help="with an empty package cache")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
        told = environment(Path(folder), cold=asked.cold)
        taken = {"bin/demo, from nothing": [demo(clone, told)]}
        taken["bin/demo, again"] = [demo(clone, told) for _ in range(asked.rounds)]
        taken["bin/demo, --reset"] = [demo(clone, told, "--reset") for _ in range(asked.rounds)]
        taken["console serve"] = [serve(clone, told) for _ in range(asked.rounds)]
        setup(clone, told)  # what tests and lint need beside what the demo does
        taken["bin/setup"] = [setup(clone, told) for _ in range(asked.rounds)]
    print(f"{os.cpu_count()} cores, package cache {'empty' if asked.cold else 'warm'}, {asked.rounds} rounds")
    found = {name: statistics.median(times) for name, times in taken.items()}
    for name, seconds in found.items():
        print(f"{name:22} {seconds:6.2f} s")
    good = [rig.held(name, seconds, " s", most=BARS[name]) for name, seconds in found.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
