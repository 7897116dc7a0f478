"""A process that is forked from what is loaded already behaves as one that began by itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests import warm
from tests.tables import cases

PROGRAMS = {
    "what it is given": "import os, sys; print(sys.argv, os.getcwd(), os.environ['GIVEN'], os.environ.get('CONSOLE_ENV_FILE'), sys.stdin.read())",
    "an end": "import sys; print('so far'); sys.exit(3)",
    "an end in words": "import sys; sys.exit('No.')",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "a kill": "import os, signal; print('said', flush=True); os.kill(os.getpid(), signal.SIGKILL)",
    "what it does at its end": "import atexit, threading, time; atexit.register(print, 'last'); threading.Thread(target=lambda: (time.sleep(0.1), print('then'))).start()",
}


@cases("name", PROGRAMS)
def test_it_ends_as_the_interpreter_ends(name: str) -> None:
    told = []
    for python in (sys.executable, warm.python()):
        done = subprocess.run(
            [python, "-c", PROGRAMS[name], "a", "b c"],
            env=os.environ | {"GIVEN": "é"},
            input="typed",
            capture_output=True,
            text=True,
            check=False,
        )
        told.append((done.returncode, done.stdout, done.stderr))
    assert told[0] == told[1]


def test_a_fault_is_told_with_its_place() -> None:
    done = subprocess.run([warm.python(), "-c", "1 / 0"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def ended(pid: int) -> bool:
    """Whether a process runs no more: it is gone, or only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_who_ends_the_program_ends_its_process() -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        asked = subprocess.Popen(
            [warm.python(), "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"], stdout=subprocess.PIPE
        )
        assert asked.stdout is not None
        pid = int(asked.stdout.readline())
        asked.send_signal(number)
        assert asked.wait() == -number
        asked.stdout.close()
        until = time.monotonic() + 30
        while not ended(pid) and time.monotonic() < until:
            time.sleep(0.01)
        assert ended(pid) or pid == asked.pid
