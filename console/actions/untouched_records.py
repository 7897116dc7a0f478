"""Which of the records that an import added nobody and nothing has touched since: only those are taken back with it."""

from collections.abc import Mapping, Sequence

from console import records
from console.auth.access import EVERY_RUN
from console.core.documents.collections import Collection, Relation
from console.core.filters import Group, Test
from console.core.scopes import unrestricted
from console.infra.db.engine import fetch
from console.records import Record

LOOKS = (
    "record_viewed",
    "record_listed",
    "figures_viewed",
    "step_shown",
    "source_opened",
    "checks_shown",
    "access_refused",
    "value_revealed",
)
"""Events about a record that change nothing."""
MOST_FOLLOWING = 50
FOLLOWED = "Records of {} would be deleted with it that the import did not bring."
CHANGED, STRANGE = "It was changed since it was imported.", "The import did not add it."
REASONS: Mapping[str, str] = {
    "run": "A run is about it.",
    "message": "A message went to it, or came from it.",
    "enrolled": "It is in a workflow.",
    "note": "Somebody wrote a note about it.",
    "event": "Something was done with it since it was imported.",
}
"""What touched it → why it stays, the first that fits. What a label or an owner keeps from others is told as something that was done."""
_TOUCHED = f"""
select r.record, case when r.label is null then 'run' else 'event' end from {EVERY_RUN.sql()} where r.collection = %(collection)s and r.record = any(%(named)s)
union select m.record, case when m.label is null then 'message' else 'event' end from console.message m where m.collection = %(collection)s and m.record = any(%(named)s)
union select e.record, case when w.label is null and w.owner is null then 'enrolled' else 'event' end
    from console.enrolment e join console.workflow w on w.id = e.workflow where e.collection = %(collection)s and e.record = any(%(named)s) and e.left_at is null
union select n.record, 'note' from console.record_note n where n.collection = %(collection)s and n.record = any(%(named)s) and n.removed_at is null
union select a.record, 'event' from console.activity a
    where a.record = any(%(named)s) and a.collection = %(collection)s and a.run <> %(batch)s and a.kind <> all(%(looks)s)
        and exists (select from console.activity b where b.record = a.record and b.collection = a.collection and b.run = %(batch)s and b.pos < a.pos)
"""  # noqa: S608 (texts of ours)
_BROUGHT = (
    "select distinct record from console.activity where collection = %s and run = %s and record = any(%s)"
)
_ADDED = "select record, seen from console.import_record where batch = %s and added and record = any(%s)"
_KEYS = "select record from console.import_record where batch = %s and added order by line limit %s"
_PERSONAL_KEYS = (
    "select s.record from console.import_record i join console.subject s on s.collection = %s and s.id = 'sub_' || substr(i.record, 5)"
    " where i.batch = %s and i.added order by i.line limit %s"
)


def added_keys(collection: Collection, import_id: str, most: int) -> list[str]:
    """Keys of the records that the import added, at most so many."""
    if collection.personal_key:
        return [row[0] for row in fetch(_PERSONAL_KEYS, (collection.id, import_id, most))]
    return [row[0] for row in fetch(_KEYS, (import_id, most))]


def why_touched(collection: Collection, import_id: str, seen: Mapping[str, str]) -> dict[str, str]:
    """Key → why the record stays, of those that do; `seen` is key → a digest of the record as it is now. Two statements for all of them."""
    references = {key: records.log_reference(collection, key) for key in seen}
    named = list(references.values())
    added = dict(fetch(_ADDED, (import_id, named)))
    touched: dict[str, set[str]] = {}
    asked = {"collection": collection.id, "named": named, "batch": import_id, "looks": list(LOOKS)}
    for reference, what in fetch(_TOUCHED, asked):
        touched.setdefault(reference, set()).add(what)
    return {
        key: why
        for key, reference in references.items()
        if (
            why := _why(touched.get(reference, ()), added.get(reference), seen[key], known=reference in added)
        )
    }


def why_followed(import_id: str, relation: Relation, record: Record) -> str:
    """Why the record stays for the sake of those that the database deletes with it: the import did not bring all of them. Empty where it did."""
    return (
        ""
        if related_imports(import_id, relation, record) is not None
        else FOLLOWED.format(records.collection(relation.collection).label)
    )


def related_imports(import_id: str, relation: Relation, record: Record) -> list[Record] | None:
    """The records that refer to this one by the relation, where the import brought all of them, as it does consents; None where it did not."""
    there = records.collection(relation.collection)
    tests = tuple(Test(theirs, "eq", record.values.get(ours)) for ours, theirs in relation.columns)
    if not tests or any(test.value is None for test in tests):
        return []
    page = records.page(there.id, unrestricted(there.id), where=Group("and", tests), limit=MOST_FOLLOWING)
    named = [records.log_reference(there, str(each.key)) for each in page.rows]
    known = fetch(_BROUGHT, (there.id, import_id, named)) if named else []
    return None if page.next or len(known) < len(named) else list(page.rows)


def _why(touched: Sequence[str] | set[str], added: str | None, seen: str, *, known: bool) -> str:
    if not known:
        return STRANGE
    reason = next((REASONS[what] for what in REASONS if what in touched), "")
    return reason or ("" if added == seen else CHANGED)
