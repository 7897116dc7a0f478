"""The rules of runs: the state of a run, how each event changes it, and which events a command makes.

`fold(events)` is the state after those events; it always equals the rows of the database. A command uses a `Run` with the attempts
that it needs, a replay one with all of them.
Source: docs/adr/0005-runs.md.
"""

from console.core.run.evolve import CHANGES, evolve, fold
from console.core.run.state import (
    FINAL,
    FORM_NEEDED,
    MISSING_MANUAL,
    NEXT_ITEM,
    SIMULATED,
    SUPPLIED,
    Attempt,
    Effect,
    Event,
    Run,
    Status,
    copied,
)

OPEN_MODULES = frozenset(
    {
        "approval_request",
        "approving",
        "causes",
        "commands",
        "decisions",
        "duties",
        "effect_changes",
        "entry_events",
        "going_back",
        "holding",
        "moves",
        "origin",
        "proposal",
        "proposal_comparison",
        "repeating",
        "settling",
        "simulation",
        "step_requests",
        "version_moves",
    }
)
