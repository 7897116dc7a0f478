"""Errors in the tests that are kept with a workflow: two of one name, steps that it does not have, a record where it is about none.

What only lets a test fail is a remark: the workflow can be published with a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.documents.saved_tests import WITHIN
from console.core.documents.workflow_sketch import Problem, Sketch

GONE = "The workflow has no step {name}, so that this test cannot hold."


def problems(raw: Mapping[str, Any], sketches: Sequence[Sketch]) -> list[Problem]:
    """Every error of `tests`, in their order."""
    tests, steps = raw.get("tests"), {sketch.id for sketch in sketches}
    found, names = [], set[str]()
    for number, test in enumerate(tests if isinstance(tests, list) else []):
        if not isinstance(test, Mapping):
            continue  # its shape is told by the model
        place, name = f"tests[{number}]", test.get("name")
        if isinstance(name, str) and name in names:
            found.append(
                Problem(None, f"{place}.name", f"Two tests are called “{name}”: give one another name.")
            )
        if isinstance(name, str):
            names.add(name)
        if raw.get("collection") is None and test.get("record") is not None:
            found.append(Problem(None, f"{place}.record", "The workflow is about no record: leave it out."))
        for field, step in _named(test):
            if step.partition(WITHIN)[0] not in steps:
                found.append(Problem(None, f"{place}.{field}", GONE.format(name=step), "warning"))
    return found


def _named(test: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """(place, step) of every step that the test names."""
    for part in ("answers", "effects"):
        chosen = test.get(part)
        yield from (
            (f"{part}.{step}", step)
            for step in (chosen if isinstance(chosen, Mapping) else ())
            if isinstance(step, str)
        )
    expected = test.get("expect")
    path = expected.get("path") if isinstance(expected, Mapping) else None
    yield from (
        (f"expect.path[{number}]", step)
        for number, step in enumerate(path if isinstance(path, list) else ())
        if isinstance(step, str)
    )
