"""Starts workflows in DBOS, each with somebody's values: the first step keeps a text, then the workflow is at its end.

Runs in an environment of its own (dbos.txt here), started by ../begin.py with the database's URL. Each line on standard input is a number of runs; the answer is a line
with the runs a second, from the first start until the step of the last is kept. Ends with its input.
"""

import sys
import time
from typing import Any

from dbos import DBOS

URL = sys.argv[1]
DBOS(config={"name": "peer", "system_database_url": URL, "log_level": "ERROR", "run_admin_server": False, "sys_db_pool_size": 10})  # type: ignore[typeddict-unknown-key]


@DBOS.step()
def rest(values: dict[str, Any]) -> str:
    """The first step."""
    return f"{values['name']} rests for 48 hours"


@DBOS.workflow()
def nurture(values: dict[str, Any]) -> str:
    """A run up to its first wait."""
    return rest(values)


DBOS.launch()
print("ready", flush=True)
for line in sys.stdin:
    begin, runs = time.perf_counter(), int(line)
    people = [{"id": n, "name": f"Person {n}", "email": f"p{n}@example.org", "city": "Cork", "score": n % 100} for n in range(runs)]
    for handle in [DBOS.start_workflow(nurture, person) for person in people]:
        handle.get_result()
    print(runs / (time.perf_counter() - begin), flush=True)
DBOS.destroy()
