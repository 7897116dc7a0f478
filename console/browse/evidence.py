"""Checks that records and files named in a form exist for the actor.

Missing and invisible ones are refused in the same words. Name, size, type and hash of a file come from the file store, never from the request.
"""

from collections import defaultdict
from collections.abc import Collection as Group, Iterable, Mapping, Sequence
from typing import Any

from console import records
from console.auth import access
from console.core import media
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import NotFound
from console.core.expressions import parse
from console.core.forms import FormField, refusal, takes_files
from console.infra import files

NO_RECORD = "There is no such record here, or it is outside what you may see: search for it and choose one."


def reference_errors(
    actor: Actor, team: str | None, fields: Iterable[FormField], given: Mapping[str, Any]
) -> list[dict[str, str]]:
    """A detail `{"field", "reason"}` for each field that names a record invisible to the actor. An unchanged value is accepted."""
    return reference_errors_of_each(actor, team, fields, [given])[0]


def reference_errors_of_each(
    actor: Actor, team: str | None, fields: Iterable[FormField], rows: Sequence[Mapping[str, Any]]
) -> list[list[dict[str, str]]]:
    """The same for many rows of values, in their order; a statement for each collection."""
    references: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for field in fields:
        target = field.options.get("collection") if isinstance(field.options, Mapping) else None
        held = {str(one) for one in (field.value, field.now) if one is not None}
        if target is None or field.readonly:
            continue
        named = ((number, given.get(field.name)) for number, given in enumerate(rows))
        references[str(target)] += [
            (number, field.name, str(value))
            for number, value in named
            if value not in (None, "") and str(value) not in held
        ]
    errors: list[list[dict[str, str]]] = [[] for _ in rows]
    for target, entries in references.items():
        seen = visible_keys(actor, team, target, {value for *_, value in entries}) if entries else set()
        for number, name, value in entries:
            if value not in seen:
                errors[number].append({"field": name, "reason": NO_RECORD})
    return errors


def require(actor: Actor, team: str | None, fields: Iterable[FormField], given: Mapping[str, Any]) -> None:
    """Raises Invalid with a detail for each field that names a record invisible to the actor."""
    there = list(fields)
    if details := reference_errors(actor, team, there, given):
        raise refusal(details, there)


def visible_keys(actor: Actor, team: str | None, collection_id: str, values: Group[str]) -> set[str]:
    """The keys whose records the actor may see."""
    try:
        if not access.can(actor, team, f"collection:{collection_id}", "read"):
            return set()
        return records.visible_keys(collection_id, values, access.scope_for(actor, collection_id, "read"))
    except NotFound:
        return set()


def wrong_columns(actor: Actor, collection: Collection, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Like `wrong`, for columns of a record that refer to other records by any column."""
    found: list[dict[str, str]] = []
    for relation in collection.relations:
        if relation.kind != "to_one" or len(relation.columns) != 1:
            continue
        ((here, there),) = relation.columns
        value = given.get(here)
        if value is not None and value != "" and not _led(actor, relation.collection, there, value):
            found.append({"field": here, "reason": NO_RECORD})
    return found


def _led(actor: Actor, target_id: str, column: str, value: Any) -> bool:
    """Whether the actor may see a record with this value in this column."""
    try:
        target = records.collection(target_id)
        if not access.can(actor, None, f"collection:{target_id}", "read"):
            return False
        scope = access.scope_for(actor, target_id, "read")
        if target.key == (column,):
            return bool(records.visible_keys(target_id, [str(value)], scope))
        known = target.typed({column: value})
        return bool(
            records.page(
                target_id,
                scope,
                segment=parse(f"record.{column} == input.value"),
                limit=1,
                roots={"input": {"value": known[column]}},
            ).rows
        )
    except NotFound:
        return False


def uploaded_files(run_id: str) -> dict[str, dict[str, Any]]:
    """Id → value of the existing files that were uploaded to the run."""
    return {file.id: file.value for file in files.of_run(run_id) if files.has_bytes(file)}


def with_files(fields: Iterable[FormField], values: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """`values` with the stored metadata of each file. A file that is not of this run gets no name, so that the form refuses it."""
    file_fields = {
        field.name
        for field in fields
        if takes_files(field) and not field.readonly and values.get(field.name) not in (None, "", [])
    }
    if not file_fields:
        return dict(values)
    there, made = uploaded_files(run_id), dict(values)
    for name in file_fields:
        entries = made[name] if isinstance(made[name], list) else [made[name]]
        found = [there.get(media.file_id_of(entry) or "", {}) for entry in entries]
        made[name] = found if isinstance(made[name], list) else found[0]
    return made
