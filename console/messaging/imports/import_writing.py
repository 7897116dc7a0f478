"""Writing the lines of a file into the contacts: many with one transaction, each judged as one added by hand, with an event of its own in the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from console import browse, log, records
from console.auth import access
from console.browse import tags
from console.core.actor import Actor
from console.core.contact_consents import ConsentMove
from console.core.documents.collections import Collection
from console.core.documents.collections.consent_places import column_of
from console.core.errors import ConsoleError, SourceDown
from console.core.filters import Test
from console.core.scopes import unrestricted
from console.infra import faults, subjects
from console.messaging.imports import consent_columns
from console.messaging.imports.consent_columns import Place
from console.messaging.imports.imports import CHANGED, NEW, REFUSED, SAME, Line, Plan
from console.records.consents_told import consents_of_new

Added = tuple[Collection, str, str | None, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Written:
    """The lines as they ended, and what the log has to tell: (collection, key, subject, values) of each record that was added.

    `without` are lines of contacts that were added without a consent, and why.
    """

    lines: Sequence[Line]
    added: Sequence[Added]
    consents: int = 0
    without: Sequence[Line] = field(default_factory=tuple)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


def as_far_as_written(lines: Sequence[Line]) -> list[Line]:
    """What a process that died has done of the lines: those that it has written, and those before the last of them that it has passed over."""
    last = max((line.number for line in lines if line.done), default=0)
    return [line for line in lines if line.done or (line.number < last and line.outcome in (REFUSED, SAME))]


def write(plan: Plan, lines: Sequence[Line]) -> Written:
    """Add and change the contacts that the lines say. Raises SourceDown where the source does not answer; what was written by then is found again."""
    collection = plan.collection
    new = [line for line in lines if line.outcome == NEW and not line.done]
    answers = dict(
        zip(
            [line.number for line in new],
            records.insert_many(collection.id, [line.values for line in new], plan.create),
            strict=True,
        )
    )
    found = records.records_by_key(
        collection.id,
        [str(line.key) for line in lines if line.outcome == NEW and line.done],
        unrestricted(collection.id),
        None,
    )
    faults.point("imports.consents.before")
    ended = [
        _changed(plan, line)
        if line.outcome == CHANGED and not line.done
        else _added(line, answers.get(line.number, found.get(str(line.key))))
        for line in lines
    ]
    here = [line for line in ended if line.outcome == NEW and line.key is not None]
    whose = _subjects(collection, [str(line.key) for line in here])
    added: list[Added] = [(collection, str(line.key), whose.get(str(line.key)), line.values) for line in here]
    agreed, without = _consents(plan, here, whose)
    tagged, untagged = _tags(plan, ended)
    return Written(ended, [*added, *agreed], len(agreed), [*without, *untagged], tagged)


def _tags(plan: Plan, lines: Sequence[Line]) -> tuple[dict[str, Sequence[str]], list[Line]]:
    """(key → tags that are put on it, lines of those that were added, but may not be changed, and so not tagged)."""
    wanted = {
        str(line.key): line
        for line in lines
        if line.tags and line.key is not None and line.outcome in (NEW, CHANGED)
    }
    allowed = tags.changeable(plan.collection.id, list(wanted), plan.update) if wanted else set()
    why = f"Added, but without its tags: you may not change this {plan.one}."
    return (
        {key: line.tags for key, line in wanted.items() if key in allowed},
        [
            replace(line, reasons=(why,))
            for key, line in wanted.items()
            if key not in allowed and line.outcome == NEW
        ],
    )


def put_tags(plan: Plan, written: Written, connection: Connection) -> Sequence[log.Noted]:
    """Put the tags on those that were added and changed, with the transaction of `connection`; what `note_tags` tells the log of them."""
    return tags.put_each(connection, plan.actor, plan.collection, written.tags) if written.tags else ()


def note_tags(plan: Plan, noted: Sequence[log.Noted], chain: str, connection: Connection) -> None:
    """Tell the log of each tag that was put on somebody, with the transaction of `connection`: what starts on a tag starts as by hand."""
    label, team = (
        access.label_of(f"collection:{plan.collection.id}"),
        plan.actor.teams[0] if plan.actor.teams else None,
    )
    log.note_each(plan.actor, "tag_added", noted, chain=chain, team=team, label=label, connection=connection)


def note(actor: Actor, written: Written, chain: str, connection: Connection) -> None:
    """Tell the log of each record that was added, with the transaction of `connection`."""
    for collection in {each[0].id: each[0] for each in written.added}.values():
        data = {"result": "succeeded", "effect": "added"}
        added = [(key, whose, values) for place, key, whose, values in written.added if place is collection]
        titled = browse.titles_in_log(collection, [key for key, _, _ in added])
        notes = [
            log.Noted(
                {"fields": sorted(values), **data},
                collection.id,
                records.log_reference(collection, key),
                collection.source,
                {"old": {}, "new": dict(values), **titled.get(key, {})},
                whose or subjects.of_person(actor.id),
            )
            for key, whose, values in added
        ]
        label = access.label_of(f"collection:{collection.id}")
        log.note_each(
            actor,
            "record_changed",
            notes,
            chain=chain,
            team=actor.teams[0] if actor.teams else None,
            label=label,
            connection=connection,
        )
    _note_consents(actor, written, chain, connection)


def _note_consents(actor: Actor, written: Written, chain: str, connection: Connection) -> None:
    """Tell of each contact that was added to which channels they agreed, one event for all of them."""
    moves: dict[tuple[str, str, str], list[ConsentMove]] = {}
    for place, key, _whose, values in written.added:
        for move, contact in consents_of_new(place.id, key, values):
            moves.setdefault((move.kind, move.contacts.id, contact), []).append(move)
    notes: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for (kind, _, contact), [first, *others] in moves.items():
        contacts, channels = (
            first.contacts,
            [channel for move in (first, *others) for channel in move.channels],
        )
        notes.setdefault((kind, contacts.id), []).append(
            (contact, replace(first, channels=tuple(channels)).told)
        )
    for (kind, contacts_id), of_contacts in notes.items():
        contacts, about = (
            records.collection(contacts_id),
            browse.about_records(contacts_id, [contact for contact, _ in of_contacts]),
        )
        told_of = [
            log.Noted(data, contacts_id, source=contacts.source, **about[contact])
            for contact, data in of_contacts
        ]
        label, team = access.label_of(f"collection:{contacts_id}"), actor.teams[0] if actor.teams else None
        log.note_each(actor, kind, told_of, chain=chain, team=team, label=label, connection=connection)


def _added(line: Line, answer: records.Record | ConsoleError | None) -> Line:
    if isinstance(answer, ConsoleError):
        return replace(line, outcome=REFUSED, reasons=tuple(records.reasons(answer)))
    return line if answer is None else replace(line, key=answer.key, values=_kept(line.values, answer))


def _kept(given: Mapping[str, Any], record: records.Record) -> dict[str, Any]:
    """The values as the database keeps them."""
    return {name: record.values[name] for name in given}


def _changed(plan: Plan, line: Line) -> Line:
    """The line after its contact was changed as by hand, which the log tells at once; who only gets tags is not written to."""
    if not line.changes:
        return line
    try:
        browse.change(plan.actor, plan.collection.id, str(line.key), line.changes, line.former)
    except SourceDown:
        raise
    except ConsoleError as error:
        return replace(line, outcome=REFUSED, reasons=tuple(records.reasons(error)))
    return line


def _subjects(collection: Collection, keys: Sequence[str]) -> dict[str, str]:
    if collection.subject == "self":
        return subjects.subjects_of(collection.id, keys)
    return {key: whose for key in keys if (whose := browse.subject_of(collection, key)) is not None}


def _consents(plan: Plan, lines: Sequence[Line], whose: Mapping[str, str]) -> tuple[list[Added], list[Line]]:
    """(the consents that were added to these contacts, the lines of those that were left without one)."""
    place = plan.consents.place
    if place is None or not any(line.consents for line in lines):
        return [], []
    wanted = [
        (line, channel, {**row, **consent_columns.link_of(place, str(line.key))})
        for line in lines
        for channel, row in line.consents.items()
    ]
    there = _consents_present(place, [line for line in lines if line.done and line.consents])
    missing = [
        (line, channel, row) for line, channel, row in wanted if _channel(place, channel, row) not in there
    ]
    scope = access.scope_for(plan.actor, place.table.id, "create")
    answers = records.insert_many(place.table.id, [row for _, _, row in missing], scope)
    present = [there.get(_channel(place, channel, row)) for _, channel, row in wanted]
    following = iter(answers)
    added: list[Added] = []
    without: list[Line] = []
    for (line, channel, row), record in zip(wanted, present, strict=True):
        answer = record if record is not None else next(following)
        if isinstance(answer, ConsoleError):
            why = f"Added, but without the consent to {consent_columns.NAMES[channel]}: {records.reasons(answer)[0]}"
            without.append(replace(line, reasons=(why,)))
        else:
            added.append(
                (
                    place.table,
                    answer.key or "",
                    whose.get(str(line.key)) if place.table.subject else None,
                    _kept(row, answer),
                )
            )
    return added, without


def _channel(place: Place, channel: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Which consent of whom a row of the table is."""
    named = column_of(place.documents[channel], "channel", place.table)
    return (*(str(row.get(there)) for _, there in place.link), str(row.get(named or "")))


def _consents_present(place: Place, lines: Sequence[Line]) -> dict[tuple[str, ...], records.Record]:
    """The consents that a process has written which died before the log told of them, as the database keeps them."""
    found: dict[tuple[str, ...], records.Record] = {}
    for line in lines:
        link = consent_columns.link_of(place, str(line.key))
        name, value = next(iter(link.items()))
        page = records.page(
            place.table.id,
            unrestricted(place.table.id),
            where=Test(name, "eq", value),
            limit=records.MOST_ROWS,
        )
        for record in page.rows:
            found |= {_channel(place, channel, record.values): record for channel in line.consents}
    return found
