"""Collections and records."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Anything, BackgroundWork, Cursor, Moment, Open, Shape


class CollectionHead(Shape):
    """A collection as one of a list. `key` are the columns of its key; empty: its records can be listed only."""

    id: str
    label: str
    source: str
    kind: Literal["table", "view"]
    key: list[str]


class Option(Open):
    """A value that can be chosen, and how it is called."""

    value: Anything
    label: str


class CollectionField(Open):
    """A field of a collection."""

    name: str
    label: str
    type: str
    nullable: bool
    options: list[Option] | None
    readonly: bool
    sensitive: bool
    references: str | None = Field(description="The collection whose key it holds")
    max_length: int | None
    help: str | None


class Relation(Open):
    """A way from a record to others."""

    name: str
    label: str
    collection: str
    kind: Literal["to_one", "to_many"]


class Labelled(Open):
    """Something with an id, and how it is called."""

    id: str
    label: str


class Collection(Open):
    """A table or view as the console shows it, as the caller may see it.

    `left_out` are the labels of columns that went or are of another type, until whoever manages data sources has looked: neither fields nor values have them.
    """

    id: str
    label: str
    source: str
    kind: Literal["table", "view"]
    key: list[str]
    label_one: str
    help: str | None
    fields: list[CollectionField]
    relations: list[Relation]
    segments: list[Labelled]
    actions: list[Labelled]
    left_out: list[str]


class Record(Shape):
    """A record. `key` is opaque, null where the collection has none; hidden fields are missing from `values`."""

    collection: str
    key: str | None
    title: str
    values: dict[str, Anything]


class Tag(Shape):
    """A tag of a record. `by` is the name of who put it there, null where nobody is known."""

    tag: str
    by: str | None
    at: Moment


class ImportCounts(Shape):
    """What became of the lines of a file of contacts. `same`: they are there as the line says; `withdrawn`: contacts whose consent it takes back.

    `opted_out`: lines about somebody who opted out; `agreed_again`: consents that stay, given after that; `said_no`: lines with a plain no that takes nothing back.
    """

    new: int
    changed: int
    same: int
    refused: int
    consents: int
    withdrawn: int
    opted_out: int
    agreed_again: int
    said_no: int
    tags: int = Field(description="Tags that were put on contacts, or would be")


class UnknownWord(Shape):
    """A word of a column, by its number, of which `meanings` does not say what it means, and on how many lines it stands: they are left out; one about agreeing only gives no consent."""

    column: int
    word: str
    lines: int


class ContactImport(BackgroundWork):
    """A file of contacts that is imported, or with `preview` looked at. `total` is null until it is known, `columns` number of a column → field.

    `unused` are headings that nothing comes of; those of `perhaps_consent` may say who agreed, or who wants nothing.
    """

    status: Literal["running", "done", "cancelled", "failed"]
    preview: bool
    counts: ImportCounts
    columns: dict[str, str]
    match: str | None
    unused: list[str]
    perhaps_consent: list[str]
    unknown: list[UnknownWord]


class LeftOut(Shape):
    """A line of a file that was left out; the heading is line 1."""

    line: int
    reasons: list[str]


class Export(BackgroundWork):
    """A file of records. `done` of `total` are written (null: not known); `href` is where it is fetched, null until it is done; `why` it was not made."""

    status: Literal["waiting", "running", "done", "failed", "stopped"]
    href: str | None


class Records(Shape):
    """A page of records."""

    data: list[Record]
    next: Cursor
    total: int = Field(0, description="How many there are, with `count=1`", ge=0)
    searched: Literal["beginnings", "exact"] | None = Field(
        None,
        description="Only where `q` went through the indexes of a large table: what these find; `inside=1` looks everywhere",
    )
