"""Conditions of a component as rows of field, comparison and value, one an expression of the document; what rows cannot say is a row of text."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from console import records
from console.core import expressions
from console.core.documents.collections import Collection, Field, condition_rows, document_words
from console.core.documents.collections.condition_rows import EMPTY, VALUELESS, ConditionRow
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Compare, Node, Path
from console.core.plain_words import humanised, uncapitalised
from console.errors import ConsoleError, Invalid

BOXES = ("where", "part")
EXPRESSION = "="
"""In place of a field: the value is an expression."""
MOST = 20
DAYS = frozenset({"last", "older", "next"})
OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">="})
"""Comparisons whose other side may come from the workspace."""
SOURCE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
READER = (("me.email", "E-mail address"), ("me.name", "Name"))
Groups = Mapping[str, Sequence[tuple[str, str]]]
"""Title → (path, label) of what the workspace has to compare with."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `source`: the path whose value is compared with, in place of a typed one; `was`: its expression in the document."""

    field: str = ""
    comparison: str = "=="
    value: str = ""
    source: str = ""
    was: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as it is drawn. `control`: of its value, one of text, number, date, choice, many, expression, none."""

    line: Line
    control: str
    comparisons: Sequence[tuple[str, str]]
    options: Sequence[tuple[str, str]] = ()
    values: Sequence[str] = ()
    sourced: bool = False
    error: str = ""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The choices of the value, with chosen ones that are not there any more."""
        known = {value for value, _ in self.options}
        return [*self.options, *((value, f"{value} (not there any more)") for value in self.values if value and value not in known)]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a box, and what all of them offer."""

    shown: Sequence[Shown]
    fields: Sequence[tuple[str, str]]
    sources: Groups

    @property
    def paths(self) -> frozenset[str]:
        """Every path that is offered."""
        return frozenset(path for choices in self.sources.values() for path, _ in choices)

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
    return {item.name: item for item in collection.stored_fields if condition_rows.conditional(item)} if collection else {}


# ------------------------------------------------------------------------------------------------ rows and expressions


def text_of(line: Line, fields: Mapping[str, Field]) -> str:
    """The expression that the row says. Raises ValueError with a sentence."""
    if line.field == EXPRESSION:
        return line.value.strip()
    if line.was and line == line_of(line.was, fields):
        return line.was
    return _made(line, fields)


def _made(line: Line, fields: Mapping[str, Field]) -> str:
    field = fields.get(line.field)
    sourced = bool(line.source) and line.comparison in OPERATORS
    days = field is not None and condition_rows.kind_of(field) == "day" and line.comparison in OPERATORS
    if days and not sourced and line.value and not DAY.match(line.value):
        raise ValueError(f"Write a day as 2026-12-31: {line.value} is none.")
    stand_in = "$currentUser.source" if sourced else line.value
    text, wrong = condition_rows.expression_of([ConditionRow(line.field, line.comparison, stand_in)], "all", fields)
    if wrong:
        raise ValueError(wrong[0].reason)
    if not sourced:
        return text
    if not SOURCE.fullmatch(line.source):
        raise ValueError("Choose what it is compared with.")
    return text.removesuffix(stand_in) + line.source


def line_of(text: str, fields: Mapping[str, Field]) -> Line:
    """The row that says exactly this expression; a row of text where none does."""
    for line in _candidates(text, fields):
        with suppress(ValueError, ExpressionError):
            if _meaning(_made(line, fields)) == _meaning(text):
                return line
    return Line(EXPRESSION, value=text, was=text)


def _meaning(text: str) -> str:
    """The tree of the expression without where its parts stand: spacing is no difference. Raises ExpressionError."""
    return re.sub(r"position=[0-9]+", "", repr(expressions.parse(text).node))


def _candidates(text: str, fields: Mapping[str, Field]) -> list[Line]:
    with suppress(ExpressionError):
        node = expressions.parse(text).node
        if (source := _source(node)) and isinstance(node, Compare) and isinstance(node.left, Path):
            return [Line(str(node.left.steps[0]), node.operator, "", source, text)] if len(node.left.steps) == 1 else []
        found = condition_rows.rows_of(text)
        rows = [document_words.typed(row, fields) for row in found[1]] if found else []
        return [Line(row.field, row.comparison, row.value, "", text) for row in rows] if len(rows) == 1 else []
    return []


def _source(node: Node) -> str:
    """The path that a field of the record is compared with; "" where it is with anything else."""
    match node:
        case Compare(left=Path(root="record"), right=Path(root="input" | "selected" | "me") as other):
            return other.dotted if SOURCE.fullmatch(other.dotted) else ""
    return ""


# ------------------------------------------------------------------------------------------------ what a form sends


def sent_lines(name: str, form: MultiDict[str, str]) -> list[Line] | None:
    """The rows of the box in a sent form, with one more or one less where a button says so; None where it has none."""
    places = {int(key.split(".")[1]) for key in form if re.fullmatch(rf"{name}\.[0-9]{{1,4}}\.field", key)}
    act, _, number = form.get("do", "").removeprefix(f"{name}.").partition(".")
    own = form.get("do", "").startswith(f"{name}.")
    lines = [_sent(f"{name}.{place}", form) for place in sorted(places) if not (own and act == "without" and number == str(place))]
    if own and act == "add" and len(lines) < MOST:
        lines.append(Line())
    return lines if places or own else None


def _sent(at: str, form: MultiDict[str, str]) -> Line:
    value = ", ".join(each.strip() for each in form.getlist(f"{at}.value") if each.strip())
    field, comparison, source = (form.get(f"{at}.{part}", "") for part in ("field", "comparison", "source"))
    was = form.get(f"{at}.was", "")
    if field == EXPRESSION and comparison and was:  # a row becomes one of text: it begins as the expression that the row said
        return Line(field, value=was, was=was)
    return Line(field, comparison, value.replace("\r\n", "\n"), source, was)


def _read(lines: Sequence[Line], fields: Mapping[str, Field]) -> tuple[list[str], dict[int, str]]:
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


def check(part: str, form: MultiDict[str, str]) -> None:
    """Raises Invalid, naming the boxes of the component, where a row lacks something."""
    details = []
    for name in BOXES:
        wrong = _read(sent_lines(name, form) or [], fields_of(form.get("collection", "")))[1]
        details += [{"field": f"{part}.{name}", "reason": reason} for reason in wrong.values()]
    if details:
        raise Invalid(details[0]["reason"], details=details)


# ------------------------------------------------------------------------------------------------ what is drawn


def drawn(
    name: str, given: Mapping[str, Any], form: MultiDict[str, str] | None, names: Sequence[tuple[str, str]], *, refused: bool = False
) -> Rows:
    """The rows of a box: as they were sent, so that nothing typed is lost, else those of the document. `names`: (path, label) of the workspace."""
    fields, stored = fields_of(str(given.get("collection") or "")), list(given.get(name) or ())
    lines = sent_lines(name, form) if form is not None else None
    texts, wrong = _read(lines or [], fields)
    if lines is None or (texts != stored and not wrong):
        lines, wrong = [line_of(text, fields) for text in stored], {}
    sources = _grouped(names)
    shown = [_shown(line, fields, bool(sources), wrong.get(number, "") if refused else "") for number, line in enumerate(lines)]
    return Rows(shown, [(each.name, each.label) for each in fields.values()], sources)


def _shown(line: Line, fields: Mapping[str, Field], sources: bool, error: str) -> Shown:
    if line.field == EXPRESSION:
        return Shown(line, "expression", [], error=error)
    field = fields.get(line.field)
    if field is None:
        return Shown(line, "text", list({value: words for value, words, _ in condition_rows.offered()}.items()), error=error)
    fitting = condition_rows.comparisons(field)
    line = line if line.comparison in fitting else replace(line, comparison=next(iter(fitting)))
    options = [(each.value, each.label) for each in field.options or ()]
    values = [each.strip() for each in line.value.split(",")] if line.comparison == "in" else [line.value]
    sourced = sources and line.comparison in OPERATORS
    return Shown(line, _control(line, field, bool(options)), list(fitting.items()), options, values, sourced, error)


def _control(line: Line, field: Field, options: bool) -> str:
    if line.comparison in VALUELESS or line.comparison in EMPTY:
        return "none"
    if options and line.comparison in ("==", "!="):
        return "choice"
    if options and line.comparison == "in":
        return "many"
    kind = condition_rows.kind_of(field)
    if kind == "day" and line.comparison in OPERATORS:
        return "date" if not line.value or DAY.fullmatch(line.value) else "text"
    return "number" if line.comparison in DAYS or (kind == "number" and line.comparison in OPERATORS) else "text"


def _grouped(names: Sequence[tuple[str, str]]) -> Groups:
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
