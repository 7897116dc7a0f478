"""A proposal as a run holds it: what was asked for whom, what came, and what became of it when the step was handed in.

The keys of docs/reference/proposals.md are always there; beside them `warned` (sources whose text reads like instructions), `for` (the person with whose rights it was asked), `mode`, `fill`, `choice`, `dropped`, `asked`, `requested_at`, `answered_at`
and, at a step that goes through a list, `item`. `second` is there where somebody was asked for a second look at it: `call`, `status`, `deadline_at`, and what that look would
propose itself (`fields`, `outcome`, `choice`).
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
"""What a draft keeps beside the values: the choice, and how far the person has come with the proposal."""
AT_STAKE = "at_stake"
"""Why a step that would go on with an answer waits for a person."""
UNFILLED = "none"
"""The `fill` of a proposal that fills nothing in, however sure it is: something is at stake at its step."""
HIDDEN_MODES = frozenset({"shadow", "blind"})
"""Modes in which what was proposed is recorded and shown to nobody before the step is handed in."""


def fills(confidence: str, fill: str) -> bool:
    """Whether a value of this confidence stands in its field before a person has put it there; a low one never does."""
    return fill != UNFILLED and confidence != "low" and LEVELS.index(confidence) <= LEVELS.index(fill)


def requested(open_data: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The proposal that was just asked for, from what its event tells openly."""
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
    """The proposal when a second look at it was just asked for."""
    second = {
        "call": open_data["call"],
        "status": PENDING,
        "deadline_at": open_data["deadline"],
        "fields": [],
        "outcome": None,
        "choice": None,
    }
    return {**before, SECOND: second}


def second_answered(before: Mapping[str, Any], kind: str, open_data: Mapping[str, Any], sealed: Mapping[str, Any]) -> dict[str, Any]:
    """The proposal when the answer of the second look has come, which changes nothing of the first."""
    found = sealed.get("proposal") or {}
    status = READY if kind == "proposal_made" else open_data.get("status") or FAILED
    more = {"fields": list(found.get("fields") or ()), "outcome": open_data.get("outcome"), "choice": found.get("choice")} if found else {}
    return {**before, SECOND: {**before[SECOND], "status": status, **more}}


def is_second_call(proposal: Mapping[str, Any], call: str) -> bool:
    """Whether this call is the second look at the proposal."""
    return (proposal.get(SECOND) or {}).get("call") == call


def answered(before: Mapping[str, Any], kind: str, open_data: Mapping[str, Any], sealed: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The proposal when its answer has come (`kind` is proposal_made or proposal_failed)."""
    common = {
        **before,
        "origin": open_data.get("origin"),
        "mode": open_data.get("mode") or before["mode"],
        "flags": list(open_data.get("flags") or ()),
        "dropped": [dict(each) for each in open_data.get("dropped") or ()],
        "answered_at": moment_text(at),
    }
    if kind == "proposal_made":
        found = sealed.get("proposal") or {}
        return {
            **common,
            "status": READY,
            "outcome": open_data.get("outcome"),
            **{name: found.get(name) for name in ("choice", "banner")},
            "warned": list(found.get("warned") or ()),
            "fields": list(found.get("fields") or ()),
        }
    return {
        **common,
        "status": open_data.get("status") or FAILED,
        "code": open_data["code"],
        "message": sealed.get("message"),
        "banner": sealed.get("banner"),
        "warned": list(sealed.get("warned") or ()),
    }
