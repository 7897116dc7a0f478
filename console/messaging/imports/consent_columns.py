"""Consents in a file of contacts: which columns say who agreed to which channel or opted out of it, what is known about it, and the rows that come of it.

Whoever imports chooses these columns and says what each word in them means; no column and no word gives a consent by a guess. What else the table of consents holds
(where they agreed, when, to which text) is told by further columns, or once for all lines. Consent of which nobody can say where it was given is none, so such a line is not added.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console import formats, log, records
from console.actions import hand_forms
from console.core.actor import Actor
from console.core.contacting import CHANNELS, latest_of
from console.core.documents.collections import Collection, Field
from console.core.documents.collections.consent_places import GIVEN, column_of, consents_relation
from console.core.documents.collections.contact_document import ConsentDocument
from console.core.errors import ConsoleError, NotFound
from console.formats.times import moment_of
from console.messaging.imports import cell_days, headings
from console.messaging.imports.contact_files import Row
from console.records import record_keys

AGREED, NOT_AGREED, OPTED_OUT = "yes", "no", "opted out"
"""What a word in a column about consent may mean; in one about opting out NOT_AGREED says that they did not opt out."""
OTHERS = "*"
"""Stands for every other word of a column about opting out; in one about agreeing each word is said by itself."""
EVERY = "every"
"""In place of a channel: all of them."""
FORMER: Mapping[str, Mapping[str, str]] = {
    meant: dict.fromkeys(("yes", "y", "true", "1", "x"), meant) for meant in (AGREED, OPTED_OUT)
}
FORMER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("no", "n", "false", "0"), NOT_AGREED),
    **dict.fromkeys(("unsubscribed", "opted out", "withdrawn"), OPTED_OUT),
}
"""Words that imports begun by version 0.5 count without being told what they mean."""
ABOUT_CONSENT = re.compile(
    r"consent|permission|gdpr|agree|accept|subscri|newsletter|marketing|opt.?(?:in|out)|\bopted|do not|dnc|unsub|bounce|suppress|block|blacklist|complain",
    re.IGNORECASE,
)
"""Headings of columns that may say who agreed or who wants nothing; whoever imports is asked to look at them."""
OUTWARD = tuple(channel for channel in CHANNELS if channel != "chat")
"""Channels of which somebody can want no more."""
EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "source": ("consent source",),
    "text_version": ("consent text", "consent version"),
    "at": ("consent date", "consent at"),
}
"""Part of a consent → headings by which its column is proposed."""
NAMES: Mapping[str, str] = {
    "email": "E-mail",
    "sms": "SMS",
    "call": "Calls",
    "ai_call": "Calls by an AI",
    "chat": "Chat",
}


def compared_cell(cell: str) -> str:
    """A word of a column as it is compared."""
    return " ".join(cell.split()).casefold()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file that are about consent: number → channel, and number → field of the table of consents.

    `refused` is number → channel, or `EVERY`, of columns that say who wants nothing of it. `everyone` are channels that all in the file agreed to.
    `no_takes_back`: a no in a column about agreeing takes back what they agreed to before, as an opt-out does.
    `meanings` is number → word, as it is compared, or `OTHERS` → what it means. `moment` reads when somebody opted out.
    """

    place: "Place | None" = None
    channels: Mapping[int, str] = field(default_factory=dict)
    told: Mapping[int, Field] = field(default_factory=dict)
    everyone: Sequence[str] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    no_takes_back: bool = False
    meanings: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    moment: Callable[[str], datetime | None] = field(default=lambda _: None)

    def meaning(self, number: int, cells: Sequence[str]) -> str | None:
        """What the cell of a column means: AGREED, NOT_AGREED or OPTED_OUT; None where it is empty, or nobody has said it.

        A day in a column about opting out says that they did so by then.
        """
        word = compared_cell(cells[number]) if number < len(cells) else ""
        if not word:
            return None
        meanings = self.meanings.get(number, {})
        if word in meanings or number not in self.refused:
            return meanings.get(word)
        return meanings.get(OTHERS) or (OPTED_OUT if self.moment(cells[number]) is not None else None)

    def unsaid(self, cells: Sequence[str]) -> list[tuple[int, str]]:
        """(number, cell) of the columns about consent with a word of which nobody has said what it means."""
        numbers = [n for n in (*self.channels, *self.refused) if n < len(cells)]
        return [(n, cell) for n in numbers if (cell := cells[n].strip()) and self.meaning(n, cells) is None]

    @property
    def fields(self) -> Sequence[Field]:
        """What is told about a consent once for all lines, as far as no column tells it; of what must be known also where cells of its column may be empty."""
        if self.place is None or not (self.channels or self.everyone):
            return ()
        own = {each.name for each in self.told.values()} - self.place.needed
        return [each for each in self.place.fields if each.name not in own]


@dataclass(frozen=True, slots=True)
class Place:
    """The table in which the consents of a collection stand, as this actor may add to it."""

    collection: Collection
    table: Collection
    documents: Mapping[str, ConsentDocument]
    link: Sequence[tuple[str, str]]
    fields: Sequence[Field]
    needed: frozenset[str]

    def row(self, channel: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row that says that this channel was agreed to, still without whose it is."""
        document = self.documents[channel]
        state = column_of(document, "state", self.table)
        said = {
            column_of(document, "channel", self.table): document.is_ or channel,
            state: _given(document, self.table, state),
        }
        return {
            **{name: value for name, value in values.items() if value not in (None, "")},
            **{name: v for name, v in said.items() if name},
        }

    def reasons(self, values: Mapping[str, Any], told: AbstractSet[str] = frozenset()) -> Iterator[str]:
        """Why a consent of which this is told is none; `told` are the fields that a column tells."""
        lacking = [
            each.label.casefold()
            for each in self.fields
            if each.name in self.needed and values.get(each.name) in (None, "")
        ]
        if lacking:
            words = " and ".join(", ".join(lacking).rsplit(", ", 1))
            every = any(
                each.name in self.needed - told and values.get(each.name) in (None, "")
                for each in self.fields
            )
            how = (
                f"for all lines, or add a column “Consent {lacking[-1]}”"
                if every
                else "for the lines that lack it, or in the file"
            )
            yield f"Of the consent {words} must be known: fill it in on this page {how}."
        for each in self.fields:
            value = values.get(each.name)
            if value in (None, ""):
                continue
            if each.options is not None and value not in {option.value for option in each.options}:
                yield f"{each.label} of the consent is none of {', '.join(option.label for option in each.options)}."
            elif each.type in ("datetime", "date"):
                if (moment := moment_of(str(value))) is None:
                    yield f"{each.label} of the consent is no date; one looks like 2026-05-01."
                elif moment > log.now():
                    yield f"{each.label} of the consent is in the future."


def place_of(actor: Actor, collection: Collection) -> Place | None:
    """Where this actor may add consents of the collection's records; None where they stand in no table, or may not be added."""
    with suppress(ConsoleError):
        return required_place(actor, collection)
    return None


def required_place(actor: Actor, collection: Collection) -> Place:
    """The same. Raises NotFound where they stand in no table, NotAllowed where nobody or not this actor may add any, SourceDown."""
    contact = collection.contact
    tables = (
        [consent.table for consent in contact.consent.values() if consent.table is not None]
        if contact is not None
        else []
    )
    relation = consents_relation(collection, tables[0]) if tables else None
    if contact is None or relation is None:
        raise NotFound
    records.catalogue.require_writable(records.collection(relation.collection))
    form = hand_forms.new_record(actor, relation.collection)
    documents = {
        channel: consent for channel, consent in contact.consent.items() if consent.table == tables[0]
    }
    first = next(iter(documents.values()))
    link = [(own, there) for own, there in relation.columns]
    apart = {there for _, there in link} | {
        column_of(first, part, form.collection) for part in ("channel", "state", "withdrawn_at")
    }
    fields = [each for each in form.fields if each.name not in apart and each.name not in form.collection.key]
    source = column_of(first, "source", form.collection)
    needed = {each.name for each in fields if each.needed and each.name not in form.filled}
    return Place(
        collection,
        form.collection,
        documents,
        link,
        fields,
        frozenset(needed | ({source} if source else set())),
    )


def evidence_columns(place: Place, named: Sequence[str]) -> dict[int, Field]:
    """Number of a column → the field of the table of consents that its English heading names, such as “Consent source”."""
    first = next(iter(place.documents.values()))
    known = {each.name: each for each in place.fields}
    parts = {part: known.get(column_of(first, part, place.table) or "") for part in EVIDENCE}
    words = {each: item for part, item in parts.items() if item is not None for each in EVIDENCE[part]}
    words |= {
        f"consent {headings.normalise_heading(text)}": each
        for each in place.fields
        for text in (each.label, each.name)
    }
    found: dict[int, Field] = {}
    for number, heading in enumerate(named):
        item = words.get(headings.normalise_heading(heading))
        if item is not None and item not in found.values():
            found[number] = item
    return found


def read(
    columns: Columns, told: Sequence[str], same: Mapping[str, str], spelling: str, zone: str
) -> tuple[dict[str, dict[str, Any]], list[str], bool]:
    """(channel → row of the consent, why the line cannot be added, whether it tells itself when they agreed) of one line with these cells.

    `same` is told once for all lines; days are in this spelling, and days and times in this zone.
    """
    place = columns.place
    if place is None:
        return {}, [], False
    out = opted_out(columns, told)
    said = [
        *columns.everyone,
        *(channel for number, channel in columns.channels.items() if columns.meaning(number, told) == AGREED),
    ]
    agreed = [channel for channel in said if channel not in out or out[channel] is not None]
    if not agreed:
        return {}, [], False
    own = {
        each.name: told[number]
        for number, each in columns.told.items()
        if number < len(told) and told[number].strip()
    }
    values = {
        each.name: _value(each, str(own.get(each.name) or same.get(each.name) or "").strip(), spelling, zone)
        for each in place.fields
    }
    own_day = column_of(next(iter(place.documents.values())), "at", place.table) in own
    rows = still_given(
        place, {channel: place.row(channel, values) for channel in agreed}, out, own_day=own_day
    )
    return (
        rows,
        [*place.reasons(values, {each.name for each in columns.told.values()})] if rows else [],
        own_day,
    )


def still_given(
    place: Place, rows: Mapping[str, Mapping[str, Any]], out: Mapping[str, datetime | None], *, own_day: bool
) -> dict[str, dict[str, Any]]:
    """Those of the consents (channel → row) that are not taken back, or were given after they were. Without an `own_day` their day is one for all lines, and says of nobody that they agreed again."""
    kept = {}
    for channel, row in rows.items():
        given_at = moment_of(row.get(column_of(place.documents[channel], "at", place.table) or ""))
        until = out.get(channel)
        if channel not in out or (
            own_day and until is not None and given_at is not None and given_at > until
        ):
            kept[channel] = dict(row)
    return kept


def opted_out(columns: Columns, cells: Sequence[str]) -> dict[str, datetime | None]:
    """Channels of which a line says that its contact wants no more → by when they said so (None: it does not tell); with `EVERY` of all of them.

    Who wants no calls wants none by a machine either.
    """
    found: dict[str, list[datetime | None]] = {}
    for number, channel in columns.refused.items():
        if columns.meaning(number, cells) == OPTED_OUT:
            found.setdefault(channel, []).append(columns.moment(cells[number]))
    taking_back = (OPTED_OUT, NOT_AGREED) if columns.no_takes_back else (OPTED_OUT,)
    for number, channel in columns.channels.items():
        if columns.meaning(number, cells) in taking_back:
            found.setdefault(channel, []).append(None)
    for channel in NAMES if EVERY in found else ():
        found.setdefault(channel, []).extend(found[EVERY])
    if "call" in found:
        found.setdefault("ai_call", []).extend(found["call"])
    return {channel: latest_of(moments) for channel, moments in found.items()}


def unclear(columns: Columns, cells: Sequence[str], *, strict: bool) -> list[str]:
    """Why nobody knows whether the contact of a line opted out; `strict`: or agreed."""
    return [
        f"“{cell[:40]}” says neither that they {'opted out' if number in columns.refused else 'agreed'} nor that they did not: say what it means."
        for number, cell in columns.unsaid(cells)
        if strict or number in columns.refused
    ]


def said_no(columns: Columns, cells: Sequence[str]) -> frozenset[str]:
    """Channels to which a line says that its contact has not agreed; what is empty says nothing."""
    return frozenset(
        channel
        for number, channel in columns.channels.items()
        if columns.meaning(number, cells) in (NOT_AGREED, OPTED_OUT)
    )


def plain_noes(columns: Columns, rows: Iterable[Row]) -> int:
    """How many of the lines say a no that takes nothing back."""
    return sum(bool(said_no(columns, row.cells) - opted_out(columns, row.cells).keys()) for row in rows)


def link_of(place: Place, key: str) -> dict[str, Any]:
    """What says in a row of the table of consents whose it is."""
    keys = record_keys.decode(place.collection, key)
    return {
        there: keys[place.collection.key.index(own)]
        for own, there in place.link
        if own in place.collection.key
    }


def _given(document: ConsentDocument, table: Collection, state: str | None) -> Any:
    """The value of the state that says that consent was given."""
    known = table.by_name.get(state or "")
    if known is not None and known.type == "boolean":
        return True
    words = [word.casefold() for word in document.given or GIVEN]
    options = [str(option.value) for option in (known.options or ())] if known is not None else []
    return next(
        (option for word in words for option in options if option.casefold() == word),
        (document.given or GIVEN)[0],
    )


def _value(told: Field, cell: str, spelling: str, zone: str) -> Any:
    if not cell:
        return None
    if told.options is not None:
        return next(
            (
                option.value
                for option in told.options
                if cell.casefold() in (str(option.value).casefold(), option.label.casefold())
            ),
            cell,
        )
    if told.type == "datetime":
        at = cell_days.moment(cell, spelling, zone)
        return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else cell
    return formats.typed(formats.kind(told), [cell], formats.Look())
