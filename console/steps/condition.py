"""Condition: takes the first branch whose expression is true, and records the values that it used."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.document_parts import NAME_PATTERN
from console.core.documents.fields import Definition, Located
from console.core.expressions import TABLES, Expression, compiled
from console.core.expressions.nodes import Call, Path, walk
from console.core.expressions.operands import to_json
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values

OTHERWISE = "default"
LONGEST_SHOWN = 200


class Branch(Definition):
    """An outcome and its expression."""

    if_: str = Field(alias="if", description="Expression; unknown counts as not true")
    outcome: str = Field(pattern=NAME_PATTERN)
    label: str | None = Field(
        None,
        min_length=1,
        max_length=80,
        description="What people read of it; without one, the outcome in words",
    )


class ConditionConfig(StepConfig):
    """The branches, tried from first to last."""

    branches: list[Branch] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _not_otherwise(self) -> Self:
        if any(branch.outcome == OTHERWISE for branch in self.branches):
            raise ValueError("default is taken when no branch holds: give the branch a name of its own")
        return self


class Condition(StepType):
    """Automatic. Where no branch is true, the edge `default` is taken, which is required."""

    name, title, family, icon = "condition", "Condition", "condition", "git-branch"
    technical = frozenset({"rule", "compared"})
    gist = "Branches by a rule: the first that holds"
    automatic = True
    Config: ClassVar[type[StepConfig]] = ConditionConfig
    leaves = frozenset({"branch", "rule", "compared"})

    def outcomes(self, config: ConditionConfig) -> tuple[str, ...]:
        """The branches in their order, then `default`."""
        return (*dict.fromkeys(branch.outcome for branch in config.branches), OTHERWISE)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The first branch that is true, with its source text and the values that it used."""
        looked_at: dict[str, Any] = {}
        for branch in step.config.branches:
            rule = expressions.parse(branch.if_)
            looked_at |= compared(rule, context.roots)
            if rule.test(context.roots):
                return Completion(
                    branch.outcome, {}, {"branch": branch.outcome, "rule": branch.if_, "compared": looked_at}
                )
        return Completion(OTHERWISE, {}, {"branch": OTHERWISE, "rule": None, "compared": looked_at})

    def expressions(self, config: ConditionConfig) -> list[Located]:
        """The expression of each branch."""
        return [
            Located(f"branches[{number}].if", branch.if_) for number, branch in enumerate(config.branches)
        ]


def compared(rule: Expression, roots: Any) -> dict[str, Any]:
    """The values that a rule looks at, by their paths, each fit for a line of the log; of a policy table what was found in it.

    The paths stand openly in the log: a second look into the same table is numbered, and not named by its keys.
    """
    found = {
        ".".join(path): _brief(value_at(roots, path))
        for path in sorted(expressions.paths(rule))
        if path[0] != TABLES
    }
    for call in walk(rule.node):
        if (
            isinstance(call, Call)
            and call.name == "lookup"
            and isinstance(where := call.arguments[0], Path)
            and where.root == TABLES
        ):
            times = sum(1 for name in found if name.partition(" ")[0] == where.dotted)
            found[f"{where.dotted} ({times + 1})" if times else where.dotted] = _brief(
                to_json(compiled(call)(roots))
            )
    return found


def value_at(roots: Any, path: Sequence[str]) -> Any:
    """The value at a path of names; None where there is none."""
    value = roots
    for name in (path[0].removeprefix("$"), *path[1:]):
        value = value.get(name) if isinstance(value, dict) or hasattr(value, "get") else None
    return to_json(value)


def _brief(value: Any) -> Any:
    """A value for a line of the log: long texts are cut, lists and objects are replaced by their number of entries."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…"
    if isinstance(value, list):
        simple = all(isinstance(entry, str | int | bool) for entry in value)
        return value if simple and len(value) <= 20 else f"{len(value)} entries"
    return f"{len(value)} entries" if isinstance(value, dict) else value
