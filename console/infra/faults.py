"""Named points at which a test can make the process fail: raise, wait, or be killed.

Nothing happens unless `HANDRAIL_FAULT` is set, as `name=action` or `name=action@n` for the n-th pass: actions are `kill`,
`kill:PROCESS` (one of PostgreSQL's, say), `raise` and `sleep:SECONDS`. A point in the code says where an acknowledged command must survive and an unacknowledged one
must leave no trace.
"""

import os
import signal
import time
from collections import Counter

_passes: Counter[str] = Counter()


class Fault(RuntimeError):
    """What a point raises when a test asked it to."""


def point(name: str) -> None:
    """Pass the point `name`."""
    wanted = os.environ.get("HANDRAIL_FAULT")
    if not wanted:
        _passes.clear()  # a fault that is set again is counted from one
        return
    place, _, action = wanted.partition("=")
    action, _, number = action.partition("@")
    if place not in (name, "*"):
        return
    _passes[wanted] += 1
    if number and _passes[wanted] != int(number):
        return
    if action.partition(":")[0] == "kill":
        os.kill(int(action.removeprefix("kill").removeprefix(":") or os.getpid()), signal.SIGKILL)
    elif action == "raise":
        raise Fault(name)
    elif action.startswith("sleep:"):
        time.sleep(float(action.removeprefix("sleep:")))
