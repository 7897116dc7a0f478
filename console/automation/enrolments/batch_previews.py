"""What a preview of enrolling many tells beside its numbers: why the others are left out, whom messages reach, and whom an exit takes out again at once."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from console.automation.enrolments import exits
from console.automation.enrolments.admission import ENROLLED, REFUSED, Answer, Candidate
from console.automation.enrolments.targets import Target
from console.messaging.messages import reachable
from console.messaging.messages.reachable import Reach

REACH, CAUSES, EXITS = "reach", "causes", "exits"
NAMED = re.compile(r"(.*? this line): .+", re.DOTALL)
"""Words of a reason that end with what the line names."""
MOST_CAUSES = 50
"""Causes that are counted apart; those that come later are counted together."""
OTHER_CAUSES = "For other reasons."


def told_so_far(place: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of it with the place that a preview has reached."""
    return {name: place[name] for name in (REACH, CAUSES, EXITS) if name in place}


def added(
    told: Mapping[str, Any], target: Target, candidates: Sequence[Candidate], answered: Sequence[Answer]
) -> dict[str, Any]:
    """The same with these candidates, whose answers are in their order. Raises SourceDown."""
    entering = [each for each, answer in zip(candidates, answered, strict=True) if answer.status == ENROLLED]
    leaving = Counter(told.get(EXITS, {}))
    leaving.update(filter(None, exits.at_once(target, [(each.record, each.values) for each in entering])))
    reach = _with_reach(target, entering, Reach.of_json(told.get(REACH)))
    return {
        REACH: reach.to_json(),
        CAUSES: _counted(told.get(CAUSES, ()), answered),
        EXITS: dict(leaving.most_common(MOST_CAUSES)),
    }


def _counted(
    causes: Sequence[tuple[str, str, int]], answered: Sequence[Answer]
) -> list[tuple[str, str, int]]:
    """The causes with those of these answers. What names one of many, such as an address, is counted by the words before it."""
    counts = {(status, reason): count for status, reason, count in causes}
    for answer in answered:
        if answer.status == ENROLLED:
            continue
        reason = str(answer.reasons[0]["reason"]) if answer.reasons else ""
        at = (answer.status, reason if (answer.status, reason) in counts else NAMED.sub(r"\1.", reason))
        if at not in counts and len(counts) >= MOST_CAUSES:
            at = (REFUSED, OTHER_CAUSES)
        counts[at] = counts.get(at, 0) + 1
    return [(*at, count) for at, count in counts.items()]


def _with_reach(target: Target, entering: Sequence[Candidate], reach: Reach) -> Reach:
    """What is known of whom the workflow's messages reach, with these who would be enrolled."""
    if target.document is None or not entering:
        return reach
    keys = [each.record for each in entering if each.record is not None]
    leads = [(each.values, each.consent) for each in entering if each.record is None]
    return reachable.look(target.document, keys, reach, leads, target.id)
