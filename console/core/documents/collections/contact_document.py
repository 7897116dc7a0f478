"""The key `contact` of a collection document: which fields hold the name, the addresses and the zone of a person, and where consent stands.

`wrong_columns` says what does not fit the collection's own table; `wrong_tables` what does not fit the tables that consent stands in, which are
other collections.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from console.core.contacting import CHANNELS
from console.core.documents.collections.consent_places import column_of, consents_relation
from console.core.documents.collections.model import Collection
from console.core.documents.document_parts import Part
from console.core.documents.json_shape import Spot
from console.core.documents.references import suggestion

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]

FIELDS = ("name", "email", "phone", "zone", "language", "country", "owner", "stage", "do_not_contact")
"""Parts of a contact that are one field each, in the order of the document."""
EVIDENCE = ("source", "text_version", "at", "withdrawn_at")
"""Columns that tell about a consent, beside whether it was given."""


class ConsentDocument(Part):
    """Where consent to one channel stands: in a field of the contact, or in a table whose newest row for the channel counts."""

    field: Column | None = Field(None, description="Field of the contact that says whether consent was given")
    table: Word | None = Field(
        None,
        description="Collection, or relation to it, with a row for each time that consent was given or withdrawn",
    )
    channel: Column | None = Field(
        None, description="Column of that table that names the channel; none: the column channel"
    )
    is_: Word | None = Field(
        None, alias="is", description="What stands there for this channel; none: the channel's own name"
    )
    state: Column | None = Field(
        None,
        description="Column of that table that says given or withdrawn; none: the column state or status",
    )
    given: list[Word] = Field(
        default_factory=list,
        max_length=20,
        description="Words that mean given; none: given, yes, true and their like",
    )
    source: Column | None = Field(None, description="Where consent was given: a web form, by phone")
    text_version: Column | None = Field(None, description="Version of the text that was agreed to")
    at: Column | None = Field(None, description="When it was given, in a table: when the row was written")
    withdrawn_at: Column | None = Field(None, description="When it was withdrawn; empty: it was not")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        """Raises ValueError unless consent stands in exactly one place."""
        if (self.field is None) == (self.table is None):
            raise ValueError("consent stands in a field or in a table: name one of them")
        if self.field is not None and (self.channel or self.is_ or self.state):
            raise ValueError("channel, is and state belong to a table of consents")
        return self


class ContactDocument(Part):
    """The fields by which a record is a contact. `tags` is a relation to records of the user's database; without it tags are the console's own."""

    name: Column | None = None
    email: Column | None = None
    phone: Column | None = None
    zone: Column | None = Field(None, description="Time zone such as Europe/Vilnius")
    language: Column | None = None
    country: Column | None = Field(
        None, description="Two letters, for calling hours and where the zone is not known"
    )
    owner: Column | None = Field(
        None, description="Whose contact it is, by e-mail address or the part before the @"
    )
    stage: Column | None = Field(None, description="Field with options")
    do_not_contact: Column | None = Field(
        None, description="Field that is true for who is to be reached by no channel at all"
    )
    consent: dict[
        Annotated[str, StringConstraints(pattern="^(" + "|".join(CHANNELS) + ")$")], ConsentDocument
    ] = Field(
        default_factory=dict,
        description="Channel → where consent to it stands; a channel that is not named has none",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        """Raises ValueError for a contact of whom nothing is known."""
        if not (self.name or self.email or self.phone):
            raise ValueError("a contact has at least a name, an email or a phone")
        return self


def wrong_columns(
    made: ContactDocument, columns: Mapping[str, Any], options: frozenset[str]
) -> Iterator[Spot]:
    """Fields that the table does not have, and a stage without options. `options` are the columns whose options are known."""
    for part in FIELDS:
        name = getattr(made, part)
        if name is not None and name not in columns:
            yield Spot(("contact", part), _no_such(name, columns))
    if made.stage in columns and made.stage not in options:
        yield Spot(
            ("contact", "stage"), f"{made.stage} has no options: say under fields which stages there are."
        )
    for channel, consent in made.consent.items():
        for part in ("field", *EVIDENCE) if consent.field is not None else ():
            name = getattr(consent, part)
            if name is not None and name not in columns:
                yield Spot(("contact", "consent", channel, part), _no_such(name, columns))


def wrong_tables(collection: Collection, every: Mapping[str, Collection]) -> Iterator[Spot]:
    """Tables of consents that cannot be reached from the collection, columns that they do not have, and mapped columns that nobody reads."""
    if collection.contact is None:
        return
    for part in FIELDS:
        yield from _hidden(("contact", part), getattr(collection.contact, part), collection)
    for channel, consent in collection.contact.consent.items():
        if consent.table is None:
            for part in ("field", *EVIDENCE):
                yield from _hidden(("contact", "consent", channel, part), getattr(consent, part), collection)
            continue
        place = ("contact", "consent", channel)
        relation = consents_relation(collection, consent.table)
        there = every.get(relation.collection) if relation is not None else None
        if there is None:
            yield Spot(
                (*place, "table"),
                f"No relation leads from {collection.label} to {consent.table}: add one under relations.",
            )
            continue
        for part in ("channel", "state", *EVIDENCE):
            name = getattr(consent, part)
            if name is not None and name not in there.by_name:
                yield Spot((*place, part), _no_such(name, there.by_name))
        for part in ("channel", "state"):
            if column_of(consent, part, there) is None:
                yield Spot((*place, part), f"Name the column of {there.label} that says the {part}.")
        for part in ("channel", "state", *EVIDENCE):
            yield from _hidden((*place, part), column_of(consent, part, there), there)


def _hidden(path: tuple[str, ...], name: str | None, there: Collection) -> Iterator[Spot]:
    """A column that is hidden from everybody is read by nobody: a mapping that names it would take it for empty."""
    field = there.by_name.get(name or "")
    if field is not None and field.hidden:
        reason = f"{field.label} of {there.label} is hidden from everybody, and would count as empty here: show it, or choose another column."
        yield Spot(path, reason)


def _no_such(name: str, columns: Mapping[str, Any]) -> str:
    return f"There is no column {name}{suggestion(name, columns)}"
