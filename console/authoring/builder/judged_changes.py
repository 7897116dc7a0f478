"""Changes that a model proposes, tried on a copy of the draft: the new document, and the problems that the draft did not have before.

What names something out of reach, a step type or setting that is not there, or an expression that cannot be read never gets into a draft (`hard`). What a person
can finish, such as a way that leads nowhere yet, may (`open_ends`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console import workflows
from console.ai.builder_prompt import TESTS
from console.core import drafting
from console.core.documents.json_shape import MISSING
from console.core.documents.workflow_check import Problem, Surroundings
from console.core.documents.workflow_sketch import UNKNOWN
from console.core.drafting import AddStep, Change, ChangeError, Connect, Set, SetDocument

FIXED = ("format", "slug", "team", "run_as", "clearance")
"""What words never change: which workflow it is, whose, and in whose name it acts."""
START = "start"
MOST_REFUSED = 40
"""Where so many changes cannot be made, nothing more is looked at."""
MOST_TRIED = 80
"""With more changes than these, nothing is saved of a proposal that cannot be taken whole."""


@dataclass(frozen=True, slots=True)
class Case:
    """A draft, with the names and surroundings that the person who asks may see."""

    document: Mapping[str, Any]
    surroundings: Surroundings
    names: Mapping[str, Any]
    former: frozenset[tuple[str | None, str, str]] = frozenset()

    @classmethod
    def of(cls, document: Mapping[str, Any], surroundings: Surroundings, names: Mapping[str, Any]) -> "Case":
        """With what is wrong with the draft as it is."""
        return cls(
            document,
            surroundings,
            names,
            frozenset(_key(each) for each in workflows.check(document, surroundings)),
        )

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What is wrong with the draft, as the model is told it."""
        problems = sorted(self.former, key=str)
        return [
            {"step": step, "field": field, "reason": reason}
            for step, field, reason in problems
            if not of_tests(field)
        ]


@dataclass(frozen=True, slots=True)
class Judged:
    """`document` after the `changes`. `hard` keep them out of the draft; `open_ends` a person can mend."""

    document: Mapping[str, Any]
    changes: Sequence[Change]
    hard: Sequence[Problem] = ()
    open_ends: Sequence[Problem] = ()
    left_out: Sequence[Problem] = field(default=())

    @property
    def told(self) -> list[str]:
        """What is wrong, as lines for the model."""
        return [
            f"{each.step or 'document'}, {each.field}: {each.reason}"
            for each in (*self.hard, *self.open_ends)
            if not of_tests(each.field)
        ]


def of_tests(field: str) -> bool:
    """Whether a place in the document is in its kept tests: these hold values of records, so that a model neither sees nor changes them."""
    return field.partition("[")[0].partition(".")[0] == TESTS


def with_tests(case: Case, change: Change) -> Change:
    """The change; one of the whole document with the tests that it keeps. Raises ChangeError for a change of the tests."""
    if not isinstance(change, SetDocument):
        return change
    if change.field is None:
        if not isinstance(change.value, Mapping):
            return change
        both = {**change.value, TESTS: case.document.get(TESTS)}
        return change.model_copy(
            update={"value": {name: value for name, value in both.items() if value is not None}}
        )
    if drafting.parts(change.field)[0] == TESTS:
        raise ChangeError("Kept tests are not changed by words.", "field")
    return change


def begun_anew(case: Case, change: Change) -> tuple[list[Change], list[Change]]:
    """The change as it is made; what adds the start, which each draft has, sets it: first its words, and once all steps are there its ways."""
    start: Mapping[str, Any] = next((each for each in case.document["steps"] if each["type"] == START), {})
    if (
        not isinstance(change, AddStep)
        or change.step.get("type") != START
        or not start
        or change.step.get("id", START) != start["id"]
    ):
        return [change], []
    ways = change.step.get("next")
    found = {name: change.step[name] for name in ("title", "config") if change.step.get(name)}
    return (
        [Set(step=start["id"], field=name, value=value) for name, value in found.items()],
        [
            Connect(step=start["id"], outcome=outcome, to=to)
            for outcome, to in (ways if isinstance(ways, Mapping) else {}).items()
        ],
    )


def judge(case: Case, changes: Sequence[Change]) -> Judged:
    """The changes tried on a copy. What is wrong with those that can be made is told beside those that cannot."""
    left, refused = dict(enumerate(changes)), list[Problem]()
    while True:
        try:
            after = drafting.apply(case.document, list(left.values()))
            break
        except ChangeError as error:
            number = list(left)[error.number]
            at = f"changes[{number}]" + (f".{error.field}" if error.field else "")
            step = getattr(left.pop(number), "step", None)
            refused.append(Problem(step if isinstance(step, str) else None, at, error.reason))
            if len(refused) == MOST_REFUSED:
                return Judged(case.document, changes, refused)
    try:
        drafting.require_shape(after)
    except ChangeError as error:
        return Judged(case.document, changes, [*refused, Problem(None, error.field, error.reason)])
    new = [each for each in workflows.check(after, case.surroundings) if _key(each) not in case.former]
    # a file may come before what it names: words may not
    found = [each for each in new if each.severity == "error" or each.kind == UNKNOWN]
    hard = [*refused, *_refused(case, after), *(each for each in found if not _may_stay(each, after))]
    return Judged(after, changes, hard, [each for each in found if _may_stay(each, after)])


def best_of(case: Case, changes: Sequence[Change]) -> Judged:
    """As many of the changes as may be in a draft: all of them, else those that may come after those before them."""
    whole = judge(case, changes)
    if not whole.hard:
        return whole
    result = Judged(case.document, ())
    for change in changes if len(changes) <= MOST_TRIED else ():
        trial = judge(case, [*result.changes, change])
        result = result if trial.hard else trial
    return replace(result, left_out=whole.hard)


def _key(problem: Problem) -> tuple[str | None, str, str]:
    return problem.step, problem.field, problem.reason


def _may_stay(problem: Problem, after: Mapping[str, Any]) -> bool:
    """Whether a person can mend the problem, and it names nothing unknown."""
    if problem.kind:
        return problem.kind != UNKNOWN
    if problem.field == "next" or problem.field.startswith("next."):
        return True
    step: Mapping[str, Any] = next((each for each in after["steps"] if each["id"] == problem.step), {})
    return (
        bool(step) and problem.reason == MISSING and not step.get("config")
    )  # settings that cannot be read are not looked into further


def _refused(case: Case, after: Mapping[str, Any]) -> list[Problem]:
    """What may not be changed by words."""
    return [
        Problem(None, name, f"{name} is not changed by words.")
        for name in FIXED
        if case.document.get(name) != after.get(name)
    ]
