"""Whom a batch is about: named records, a list of records (a segment, a filter, or both), rows of values, or a file. Read a thousand at a time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

from console import browse, records, runs
from console.auth import access
from console.automation.enrolments import file_lines
from console.automation.enrolments.admission import AT_ONCE, Candidate, consent_of, wrong_lead
from console.automation.enrolments.targets import Target
from console.browse import BrowseQuery, evidence
from console.core import filters, scopes
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import Invalid
from console.core.expressions.operands import number_of
from console.core.forms import missing_message
from console.core.plain_words import slug, uncapitalised
from console.messaging.imports import existing_contacts, headings
from console.messaging.imports.contact_files import ContactFile
from console.records import Record

MOST_NAMED = 10_000
UNSEEN = "There is no such record, or it is outside what you may see."
LABELLED = "This record needs a clearance: start its run by hand."


@dataclass(frozen=True, slots=True)
class Question:
    """One of: `keys` of records, a list (`segment`, `filter`, `q`, how far that looks as in `BrowseQuery`, or the `whole` collection), `rows` of values, or a `file` with `columns` (number of a column → the name that its
    cells get). `match` is the field of the collection by which rows and lines find their record; `sort` the order of a list; `values` are the same for everybody. `caused_by` is what led to it.
    """

    keys: Sequence[str] | None = None
    segment: str | None = None
    filter: str | None = None
    q: str | None = None
    extended: bool = False
    inside: bool = False
    whole: bool = False
    rows: Sequence[Mapping[str, Any]] | None = None
    file: ContactFile | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    match: str | None = None
    sort: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    trigger: str | None = None
    caused_by: Sequence[Mapping[str, Any]] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is sealed."""
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Question":
        """The inverse of `to_json`."""
        return cls(**{**stored, "file": ContactFile(**stored["file"]) if stored["file"] else None})

    @property
    def origin(self) -> str:
        """The way in, as enrolments keep it: a trigger that asks for a whole segment is a schedule."""
        if self.trigger is not None:
            return "schedule"
        if self.file is not None:
            return "csv"
        if self.rows is not None:
            return "rows"
        return "by_hand" if self.keys is not None else "segment" if self.segment else "filter"


def total(actor: Actor, target: Target, question: Question) -> int | None:
    """How many candidates there are; None while nobody has counted the lines of the file, or too many records to count."""
    if question.keys is not None:
        return len(question.keys)
    if question.rows is not None:
        return len(question.rows)
    if question.file is not None or target.collection is None:
        return None
    counted = browse.count(actor, target.collection, _query(question))
    return counted.total if counted.total <= browse.CAP else counted.about


def chunks(
    actor: Actor, target: Target, question: Question, person: str, place: Mapping[str, Any]
) -> Iterator[tuple[list[Candidate], dict[str, Any]]]:
    """The candidates, at most 1,000 at a time, each with the place after them, from which reading goes on after a crash.

    Raises what reading the list raises, and Invalid for a question that the workflow cannot answer.
    """
    if question.file is not None or question.rows is not None:
        parts = _of_rows(actor, target, question, person, int(place.get("line", 0)))
    elif target.collection is None:
        raise Invalid(
            "This workflow is about no records.",
            at=("records", "Enrol rows with values, or a file of contacts."),
        )
    elif question.keys is not None:
        parts = _of_keys(actor, target, question, int(place.get("line", 0)))
    else:
        parts = _of_list(actor, target, question, place)
    yield from ((with_visible_references(actor, target, part), after) for part, after in parts)


def with_visible_references(actor: Actor, target: Target, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates; whoever's values name a record that the actor may not see is refused, whatever the account may see that runs the workflow."""
    fields = [entry.field() for entry in target.fields if entry.type == "reference"]
    errors = evidence.reference_errors_of_each(
        actor, target.team or None, fields, [each.values for each in candidates]
    )
    return [
        replace(each, wrong=[*each.wrong, *wrong]) if wrong else each
        for each, wrong in zip(candidates, errors, strict=True)
    ]


def _of_keys(
    actor: Actor, target: Target, question: Question, done: int
) -> Iterator[tuple[list[Candidate], dict[str, Any]]]:
    keys = list(question.keys or ())
    for start in range(done, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        wrong = wrong_records(actor, target, part)
        yield (
            [
                Candidate(start + n, key, question.values, _reasons(wrong.get(key)))
                for n, key in enumerate(part, 1)
            ],
            {"line": start + len(part)},
        )


def _of_list(
    actor: Actor, target: Target, question: Question, place: Mapping[str, Any]
) -> Iterator[tuple[list[Candidate], dict[str, Any]]]:
    """Two pages of the list at a time, in the order of the key: rows that come and go meanwhile move nobody."""
    done, after = int(place.get("line", 0)), place.get("after")
    while True:
        part: list[str] = []
        for _ in range(AT_ONCE // records.MOST_ROWS):
            page = _page(actor, target, question, after)
            part += [row.key for row in page.rows if row.key is not None]
            after = page.next
            if after is None:
                break
        wrong = labelled(target, part) | outside(actor, target, part)
        candidates = [
            Candidate(done + n, key, question.values, _reasons(wrong.get(key)))
            for n, key in enumerate(part, 1)
        ]
        done += len(part)
        yield candidates, {"line": done, "after": after, "end": after is None}
        if after is None:
            return


def _page(actor: Actor, target: Target, question: Question, after: str | None) -> records.Page:
    collection, scope = browse.browsed_collection(actor, str(target.collection))
    where, segment, sought = browse.question(actor, collection, scope, _query(question))
    own = collection.key[0] if collection.key and collection.by_name[collection.key[0]].sortable else None
    sort = question.sort or own
    return records.page(
        collection.id,
        scope,
        where=where,
        segment=segment,
        q=sought,
        sort=sort,
        limit=records.MOST_ROWS,
        after=after,
        fields=(),
    )


def _query(question: Question) -> BrowseQuery:
    return BrowseQuery(
        question.segment, question.filter, question.q, extended=question.extended, inside=question.inside
    )


def wrong_records(actor: Actor, target: Target, keys: Sequence[str]) -> dict[str, str]:
    """Key → why this record cannot be enrolled."""
    collection = str(target.collection)
    seen = records.visible_keys(collection, keys, access.scope_for(actor, collection, "read"))
    there = [key for key in keys if key in seen]
    return (
        outside(actor, target, there)
        | labelled(target, there)
        | {key: UNSEEN for key in keys if key not in seen}
    )


def outside(actor: Actor, target: Target, keys: Sequence[str]) -> dict[str, str]:
    """Those of the records for which the workflow is not, and why."""
    return {} if target.document is None else runs.outside(actor, target.document, keys)


def labelled(target: Target, keys: Sequence[str]) -> dict[str, str]:
    """The records that need a clearance: an enrolment is told in places where they must not be."""
    obj, collection = f"collection:{target.collection}", str(target.collection)
    if obj not in access.all_labelled() or not keys:
        return {}
    fields = [item.name for item in records.collection(collection).fields]
    found = records.records_by_key(collection, keys, scopes.unrestricted(collection), fields)
    return {
        key: LABELLED
        for key in keys
        if key not in found or access.label_of(obj, found[key].values) is not None
    }


def _reasons(why: str | None, name: str = "record") -> list[dict[str, str]]:
    return [{"field": name, "reason": why}] if why else []


# ------------------------------------------------------------------------------------------------------------------- rows


def _of_rows(
    actor: Actor, target: Target, question: Question, person: str, done: int
) -> Iterator[tuple[list[Candidate], dict[str, Any]]]:
    numbered = islice(file_lines.numbered(target, question, person), done, None)
    while part := list(islice(numbered, AT_ONCE)):
        done += len(part)
        yield _candidates(actor, target, question, part), {"line": done}


def _candidates(
    actor: Actor, target: Target, question: Question, part: Sequence[file_lines.Line]
) -> list[Candidate]:
    whole = [line for line in part if not line.wrong and not _has_nul(line.values)]
    records_named = _matched(actor, target, question, whole) if target.collection else {}
    refused = outside(actor, target, sorted({key for keys in records_named.values() for key in keys}))
    made = []
    for line in part:
        if line.wrong:
            made.append(Candidate(line.number, wrong=_reasons(line.wrong, "csv")))
        elif _has_nul(line.values):
            nul = "This row holds a NUL character, which cannot be stored: remove it."
            made.append(Candidate(line.number, wrong=_reasons(nul, "row")))
        elif target.collection:
            made.append(_of_record(target, question, line, records_named, refused))
        else:
            values, consent, refused_consent = consent_of(target, {**question.values, **line.values})
            empty = (
                []
                if any(value not in (None, "") for value in values.values())
                else _reasons("There is nothing in this row.", "row")
            )
            unknown = target.unknown_values(values) if question.file is None else ()
            wrong = [*refused_consent, *unknown, *wrong_lead(target, values)]
            made.append(Candidate(line.number, None, values, wrong or empty, consent=consent))
    return made


def _has_nul(row: Mapping[str, Any]) -> bool:
    return any("\x00" in text for text in (*row, *row.values()) if isinstance(text, str))


def _of_record(
    target: Target,
    question: Question,
    line: file_lines.Line,
    records_named: Mapping[str, list[str]],
    outside: Mapping[str, str],
) -> Candidate:
    names = _names(question, line)
    by_name = {name: keys for name in names if (keys := records_named.get(name))}
    keys = list(dict.fromkeys(key for those in by_name.values() for key in those))
    wrong = None if len(keys) == 1 else _meant_by_none(target, question, list(by_name) or names, len(keys))
    if wrong is None and (
        refused := labelled(target, keys) or {key: outside[key] for key in keys if key in outside}
    ):
        wrong = refused[keys[0]]
    known = {entry.name for entry in target.fields}
    values = {
        **question.values,
        **{name: value for name, value in line.values.items() if name in known and name != question.match},
    }
    return Candidate(
        line.number, keys[0] if len(keys) == 1 else None, values, _reasons(wrong, question.match or "record")
    )


def _meant_by_none(target: Target, question: Question, named: Sequence[str], count: int) -> str:
    """Why no single record is meant by what the line names. Erasing a person takes out what stands behind "this line: ", and causes are counted without it."""
    collection = records.collection(str(target.collection))
    one, name = uncapitalised(collection.label_one), question.match or ""
    label = (
        uncapitalised(collection.by_name[name].label)
        if name in collection.by_name
        else "key"
        if name == KEY
        else name
    )
    if not named:
        return f"This line has no {label}, so it does not say which {one} is meant."
    whose = (
        f"{count} {'different ' if len(named) > 1 else ''}{collection.spoken} have"
        if count
        else f"No {one} has"
    )
    return f"{whose} the {label} on this line: {', '.join(named)[:80]}."


def _names(question: Question, line: file_lines.Line) -> tuple[str, ...]:
    """What the line says of its record: one text, or each of several addresses or numbers."""
    name = question.match or ""
    return line.addresses.get(name) or tuple(filter(None, [str(line.values.get(name) or "").strip()]))


def _matched(
    actor: Actor, target: Target, question: Question, lines: Sequence[file_lines.Line]
) -> dict[str, list[str]]:
    """What the lines name → the keys of the records that have it, within the actor's scope."""
    collection, scope = browse.browsed_collection(actor, str(target.collection))
    name = question.match or ""
    given = {each for line in lines for each in _names(question, line)}
    if name == KEY:
        return {key: [key] for key in records.visible_keys(collection.id, sorted(given), scope)}
    field = filters.readable_field(collection, name, scope.hidden)
    typed = {value: _typed(field, value) for value in given}
    asked = [value for value in typed.values() if value is not None]
    there = existing_contacts.by_value(collection, scope, name, asked, [name])
    found = {value: there.get(headings.as_compared(each), []) for value, each in typed.items()}
    kept = {value: _as_written(collection, field, value, those) for value, those in found.items()}
    return {value: [str(each.key) for each in those] for value, those in kept.items() if those}


def _typed(field: Field, text: str) -> Any:
    """The value of the field that a text means, None where it can be none."""
    if field.stored != "integer":
        return (
            headings.address(text)
            if field.type == "email"
            else headings.number(text)
            if field.type == "phone"
            else text
        )
    number = number_of(text)
    return int(number) if number is not None and number == int(number) else None


def _as_written(
    collection: Collection, field: Field, value: str, found: Sequence[Record]
) -> Sequence[Record]:
    """Of several records those that have the value letter by letter, where there are such. A text that is no address counts in no other way: ab1 may be another than AB1."""
    exact = [each for each in found if str(each.values.get(field.name)) == value]
    contact = collection.contact
    address = (
        field.type in ("email", "phone")
        or "@" in value
        or (contact is not None and field.name == contact.phone)
    )
    return exact or (found if address or field.stored != "text" else ())


KEY = "record"
"""The column that holds keys of records, not values of a field."""


def match_of(actor: Actor, target: Target, names: Sequence[str]) -> str | None:
    """The field by which rows with these names find their record: the key, else an e-mail address or telephone number, else the first that is there."""
    if target.collection is None:
        return None
    collection, scope = browse.browsed_collection(actor, target.collection)
    readable = {item.name: item.type for item in collection.readable(scope)}
    if KEY in names and KEY not in readable:
        return KEY
    preferred = [*collection.key, *(name for name, kind in readable.items() if kind in ("email", "phone"))]
    return next(
        (name for name in preferred if name in names),
        next((name for name in names if name in readable), None),
    )


def with_match(actor: Actor, target: Target, question: Question) -> Question:
    """The question with the field by which its rows find their records. Raises Invalid where there is none."""
    if target.collection is None or (question.rows is None and question.file is None):
        return question
    if len(question.rows or ()) > MOST_NAMED:
        raise Invalid("These are too many rows.", at=("rows", f"At most {MOST_NAMED:,}: send a file."))
    names = (
        list(question.columns.values())
        if question.file
        else list({name: 1 for row in question.rows or () for name in row})
    )
    match = question.match or match_of(actor, target, names)
    if match is None or match not in names:
        reason = "None of the columns names a field of the records: map one to the key, an e-mail address or another field."
        raise Invalid("It is not clear which records are meant.", at=("match", reason))
    return replace(question, match=match)


def require_values(target: Target, question: Question) -> None:
    """Raise Invalid for required values of the start that nobody gives: of records they are the same for all, or columns."""
    given = {
        *(name for name, value in question.values.items() if value not in (None, "")),
        *question.columns.values(),
    }
    given |= {name for row in question.rows or () for name in row}
    lacking = [
        entry for entry in target.fields if entry.required and entry.value is None and entry.name not in given
    ]
    if target.collection is not None and lacking:
        details = [(f"values.{entry.name}", missing_message(entry.field())) for entry in lacking]
        raise Invalid("Something is missing that is the same for everybody.", details=details)


def choices(actor: Actor, target: Target) -> list[tuple[str, str]]:
    """(name, label) of what the cells of a column may be: fields of the start step; for a workflow about records their key and fields too."""
    of_start = [(entry.name, entry.label or entry.name) for entry in target.fields]
    if target.collection is None:
        return of_start or [("name", "Name"), ("phone", "Phone"), ("email", "E-mail")]
    collection, scope = browse.browsed_collection(actor, target.collection)
    named = {name for name, _ in of_start}
    fields = [
        (item.name, item.label)
        for item in collection.readable(scope)
        if item.name not in named and item.type not in ("json", "binary", "other")
    ]
    own_key = (
        []
        if any(name == KEY for name, _ in fields)
        else [(KEY, f"Key of the {collection.label_one.casefold()}")]
    )
    return [*own_key, *fields, *of_start]


def columns_of(
    actor: Actor, target: Target, named: Sequence[str], lines: Sequence[Sequence[str]] = ()
) -> dict[str, str]:
    """Number of a column → what its cells are, by the words of its heading; columns whose heading says nothing are left out.

    Where no heading says which records are meant and first `lines` are given, the cells do: e-mail addresses, else the first column is read as keys. A person
    sees what came of it and chooses again.
    """
    by_word = {
        _word(text): name for name, label in reversed(choices(actor, target)) for text in (label, name)
    }
    if target.collection is None:
        by_part = {
            part: entry.name
            for entry in reversed(target.fields)
            for text in (entry.label, entry.name)
            if text and (part := headings.part_of(text))
        }
    else:
        contact = records.collection(target.collection).contact
        by_part = {part: own for part in headings.USUAL if (own := getattr(contact, part, None))}
    columns: dict[str, str] = {}
    several = file_lines.addresses(target, "email") | file_lines.addresses(target, "phone")
    for number, heading in enumerate(named):
        name = by_word.get(_word(heading))
        if name is None and target.collection is None and not target.fields:
            part = headings.part_of(heading)
            name = part if part in ("name", "email", "phone") else slug(heading, "_")[:60]
        if name is None:
            name = by_part.get(headings.part_of(heading) or "")
        if name and (name in several or name not in columns.values()):
            columns[str(number)] = name
    if lines and target.collection is not None and match_of(actor, target, list(columns.values())) is None:
        columns |= _by_cells(target, named, lines)
    return columns


def _by_cells(target: Target, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> dict[str, str]:
    document = records.collection(str(target.collection)).contact
    for number in range(len(headings)):
        cells = [line[number] for line in lines if number < len(line) and line[number]]
        if document is not None and document.email and cells and all("@" in cell for cell in cells):
            return {str(number): document.email}
    return {"0": KEY}


def _word(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
