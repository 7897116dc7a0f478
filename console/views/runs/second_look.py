"""The second look at a proposal: a note beside each field where it differs, and a few words above the form."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console.core.run import proposal_comparison
from console.core.run.proposal import DECLINED, PENDING, READY, SECOND
from console.views import formats, frame
from console.views.formats import Look
from console.views.runs.source_links import OUTCOME, Way, source_ways

OVERDUE_S = 2.0
UNDER_WAY = "A second look is under way …"
AGREES = "A second look agrees"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A difference that a second look found: its own value (`shown`; empty if it found no support), the reason and the source."""

    shown: str = ""
    reason: str = ""
    ways: Sequence[Way] = ()


def doubts(
    run_id: str, proposal: Mapping[str, Any], screen: Mapping[str, Any], look: Look
) -> dict[str, Doubt]:
    """Return field (`outcome`: the choice) → how the second look differs from the proposal."""
    fields = {str(field["name"]): field for field in screen.get("fields", ())}
    differing = proposal_comparison.doubts(
        proposal, {name: str(source["type"]) for name, source in fields.items()}
    )
    labels = {str(option["value"]): str(option["label"]) for option in screen.get("outcomes", ())}
    return {
        name: _doubt(run_id, proposal[SECOND], name, second, fields.get(name), labels, look)
        for name, second in differing.items()
    }


def _doubt(
    run_id: str,
    second: Mapping[str, Any],
    name: str,
    answer: Mapping[str, Any] | None,
    source: Mapping[str, Any] | None,
    labels: Mapping[str, str],
    look: Look,
) -> Doubt:
    if answer is None:
        return Doubt()
    value = answer["value"]
    shown = (
        labels.get(str(value), str(value))
        if source is None
        else formats.text(formats.kind(source), value, look)
    )
    return Doubt(
        shown,
        str(answer.get("reason") or ""),
        source_ways(run_id, second, {**answer, "name": OUTCOME if source is None else name}),
    )


def result_words(proposal: Mapping[str, Any], differing: Collection[str]) -> str:
    """Return the result in words, above the form; empty if there was no second look or no answer."""
    status = (proposal.get(SECOND) or {}).get("status")
    if status == PENDING:
        return UNDER_WAY if poll_until(proposal) else ""
    if status not in (READY, DECLINED):
        return ""
    count = len(differing)
    return (
        f"A second look sees {count} {'value' if count == 1 else 'values'} differently" if count else AGREES
    )


def poll_until(proposal: Mapping[str, Any]) -> str:
    """Return until when the answer may arrive; empty if none is expected."""
    second = proposal.get(SECOND) or {}
    until = formats.moment_of(second.get("deadline_at"))
    waits = (
        second.get("status") == PENDING
        and until is not None
        and (datetime.now(UTC) - until).total_seconds() < OVERDUE_S
    )
    return str(second["deadline_at"]) if waits else ""


def poll_url(run: Mapping[str, Any], proposal: Mapping[str, Any]) -> str:
    """Return the address where the page asks for the answer; empty if none is expected."""
    call = (proposal.get(SECOND) or {}).get("call")
    return (
        frame.run_url(
            str(run["id"]), "proposal", n=len(run["attempts"]), call=call, item=proposal.get("item")
        )
        if poll_until(proposal)
        else ""
    )
