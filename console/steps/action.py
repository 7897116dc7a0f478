"""Action: one automatic operation: add, change or delete a record, ask another system, or any effect of an action file."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from console.core import expressions
from console.core.documents.action_document import SUCCEEDED, Effect, OutcomeRule, text_of, wishes
from console.core.documents.document_parts import NAME_PATTERN, Name
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Computed, Located, Use, computed
from console.core.effect_kinds import HEADER_PATTERN, LONGEST_S, Kind, wrong_address
from console.core.expressions import ExpressionError
from console.steps import operations
from console.steps.base import Completion, Context, StepConfig, StepType, StepView, Values
from console.steps.operations import Operation

KNOWN = frozenset({"record", "input", "results", "run", "$currentUser", "now", "key", "answer", "item"})
LONGEST_BODY = 20_000
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Header = Annotated[str, StringConstraints(pattern=HEADER_PATTERN)]


class ActionConfig(StepConfig):
    """The operation and its settings; or instead of `operation` an `effect`, as in an action file."""

    operation: Operation | None = Field(
        None,
        description="What is done: add, change or delete a record, or ask another system: by a connector, or over HTTP",
    )
    connector: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        None, description="The system that is asked"
    )
    call: Name | None = Field(None, description="What it is asked to do: an operation of the connector")
    connection: Name | None = Field(
        None, description="A name of Settings, Connections; none: the one that is named like the connector"
    )
    path: Annotated[str, StringConstraints(pattern=r"^/", max_length=500)] | None = Field(
        None, description="What is asked for, where the operation leaves that open, with {{ expressions }}"
    )
    collection: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Collection of the record; none: of the run's own record",
    )
    record: str | None = Field(
        None, min_length=1, description="Expression for the key of the record; none: the run's own record"
    )
    values: dict[FieldName, Computed] = Field(
        default_factory=dict,
        max_length=60,
        description="Field to its value: an expression, cases, or a text with {{ expressions }}. With `effect`: what it finds as `input.<name>`; of a connector a dot in a name makes an object inside",
    )
    unique: list[str] = Field(
        default_factory=list,
        max_length=8,
        description="Fields that no two records share: one that has these values is taken for the new one",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="What is asked")
    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        None,
        description="Whole address; each {{ expression }} in its path or query is filled in as one piece of it",
    )
    headers: dict[Header, Annotated[str, StringConstraints(max_length=1000)]] = Field(
        default_factory=dict,
        max_length=20,
        description="Header to its text, with {{ expressions }}; never a secret",
    )
    body: Any = Field(
        None, description="JSON that is sent; a text of it that is one {{ expression }} becomes its value"
    )
    secret: Name | None = Field(
        None, description="Name of a secret of the settings, sent as `Authorization: Bearer …`"
    )
    secret_header: Header | None = Field(
        None, description="Header that carries the secret as it is, in place of `Authorization`"
    )
    success: list[Annotated[int, Field(ge=200, le=499)]] = Field(
        default_factory=list, max_length=20, description="Statuses that mean done; none: 200 to 299"
    )
    idempotent: bool = Field(
        False,
        description="The other system takes the same key twice as one request: it is asked again where no answer came",
    )
    timeout_s: int = Field(10, ge=1, le=LONGEST_S, description="Seconds to wait for an answer")
    effect: Effect | None = Field(
        None, description="In place of an operation: an effect as in an action file"
    )
    outcomes: list[OutcomeRule] = Field(
        default_factory=list,
        max_length=10,
        description="Outcomes other than `succeeded`, by expressions over `results.<name>`",
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None and (wrong := wrong_address(url)):
            raise ValueError(wrong)
        return url

    @field_validator("body")
    @classmethod
    def _json(cls, body: Any) -> Any:
        try:
            long = len(json.dumps(body, ensure_ascii=False, allow_nan=False).encode()) > LONGEST_BODY
        except (ValueError, TypeError, RecursionError):
            raise ValueError("this cannot be sent as JSON") from None
        if long:
            raise ValueError(f"at most {LONGEST_BODY:,} characters")
        return body

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.operation is None and self.effect is None:
            raise ValueError("nothing is done: name an operation (create, update, delete, connector or http)")
        if self.operation is not None and self.effect is not None:
            raise ValueError("an operation and an effect are two: leave one of them out")
        given = {
            name
            for name in operations.ALL
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True)
        }
        if strange := [
            name for name in operations.ALL if name in given - set(operations.SETTINGS[self.operation])
        ]:
            raise ValueError(f"{', '.join(strange)}: not a setting of {self.operation or 'an effect'}")
        if self.operation is not None and (
            missing := [name for name in operations.NEEDED[self.operation] if name not in given]
        ):
            raise ValueError(f"{self.operation} needs {', '.join(missing)}")
        if self.collection is not None and self.record is None and self.operation in ("update", "delete"):
            raise ValueError("a record of another collection must be named: give record")
        return self

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            effect = operations.effect_of(self) if self.operation is not None else self.effect
        except ValidationError as error:
            raise ValueError(
                "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
            ) from None
        own = [*text_of(effect)] if self.operation is None and effect is not None else []
        own += [
            (Located(f"outcomes[{number}].if", rule.if_), False) for number, rule in enumerate(self.outcomes)
        ]
        name = effect.name if effect is not None else ""
        for text, template in own:
            try:
                found = expressions.templates(text.text) if template else [expressions.parse(text.text)]
            except ExpressionError as error:
                raise ValueError(f"{text.field}: {error.message}") from None
            for path in sorted({path for expression in found for path in expressions.paths(expression)}):
                if path[0] not in KNOWN:
                    raise ValueError(
                        f"{text.field}: an operation does not know {path[0]}: name it in values, and use input"
                    )
                if path[0] == "input" and len(path) > 1 and path[1] not in self.values:
                    raise ValueError(f"{text.field}: values has no {path[1]}")
                if path[0] == "results" and (len(path) < 2 or path[1] != name):
                    raise ValueError(f"{text.field}: what came of it is found as results.{name}")
        if self.effect is not None and (
            wrong := [name for name in self.values if not re.match(NAME_PATTERN, name)]
        ):
            raise ValueError(
                f"values: {wrong[0]} is no name that an effect could use: small letters, digits and _"
            )
        return self

    @property
    def does(self) -> Kind:
        """The effect of the step."""
        return (
            self.effect if self.operation is None and self.effect is not None else operations.effect_of(self)
        )


class Action(StepType):
    """Automatic. Repeated where that may help, by the settings of the workflow. A person is asked where the result is unknown."""

    name, title, family, icon = "action", "Action", "action", "bolt"
    technical = frozenset(
        {"key", "action", "result", "results", "collection", "path", "url", "headers", "body", "record_key"}
    )
    gist = "Adds, changes or deletes a record, or asks another system, by itself"
    automatic = True
    Config: ClassVar[type[StepConfig]] = ActionConfig

    def changes(self, step: StepView) -> bool:
        """Unless it only asks another system."""
        return getattr(step.config.does, "method", None) != "GET"

    def form_settings(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Those of the operation; an effect only where the document has one."""
        chosen = settings.get("operation")
        own = (
            operations.SETTINGS.get(chosen, ())
            if chosen is not None or settings.get("effect") is not None
            else ()
        )
        return (
            "operation",
            *own,
            *(name for name in settings if name not in ("operation", "outcomes", *own)),
            "outcomes",
        )

    def says(self, config: ActionConfig) -> str:
        """The summary of the operation."""
        return config.does.summary if config.operation is not None else ""

    def outcomes(self, config: ActionConfig) -> tuple[str, ...]:
        """`succeeded`, and the outcomes of its rules."""
        return tuple(dict.fromkeys((SUCCEEDED, *(rule.outcome for rule in config.outcomes))))

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The effect with the current values of its arguments. Raises Invalid for a value that is not known."""
        config: ActionConfig = step.config
        shown: dict[str, Any] = {"outcomes": [rule.model_dump(by_alias=True) for rule in config.outcomes]}
        if config.operation is None:
            given = {name: computed(rule, context.roots) for name, rule in config.values.items()}
        else:
            given = operations.effect_input(config, context.roots)
            shown |= {"as_form": True} | ({} if config.operation == "connector" else {"answer": "whole"})
            shown |= {"seen": seen} if (seen := operations.values_before(config, context.roots)) else {}
        return Completion(
            SUCCEEDED,
            {},
            dict(given),
            effects=wishes(None, [config.does], of_run=True, given=given, more=shown),
        )

    def by_hand(self, step: StepView, context: Context) -> Completion:
        """A person did it elsewhere or skips it: no effect."""
        return Completion(SUCCEEDED)

    def expressions(self, config: ActionConfig) -> list[Located]:
        """The arguments."""
        if config.operation is None:
            return [text for name, rule in config.values.items() for text in texts_of(f"values.{name}", rule)]
        return [text for text, template in operations.texts(config) if not template]

    def templates(self, config: ActionConfig) -> list[Located]:
        """Texts of fields, and what is sent."""
        return (
            []
            if config.operation is None
            else [text for text, template in operations.texts(config) if template]
        )

    def doubts(self, config: ActionConfig) -> list[tuple[str, str]]:
        """What nobody can tell to have happened where the process dies or no answer comes."""
        if config.operation == "create" and not config.unique:
            reason = "After a crash nobody can tell whether it was added: name fields that no two records share, and a person is not asked."
            return [("unique", reason)]
        if config.operation == "http" and config.method in ("POST", "PATCH") and not config.idempotent:
            reason = "Where no answer comes a person is asked what happened: say that the other system takes the same key twice as one, if it does."
            return [("idempotent", reason)]
        if config.operation == "connector":
            return [("call", reason) for _, reason in config.does.warnings(None)]
        return []

    def uses(self, config: ActionConfig) -> list[Use]:
        """The fields that are changed."""
        return operations.uses(config)

    def outputs(self, config: ActionConfig) -> frozenset[str]:
        """The arguments, `result`, `results` by the name of the effect, and where it could not be done why (`error`)."""
        own = config.values if config.operation is None else operations.outputs(config)
        return frozenset([*own, "result", "results", f"results.{config.does.name}", "outcome", "error"])

    def answered(self, config: ActionConfig) -> frozenset[str]:
        """What another system answers may repeat what it was sent; of a record the result holds what was written."""
        return frozenset({"result", "results"}) if config.operation is not None else frozenset()
