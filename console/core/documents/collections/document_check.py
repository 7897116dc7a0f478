"""All errors of a collection document at once: its shape, and unknown names in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.core import expressions
from console.core.documents.collections import contact_document, field_guesses, treatment
from console.core.documents.collections.assembling import MAY_MEAN_NONE
from console.core.documents.collections.collection_document import FORMAT, CollectionDocument, FieldDocument
from console.core.documents.collections.model import FORMATS, fields_of
from console.core.documents.json_shape import Spot, read_document
from console.core.documents.references import roots_of, suggestion
from console.core.expressions import ExpressionError
from console.core.expressions.operands import moment_of, number_of, uuid_of

OF_TEXT = frozenset({"textarea", "link", "email", "phone", "iban", "image", "file", "code", "colour"})
FITTING: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(OF_TEXT, frozenset({"text"})),
    "code": frozenset({"text", "uuid", "integer", "array"}),
    "textarea": frozenset({"text", "json", "array"}),
    **dict.fromkeys(("country", "language", "currency", "zone"), frozenset({"text", "array"})),
    "switch": frozenset({"boolean"}),
    "badge": frozenset({"text", "boolean", "array"}),
    "word": frozenset({"text", "array"}),
    "tags": frozenset({"array"}),
    **dict.fromkeys(
        ("number", "plain", "money", "percent", "fraction", "unix", "unix_ms", "unix_us", "julian", "cocoa"),
        frozenset({"integer", "decimal"}),
    ),
    **dict.fromkeys(("long_day", "iso"), frozenset({"date", "datetime"})),
    "day": frozenset({"date", "datetime", "array"}),
    "ago": frozenset({"datetime"}),
    "json": frozenset({"json", "array", "text"}),
    "translations": frozenset({"json", "text"}),
}
"""Widget → required kinds of values; other widgets fit all."""

CURRENCY_LENGTH = 3


def check(
    document: bytes | str | Mapping[str, Any],
    structure: Mapping[str, Any] | None = None,
    called: frozenset[str] = frozenset(),
) -> list[Spot]:
    """All errors of the document; with the structure of its table also unknown columns.

    `called` are names of fields from company functions.
    """
    made, problems = read_document(document, CollectionDocument, FORMAT, "The file of a collection")
    if made is None:
        return problems
    problems += _twice(made)
    problems += [
        spot
        for place, text, template, roots in _texts(made)
        for spot in _unread(place, text, template, roots)
    ]
    if structure is not None:
        problems += _names(made, structure, called)
    return list({(spot.place, spot.reason): spot for spot in problems}.values())


def _texts(made: CollectionDocument) -> Iterator[tuple[tuple[str | int, ...], str, bool, frozenset[str]]]:
    """(place, expression or template, whether it is a template, allowed roots)."""
    record, segment = frozenset({"record", "now"}), frozenset({"record", "now", "$currentUser"})
    if made.title is not None:
        yield ("title",), made.title, True, frozenset({"record"})
    for name, says in made.fields.items():
        if says.computed is not None:
            yield ("fields", name, "computed"), says.computed, False, record
        if says.default is not None:
            yield ("fields", name, "default"), says.default, True, frozenset({"$currentUser", "now"})
        for number, rule in enumerate(says.validation):
            yield ("fields", name, "validation", number, "if"), rule.if_, False, record
            yield ("fields", name, "validation", number, "message"), rule.message, True, record
    for number, rule in enumerate(made.validation):
        yield ("validation", number, "if"), rule.if_, False, record
        yield ("validation", number, "message"), rule.message, True, record
    for number, entry in enumerate(made.segments):
        if entry.filter is not None:
            yield ("segments", number, "filter"), entry.filter, False, segment


def _unread(place: tuple[str | int, ...], text: str, template: bool, roots: frozenset[str]) -> Iterator[Spot]:
    """An expression that cannot be parsed, or that uses an unknown root."""
    try:
        found = roots_of(text, template=template)
    except ExpressionError as error:
        yield Spot(place, f"{error.reason.rstrip('.')} (at character {error.position + 1}).")
        return
    for root in sorted(found - roots):
        yield Spot(place, f"There is no {root} here; it may look at {', '.join(sorted(roots))}.")


def _twice(made: CollectionDocument) -> Iterator[Spot]:
    """Duplicate names in a list."""
    lists: list[tuple[str, Sequence[str]]] = [
        (place, getattr(made, place) or ())
        for place in ("columns", "details", "form", "new", "search", "key")
    ]
    lists += [
        ("segments", [entry.id for entry in made.segments]),
        ("relations", [entry.name for entry in made.relations]),
    ]
    for place, names in lists:
        for name in dict.fromkeys(name for name in names if list(names).count(name) > 1):
            yield Spot((place,), f"{name} stands here twice: keep one.")


def _names(made: CollectionDocument, structure: Mapping[str, Any], called: frozenset[str]) -> Iterator[Spot]:
    """Unknown columns, and settings that do not fit their column."""
    columns = {column["name"]: column for column in structure["columns"]}
    computed = {name for name, says in made.fields.items() if says.computed is not None} | called
    fields = [*columns, *sorted(computed - columns.keys())]
    for name, says in made.fields.items():
        if name in columns or name not in called:
            yield from _field(name, says, columns, made)
            if says.empty_values is not None and name in columns:
                keyed = name in (made.key or structure["key"])
                for number, reason in _wrong_empty_values(
                    says, columns[name], structure["dialect"], keyed=keyed
                ):
                    yield Spot(("fields", name, "empty_values", *number), reason)
    for place, names, known in _lists(made, fields, list(columns)):
        for name in names:
            if name not in known:
                yield Spot(place, _no_such(name, known))
    yield from _changes(made, columns, structure)
    if made.contact is not None:
        listed = {name for name, says in made.fields.items() if says.options} | {
            name for name, column in columns.items() if column.get("options")
        }
        yield from contact_document.wrong_columns(made.contact, columns, frozenset(listed))
    for place, text, template, _ in _texts(made):
        try:
            named = fields_of(text, template=template)
        except ExpressionError:
            continue
        for name in sorted(named - columns.keys()):
            reason = (
                f"{name} is computed itself: name the columns that it is made of."
                if name in computed
                else _no_such(name, list(columns))
            )
            yield Spot(place, reason)


GROWING = frozenset({"integer", "decimal", "datetime", "date"})
"""Kinds of columns that can say how far a look has come."""


def _changes(
    made: CollectionDocument, columns: Mapping[str, Any], structure: Mapping[str, Any]
) -> Iterator[Spot]:
    """Columns by which changes are noticed: they must be there, and grow."""
    marks = made.changes.model_dump() if made.changes is not None else {}
    for place in ("column", "created", "deleted"):
        name = marks.get(place)
        if name is not None and name not in columns:
            yield Spot(("changes", place), _no_such(name, list(columns)))
        elif (
            name is not None
            and (stored := _stored(made.fields.get(name) or FieldDocument.model_validate({}), columns[name]))
            not in GROWING
            and not field_guesses.is_change_mark(structure, marks, columns[name])
        ):
            yield Spot(
                ("changes", place),
                f"{name} holds {stored}: only a moment, a day or a number says how far a look has come.",
            )


PLAIN = ("integer", "decimal", "boolean", "uuid", "date", "datetime", "time")
"""Kinds of columns that hold nothing inside."""


def _lists(
    made: CollectionDocument, fields: list[str], columns: list[str]
) -> Iterator[tuple[tuple[str | int, ...], Sequence[str], list[str]]]:
    for name in ("columns", "details", "form", "new"):
        yield (name,), getattr(made, name) or (), fields
    for name in ("search", "key", "governed"):
        yield (name,), getattr(made, name) or (), columns
    yield ("sort",), [made.sort.removeprefix("-")] if made.sort else [], columns
    for number, segment in enumerate(made.segments):
        yield ("segments", number, "sort"), [segment.sort.removeprefix("-")] if segment.sort else [], columns
    yield ("summary", "badge"), [made.summary.badge] if made.summary.badge else [], fields
    for number, section in enumerate(made.summary.sections):
        yield ("summary", "sections", number, "fields"), section.fields, fields
    for number, rule in enumerate(made.validation):
        yield ("validation", number, "field"), [rule.field] if rule.field else [], columns


def _field(
    name: str, says: FieldDocument, columns: Mapping[str, Any], made: CollectionDocument
) -> Iterator[Spot]:
    place = ("fields", name)
    column = columns.get(name)
    if column is None and says.computed is None:
        yield Spot(place, f"{_no_such(name, list(columns))} A field without a column is computed.")
        return
    if column is not None and says.computed is not None:
        yield Spot(
            (*place, "computed"), f"The table has a column {name}: give the computed field another name."
        )
    if says.ai not in (None, "never") and treatment.secret(name, column["stored"] if column else "text"):
        yield Spot((*place, "ai"), f"{name} is a secret by its name: a model never gets it. Leave this out.")
    if (
        says.widget is not None
        and says.widget in FITTING
        and column is not None
        and _stored(says, column) not in FITTING[says.widget]
    ):
        yield Spot(
            (*place, "widget"),
            f"A field that holds {_stored(says, column)} cannot be shown as {says.widget}.",
        )
    if says.format is not None and column is not None and column["stored"] != "text":
        yield Spot(
            (*place, "format"),
            f"Only texts have a format ({', '.join(FORMATS)}); this holds {column['stored']}.",
        )
    if (
        says.currency is not None
        and says.currency not in columns
        and not (len(says.currency) == CURRENCY_LENGTH and says.currency.isupper())
    ):
        yield Spot((*place, "currency"), "This must be a column, or a code in three capitals such as EUR.")
    if says.computed is not None:
        hidden = {other for other, field in made.fields.items() if field.hidden}
        try:
            paths = [
                path
                for path in expressions.paths(expressions.parse(says.computed))
                if path[0] == "record" and len(path) > 1
            ]
        except ExpressionError:
            return
        for other in sorted(
            {path[1] for path in paths if path[2:]}
            & {name for name, item in columns.items() if item["stored"] in PLAIN}
        ):
            yield Spot(
                (*place, "computed"), f"{other} is one value: an expression does not look into other records."
            )
        for other in sorted({path[1] for path in paths} & hidden):
            yield Spot(
                (*place, "computed"),
                f"It is made of {other}, which is hidden: what nobody may see, nobody may see of it.",
            )


def _wrong_empty_values(
    says: FieldDocument, column: Mapping[str, Any], dialect: str, *, keyed: bool
) -> Iterator[tuple[tuple[int, ...], str]]:
    """(number of the value, why it cannot mean "none" here)."""
    stored = _stored(says, column)
    if keyed:
        yield (), "It is part of the key, and a key is never empty."
    elif stored not in MAY_MEAN_NONE:
        yield (), f"A field that holds {stored} has no value that means none."
    else:
        for number, value in enumerate(says.empty_values or ()):
            if value is None and (number or not column["nullable"]):
                yield (
                    (number,),
                    "null stands first, where the column takes it: it is then what an emptied field becomes.",
                )
            elif value is not None and not _may_hold(column, dialect, value):
                yield (number,), f"{value} is no value that a column of {column['stored']} can hold."


def _may_hold(column: Mapping[str, Any], dialect: str, value: int | str) -> bool:
    """Whether the column can be compared with the value: databases refuse a day that is none, SQLite takes whatever it is."""
    if column["stored"] in ("integer", "decimal"):
        found = number_of(value)
        return found is not None and (column["stored"] == "decimal" or found == int(found))
    if dialect == "sqlite":
        return True
    match column["stored"]:
        case "date" | "datetime":
            odd = (
                ("infinity", "-infinity")
                if dialect == "postgresql"
                else ("0000-00-00", "0000-00-00 00:00:00")
            )
            return moment_of(value) is not None or value in odd
        case "uuid":
            return uuid_of(value) is not None
    return (
        isinstance(value, str)
        and "\0" not in value
        and (column.get("native") != "enum" or value in column.get("options", ()))
    )


def _stored(says: FieldDocument, column: Mapping[str, Any]) -> str:
    return {"date": "date", "datetime": "datetime", "json": "json", "boolean": "boolean"}.get(
        says.type or "", str(column["stored"])
    )


def _no_such(name: str, known: Sequence[str]) -> str:
    return f"There is no column {name}{suggestion(name, known)}"
