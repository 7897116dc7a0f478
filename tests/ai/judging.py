"""Answers before the guard."""

from typing import Any

from console.ai.prompt import rendered
from console.ai.safety.guard import judge
from console.ai.safety.redaction import Restore
from console.core.proposal_types import Ask, Judged
from tests.ai.asks import KEY, answer, ask, raw

ASK = ask()
RESTORE = rendered(ASK, KEY).restore


def judged(*items: Any, of: Ask = ASK, restore: Restore | None = None, **changes: Any) -> Judged:
    """What becomes of an answer with these items."""
    return judge(
        of,
        raw(answer(*items, **changes)),
        restore if restore is not None else RESTORE if of is ASK else rendered(of, KEY).restore,
    )


def dropped(judgement: Judged) -> list[tuple[str, str]]:
    """What was dropped, and why."""
    return [(drop.name, drop.reason) for drop in judgement.dropped]


def values(judgement: Judged) -> dict[str, Any]:
    """What is proposed, by field."""
    return {one.name: one.value for one in judgement.fields}
