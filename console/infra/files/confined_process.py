"""A process of its own for what may fall over, run for ever or eat memory: started anew for each piece of work, without an environment, and under limits.

The one place that has these limits. `Confined` is the side of who asks. Run as a program, `python -I confined_process.py LIMITS PROGRAM ARGUMENT…`, this file
limits its own process (memory, processor time, files to write) and then becomes the program, which so never runs a line without them.
The program reads its standard input and answers on its standard output. Imports nothing of the console: the process does not know it.
A program that is not of Python stands after `--`: see `confined_command`.
"""

import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

WAIT_S = 10.0
COMMAND = "--"


class Busy(Exception):
    """As many as may run at once are running, and none ended within `WAIT_S`."""


@dataclass(frozen=True)
class Confined:
    """A program under limits: `memory` bytes, `cpu_s` of processor time, `seconds` by the clock, `at_once` of them from one process of ours.

    It writes no file, unless `writes` gives the most bytes of one: then in a folder of its own, which is gone afterwards.
    """

    program: Path
    memory: int
    cpu_s: int
    seconds: float
    at_once: int
    writes: int = 0
    _places: threading.BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """As many places as may run at once."""
        object.__setattr__(self, "_places", threading.BoundedSemaphore(self.at_once))

    def ask(self, content: bytes, arguments: Sequence[str] = ()) -> bytes:
        """What the program answers to these bytes; nothing where it broke off or ended with an error. Raises Busy, and TimeoutError after `seconds`."""
        limits = json.dumps([self.memory, self.cpu_s, self.writes])
        command = [sys.executable, "-I", __file__, limits, str(self.program), *arguments]
        if not self._places.acquire(timeout=WAIT_S):
            raise Busy
        try:
            with tempfile.TemporaryDirectory(prefix="handrail-") if self.writes else nullcontext() as folder:
                own = {"TMPDIR": folder} if folder else {}
                done = subprocess.run(
                    command, input=content, capture_output=True, timeout=self.seconds, env=own, check=False
                )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            self._places.release()
        return b"" if done.returncode else done.stdout


def confined_command(command: Sequence[str], *, memory: int, cpu_s: int, writes: int) -> list[str]:
    """Return the command line that runs this one under limits, for whoever starts it and talks with it while it runs.

    `memory` are bytes that it holds: of the address space, which is not limited, some runtimes reserve a hundred times as much.
    """
    return [sys.executable, "-I", __file__, json.dumps([memory, cpu_s, writes]), COMMAND, *command]


def limit(memory: int, cpu_s: int, writes: int = 0, *, held: bool = False) -> None:
    """From here on: so much memory (`held`: not of the address space) and time, and no file of more than `writes` bytes."""
    for what, most in (
        (resource.RLIMIT_DATA if held else resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, writes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (allowed, allowed))
        except (ValueError, OSError):  # macOS knows no limit of the address space
            continue


if __name__ == "__main__":
    limit(*json.loads(sys.argv[1]), held=sys.argv[2] == COMMAND)
    if sys.argv[2] == COMMAND:
        os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606 (no shell; who starts it chose the program)
    del sys.argv[:2]
    runpy.run_path(sys.argv[0], run_name="__main__")
