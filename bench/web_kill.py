"""How long nobody answers after a web process was killed: the one that answers requests, and granian's master above it.

    python bench/web_kill.py [--kills 5]

Serves a console of its own with 1 and with 2 web workers, kills what answers (SIGKILL, all of it at once) `--kills` times, as soon as it is back, and then
the master as often. A figure is the seconds from the kill until `/health` answers 200 again. Bar: 2 s each time.
"""

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
BAR_S = 2.0
LONGEST_S = 60.0


def answering(supervisor: psutil.Process) -> tuple[psutil.Process, list[psutil.Process]]:
    """The master and the processes that answer requests."""
    master = next(child for child in supervisor.children() if "console.web" in child.cmdline())
    return master, master.children()


def seconds(supervisor: psutil.Process, address: str, *, master: bool) -> float:
    """From the kill until somebody answers who was not there before."""
    from console.processes.supervisor import answers

    above, below = answering(supervisor)
    begin = time.perf_counter()
    for victim in [above] if master else below:
        victim.kill()
    while time.perf_counter() - begin < LONGEST_S:
        if answers(address):
            return time.perf_counter() - begin
        time.sleep(0.01)
    raise SystemExit(f"nobody answers {LONGEST_S:.0f} s after the kill")


def whole(supervisor: psutil.Process, workers: int) -> None:
    """Wait until master and workers are all there."""
    while True:
        try:
            if len(answering(supervisor)[1]) == workers:
                return
        except (StopIteration, psutil.NoSuchProcess):
            pass
        time.sleep(0.01)


def measured(workers: int, kills: int, *, master: bool) -> list[float]:
    """The seconds after each kill."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        told = {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DATABASE_"))}
        told |= {
            "CONSOLE_ENV_FILE": os.devnull,
            "CONSOLE_DATA_DIR": str(Path(folder) / "data"),
            "CONSOLE_SECRET_KEY": secrets.token_urlsafe(32),
        }
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "console.processes.supervisor", "--port", "0", "--workers", str(workers)],
            stdout=subprocess.PIPE,
            text=True,
            env=told,
            cwd=ROOT,
        )
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip().removeprefix("Handrail on ")
            supervisor, taken = psutil.Process(process.pid), []
            for _ in range(kills):
                whole(supervisor, workers)
                taken.append(seconds(supervisor, address, master=master))
            return taken
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LONGEST_S)


def main() -> int:
    """Kill, print, judge."""
    parser = argparse.ArgumentParser(description="How long nobody answers after a web process was killed.")
    parser.add_argument("--kills", type=int, default=5)
    asked = parser.parse_args()
    longest = 0.0
    for workers in (1, 2):
        for master in (False, True):
            taken = measured(workers, asked.kills, master=master)
            longest = max(longest, *taken)
            print(
                f"{workers} web worker(s), killed: {'the master' if master else 'what answers'}: {' '.join(f'{one:.2f}' for one in taken)} s",
                flush=True,
            )
    print(f"longest {longest:.2f} s (bar {BAR_S:.0f} s)")
    return int(longest > BAR_S)


if __name__ == "__main__":
    sys.exit(main())
