"""Processes of the console that need not import it first: a server has everything loaded, and forks for each that is asked for.

`python()` is a program to take in place of `sys.executable`: the code runs in a process of its own, with the arguments, environment, folder and open files
of the one that asked, and ends as it ended, by a signal too. Starting costs 0.03 s of processor instead of 1 s. That the commands start without it is
proved by tests/test_cli.py, tests/test_serve.py and what the README has typed. Not for who is limited, stopped or looked at by its process id.
"""

import array
import atexit
import contextlib
import faulthandler
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STUCK_S = 55.0
LOADED = "console.operations.worker, console.views.app, console.cli, console.infra.jobs.dispatch, console.operations.restore, console.activity.exports, click.testing"
CLIENT = """#!{python} -IS
import array, json, os, signal, socket, sys
arguments = sys.argv[1:] if os.path.basename(sys.argv[0]) == "python" else ["-m", os.path.basename(sys.argv[0]), *sys.argv[1:]]
asked = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({place!r})
    server.sendmsg([len(asked).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    server.sendall(asked)
    told = server.makefile("r")
    pid = int(told.readline())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    for place in (0, 1, 2):
        os.close(place)
    status = told.readline()
code = int(status) if status else -9
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@functools.cache
def folder() -> Path:
    """A folder with the programs `python` and `console`, for PATH; their server ends with this process."""
    made = Path(tempfile.mkdtemp(prefix="warm-"))
    for name in ("python", "console"):
        (made / name).write_text(
            CLIENT.format(python=sys.executable, place=str(made / "socket")), encoding="utf-8"
        )
        (made / name).chmod(0o755)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(made / "socket"))
    listening.listen(64)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONSOLE_", "DATABASE_", "HANDRAIL_"))
    }
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.warm", str(listening.fileno())],
        env=environment | {"PYTHONPATH": str(ROOT), "CONSOLE_ENV_FILE": os.devnull},
        cwd=made,
        stdin=subprocess.PIPE,
        pass_fds=[listening.fileno()],
    )
    listening.close()
    atexit.register(_end, server, made)
    return made


def python() -> str:
    """What runs Python code as `sys.executable` does: `FILE.py`, `-c CODE`, `-m MODULE`; `-P` is said already. That itself where the system cannot do it (macOS)."""
    return str(folder() / "python") if hasattr(os, "pidfd_open") else sys.executable


def path() -> str:
    """PATH with the command `console`."""
    ahead = [str(folder())] if hasattr(os, "pidfd_open") else []
    return os.pathsep.join([*ahead, str(Path(sys.executable).parent), os.environ["PATH"]])


def _end(server: "subprocess.Popen[bytes]", made: Path) -> None:
    assert server.stdin is not None
    server.stdin.close()
    server.wait()
    subprocess.run(["rm", "-rf", made], check=True)


def _serve(listening: socket.socket) -> list[str]:
    """Fork for each that asks, until standard input is closed. Returns in the new process alone, with its arguments."""
    while True:
        ready, _, _ = select.select([listening.fileno(), 0], [], [])
        if 0 in ready:
            os._exit(0)
        asking, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            return _watch(asking)
        asking.close()


def _watch(asking: socket.socket) -> list[str]:
    """Stay beside the new process to tell how it ended, and end it with the one that asked. Returns in the new process alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files = _received(asking)
    arguments, place, environment = json.loads(asking.recv(size, socket.MSG_WAITALL))
    pid = os.fork()
    if pid == 0:
        asking.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(place)
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - they stay open as long as the process
        sys.stdout = open(1, "w", encoding="utf-8", buffering=1 if os.isatty(1) else -1)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", buffering=1, errors="backslashreplace")  # noqa: SIM115
        return list(arguments)
    for file in (*files, 0, 1, 2):
        os.close(file)
    with contextlib.suppress(OSError):  # who asked was ended already, before it heard the number: seen below
        asking.sendall(f"{pid}\n".encode())
    ended = os.pidfd_open(pid)
    ready, _, _ = select.select([asking.fileno(), ended], [], [])
    if ended not in ready:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        asking.sendall(f"{code}\n".encode())
    finally:
        os._exit(0)


def _received(asking: socket.socket) -> tuple[int, list[int]]:
    """(bytes that follow, the open files of who asks)."""
    numbers = array.array("i")
    size, said, _, _ = asking.recvmsg(8, socket.CMSG_LEN(3 * numbers.itemsize))
    for _, _, given in said:
        numbers.frombytes(given[: len(given) - len(given) % numbers.itemsize])
    return int.from_bytes(size, "big"), list(numbers)


def _run(arguments: list[str]) -> None:
    """As the interpreter does with these arguments."""
    while arguments[0] in {"-P", "-u"}:
        arguments = arguments[1:]
    if arguments[0].endswith(".py"):
        sys.argv = arguments
        sys.path.insert(0, str(Path(arguments[0]).parent))
        runpy.run_path(arguments[0], run_name="__main__")
        return
    kind, what, *rest = arguments
    if kind == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    assert kind == "-c", arguments
    sys.argv = ["-c", *rest]
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    exec(compile(what, "<string>", "exec"), names)


def _main() -> None:
    exec(f"import {LOADED}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that watch
    gc.collect()
    gc.freeze()
    arguments = _serve(socket.socket(fileno=int(sys.argv[1])))
    faulthandler.dump_traceback_later(
        STUCK_S, file=sys.stderr
    )  # a test that waits for it in vain shows where it stands
    try:
        _run(arguments)
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001 - the interpreter does so
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    _main()
