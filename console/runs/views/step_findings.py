"""What each step of a run found, as its reader may see it: from the values in the log, never from today's records."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from console.core.documents import findings
from console.runs.engine.stepping import rules_of
from console.workflows import Definition

FINDING, FLAG = "finding", "flag"
Words = Sequence[findings.Piece] | None


def finder(
    definition: Definition, began: datetime | None, context: Mapping[str, Any], masked: Sequence[str] = ()
) -> Callable[[str], dict[str, Words]]:
    """A function: id of a step → its `finding` and `flag` in pieces.

    `context` are the outputs of the steps as the reader may see them, `masked` the paths of what was removed from them (`run.context.<step>.…`):
    words that look at such a value are left out, whatever they would say without it.
    """
    document = definition.document
    rules = rules_of(definition, (began or datetime.now(UTC)).astimezone(UTC).date())
    roots = {"steps": context, "input": context.get(document.start.id, {}), **rules.roots}
    hidden = [
        tuple(path.removeprefix("run.context.").split("."))
        for path in masked
        if path.startswith("run.context.")
    ]

    def words(rule: Any) -> Words:
        if rule is None or any(_meets(path, each) for path in findings.names_of(rule) for each in hidden):
            return None
        return findings.pieces(rule, roots)

    def of_step(step_id: str) -> dict[str, Words]:
        step = next((each for each in document.steps if each.id == step_id), None)
        if step is None:  # left when the run was moved to this version
            return {FINDING: None, FLAG: None}
        return {FINDING: words(step.finding), FLAG: words(step.flag)}

    return of_step


def _meets(path: Sequence[str], hidden: Sequence[str]) -> bool:
    """Whether a path of an expression leads to, through or around a hidden value."""
    looked = path[1:] if path and path[0] == "steps" else ()
    return bool(looked) and all(one == other for one, other in zip(looked, hidden, strict=False))
