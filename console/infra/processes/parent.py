"""How a child of `console serve` ends with whoever started it. Standard library only: the smallest of the children holds little else."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

LAST_S = 5.0


def end_with_parent() -> None:
    """For children: when standard input ends, whoever started us is gone; end as if told to, and hard after a while."""
    main = threading.main_thread().ident
    if main is not None:
        threading.Thread(
            target=_watch, args=(lambda: signal.pthread_kill(main, signal.SIGTERM),), daemon=True
        ).start()


def _watch(stop: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # not sys.stdin: its lock would be copied into forked workers
            pass
    stop()
    time.sleep(LAST_S)
    os.killpg(0, signal.SIGKILL)
