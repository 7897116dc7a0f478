"""A step's place on the ladder as a page shows it: what was measured, what is missing for the next rung, and the word of a person that takes it there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from console import workflows
from console.ai.evaluation import measure
from console.ai.evaluation.report_words import percent
from console.ai.proposals import ladder, track_record
from console.ai.proposals.ladder import Held
from console.ai.proposals.track_record import Evidence, Under
from console.auth import accounts
from console.core.actor import Actor
from console.core.documents.workflow import Step
from console.core.errors import Conflict, NotFound
from console.infra.db.engine import fetch
from console.workflows import Known

Rung = Literal["off", "shadow", "assist", "auto"]
AUTOMATIC = frozenset({"decision", "llm"})
"""Types of steps that may run by themselves: they change nothing outside the run."""
ASSIST_CASES, ASSIST_PRECISION = 30, 0.90
AUTO_CASES, AUTO_BOUND = 125, 0.97
COVERAGE_LOSS = 0.02
SHOWN = 20
_HISTORY = "select mode, at, by, why, fingerprint, told from console.ai_ladder where workflow = %s and step = %s order by at desc, id desc limit %s"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a rung: what is needed, what was found, whether that is enough."""

    name: str
    needed: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A step's mode, the evidence for it, and the conditions of the next mode. `target` None: there is no higher one; `may`: the reader may change it."""

    known: Known
    step: Step
    mode: Rung
    own_mode: Rung
    held: Held | None
    about: Under
    evidence: Evidence
    target: Literal["assist", "auto"] | None
    gates: Sequence[Gate]
    history: Sequence[Held]
    names: dict[str, str]
    may: bool

    @property
    def ready(self) -> bool:
        """Whether every gate is passed."""
        return self.target is not None and all(gate.met for gate in self.gates)


def promotion_state(actor: Actor, slug: str, step_id: str) -> Standing:
    """For who may read the step's figures or publish its workflow. Raises NotFound, in the same words where the actor may not see it."""
    known, step, about = _require_step(actor, slug, step_id)
    now_held = ladder.stored_mode(known.id, step_id)
    own: Rung = step.ai.mode if step.ai is not None else "off"
    mode = _mode(own, now_held, about)
    target = _target(own, mode)
    evidence = track_record.gathered(about, datetime.now(UTC))
    history = [Held(*row) for row in fetch(_HISTORY, (known.id, step_id, SHOWN))]
    people = {move.by for move in history if move.by}
    return Standing(
        known,
        step,
        mode,
        own,
        now_held,
        about,
        evidence,
        target,
        list(gates(target, step, evidence)) if target else [],
        history,
        accounts.names(people) if people else {},
        may_move(actor, known),
    )


def promote(actor: Actor, slug: str, step_id: str, target: str, reason: str) -> None:
    """Take a step one rung up. Needs `workflow.publish`.

    Raises NotAllowed, NotFound, Invalid without a reason, and Conflict `not_ready` with every gate that is not passed; what was measured is kept in the log.
    """
    before = promotion_state(actor, slug, step_id)
    workflows.require(actor, before.known, "publish")
    why = ladder.worded(reason)
    if target != before.target:
        raise Conflict("The step stands elsewhere by now; look at the page again.", code="not_possible")
    if missing := [gate for gate in before.gates if not gate.met]:
        details = [(gate.name, f"Needed: {gate.needed}. Found: {gate.found}.") for gate in missing]
        raise Conflict("What was measured does not carry it yet.", code="not_ready", details=details)
    ladder.settle(
        actor,
        before.known.id,
        step_id,
        target,
        why,
        before.about.print,
        evidence_of_event(before.evidence),
        unless=target,
    )


def put_back(actor: Actor, slug: str, step_id: str, mode: str, reason: str) -> None:
    """Take a step down. Needs `workflow.publish`. Raises NotAllowed, NotFound, Invalid without a reason, Conflict for a rung that is not below."""
    before = promotion_state(actor, slug, step_id)
    workflows.require(actor, before.known, "publish")
    why = ladder.worded(reason)
    if mode not in lower(before):
        raise Conflict("The step does not stand above that; look at the page again.", code="not_possible")
    ladder.settle(actor, before.known.id, step_id, mode, why, before.about.print, {})


def lower(before: Standing) -> list[str]:
    """The rungs to which a person can take the step down from here."""
    return {"auto": ["assist", "shadow"], "assist": ["shadow"]}.get(before.mode, [])


def evidence_of_event(evidence: Evidence) -> dict[str, Any]:
    """The evidence stored in the event of a promotion."""
    return {
        "cases": len(evidence.hidden),
        "agreed": evidence.agreed,
        "bound": f"{evidence.bound:.4f}",
        "shown": evidence.shown,
        "accepted": evidence.accepted,
    }


def gates(target: str, step: Step, evidence: Evidence) -> Iterator[Gate]:
    """The conditions of a rung."""
    cases, automatic = len(evidence.hidden), target != "assist"
    needed = AUTO_CASES if automatic else ASSIST_CASES
    by_hand = "Steps decided without seeing the proposal"
    yield Gate(by_hand, f"at least {needed}", f"{cases:,}", cases >= needed)
    if not automatic:
        agreed = evidence.agreed / cases if cases else None
        least, met = f"at least {percent(ASSIST_PRECISION, 0)}", (agreed or 0) >= ASSIST_PRECISION
        yield Gate("The same result", least, percent(agreed), met)
        return
    yield Gate(
        "The same result, with 95 % confidence",
        f"at least {percent(AUTO_BOUND, 0)} of steps",
        f"{percent(evidence.bound)} ({evidence.agreed:,} of {cases:,} agreed)",
        evidence.bound >= AUTO_BOUND,
    )
    before, now = evidence.coverage_before, evidence.coverage
    kept = now is not None and (before is None or now >= before - COVERAGE_LOSS)
    yield Gate(
        "Coverage not lower than before",
        "any"
        if before is None
        else f"at least {percent(before - COVERAGE_LOSS)} (before: {percent(before)})",
        percent(now),
        kept,
    )
    wrong = len(evidence.wrong_trusted)
    yield Gate("Values that must be right and were not", "none", f"{wrong}" if wrong else "none", not wrong)
    kind, inside = step.type.replace("_", " "), step.type in AUTOMATIC
    yield Gate("Nothing outside the run is changed", "a decision or an LLM step", kind, inside)


def may_move(actor: Actor, workflow: Known) -> bool:
    """Whether the actor may take a step of this workflow up and down."""
    return workflows.may(actor, workflow, "publish")


def _require_step(actor: Actor, slug: str, step_id: str) -> tuple[Known, Step, Under]:
    of_slug = workflows.find_known(slug)
    seen = of_slug is not None and (
        of_slug.id in {workflow for _, workflow in measure.pairs(actor)}
        or (of_slug.label is None and workflows.may(actor, of_slug, "see") and may_move(actor, of_slug))
    )
    about = (
        track_record.under(of_slug.id, step_id)
        if of_slug is not None and seen and "\x00" not in step_id
        else None
    )
    if of_slug is None or about is None:
        raise NotFound("There is no such step of a published workflow.")
    document = workflows.version(of_slug.id, of_slug.live or 0).document
    return of_slug, document.step(step_id), about


def _mode(own: Rung, now_held: Held | None, about: Under) -> Rung:
    """The mode of this step now, without counting blind samples."""
    if own == "off" or now_held is None:
        return own
    if now_held.mode == "auto" and own == "assist":
        return "auto" if now_held.fingerprint == about.print else "assist"
    return "shadow" if now_held.mode == "shadow" else "assist"


def _target(own: Rung, mode: Rung) -> Literal["assist", "auto"] | None:
    if own == "off":
        return None
    if mode == "shadow":
        return "assist"
    return "auto" if mode == "assist" and own == "assist" else None
