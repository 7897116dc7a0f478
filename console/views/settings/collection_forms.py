"""Convert the forms about a collection to documents: names, the list of fields, one field, the whole document as text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from console import formats
from console.core.documents.collections import WIDGETS, Field
from console.core.documents.collections.document_check import FITTING
from console.sources.collections import Editing

FLAGS = (
    ("required", "Required", "May not be left or made empty"),
    ("readonly", "Read-only", "Cannot be changed here"),
    ("sensitive", "Sensitive", "The API says so, and it names no record by itself"),
    ("personal", "Personal", "Data about a person: sealed in the log, and erased with them"),
    ("hidden", "Hidden", "Shown to nobody: not in lists, forms, the API or exports"),
)
PLACES = (("columns", "List"), ("details", "Details"), ("form", "Form"))
NAMES = ("label", "label_one", "help", "title", "subject", "sort")
WATCHED = (
    ("column", "Changed at", "A moment or a number that grows with every change of a row"),
    ("created", "Added at", "Tells new records from changed ones"),
    ("deleted", "Deleted at", "Rows that are gone altogether are not seen by a column"),
)
GROWING = frozenset({"datetime", "date", "integer", "decimal"})
AI_WORDS = {
    "full": "Yes, the value as it is",
    "masked": "Only a placeholder such as [EMAIL_1]; it may choose the value without reading it",
    "hash": "Only a code, to tell equal from different",
    "never": "No, and it proposes nothing for it",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A field in the list of fields."""

    name: str
    label: str
    field: Field
    kind: str
    widget: str
    widgets: Sequence[tuple[str, str]]
    places: frozenset[str]
    flags: frozenset[str]
    fixed: frozenset[str]
    column: bool


def order_of(editing: Editing) -> list[str]:
    """Return every field in the order of the page: list columns first, then details, then the others in table order."""
    becoming = editing.becoming
    every = [item.name for item in (*becoming.stored_fields, *becoming.computed_fields)]
    return [
        name
        for name in dict.fromkeys([*becoming.columns, *(becoming.details or ()), *every])
        if name in every
    ]


def rows(editing: Editing) -> list[Row]:
    """Return the fields of the collection as the draft has them."""
    becoming, settings = editing.becoming, editing.document.fields
    known = {item.name: item for item in (*becoming.stored_fields, *becoming.computed_fields)}
    return [_row(known[name], settings.get(name), editing) for name in order_of(editing)]


def _row(item: Field, says: Any, editing: Editing) -> Row:
    becoming = editing.becoming
    column = next((column for column in editing.structure["columns"] if column["name"] == item.name), None)
    places = {place for place, _ in PLACES if item.name in _effective(editing, place)}
    flags = {flag for flag, _, _ in FLAGS if getattr(item, flag)}
    fixed = {"readonly"} if column is None or (item.readonly and not (says and says.readonly)) else set()
    fixed |= {"required"} if column is None or not item.may_be_empty else set()
    flags |= {"required"} if column is not None and not item.may_be_empty else set()
    return Row(
        item.name,
        item.label,
        item,
        "Computed" if item.computed is not None else formats.TYPE_WORDS[item.type],
        (says.widget if says else None) or "",
        offered(item),
        frozenset(places),
        frozenset(flags),
        frozenset(
            fixed
            | ({"columns"} if item.type == "binary" else set())
            | ({"form"} if item.readonly or not becoming.key else set())
        ),
        column is not None,
    )


def offered(item: Field) -> list[tuple[str, str]]:
    """Return the widgets that fit the field, in words."""
    fitting = [name for name in WIDGETS if name not in FITTING or item.stored in FITTING[name]]
    choosing = {"select", "radio", "badge"}
    if not item.options and item.stored != "boolean":
        fitting = [name for name in fitting if name not in choosing]
    if item.stored not in {"text", "uuid"}:
        fitting = [name for name in fitting if name != "input"]
    return [(name, formats.WIDGET_WORDS[name]) for name in fitting]


def every_widget() -> list[tuple[str, str]]:
    """Return all widgets in words, for a field whose kind is not known yet."""
    return list(formats.WIDGET_WORDS.items())


def _effective(editing: Editing, place: str) -> Sequence[str]:
    """Return the fields in a place: those that the document names, else the default ones."""
    becoming = editing.becoming
    if place == "columns":
        return becoming.columns
    named: Sequence[str] | None = getattr(becoming, place)
    if named is not None:
        return named
    return [item.name for item in becoming.fields if place == "details" or not item.readonly]


def merged(editing: Editing, form: MultiDict[str, str]) -> dict[str, Any]:
    """Return the document with the list of fields; only differences from what the page showed are written, which may be a part of the fields."""
    document = editing.document.to_json()
    for name in NAMES:
        if name in form:
            _set_or_drop(document, name, form[name].strip())
    if "changes.column" in form:
        _set_or_drop(document, "changes", _watched(document.get("changes") or {}, form))
    shown = {row.name: row for row in rows(editing)}
    drawn = (
        dict.fromkeys(name for name in form.getlist("order") if name in shown)
        if "order" in form
        else dict.fromkeys(shown)
    )
    arranged = iter(order_after_move(list(drawn), form.get("move", "")))
    order = [next(arranged) if name in drawn else name for name in shown]
    for place, _ in PLACES:
        ticked = [
            name
            for name in order
            if place in (form.getlist(f"in.{name}") if name in drawn else shown[name].places)
        ]
        before = [name for name in shown if place in shown[name].places]
        if ticked != before:
            document[place] = ticked
    settings: dict[str, Any] = document.setdefault("fields", {})
    for name, row in shown.items():
        if f"label.{name}" in form:
            settings[name] = _field(dict(settings.get(name, {})), row, form)
    return document


def _watched(before: Mapping[str, Any], form: MultiDict[str, str]) -> dict[str, Any]:
    """How changes that other programs make are seen; nothing where no column says it and the database does not tell."""
    given = {name: form.get(f"changes.{name}", "") for name, _, _ in WATCHED}
    kept = {name: value for name, value in before.items() if name not in given}
    named = {name: value for name, value in given.items() if value}
    return {**kept, **named} if named.keys() & {"column", "deleted"} or kept.get("listen") else {}


def order_after_move(order: Sequence[str], move: str) -> list[str]:
    """Return the order with one field moved up or down: `up:email`."""
    way, _, name = move.partition(":")
    if name not in order:
        return list(order)
    changed = [field for field in order if field != name]
    changed.insert(max(0, list(order).index(name) + (-1 if way == "up" else 1)), name)
    return changed


def _field(settings: dict[str, Any], row: Row, form: MultiDict[str, str]) -> dict[str, Any]:
    label = form[f"label.{row.name}"].strip()
    if label != row.label:
        _set_or_drop(settings, "label", label)
    _set_or_drop(settings, "widget", form.get(f"widget.{row.name}", ""))
    if settings.get("widget") != "money":
        settings.pop("currency", None)
        settings.pop("minor", None)
    if settings.get("widget") != "textarea":
        settings.pop("lines", None)
    ticked = set(form.getlist(f"flag.{row.name}"))
    for flag, _, _ in FLAGS:
        if flag not in row.fixed and (flag in ticked) != (flag in row.flags):
            settings[flag] = flag in ticked
    return settings


def _set_or_drop(settings: dict[str, Any], name: str, value: Any) -> None:
    """Set a key of the document, or remove it if the value is the default."""
    if value in ("", None, [], {}):
        settings.pop(name, None)
    else:
        settings[name] = value


def field_document(
    form: MultiDict[str, str], former: Mapping[str, Any], item: Field | None = None
) -> dict[str, Any]:
    """Return the document for the form of one field, `item` where a column holds it; keys that the form does not show stay."""
    settings = dict(former)
    if item is not None and "empty_values" in form:
        settings.pop("empty_values", None)
        if (said := _empty_values(form, former, item)) is not None:
            settings["empty_values"] = said
    for name in ("label", "help", "type", "widget", "currency", "format", "computed", "references", "ai"):
        if name in form:
            _set_or_drop(settings, name, form[name].strip())
    lines = form.get("lines", "").strip()
    _set_or_drop(settings, "lines", int(lines) if lines.isdigit() else lines)
    for flag in ("required", "readonly", "minor"):
        settings.pop(flag, None)
        if flag in form.getlist("flag"):
            settings[flag] = True
    for flag in ("sensitive", "personal", "hidden"):
        settings.pop(flag, None)
        if form.get(flag) in ("yes", "no"):
            settings[flag] = form[flag] == "yes"
    if "options" in form:
        _set_or_drop(settings, "options", options_of(form["options"]))
    rules = [
        {"if": condition.strip(), "message": message.strip()}
        for condition, message in zip(form.getlist("rule.if"), form.getlist("rule.message"), strict=False)
        if condition.strip() or message.strip()
    ]
    _set_or_drop(settings, "validation", rules)
    return settings


def _empty_values(
    form: MultiDict[str, str], former: Mapping[str, Any], item: Field
) -> list[int | str | None] | None:
    """Return the values that mean empty: those of the box, and the answer to the question about what the sample found; None where nobody has said."""
    parts = [part.strip() for part in form["empty_values"].split(",") if part.strip()]
    numbers = item.stored in ("integer", "decimal")
    said = [
        None if part == "null" else int(part) if numbers and re.fullmatch(r"-?[0-9]+", part) else part
        for part in parts
    ]
    match form.get("do"):
        case "empty" if item.likely_empty is not None:
            return [*said, item.likely_empty[0]]
        case "filled":
            return said
    return said or ([] if former.get("empty_values") == [] else None)


def empty_values_text(said: Sequence[int | str | None] | None) -> str:
    """Return the values that mean empty as the box has them, separated by commas; `null` is what an emptied field becomes."""
    return ", ".join("null" if each is None else str(each) for each in said or ())


def options_of(text: str) -> list[Any]:
    """Parse options, one in a line: `value | label | colour`."""
    made: list[Any] = []
    for line in text.splitlines():
        value, label, tone = (part.strip() for part in (*line.split("|", 2), "", "")[:3])
        if value:
            made.append(
                {"value": value} | ({"label": label} if label else {}) | ({"tone": tone} if tone else {})
            )
    return made


def options_text(options: Sequence[Any] | None) -> str:
    """Return options as text, one in a line; the reverse of `options_of`."""
    lines = []
    for item in options or ():
        option = item if isinstance(item, Mapping) else {"value": item}
        lines.append(
            " | ".join([option["value"], option.get("label", ""), option.get("tone", "")]).rstrip(" |")
        )
    return "\n".join(lines)
