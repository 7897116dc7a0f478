"""The tests that are kept with a workflow, before it is published: how they went, and the reason for which failed ones are accepted.

How a test is run is not known here: `console.runs.simulation` says so by `run_tests_by`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict, Invalid

LONGEST_REASON = 2000
ROUNDS = 4
"""So often tests are run for a draft that is changed meanwhile."""
T = TypeVar("T")


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


class Untested(Exception):
    """Raised while the workflow is locked: the tests of this document were not run yet. They take seconds, and nobody is to wait for the lock meanwhile."""

    def __init__(self, slug: str, ident: str, document: Workflow) -> None:
        super().__init__(slug)
        self.slug, self.ident, self.document = slug, ident, document


class TestsBefore:
    """The tests of what is about to be published. They are run while nothing is locked; under the lock only the document is compared.

    `whose` says whose rights count for a document; `reason` is why it is published although tests fail.
    """

    def __init__(self, whose: Callable[[Workflow], Actor], reason: str = "") -> None:
        if len(reason) > LONGEST_REASON or "\x00" in reason:
            told = f"takes at most {LONGEST_REASON} characters"
            raise Invalid("The workflow was not published.", at=("accept_failed_tests", told))
        self.whose, self.reason = whose, reason.strip()
        self._failed: dict[str, int] = {}

    def publishing(self, attempt: Callable[[], T]) -> T:
        """What `attempt` answers, which publishes in a transaction of its own; it is called again when the tests that it lacks were run.

        Raises what it raises, Conflict `tests_failed` with each of them if there is no reason, `stale_revision` where the draft changes all the time.
        """
        for _ in range(ROUNDS):
            try:
                return attempt()
            except Untested as untested:
                self.run(untested.slug, untested.ident, untested.document)
        raise Conflict(
            "Not published: the draft was changed while its tests ran. Look at it again.",
            code="stale_revision",
        )

    def failed(self, slug: str, ident: str, document: Workflow) -> int:
        """How many tests fail and are accepted. Raises Untested where they were not run on this very document."""
        if not document.tests:
            return 0
        if document.hash not in self._failed:
            raise Untested(slug, ident, document)
        return self._failed[document.hash]

    def run(self, slug: str, ident: str, document: Workflow) -> None:
        """Run them. Raises Conflict `tests_failed`."""
        results = (
            [result for run in _run_tests for result in run(self.whose(document), slug, ident, document)]
            if document.tests
            else []
        )
        failed = [result for result in results if not result.holds]
        if failed and not self.reason:
            what = "A test fails" if len(failed) == 1 else f"{len(failed)} of {len(results)} tests fail"
            details = [
                {"field": "tests", "test": result.name, "reason": " ".join(result.differences)}
                for result in failed
            ]
            raise Conflict(
                f"Not published. {what}: mend the workflow or the test, or say why it is published all the same.",
                code="tests_failed",
                details=details,
            )
        self._failed[document.hash] = len(failed)
