"""What a step reads before a person sees it: records of a relation or a collection, and figures over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from console.core.documents.document_parts import NAME_PATTERN, Part
from console.core.documents.fields import Located, Use


class StepConfig(Part):
    """Settings of a step. Unknown settings are refused, so that a typing error is noticed."""


class Total(StepConfig):
    """One figure over all records of a read, not only over those within the limit."""

    name: str = Field(pattern=NAME_PATTERN, description="Where it is found: `steps.<id>.<name>`")
    label: str | None = Field(
        None, min_length=1, max_length=100, description="What people read; the name without it"
    )
    function: Literal["count", "sum", "max"]
    field: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The column, for sum (0 of none) and max (null of none)",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.function == "count") != (self.field is None):
            raise ValueError(
                "count takes no field" if self.function == "count" else f"{self.function} needs the field"
            )
        return self

    @property
    def words(self) -> str:
        """The label that people read."""
        return self.label or self.name.replace("_", " ").capitalize()


class Related(StepConfig):
    """Related records of the run's record, or records of any collection, that are read for the step and shown as a table."""

    name: str = Field(pattern=NAME_PATTERN, description="Where they are found: `steps.<id>.<name>`")
    relation: str | None = Field(
        None, min_length=1, max_length=100, description="A relation of the run's collection"
    )
    collection: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="In place of a relation: any collection; narrow it with `where`",
    )
    fields: list[str] = Field(
        default_factory=list,
        max_length=40,
        description="Columns, in the order shown; none where only totals are wanted",
    )
    totals: list[Total] = Field(
        default_factory=list, max_length=12, description="Figures over all the records, not only those shown"
    )
    where: str | None = Field(
        None,
        description="Expression over `record`, the one that is read, and what the step knows; only those for which it holds",
    )
    sort: str | None = Field(
        None, max_length=100, description="Column to sort by, `-` before it for descending"
    )
    limit: int = Field(20, ge=1, le=300)
    one: bool = Field(
        False, description="Only the first: the output holds an object (or null) instead of a list"
    )
    hidden: bool = Field(False, description="Read for expressions, not shown")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.relation is None) == (self.collection is None):
            raise ValueError("name a relation or a collection, one of the two")
        if not self.fields and not self.totals:
            raise ValueError("nothing is read: name fields or totals")
        if self.one and not self.fields:
            raise ValueError("one reads a record: name its fields")
        return self

    def read(self) -> "Read":
        """What the service has to read."""
        limit = 1 if self.one else self.limit
        return Read(
            self.name,
            self.relation,
            tuple(self.fields),
            self.where,
            self.sort,
            limit,
            self.collection,
            tuple(self.totals),
        )


@dataclass(frozen=True, slots=True)
class Read:
    """A read that the service does before the step, under the person's scopes.

    `name` is the key of the result in `Context.reads`. Without `relation` and `collection` the run's own record is read; else the
    related records, or those of the collection: at most `limit`, and only those for which `where` (an expression
    over `record`, the record that is read) is true. `totals` are over all of them. `fields` () means every field that the reader may read,
    or no rows where there are totals.
    """

    name: str = "record"
    relation: str | None = None
    fields: tuple[str, ...] = ()
    where: str | None = None
    sort: str | None = None
    limit: int = 50
    collection: str | None = None
    totals: tuple[Total, ...] = ()
    goes_on: str | None = None  # a step: read on from where its output `next` says

    @property
    def own(self) -> bool:
        """Whether it reads the run's own record."""
        return self.relation is None and self.collection is None


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a `Read`: rows of one collection with what the reader may see.

    `fields` describe the columns (name, label, type, options), `rows` hold `{"key", "title", "values"}`.
    `denied` are the names of requested fields that the reader may not read.
    """

    collection: str
    label: str
    fields: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    denied: tuple[str, ...] = ()
    more: bool = False
    next: str | None = None  # where to read on, if there are more
    totals: Mapping[str, Any] = field(default_factory=dict)  # by their names
    figures: Sequence[Mapping[str, Any]] = ()  # the totals as columns: name, label, type
    reckoned: tuple[
        str | None, ...
    ] = ()  # keys of the rows that the totals are of, where these are more than `rows`


def related_texts(related: Sequence[Related]) -> list[Located]:
    """The `where` expressions of the related reads of a step, with their places in its settings."""
    return [
        Located(f"related[{number}].where", entry.where, entry.relation, entry.collection)
        for number, entry in enumerate(related)
        if entry.where is not None
    ]


def related_uses(related: Sequence[Related]) -> list[Use]:
    """The relations and columns that the related reads of a step name."""
    found = []
    for number, entry in enumerate(related):
        at = f"related[{number}]"
        named: list[tuple[str, str | None, bool]] = [
            (f"{at}.{'relation' if entry.relation else 'collection'}", None, False)
        ]
        named += [(f"{at}.fields[{place}]", column, False) for place, column in enumerate(entry.fields)]
        named += [(f"{at}.sort", entry.sort.removeprefix("-"), False)] if entry.sort else []
        named += [
            (f"{at}.totals[{place}].field", total.field, total.function == "sum")
            for place, total in enumerate(entry.totals)
            if total.field
        ]
        found += [
            Use(place, column, entry.relation, collection=entry.collection, number=adds)
            for place, column, adds in named
        ]
    return found


def rows_of(related: Sequence[Related], reads: Mapping[str, Rows]) -> dict[str, Any]:
    """Name of a related read → its rows as a list of values, with `one` the first or None; name of a total → its figure."""
    found: dict[str, Any] = {}
    for entry in related:
        read = reads.get(entry.name)
        values = [dict(row["values"]) for row in (read.rows if read else ())]
        if entry.fields:
            found[entry.name] = (values[0] if values else None) if entry.one else values
        found |= {total.name: read.totals.get(total.name) if read else None for total in entry.totals}
    return found


def refused_words(names: Iterable[str]) -> str:
    """What a step says of columns that it names and does not get: to whoever may not see them, one that is gone looks the same."""
    return "Not there any more, or not permitted for you: " + ", ".join(f"`{name}`" for name in names) + "."


def refused_fields(reads: Mapping[str, Rows]) -> list[str]:
    """Requested columns that may not be read, as `<read>.<column>`; those of the run's record without a prefix."""
    return [
        column if name == "record" else f"{name}.{column}"
        for name, rows in reads.items()
        for column in rows.denied
    ]
