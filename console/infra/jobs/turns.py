"""Jobs that take minutes let others of their kind go first: whoever sends fifty lines does not wait behind a million of somebody else."""

import time
from collections.abc import Callable

from console.infra.db.engine import fetch
from console.infra.jobs.jobs import PutBack

TURN_S = 20.0
"""How long such a job goes on while others wait. To find its place in a file again takes it up to three seconds."""
BACK_S = 2.0
_WAIT = """
select count(*) filter (where status = 'queued' and execute_after < now()) > 0
    or count(*) filter (where status = 'picked') > count(distinct queue_manager_id) filter (where status = 'picked')
from queue.pgqueuer where entrypoint = %s
"""
"""Queued, or fetched ahead by a worker that is at another one."""


def in_turns(name: str, do: Callable[..., None], stopping: Callable[[], bool]) -> Callable[[str], None]:
    """The function of the jobs of this name, which asks `stopping` again and again, made so that it stops after its turn where others wait."""

    def once(text: str) -> None:
        until = time.monotonic() + TURN_S
        over = False

        def stops() -> bool:
            nonlocal over
            over = over or (time.monotonic() > until and bool(fetch(_WAIT, (name,))[0][0]))
            return over or stopping()

        try:
            do(text, stopping=stops)
        except PutBack as back:
            raise PutBack(max(back.after_s, BACK_S if over else 0.0)) from None

    return once
