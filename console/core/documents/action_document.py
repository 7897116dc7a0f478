"""Action documents: what can be done to a record, by whom, with which values, and its external effects.

Expressions of an action use `record` (read again whenever they are evaluated), `input` (its form), `related` (related records), `variables`
(its own), `run`, `$currentUser` and `now`; those of effects also `key` and `results.<name>` of earlier effects. The same JSON document is
used in `actions/*.json`, in the table of actions and in exports.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from console.core.documents.document_parts import NAME_PATTERN, Name, StoredDocument, Title
from console.core.documents.field_expressions import texts_of, texts_of_definitions
from console.core.documents.fields import Computed, Definition, FieldDefinition, Located, require_distinct
from console.core.documents.workflow import Stake
from console.core.effect_kinds import Effect, Sentence, SqlDelete, SqlWrite, text_of
from console.core.run import Run

FORMAT = 1
ID_PATTERN = r"^[a-z][a-z0-9_]{0,30}(\.[a-z][a-z0-9_]{0,30}){1,2}$"
SUCCEEDED, PENDING, FAILED = "succeeded", "pending", "failed"

ActionId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def slug_of(action: str) -> str:
    """Slug of the one-step workflow that does the action of this id from a record."""
    return "action-" + action.replace(".", "-").replace("_", "-")


class Beside(Definition):
    """Records that a relation of the action's record leads to, found as `related.<name>`."""

    name: Name
    relation: str = Field(min_length=1, max_length=100, description="A relation of the action's collection")
    fields: list[str] = Field(min_length=1, max_length=40)
    where: str | None = Field(
        None, description="Expression over `record`, the related one; only those for which it holds"
    )
    sort: str | None = Field(
        None, max_length=100, description="Column to sort by, `-` before it for descending"
    )
    limit: int = Field(20, ge=1, le=200)
    one: bool = Field(False, description="Only the first: an object (or null) instead of a list")
    hidden: bool = Field(False, description="Read for expressions, not shown")


class Requirement(Definition):
    """Something that must hold when the action is asked for, and still when it is done."""

    if_: str = Field(alias="if", description="Expression; unknown is not enough")
    message: Sentence = Field(description="Said where it does not hold; {{ expressions }} are filled in")
    field: Name | None = Field(None, description="The field of the form at which it is said")


class ApprovalRule(Definition):
    """When somebody else has to agree, and who. All rules whose condition holds apply."""

    if_: str | None = Field(
        None,
        alias="if",
        description="Expression; none: always. Unknown counts as true: rather one approval too many",
    )
    roles: list[str] = Field(
        min_length=1, max_length=20, description="Who may approve: anybody with one of these roles"
    )
    needs: int = Field(1, ge=1, le=9, description="How many have to")
    not_: list[str] = Field(
        default_factory=lambda: ["requester"],
        alias="not",
        max_length=20,
        description="Who may not: `requester`, `step:<id>` for who did that step, or an expression for a person",
    )
    why: Sentence = Field(
        "The rules of the house ask for it.",
        description="What the approver reads; {{ expressions }} are filled in",
    )

    @model_validator(mode="after")
    def _somebody_else(self) -> Self:
        if len(set(self.roles)) < len(self.roles):
            raise ValueError("a role stands twice among those who approve")
        return self


class OutcomeRule(Definition):
    """An outcome of the action, by its results; the first that holds."""

    if_: str = Field(alias="if", description="Expression over `results`, `record` and `input`")
    outcome: Name


class Compensation(Definition):
    """The action that undoes this one, with its values."""

    action: ActionId
    values: dict[Name, Computed] = Field(
        default_factory=dict,
        description="Field of that action's form to expression; `results` are this one's",
    )
    ticked: bool = Field(
        False, description="Whether Revise and Abort offer it ticked: what would be dangerous if it stood"
    )


class Action(StoredDocument):
    """An action document of the newest format."""

    schema_: str | None = Field(
        None,
        alias="$schema",
        max_length=500,
        description="Where the JSON Schema of this file is, for editors",
    )
    format: Literal[1] = Field(description="Format of the document")
    id: ActionId = Field(description="Name in rights (`action:<id>`), steps and the log; never changed")
    title: Title
    description: str | None = Field(
        None, max_length=4000, description="A note for who edits the action; operators do not see it"
    )
    collection: str | None = Field(
        None, max_length=200, description="Collection whose records it is done to; null: none"
    )
    team: str | None = Field(
        None, max_length=100, description="Team whose runs these are when it is done from a record"
    )
    on_records: bool = Field(True, description="Offered on records and in lists; false: in workflows alone")
    most: int = Field(
        100, ge=0, le=10_000, description="At most so many records at once from a list; 0: not from lists"
    )
    button: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        None, description="Label of the button; the title without it"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )
    form: list[FieldDefinition] = Field(
        default_factory=list, max_length=60, description="What is typed; found as `input.<name>`"
    )
    related: list[Beside] = Field(default_factory=list, max_length=12)
    variables: dict[Name, Any] = Field(
        default_factory=dict,
        description="Variables by name, found as `variables.<name>`; decimals as strings",
    )
    if_: str | None = Field(None, alias="if", description="Expression; offered only where it holds")
    why_not: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = Field(
        None, description="Said where it is not offered"
    )
    require: list[Requirement] = Field(default_factory=list, max_length=20)
    effects: Annotated[list[Effect], Field(min_length=1, max_length=5)] = Field(
        description="In order; a later one may use what came of those before"
    )
    outcomes: list[OutcomeRule] = Field(
        default_factory=list, max_length=10, description="What it came to, other than `succeeded`"
    )
    approval: list[ApprovalRule] = Field(default_factory=list, max_length=10)
    irreversible: bool = Field(False, description="It cannot be recalled: people are told before")
    stakes: Annotated[list[Stake], Field(max_length=3)] | None = Field(
        None,
        description="What is at stake: where it is done, or a choice leads to it, nothing that is proposed is filled in. None: judged by its names and types; an empty list: nothing",
    )
    compensation: Compensation | None = None
    done: Sentence | None = Field(
        None, description="What is said when it is done; {{ expressions }} over `results` too"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require_distinct([entry.name for entry in self.form])
        for what, names in (
            ("effects", [effect.name for effect in self.effects]),
            ("related reads", [entry.name for entry in self.related]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} have the same name")
        if self.collection is None and self.related:
            raise ValueError("an action without a collection has no record that a relation could lead from")
        if self.collection is None and any(
            isinstance(effect, SqlWrite | SqlDelete) and effect.record is None for effect in self.effects
        ):
            raise ValueError("an action without a collection has no record of its own to write")
        if self.irreversible and self.compensation is not None:
            raise ValueError("what cannot be recalled has no compensation: leave one of the two out")
        if unknown := sorted(
            {entry.field for entry in self.require if entry.field} - {entry.name for entry in self.form}
        ):
            raise ValueError(f"require names fields that the form does not have: {', '.join(unknown)}")
        if self.if_ is None and self.why_not is not None:
            raise ValueError("why_not is never shown of an action that is always offered")
        return self

    @property
    def slug(self) -> str:
        """Slug of the one-step workflow that does the action from a record."""
        return slug_of(self.id)

    def sets(self) -> list[tuple[str | None, str]]:
        """(collection, column) of what its effects set."""
        every = [pair for effect in self.effects for pair in effect.sets()]
        return [(collection or self.collection, column) for collection, column in every]

    def to_json(self) -> dict[str, Any]:
        """The document in canonical order, without default values."""
        full = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"format": FORMAT, **full}


def read(document: bytes | str | Mapping[str, Any]) -> Action:
    """The action from a document that was checked before. Raises ValueError if it is invalid: `action_check.check` reports all errors."""
    return Action.model_validate(
        json.loads(document) if isinstance(document, bytes | str) else dict(document)
    )


def texts(action: Action) -> Iterator[tuple[Located, bool, int | None]]:
    """(expression or template, whether it is a template, effects whose results it may use: None for none) of the whole document."""
    for name, text in (
        ("if", action.if_),
        *((f"require[{n}].if", entry.if_) for n, entry in enumerate(action.require)),
    ):
        if text is not None:
            yield Located(name, text), False, None
    yield from ((text, False, None) for text in texts_of_definitions("form", action.form))
    for name, text in (
        ("text", action.text),
        ("why_not", action.why_not),
        *((f"require[{n}].message", e.message) for n, e in enumerate(action.require)),
    ):
        if text is not None:
            yield Located(name, text), True, None
    yield from (
        (Located(f"related[{n}].where", e.where, e.relation), False, None)
        for n, e in enumerate(action.related)
        if e.where is not None
    )
    for number, effect in enumerate(action.effects):
        yield from (
            (text._replace(field=f"effects[{number}].{text.field}"), template, len(action.effects))
            for text, template in effect.later_texts()
        )
        yield from (
            (text._replace(field=f"effects[{number}].{text.field}"), template, number)
            for text, template in text_of(effect)
        )
    every = len(action.effects)
    yield from (
        (Located(f"outcomes[{n}].if", entry.if_), False, every) for n, entry in enumerate(action.outcomes)
    )
    yield from (
        (Located(f"approval[{n}].if", entry.if_), False, None)
        for n, entry in enumerate(action.approval)
        if entry.if_ is not None
    )
    yield from (
        (Located(f"approval[{n}].why", entry.why), True, None) for n, entry in enumerate(action.approval)
    )
    for number, rule in enumerate(action.approval):
        yield from (
            (Located(f"approval[{number}].not[{n}]", who), False, None)
            for n, who in enumerate(rule.not_)
            if is_expression(who)
        )
    if action.compensation is not None:
        for name, values in action.compensation.values.items():
            yield from ((text, False, every) for text in texts_of(f"compensation.values.{name}", values))
    if action.done is not None:
        yield Located("done", action.done), True, every


def is_expression(who: str) -> bool:
    """Whether an entry of `not` is an expression, not a fixed word."""
    return who != "requester" and not who.startswith("step:")


@dataclass(frozen=True, slots=True)
class ActionEffect:
    """A requested effect of an action. The request has the complete effect, so that later changes of the document do not matter."""

    kind: str
    summary: str
    told: Mapping[str, Any]

    def request(self, run: Run) -> Mapping[str, Any]:
        """The stored request; the caller adds `key`. Without a record of its own it applies to the run's."""
        return (
            self.told
            if "record" in self.told
            else {"collection": run.collection, "record": run.record, **self.told}
        )


def wishes(
    action: Action | None,
    effects: Sequence[Any],
    *,
    record: tuple[str, str] | None = None,
    of_run: bool = False,
    given: Mapping[str, Any],
    more: Mapping[str, Any],
) -> tuple[ActionEffect, ...]:
    """The effects in order, each with everything needed to do it. `record` is (collection, key), `of_run`: the run's own; `given`: form values."""
    where = (
        {}
        if of_run
        else {"collection": record[0] if record else None, "record": record[1] if record else None}
    )
    common: dict[str, Any] = {**where, "input": dict(given), **more}
    if action is not None:
        common |= {"action": action.id, "hash": action.hash} | (
            {"irreversible": True} if action.irreversible else {}
        )
        for name in ("related", "require", "variables"):
            if setting := getattr(action, name):
                common[name] = (
                    setting
                    if name == "variables"
                    else [
                        entry.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                        for entry in setting
                    ]
                )
    wished = []
    for index, effect in enumerate(effects):
        last = index == len(effects) - 1
        closing = (
            {}
            if action is None or not last
            else {
                "done": action.done,
                "outcomes": [rule.model_dump(by_alias=True) for rule in action.outcomes],
            }
        )
        define = effect.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        wished.append(
            ActionEffect(effect.kind, effect.summary, {**common, **closing, "index": index, "define": define})
        )
    return tuple(wished)


__all__ = [
    "FAILED",
    "NAME_PATTERN",
    "PENDING",
    "SUCCEEDED",
    "Action",
    "ActionEffect",
    "Effect",
    "read",
    "text_of",
    "texts",
    "wishes",
]
