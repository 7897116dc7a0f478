"""Conditions of a component as rows of field, comparison and value, one an expression of the document; what rows cannot say is a row of text."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from console import browse, records
from console.core.documents.collections import Collection, Field, Option, condition_rows
from console.core.documents.collections.condition_rows import (
    DAY,
    DAYS,
    EXPRESSION,
    OPERATORS,
    SOURCE,
    VALUELESS,
    ConditionRow,
    every_field,
    name_of,
    parts_of,
    row_of,
    row_words,
    rows_of,
    text_of,
    together,
)
from console.core.errors import ConsoleError
from console.core.plain_words import humanised, uncapitalised
from console.formats import Look
from console.views import formats, frame
from console.views.browse import reference_boxes

MOST = 20
READER = (("me.email", "E-mail address"), ("me.name", "Name"))
Groups = Mapping[str, Sequence[tuple[str, str]]]
"""Title → (path, label) of what the workspace has to compare with."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as it is drawn. `control`: of its value, one of text, number, date, choice, many, pick, picks, expression, none.

    `text` stands in the box of the value; `picks` is the collection whose records it finds by name, and `picked` what is sent for the one it shows.
    """

    line: ConditionRow
    control: str
    comparisons: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, str]] = ()
    values: Sequence[str] = ()
    sourced: bool = False
    error: str = ""
    text: str = ""
    picks: str = ""
    picked: str = ""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The choices of the value, with chosen ones that are not there any more."""
        known = {value for value, _ in self.options}
        return [
            *self.options,
            *(
                (value, f"{value} (not there any more)")
                for value in self.values
                if value and value not in known
            ),
        ]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a box, and what all of them offer: fields and paths to compare with, by the title of their group.

    `joined`: whether all or any of them must hold, "" where each is an expression of its own.
    """

    shown: Sequence[Shown]
    fields: Groups
    sources: Groups
    joined: str = ""

    @property
    def paths(self) -> frozenset[str]:
        """Every path that is offered."""
        return frozenset(path for choices in self.sources.values() for path, _ in choices)

    @property
    def named(self) -> frozenset[str]:
        """Every field that is offered."""
        return frozenset(name for choices in self.fields.values() for name, _ in choices)

    @property
    def full(self) -> bool:
        """Whether no row more may be added."""
        return len(self.shown) >= MOST

    @property
    def refused(self) -> bool:
        """Whether what is wrong stands at a row."""
        return any(each.error for each in self.shown)


def known_collection(collection_id: str) -> Collection | None:
    """The collection of this id; None where it is not there."""
    with suppress(ConsoleError):
        return records.collection(collection_id) if collection_id else None
    return None


def fields_of(collection_id: str) -> dict[str, Field]:
    """The fields that a row may name."""
    collection = known_collection(collection_id)
    return (
        {item.name: item for item in collection.stored_fields if condition_rows.conditional(item)}
        if collection
        else {}
    )


# ------------------------------------------------------------------------------------------------ what a form sends


def sent_lines(name: str, form: MultiDict[str, str]) -> list[ConditionRow] | None:
    """The rows of the box in a sent form, with one more or one less where a button says so; None where it has none."""
    places = {
        int(key.split(".")[-2])
        for key in form
        if re.fullmatch(rf"{re.escape(name)}\.[0-9]{{1,4}}\.field", key)
    }
    act, _, number = form.get("do", "").removeprefix(f"{name}.").partition(".")
    own = form.get("do", "").startswith(f"{name}.")
    lines = [
        _sent(f"{name}.{place}", form)
        for place in sorted(places)
        if not (own and act == "without" and number == str(place))
    ]
    if own and act == "add" and len(lines) < MOST:
        lines.append(ConditionRow())
    return lines if places or own else None


def _sent(at: str, form: MultiDict[str, str]) -> ConditionRow:
    value = ", ".join(
        each.strip() for part in ("value", "more") for each in _keys(f"{at}.{part}", form) if each.strip()
    )
    field, comparison, source = (form.get(f"{at}.{part}", "") for part in ("field", "comparison", "source"))
    was = form.get(f"{at}.was", "")
    if source.startswith(condition_rows.READER):
        return ConditionRow(field, comparison, source, "", was)
    if (
        field == EXPRESSION and comparison and was
    ):  # a row becomes one of text: it begins as the expression that the row said
        return ConditionRow(field, value=was, was=was)
    return ConditionRow(field, comparison, value.replace("\r\n", "\n"), source, was)


def _keys(name: str, form: MultiDict[str, str]) -> list[str]:
    """What is sent under this name, of a record that was found by its name the key."""
    return reference_boxes.box_values(form, name, form.getlist(name))


def _read(lines: Sequence[ConditionRow], fields: Mapping[str, Field]) -> tuple[list[str], dict[int, str]]:
    """(expressions, number of a row → what is wrong with it); rows without a field are left out."""
    texts, wrong = [], {}
    for number, line in enumerate(lines):
        try:
            texts += [text] if line.field and (text := text_of(line, fields)) else []
        except ValueError as error:
            wrong[number] = str(error)
    return texts, wrong


def read(name: str, form: MultiDict[str, str], typed: Sequence[str]) -> list[str]:
    """The expressions of the box: of its rows, or as `typed` where the form has no rows; those of rows that lack something are left out."""
    lines = sent_lines(name, form)
    return list(typed) if lines is None else _read(lines, fields_of(form.get("collection", "")))[0]


def read_joined(name: str, form: MultiDict[str, str], fields: Mapping[str, Field], before: str) -> str:
    """The one expression that the rows of the box make; as it was typed where the form has no rows."""
    lines = sent_lines(name, form)
    return (
        form.get(name, "").strip()
        if lines is None
        else together(_read(lines, fields)[0], form.get(f"{name}.joined", "all"), before)
    )


def wrong_rows(name: str, form: MultiDict[str, str], fields: Mapping[str, Field]) -> list[str]:
    """What is wrong with rows of the box."""
    return list(_read(sent_lines(name, form) or [], fields)[1].values())


# ------------------------------------------------------------------------------------------------ what is drawn


def condition_box(
    name: str,
    stored: str | Sequence[str],
    groups: Mapping[str, Mapping[str, Field]],
    form: MultiDict[str, str] | None,
    sources: Groups,
    *,
    refused: bool = False,
) -> Rows:
    """Return the rows of a box: as they were sent, so that nothing typed is lost, else those of the document, where somebody else changed it too.

    `stored` is one expression, or several of which each is a row; `groups`: title → what a row may name; `sources`: what it may be compared with.
    """
    fields = every_field(groups)
    joined, texts = parts_of(stored) if isinstance(stored, str) else ("", list(stored))
    lines = sent_lines(name, form) if form is not None else None
    said, wrong = _read(lines or [], fields)
    chosen = form.get(f"{name}.joined", joined) if form is not None and joined else joined
    same = together(said, chosen, stored) == stored if isinstance(stored, str) else said == texts
    if lines is None or not (same or wrong):
        lines, wrong, chosen = [row_of(text, fields) for text in texts], {}, joined
    look = _naming(lines, fields)
    shown = [
        _shown(line, fields, bool(sources), wrong.get(number, "") if refused else "", look)
        for number, line in enumerate(lines)
    ]
    offered = {title: [(key, each.label) for key, each in group.items()] for title, group in groups.items()}
    return Rows(shown, offered, sources, "any" if chosen == "any" else joined and "all")


def words(text: str, fields: Mapping[str, Field]) -> str:
    """Return the condition as it is read aloud: "Customer is Isla Hartley"; "" for what no row says alone."""
    row = row_of(text, fields)
    field = with_names(fields, [text]).get(row.field)
    if field is None or row.source or (row.field.startswith("selected.") and field.name == "key"):
        return ""
    root = row.field.removesuffix(field.name).split(".")
    return row_words(
        row,
        replace(field, label=f"{field.label} of the chosen {' '.join(root[1:-1])}")
        if root[0] == "selected"
        else field,
    )


def with_names(
    fields: Mapping[str, Field], texts: Sequence[str], named: Callable[[Any], str] = name_of
) -> dict[str, Field]:
    """Return the fields; those that lead to records that the conditions name have these as options, so that words about them say their names."""
    rows = [
        row
        for text in texts
        for row in (rows_of(text, named=named) or ("", []))[1]
        if row.comparison not in VALUELESS
    ]
    look, found = _naming(rows, fields), dict(fields)
    for row in rows:
        field = found.get(row.field)
        if field is not None and field.references:
            known = [
                Option(value, name)
                for value in _values(row)
                if (name := reference_boxes.name_of(formats.kind(field), value, look))
            ]
            found[row.field] = replace(field, options=(*(field.options or ()), *known))
    return found


def _values(line: ConditionRow) -> list[str]:
    return [each.strip() for each in line.value.split(",")] if line.comparison == "in" else [line.value]


def _naming(lines: Sequence[ConditionRow], fields: Mapping[str, Field]) -> Look:
    """The look with the names of the records that rows name by their keys."""
    wanted = {
        (field.references, value)
        for line in lines
        if (field := fields.get(line.field)) is not None and field.references and not line.source
        for value in _values(line)
        if value
    }
    look = frame.look()
    return frame.naming(browse.names_of(frame.actor(), wanted), look) if wanted else look


def _shown(line: ConditionRow, fields: Mapping[str, Field], sources: bool, error: str, look: Look) -> Shown:
    if line.field == EXPRESSION:
        return Shown(line, "expression", [], error=error)
    field = fields.get(line.field)
    if field is None:
        words = list({value: words for value, words, _ in condition_rows.offered()}.items())
        return Shown(line, "text", words, error=error, text=line.value)
    fitting = condition_rows.comparisons(field)
    line = line if line.comparison in fitting else replace(line, comparison=next(iter(fitting)))
    options = [(each.value, each.label) for each in field.options or ()]
    values, sourced = _values(line), sources and line.comparison in OPERATORS
    if sourced and line.value.startswith(condition_rows.READER):
        line = replace(line, value="", source=line.value)
    control, what = _control(line, field, bool(options)), formats.kind(field)
    shown = Shown(line, control, list(fitting.items()), options, values, sourced, error, line.value)
    match control:
        case "pick":
            name = reference_boxes.name_of(what, line.value, look)
            return replace(
                shown,
                text=name or line.value,
                picks=str(field.references),
                picked=reference_boxes.box_data(what, line.value, look),
            )
        case "picks":
            named = [
                (value, reference_boxes.name_of(what, value, look) or value)
                for value in dict.fromkeys(values)
                if value
            ]
            return replace(shown, options=named, picks=str(field.references), text="")
    return shown


def _control(line: ConditionRow, field: Field, options: bool) -> str:
    if line.comparison in VALUELESS:
        return "none"
    if options and line.comparison in ("==", "!="):
        return "choice"
    if options and line.comparison == "in":
        return "many"
    if field.references and line.comparison in ("==", "!=", "in"):
        return "picks" if line.comparison == "in" else "pick"
    kind = condition_rows.kind_of(field)
    if kind == "day" and line.comparison in OPERATORS:
        return "date" if not line.value or DAY.fullmatch(line.value) else "text"
    return (
        "number"
        if line.comparison in DAYS or (kind in ("number", "amount") and line.comparison in OPERATORS)
        else "text"
    )


def sources_of(names: Sequence[tuple[str, str]]) -> Groups:
    """Return what a row may be compared with: (path, label) of the workspace, by the title of its group."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path, label in names:
        root, _, rest = path.partition(".")
        first = rest.partition(".")[0]
        if SOURCE.fullmatch(path) and root == "input":
            found.setdefault("An input of the workspace", []).append((path, label or humanised(first)))
        elif SOURCE.fullmatch(path) and root == "selected":
            found.setdefault(f"Of the chosen {uncapitalised(humanised(first))}", []).append((path, label))
    found["Of whoever looks"] = list(READER)
    return found
