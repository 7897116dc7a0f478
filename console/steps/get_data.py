"""Get data: reads fields of the record and records related to it, shows them, and keeps them for later steps."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Located, Use, with_own
from console.core.forms import FormField
from console.steps.base import (
    Completion,
    Context,
    Prompt,
    Read,
    Related,
    Rows,
    StepConfig,
    StepType,
    StepView,
    Values,
    fill_template,
    nothing_typed,
    refused_fields,
    refused_words,
    related_texts,
    related_uses,
    rows_of,
)
from console.steps.proposable import Proposable

OWN_RECORD = "record"
NOT_PERMITTED = "not_permitted"
MATTERS = "matters"
MOST_MATTERING = 100


class GetDataConfig(StepConfig):
    """What is read."""

    fields: list[str] = Field(
        default_factory=list, max_length=100, description="Fields of the run's record, in the order shown"
    )
    related: list[Related] = Field(
        default_factory=list, max_length=12, description="Related records, a table each"
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the tables; {{ expressions }} are filled in"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        names = [
            name for entry in self.related for name in (entry.name, *(total.name for total in entry.totals))
        ]
        if not self.fields and not names:
            raise ValueError("nothing is read: name fields or related records")
        if len(set(names)) < len(names) or {OWN_RECORD, NOT_PERMITTED} & set(names):
            raise ValueError(
                f"related reads and totals need names of their own, other than {OWN_RECORD} and {NOT_PERMITTED}"
            )
        return self


class GetData(StepType):
    """Everything is read under the person's scopes. A field that they may not read is listed as not permitted, without its value."""

    name, title, family, icon = "get_data", "Get data", "action", "table"
    gist = "Reads the record and what belongs to it"
    own_values = True
    ai = True
    Config: ClassVar[type[StepConfig]] = GetDataConfig
    texts = ("text",)

    def reads(self, step: StepView) -> list[Read]:
        """The record first, then each relation."""
        own = [Read(OWN_RECORD, None, tuple(step.config.fields))] if step.config.fields else []
        return own + [entry.read() for entry in step.config.related]

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """A table for each read, and a line with the fields that are not permitted."""
        found = self._found(step, context)
        parts = (
            [fill_template(step.config.text, with_own(context.roots, step.id, found))]
            if step.config.text
            else []
        )
        if found.get(NOT_PERMITTED):
            parts.append(refused_words(found[NOT_PERMITTED]))
        hidden = {entry.name for entry in step.config.related if entry.hidden}
        tables = tuple(read.name for read in self.reads(step) if read.name not in hidden)
        return Prompt(text="\n\n".join(parts) or None, tables=tables, button=step.button or "Done")

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """What was read, as `{"record": {…}, "<name>": […]}`. Raises Invalid if values were submitted."""
        nothing_typed(submitted)
        return Completion("default", {}, self._found(step, context))

    def proposes(self, step: StepView, context: Context, prompt: Prompt) -> Proposable:
        """The columns that matter, by name; those of related records as `<table>.<column>`."""
        shown = [(name, context.reads[name]) for name in prompt.tables if name in context.reads]
        options = [
            {
                "value": str(column["name"]) if name == OWN_RECORD else f"{name}.{column['name']}",
                "label": _labelled(name, rows, column),
            }
            for name, rows in shown
            for column in (*(rows.fields if rows.rows else ()), *rows.figures)
        ]
        return Proposable(
            (FormField(MATTERS, "What matters here", "multi_enum", options=options[:MOST_MATTERING]),)
            if options
            else ()
        )

    def ai_fields(self, config: GetDataConfig) -> tuple[str, ...]:
        """What matters of it."""
        return (MATTERS,)

    def _found(self, step: StepView, context: Context) -> Values:
        found: dict[str, Any] = {}
        if step.config.fields:
            rows = context.reads[OWN_RECORD].rows if OWN_RECORD in context.reads else ()
            found[OWN_RECORD] = dict(rows[0]["values"]) if rows else None
        found |= rows_of(step.config.related, context.reads)
        refused = refused_fields(context.reads)
        return found | ({NOT_PERMITTED: refused} if refused else {})

    def expressions(self, config: GetDataConfig) -> list[Located]:
        """The conditions of the related reads."""
        return related_texts(config.related)

    def uses(self, config: GetDataConfig) -> list[Use]:
        """Fields, relations, and the fields of their records."""
        return [Use(f"fields[{place}]", name) for place, name in enumerate(config.fields)] + related_uses(
            config.related
        )

    def outputs(self, config: GetDataConfig) -> frozenset[str]:
        """`record`, each read's name, those of its totals, `not_permitted` where something was refused; columns with a dot where there is one record."""
        own = [OWN_RECORD, *(f"{OWN_RECORD}.{name}" for name in config.fields)] if config.fields else []
        single = [f"{entry.name}.{name}" for entry in config.related if entry.one for name in entry.fields]
        lists = [entry.name for entry in config.related if entry.fields]
        totals = [total.name for entry in config.related for total in entry.totals]
        return frozenset([NOT_PERMITTED, *own, *lists, *totals, *single])


def _labelled(read: str, rows: Rows, column: Mapping[str, Any]) -> str:
    label = str(column.get("label") or column["name"])
    return label if read == OWN_RECORD else f"{rows.label}: {label}"
