"""Tags of the console's own on any record: who may see a record sees them, who may change it puts and takes them away.

Putting a tag that is there, and taking one away that is not, changes nothing and writes no event. Runs write theirs in their own transition
(`console.runs.store.side_rows`). Rows lie beside the data of whom the record is about and go with it when that person is erased.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from console import log, records
from console.auth import access, accounts
from console.browse import browsed_collection, note_on, subjects_of, titles_in_log
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.run import Run
from console.core.scopes import Scope
from console.core.tag_names import MOST_ON_RECORD, clean, identity
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.log import Noted

MOST_AT_ONCE = 500
MOST_OFFERED = 300
RUN = ""
"""Stands for the collection of a tag on a run that is about no record: the key is the run's, whoever is enrolled by it has the tag."""
_PUT_WORDS = (
    "insert into console.tag (id, name, created_by, created_at) select w.id, w.name, %s, %s from unnest(%s::text[], %s::text[]) as w (id, name)"
    " on conflict do nothing"
)
_PUT_EACH = """
insert into console.record_tag (collection, record, tag, subject, by, at)
select %s, w.record, w.tag, w.subject, %s, %s from unnest(%s::text[], %s::text[], %s::text[]) as w (record, tag, subject)
on conflict do nothing returning record, tag
"""
_TAKE_EACH = (
    "delete from console.record_tag where collection = %s and tag = %s and record = any(%s) returning record"
)
_OFFERED = (
    "select t.name from console.tag t where exists (select from console.record_tag r where r.collection = %s and r.tag = t.id)"
    " order by t.id limit %s"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag on a record: how it is written, the name of who put it there (empty: nobody who is known), and when."""

    name: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tagged:
    """What came of a tag for several records: how many changed, how many had it so already, how many the actor may not change."""

    changed: int
    same: int
    refused: int


def tags_of(actor: Actor, collection_id: str, key: str) -> list[Tag]:
    """The tags of the record, by name. Raises NotFound, SourceDown."""
    collection, scope = browsed_collection(actor, collection_id)
    records.get(collection_id, key, scope, fields=())
    kept, known = tables.record_tag.c, tables.tag.c
    wanted = (
        sa.select(known.name, kept.by, kept.at)
        .join(tables.tag, known.id == kept.tag)
        .where(kept.collection == collection_id, kept.record == records.log_reference(collection, key))
        .order_by(known.id)
    )
    with transaction() as connection:
        rows = connection.execute(wanted).all()
    names = accounts.names({row.by for row in rows})
    return [Tag(row.name, names.get(row.by, ""), row.at) for row in rows]


def names_of(collection: Collection, keys: Sequence[str]) -> Mapping[str, list[str]]:
    """Key → tags by name, of records that the caller has judged; one statement. Records without a tag are left out."""
    if not keys:
        return {}
    references = {records.log_reference(collection, key): key for key in keys}
    return {references[reference]: names for reference, names in _names(collection.id, references).items()}


def names_of_runs(run_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Run → tags by name, of runs without a record that the caller has judged; one statement. Runs without a tag are left out."""
    return _names(RUN, run_ids) if run_ids else {}


def _names(collection_id: str, references: Iterable[str]) -> dict[str, list[str]]:
    statement = (
        "select r.record, t.name from console.record_tag r join console.tag t on t.id = r.tag"
        " where r.collection = %s and r.record = any(%s) order by t.id"
    )
    found: dict[str, list[str]] = {}
    for reference, name in fetch(statement, (collection_id, list(references))):
        found.setdefault(reference, []).append(name)
    return found


def offered(actor: Actor, collection_id: str) -> list[str]:
    """Tags that records of the collection have, by name. Raises NotFound."""
    browsed_collection(actor, collection_id)
    return [row[0] for row in fetch(_OFFERED, (collection_id, MOST_OFFERED))]


def may_tag(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may put tags on records of the collection: those that they may change."""
    return not access.scope_for(actor, collection_id, "update").nothing


def require(actor: Actor, collection_id: str) -> None:
    """Raises NotAllowed for who changes no records of the collection, and so tags none."""
    access.require(actor, None, f"collection:{collection_id}", "update")


def put(actor: Actor, collection_id: str, keys: Sequence[str], text: str) -> Tagged:
    """Put a tag on records. Raises Invalid for a text that is no tag, NotFound, NotAllowed for who changes no such records."""
    return _change(actor, collection_id, keys, clean(text), added=True)


def take_away(actor: Actor, collection_id: str, keys: Sequence[str], text: str) -> Tagged:
    """Take a tag away from records. Raises what `put` raises."""
    return _change(actor, collection_id, keys, clean(text), added=False)


def changeable(collection_id: str, keys: Sequence[str], scope: Scope) -> set[str]:
    """Those of the keys whose records may be tagged by who changes those in this scope."""
    return set(keys) if scope.unlimited else set(records.visible_keys(collection_id, keys, scope))


def put_each(
    connection: Connection, actor: Actor, collection: Collection, wanted: Mapping[str, Sequence[str]]
) -> list[Noted]:
    """Put on each of these records (key → tags, clean and few enough) those that it has not, with the transaction of `connection`; what the log has to tell of each that is new.

    The caller has judged who may, and writes the events, `tag_added`, with the same transaction.
    """
    whose, titled = subjects_of(collection, wanted), titles_in_log(collection, wanted)
    references = {key: records.log_reference(collection, key) for key in wanted}
    at, pairs = log.now(), [(key, name) for key, names in wanted.items() for name in names]
    words = sorted(
        {identity(name): name for _, name in reversed(pairs)}.items()
    )  # in one order, so that no two wait for each other
    connection.exec_driver_sql(
        _PUT_WORDS, (actor.id, at, [each for each, _ in words], [name for _, name in words])
    )
    columns = (
        [references[key] for key, _ in pairs],
        [identity(name) for _, name in pairs],
        [whose[key] for key, _ in pairs],
    )
    new = {
        (row[0], row[1])
        for row in connection.exec_driver_sql(_PUT_EACH, (collection.id, actor.id, at, *columns))
    }
    return [
        log.Noted(
            {},
            collection.id,
            references[key],
            collection.source,
            {"word": identity(name), **titled.get(key, {})},
            whose[key],
        )
        for key, name in pairs
        if (references[key], identity(name)) in new
    ]


def take_each(connection: Connection, collection: Collection, keys: Sequence[str], name: str) -> list[Noted]:
    """Take the tag away from those of these records that have it, with the transaction of `connection`; what the log has to tell of each.

    The caller has judged who may, and writes the events, `tag_removed`, with the same transaction.
    """
    references = {records.log_reference(collection, key): key for key in keys}
    gone = connection.exec_driver_sql(_TAKE_EACH, (collection.id, identity(name), list(references))).all()
    untagged = [references[reference] for (reference,) in gone]
    whose, titled = subjects_of(collection, untagged), titles_in_log(collection, untagged)
    return [
        log.Noted(
            {},
            collection.id,
            records.log_reference(collection, key),
            collection.source,
            {"word": identity(name), **titled.get(key, {})},
            whose[key],
        )
        for key in untagged
    ]


def has(collection_id: str, key: str, name: str) -> bool:
    """Whether the record, or the run without one, has the tag. For runs, which have judged the record."""
    reference = _reference(collection_id, key)
    kept = "select 1 from console.record_tag where collection = %s and record = %s and tag = %s"
    return bool(fetch(kept, (collection_id, reference, identity(name))))


def same(one: str, other: str) -> bool:
    """Whether two texts are the same tag."""
    return identity(clean(one)) == identity(clean(other))


def place_of(run: Run) -> tuple[str, str]:
    """Collection and key that the tags of a run's steps are kept under: its record, without one the run itself."""
    return (
        (run.collection, run.record)
        if run.collection is not None and run.record is not None
        else (RUN, run.id)
    )


def keep_word(name: str, by: str) -> None:
    """Remember how the tag is written, if nobody has used it before."""
    word = "insert into console.tag (id, name, created_by, created_at) values (%s, %s, %s, %s) on conflict do nothing returning id"
    fetch(word, (identity(name), name, by, log.now()))


def write(
    connection: Connection,
    collection_id: str,
    key: str,
    name: str,
    *,
    added: bool,
    subject: str,
    by: str,
    at: datetime,
    run: str | None = None,
) -> bool:
    """Write or delete the row within a transaction; whether anything changed. The caller writes the event."""
    table, reference = tables.record_tag, _reference(collection_id, key)
    place = {"collection": collection_id, "record": reference, "tag": identity(name)}
    if not added:
        gone = sa.delete(table).where(*(table.c[column] == value for column, value in place.items()))
        return bool(connection.execute(gone).rowcount)
    word = postgresql.insert(tables.tag).values(id=place["tag"], name=name, created_by=by, created_at=at)
    connection.execute(word.on_conflict_do_nothing())
    row = postgresql.insert(table).values(**place, subject=subject, by=by, at=at, run=run)
    return connection.execute(row.on_conflict_do_nothing().returning(table.c.tag)).first() is not None


def _reference(collection_id: str, key: str) -> str:
    return key if collection_id == RUN else records.log_reference(records.collection(collection_id), key)


def forget(connection: Connection, subject: str) -> None:
    """Delete the tags of an erased person's records, and the words that no other record has: somebody may have typed them about this person."""
    _forget(connection, tables.record_tag.c.subject == subject)


def forget_of_runs(connection: Connection, run_ids: Iterable[str]) -> None:
    """Delete the tags of runs that are about no record, whose values are past their time, and the words that no other has."""
    kept = tables.record_tag.c
    _forget(connection, sa.and_(kept.collection == RUN, kept.record.in_(list(run_ids))))


def _forget(connection: Connection, those: sa.ColumnElement[bool]) -> None:
    gone = sa.delete(tables.record_tag).where(those).returning(tables.record_tag.c.tag)
    words = {row.tag for row in connection.execute(gone)}
    others = sa.exists().where(tables.record_tag.c.tag == tables.tag.c.id)
    connection.execute(sa.delete(tables.tag).where(tables.tag.c.id.in_(words), ~others))


def _change(actor: Actor, collection_id: str, keys: Sequence[str], name: str, *, added: bool) -> Tagged:
    collection, scope = browsed_collection(actor, collection_id)
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(
            f"At most {MOST_AT_ONCE} records are tagged at once. Narrow the list by a filter.", at="key"
        )
    seen = records.visible_keys(collection_id, wanted, scope)
    if not seen:
        raise NotFound
    require(actor, collection_id)
    changing = access.scope_for(actor, collection_id, "update")
    allowed = seen if changing.unlimited else records.visible_keys(collection_id, seen, changing)
    if not allowed:
        raise NotAllowed(
            "You may see this record, but not change it, and so not tag it. An admin can grant it.",
            need=(f"collection:{collection_id}", "update"),
        )
    changed = sum(_change_one(actor, collection, key, name, added=added) for key in wanted if key in allowed)
    return Tagged(changed, len(allowed) - changed, len(wanted) - len(allowed))


def _change_one(actor: Actor, collection: Collection, key: str, name: str, *, added: bool) -> bool:
    reference, subject = records.log_reference(collection, key), subjects_of(collection, [key])[key]
    titled = titles_in_log(collection, [key]).get(key, {})
    with transaction() as connection:
        if added:
            _require_room(connection, collection.id, reference, name)
        if not write(
            connection, collection.id, key, name, added=added, subject=subject, by=actor.id, at=log.now()
        ):
            return False
        note_on(
            actor,
            "tag_added" if added else "tag_removed",
            collection,
            sealed={"word": identity(name), **titled},
            record=reference,
            subject=subject,
            connection=connection,
        )
    return True


def _require_room(connection: Connection, collection_id: str, reference: str, name: str) -> None:
    """Raises Invalid where the record has as many tags as it may have."""
    table = tables.record_tag.c
    there = {
        row[0]
        for row in connection.execute(
            sa.select(table.tag).where(table.collection == collection_id, table.record == reference)
        )
    }
    if len(there) >= MOST_ON_RECORD and identity(name) not in there:
        raise Invalid(f"A record has at most {MOST_ON_RECORD} tags: take one away first.", at="tag")
