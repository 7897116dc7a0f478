"""Collection documents: model, canonical bytes, hash.

The same JSON document is used in files, in the console's tables, on the settings page and in exports. It has what the database does not tell;
what it leaves out comes from the database. `document_check` reports all errors of a document.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from console.core.blocks.tree import Tree
from console.core.documents.collections import treatment
from console.core.documents.collections.contact_document import ContactDocument
from console.core.documents.collections.model import Author, FieldKind, Format, Widget
from console.core.documents.collections.treatment import Ai
from console.core.documents.document_parts import Name, Part, Slug, StoredDocument

FORMAT = 1
ID_PATTERN = r"^[A-Za-z][A-Za-z0-9_.-]{0,199}$"
SEGMENT_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
MOST_FIELDS = 2_000

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Help = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Governors = Slug | Annotated[list[Slug], Field(min_length=1, max_length=20)]
Columns = Annotated[list[Column], Field(max_length=MOST_FIELDS)]


class Said(Part):
    """A part of the document."""


class OptionDocument(Said):
    """One of the values that a field may have, how it is called and which colour it has."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Label | None = None
    tone: Literal["good", "info", "warn", "bad", "neutral"] | None = Field(
        None, description="Colour of its badge; none: by the word"
    )


def _option(given: Any) -> Any:
    """A plain text is an option with itself as label."""
    return {"value": given} if isinstance(given, str) else given


class RuleDocument(Said):
    """Something that must hold whenever a record is written."""

    if_: Text = Field(
        alias="if", description="Expression over `record` as it would be, and `now`; unknown is not enough"
    )
    message: Help = Field(description="Said where it does not hold; {{ expressions }} are filled in")


class RecordRule(RuleDocument):
    """The same of several fields together."""

    field: Column | None = Field(
        None, description="The field at which it is said; none: those that were changed"
    )


class FieldDocument(Said):
    """What is said of a field; a field that no column holds is `computed`."""

    label: Label | None = None
    help: Help | None = None
    type: FieldKind | None = None
    options: list[Annotated[OptionDocument, BeforeValidator(_option)]] | None = Field(
        None, min_length=1, max_length=500
    )
    widget: Widget | None = Field(None, description="How it is shown and typed; none: as its type is")
    lines: int | None = Field(None, ge=2, le=40, description="Height of a textarea")
    currency: Column | None = Field(
        None, description="Of money: the column that holds the currency, or its code in three capitals"
    )
    minor: bool = Field(
        False, description="Of money: the amount is kept in the smallest unit of its currency, such as cents"
    )
    format: Format | None = Field(None, description="What a value must be; checked whenever it is written")
    validation: list[RuleDocument] = Field(default_factory=list, max_length=20)
    computed: Text | None = Field(None, description="Expression over `record`, `now` and nothing else")
    references: Annotated[str, StringConstraints(pattern=ID_PATTERN)] | None = Field(
        None, description="Collection whose keys it holds"
    )
    empty_values: Annotated[list[int | str | None], Field(max_length=10)] | None = Field(
        None,
        description='Stored values that mean "none" or "never", such as 0, -1 or 0000-00-00: read as no value everywhere. The first is written where'
        " the field is emptied; null before them: NULL is",
    )
    required: bool = Field(False, description="May not be left or made empty")
    default: Text | None = Field(
        None,
        description="What a new record's form begins with; {{ expressions }} over `$currentUser` and `now` are filled in",
    )
    readonly: bool = Field(False, description="Cannot be changed here")
    hidden: bool | None = Field(
        None,
        description="Shown to nobody; none: where it holds passwords, hashes, keys or tokens, by its name or the form of its values",
    )
    sensitive: bool | None = Field(
        None, description="The API says so; it does not become a record's title by itself"
    )
    personal: bool | None = Field(
        None,
        description="Whether it is data about a person; none: by its type, where the collection has a subject",
    )
    ai: Annotated[Ai | None, BeforeValidator(treatment.current)] = Field(
        None,
        description="What of it a model may get: the value, a placeholder that stands for it, a code that tells equal from different, or nothing;"
        " none: masked for e-mail, phone, IBAN, birth date, sensitive fields and notes about persons, never for passwords, tokens and keys, else full",
    )
    author: Author | None = Field(
        None,
        description="Who writes it: staff, system (our own code) or customer (anybody else), whom a model does not trust. None: customer for long texts, JSON, lists and files, else system",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Raises ValueError for settings that only make sense together."""
        values = [option.value for option in self.options or ()]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"two options have the value {twice[0]}")
        if self.lines is not None and self.widget != "textarea":
            raise ValueError("lines are of a textarea")
        if (self.currency is not None or self.minor) and self.widget != "money":
            raise ValueError("currency and minor are of the widget money")
        if self.computed is not None and (
            self.required
            or self.validation
            or self.references
            or self.format
            or self.default
            or self.empty_values
        ):
            raise ValueError(
                "a computed field is never typed: leave required, validation, format, default, references and empty_values out"
            )
        return self


class SegmentDocument(Said):
    """A saved filter."""

    id: Annotated[str, StringConstraints(pattern=SEGMENT_PATTERN)]
    label: Label
    filter: Text | None = Field(None, description="Expression over `record`, `$currentUser` and `now`")
    sql: Annotated[str, StringConstraints(min_length=1, max_length=8_000)] | None = Field(
        None, description="One SELECT that gives the keys of its records, instead of a filter"
    )
    roles: list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]] = Field(
        default_factory=list,
        max_length=50,
        description="Roles for which the list opens with it; none: it is a tab like others",
    )
    sort: Column | None = Field(
        None, description="Order of its records, as of the list; none: that of the list"
    )
    enabled: bool = Field(True, description="Whether the list offers it")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Raises ValueError unless it is made in exactly one way."""
        if (self.filter is None) == (self.sql is None):
            raise ValueError("a segment has a filter or a SELECT, one of them")
        return self


class RelationDocument(Said):
    """A way to records of another collection, of whatever data source."""

    name: Annotated[str, StringConstraints(pattern=SEGMENT_PATTERN)]
    label: Label | None = None
    collection: Annotated[str, StringConstraints(pattern=ID_PATTERN)]
    kind: Literal["to_one", "to_many"]
    via: Column | Annotated[list[Column], Field(min_length=1, max_length=8)] = Field(
        description="to_one: the column here that holds the other's key; to_many: the column there that holds this one's"
    )
    to: Column | Annotated[list[Column], Field(min_length=1, max_length=8)] | None = Field(
        None, description="Columns pointed at; none: the key"
    )
    tree: Tree | None = Field(
        None,
        description="How the Explorer draws its records as a tree of who owns whom: a block `tree` whose expressions find them as `related.<name>`",
    )


class ClearanceDocument(Said):
    """A label that records have, all of them or those for which `when` holds."""

    label: Name
    when: Text | None = Field(None, description="Expression over `record`; none: all of them")


class SectionDocument(Said):
    """Fields under a heading."""

    label: Label
    fields: Columns = Field(min_length=1)


class RelatedDocument(Said):
    """A list beside the summary."""

    relation: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    columns: Columns | None = None


class SummaryDocument(Said):
    """Layout of a record."""

    sections: list[SectionDocument] = Field(default_factory=list, max_length=60)
    related: list[RelatedDocument] = Field(default_factory=list, max_length=60)
    badge: Column | None = Field(None, description="Field that stands in the head")


class ChangesDocument(Said):
    """How changes that other programs make to the records are noticed, for triggers."""

    column: Column | None = Field(
        None,
        description="Moment or number that grows with every change of a row; rows past the last one seen are read",
    )
    created: Column | None = Field(
        None,
        description="Moment at which a row was added, to tell new rows from changed ones; none: by its name, or by a number as key",
    )
    deleted: Column | None = Field(
        None,
        description="Moment at which a row was marked as deleted; rows that are gone are not seen without `listen`",
    )
    every_s: int = Field(5, ge=1, le=3600, description="Seconds between two looks")
    listen: bool = Field(
        False,
        description="PostgreSQL tells of every change at once, by the trigger that `console source listen` prints for its owner to install",
    )

    @model_validator(mode="after")
    def _some_way(self) -> Self:
        if self.column is None and self.deleted is None and not self.listen:
            raise ValueError("name a column, or let the database tell by listen")
        return self


class CollectionDocument(StoredDocument):
    """A table or view as the console shows it."""

    format: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern=ID_PATTERN)] = Field(
        description="Its name in addresses, rights and workflows"
    )
    source: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    schema_: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, alias="schema", description="None: the default one"
    )
    table: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Label | None = Field(None, description="How many of them are called")
    label_one: Label | None = Field(None, description="How one of them is called")
    help: Help | None = None
    key: Columns | None = Field(
        None, description="Columns that name a record, for a view that has no key of its own"
    )
    title: Text | None = Field(None, description="What a record is called: `{{ record.name }}`")
    subject: Annotated[str, StringConstraints(min_length=1, max_length=400)] | None = Field(
        None, description="Whose data it holds: `self`, or the path of a relation; none: nobody's"
    )
    clearance: ClearanceDocument | None = Field(
        None, description="What a reader must be cleared for to know of these records at all"
    )
    columns: Columns | None = Field(None, description="Columns of the list, in order")
    details: Columns | None = Field(None, description="Fields of a record's details, in order; none: all")
    form: Columns | None = Field(
        None, description="Fields that can be changed on a record's page, in order; none: all"
    )
    new: Columns | None = Field(
        None, description="Fields of the form of a new record, in order; none: those of `form`"
    )
    sort: Column | None = Field(None, description="Order of the list: a column, `-` before it for descending")
    search: Columns | None = Field(None, description="Columns that the quick search looks at")
    fields: dict[Column, FieldDocument] = Field(default_factory=dict, max_length=MOST_FIELDS)
    governed: dict[Column, Governors] = Field(
        default_factory=dict,
        max_length=MOST_FIELDS,
        description="Column → slug of the workflow, or of each of the workflows, whose runs alone write it: nobody changes it by hand",
    )
    changes: ChangesDocument | None = Field(
        None, description="How changes by other programs are noticed; none: only those made here are known"
    )
    contact: ContactDocument | None = Field(
        None, description="Which fields make a record a person who can be written to or called"
    )
    validation: list[RecordRule] = Field(default_factory=list, max_length=50)
    segments: list[SegmentDocument] = Field(default_factory=list, max_length=100)
    relations: list[RelationDocument] = Field(default_factory=list, max_length=200)
    summary: SummaryDocument = Field(default_factory=lambda: SummaryDocument(badge=None))

    def to_json(self) -> dict[str, Any]:
        """The document in canonical order: fields by name, without empty values."""
        full = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        fields = {name: _plain(says) for name, says in sorted(full.pop("fields", {}).items()) if says}
        ordered = {"format": FORMAT} | {
            _name(entry): full[_name(entry)] for entry in type(self).model_fields if _name(entry) in full
        }
        if not fields:
            return ordered
        after = ("contact", "validation", "segments", "relations", "summary")
        return (
            {name: said for name, said in ordered.items() if name not in after}
            | {"fields": fields}
            | {name: ordered[name] for name in after if name in ordered}
        )


def _name(entry: str) -> str:
    return "schema" if entry == "schema_" else entry


def _plain(says: dict[str, Any]) -> dict[str, Any]:
    """An option without label and colour becomes its value."""
    if "options" in says:
        says["options"] = [entry["value"] if len(entry) == 1 else entry for entry in says["options"]]
    return says


def cleansed(said: Any) -> Any:
    """The document without empty values: null, empty texts, lists and objects. That no value means "none" is an answer, and stays."""
    if isinstance(said, Mapping):
        kept = {name: cleansed(entry) for name, entry in said.items()}
        return {
            name: entry
            for name, entry in kept.items()
            if entry not in (None, "", [], {}) or (name == "empty_values" and entry == [])
        }
    return [cleansed(entry) for entry in said] if isinstance(said, list) else said


def read(document: bytes | str | Mapping[str, Any]) -> CollectionDocument:
    """The document from a file that was checked before. Raises ValueError if it is invalid: `document_check.check` reports all errors."""
    return CollectionDocument.model_validate(
        json.loads(document) if isinstance(document, bytes | str) else dict(document)
    )
