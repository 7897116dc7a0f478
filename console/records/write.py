"""Changing a record with one compare-and-set UPDATE, with the scope in its WHERE.

The record is read and locked first, in the same transaction. A value that changed since the person saw it is a conflict that shows the
present value, and nothing is written. A value that nobody changed is neither judged nor written. What the database keeps is read back before
COMMIT. Only a connection lost during COMMIT leaves the result unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.currencies import decimals
from console.core.documents.collections import Collection, Field
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.core.expressions.operands import Spelled, equal
from console.core.forms import FormField
from console.core.json_equality import same_json
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.infra import faults
from console.infra.db import request_writes
from console.records import (
    broken_rules,
    catalogue,
    changes_made,
    connect,
    exact_json,
    governing,
    mysql_clock,
    record_keys,
    refusals,
    values,
    write_checks,
)
from console.records.dialects import Condition, value
from console.records.read_back import read_back
from console.records.reader import Reader, Record
from console.records.record_reads import get
from console.records.related_values import referring, unseen_references
from console.records.sql_tables import Table, table_of

UNKEPT = frozenset(
    {"json", "array"}
)  # kinds that not every database can compare; they are compared before, while the row is locked


UNSAVED = "Some values cannot be saved; nothing was changed."


class WriteUnknown(SourceDown):
    """The connection was lost while the change was committed: it may have been made. Look at the record before trying again."""

    default_code = "write_unknown"


def write(
    collection_id: str,
    key: str,
    changes: Mapping[str, Mapping[str, Any]],
    scope: Scope,
    *,
    by_action: bool = False,
    workflow: str | None = governing.BY_HAND,
) -> Record:
    """The record as it is kept after its fields were set to `new`, if all still were `old` (a field without `old` is set unconditionally).

    `by_action`: fields that are read-only for people may be changed too, except those of the key. `workflow`: the id of the one whose run
    writes; fields that workflows govern are left to these.

    Raises Conflict `record_changed` with `{"field", "reason", "theirs"}` per changed field, Invalid per field with an impossible value,
    NotAllowed for a field that is read-only in the scope, NotFound out of scope, SourceDown, WriteUnknown.
    """
    collection = catalogue.collection(collection_id)
    catalogue.require_writable(collection)
    fields = _fields(collection, changes, scope, by_action=by_action, workflow=workflow)
    if not fields:
        return get(collection_id, key, scope)
    table = table_of(collection)
    parts = record_keys.decode(collection, key)
    engine = catalogue.engine_of(collection)
    for last in (False, True):
        try:
            with connect.transaction(engine, collection.source) as connection:
                return _change(connection, table, key, parts, fields, changes, scope)
        except Stale as error:
            if last:
                raise connect.driver_refusal(error.cause, collection.source) from error.cause
    raise AssertionError("unreachable")  # pragma: no cover


def refusals_of_change(
    collection: Collection, former: Mapping[str, Any], changed: Mapping[str, Any], scope: Scope
) -> list[str]:
    """Why a record of the values `former` may not get the `changed` ones (field → JSON), as far as can be told without its database."""
    try:
        fields = _fields(
            collection,
            {name: {"new": new} for name, new in changed.items()},
            scope,
            by_action=False,
            workflow=governing.BY_HAND,
        )
        _require_fitting(collection, fields, changed, {})
    except (Invalid, NotAllowed) as error:
        return [
            str(detail["reason"])
            for detail in error.details
            if "reason" in detail and isinstance(error, Invalid)
        ] or [error.message]
    known = {field.name: former.get(field.name) for field in collection.stored_fields}
    details = [
        *unseen_references(collection, changed, known, scope),
        *write_checks.violations(collection, scope, known, changed),
    ]
    return [detail["reason"] for detail in details]


class Stale(Exception):
    """The connection was dead before anything was sent."""

    def __init__(self, cause: sa.exc.DBAPIError) -> None:
        super().__init__()
        self.cause = cause


def _fields(
    collection: Collection,
    changes: Mapping[str, Mapping[str, Any]],
    scope: Scope,
    *,
    by_action: bool,
    workflow: str | None,
) -> list[Field]:
    """The fields to change. Raises Invalid for impossible names, NotAllowed for read-only fields."""
    details = []
    fields = []
    for name in changes:
        field = collection.visible(name, scope.hidden)
        if field is None:
            details.append({"field": name, "reason": f"{collection.label_one} has no field {name}."})
            continue
        if field.computed is not None or (field.name in collection.key if by_action else field.readonly):
            details.append({"field": name, "reason": f"{field.label} cannot be changed here."})
        fields.append(field)
    details += governing.refused(fields, workflow)
    if details:
        raise Invalid(UNSAVED, details=details)
    kept = [field for field in fields if field.name in scope.fixed]
    if kept:
        named = ", ".join(field.label for field in kept)
        need = (f"field:{collection.id}/{kept[0].name}", "update")
        raise NotAllowed(
            f"You may not change {named}. An admin can grant it.",
            need=need,
            details=[(field.name, "not allowed") for field in kept],
        )
    return fields


def _change(
    connection: Connection,
    table: Table,
    key: str,
    parts: Sequence[Any],
    fields: list[Field],
    changes: Mapping[str, Mapping[str, Any]],
    scope: Scope,
) -> Record:
    collection, is_key = table.collection, table.is_key(parts)
    changed = {field.name: _meant(collection, field, changes[field.name]["new"]) for field in fields}
    more = write_checks.needed_columns(collection, changed) | {
        here for link in referring(collection, changed) for here, _ in link.columns
    }
    former = locked(connection, table, key, is_key, [field.name for field in fields], scope, more)
    theirs = {field.name: values.read(table.readers[field.name], former[field.name]) for field in fields}
    compare(collection, changes, theirs)
    known = {name: values.read(table.readers[name], item) for name, item in former.items()}
    moved = {
        field.name: changed[field.name]
        for field in fields
        if not _stays(collection, field, changed[field.name], theirs[field.name])
    }
    reader, wanted = Reader(table, scope, None), Record(collection.id, key, key, {**theirs, **moved})
    if not moved:
        return reader.finished(read_back(connection, reader, [wanted]))[0]
    new = _require_fitting(collection, fields, moved, former)
    if details := [
        *unseen_references(collection, moved, known, scope),
        *write_checks.violations(collection, scope, known, moved),
    ]:
        raise Invalid(UNSAVED, details=details)
    new |= mysql_clock.now_of(connection, collection, new, "update")
    kept = [
        _still(table, field, former[field.name])
        for field in fields
        if field.name in moved and not _inexact(table, field, former[field.name])
    ]
    statement = (
        sa.update(table.table)
        .where(is_key, table.in_scope_when_written(parts, scope), *kept)
        .values(
            {
                table.table.columns[name]: sa.null() if item is None else value(item)
                for name, item in new.items()
            }
        )
    )
    try:
        if connection.execute(statement).rowcount != 1:
            raise left_out(connection, table, is_key, table.in_scope(scope), *kept)
        [record] = read_back(connection, reader, [wanted])
    except sa.exc.DBAPIError as error:
        raise rejected(error, collection, fields, scope) from error
    _require_moved(collection, moved, theirs, record)
    what = "the change was saved. Look whether it was made before you try again"
    commit(
        connection,
        collection,
        f"{collection.id}/{key}",
        what,
        lambda error: rejected(error, collection, fields, scope),
    )
    changes_made.note_change(
        changes_made.Changed(collection.id, key, theirs, {name: record.values[name] for name in theirs})
    )
    return reader.finished([record])[0]


def _require_moved(
    collection: Collection, moved: Mapping[str, Any], former: Mapping[str, Any], record: Record
) -> None:
    """Raises Invalid where a field has its former value again after the change: a trigger put it back, and who made the change would take it for made."""
    now = record.values
    back = [
        name
        for name in moved
        if name in now and alike(collection, collection.by_name[name], now[name], former[name])
    ]
    if back:
        reason = "The database puts the former value back: a trigger or rule of its own keeps it."
        details = [{"field": name, "reason": f"{collection.by_name[name].label}: {reason}"} for name in back]
        raise Invalid("The database keeps a value as it was; nothing was saved.", details=details)


def left_out(connection: Connection, table: Table, *same: Condition, done: str = "saved") -> ConsoleError:
    """Why a statement wrote no row: the database keeps the record as it is where it is the `same` still; otherwise it was changed meanwhile."""
    if (
        table.dialect.name != "mysql"
        and connection.execute(sa.select(sa.literal(1)).select_from(table.table).where(*same)).first()
        is not None
    ):
        return Invalid(
            f"The database keeps this record as it is: a trigger or rule of its own left the change out. Nothing was {done}."
        )
    return Conflict(
        f"The record changed at this moment. Look at it again; nothing was {done}.", code="record_changed"
    )


def commit(
    connection: Connection,
    collection: Collection,
    target: str,
    what: str,
    refusal: Callable[[sa.exc.DBAPIError], Exception],
) -> None:
    """Commit what was written to `target`, which the request then names as written, or as unknown if the connection was lost while `what`.

    Raises WriteUnknown, SourceDown, and the `refusal` of a deferred constraint.
    """
    faults.point("records.commit.before")
    try:
        committed = connect.commit(connection)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            request_writes.unknown(target)
            raise WriteUnknown(f"The connection to {collection.source} was lost while {what}.") from error
        raise refusal(error) from error
    if committed:
        request_writes.written(target)


def _require_fitting(
    collection: Collection, fields: list[Field], moved: Mapping[str, Any], former: Mapping[str, Any]
) -> dict[str, Any]:
    """The new values in the driver's form, given those read before. Raises Invalid with a detail for each that does not fit."""
    fitting, details = {}, []
    for field in fields:
        if field.name in moved:
            try:
                fitting[field.name] = values.written(
                    collection.dialect, field, moved[field.name], former.get(field.name)
                )
            except values.Unfit as reason:
                details.append({"field": field.name, "reason": str(reason)})
    if details:
        raise Invalid(UNSAVED, details=details)
    return fitting


def locked(
    connection: Connection,
    table: Table,
    key: str,
    is_key: Condition,
    fields: list[str],
    scope: Scope,
    more: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The driver's present values of the fields and of `more` columns; locks the row if the database can. Raises NotFound."""
    names = list(dict.fromkeys([*fields, *sorted(more), *table.collection.key]))
    statement = (
        sa.select(*(table.columns[name] for name in names))
        .select_from(table.table)
        .where(is_key, table.in_scope(scope))
    )
    try:
        row = connection.execute(
            statement if table.dialect.name == "sqlite" else statement.with_for_update()
        ).first()
        if (
            row is None and table.dialect.name == "postgresql"
        ):  # a policy may let it be read, and not be locked
            row = connection.execute(statement).first()
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise Stale(error) from error
        raise connect.driver_refusal(error, table.collection.source) from error
    if row is None or record_keys.key_of(table.collection, table.json(names, row)) != key:
        raise NotFound
    return dict(zip(names, row, strict=True))


def compare(
    collection: Collection, changes: Mapping[str, Mapping[str, Any]], theirs: Mapping[str, Any]
) -> None:
    """Raises Conflict naming every field whose `old` differs from the present value (`theirs`)."""
    details = []
    for name, change in changes.items():
        field = collection.by_name[name]
        if "old" in change and not alike(collection, field, change["old"], theirs[name]):
            details.append(
                {
                    "field": name,
                    "reason": f"{field.label} was changed by somebody else in the meantime.",
                    "theirs": theirs[name],
                }
            )
    if details:
        raise Conflict(
            "The record was changed in the meantime; nothing was saved.",
            code="record_changed",
            details=details,
        )


def alike(collection: Collection, field: Field, one: Any, other: Any) -> bool:
    """Whether two JSON values are the same value of this field: 12.5 equals 12.50, and a moment is the same in every zone."""
    if field.stored == "json":
        one, other = exact_json.numbers(one), exact_json.numbers(other)
    elif isinstance(one, Spelled):
        one = str(one)
    if field.stored in {"json", "array", "text", "boolean", "other", "binary"}:
        return same_json(one, other)
    typed = collection.typed({field.name: one})[field.name], collection.typed({field.name: other})[field.name]
    return equal(*typed) is True


def _meant(collection: Collection, field: Field, new: Any) -> Any:
    """The new value; null for one that means "none", so that it is written and logged in one way."""
    return (
        None
        if any(each is not None and alike(collection, field, new, each) for each in field.empty_values)
        else new
    )


def _stays(collection: Collection, field: Field, new: Any, former: Any) -> bool:
    """Whether the column holds the new value already; where it takes no null, an empty text stands for none."""
    return alike(collection, field, new, former) or (
        new is None and former == "" and field.blank and not field.nullable
    )


def _inexact(table: Table, field: Field, former: Any) -> bool:
    """Whether the driver's value cannot be compared with the column's (MySQL's `float`, a text that is not UTF-8): the row is locked."""
    lossy = (table.dialect.name == "mysql" and field.native == "float4") or (
        isinstance(former, str) and "\ufffd" in former
    )
    return lossy or field.stored in UNKEPT


def _still(table: Table, field: Field, former: Any) -> Condition:
    """Condition that the column still has the value that was read."""
    column = table.columns[field.name]
    if table.dialect.name == "mysql":
        if field.native == "bit1" and isinstance(former, bytes):
            column, former = column + sa.literal_column("0"), int.from_bytes(former)
        return column.op("<=>", is_comparison=True)(value(former))
    if field.native in {"float4", "float8"} and former is not None:
        return column.is_not_distinct_from(value(repr(former)))  # as text: the column's type converts it
    return column.is_not_distinct_from(value(former))


# ------------------------------------------------------------------------------------------------------------- refusals


NOTHING = "Nothing was saved."


KEPT_OUT = "The database takes no record with these values here: a policy of its own (row-level security) keeps it out."


def rejected(
    error: sa.exc.DBAPIError, collection: Collection, fields: list[Field], scope: Scope | None = None
) -> Exception:
    """The error to raise for a value that the database refused, at its field. `scope`: of whom may hear of the other fields that the rule compares."""
    original = error.orig
    if (reason := refusals.raised(original)) is not None:
        about = broken_rules.raised_about(original, fields)
        return Invalid(
            reason if about else f"{reason} {NOTHING}",
            details=[(field.name, reason) for field in about],
        )
    if refusals.keeps_out(original):
        return Invalid(
            f"{KEPT_OUT} {NOTHING}",
            details=[(field.name, KEPT_OUT) for field in fields if len(fields) == 1],
        )
    if not isinstance(error, (sa.exc.IntegrityError, sa.exc.DataError)) and not refusals.breaks_rule(
        original
    ):
        return connect.driver_refusal(error, collection.source)
    known = (
        []
        if scope is None
        else [field for field in collection.stored_fields if collection.visible(field.name, scope.hidden)]
    )
    named, reason = broken_rules.reason(original, collection, fields, known)
    if named and broken_rules.is_duplicate(original):
        reason = same_words(collection, original, known or named)
    about = named or (fields if len(fields) == 1 else [])
    return Invalid(
        "The database refuses this change; nothing was saved." if about else f"{reason} {NOTHING}",
        details=[(field.name, reason) for field in about],
    )


def same_words(collection: Collection, original: Any, told: Sequence[Field]) -> str:
    """Why a record is refused that must not have the values of another: "Another tag has the same name.". `told`: fields that may be named."""
    named = broken_rules.concerned(original, collection, [*told])
    return f"Another {uncapitalised(collection.label_one)} has the same {' and '.join(field.label for field in named)}."


# ---------------------------------------------------------------------------------------------------------------- forms


IN_SMALLEST = "Its currency is not known here: write it as it is stored, in the smallest unit."


def forms(
    collection: Collection,
    names: list[str],
    record: Record | None,
    scope: Scope,
    workflow: str | None = governing.BY_HAND,
) -> list[FormField]:
    """Form fields for these columns in this order, without hidden ones. `value` and `now` are the record's values.

    `workflow`: the id of the one whose step asks; fields that others govern are read-only.
    """
    made = []
    shut = {
        detail["field"]
        for detail in governing.refused(
            [collection.by_name[name] for name in names if name in collection.by_name], workflow
        )
    }
    for name in names:
        field = collection.visible(name, scope.hidden)
        if field is None:
            continue
        now = record.values.get(name) if record else None
        currency = _currency_of(collection, field, names, record)
        made.append(
            _form_field(
                field,
                now,
                currency,
                asked_beside=field.currency in names,
                readonly=field.readonly or name in scope.fixed or name in shut,
            )
        )
    return made


def _currency_of(collection: Collection, field: Field, names: list[str], record: Record | None) -> str | None:
    """The currency of an amount: its code, or the name of the column where that is asked for too, or empty."""
    column = field.currency
    if column is None or column not in collection.by_name or column in names:
        return column
    known = record.values.get(column) if record else None
    return column if known is None else str(known)


def _form_field(
    field: Field, now: Any, currency: str | None, *, asked_beside: bool, readonly: bool
) -> FormField:
    options: Any = [option.to_json() for option in field.options] if field.options is not None else None
    if options is None and field.references:
        options = {"collection": field.references}
    unknown = field.minor and bool(currency) and decimals(currency) is None and not asked_beside
    required = field.needed and not readonly and field.stored not in {"boolean", "array", "json"}
    return FormField(
        name=field.name,
        label=field.label,
        type=field.type,
        required=required,
        readonly=readonly,
        value=now,
        now=now,
        options=options,
        min=field.least
        if field.stored == "integer" and field.least is not None and abs(field.least) < 2**31
        else None,
        max=field.most
        if field.stored == "integer" and field.most is not None and abs(field.most) < 2**31
        else None,
        max_length=field.max_length,
        help=" ".join(filter(None, (field.help, IN_SMALLEST if unknown and not readonly else None))) or None,
        widget=field.widget,
        lines=field.lines,
        minor=field.minor or None,
        currency=currency,
    )
