"""Action: one automatic operation: change or add a record, call another system or a function."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.action_document import SUCCEEDED, Effect, OutcomeRule, text_of, wishes
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Computed, Located, computed
from console.core.documents.workflow import Name
from console.core.expressions import ExpressionError
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values

KNOWN = frozenset({"record", "input", "results", "run", "$currentUser", "now", "key", "answer", "item"})


class ActionConfig(StepConfig):
    """The operation and its arguments."""

    values: dict[Name, Computed] = Field(
        default_factory=dict, max_length=60, description="What the operation is given: name to expression; it finds them as `input.<name>`"
    )
    effect: Effect = Field(description="What is done; its expressions know `record`, `input` and `key`")
    outcomes: list[OutcomeRule] = Field(
        default_factory=list, max_length=10, description="Outcomes other than `succeeded`, by expressions over `results.<name>`"
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        own = [*text_of(self.effect), *((Located(f"outcomes[{number}].if", rule.if_), False) for number, rule in enumerate(self.outcomes))]
        for text, template in own:
            try:
                found = expressions.templates(text.text) if template else [expressions.parse(text.text)]
            except ExpressionError as error:
                raise ValueError(f"{text.field}: {error.message}") from None
            for path in sorted({path for expression in found for path in expressions.paths(expression)}):
                if path[0] not in KNOWN:
                    raise ValueError(f"{text.field}: an operation does not know {path[0]}: name it in values, and use input")
                if path[0] == "input" and len(path) > 1 and path[1] not in self.values:
                    raise ValueError(f"{text.field}: values has no {path[1]}")
                if path[0] == "results" and (len(path) < 2 or path[1] != self.effect.name):
                    raise ValueError(f"{text.field}: what came of it is found as results.{self.effect.name}")
        return self


class Action(StepType):
    """Automatic. Repeated where that may help, by the settings of the workflow. A person is asked where the result is unknown."""

    name, title, family, icon = "action", "Action", "action", "bolt"
    technical = frozenset({"key", "action", "result", "results", "collection"})
    gist = "Changes a record or asks another system, by itself"
    automatic = True
    Config: ClassVar[type[StepConfig]] = ActionConfig

    def changes(self, step: StepView) -> bool:
        """Always."""
        return True

    def outcomes(self, config: ActionConfig) -> tuple[str, ...]:
        """`succeeded`, and the outcomes of its rules."""
        return tuple(dict.fromkeys((SUCCEEDED, *(rule.outcome for rule in config.outcomes))))

    def complete(self, step: StepView, context: Context, submitted: Values, outcome: str | None) -> Completion:
        """The effect with the current values of its arguments."""
        config: ActionConfig = step.config
        given = {name: computed(rule, context.roots) for name, rule in config.values.items()}
        told: Mapping[str, Any] = {"outcomes": [rule.model_dump(by_alias=True) for rule in config.outcomes]}
        return Completion(SUCCEEDED, {}, dict(given), effects=wishes(None, [config.effect], of_run=True, given=given, more=told))

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person did it elsewhere or skips it: no effect."""
        return Completion(SUCCEEDED)

    def expressions(self, config: ActionConfig) -> list[Located]:
        """The arguments."""
        return [text for name, rule in config.values.items() for text in texts_of(f"values.{name}", rule)]

    def outputs(self, config: ActionConfig) -> frozenset[str]:
        """The arguments, `result`, and `results` by the name of the effect."""
        return frozenset([*config.values, "result", "results", f"results.{config.effect.name}", "outcome"])
