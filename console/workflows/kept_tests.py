"""The tests that are kept with a workflow, before it is published: how they went, and the reason for which failed ones are accepted.

How a test is run is not known here: `console.runs.trying` says so by `run_tests_by`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.errors import Conflict, Invalid

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class ResultOfTest:
    """How a test went: `differences` say in sentences what is not as expected; none: it holds."""

    name: str
    differences: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


RunTests = Callable[[Actor, str, str, Workflow], Sequence[ResultOfTest]]
"""(who publishes, slug, id, document) → the results of its tests, in their order."""
_run_tests: list[RunTests] = []


def run_tests_by(run: RunTests) -> RunTests:
    """From now on tests are run by this function."""
    _run_tests[:] = [run]
    return run


def failed_tests(actor: Actor, slug: str, ident: str, document: Workflow, reason: str) -> int:
    """How many tests fail and are accepted for the reason.

    Raises Conflict `tests_failed` with each of them if there is no reason, Invalid for one that is too long.
    """
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        told = f"takes at most {LONGEST_REASON} characters"
        raise Invalid("The workflow was not published.", details=[{"field": "accept_failed_tests", "reason": told}])
    results = [result for run in _run_tests for result in run(actor, slug, ident, document)] if document.tests else []
    failed = [result for result in results if not result.holds]
    if failed and not reason.strip():
        what = "A test fails" if len(failed) == 1 else f"{len(failed)} of {len(results)} tests fail"
        details = [{"field": "tests", "test": result.name, "reason": " ".join(result.differences)} for result in failed]
        raise Conflict(
            f"Not published. {what}: mend the workflow or the test, or say why it is published all the same.",
            code="tests_failed",
            details=details,
        )
    return len(failed)
