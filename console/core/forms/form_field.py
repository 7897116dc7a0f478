"""The fields of a form and their types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

FieldType: TypeAlias = Literal[
    "text",
    "long_text",
    "integer",
    "decimal",
    "money",
    "boolean",
    "date",
    "datetime",
    "time",
    "enum",
    "multi_enum",
    "checklist",
    "reference",
    "uuid",
    "email",
    "phone",
    "url",
    "json",
    "array",
    "binary",
    "file",
    "files",
    "other",
]
FIELD_TYPES: tuple[str, ...] = get_args(FieldType)
LISTS = frozenset({"multi_enum", "checklist", "array", "files"})
TEXTS = frozenset({"text", "long_text", "email", "phone", "url"})
NEVER_TYPED = frozenset(
    {"binary", "file", "files", "other"}
)  # files can be uploaded if the options name types
DRAWN = frozenset({"widget", "lines", "minor", "currency", "explains", "by_rule", "asked"})
BUTTONS = "buttons"
"""The widget of a choice whose options are the buttons of its form."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as a person or a program sees it; see "FIELD" in the reference of shapes.

    `min` and `max` limit numbers, dates and times by value, texts by number of characters, lists by number of entries.
    `options` are `[{"value", "label"}]`, or `{"collection"}` if people search in a collection. `minor`: an amount held in the smallest unit
    of its `currency`, a code or the name of the field that holds it.
    `explains`: the field that this sentence is about; it is asked for only where a rule about that field does not hold.
    `by_rule`: the step sets the field of the record itself, from what is typed elsewhere in the form.
    `asked`: of a field with a condition, whether it is asked for; False leaves it empty.
    """

    name: str
    label: str
    type: str = "text"
    required: bool = False
    readonly: bool = False
    value: Any = None
    now: Any = None
    options: Any = None
    min: Any = None
    max: Any = None
    max_length: int | None = None
    help: str | None = None
    widget: str | None = None
    lines: int | None = None
    minor: bool | None = None
    currency: str | None = None
    explains: str | None = None
    by_rule: bool | None = None
    asked: bool | None = None

    def holding(self, value: Any) -> "FormField":
        """The same field with this value. Three times as fast as `dataclasses.replace`; a form has dozens of fields."""
        return FormField(
            self.name,
            self.label,
            self.type,
            self.required,
            self.readonly,
            value,
            self.now,
            self.options,
            self.min,
            self.max,
            self.max_length,
            self.help,
            self.widget,
            self.lines,
            self.minor,
            self.currency,
            self.explains,
            self.by_rule,
            self.asked,
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON form for pages, API and log. Display hints of a collection are included only if set."""
        return {
            name: value
            for name in self.__slots__
            if (value := getattr(self, name)) is not None or name not in DRAWN
        }


def takes_files(field: FormField) -> bool:
    """Whether people upload files here (`options` names the types). A column of type file is display only."""
    return field.type in ("file", "files") and isinstance(field.options, Mapping) and "types" in field.options
