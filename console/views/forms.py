"""Forms and tables that pages declare, and what a posted form says.

`components/form.html` draws each field as label, control, hint and error, always in this order; `components/data_table.html` draws a table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from flask import Blueprint, Flask, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from markupsafe import Markup

from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import formats, frame

blueprint = Blueprint("forms", __name__)

Choice = tuple[str, ...]
"""(value, label), or (value, label, note)."""
Choices = Iterable[Choice] | Mapping[str, Iterable[Choice]]
"""Choices, or by heading the choices below it."""
WITHOUT_PLACE = frozenset({NotAllowed.default_code, "step_up"})
"""Codes of refusals that are answered by a page of their own, not in the form."""


class Part:
    """A part of a form: a field, fields that stand together, a table of fields, or a button."""

    __slots__ = ()


Item = Part | Markup
"""A part of a form; markup is drawn as it is."""


@dataclass(frozen=True, slots=True)
class Field(Part):
    """A field. `kind` is the type of its input, or area, select, radios, checks, check or hidden.

    `key` names its value, its error and its id, where several fields are sent under one name. What is said of the names in `refused_as` is
    said at it too.
    """

    name: str
    label: str = ""
    kind: str = "text"
    hint: str = ""
    choices: Choices = ()
    required: bool = False
    key: str = ""
    refused_as: Sequence[str] = ()
    css: str = ""
    suffix: str = ""
    sent: str = "on"
    max_length: int | None = None
    placeholder: str | None = None
    inputmode: str | None = None
    autocomplete: str = "off"
    rows: int = 3
    suggestions: Choices = ()
    value: Any = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """Return what its value and its error are found by."""
        return self.key or self.name

    @property
    def groups(self) -> list[tuple[str, list[Choice]]]:
        """Return (heading, choices); the heading is empty where there is none."""
        headed = self.choices if isinstance(self.choices, Mapping) else {"": self.choices}
        return [(heading, listed) for heading, choices in headed.items() if (listed := list(choices))]


@dataclass(frozen=True, slots=True)
class Group(Part):
    """Fields that stand together: `card` and `fieldset` below a title, `fold` behind it, else in an element of the class `kind`, such as `pair`."""

    items: Sequence[Item]
    title: str = ""
    kind: str = "pair"
    hint: str = ""
    open: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lines(Part):
    """A table of fields, with a line for each of `rows` (key → values). A line is headed by its title, where it has one.

    `{row}` in the name of a column stands for the key of its line; without it a name is sent once for each line.
    """

    name: str
    label: str
    columns: Sequence[Field]
    rows: Mapping[str, Mapping[str, Any]]
    hint: str = ""
    css: str = "cards"
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    titled: str = "For"

    @property
    def heads(self) -> list[str]:
        """Return the heads of the columns."""
        return [*[self.titled] * bool(self.titles), *(column.label for column in self.columns)]

    @property
    def cells(self) -> list[tuple[tuple[str, str] | None, list[Field]]]:
        """Return the title of each line and its fields, each called by the line for who hears it alone."""
        lines = []
        for number, (row, values) in enumerate(self.rows.items(), start=1):
            title, made = self.titles.get(row), []
            for column in self.columns:
                part = column.key or column.name.replace(".{row}", "").rpartition(".")[2]
                label = f"{title[0]}: {column.label}" if title else f"{column.label}, line {number}"
                named = replace(
                    column, name=column.name.format(row=row), key=f"{self.name}.{row}.{part}", label=label
                )
                made.append(replace(named, value=values.get(part, "")))
            lines.append((title, made))
        return lines


def numbered(rows: Iterable[Mapping[str, Any]], start: int = 0) -> dict[str, Mapping[str, Any]]:
    """Return the lines of a table by their numbers."""
    return {str(number): row for number, row in enumerate(rows, start=start)}


@dataclass(frozen=True, slots=True)
class Button(Part):
    """A button of a form beside the one that saves."""

    label: str
    value: str
    icon: str = ""
    tone: str = ""
    name: str = "do"
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Form:
    """A form with what stands in its fields and why it was refused. `do` is the value that its main button sends.

    Without `says_error` the page says above it why it was refused. With `once` a form that is sent again does nothing twice; `working` is said while its answer is awaited.
    """

    items: Sequence[Item]
    values: Mapping[str, Any] = field(default_factory=dict)
    submit: str = "Save"
    title: str = ""
    intro: str = ""
    icon: str = ""
    tone: str = "primary"
    do: str = ""
    cancel: str = ""
    cancel_label: str = "Cancel"
    buttons: Sequence[Button] = ()
    aside: str = ""
    action: str = ""
    method: str = "post"
    prefix: str = ""
    css: str = "form narrow"
    error: ConsoleError | None = None
    says_error: bool = True
    once: bool = False
    working: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    submit_more: Mapping[str, Any] = field(default_factory=dict)

    declare = Field

    @property
    def errors(self) -> dict[str, str]:
        """Return what is wrong by field."""
        found = reasons(self.error)
        for each in _fields(self.items):
            if others := [found[name] for name in each.refused_as if name in found]:
                found.setdefault(each.at, others[0])
        return found

    @property
    def is_marked(self) -> bool:
        """Return whether a field or table of the form says what is wrong."""
        return any(_marks(self.items, at) for at in self.errors)

    def read(self) -> dict[str, Any]:
        """Return what was sent: a list for `checks`, whether it is ticked for `check`, a password as it is, else the text without space around it."""
        return {each.name: _sent(each) for each in _fields(self.items) if not each.key}

    def submit_to(self, save: Callable[[dict[str, Any]], Response]) -> Response | None:
        """Return the answer of `save` to a posted form; None where the form is to be shown, also after another of its buttons or because it was refused."""
        if request.method != "POST":
            return None
        sent = self.read()
        self.values = {**self.values, **sent} | {
            each.at: "" for each in _fields(self.items) if each.kind == "password"
        }
        if self.do and request.form.get("do") != self.do:
            return None
        try:
            return save(sent)
        except (Invalid, Conflict, NotAllowed) as error:
            if error.code in WITHOUT_PLACE:
                raise
            self.error = error
        return None

    def value_of(self, item: Field) -> Any:
        """Return what stands in a field."""
        return self.values.get(item.at, "") if item.value is None else item.value

    def id_of(self, item: Field) -> str:
        """Return the id of a field's control."""
        return f"{self.prefix}{item.at}"

    def described_by(self, item: Field | Lines, at: str) -> str | None:
        """Return the ids of the hint and the error of a field or table."""
        ident = f"{self.prefix}{at}"
        ids = [f"{ident}-hint"] * bool(item.hint) + [f"{ident}-error"] * (at in self.errors)
        return " ".join(ids) or None

    def attributes(self, item: Field, lines: Lines | None = None) -> dict[str, Any]:
        """Return the attributes of a control. In a table its label is one of them, and what is said of the table marks it."""
        named, at = (
            (lines, lines.name) if lines is not None and lines.name in self.errors else (item, item.at)
        )
        shown: dict[str, Any] = {
            "id": self.id_of(item),
            "name": item.name,
            "class": f"input {item.css}".strip(),
            "maxlength": item.max_length,
            "placeholder": item.placeholder,
            "inputmode": item.inputmode,
            "aria-label": item.label if lines is not None else None,
            "aria-required": "true" if item.required else None,
            "aria-describedby": self.described_by(named, at),
            "aria-invalid": "true" if at in self.errors else None,
            **item.more,
        }
        if item.kind == "area":
            return shown | {"rows": item.rows, "spellcheck": "false"}
        if item.kind == "select":
            return shown
        listed = f"{self.id_of(item)}-list" if item.suggestions else None
        return shown | {
            "type": item.kind,
            "autocomplete": item.autocomplete,
            "value": self.value_of(item),
            "list": listed,
        }


def _fields(items: Iterable[Item]) -> Iterator[Field]:
    for item in items:
        if isinstance(item, Field):
            yield item
        elif isinstance(item, Group):
            yield from _fields(item.items)


def _marks(items: Iterable[Item], at: str) -> bool:
    """Return whether one of the parts says what is wrong at this name."""
    for item in items:
        if isinstance(item, Group) and _marks(item.items, at):
            return True
        if isinstance(item, Lines) and f"{at}.".startswith(f"{item.name}."):
            return True
        if isinstance(item, Field) and item.kind != "hidden" and item.at == at:
            return True
    return False


def _sent(item: Field) -> Any:
    if item.kind == "checks":
        return request.form.getlist(item.name)
    if item.kind == "check":
        return item.name in request.form
    text = request.form.get(item.name, "")
    return text if item.kind == "password" else text.replace("\r\n", "\n").strip()


def reasons(error: ConsoleError | None) -> dict[str, str]:
    """Return why something was refused, by field; several reasons of one field follow each other."""
    found: dict[str, list[str]] = {}
    for detail in error.details if error is not None else ():
        found.setdefault(str(detail.get("field", "")), []).append(str(detail.get("reason", "")))
    return {name: "; ".join(dict.fromkeys(texts)) for name, texts in found.items()}


# -- tables


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows: a text, perhaps as a link, a badge, a note below, and what else was said, folded."""

    text: Any = ""
    href: str = ""
    badge: frame.Badge | None = None
    note: Any = ""
    details: str | None = None
    css: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """A cell that is a button; `said` names it for who does not see its line."""

    action: str
    label: str
    said: str


class Column(NamedTuple):
    """The head of a column and the class of its cells: `r` for numbers, `act` for buttons, whose head is not shown."""

    label: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and lines of cells whose first one heads the line."""

    label: str
    columns: Sequence[Column | str]
    lines: Iterable[Sequence[Any]]
    css: str = "cards"

    @property
    def heads(self) -> list[Column]:
        """Return the columns, those without more than a name too."""
        return [Column(each) if isinstance(each, str) else each for each in self.columns]

    @property
    def rows(self) -> list[list[Cell | Send]]:
        """Return the cells; moments and numbers as the reader writes them."""
        return [
            [cell if isinstance(cell, Cell | Send) else Cell(_shown(cell)) for cell in line]
            for line in self.lines
        ]


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return formats.when(value, frame.look())
    return f"{value:,}" if type(value) is int else "" if value is None else value


def single_field(
    name: str,
    label: str,
    kind: str = "text",
    *,
    error: str = "",
    nothing: str = "",
    choices: Iterable[Choice] = (),
    **more: Any,
) -> tuple[Form, Field]:
    """Return a field of a page whose view reads its form by itself, and the form that draws it. `nothing`: the label of the choice of none."""
    item = Field(name, label, kind, choices=[("", nothing), *choices] if nothing else choices, **more)
    wrong = Invalid(error, at=item.at) if error else None
    return Form([item], error=wrong), item


@blueprint.record_once
def _extend(state: BlueprintSetupState) -> None:
    cast(Flask, state.app).jinja_env.globals.update(single_field=single_field)
