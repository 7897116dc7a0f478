"""A proposal as an attempt holds it: what was requested for whom, and the answer.

It always has the keys of docs/reference/proposals.md, and `warned` (sources whose text reads like instructions), `for` (the person with whose
rights it was requested), `mode`, `fill`, `choice`, `dropped`, `asked`, `requested_at`, `answered_at`; at a step that goes through a list also `item`.
If a second look was requested, `second` holds its `call`, `status`, `deadline_at` and what it would propose (`fields`, `outcome`, `choice`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from console.core.moments import moment_text

LEVELS = ("high", "medium", "low")
PENDING, READY, DECLINED, FAILED, OFF = "pending", "ready", "declined", "failed", "off"
SECOND = "second"
"""The mode of a call that looks at a proposal again."""
MARKS = "proposal."
"""The key under which a draft keeps the chosen outcome and which proposed values the person has looked at."""
AT_STAKE = "at_stake"
"""The code of a step that must wait for a person although it has an answer."""
UNFILLED = "none"
"""The `fill` of a proposal that fills in nothing, because something is at stake at its step."""
HIDDEN_MODES = frozenset({"shadow", "blind"})
"""Modes in which the proposal is recorded, but shown to nobody before the step is completed."""


def fills(confidence: str, fill: str) -> bool:
    """Whether a value of this confidence is filled into the form; values with low confidence never are."""
    return fill != UNFILLED and confidence != "low" and LEVELS.index(confidence) <= LEVELS.index(fill)


def requested(open_data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A proposal that was just requested, from the open values of its event."""
    return {
        "status": PENDING,
        "call": open_data["call"],
        "origin": None,
        "code": None,
        "message": None,
        "deadline_at": open_data["deadline"],
        "fields": [],
        "outcome": None,
        "choice": None,
        "flags": [],
        "banner": None,
        "warned": [],
        "dropped": [],
        "for": open_data["for"],
        "purpose": open_data["purpose"],
        "mode": "assist",
        "fill": open_data["fill"],
        "asked": list(open_data["fields"]),
        "requested_at": moment_text(at),
        "answered_at": None,
    } | ({"item": open_data["item"]} if open_data.get("item") is not None else {})


def second_requested(before: Mapping[str, Any], open_data: Mapping[str, Any]) -> dict[str, Any]:
    """The proposal after a second look was requested."""
    second = {
        "call": open_data["call"],
        "status": PENDING,
        "deadline_at": open_data["deadline"],
        "fields": [],
        "outcome": None,
        "choice": None,
    }
    return {**before, SECOND: second}


def second_answered(
    before: Mapping[str, Any], kind: str, open_data: Mapping[str, Any], sealed: Mapping[str, Any]
) -> dict[str, Any]:
    """The proposal with the answer of the second look. The first answer stays."""
    proposed = sealed.get("proposal") or {}
    status = READY if kind == "proposal_made" else open_data.get("status") or FAILED
    more = (
        {
            "fields": list(proposed.get("fields") or ()),
            "outcome": open_data.get("outcome"),
            "choice": proposed.get("choice"),
        }
        if proposed
        else {}
    )
    return {**before, SECOND: {**before[SECOND], "status": status, **more}}


def is_second_call(proposal: Mapping[str, Any], call: str) -> bool:
    """Whether this call is the second look."""
    return (proposal.get(SECOND) or {}).get("call") == call


def answered(
    before: Mapping[str, Any],
    kind: str,
    open_data: Mapping[str, Any],
    sealed: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """The proposal with its answer (`kind` is proposal_made or proposal_failed)."""
    common = {
        **before,
        "origin": open_data.get("origin"),
        "mode": open_data.get("mode") or before["mode"],
        "flags": list(open_data.get("flags") or ()),
        "dropped": [dict(each) for each in open_data.get("dropped") or ()],
        "answered_at": moment_text(at),
    }
    if kind == "proposal_made":
        proposed = sealed.get("proposal") or {}
        return {
            **common,
            "status": READY,
            "outcome": open_data.get("outcome"),
            **{name: proposed.get(name) for name in ("choice", "banner")},
            "warned": list(proposed.get("warned") or ()),
            "fields": list(proposed.get("fields") or ()),
        }
    return {
        **common,
        "status": open_data.get("status") or FAILED,
        "code": open_data["code"],
        "message": sealed.get("message"),
        "banner": sealed.get("banner"),
        "warned": list(sealed.get("warned") or ()),
    }
