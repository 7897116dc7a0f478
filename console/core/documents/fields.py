"""Field definitions in workflow documents, and the forms made from them.

A definition may be computed (`value`) and required under a condition (`required_if`). The form's own values so far are available under the
name that the step's output will have, `steps.<id>.<field>`; at the start as `input.<field>`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from console.core import expressions, media
from console.core.currencies import decimals
from console.core.documents.document_parts import NAME_PATTERN, Help, Part, Said
from console.core.expressions.nodes import Call, Path
from console.core.expressions.operands import rounded, to_json
from console.core.forms import (
    BUTTONS,
    FieldType,
    FormField,
    Wrong,
    bound,
    cleaned,
    examine,
    is_empty,
    missing_message,
)
from console.core.speaking import fill_text

OWN_INPUT = "input"  # the root under which a start step has its own values
OWN_ITEM = (
    "item"  # and a step that goes through a list has those of the item, besides the item's known values
)
NEEDS_OPTIONS = frozenset({"enum", "multi_enum", "checklist"})
BECAUSE = "_because"
LONGEST_SENTENCE = 2000
MOST_DECIMALS = 30  # what a form reads
OF_RECORDS = frozenset({"record", "related", OWN_ITEM})
JUDGED = frozenset({"enum", "boolean", "multi_enum", "checklist"})
TICKED = frozenset({"multi_enum", "checklist", "files"})
HANDED_IN = frozenset({"file", "files"})
AMOUNTS = frozenset({"money", "decimal", "integer"})
NOT_IN_FORMS = frozenset({"binary", "other", "array"})


class Located(NamedTuple):
    """An expression or template and its place in a step's settings.

    `relation` or `collection` tells whose rows `record` means; None: the run's own record. `papers`: it checks a document.
    `each`: the expression of the list whose entries are `entry`. `event`: it looks at an event.
    """

    field: str
    text: str
    relation: str | None = None
    collection: str | None = None
    papers: bool = False
    each: str | None = None
    event: bool = False


class Use(NamedTuple):
    """A column or relation of the run's collection, or a column of related rows, named in settings.

    With `collection`: that collection, or its column, whatever the run's record. `number`: it is calculated with.

    `changed`: the step writes it, so it may not be read-only; `act` is the right on the records that it needs for that. `option`: what it becomes, the value
    or label of one of its options.
    """

    field: str
    column: str | None = None
    relation: str | None = None
    changed: bool = False
    collection: str | None = None
    number: bool = False
    act: str = "update"
    option: str | None = None


class Definition(Part):
    """Settings inside a step; unknown keys are refused."""


class Case(Definition):
    """One of several values: that of the first case whose condition holds. A case without a condition holds always."""

    if_: str | None = Field(None, alias="if", description="Expression; none: otherwise")
    value: str = Field(description="Expression that gives the value")


Computed = str | list[Case]


class WayOut(Definition):
    """A button below a refusal that changes the form."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    set: dict[str, Any] = Field(
        min_length=1, description="Field of the form to its new value; null empties it"
    )


class Must(Definition):
    """Something that must hold of what was typed into a field."""

    if_: str = Field(alias="if", description="Expression; unknown is not enough")
    message: Said = Field(
        description="Said at the field where it does not hold; {{ expressions }} are filled in"
    )
    why: Said | None = Field(None, description="What the message rests on; {{ expressions }} are filled in")
    severity: Literal["refuse", "explain"] = Field(
        "refuse",
        description="refuse: the form is not taken; explain: it is taken with a sentence that says why, which is kept",
    )
    ask: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="Question that the sentence answers, with severity explain"
    )
    ways: list[WayOut] = Field(default_factory=list, max_length=4, description="Buttons that lead out of it")


class FieldRule(Must):
    """A rule about a field that is not defined in the form, such as a column of the record."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="Field at which the message is said"
    )


class Choice(Definition):
    """An entry of a list to choose from."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    if_: str | None = Field(
        None, alias="if", description="Expression; where it does not hold the entry is not offered"
    )


class FieldDefinition(Definition):
    """A field of a form that is not a column: what is typed stays in the run."""

    name: Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    type: FieldType = "text"
    if_: str | None = Field(
        None,
        alias="if",
        description="Expression; where it does not hold the field is not asked for and stays empty",
    )
    required: bool = Field(False, description="May not be left empty")
    required_if: str | None = Field(
        None, description="Expression; where it holds the field may not be left empty"
    )
    readonly: bool = Field(
        False, description="Shown, not typed: holds `value`, computed anew when the step is completed"
    )
    options: list[Choice] | None = Field(
        None, description="What can be chosen, for enum, multi_enum and checklist"
    )
    collection: str | None = Field(None, description="Collection that a reference is searched in")
    types: list[media.FileKind] | None = Field(
        None,
        min_length=1,
        description="Kinds of files that are taken, for file and files; none: PDF, PNG and JPEG",
    )
    buttons: bool = Field(
        False,
        description="Of a choice: its options are the buttons that complete the step, in place of one button",
    )
    help: Help | None = Field(None, description="Said below it; {{ expressions }} are filled in")
    max_length: int | None = Field(None, ge=1, le=100_000)
    min: int | str | None = Field(
        None, description="Smallest value, fewest characters or fewest entries; decimals as strings"
    )
    max: int | str | None = Field(
        None, description="Largest value, most characters or most entries; decimals as strings"
    )
    at_most: Computed | None = Field(
        None, description="Expression, or cases, for the largest value, where it depends on the run"
    )
    must: list[Must] = Field(
        default_factory=list, max_length=20, description="What must hold of it, once something is typed"
    )
    default: Any = Field(None, description="What the field starts with")
    value: Computed | None = Field(
        None,
        description="Expression, or cases, that give what the field starts with (or holds, when readonly)",
    )
    currency: str | None = Field(
        None,
        max_length=500,
        description="Of an amount of money: the code of its currency in three capitals, or an expression that gives it",
    )
    minor: bool = Field(
        False,
        description="Of an amount with a currency: its value is in the smallest unit, such as cents; people type whole units",
    )
    finding: bool | None = Field(
        None,
        description="Whether it is judged anew each time: what a record says of it under the same name is shown as last time and never proposed; none: where one of several is chosen",
    )

    @property
    def explained(self) -> str | None:
        """Name of the field for the sentence that its rules may ask for; None where none does."""
        return because(self.name) if any(rule.severity == "explain" for rule in self.must) else None

    @property
    def is_iban(self) -> bool:
        """Whether a rule says that what is typed must be an IBAN."""
        asked = (expressions.parse(rule.if_).node for rule in self.must)
        return any(
            isinstance(node, Call)
            and node.name == "iban"
            and isinstance(node.arguments[0], Path)
            and node.arguments[0].steps[-1:] == (self.name,)
            for node in asked
        )

    @property
    def judged(self) -> bool:
        """Whether the step decides it anew, instead of copying a known value."""
        return not self.readonly and (self.finding if self.finding is not None else self.type in JUDGED)

    @property
    def copies_earlier(self) -> bool:
        """Whether a field that is judged anew starts with what a record says under its name, in any of its cases."""
        rules = [self.value] if isinstance(self.value, str) else [case.value for case in self.value or ()]
        ends = [text.strip().rsplit(".", 1) for text in rules if self.judged]
        return any(
            end == [end[0], self.name] and not OF_RECORDS.isdisjoint(end[0].split(".")) for end in ends
        )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Raises ValueError for settings that only make sense together."""
        if self.type in NOT_IN_FORMS:
            raise ValueError(f"a field of type {self.type} cannot be typed into a form")
        if self.type in NEEDS_OPTIONS and not self.options:
            raise ValueError(f"a field of type {self.type} needs options")
        if self.options is not None and len({option.value for option in self.options}) < len(self.options):
            raise ValueError("two options have the same value")
        if self.options and all(option.if_ is not None for option in self.options):
            raise ValueError("every option has a condition: leave one without, or nobody could go on")
        if self.buttons and (self.type != "enum" or self.readonly or self.if_ is not None):
            raise ValueError(
                "buttons are the options of a choice that is always asked for: a field of type enum"
            )
        if self.type == "reference" and not self.collection:
            raise ValueError("a reference needs the collection that it is searched in")
        if self.types is not None and self.type not in HANDED_IN:
            raise ValueError("types are kinds of files, for a field of type file or files")
        if self.type in HANDED_IN and (self.readonly or self.default is not None or self.value is not None):
            raise ValueError("a file is handed in by a person: leave readonly, default and value out")
        if self.readonly and self.value is None and self.default is None:
            raise ValueError("a field that is only shown needs a value")
        if self.currency is not None and self.type not in AMOUNTS:
            raise ValueError("a currency is of an amount: a field of type money, decimal or integer")
        if self.minor and self.currency is None:
            raise ValueError("minor is of an amount with a currency")
        if unasked := [rule for rule in self.must if rule.ask and rule.severity != "explain"]:
            raise ValueError(f"ask is the question of a rule with severity explain: {unasked[0].ask}")
        self._bounded()
        if self.default is not None:
            try:
                cleaned(self.field(), self.default)
            except Wrong as wrong:
                raise ValueError(f"the default does not fit the field: {wrong}") from None
        return self

    @property
    def fixed_currency(self) -> bool:
        """Whether the currency is a code, and not found by an expression."""
        return self.currency is not None and decimals(self.currency) is not None

    def _bounded(self) -> None:
        """Raises ValueError for a bound without effect."""
        for name, given in (("min", self.min), ("max", self.max)):
            if given is not None and bound(self.type, given) is None:
                raise ValueError(f"{name} does not bound a field of type {self.type}: {given}")
        if (
            self.min is not None
            and self.max is not None
            and bound(self.type, self.min) > bound(self.type, self.max)
        ):
            raise ValueError(f"min is above max: {self.min}, {self.max}")

    def field(self, now: Mapping[str, Any] | None = None) -> FormField:
        """The form field, without a value; `now` are the roots by which the choices are offered, None: all of them."""
        options: Any = None
        if self.options is not None:
            offered = [option for option in self.options if now is None or condition_holds(option.if_, now)]
            options = [option.model_dump(exclude={"if_"}) for option in offered]
        if self.type == "reference" and options is None:
            options = {"collection": self.collection}
        if self.type in HANDED_IN:
            options = {"types": list(self.types or media.USUAL)}
        return FormField(
            self.name,
            self.label,
            self.type,
            self.required,
            self.readonly,
            None,
            None,
            options,
            self.min,
            self.max,
            self.max_length,
            self.help,
            "money" if self.currency else BUTTONS if self.buttons else None,
            None,
            self.minor or None,
            self.currency if self.fixed_currency else None,
        )


def because(name: str) -> str:
    """Name of the field for the sentence that explains a field against a rule."""
    return f"{name}{BECAUSE}"


def names_of(definitions: Iterable[FieldDefinition], must: Iterable[FieldRule] = ()) -> frozenset[str]:
    """Names of the values that a form leaves, the sentences that its rules may ask for included."""
    entries = list(definitions)
    sentences = {because(rule.field) for rule in must if rule.severity == "explain"}
    return frozenset(
        [
            *(entry.name for entry in entries),
            *(entry.explained for entry in entries if entry.explained),
            *sentences,
        ]
    )


def wrong_rules(
    definitions: Sequence[FieldDefinition], columns: Sequence[str] = (), must: Sequence[FieldRule] = ()
) -> str | None:
    """The problem with the rules of a form: an unknown field, or a name that a rule needs itself; None if there is none."""
    names = {*columns, *(entry.name for entry in definitions)}
    rules = [
        *((entry.name, rule) for entry in definitions for rule in entry.must),
        *((rule.field, rule) for rule in must),
    ]
    if strange := sorted({name for name, _ in rules} - names):
        return f"must names what is no field of the form: {', '.join(strange)}"
    if strange := sorted({name for _, rule in rules for way in rule.ways for name in way.set} - names):
        return f"a way out sets what is no field of the form: {', '.join(strange)}"
    if taken := sorted({because(name) for name, rule in rules if rule.severity == "explain"} & names):
        return f"fields cannot be named {', '.join(taken)} here: that is where the sentence of a rule is kept"
    return None


def judged_of(config: Any) -> frozenset[str]:
    """Names of the fields that a step decides anew; `config` are the settings of any step."""
    entries = [entry for part in ("output", "form") for entry in getattr(config, part, None) or ()]
    return frozenset(entry.name for entry in entries if isinstance(entry, FieldDefinition) and entry.judged)


def typed(definitions: Iterable[FieldDefinition]) -> list[str]:
    """Names of the fields that people fill in."""
    return [entry.name for entry in definitions if not entry.readonly and entry.type not in HANDED_IN]


def require_distinct(names: Sequence[str]) -> None:
    """Raises ValueError for fields of one name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"more than one field is named {', '.join(twice)}")


def computed(rule: Computed, roots: Mapping[str, Any]) -> Any:
    """The value of a rule: of its expression, or of the first case that applies; None if none does or a name is unknown."""
    if isinstance(rule, str):
        return expressions.parse(rule).evaluate(roots)
    for case in rule:
        if case.if_ is None or expressions.parse(case.if_).test(roots):
            return expressions.parse(case.value).evaluate(roots)
    return None


def condition_holds(condition: str | None, roots: Mapping[str, Any]) -> bool:
    """Whether a condition is true. Unknown is false; no condition is true."""
    return condition is None or expressions.parse(condition).test(roots)


def coerce_computed(field: FormField, value: Any) -> Any:
    """A computed value in the field's type; None if it does not fit.

    A day becomes its midnight in UTC for a moment; a number with more than 30 decimals is rounded to 30, halves away from zero.
    """
    if (
        field.type in ("text", "long_text", "decimal", "money")
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
        value = str(value)
    if field.type == "datetime" and isinstance(value, str) and len(value) == len("2026-11-20"):
        value = f"{value}T00:00:00Z"
    if (
        field.type in ("decimal", "money")
        and isinstance(value, str)
        and len(value.partition(".")[2]) > MOST_DECIMALS
    ):
        value = to_json(rounded(value, MOST_DECIMALS))
    try:
        return cleaned(field, value)
    except Wrong:
        return None


def with_own(roots: Mapping[str, Any], own: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The roots with the form's own values so far."""
    if own == OWN_INPUT:
        return {**roots, OWN_INPUT: dict(values)}
    if own == OWN_ITEM:
        return {**roots, OWN_ITEM: {**roots.get(OWN_ITEM, {}), **values}}
    return {**roots, "steps": {**roots.get("steps", {}), own: dict(values)}}


def fields_with_values(
    definitions: Iterable[FieldDefinition],
    roots: Mapping[str, Any],
    former: Mapping[str, Any],
    own: str,
    columns: Sequence[FormField] = (),
    must: Sequence[FieldRule] = (),
) -> list[FormField]:
    """The fields as shown: former values win over computed ones, these over defaults; required ones are marked by the present conditions.

    `columns` are further fields of the form, which conditions and computed values may use; `must` are rules about them.
    """
    definitions = list(definitions)
    fields = _filled(definitions, roots, former, own, columns)
    now = with_own(roots, own, {field.name: field.value for field in [*columns, *fields]})
    pairs = zip(fields, definitions, strict=True)
    sentences = {
        field.explains: field.holding(former.get(field.name))
        for field in _sentences(definitions, columns, must)
    }
    fields_shown = [
        sentences[name] for name in sentences if name not in {entry.name for entry in definitions}
    ]
    for field, entry in pairs:
        asked = None if entry.if_ is None else condition_holds(entry.if_, now)
        required = asked is not False and (
            field.required or (entry.required_if is not None and condition_holds(entry.required_if, now))
        )
        fields_shown.append(
            replace(field, required=required, help=entry.help and fill_text(entry.help, now), asked=asked)
        )
        fields_shown += [sentences[entry.name]] if entry.name in sentences else []
    return fields_shown


def without_refused_choices(
    columns: Sequence[FormField],
    former: Mapping[str, Any],
    must: Sequence[FieldRule],
    roots: Mapping[str, Any],
    own: str,
) -> list[FormField]:
    """The record's fields, those choices empty that a rule refuses as they stand: nobody submits by oversight what cannot be right. What was typed (`former`) stays."""
    now = with_own(roots, own, {field.name: field.value for field in columns})
    refused = {
        rule.field
        for rule in must
        if rule.severity == "refuse" and rule.if_ and expressions.parse(rule.if_).evaluate(now) is False
    } - set(former)
    return [
        replace(field, value=None) if field.name in refused and field.type == "enum" else field
        for field in columns
    ]


def submitted_values(
    definitions: Iterable[FieldDefinition],
    roots: Mapping[str, Any],
    former: Mapping[str, Any],
    own: str,
    submitted: Mapping[str, Any],
    columns: Sequence[FormField] = (),
    must: Sequence[FieldRule] = (),
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(values of the whole form, details of errors) for a submission; `columns` are further fields of the form, `must` rules about them.

    Read-only fields and conditions for required fields are computed again from the submitted values. The sentence that a rule asks for is
    among the values where the rule does not hold, and where somebody wrote one all the same: what was typed is not lost.
    """
    definitions = list(definitions)
    sentences = [field.holding(former.get(field.name)) for field in _sentences(definitions, columns, must)]
    values, errors = examine(
        [*columns, *_filled(definitions, roots, former, own, columns), *sentences], submitted
    )
    unasked: set[str] = set()
    for entry in definitions:
        values[entry.name] = _ticks(entry, values[entry.name])
        if entry.if_ is not None and not condition_holds(entry.if_, with_own(roots, own, values)):
            values[entry.name] = _ticks(entry, None)
            unasked.add(entry.name)
        if entry.readonly and entry.value is not None:
            values[entry.name] = coerce_computed(
                entry.field(), computed(entry.value, with_own(roots, own, values))
            )
    details: list[dict[str, Any]] = [detail for detail in errors if detail["field"] not in unasked]
    wrong = {detail["field"] for detail in details} | unasked
    now = with_own(roots, own, values)
    details += [
        {"field": entry.name, "reason": missing_message(entry.field())}
        for entry in definitions
        if entry.required_if is not None
        and entry.name not in wrong
        and is_empty(values[entry.name])
        and condition_holds(entry.required_if, now)
    ]
    answered = set()
    for name, rules in _rules(definitions, must).items():
        broken = (
            []
            if name in wrong or is_empty(values.get(name))
            else [rule for rule in rules if not condition_holds(rule.if_, now)]
        )
        if refused := next((rule for rule in broken if rule.severity == "refuse"), None):
            details.append(_detail(name, refused, now))
        elif broken:
            answered.add(because(name))
            details += [_detail(because(name), broken[0], now)] if is_empty(values[because(name)]) else []
    for field in sentences:
        if field.name not in answered and is_empty(values[field.name]):
            del values[field.name]
    return values, details


def _rules(definitions: Iterable[FieldDefinition], must: Iterable[FieldRule]) -> dict[str, list[Must]]:
    """Field → its rules, in order."""
    by_field: dict[str, list[Must]] = {entry.name: list(entry.must) for entry in definitions if entry.must}
    for rule in must:
        by_field.setdefault(rule.field, []).append(rule)
    return by_field


def _sentences(
    definitions: Sequence[FieldDefinition], columns: Sequence[FormField], must: Sequence[FieldRule]
) -> list[FormField]:
    """The fields for the sentences that rules may ask for, below the field that each explains; called by the question where all rules ask the same."""
    labels = {field.name: field.label for field in columns} | {
        entry.name: entry.label for entry in definitions
    }
    sentences = []
    for name, rules in _rules(definitions, must).items():
        asks = [rule for rule in rules if rule.severity == "explain"]
        if asks and name in labels:
            questions = {rule.ask for rule in asks}
            question = (
                questions.pop() if len(questions) == 1 else None
            ) or f"{labels[name]}: why all the same?"
            sentences.append(
                FormField(
                    because(name), question, "long_text", max_length=LONGEST_SENTENCE, lines=2, explains=name
                )
            )
    return sentences


def _detail(name: str, rule: Must, now: Mapping[str, Any]) -> dict[str, Any]:
    """The error for a rule that does not hold: what, why, and the ways out."""
    error: dict[str, Any] = {"field": name, "reason": fill_text(rule.message, now), "severity": rule.severity}
    error |= {"ask": rule.ask} if rule.ask else {}
    if rule.why is not None:
        error["why"] = fill_text(rule.why, now)
    if rule.ways:
        error["ways"] = [{"label": way.label, "set": dict(way.set)} for way in rule.ways]
    return error


def _filled(
    definitions: Sequence[FieldDefinition],
    roots: Mapping[str, Any],
    former: Mapping[str, Any],
    own: str,
    columns: Sequence[FormField],
) -> list[FormField]:
    """The fields with their initial values; each may use earlier fields and the columns."""
    fields: list[FormField] = []
    values: dict[str, Any] = {field.name: field.value for field in columns}
    for entry in definitions:
        field = entry.field(with_own(roots, own, values))
        if entry.currency is not None and not entry.fixed_currency:
            code = expressions.parse(entry.currency).evaluate(with_own(roots, own, values))
            field = replace(field, currency=code if isinstance(code, str) else "")
        if entry.at_most is not None:
            field = replace(field, max=computed(entry.at_most, with_own(roots, own, values)))
        if entry.name in former and not entry.readonly:
            value = former[entry.name]
        elif entry.value is not None:
            value = coerce_computed(field, computed(entry.value, with_own(roots, own, values)))
        else:
            value = coerce_computed(field, entry.default)
        values[entry.name] = _ticks(entry, value)
        fields.append(field.holding(values[entry.name]))
    return fields


def _ticks(entry: FieldDefinition, value: Any) -> Any:
    """No tick becomes an empty list, so that conditions can compare it."""
    return [] if value is None and entry.type in TICKED else value
