"""Runs workflows of durable steps in DBOS: each step gives a short text back, which DBOS keeps. Nothing else is written.

Runs in an environment of its own (dbos.txt here), started by ../engine.py with the database's URL. Each line on standard input is
`runs steps`; the answer is a line with the steps done a second by so many workflows at once. Ends with its input.
"""

import sys
import time

from dbos import DBOS

URL = sys.argv[1]
DBOS(config={"name": "peer", "system_database_url": URL, "log_level": "ERROR", "run_admin_server": False, "sys_db_pool_size": 10})  # type: ignore[typeddict-unknown-key]


@DBOS.step()
def one(number: int) -> str:
    """A step."""
    return f"step {number} is done"


@DBOS.workflow()
def through(steps: int) -> int:
    """A run of so many steps."""
    for number in range(steps):
        one(number)
    return steps


DBOS.launch()
print("ready", flush=True)
for line in sys.stdin:
    runs, steps = (int(part) for part in line.split())
    begin = time.perf_counter()
    for handle in [DBOS.start_workflow(through, steps) for _ in range(runs)]:
        handle.get_result()
    print(runs * steps / (time.perf_counter() - begin), flush=True)
DBOS.destroy()
