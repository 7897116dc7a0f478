"""The rows and totals that a step reads beside its record, with the rights of the person (of the holder for an automatic step)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import records
from console.auth import access
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection, Relation
from console.core.errors import NotFound
from console.core.expressions import Expression
from console.core.expressions.operands import UNKNOWN
from console.core.origins import Way, followed, read_of_relation
from console.core.related_record import Leading
from console.core.run import Run
from console.core.scopes import Scope
from console.records import Record
from console.runs.store import loaded_rows
from console.steps.base import NEXT, Read, Rows, Total


def read_rows(actor: Actor, run: Run, record: Record | None, read: Read, roots: Mapping[str, Any]) -> Rows:
    """What this reads now, under the rights of the actor. Raises SourceDown, NotFound for a relation that is no longer there."""
    if read.collection is not None:
        return _read_many(actor, run, records.collection(read.collection), None, read, roots, {})
    if run.collection is None or run.record is None or record is None:
        return Rows("", "", (), ())
    own = records.collection(run.collection)
    if read.relation is None:
        return _rows_of_own_record(actor, own, record, read)
    relation = own.relation(read.relation)
    if relation is None:
        raise NotFound(f"{own.label} has no relation {read.relation} any more.")
    return _read_many(
        actor, run, records.collection(relation.collection), relation, read, roots, record.values
    )


def lead_record(
    actor: Actor, team: str | None, record: Record, found: Iterable[Way]
) -> tuple[Leading, list[tuple[Read, Rows]]]:
    """Return the record, from which these paths follow relations as far as the actor may read, and what was read for that. Raises SourceDown."""
    known = {each.id: each for each in records.collections()}
    held: dict[Way, Record] = {(): record}
    reads = []
    wanted = followed(found, known.get(record.collection), known)
    for path, target in wanted.items():
        parent = held.get(path[:-1])
        if parent is None or parent.key is None:
            continue
        rows = []
        if access.can(actor, team, f"collection:{target}", "read"):
            scope = access.scope_for(actor, target, "read")
            rows = records.related(
                parent.collection, parent.key, path[-1], scope, 1, known=parent.values
            ).rows
        if rows:
            held[path] = rows[0]
        keys = [{"key": row.key} for row in rows]
        reads.append((Read(read_of_relation(path), path[-1]), Rows(target, "", (), keys)))

    def lead(path: Way) -> Leading:
        values = known[held[path].collection].typed(held[path].values)
        return Leading(values, lambda name: follow((*path, name)))

    def follow(path: Way) -> Any:
        return lead(path) if path in held else UNKNOWN if path in wanted else None

    return lead(()), reads


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which rows are asked for: those of the target within the scope and `where`; with `led_from` (collection, key, relation) of a record that holds `known`, related ones."""

    target: Collection
    scope: Scope
    where: Expression | None
    roots: Mapping[str, Any]
    led_from: tuple[str, str, str] | None
    known: Mapping[str, Any]

    def totals(self, wanted: Sequence[records.Figure]) -> dict[str, Any]:
        """Name → figure over all of them."""
        return records.totals(
            self.target.id,
            self.scope,
            wanted,
            led_from=self.led_from,
            where=self.where,
            roots=self.roots,
            known=self.known,
        )

    def page(self, read: Read) -> tuple[list[Record], str | None]:
        """(the first `read.limit` rows, where to read on if there are more), read in as many pages as needed."""
        rows: list[Record] = []
        after: str | None = (
            self.roots.get("steps", {}).get(read.goes_on, {}).get(NEXT) if read.goes_on is not None else None
        )
        scope, where, roots = self.scope, self.where, self.roots
        while True:
            limit = min(records.MOST_ROWS, read.limit - len(rows))
            if self.led_from is not None:
                part = records.related(
                    *self.led_from,
                    scope,
                    limit=limit,
                    after=after,
                    sort=read.sort,
                    where=where,
                    roots=roots,
                    known=self.known,
                )
            else:
                part = records.page(
                    self.target.id,
                    scope,
                    segment=where,
                    sort=read.sort,
                    limit=limit,
                    after=after,
                    roots=roots,
                )
            rows, after = [*rows, *part.rows], part.next
            if after is None or len(rows) >= read.limit:
                return rows, after

    def keys(self) -> tuple[str | None, ...]:
        """Keys of all rows that totals are computed from; `UNTOLD` if there are too many."""
        rows, following = self.page(Read(limit=loaded_rows.MOST_KEYS))
        return (loaded_rows.UNTOLD,) if following is not None else tuple(row.key for row in rows)


def _read_many(
    actor: Actor,
    run: Run,
    target: Collection,
    relation: Relation | None,
    read: Read,
    roots: Mapping[str, Any],
    known: Mapping[str, Any],
) -> Rows:
    """Rows and totals of a collection, or of the relation's target. Hidden fields are used neither in filters nor in totals."""
    label, source = (relation.label, relation.name) if relation else (target.label, target.id)
    if not access.can(actor, run.team, f"collection:{target.id}", "read"):
        return Rows(target.id, label, (), (), denied=(source,))
    scope = access.scope_for(actor, target.id, "read")
    where = expressions.parse(read.where) if read.where else None
    looked_at = (
        {path[1] for path in expressions.paths(where) if path[0] == "record" and len(path) > 1}
        if where
        else set()
    )
    if shut := sorted(looked_at & scope.hidden):
        return Rows(target.id, label, (), (), denied=tuple(shut))
    asked = _Asked(
        target,
        scope,
        where,
        roots,
        (run.collection or "", run.record or "", relation.name) if relation else None,
        known,
    )
    figures = [total for total in read.totals if total.field is None or total.field not in scope.hidden]
    wanted = [records.Figure(total.name, total.function, total.field) for total in figures]
    totals = asked.totals(wanted) if wanted else {}
    columns = [_figure(target, total) for total in figures]
    refused = tuple(total.name for total in read.totals if total not in figures)
    if read.totals and not read.fields:
        return Rows(
            target.id,
            label,
            (),
            (),
            refused,
            totals=totals,
            figures=columns,
            reckoned=asked.keys() if wanted else (),
        )
    page, following = asked.page(read)
    more = following is not None
    fields, denied = _columns(target, scope, read.fields)
    kept = {name for field in fields for name in (field["name"], target.currencies.get(field["name"]))}
    rows = [
        {"key": row.key, "title": row.title, "values": {k: v for k, v in row.values.items() if k in kept}}
        for row in page
    ]
    return Rows(
        target.id,
        label,
        fields,
        rows,
        (*denied, *refused),
        more,
        following,
        totals,
        columns,
        asked.keys() if wanted and more else (),
    )


def _figure(target: Collection, total: Total) -> dict[str, Any]:
    """A total as a column of a table."""
    field = target.field(total.field) if total.field is not None else None
    return {"name": total.name, "label": total.words, "type": field.type if field is not None else "integer"}


def _rows_of_own_record(actor: Actor, collection: Collection, record: Record, read: Read) -> Rows:
    scope = access.scope_for(actor, collection.id, "read")
    fields, denied = _columns(collection, scope, read.fields)
    beside = {
        collection.currencies.get(field["name"]) for field in fields
    } & record.values.keys() - scope.hidden
    values = {
        name: record.values.get(name)
        for name in (*(field["name"] for field in fields), *sorted(filter(None, beside)))
    }
    return Rows(
        collection.id,
        collection.label_one,
        fields,
        [{"key": record.key, "title": record.title, "values": values}],
        denied,
    )


def _columns(
    collection: Collection, scope: Scope, names: Sequence[str]
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """(columns in the shape of the API, names that may not be read). No `names`: every readable field."""
    wanted = names or [field.name for field in collection.readable(scope)]
    known = [
        field for name in wanted if (field := collection.field(name)) is not None and name not in scope.hidden
    ]
    return [field.to_json() for field in known], tuple(name for name in wanted if name in scope.hidden)
