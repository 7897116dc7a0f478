"""A run as the log tells it: its state, and how each event changes it.

`fold(events)` is the state after those events, and equals the live rows at every point. The same `Run` serves a command
(then it holds the head and the attempts that the command needs) and a replay (then it holds everything).
Source: docs/adr/0005-runs.md.
"""

from console.core.run.evolve import CHANGES, evolve, fold
from console.core.run.state import (
    FINAL,
    FORM_NEEDED,
    MISSING_MANUAL,
    NEXT_ITEM,
    SUPPLIED,
    Attempt,
    Effect,
    Event,
    Run,
    Status,
    copied,
)

__all__ = [
    "CHANGES",
    "FINAL",
    "FORM_NEEDED",
    "MISSING_MANUAL",
    "NEXT_ITEM",
    "SUPPLIED",
    "Attempt",
    "Effect",
    "Event",
    "Run",
    "Status",
    "approval_request",
    "approving",
    "commands",
    "copied",
    "decisions",
    "duties",
    "evolve",
    "fold",
    "going_back",
    "holding",
    "moves",
    "proposal",
    "proposal_comparison",
    "repeating",
    "settling",
    "step_requests",
]
