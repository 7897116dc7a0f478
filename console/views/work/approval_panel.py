"""What is shown next to a request for approval on its page: questions, documents that were opened, earlier requests, and how much of the time has passed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.core import stakes
from console.steps.effects import action_cache
from console.views import formats, frame
from console.views.formats import Look
from console.work import approval_context
from console.work.approvals import View

ENDS = {
    "open": "Not decided",
    "void": "Not answered",
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Not answered in time",
}


CAME = {
    "succeeded": ("check", "done"),
    "failed": ("x", "not done"),
    "unknown": ("alert-triangle", "nobody knows whether it happened"),
    "requested": ("clock", "not done yet"),
}
"""Status of a change outside → its sign, and what an approver reads."""


def panel_context(
    more: approval_context.Beside, view: View, look: Look, alike: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what is shown next to the request: questions, what was opened, how alike ones ended, and how much of the time has passed."""
    approval = view.line.approval
    total = (approval.until - approval.requested_at).total_seconds() if approval.until else 0
    passed = (look.now - approval.requested_at).total_seconds()
    return {
        "remarks": [
            {
                "who": more.names.get(each.by, "A former colleague"),
                "at": each.at,
                "reply": each.reply,
                "text": each.text,
            }
            for each in more.remarks or ()
        ],
        "remarks_read": None if more.remarks is None else len(more.remarks),
        "may_reply": more.may_reply,
        "openers": [
            more.names.get(person, "A former colleague").split(" ")[0] for person in more.openers[:-1]
        ]
        + ["You"],
        "opened": more.opened,
        "attached": more.attached,
        "never_opened": [each for each in more.opened if not any(each.counts)]
        if approval.status == "open"
        else [],
        "alike": {
            "approved": more.alike.approved,
            "rejected": more.alike.rejected,
            "median": formats.span(more.alike.median_s, look) if more.alike.median_s is not None else "",
            "lines": [
                dict(told)
                | {
                    "yes": line.approval.status == "approved",
                    "at": max(
                        (each.at for each in line.approval.decided), default=line.approval.requested_at
                    ),
                }
                for told, line in zip(alike, more.alike.lines, strict=False)
            ],
            "marks": [line.approval.status == "approved" for line in reversed(more.alike.lines)],
        },
        "passed": min(100, max(0, round(100 * passed / total))) if total > 0 else None,
        "came": [
            {"summary": summary, "status": status, "icon": CAME[status][0], "word": CAME[status][1]}
            for summary, status in more.came
        ],
        "mine": approval.requested_by == frame.actor().id,
    }


def moves_money(action: str) -> bool:
    """Return whether money is at stake in the action; a limit that a record will hold is no sum that somebody pays."""
    known = action_cache.every().get(action)
    return known is None or "money" in stakes.of_action(known)


def computed_amounts(action: str) -> set[str]:
    """Return the amounts that the form of the action works out by itself."""
    known = action_cache.every().get(action)
    return (
        {field.name for field in known.form if field.value is not None and field.currency}
        if known is not None
        else set()
    )


def earlier(
    more: approval_context.Beside,
    lines: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]],
    now: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return what the same step asked for before: what differs from now, who answered, and what came of it."""
    shown = {line["label"]: line["shown"] for line in lines(now)}
    return [
        {
            "at": one.approval.requested_at,
            "differs": list(
                {
                    line["shown"]: line
                    for line in reversed(lines(one.values))
                    if shown.get(line["label"]) != line["shown"]
                }.values()
            )[::-1],
            "answers": [
                (
                    more.names.get(each.by, "A former colleague"),
                    each.decision == "approve",
                    each.at,
                    each.reason,
                )
                for each in one.approval.decided
            ],
            "ended": ENDS[one.approval.status],
            "made": one.made,
            "why": one.why,
        }
        for one in more.earlier
    ]
