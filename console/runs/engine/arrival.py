"""Whether a proposal is still to come: what a page asks again and again while it waits, so it costs one row."""

from console.core.actor import Actor
from console.db.engine import fetch

_PENDING = """
select 1 from console.ai_call where id = %s and run = %s and n = %s and person = %s and status = 'pending' and now() < deadline_at + interval '1 second'
"""


def awaits(actor: Actor, run_id: str, n: int, call: str) -> bool:
    """Whether the answer to this call, asked for this person at this attempt, has neither come nor is overdue."""
    return bool(fetch(_PENDING, (call, run_id, n, actor.id)))
