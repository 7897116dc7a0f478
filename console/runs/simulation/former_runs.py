"""A run that has ended, beside a dry run of it: what its steps came to then, as long as nothing before them comes out otherwise now."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from console.core.documents.workflow import Step, Workflow
from console.core.run import Attempt, Run

ONLY_SHOWN = {
    "title",
    "description",
    "button",
    "roles",
    "not_by",
    "ai",
    "finding",
    "flag",
    "stakes",
    "content",
    "next",
    "at",
}
"""Parts of a step that change nothing in what it comes to. Where it leads is looked up in the new version."""


@dataclass(frozen=True, slots=True)
class FormerRun:
    """`attempts` in the order taken; `unchanged` are the steps that come to the same with the same values in both versions."""

    attempts: Sequence[Attempt]
    unchanged: frozenset[str]

    def then(self, run: Run) -> Attempt | None:
        """What the step came to at which the dry run stands. None where that has to be worked out: it has changed, it started other
        runs, or something before it came out otherwise. Data may have changed since, so that reading them anew would tell nothing of the version.
        """
        taken = [attempt for n, attempt in sorted(run.attempts.items()) if n != run.current]
        if run.status not in ("running", "waiting_person") or len(taken) >= len(self.attempts):
            return None
        then = self.attempts[len(taken)]
        alike = all(self._alike(*pair) for pair in zip(taken, self.attempts, strict=False))
        here = run.attempt is not None and run.attempt.step == then.step
        settled = then.status == "done" and then.step in self.unchanged and "children" not in then.values
        return then if here and settled and alike else None

    def _alike(self, now: Attempt, then: Attempt) -> bool:
        """Whether it came to the same. What was done outside is told by its ending, which is the recorded one."""
        same = (now.step, now.outcome) == (then.step, then.outcome)
        return same and (bool(then.effects) or now.step in self.unchanged or now.context == then.context)


def unchanged_steps(before: Workflow, after: Workflow) -> frozenset[str]:
    """Steps that come to the same in both, given the same values: those that end a run, and those that lead nowhere, are left out."""
    former = {step.id: _working(step) for step in before.steps}
    same = {
        step.id: working
        for step in after.steps
        if step.next and (working := _working(step)) == former.get(step.id)
    }
    settled = before.variables == after.variables
    return frozenset(
        step
        for step, working in same.items()
        if settled or "variables." not in json.dumps(working, default=str)
    )


def _working(step: Step) -> dict[str, Any]:
    return step.model_dump(exclude=ONLY_SHOWN, mode="json")
