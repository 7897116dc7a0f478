"""Contacts from a CSV file: what each line would become is shown first, and each line that cannot be added says why."""

import csv
import io
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field as default, replace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console import access, formats, records
from console.actions import hand_forms, record_changes
from console.browse import browsed_collection
from console.contacts import consent_columns
from console.contacts.consent_columns import Columns
from console.contacts.encodings import ENCODINGS, guess
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.filters import Test
from console.core.scopes import Scope
from console.db.engine import alone
from console.errors import Conflict, ConsoleError, Invalid, NotFound

MOST_LINES = 1_000
MOST_BYTES = 1_000_000
AT_ONCE = 200
DEFAULT = "utf-8-sig"
DELIMITERS = ",;\t|"
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "name": ("full name", "contact", "contact name"),
    "email": ("e mail", "mail", "email address", "e mail address"),
    "phone": ("mobile", "mobile phone", "telephone", "phone number", "tel"),
    "zone": ("time zone", "timezone", "zone"),
    "country": ("country code",),
    "language": ("lang", "locale"),
    "owner": ("owner", "account owner"),
    "stage": ("status", "lifecycle stage", "pipeline stage"),
}
"""Part of a contact → headings by which its field is known beside its own name and label."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, by its number (the heading is 1): values by field, and why it cannot be added (empty: it can). `consents`: row by channel."""

    number: int
    values: Mapping[str, Any]
    reasons: tuple[str, ...]
    consents: Mapping[str, Mapping[str, Any]] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read: `columns` are (heading, field that it goes to; None: left out), `consents` those of them that say who agreed to what."""

    encoding: str
    columns: Sequence[tuple[str, Field | None]]
    lines: Sequence[Line]
    consents: Columns = default(default_factory=Columns)

    @property
    def unused(self) -> list[str]:
        """Headings of columns that are left out."""
        about_consent = {*self.consents.channels, *self.consents.told}
        return [heading for number, (heading, into) in enumerate(self.columns) if into is None and number not in about_consent]


class Added(NamedTuple):
    """What came of adding: how many contacts and consents, the lines that were not added, and those that were without a consent, with the reasons."""

    done: int
    left: list[Line]
    consents: int
    without: list[Line]


def require_import(actor: Actor, collection: Collection) -> None:
    """Raises NotFound where the collection has no contacts, NotAllowed where the actor may not add records to it."""
    if collection.contact is None:
        raise NotFound(f"{collection.label} are not contacts.")
    access.require(actor, None, f"collection:{collection.id}", "create")


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """(text, its encoding): in the encoding that somebody has chosen, else in the one that it seems to have. Raises Invalid for a file that is too large, or no text."""
    if len(content) > MOST_BYTES:
        raise _wrong(f"A file has at most {MOST_BYTES // 1000:,} kB here: split it.")
    chosen = encoding if encoding in ENCODINGS else guess(content, utf8=_is_utf8(content))
    if chosen is None:
        raise _wrong("This is no text file. Save the table as CSV, in UTF-8 where that can be chosen.")
    try:
        text = content.decode(chosen)
    except UnicodeDecodeError:
        words = ENCODINGS[chosen]
        raise _wrong(f"The file is not in {words}: choose another encoding, or save it in UTF-8.") from None
    if text.count("\x00") * 4 > len(text):
        raise _wrong("This is no text file. Save the table as CSV, in UTF-8 where that can be chosen.")
    return text, chosen


def decode_again(text: str, was: str, encoding: str) -> tuple[str, str]:
    """The same for a text that was read in another encoding. Raises Invalid."""
    return decode(text.encode(was if was in ENCODINGS and was != DEFAULT else "utf-8", "replace"), encoding)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read(actor: Actor, collection_id: str, text: str, encoding: str = DEFAULT, same: Mapping[str, str] | None = None) -> Sheet:
    """The lines as they would be added; `same` is told of all consents of the file. Raises NotFound, NotAllowed, Invalid for a file without a usable heading or with too many lines."""
    collection, _ = browsed_collection(actor, collection_id)
    require_import(actor, collection)
    rows = _rows(text)
    if len(rows) < 2:
        raise _wrong("The file has a heading and at least one line.")
    if len(rows) > MOST_LINES + 1:
        raise _wrong(f"A file has at most {MOST_LINES:,} lines here, and this has {len(rows) - 1:,}: split it.")
    columns = _columns(collection, rows[0][1], access.scope_for(actor, collection.id, "read").hidden)
    if not any(field is not None for _, field in columns):
        raise _wrong("No heading is the name of a field. The first line names the columns: name, email, phone …")
    judged = _Judged(collection, access.scope_for(actor, collection.id, "create"), _needed(actor, collection))
    there = _emails_there(actor, collection, columns, rows[1:])
    seen: set[str] = set()
    lines = [_line(judged, columns, number, cells, there, seen) for number, cells in rows[1:]]
    headings = [plain(heading) if into is None else "" for heading, into in columns]
    consents = consent_columns.columns_of(consent_columns.place_of(actor, collection), headings)
    agreed = [consent_columns.read(consents, cells, same or {}) for _, cells in rows[1:]]
    lines = [replace(line, reasons=(*line.reasons, *wrong), consents=given) for line, (given, wrong) in zip(lines, agreed, strict=True)]
    return Sheet(encoding, columns, lines, consents)


def add(actor: Actor, collection_id: str, text: str, encoding: str = DEFAULT, same: Mapping[str, str] | None = None) -> Added:
    """Add every line that can be added, with its consents. Each is checked and logged as one added by hand.

    One file at a time: the lines are read anew when nobody else adds any, so that nobody is added twice. Raises what `read` raises, and Conflict.
    """
    with alone(f"contacts of {collection_id}") as mine:
        if not mine:
            raise Conflict("Another file is being added to these contacts. Wait until it has ended, then look at the lines again.")
        return _add(actor, collection_id, read(actor, collection_id, text, encoding, same))


def _add(actor: Actor, collection_id: str, sheet: Sheet) -> Added:
    done, consents, left, without = 0, 0, [], []
    for line in sheet.lines:
        if line.reasons:
            left.append(line)
            continue
        try:
            made = record_changes.create(actor, collection_id, line.values)
            done += 1
        except ConsoleError as error:
            told = tuple(str(detail["reason"]) for detail in error.details if detail.get("reason"))
            left.append(Line(line.number, line.values, told or (error.message,)))
            continue
        if line.consents and sheet.consents.place is not None and made.key:
            refused = consent_columns.add(actor, sheet.consents.place, made.key, line.consents)
            consents += len(line.consents) - len(refused)
            without += [replace(line, reasons=tuple(refused))] if refused else []
    return Added(done, left, consents, without)


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """(number of the line, cells) of lines that are not empty."""
    head = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff").replace("\x00", ""), newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise _wrong(f"Line {reader.line_num} cannot be read: {error}.") from None


def _columns(collection: Collection, headings: Sequence[str], hidden: AbstractSet[str]) -> list[tuple[str, Field | None]]:
    fields = [
        item for item in collection.fields if not item.readonly and not item.governed and item.computed is None and item.name not in hidden
    ]
    known = {plain(name): item for item in fields for name in (item.label, item.name)}
    by_name = {item.name: item for item in fields}
    for part, names in SYNONYMS.items():
        item = by_name.get(getattr(collection.contact, part) or "")
        for name in (part, *names) if item is not None else ():
            known.setdefault(name, item)  # type: ignore[arg-type]
    taken: set[str] = set()
    found: list[tuple[str, Field | None]] = []
    for heading in headings:
        item = known.get(plain(heading))
        item = item if item is not None and item.name not in taken else None
        taken |= {item.name} if item is not None else set()
        found.append((heading or "–", item))
    return found


def plain(heading: str) -> str:
    """A heading as it is compared: small letters, one blank between words."""
    return " ".join(heading.casefold().replace("_", " ").replace("-", " ").split())


@dataclass(frozen=True, slots=True)
class _Judged:
    """What lines are judged by: the collection, what the actor may add, and the fields that must not be empty."""

    collection: Collection
    scope: Scope
    needed: Sequence[Field]

    def wrong(self, values: Mapping[str, Any]) -> list[str]:
        """Why a contact of these values cannot be added, as it would be said by the form for one."""
        empty = [field for field in self.needed if values.get(field.name) in (None, "")]
        zone = self.collection.contact.zone if self.collection.contact is not None else None
        reasons = [f"{field.label} is needed." for field in empty]
        if zone is not None and values.get(zone) and not _is_zone(str(values[zone])):
            reasons.append(f"There is no time zone {values[zone]}; one looks like Europe/Vilnius.")
        told = {field.name for field in empty}
        found = records.violations_of_new(self.collection, values, self.scope)
        return [*reasons, *(str(detail["reason"]) for detail in found if detail["field"] not in told)]


def _needed(actor: Actor, collection: Collection) -> list[Field]:
    """The fields of a new contact that must not be empty and that the database does not fill in."""
    form = hand_forms.new_record(actor, collection.id)
    return [field for field in form.fields if (field.required or not field.nullable) and field.name not in form.filled]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _line(
    judged: _Judged, columns: Sequence[tuple[str, Field | None]], number: int, cells: Sequence[str], there: set[str], seen: set[str]
) -> Line:
    collection = judged.collection
    values: dict[str, Any] = {}
    reasons: list[str] = []
    if len(cells) > len(columns):
        reasons.append(f"It has {len(cells)} values and the heading {len(columns)}.")
    for (_, field), cell in zip(columns, cells, strict=False):
        if field is None or not cell:
            continue
        values[field.name] = _value(field, cell)
        if field.options is not None and values[field.name] not in {option.value for option in field.options}:
            reasons.append(f"{field.label} is none of {', '.join(option.label for option in field.options)}.")
        if field.max_length is not None and len(cell) > field.max_length:
            reasons.append(f"{field.label} has at most {field.max_length} characters.")
    email = collection.contact.email if collection.contact is not None else None
    reasons += judged.wrong(values)
    address = str(values.get(email) or "").casefold() if email is not None else ""
    if address and address in there:
        reasons.append("Somebody with this e-mail address is there already.")
    if address and address in seen:
        reasons.append("This e-mail address stands on a line before.")
    seen.add(address)
    return Line(number, values, tuple(reasons))


def _value(field: Field, cell: str) -> Any:
    """The cell as a value of the field: an option by its value or label; what cannot be read stays text and is refused when it is added."""
    if field.options is not None:
        return next(
            (option.value for option in field.options if cell.casefold() in (option.value.casefold(), option.label.casefold())), cell
        )
    if field.type == "boolean":
        return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(cell.casefold(), cell)
    return formats.typed(formats.kind(field), [cell], formats.Look())


def _emails_there(
    actor: Actor, collection: Collection, columns: Sequence[tuple[str, Field | None]], rows: Sequence[tuple[int, Sequence[str]]]
) -> set[str]:
    """The e-mail addresses of the file that contacts within the actor's reach have already, in small letters; one statement for 200."""
    name = collection.contact.email if collection.contact is not None else None
    place = next((number for number, (_, field) in enumerate(columns) if field is not None and field.name == name), None)
    scope = access.scope_for(actor, collection.id, "read")
    if name is None or place is None or name in scope.hidden:
        return set()
    told = [cells[place] for _, cells in rows if len(cells) > place and cells[place]]
    wanted = sorted({spelled for cell in told for spelled in (cell, cell.lower())})
    found: set[str] = set()
    for start in range(0, len(wanted), AT_ONCE):
        page = records.page(
            collection.id, scope, where=Test(name, "in", wanted[start : start + AT_ONCE]), limit=records.MOST_ROWS, fields=[name]
        )
        found |= {str(row.values[name]).casefold() for row in page.rows}
    return found


def _wrong(reason: str) -> Invalid:
    return Invalid(reason, details=[{"field": "file", "reason": reason}])
