"""Update data: a person changes fields of the record, fills in a form, or both; rules may set further fields.

The values are written when the step is completed, and only where nobody changed the field since the person saw it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents import field_expressions, fields as definitions
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import (
    Computed,
    Definition,
    FieldDefinition,
    FieldRule,
    Located,
    Use,
    coerce_computed,
    computed,
    with_own,
)
from console.core.errors import Invalid
from console.core.forms import FormField
from console.core.json_equality import same_json
from console.steps.base import (
    Completion,
    Context,
    FormNeeded,
    Prompt,
    Related,
    Rows,
    StepConfig,
    StepType,
    StepView,
    Values,
    WriteRecord,
    fill_template,
    refused_fields,
    refused_words,
    related_texts,
    related_uses,
    require_right,
)
from console.steps.document_check_settings import Checked, ChecksConfig

UPDATED, UNCHANGED = "updated", "unchanged"
GONE = (
    "Not in the database any more: {}. This step needs it, and nobody can fill it in. It goes on once the column is back and who manages data sources has"
    " taken it over (Settings, Data sources), or once the workflow is published without it and the run is moved to that version."
)
NOT_PERMITTED = "You may not change the field {}, or not see it. Hand the run on to somebody who may."
LEFT_OUT = "Not in the database any more: {}. This step goes on without it: it is neither asked for nor written. Tell who changes the workflow."
NOT_YOURS = "You may see it, not change it: hand the run on to somebody who may."
"""Said where not one of the fields can be changed by this person."""


class Assignment(Definition):
    """A field of the record that is set by a rule."""

    field: str = Field(min_length=1, max_length=100)
    value: Computed = Field(
        description="Expression, or cases; judged again with what was typed when the step is completed"
    )


class AskedField(FieldDefinition):
    """A field of the form; a reference may be narrowed to records that the step reads."""

    among: str | None = Field(
        None, description="Of a reference: the entry of `related` whose records alone are offered and taken"
    )

    def offering(self, reads: Mapping[str, Rows]) -> FieldDefinition:
        """The field with the records that may be chosen; where there are none it stays empty."""
        if self.among is None:
            return self
        rows = reads[self.among].rows if self.among in reads else ()
        offered = [
            definitions.Choice.model_construct(value=str(row["key"]), label=str(row["title"] or row["key"]))
            for row in rows
        ]
        return self.model_copy(update={"options": offered, "readonly": not offered and not self.required})


class UpdateDataConfig(ChecksConfig):
    """The fields to change, the form, and the fields set by rule."""

    fields: list[str] = Field(
        default_factory=list,
        max_length=60,
        description="Fields of the record that may be changed, in the order shown",
    )
    required: list[str] = Field(
        default_factory=list, description="Those of the fields that may not be left empty here"
    )
    form: list[AskedField] = Field(
        default_factory=list, max_length=60, description="Further fields; what is typed stays in the run"
    )
    set: list[Assignment] = Field(
        default_factory=list,
        max_length=40,
        description="Fields of the record that are set by rule, shown before and after",
    )
    must: list[FieldRule] = Field(
        default_factory=list,
        max_length=20,
        description="Rules about the record's fields, as `must` of a field of the form",
    )
    related: list[Related] = Field(
        default_factory=list, max_length=12, description="Related records shown beside the form"
    )
    asks_if: str | None = Field(
        None,
        description="Expression; where it does not hold, nobody is asked, and the values are those that the rules give",
    )
    text: str | None = Field(
        None, max_length=20_000, description="Markdown above the form; {{ expressions }} are filled in"
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [*self.fields, *(entry.field for entry in self.set), *(entry.name for entry in self.form)]
        if not names:
            raise ValueError("nothing is asked and nothing is set: name fields, a form, or what to set")
        definitions.require_distinct(names)
        if strangers := sorted(set(self.required) - set(self.fields)):
            raise ValueError(f"required names what is not among the fields: {', '.join(strangers)}")
        tables = {entry.name for entry in self.related if entry.fields}
        if unread := [
            entry.name
            for entry in self.form
            if entry.among is not None and (entry.type != "reference" or entry.among not in tables)
        ]:
            raise ValueError(
                f"among is of a reference and names an entry of related with fields: {unread[0]}"
            )
        if wrong := definitions.wrong_rules(self.form, self.fields, self.must):
            raise ValueError(wrong)
        return self


class UpdateData(StepType):
    """Record fields show the values of a revised attempt, else the current ones. Output: all values of the form."""

    name, title, family, icon = "update_data", "Update data", "action", "pencil"
    gist = "A person changes the record or notes what they found"
    own_values = True
    ai = True
    computes = ("asks_if",)
    texts = ("text",)
    Config: ClassVar[type[StepConfig]] = UpdateDataConfig

    def by_itself(self, settings: Mapping[str, Any]) -> bool:
        """Where a condition says whether a person is asked."""
        return settings.get("asks_if") is not None

    def asks(self, config: UpdateDataConfig) -> bool:
        """Where there is a field to fill in; fields set by rule need no person."""
        return bool(config.fields) or any(not entry.readonly for entry in config.form)

    def outcomes(self, config: UpdateDataConfig) -> tuple[str, ...]:
        """`updated` where the record is written, else `unchanged`; most documents lead both on by `default`. Where only a form is asked, nothing is ever written."""
        return (UPDATED, UNCHANGED) if self._writes(config) else (UNCHANGED,)

    def rare_outcomes(self, config: UpdateDataConfig) -> tuple[str, ...]:
        """A way for `updated` may stand where it never comes to that."""
        return () if self._writes(config) else (UPDATED,)

    @staticmethod
    def _writes(config: UpdateDataConfig) -> bool:
        return bool(config.fields or config.set)

    def edits(self, step: StepView) -> tuple[str, ...]:
        """Fields that a person changes, then those set by rule."""
        return (*step.config.fields, *(entry.field for entry in step.config.set))

    def prepare(self, step: StepView, context: Context) -> Prompt:
        """Fields of the record first, then the form, then what is set by rule (read-only, before and after)."""
        columns = definitions.without_refused_choices(
            _columns(step, context), context.former, step.config.must, context.roots, step.id
        )
        form = definitions.fields_with_values(
            _form(step, context), context.roots, context.former, step.id, columns, step.config.must
        )
        typed = {field.name: field.value for field in [*columns, *form]}
        fields = [*columns, *form, *_settled(step, context, typed)]
        parts = (
            [fill_template(step.config.text, with_own(context.roots, step.id, typed))]
            if step.config.text
            else []
        )
        lacking = _lacking(step, context)
        parts += gone_words(step.config.fields, step.config.required, lacking, context)
        if refused := [
            *(name for name in lacking if name not in context.gone),
            *refused_fields(context.reads),
        ]:
            parts.append(refused_words(refused))
        hidden = {entry.name for entry in step.config.related if entry.hidden}
        tables = tuple(entry.name for entry in step.config.related if entry.name not in hidden)
        return Prompt(
            text="\n\n".join(parts) or None, tables=tables, fields=tuple(fields), button=step.button or "Done"
        )

    def checked(self, step: StepView, context: Context) -> Checked | None:
        """What the settings name."""
        if not step.config.checks:
            return None
        roots = with_own(context.roots, step.id, {})
        wanted = (
            expressions.parse(step.config.documents).evaluate(roots)
            if step.config.documents is not None
            else None
        )
        return Checked(tuple(step.config.checks), roots, wanted)

    def complete(
        self, step: StepView, context: Context, submitted: Values, outcome: str | None
    ) -> Completion:
        """The values, and the change of the record if there is one. Raises Invalid with one detail per wrong field."""
        columns, seen = _columns(step, context), context.shown or {}
        typed = {
            name: value
            for name, value in submitted.items()
            if name not in {entry.field for entry in step.config.set}
        }
        values, details = definitions.submitted_values(
            _form(step, context), context.roots, context.former, step.id, typed, columns, step.config.must
        )
        require_right(
            context,
            details,
            [{"field": name, "reason": why_lacking(name, context)} for name in _lacking(step, context)],
        )
        # A field that was not sent stays what the person saw: what somebody else made of it meanwhile is neither undone nor a conflict.
        values |= {
            field.name: seen[field.name]
            for field in columns
            if field.name in seen and field.name not in {*submitted, *context.former}
        }
        settled = _settled(step, context, values)
        values |= {field.name: field.value for field in settled}
        changes = changes_of([*columns, *settled], values, seen)
        if not changes:
            return Completion(UNCHANGED, values)
        return Completion(UPDATED, values, effects=(WriteRecord(changes),))

    def complete_by_itself(self, step: StepView, context: Context) -> Completion:
        """The values that the rules give. Raises FormNeeded where a person is asked, or something is needed that no rule gives."""
        condition = step.config.asks_if
        if condition is not None and expressions.parse(condition).evaluate(context.roots) is not False:
            raise FormNeeded("The step has a form for a person.")
        try:
            return self.complete(step, context, {}, None)
        except Invalid as lacking:
            if condition is None:
                raise
            raise FormNeeded(lacking.message) from lacking

    def ai_fields(self, config: UpdateDataConfig) -> tuple[str, ...]:
        """The record's fields, then the editable fields of the form."""
        return (*config.fields, *definitions.typed(config.form))

    def expressions(self, config: UpdateDataConfig) -> list[Located]:
        """Those of the form, of what is set, and of the related reads."""
        settled = [
            text
            for number, entry in enumerate(config.set)
            for text in texts_of(f"set[{number}].value", entry.value)
        ]
        form = field_expressions.texts_of_definitions("form", config.form)
        rules = field_expressions.texts_of_rules("must", config.must)
        return [*form, *rules, *settled, *related_texts(config.related), *config.check_texts()]

    def templates(self, config: UpdateDataConfig) -> list[Located]:
        """The text above the form."""
        return [*super().templates(config), *config.check_templates()]

    def uses(self, config: UpdateDataConfig) -> list[Use]:
        """Fields that are changed or set, and what is read beside them."""
        changed = [Use(f"fields[{place}]", name, changed=True) for place, name in enumerate(config.fields)]
        settled = [
            Use(f"set[{place}].field", entry.field, changed=True) for place, entry in enumerate(config.set)
        ]
        return [*changed, *settled, *related_uses(config.related)]

    def outputs(self, config: UpdateDataConfig) -> frozenset[str]:
        """Every field of the form."""
        return frozenset(
            [
                *config.fields,
                *definitions.names_of(config.form, config.must),
                *(entry.field for entry in config.set),
            ]
        )


def _form(step: StepView, context: Context) -> list[FieldDefinition]:
    return [entry.offering(context.reads) for entry in step.config.form]


def _columns(step: StepView, context: Context) -> list[FormField]:
    """The record's fields that a person can change, with the earlier values where the attempt replaces one."""
    fields = []
    for name in step.config.fields:
        field = context.forms.get(name)
        if field is not None:
            value = context.former[name] if name in context.former and not field.readonly else field.value
            fields.append(
                replace(
                    field,
                    value=value,
                    required=field.required or (name in step.config.required and not field.readonly),
                )
            )
    return fields


def _lacking(step: StepView, context: Context) -> list[str]:
    """Fields of the record that the person may not change: the step writes all of its fields or none, but for those that are `left_out`."""
    without = left_out(step.config.fields, step.config.required, context)
    named = (*step.config.fields, *(entry.field for entry in step.config.set))
    return [name for name in named if name not in context.forms and name not in without]


def why_lacking(name: str, context: Context) -> str:
    """Why the field cannot be filled in: nobody can, or this person may not."""
    return (GONE if name in context.gone else NOT_PERMITTED).format(name)


def gone_words(
    asked: Sequence[str], required: Sequence[str], lacking: Sequence[str], context: Context
) -> list[str]:
    """What is said above the form of fields that the table no longer has: of those left out, and of those that keep the step from going on."""
    said = [
        (LEFT_OUT, left_out(asked, required, context)),
        (GONE, [name for name in lacking if name in context.gone]),
    ]
    return [words.format(", ".join(f"`{name}`" for name in names)) for words, names in said if names]


def left_out(asked: Sequence[str], required: Sequence[str], context: Context) -> list[str]:
    """Fields asked of a person, not needed, that the table no longer has: nobody could fill them in, so the step goes on without them."""
    return [name for name in asked if name in context.gone and name not in required]


def _settled(step: StepView, context: Context, typed: Mapping[str, Any]) -> list[FormField]:
    return settled(step.config.set, context.forms, context.roots, step.id, typed)


def settled(
    entries: Sequence[Assignment],
    forms: Mapping[str, FormField],
    given: Mapping[str, Any],
    own: str,
    typed: Mapping[str, Any],
) -> list[FormField]:
    """Fields set by rule, read-only, with their new values. A rule without a value, or with one that does not fit, changes nothing."""
    fields: list[FormField] = []
    for entry in entries:
        field = forms.get(entry.field)
        if field is None:
            continue
        roots = with_own(given, own, {**typed, **{before.name: before.value for before in fields}})
        value = coerce_computed(replace(field, readonly=False), computed(entry.value, roots))
        fields.append(
            replace(
                field,
                readonly=True,
                required=False,
                by_rule=True,
                value=field.now if value is None else value,
            )
        )
    return fields


def changes_of(
    fields: Sequence[FormField], values: Values, shown: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Field → {"old", "new"} for each changed field. `old` is the value that the person saw, so that a later change is a conflict."""
    changes = {}
    for field in fields:
        old, new = shown.get(field.name, field.now), values[field.name]
        if not same(field.type, old, new) and not same_json(new, field.now):
            changes[field.name] = {"old": old, "new": new}
    return changes


def same(kind: str, left: Any, right: Any) -> bool:
    """Whether two values are equal: numbers by value (`12.5` and `12.50`), ticks in any order, an empty text as None."""
    if kind in ("decimal", "money", "integer") and left is not None and right is not None:
        try:
            return Decimal(str(left)) == Decimal(str(right))
        except InvalidOperation:
            return False
    if kind in ("multi_enum", "checklist") and isinstance(left, list) and isinstance(right, list):
        return sorted(map(str, left)) == sorted(map(str, right))
    return bool(left == right and isinstance(left, bool) == isinstance(right, bool)) or (
        left in (None, "") and right in (None, "")
    )
