"""Records from a CSV file, contacts above all: what each column is, and what each line becomes: a new record, a change of one that is there, or nothing, with the reason."""

from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from dataclasses import asdict, dataclass, field as default, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

from console import formats, records
from console.actions import hand_forms
from console.auth import access, accounts
from console.browse import browsed_collection, tags
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import Invalid, NotFound
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.messaging.imports import (
    cell_days,
    cells,
    consent_columns,
    contact_files,
    headings,
    line_identity,
    line_problems,
    line_tags,
    line_values,
    reference_titles,
    tag_cells,
)
from console.messaging.imports.consent_columns import (
    FORMER,
    FORMER_WORDS,
    NAMES,
    Columns,
    Place,
    compared_cell,
)
from console.messaging.imports.contact_files import ContactFile, Row
from console.records import Record

AT_ONCE = 1_000
CONSENT, OPTED_OUT, TOLD, ALL, EVERYONE, NO_TAKES_BACK = (
    "consent:",
    "optout:",
    "told:",
    "all:",
    "everyone",
    "no_takes_back",
)
TAGS: Final = "console:tags"
"""What a column of tags is, and what all in the file get of them: the console's own, which are no field."""
"""Before a channel to which a column tells who agreed, and of which who wants nothing, and before a field of the table of consents that a column tells; before a field that is the same for all who are added; channels to which all agreed; whether a plain no takes back a consent."""
IMPORTED, OPT_OUTS = "import", (*consent_columns.OUTWARD, consent_columns.EVERY)
NEW: Final = "new"
CHANGED: Final = "changed"
SAME: Final = "same"
REFUSED: Final = "refused"
Outcome = Literal["new", "changed", "same", "refused"]
FirstLine = Callable[[Sequence[tuple[int, str]]], Mapping[int, int]]
"""Takes (line, who it is about) of many lines and answers line → the first line of the file that is about the same."""


@dataclass(frozen=True, slots=True)
class Question:
    """A file of contacts. `columns` is number of a column → the field that it goes to, `match` the field by which contacts are found that are there (None: none is looked for).

    `change`: those are changed, else their lines are refused. `same` is what is told once for all lines: of their consents, and with ALL before it a field of theirs.
    `spelling` is one of `cells.SPELLINGS`. `meanings` is number of a column → a word in it → the cell that it stands for, or in a column about consent what it means.
    `explicit`: of words about consent only `meanings` count; without, which is so of imports begun by version 0.5, some English ones too.
    `as_before`: columns and words are read as in an import before with the same headings.
    """

    file: ContactFile
    columns: Mapping[str, str]
    match: str | None = None
    change: bool = False
    same: Mapping[str, Any] = default(default_factory=dict)
    spelling: str = "day"
    meanings: Mapping[str, Mapping[str, str]] = default(default_factory=dict)
    explicit: bool = True
    as_before: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is sealed."""
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Question":
        """The inverse of `to_json`."""
        return cls(**{"explicit": False, **stored, "file": ContactFile(**stored["file"])})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file by its number (the heading is 1): what becomes of it, and why nothing does. `key` is the contact that is there, `changes` what it gets.

    `consents` is channel → row, `opted_out` channels of which they want no more → by when they said so (None: nobody knows). `several` are the contacts that are there, where the line does not tell which one it means.
    `done`: a process that died had written it already. `addable`: it is refused, and would be a new contact if nothing were wrong.
    `several_told` is `email` or `phone` → all the addresses of a cell with several. `own_day`: the line tells itself when they agreed.
    `tags` are those that the contact gets and does not have yet. `dropped` is channel → why a consent that the line tells is none.
    """

    number: int
    outcome: Outcome
    values: Mapping[str, Any]
    reasons: tuple[str, ...] = ()
    consents: Mapping[str, Mapping[str, Any]] = default(default_factory=dict)
    key: str | None = None
    changes: Mapping[str, Any] = default(default_factory=dict)
    former: Mapping[str, Any] = default(default_factory=dict)
    done: bool = False
    several: tuple[str, ...] = ()
    opted_out: Mapping[str, datetime | None] = default(default_factory=dict)
    addable: bool = False
    own_day: bool = False
    several_told: Mapping[str, str] = default(default_factory=dict)
    tags: tuple[str, ...] = ()
    dropped: Mapping[str, str] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What lines are judged by: who imports what into which contacts, with which rights. `fields` stand in the order in which they count, `named` are the headings.

    `needed` are fields that must not be empty, `filled` what all lines get, `owners` addresses of people by their names in small letters. `tags` are columns of tags, `tags_of_all` what all in the file get of them. `of_empty` is what new contacts get where the cell of a column is empty.
    """

    actor: Actor
    collection: Collection
    question: Question
    fields: Mapping[int, Field]
    named: Sequence[str]
    consents: Columns
    needed: Sequence[Field]
    filled: Mapping[str, Any]
    create: Scope
    read: Scope
    update: Scope
    owners: Mapping[str, str]
    tags: Sequence[int] = ()
    tags_of_all: Sequence[str] = ()
    of_empty: Mapping[str, Any] = default(default_factory=dict)

    @property
    def one(self) -> str:
        """What one record is called."""
        return uncapitalised(self.collection.label_one)

    @property
    def match(self) -> str | None:
        """The field by which contacts are found that are there."""
        return self.question.match

    def part(self, name: str) -> str | None:
        """The field that holds this part of a contact."""
        return getattr(self.collection.contact, name, None)

    @property
    def untold(self) -> Sequence[Field]:
        """Fields that must not be empty and that no column tells."""
        told = {field.name for field in self.fields.values()}
        return [field for field in self.needed if field.name not in told]

    @property
    def told_needed(self) -> Sequence[Field]:
        """Fields that must not be empty and that a column tells, which may have empty cells."""
        told = {field.name for field in self.fields.values()}
        return [field for field in self.needed if field.name in told]


def require_import(actor: Actor, collection: Collection) -> None:
    """Raises NotFound where nobody adds records by hand, NotAllowed where the actor may not."""
    access.require(actor, None, f"collection:{collection.id}", "create")
    if not hand_forms.may_create(actor, collection):
        raise NotFound(f"{collection.label} cannot be added to here: this is a view, or has no key.")


def importable(actor: Actor, collection_id: str) -> Collection:
    """The collection, where this actor may import contacts into it. Raises NotFound, NotAllowed."""
    collection, _ = browsed_collection(actor, collection_id)
    require_import(actor, collection)
    return collection


def choices(actor: Actor, collection: Collection) -> list[tuple[str, str]]:
    """(name, label) of what the cells of a column may be: fields of the contact, and what is kept of consent."""
    place = consent_columns.place_of(actor, collection)
    fields = [(field.name, field.label) for field in _fields(actor, collection)]
    fields += [(TAGS, "Tags")] if takes_tags(actor, collection) else []
    if collection.contact is None:
        return fields
    documents, told = (place.documents, place.fields) if place is not None else ({}, ())
    agreed = [
        (f"{CONSENT}{channel}", f"{name}: agreed") for channel, name in NAMES.items() if channel in documents
    ]
    agreed += [
        (f"{OPTED_OUT}{channel}", f"{NAMES.get(channel, 'All channels')}: opted out") for channel in OPT_OUTS
    ]
    return [*fields, *agreed, *((f"{TOLD}{field.name}", f"Consent: {field.label}") for field in told)]


def takes_tags(actor: Actor, collection: Collection) -> bool:
    """Whether a file of this actor may put tags on records of the collection."""
    return bool(collection.key) and tags.may_tag(actor, collection.id)


def matches(actor: Actor, collection: Collection) -> list[tuple[str, str]]:
    """(name, label) of the fields by which contacts that are there may be found."""
    hidden = access.scope_for(actor, collection.id, "read").hidden
    kinds = {"text", "email", "phone", "integer", "uuid"}
    fields = [field for field in _fields(actor, collection) if field.stored in kinds or field.type in kinds]
    return [
        (field.name, field.label) for field in fields if field.name not in hidden and field.options is None
    ]


def question_of(actor: Actor, collection: Collection, file: ContactFile) -> Question:
    """The question of a file of which headings and cells propose what its columns are; a person sees that and chooses again. Raises Invalid for a file without a heading.

    No column is proposed as one about consent or opting out.
    """
    named, first = contact_files.sample(file, actor.id, contact_files.TELLING)
    fields = _fields(actor, collection)
    by_number = headings.fields_of(collection, named, fields)
    columns = {
        number: field.name
        for number, field in by_number.items()
        if cells.may_hold(field, [row[number : number + 1] for row in first])
    }
    if takes_tags(actor, collection):
        columns |= {n: TAGS for n, each in enumerate(named) if n not in by_number and tag_cells.is_tags(each)}
    for part in ("email", "phone"):
        name = getattr(collection.contact, part, None)
        if name in {field.name for field in fields} and name not in columns.values():
            number = headings.column_by_cells(part, first, columns)
            columns |= {number: name} if number is not None else {}
    place = consent_columns.place_of(actor, collection)
    evidence = consent_columns.evidence_columns(place, named) if place is not None else {}
    columns = {number: f"{TOLD}{field.name}" for number, field in evidence.items()} | columns
    telling = (
        cell
        for n, line in enumerate(first)
        for cell in line
        if n < contact_files.SAMPLE or cell_days.is_day(cell)
    )
    spelling = cells.spelling_of(telling, file.delimiter)
    question = Question(
        file, {str(number): name for number, name in sorted(columns.items())}, spelling=spelling
    )
    return replace(question, match=match_of(actor, collection, question))


def question_told(
    actor: Actor,
    collection: Collection,
    file: ContactFile,
    headings_told: Mapping[str, str],
    match: str | None,
) -> Question:
    """The question of a file of which somebody has told what some headings mean, and by what contacts are found. Raises Invalid for what is not there."""
    question, (named, _) = question_of(actor, collection, file), contact_files.sample(file, actor.id)
    offered = {name for name, _ in choices(actor, collection)}
    wrong = [
        (f"columns.{each}", "There is no such heading in the file.")
        for each in headings_told
        if each not in named
    ]
    wrong += [
        (f"columns.{each}", f"No column can be {name}.")
        for each, name in headings_told.items()
        if name and name not in offered
    ]
    wrong += (
        [("match", f"Contacts are not found by {match}.")]
        if match and match not in dict(matches(actor, collection))
        else []
    )
    if wrong:
        raise Invalid(
            "The file cannot be read like this.",
            details=wrong,
        )
    told = {str(named.index(each)): name for each, name in headings_told.items()}
    columns = {number: name for number, name in {**question.columns, **told}.items() if name}
    return replace(
        question,
        columns=columns,
        match=match or match_of(actor, collection, replace(question, columns=columns)),
    )


def match_of(actor: Actor, collection: Collection, question: Question) -> str | None:
    """The field by which those that are there are found best: a key that the file tells, else an e-mail address, else a telephone number; of no contacts what names them."""
    contact, offered = collection.contact, {name for name, _ in matches(actor, collection)}
    named = [
        *collection.key[: len(collection.key) == 1],
        *(
            [contact.email, contact.phone]
            if contact
            else collection.title_fields[: len(collection.title_fields) == 1]
        ),
    ]
    found = next((name for name in named if name in question.columns.values() and name in offered), None)
    return None if found and not contact and found in records.distinct_together(collection) else found


def plan(actor: Actor, collection_id: str, question: Question) -> Plan:
    """What the lines of the file are judged by now. Raises NotFound, NotAllowed, and Invalid where two columns fill one field."""
    collection = importable(actor, collection_id)
    named, _ = contact_files.sample(question.file, actor.id)
    known = {field.name: field for field in _fields(actor, collection)}
    columns = {int(number): name for number, name in question.columns.items() if number.isdigit()}
    order = sorted(
        columns, key=lambda number: (headings.rank(named[number]) if number < len(named) else 0, number)
    )
    fields = {number: known[columns[number]] for number in order if columns[number] in known}
    of_several = {getattr(collection.contact, part, None) for part in ("name", "email", "phone")}
    once = [
        name
        for name in columns.values()
        if name not in of_several and name != TAGS and not name.startswith(OPTED_OUT)
    ]
    if len(set(once)) < len(once):
        raise Invalid("Two columns are the same.", at=("columns", "This field is filled by one column only."))
    form = hand_forms.new_record(actor, collection.id)
    needed = [field for field in form.fields if field.needed and field.name not in form.filled]
    match = question.match if question.match in {field.name for field in fields.values()} else None
    owner = collection.contact.owner if collection.contact else None
    create, read, update = (
        access.scope_for(actor, collection.id, act) for act in ("create", "read", "update")
    )
    return Plan(
        actor,
        collection,
        replace(question, match=match),
        fields,
        named,
        _consents(
            consent_columns.place_of(actor, collection), columns, question, formats.Look.of(actor).zone
        ),
        needed,
        hand_forms.blanks(form) | _filled(known, fields, question.same),
        create,
        read,
        update,
        owners={
            name.casefold(): account for account, name in accounts.AccountNames().items() if "@" in account
        }
        if owner in columns.values()
        else {},
        of_empty={
            field.name: value
            for field in fields.values()
            if (value := question.same.get(f"{ALL}{field.name}")) not in (None, "")
        },
        **_tags(actor, collection, columns, question.same),
    )


def judge(
    plan: Plan,
    part: Sequence[Row],
    first_line: FirstLine,
    begun: Mapping[int, Outcome] = MappingProxyType({}),
    *,
    look: bool = True,
) -> list[Line]:
    """What becomes of the lines. `begun` are those that a process was writing when it died, and what each was to become: what it has written counts as done.

    `look` False: what is only found out when a contact is added is left to that.
    """
    told = [line_values.values_of(plan, row) for row in part]
    keyed = [
        *reference_titles.with_keys(plan.actor, list(plan.fields.values()), [values for values, _, _ in told])
    ]
    there = line_identity.there_already(plan, [values for values, _ in keyed])
    known = [bool(line_identity.contacts_of(plan, values, there)) for values, _ in keyed]
    unlisted = [
        [] if old else cells.unlisted(plan.collection, values)
        for old, (values, _) in zip(known, keyed, strict=True)
    ]
    parts = zip(part, told, keyed, unlisted, strict=True)
    read = [
        (
            row,
            values,
            [
                *wrong,
                *unnamed,
                *strange,
                *consent_columns.unclear(plan.consents, row.cells, strict=not plan.question.explicit),
            ],
            whole,
        )
        for row, (_, wrong, whole), (values, unnamed), strange in parts
    ]
    firsts = first_line(
        [
            (row.number, line_identity.identity(plan, values))
            for row, values, wrong, _ in read
            if values and not wrong
        ]
    )
    allowed = _changeable(
        plan, [record for those in there.values() for found in those.values() for record in found]
    )
    lines = [
        Line(row.number, REFUSED, values, tuple(wrong[:1]))
        if whole
        else _line(plan, row, values, wrong, there, firsts.get(row.number), allowed, begun)
        for row, values, wrong, whole in read
    ]
    lines = line_problems.merge_errors(plan, lines)
    lines = line_tags.with_tags(plan, lines, part)
    several = {
        row.number: several_cells for row in part if (several_cells := line_values.several_told(plan, row))
    }
    lines = [
        replace(line, several_told=several[line.number]) if line.number in several else line for line in lines
    ]
    nowhere = (
        cells.leading_nowhere(plan.collection.fields, [line.values for line in lines], plan.create)
        if look
        else {}
    )
    lines = line_problems.validate_lines(plan, lines, nowhere) if look else lines
    return [replace(line, reasons=line_problems.bounded(line.reasons)) for line in lines]


def _line(
    plan: Plan,
    row: Row,
    values: Mapping[str, Any],
    wrong: Sequence[str],
    there: line_identity.There,
    first: int | None,
    allowed: AbstractSet[str],
    begun: Mapping[int, Outcome],
) -> Line:
    if first is not None and first != row.number:
        return Line(
            row.number,
            REFUSED,
            values,
            (f"The same {plan.one} stands on a line before.", f"It stands on line {first:,}."),
        )
    agreed, unsaid, own_day = consent_columns.read(
        plan.consents, row.cells, plan.question.same, plan.question.spelling, formats.Look.of(plan.actor).zone
    )
    found = line_identity.contacts_of(plan, values, there)
    given, values = values, {**plan.of_empty, **values}
    if wrong and found:
        line = _there_already(plan, row.number, given, found, allowed)
        told = line_problems.join_errors(plan, wrong, line.reasons if line.outcome == REFUSED else ())
        return Line(row.number, REFUSED, values, told)
    if row.number in begun and not found and plan.match is None:
        same = records.find_same(plan.collection.id, values, plan.read)
        found = (same,) if same is not None else ()
    if row.number in begun and len(found) == 1 and not _moved(plan, found[0], given):
        return Line(
            row.number,
            begun[row.number],
            values,
            consents=agreed,
            key=found[0].key,
            done=True,
            own_day=own_day,
        )
    if found:
        return _there_already(plan, row.number, given, found, allowed)
    reasons = line_problems.join_errors(plan, wrong, [*line_problems.errors_if_new(plan, values), *unsaid])
    return Line(
        row.number,
        REFUSED if reasons else NEW,
        values,
        reasons,
        agreed,
        addable=bool(reasons),
        own_day=own_day,
    )


def _there_already(
    plan: Plan, number: int, values: Mapping[str, Any], found: Sequence[Record], allowed: AbstractSet[str]
) -> Line:
    named = line_identity.named_by(plan, values)
    label = plan.collection.by_name[named].label if named else ""
    if len(found) > 1:
        return Line(
            number,
            REFUSED,
            values,
            (f"{len(found)} {plan.collection.spoken} have this {label}.",),
            several=tuple(str(each.key) for each in found),
        )
    known = found[0]
    if not plan.question.change:
        there = "Somebody" if plan.collection.contact else f"Another {plan.one}"
        return Line(number, REFUSED, values, (f"{there} with this {label} is there already.",), key=known.key)
    given = {
        name: value
        for name, value in values.items()
        if name not in plan.filled and name not in plan.collection.key
    }
    changes = {name: value for name, value in given.items() if name in _moved(plan, known, given)}
    if not changes:
        return Line(number, SAME, values, key=known.key)
    if known.key not in allowed:
        return Line(
            number, REFUSED, values, (f"You may see this {plan.one}, but not change it.",), key=known.key
        )
    unlisted = cells.unlisted(
        plan.collection, changes
    )  # what stands in the contact may stay, older than the list or not
    wrong = cells.wrong_zone(plan.collection, changes) + (
        unlisted or records.refusals_of_change(plan.collection, known.values, changes, plan.update)
    )
    reasons = tuple(dict.fromkeys(wrong))
    former = {name: known.values.get(name) for name in changes}
    return Line(
        number,
        REFUSED if reasons else CHANGED,
        values,
        reasons,
        key=known.key,
        changes=changes,
        former=former,
    )


def _moved(plan: Plan, record: Record, values: Mapping[str, Any]) -> set[str]:
    """The fields in which the contact differs from the line, as far as the actor reads them."""
    by_name = plan.collection.by_name
    kept = {name: record.values[name] for name in values if name in record.values}
    return {
        n
        for n in kept
        if n != line_identity.named_by(plan, values)
        and not records.alike(plan.collection, by_name[n], values[n], kept[n])
    }


def _changeable(plan: Plan, found: Sequence[Record]) -> AbstractSet[str]:
    """The keys of those that the actor may change."""
    keys = [record.key for record in found if record.key is not None]
    if not plan.question.change or not access.can(
        plan.actor, None, f"collection:{plan.collection.id}", "update"
    ):
        return frozenset()
    return (
        frozenset(keys)
        if plan.update.unlimited
        else records.visible_keys(plan.collection.id, keys, plan.update)
    )


def _fields(actor: Actor, collection: Collection) -> list[Field]:
    """The fields that a file may fill in."""
    hidden = access.scope_for(actor, collection.id, "read").hidden
    filled = records.filled_by_database(collection)
    typed = {
        name for name in collection.key if name not in filled
    }  # a key that the database does not give is told by the file
    asked = [f for f in collection.fields if not f.readonly or f.name in typed]
    return [f for f in asked if not f.governed and f.computed is None and f.name not in hidden]


def _consents(place: Place | None, names: Mapping[int, str], question: Question, zone: str) -> Columns:
    refused = {n: name.removeprefix(OPTED_OUT) for n, name in names.items() if name.startswith(OPTED_OUT)}
    documents, known = (
        (place.documents, {field.name: field for field in place.fields}) if place is not None else ({}, {})
    )
    channels = {
        n: channel
        for n, name in names.items()
        if name.startswith(CONSENT) and (channel := name.removeprefix(CONSENT)) in documents
    }
    evidence = {
        n: known[field]
        for n, name in names.items()
        if name.startswith(TOLD) and (field := name.removeprefix(TOLD)) in known
    }
    said = question.same.get(EVERYONE) or ()
    return Columns(
        place,
        channels,
        evidence,
        [channel for channel in said if channel in documents and channel not in channels.values()],
        refused,
        no_takes_back=bool(question.same.get(NO_TAKES_BACK)),
        meanings={n: _meanings(question, n, out=n in refused) for n in (*channels, *refused)},
        moment=partial(cell_days.surely_by, spelling=question.spelling, zone=zone),
    )


def _meanings(question: Question, number: int, *, out: bool) -> dict[str, str]:
    """Words of a column about consent, as they are compared → what they mean."""
    said = {compared_cell(word): meant for word, meant in question.meanings.get(str(number), {}).items()}
    if question.explicit:
        return said
    return {**FORMER[consent_columns.OPTED_OUT if out else consent_columns.AGREED], **FORMER_WORDS, **said}


def unused_columns(question: Question, person: str) -> tuple[list[str], list[str]]:
    """(headings of columns that are not used, those of them that may be about consent); none once the file is gone. Raises Invalid."""
    try:
        named, _ = contact_files.sample(question.file, person)
    except OSError:
        return [], []
    unused = [
        heading for number, heading in enumerate(named) if heading and str(number) not in question.columns
    ]
    return unused, [heading for heading in unused if consent_columns.ABOUT_CONSENT.search(heading)]


def _tags(
    actor: Actor, collection: Collection, columns: Mapping[int, str], same: Mapping[str, Any]
) -> dict[str, Sequence[Any]]:
    if not takes_tags(actor, collection):
        return {}
    of_all = [str(text)] if (text := same.get(TAGS)) else []
    if wrong := tag_cells.read(of_all)[1]:
        raise Invalid(wrong[0], at="tags")
    return {"tags": [n for n, name in columns.items() if name == TAGS], "tags_of_all": of_all}


def _filled(
    known: Mapping[str, Field], fields: Mapping[int, Field], same: Mapping[str, Any]
) -> dict[str, Any]:
    """What every new contact gets that no column tells: where it comes from, so that workflows can tell imported contacts from others."""
    told = {field.name for field in fields.values()}
    same = {
        name: value
        for name in known
        if name not in told and (value := same.get(f"{ALL}{name}")) not in (None, "")
    }
    source = known.get("source")
    if source is None or source.name in {*told, *same} or source.stored != "text":
        return same
    fits = source.options is None or IMPORTED in {option.value for option in source.options}
    return {"source": IMPORTED, **same} if fits else same
