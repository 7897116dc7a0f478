"""What a form was drawn from: whoever saves it whole is told first where somebody else has saved meanwhile."""

import hashlib
import json
from typing import Any

from console.core.errors import Conflict

DIGITS = 16


def mark(state: Any) -> str:
    """A short text that is the same as long as the state is: JSON, moments as their text."""
    return hashlib.sha256(json.dumps(state, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]


def require_unchanged(seen: str | None, now: Any, wanted: Any) -> None:
    """Raise Conflict where what stands is not what was seen (its `mark`; None: it does not say), unless it is what is wanted."""
    if seen is not None and seen != mark(now) and mark(now) != mark(wanted):
        raise Conflict("It was not saved: somebody else changed it after you opened it.")
