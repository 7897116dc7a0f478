"""The model of a collection: fields, relations, segments and layout, and what a reader may see."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from console.core import expressions, plain_words, translations
from console.core.documents.collections import field_guesses
from console.core.documents.collections.treatment import Ai
from console.core.expressions import nodes, operands
from console.core.papers import iban
from console.core.scopes import Scope

if TYPE_CHECKING:
    from console.core.documents.collections.contact_document import ContactDocument
    from console.core.documents.collections.polymorphic_references import Joined, Pair

FieldKind: TypeAlias = Literal[
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
    "reference",
    "uuid",
    "email",
    "phone",
    "url",
    "json",
    "array",
    "binary",
    "file",
    "other",
]
FIELD_TYPES: frozenset[str] = frozenset(get_args(FieldKind))
Widget: TypeAlias = Literal[
    "input",
    "textarea",
    "select",
    "radio",
    "switch",
    "badge",
    "word",
    "tags",
    "number",
    "plain",
    "money",
    "percent",
    "day",
    "long_day",
    "iso",
    "ago",
    "link",
    "email",
    "phone",
    "iban",
    "country",
    "language",
    "currency",
    "zone",
    "image",
    "file",
    "code",
    "json",
    "fraction",
    "colour",
    "person",
    "translations",
    "unix",
    "unix_ms",
    "unix_us",
    "julian",
    "cocoa",
]
WIDGETS: tuple[str, ...] = get_args(Widget)
Format: TypeAlias = Literal["email", "phone", "iban", "bic", "vat", "url"]
FORMATS: tuple[str, ...] = get_args(Format)
Author: TypeAlias = Literal["staff", "customer", "system"]
TONES = ("good", "info", "warn", "bad", "neutral")
SHOWN_ONLY = frozenset({"other", "binary"})
MOST_COLUMNS = 8
STATES = ("status", "state")
WORDED = frozenset(
    {"badge", "word", "country", "language", "currency", "zone"}
)  # codes shown as words: no record is called by one

# `stored` decides what a value can be compared with; the field's type decides how it is shown.
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "integer": operands.number_of,
    "decimal": operands.number_of,
    "date": operands.date_of,
    "datetime": operands.moment_of,
    "time": operands.time_of,
    "uuid": operands.uuid_of,
}
LONGEST_TITLE = 200
"""Letters of a record's title: a text of a megabyte is a field of the record, not its name."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a field may have."""

    value: str
    label: str
    tone: str | None = None

    def to_json(self) -> dict[str, str]:
        """`{value, label}`, and its colour if the document gives one."""
        return {"value": self.value, "label": self.label} | ({"tone": self.tone} if self.tone else {})


@dataclass(frozen=True)
class Rule:
    """A condition on written records: an expression, the message if it is not met, and the field it belongs to."""

    if_: str
    message: str
    field: str | None = None

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Columns that it uses."""
        return frozenset(fields_of(self.if_))


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the console shows it.

    `stored` is its kind in the source: integer decimal text boolean date datetime time uuid json array binary other; `native` the source's type;
    `items` the kind of an array's items. `least` and `most` bound integers, `scale` is the number of decimals.

    `computed` is the expression of a computed field, "" if a company function computes it; `inputs` are the columns it uses. `author` is who
    writes its content: staff, system (our own code) or customer (anybody else). `currency` is the column with a money field's currency, or the
    code itself; `minor`: stored in the currency's smallest unit. `ai` says what a model may get of its values. `governed` are the slugs of the
    workflows that alone write it. `default` is the template of what a new record's form begins with. `hidden_because`: why it is hidden although
    nobody has said so. `blank`: the text must not be null, and is empty in other records. `pair` are columns that together name a record.
    `zone` is where the clocks stand that moments without a zone show, "" for UTC. `single`: the database keeps every value of it once.
    `empty_values` are stored values that mean "none" and are read as null; the first is written where the field is emptied. `likely_empty` is
    such a value, the rows of the sample that hold it, and the rows of the sample, until somebody says whether it is one.
    """

    name: str
    label: str
    type: str
    stored: str
    native: str = ""
    items: str | None = None
    nullable: bool = True
    options: tuple[Option, ...] | None = None
    readonly: bool = False
    sensitive: bool = False
    references: str | None = None
    personal: bool = False
    max_length: int | None = None
    least: int | None = None
    most: int | None = None
    precision: int | None = None
    scale: int | None = None
    help: str | None = None
    hidden: bool = False
    hidden_because: str = ""
    widget: str | None = None
    lines: int | None = None
    currency: str | None = None
    minor: bool = False
    format: str | None = None
    validation: tuple[Rule, ...] = ()
    computed: str | None = None
    inputs: frozenset[str] = frozenset()
    ai: Ai = "full"
    author: Author = "system"
    required: bool = False
    governed: tuple[str, ...] = ()
    default: str | None = None
    blank: bool = False
    pair: "Pair | Joined | None" = None
    zone: str = ""
    single: bool = False
    empty_values: tuple[int | str | None, ...] = ()
    likely_empty: tuple[int | str, int, int] | None = None

    @property
    def may_be_empty(self) -> bool:
        """Whether a record may have no value here, which is null or one of the values that mean it."""
        return self.nullable or bool(self.empty_values)

    @property
    def needed(self) -> bool:
        """Whether a record must have a value here that is not empty."""
        return self.required or not (self.may_be_empty or self.blank)

    @property
    def sortable(self) -> bool:
        """Whether lists can be sorted and paged by it."""
        return self.computed is None and self.stored in {
            "integer",
            "decimal",
            "text",
            "boolean",
            "date",
            "datetime",
            "time",
            "uuid",
        }

    @property
    def comparable(self) -> bool:
        """Whether < and > are allowed. Not for text, because collations differ."""
        return self.stored in {"integer", "decimal", "date", "datetime", "time"}

    def to_json(self) -> dict[str, Any]:
        """The form in the API."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "nullable": self.may_be_empty,
            "options": [option.to_json() for option in self.options] if self.options is not None else None,
            "readonly": self.readonly or bool(self.governed),
            "sensitive": self.sensitive,
            "references": self.references,
            "max_length": self.max_length,
            "help": self.help,
            "required": self.needed,
            "ai": self.ai,
            "computed": self.computed is not None,
            "format": self.format,
            "widget": self.widget,
            "items": self.items,
            "lines": self.lines,
            "currency": self.currency,
            "minor": self.minor,
            "governed": list(self.governed),
        }


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation from a record to others. `columns` are pairs of (column here, column there).

    `exact`: the database or the key guarantees at most one target record. `only`: (column there, value) that the other records have besides.
    `tree`: how the records are drawn as one, as the document says it.
    """

    name: str
    label: str
    collection: str
    kind: str  # to_one | to_many
    columns: tuple[tuple[str, str], ...]
    exact: bool = False
    only: tuple[tuple[str, str], ...] = ()
    tree: Mapping[str, Any] | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, str]:
        """The form in the API."""
        return {"name": self.name, "label": self.label, "collection": self.collection, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Segment:
    """A saved filter: an expression over `record`, or a SELECT of keys. The list opens with it for people who have one of `roles`.

    `sort` is the order in which its records are listed, as of a collection; None: that of the list.
    """

    id: str
    label: str
    filter: str
    roles: tuple[str, ...] = ()
    sql: str | None = None
    sort: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """Columns that its filter names; of a SELECT, all words in it."""
        return (
            frozenset(re.findall(r"\w+", self.sql))
            if self.sql is not None
            else frozenset(fields_of(self.filter))
        )

    def to_json(self) -> dict[str, str]:
        """The form in the API."""
        return {"id": self.id, "label": self.label}


@dataclass(frozen=True, slots=True)
class Changes:
    """How changes by other programs are noticed: rows past the last value of `column` are read every so many seconds; with `listen` the database tells.

    `created` and `deleted` hold the moments at which a row was added and marked as deleted, if there are such columns.
    """

    column: str | None = None
    created: str | None = None
    deleted: str | None = None
    every_s: int = 5
    listen: bool = False


@dataclass(frozen=True)
class Collection:
    """A table or view as the console shows it. `stored_fields` are all columns, `fields` the visible and computed ones. `details` and
    `form` name the fields that a record's page shows and offers to edit, in order, `new` those of a new record's form; None: all (`new`: as `form`).
    `plain_label` is the label without what tells it from others of the same one, empty where there are none. `lost`: labels of columns that went, until somebody has looked. `titled`: somebody said what a record is called.
    """

    id: str
    source: str
    schema: str | None
    table: str
    kind: str
    label: str
    label_one: str
    key: tuple[str, ...]
    stored_fields: tuple[Field, ...]
    dialect: str = ""
    relations: tuple[Relation, ...] = ()
    segments: tuple[Segment, ...] = ()
    title: str = ""
    subject: str | None = None
    columns: tuple[str, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    search: tuple[str, ...] = ()
    sort: str | None = None
    help: str | None = None
    position: int = 0
    computed_fields: tuple[Field, ...] = ()
    validation: tuple[Rule, ...] = ()
    details: tuple[str, ...] | None = None
    form: tuple[str, ...] | None = None
    new: tuple[str, ...] | None = None
    plain_label: str = ""
    changes: Changes | None = None
    contact: "ContactDocument | None" = None
    lost: tuple[str, ...] = ()
    titled: bool = False

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the collection shows, in order."""
        return tuple(item for item in (*self.stored_fields, *self.computed_fields) if not item.hidden)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """All columns by name, including hidden ones."""
        return {item.name: item for item in self.stored_fields}

    @cached_property
    def personal_key(self) -> bool:
        """Whether the key itself is personal (an IBAN): then the log uses random references for records."""
        return any(self.by_name[name].personal or self.by_name[name].sensitive for name in self.key)

    def field(self, name: str) -> Field | None:
        """The field of that name; None if it does not exist or is hidden for everybody."""
        return self._shown.get(name)

    @cached_property
    def _shown(self) -> Mapping[str, Field]:
        return {item.name: item for item in self.fields}

    def visible(self, name: str, hidden: frozenset[str]) -> Field | None:
        """Like `field`; None also if the field is in `hidden` or computed from such a field."""
        found = self._shown.get(name)
        return None if found is None or name in hidden or found.inputs & hidden else found

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """Names of the fields to mask if values are revealed one by one; never the key, which is in URLs."""
        return frozenset(item.name for item in self.fields if item.sensitive and item.name not in self.key)

    def readable(self, scope: Scope) -> tuple[Field, ...]:
        """Fields that the scope's owner may read; a computed one only with all its inputs."""
        return tuple(
            item for item in self.fields if item.name not in scope.hidden and not item.inputs & scope.hidden
        )

    @cached_property
    def currencies(self) -> Mapping[str, str]:
        """Amount field → the column with its currency."""
        return {
            item.name: item.currency
            for item in self.fields
            if item.currency in self.by_name and item.currency is not None
        }

    def relation(self, name: str) -> Relation | None:
        """The relation of that name, or None."""
        return next((item for item in self.relations if item.name == name), None)

    def segment(self, segment_id: str) -> Segment | None:
        """The segment of that id, or None."""
        return next((item for item in self.segments if item.id == segment_id), None)

    def begins_with(self, roots: Mapping[str, Any]) -> dict[str, Any]:
        """What a new record's form begins with, by field; `roots` have currentUser and now. Empty defaults are left out."""
        defaults = {
            item.name: expressions.render(item.default, roots).strip() for item in self.fields if item.default
        }
        flags = {"true": True, "yes": True, "false": False, "no": False}
        kinds = self.by_name
        return {
            name: flags.get(text.lower()) if kinds[name].stored == "boolean" else text
            for name, text in defaults.items()
            if text
        }

    def typed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with typed numbers, days, moments and UUIDs, for expressions; invalid ones stay as they are."""
        return {name: self._typed(name, value) for name, value in values.items()}

    def _typed(self, name: str, value: Any) -> Any:
        convert = CONVERSIONS.get(self.by_name[name].stored) if name in self.by_name else None
        converted = convert(value) if convert is not None and value is not None else None
        return value if converted is None else converted

    def title_of(self, values: Mapping[str, Any], key: str | None, locale: str = "en") -> str:
        """The record's title from values that its reader may see, in their language where there are several, at most `LONGEST_TITLE` long."""
        spoken = {name: self.spoken_value(name, value, values, locale) for name, value in values.items()}
        shown = expressions.joined(self.title, {"record": spoken}).strip() or self.title_without_name(key)
        return shown if len(shown) <= LONGEST_TITLE else shown[: LONGEST_TITLE - 1].rstrip() + "…"

    def title_without_name(self, key: str | None) -> str:
        """What a record is called that has no name: `Charge 1042`."""
        return (
            f"{self.label_one} {key}" if key and not key.startswith("~") else self.label_one
        )  # "~": an empty text

    def spoken_value(self, name: str, value: Any, values: Mapping[str, Any], locale: str) -> Any:
        """The value as it stands in a title: an option by its label, a day or amount in words, a number without zeros at its end."""
        field = self.by_name.get(name)
        if field is None or value is None:
            return value
        if field.options is not None:
            return next((option.label for option in field.options if option.value == value), value)
        if field.widget == "translations":
            return translations.in_language(value, locale)
        if field.widget == "money":
            code = (
                values.get(field.currency)
                if field.currency is not None and field.currency in self.by_name
                else field.currency
            )
            beside = f"{value} {code}{' (smallest unit)' if field.minor else ''}" if code else value
            return (
                plain_words.amount_words(value, None if code is None else str(code), minor=field.minor)
                or beside
            )
        if field.stored == "decimal" and "." in str(value):
            return str(value).rstrip("0").rstrip(".")
        if field.widget == "iban":
            return iban.grouped(str(value))
        if field.native in plain_words.RANGES:
            return plain_words.spoken_range(value)
        if field.stored in ("uuid", "binary"):
            return plain_words.shortened_id(str(value))
        if field.stored not in ("date", "datetime"):
            return value
        alone = field.stored == "datetime" and (name in self.key or len(self.title_fields) == 1)
        there = plain_words.there_and_then(value)
        return (plain_words.moment_words(there) if alone else None) or plain_words.day_words(there) or value

    @cached_property
    def title_fields(self) -> tuple[str, ...]:
        """Columns used in the title."""
        named = fields_of(self.title, template=True) & self.by_name.keys()
        beside = {self.by_name[name].currency for name in named} & self.by_name.keys()
        return tuple(sorted(named | {name for name in beside if name is not None}))

    def number_of(self, values: Mapping[str, Any]) -> str:
        """The number by which people call a record beside its title, from values that its reader may see; empty where there is none."""
        numbers = (values.get(name) for name in self._numbers)
        return next((str(value) for value in numbers if value not in (None, "")), "")

    @cached_property
    def _numbers(self) -> tuple[str, ...]:
        """Columns of the list that tell records apart, searched ones first; a key only where the list shows it."""
        led = {
            column
            for relation in self.relations
            if relation.kind == "to_one"
            for column, _ in relation.columns
        }
        listed = [
            self.by_name[name]
            for name in self.columns
            if name in self.by_name and name not in {*self.title_fields, *led}
        ]
        plain = [
            item
            for item in listed
            if item.references is None and item.options is None and item.widget not in WORDED
        ]
        said = [
            item.name
            for item in plain
            if item.stored in ("text", "integer") and field_guesses.numbers(item.name)
        ]
        keys = [item.name for item in plain if (item.name,) == self.key]
        return tuple(dict.fromkeys([*(name for name in said if name in self.search), *said, *keys]))

    @property
    def spoken(self) -> str:
        """The label inside a sentence, without its source: "customers", "KYC cases"."""
        return plain_words.uncapitalised(self.plain_label or self.label)

    def head(self) -> dict[str, Any]:
        """The collection as a list entry."""
        return {
            "id": self.id,
            "label": self.label,
            "source": self.source,
            "kind": self.kind,
            "key": list(self.key),
        }

    @cached_property
    def _fields_told(self) -> Mapping[str, dict[str, Any]]:
        """Field name → API form. Shared: copy before changing."""
        return {item.name: item.to_json() for item in self.fields}

    def to_json(self, scope: Scope) -> dict[str, Any]:
        """The form in the API, without fields hidden in the scope."""
        return {
            **self.head(),
            "label_one": self.label_one,
            "help": self.help,
            "fields": [
                self._fields_told[item.name] | ({"readonly": True} if item.name in scope.fixed else {})
                for item in self.readable(scope)
            ],
            "relations": [relation.to_json() for relation in self.relations],
            "segments": [
                segment.to_json()
                for segment in self.segments
                if not (scope.hidden and segment.fields & scope.hidden)
            ],
            "actions": [],
            "left_out": list(self.lost),
        }


def fields_of(text: str, *, template: bool = False, root: str = "record") -> set[str]:
    """Names of the record's columns, or what else stands right under the root, used in an expression or template."""
    found = expressions.templates(text) if template else [expressions.parse(text)]
    paths = [node for item in found for node in nodes.walk(item.node) if isinstance(node, nodes.Path)]
    return {str(path.steps[0]) for path in paths if path.root == root and path.steps}


def offered_segments(document: Mapping[str, Any]) -> tuple[Segment, ...]:
    """The segments of a document, without those that are not offered."""
    return tuple(
        Segment(
            item["id"],
            item["label"],
            item.get("filter") or "",
            tuple(item.get("roles") or ()),
            item.get("sql"),
            item.get("sort"),
        )
        for item in document.get("segments", ())
        if item.get("enabled", True)
    )
