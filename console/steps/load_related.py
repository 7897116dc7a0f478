"""Load related: finds a related record for the following steps. Where there are several or none, a person chooses one or gives the reason."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Located, Use
from console.core.forms import FormField, examine, is_empty
from console.steps.base import (
    Completion,
    Context,
    FormNeeded,
    Prompt,
    Read,
    Rows,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    refused_fields,
    refused_words,
    require_right,
)
from console.steps.items import LIST, Source
from console.steps.proposable import MOST_PICKS, Proposable

FOUND, NONE = "found", "none"
KEY, REASON = "key", "reason"
NOT_ONE = "-"
"""What is chosen where it is none of those that were found: no key of a record is a lone dash beside others."""
MOST_OFFERED = 100


class LoadRelatedConfig(StepConfig):
    """Where to search, and what happens with the result."""

    items: Source = Field(
        description="The relation or collection, what is read of its records, and which of them count"
    )
    take: bool = Field(
        True,
        description="The only one that is found is taken without asking; false: a person always says yes to it",
    )
    none: Literal["reason", "outcome"] = Field(
        "reason",
        description="Nothing found: a person says why it goes on without one (reason), or the outcome none is taken by itself (outcome)",
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the choice; {{ expressions }} are filled in"
    )

    @model_validator(mode="after")
    def _records(self) -> Self:
        if self.items.entries is not None:
            raise ValueError("only records can be loaded: name a relation or a collection")
        if self.items.all or (self.items.limit > MOST_OFFERED and "limit" in self.items.model_fields_set):
            raise ValueError(f"nobody chooses from more than {MOST_OFFERED} records: narrow them with where")
        return self


class LoadRelated(StepType):
    """Output `{"record", "key", "title", "collection", "reason"}`; `record` is null where there is none."""

    name, title, family, icon = "load_related", "Load related", "action", "route"
    gist = "Finds the record that the run goes on with"
    own_values = True
    ai = ai_alone = True
    Config: ClassVar[type[StepConfig]] = LoadRelatedConfig
    alone = True
    texts = ("text",)

    def outcomes(self, config: LoadRelatedConfig) -> tuple[str, ...]:
        """`found`, and `none` for no such record; most documents lead both on by `default`."""
        return (FOUND, NONE)

    def reads(self, step: StepView) -> list[Read]:
        """As many records as a person can choose from."""
        items = step.config.items
        return [
            Read(
                LIST,
                items.relation,
                tuple(items.fields),
                items.where,
                items.sort,
                min(items.limit, MOST_OFFERED),
                items.collection,
            )
        ]

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """The records as a table to choose from, or a box for the reason where there are none."""
        rows = context.reads.get(LIST)
        parts = [fill_template(step.config.text, context.roots)] if step.config.text else []
        if refused := refused_fields(context.reads):
            parts.append(refused_words(refused))
        if rows is not None and not rows.rows:
            parts.append(
                "None was found." + (" Say why it goes on without one." if step.config.none == REASON else "")
            )
        if rows is not None and rows.more:
            parts.append(f"There are more: the first {len(rows.rows)} are shown.")
        fields = self._fields(step, context)
        return Prompt(
            "\n\n".join(parts) or None,
            fields=fields,
            button=step.button or "Done",
            picks=LIST if rows and rows.rows else None,
        )

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The chosen record, or the reason why there is none. Raises Invalid for a record that no longer exists."""
        values, details = examine(self._fields(step, context), submitted)
        chosen = values.get(KEY, NOT_ONE)
        if chosen == NOT_ONE and step.config.none == REASON and is_empty(values.get(REASON)):
            details = [
                *(detail for detail in details if detail["field"] != REASON),
                {"field": REASON, "reason": "Say why it is none of them."},
            ]
        require_right(context, details)
        rows = context.reads.get(LIST)
        row = (
            next((row for row in rows.rows if row["key"] == chosen), None)
            if rows is not None and chosen != NOT_ONE
            else None
        )
        return self._taken(rows, row, values)

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """The only record, or none where no reason is needed."""
        rows = context.reads.get(LIST)
        found = list(rows.rows) if rows is not None else []
        if len(found) == 1 and step.config.take and found[0]["key"] is not None:
            return self._taken(rows, found[0], {})
        if not found and step.config.none == "outcome":
            return self._taken(rows, None, {})
        raise FormNeeded(
            f"{len(found)} records were found."
            if len(found) > 1
            else "Somebody has to look at what was found."
        )

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """One of the records found, or none of them; nothing where there are too many."""
        choice = next((field for field in prompt.fields if field.name == KEY), None)
        if choice is None or len(choice.options) > MOST_PICKS + 1:
            return Proposable()
        return Proposable((choice,), picks=KEY)

    def ai_fields(self, config: LoadRelatedConfig) -> tuple[str, ...]:
        """The record."""
        return (KEY,)

    def _fields(self, step: StepView, context: Context) -> tuple[FormField, ...]:
        rows = context.reads.get(LIST)
        options = [
            {"value": row["key"], "label": str(row["title"] or row["key"])}
            for row in (rows.rows if rows else ())
            if row["key"] is not None
        ]
        reason = FormField(
            REASON,
            "Reason",
            "long_text",
            required=not options and step.config.none == REASON,
            max_length=2000,
        )
        if not options:
            return (reason,)
        former = context.former.get(KEY)
        known = {option["value"] for option in options}
        only = (
            next(iter(known)) if len(known) == 1 and step.config.take else None
        )  # else it is for a person to say so
        value = former if former in known | {NOT_ONE} else only
        every = [*options, {"value": NOT_ONE, "label": "None of these"}]
        label = rows.label if rows is not None and rows.label else "Record"
        return (FormField(KEY, label, "enum", required=True, value=value, options=every), reason)

    def _taken(self, rows: Rows | None, row: Mapping[str, Any] | None, values: Values) -> Completion:
        collection = rows.collection if rows is not None else None
        output: Values = {
            "collection": collection,
            "record": None,
            "key": None,
            "title": None,
            REASON: values.get(REASON),
        }
        if row is not None:
            output |= {"record": dict(row["values"]), "key": row["key"], "title": row["title"]}
        return Completion(FOUND if row is not None else NONE, values, output)

    def expressions(self, config: LoadRelatedConfig) -> list[Located]:
        """The condition."""
        return config.items.texts("items")

    def uses(self, config: LoadRelatedConfig) -> list[Use]:
        """The relation or collection, and its columns."""
        return config.items.uses("items")

    def outputs(self, config: LoadRelatedConfig) -> frozenset[str]:
        """The record with its fields, its key, its title, and the reason where there is none."""
        return frozenset(
            [
                "record",
                *(f"record.{name}" for name in config.items.fields),
                "key",
                "title",
                "collection",
                REASON,
            ]
        )
