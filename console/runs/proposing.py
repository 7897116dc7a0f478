"""Proposals at the step where a run stands: when one is asked for, what came of it, and what of it somebody is shown."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from console.core.moments import moment_text
from console.core.proposal import HIDDEN_MODES, OFF
from console.core.run import Event, Run
from console.core.workflow import StepAI
from console.db.ids import new_id
from console.workflows import Definition

DEADLINE_S = 8.0
UNSHOWN = "This time the step is done without a proposal: a few are, so that it can be told whether proposals help."


def settings_of(definition: Definition, step_id: str) -> StepAI | None:
    """What the AI may propose at the step; None where it is not asked."""
    found = definition.document.step(step_id).ai
    return found if found is not None and found.mode != "off" else None


def asked(definition: Definition, run: Run, at: datetime) -> Event | None:
    """That a proposal is asked for, where the run has just come to stand before a person for whom there is none yet; else None."""
    here = run.attempt
    if run.status != "waiting_person" or run.holder is None or here is None or here.status != "open" or run.take_over is not None:
        return None
    wanted = settings_of(definition, here.step)
    if wanted is None or (here.proposal is not None and here.proposal["for"] == run.holder):
        return None
    return request(run, wanted, run.holder, at)


def request(run: Run, wanted: StepAI, person: str, at: datetime, *, item: str | None = None, purpose: str = "propose") -> Event:
    """The event that asks for a proposal at the open attempt, with the rights of this person."""
    here = run.attempt
    if here is None:
        raise ValueError(f"run {run.id} stands at no attempt")
    told: dict[str, Any] = {
        "call": new_id("aic"),
        "n": here.n,
        "for": person,
        "purpose": purpose,
        "fields": list(wanted.fields or ()),
        "fill": wanted.fill,
        "deadline": moment_text(at + timedelta(seconds=DEADLINE_S)),
    } | ({"item": item} if item is not None else {})
    return Event("proposal_requested", at, told, {}, (here.step, here.attempt))


def shown(proposal: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The proposal as the person it is for gets it: one that is only recorded shows nothing of what it holds."""
    if proposal is None:
        return None
    if proposal["mode"] not in HIDDEN_MODES or proposal["status"] not in ("ready", "declined"):
        return dict(proposal)
    nothing: dict[str, Any] = {
        "status": OFF,
        "fields": [],
        "outcome": None,
        "choice": None,
        "flags": [],
        "banner": None,
        "dropped": [],
        "message": UNSHOWN,
    }
    return dict(proposal) | nothing
