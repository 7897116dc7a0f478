"""Consents in a file of contacts: which columns say who agreed to which channel, what is known about it, and the rows that come of it.

A column such as “SMS consent” says yes or no, one such as “SMS opt out” who wants none, whatever else is said. What else the table of consents holds (where they agreed, when, to which text) is told by columns such as
“Consent source”, or once for all lines. Consent of which nobody can say where it was given is none, so such a line is not added.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from console import formats, log, records
from console.actions import hand_forms
from console.contacts import cell_days, consent_words, headings
from console.contacts.consent_words import EVERY, NO, NOT_TOLD, WITHDRAWN, YES, compared_cell
from console.contacts.contact_files import Row
from console.core.actor import Actor
from console.core.contacting import CHANNELS, latest_of
from console.core.documents.collections import Collection, Field
from console.core.documents.collections.consent_places import GIVEN, column_of, consents_relation
from console.core.documents.collections.contact_document import ConsentDocument
from console.errors import ConsoleError, NotFound
from console.formats.times import moment_of
from console.records import record_keys

OUTWARD = tuple(channel for channel in CHANNELS if channel != "chat")
"""Channels of which somebody can want no more."""
EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "source": ("source", "given at place", "where"), "text_version": ("text", "text version", "version", "wording"),
    "at": ("at", "date", "on", "given on", "given at", "when", "time"),
}  # fmt: skip
"""Part of a consent → words that its column may be called by, behind “consent”."""
OPTED_IN_AT = (
    "optin time",
    "opt in time",
    "opt in date",
    "optin date",
    "opted in at",
    "opted in on",
    "opted in date",
    "subscribed at",
    "subscribed on",
    "subscription date",
    "signup date",
)
"""Headings of when somebody agreed, as mail programs write them."""
COLUMNS: Mapping[str, str] = {
    "email": "E-mail consent", "sms": "SMS consent", "call": "Call consent", "ai_call": "AI call consent", "chat": "Chat consent",
}  # fmt: skip
"""Channel → what its column is best called."""
NAMES: Mapping[str, str] = {"email": "E-mail", "sms": "SMS", "call": "Calls", "ai_call": "Calls by an AI", "chat": "Chat"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file that are about consent: number → channel, and number → field of the table of consents.

    `refused` is number → channel, or `EVERY`, of columns that say who wants nothing of it. `everyone` are channels that all in the file agreed to. `fields` are what is asked for beside (none where nothing says who agreed).
    `no_takes_back`: a plain no in a column about agreeing takes back what they agreed to before, as an opt-out does.
    `matters` is number → what a column of `refused` is about: one that says when tells it of another about the same. `moment` reads when. `asked` are those of `refused` whose heading asks who wants nothing.
    """

    place: "Place | None" = None
    channels: Mapping[int, str] = field(default_factory=dict)
    told: Mapping[int, Field] = field(default_factory=dict)
    everyone: Sequence[str] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    no_takes_back: bool = False
    matters: Mapping[int, str] = field(default_factory=dict)
    moment: Callable[[str], datetime | None] = field(default=lambda _: None)
    asked: frozenset[int] = frozenset()

    def timed(self, told_headings: Sequence[str], moment: Callable[[str], datetime | None]) -> "Columns":
        """These columns, with what tells when somebody opted out."""
        there = [n for n in self.refused if n < len(told_headings)]
        asked = frozenset(n for n in there if consent_words.asks_who_refused(headings.plain(told_headings[n])))
        return replace(self, matters={n: _matter(told_headings[n]) for n in there}, moment=moment, asked=asked)

    def says_opted_out(self, number: int, cell: str) -> bool | None:
        """Whether a cell of a column of `refused` says that they want no more; None where nobody knows."""
        told = consent_words.opted_out(cell, asked=number in self.asked)
        return True if told is None and self.moment(cell) is not None else told

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
        said = {column_of(document, "channel", self.table): document.is_ or channel, state: _given(document, self.table, state)}
        return {
            **{name: value for name, value in values.items() if value not in (None, "")},
            **{name: v for name, v in said.items() if name},
        }

    def reasons(self, values: Mapping[str, Any], told: AbstractSet[str] = frozenset()) -> Iterator[str]:
        """Why a consent of which this is told is none; `told` are the fields that a column tells."""
        lacking = [each.label.casefold() for each in self.fields if each.name in self.needed and values.get(each.name) in (None, "")]
        if lacking:
            words = " and ".join(", ".join(lacking).rsplit(", ", 1))
            every = any(each.name in self.needed - told and values.get(each.name) in (None, "") for each in self.fields)
            how = f"for all lines, or add a column “Consent {lacking[-1]}”" if every else "for the lines that lack it, or in the file"
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
    tables = [consent.table for consent in contact.consent.values() if consent.table is not None] if contact is not None else []
    relation = consents_relation(collection, tables[0]) if tables else None
    if contact is None or relation is None:
        raise NotFound
    records.catalogue.require_writable(records.collection(relation.collection))
    form = hand_forms.new_record(actor, relation.collection)
    documents = {channel: consent for channel, consent in contact.consent.items() if consent.table == tables[0]}
    first = next(iter(documents.values()))
    link = [(own, there) for own, there in relation.columns]
    apart = {there for _, there in link} | {column_of(first, part, form.collection) for part in ("channel", "state", "withdrawn_at")}
    fields = [each for each in form.fields if each.name not in apart and each.name not in form.collection.key]
    source = column_of(first, "source", form.collection)
    needed = {each.name for each in fields if each.needed and each.name not in form.filled}
    return Place(collection, form.collection, documents, link, fields, frozenset(needed | ({source} if source else set())))


def columns_of(place: Place | None, told_headings: Sequence[str]) -> Columns:
    """Which of the headings (plain: small letters, one blank) of a file of contacts are about consent."""
    if place is None:
        return Columns(refused=_refused(enumerate(told_headings)))
    first = next(iter(place.documents.values()))
    evidence: dict[str, Field] = {}
    by_part: dict[str, Field] = {}
    for part, words in EVIDENCE.items():
        name = column_of(first, part, place.table)
        known = next((each for each in place.fields if each.name == name), None)
        if known is not None:
            by_part[part] = known
            evidence |= dict.fromkeys((*(f"consent {word}" for word in words), *(OPTED_IN_AT if part == "at" else ())), known)
    for each in place.fields:
        evidence |= dict.fromkeys((f"consent {headings.plain(each.label)}", f"consent {headings.plain(each.name)}"), each)
    channel_of = {number: consent_words.agreed(words, place.documents) for number, words in enumerate(told_headings)}
    channels = {
        number: channel for number, channel in channel_of.items() if channel is not None and number == [*channel_of.values()].index(channel)
    }
    found = (
        (number, evidence.get(heading) or by_part.get(consent_words.told_beside(heading) or ""))
        for number, heading in enumerate(told_headings)
    )
    told = {number: each for number, each in found if each is not None and number not in channels}
    columns = {number: each for number, each in told.items() if number == next(n for n, other in told.items() if other.name == each.name)}
    refused = _refused((number, heading) for number, heading in enumerate(told_headings) if number not in channels)
    return Columns(place, channels, columns, refused=refused)


def _refused(numbered: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Number → channel, or `EVERY`, of the columns that say who wants nothing of it."""
    return {number: channel for number, heading in numbered if (channel := consent_words.refused(heading)) is not None}


def read(
    columns: Columns, told: Sequence[str], same: Mapping[str, str], spelling: str, zone: str
) -> tuple[dict[str, dict[str, Any]], list[str], bool]:
    """(channel → row of the consent, why the line cannot be added, whether it tells itself when they agreed) of one line with these cells.

    `same` is told once for all lines; days are in this spelling, and days and times in this zone.
    """
    place = columns.place
    if place is None:
        return {}, [], False
    agreed: list[str] = [*columns.everyone]
    out = opted_out(columns, told)
    reasons = []
    for number, channel in columns.channels.items():
        cell = told[number].strip() if number < len(told) else ""
        if compared_cell(cell) in YES:
            agreed.append(channel)
        elif compared_cell(cell) not in NO:  # what is unclear of opting out refuses also who is there: `unclear`
            reasons.append(f"{NAMES[channel]}: “{cell[:40]}” says neither that they agreed nor that they did not: say what it means.")
    agreed = [channel for channel in agreed if channel not in out or out[channel] is not None]
    if not agreed:
        return {}, reasons, False
    own = {each.name: told[number] for number, each in columns.told.items() if number < len(told) and told[number].strip()}
    values = {
        each.name: _value(each, str(own.get(each.name) or same.get(each.name) or "").strip(), spelling, zone) for each in place.fields
    }
    own_day = column_of(next(iter(place.documents.values())), "at", place.table) in own
    rows = still_given(place, {channel: place.row(channel, values) for channel in agreed}, out, own_day=own_day)
    return rows, [*reasons, *(place.reasons(values, {each.name for each in columns.told.values()}) if rows else ())], own_day


def still_given(
    place: Place, rows: Mapping[str, Mapping[str, Any]], out: Mapping[str, datetime | None], *, own_day: bool
) -> dict[str, dict[str, Any]]:
    """Those of the consents (channel → row) that are not taken back, or were given after they were. Without an `own_day` their day is one for all lines, and says of nobody that they agreed again."""
    kept = {}
    for channel, row in rows.items():
        given_at = moment_of(row.get(column_of(place.documents[channel], "at", place.table) or ""))
        until = out.get(channel)
        if channel not in out or (own_day and until is not None and given_at is not None and given_at > until):
            kept[channel] = dict(row)
    return kept


def opted_out(columns: Columns, cells: Sequence[str]) -> dict[str, datetime | None]:
    """Channels of which a line says that its contact wants no more → by when they said so (None: it does not tell); with `EVERY` of all of them.

    Who wants no calls wants none by a machine either.
    """
    told: dict[tuple[str, object], list[datetime | None]] = {}
    for number, channel in columns.refused.items():
        cell = cells[number].strip() if number < len(cells) else ""
        if columns.says_opted_out(number, cell):
            reached = "email" if channel == EVERY and consent_words.has_bounced(cell) else channel
            told.setdefault((reached, columns.matters.get(number, number)), []).append(columns.moment(cell))
    found: dict[str, list[datetime | None]] = {}
    for (channel, _), moments in told.items():
        dated = [moment for moment in moments if moment is not None]
        found.setdefault(channel, []).append(latest_of(dated) if dated else None)
    words = {n: compared_cell(cells[n]) for n in columns.channels if n < len(cells)}
    for channel in {columns.channels[n] for n, word in words.items() if word in WITHDRAWN} | (
        said_no(columns, cells) if columns.no_takes_back else set()
    ):
        found.setdefault(channel, []).append(None)
    for channel in NAMES if EVERY in found else ():
        found.setdefault(channel, []).extend(found[EVERY])
    if "call" in found:
        found.setdefault("ai_call", []).extend(found["call"])
    return {channel: latest_of(moments) for channel, moments in found.items()}


def own_texts(columns: Columns, rows: Iterable[Row], before: Mapping[str, Any]) -> dict[str, Any]:
    """How many of these lines and those before (`lines`) have a cell that counts as an opt-out only because the heading of its column asks for one, and some of these cells (`some`)."""
    told = [(at, row.cells[number].strip()) for at, row in enumerate(rows) for number in sorted(columns.asked) if number < len(row.cells)]
    out = [(at, cell) for at, cell in told if consent_words.opted_out(cell, asked=True) and not consent_words.says_plainly(cell)]
    own_of = [(at, cell) for at, cell in out if columns.moment(cell) is None]
    own = [cell for _, cell in own_of]
    return {
        "lines": int(before.get("lines", 0)) + len({at for at, _ in own_of}),
        "some": [*dict.fromkeys([*before.get("some", ()), *(cell[:60] for cell in own)])][:3],
    }


def unclear(columns: Columns, cells: Sequence[str]) -> list[str]:
    """Why nobody knows whether the contact of a line opted out."""
    told = [
        cells[number].strip()
        for number in columns.refused
        if number < len(cells) and columns.says_opted_out(number, cells[number].strip()) is None
    ]
    return [f"“{cell[:40]}” says neither that they opted out nor that they did not: say what it means." for cell in told]


def _matter(heading: str) -> str:
    """What a column about opting out is about: `Unsubscribed at` says when of `Unsubscribed`, and of a `Status`."""
    told = headings.plain(heading)
    return next((word for word in ("unsub", "opt") if word in told), "unsub" if consent_words.is_status(told) else heading)


def said_no(columns: Columns, cells: Sequence[str]) -> frozenset[str]:
    """Channels to which a line says that its contact has not agreed; what is empty says nothing."""
    told = {channel: compared_cell(cells[number]) for number, channel in columns.channels.items() if number < len(cells)}
    return frozenset(channel for channel, word in told.items() if word in NO and word not in NOT_TOLD)


def plain_noes(columns: Columns, rows: Iterable[Row]) -> int:
    """How many of the lines say a no that takes nothing back."""
    return sum(bool(said_no(columns, row.cells) - opted_out(columns, row.cells).keys()) for row in rows)


def link_of(place: Place, key: str) -> dict[str, Any]:
    """What says in a row of the table of consents whose it is."""
    keys = record_keys.decode(place.collection, key)
    return {there: keys[place.collection.key.index(own)] for own, there in place.link if own in place.collection.key}


def _given(document: ConsentDocument, table: Collection, state: str | None) -> Any:
    """The value of the state that says that consent was given."""
    known = table.by_name.get(state or "")
    if known is not None and known.type == "boolean":
        return True
    words = [word.casefold() for word in document.given or GIVEN]
    options = [str(option.value) for option in (known.options or ())] if known is not None else []
    return next((option for word in words for option in options if option.casefold() == word), (document.given or GIVEN)[0])


def _value(told: Field, cell: str, spelling: str, zone: str) -> Any:
    if not cell:
        return None
    if told.options is not None:
        return next(
            (option.value for option in told.options if cell.casefold() in (str(option.value).casefold(), option.label.casefold())), cell
        )
    if told.type == "datetime":
        at = cell_days.moment(cell, spelling, zone)
        return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else cell
    return formats.typed(formats.kind(told), [cell], formats.Look())
