"""Conditions of a component as rows of field, comparison and value, one an expression of the document; what rows cannot say is a row of text."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from console import browse, records
from console.core import expressions
from console.core.documents.collections import Collection, Field, Option, condition_rows, document_words
from console.core.documents.collections.condition_rows import EMPTY, VALUELESS, ConditionRow
from console.core.errors import ConsoleError
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Compare, Node, Path
from console.core.plain_words import humanised, uncapitalised
from console.formats import Look
from console.views import formats, frame
from console.views.browse import reference_boxes

EXPRESSION = "="
"""In place of a field: the value is an expression."""
MOST = 20
DAYS = frozenset({"last", "older", "next"})
OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">="})
"""Comparisons whose other side may come from the workspace."""
SOURCE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
READER = (("me.email", "E-mail address"), ("me.name", "Name"))
READER_OF_LIST = "$currentUser."
"""Where a value begins that is of whoever looks at a list; a row holds it as if it were typed."""
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
    """A row as it is drawn. `control`: of its value, one of text, number, date, choice, many, pick, picks, expression, none.

    `text` stands in the box of the value; `picks` is the collection whose records it finds by name, and `picked` what is sent for the one it shows.
    """

    line: Line
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
    root = line.field.removesuffix(field.name).removesuffix(".") if field else ""
    row = ConditionRow(line.field, line.comparison, stand_in)
    text, wrong = condition_rows.expression_of([row], "all", fields, root or "record")
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
        if (source := _source(node)) and isinstance(node, Compare):
            return [Line(name, node.operator, "", source, text)] if (name := _named(node.left)) else []
        found = condition_rows.rows_of(text, _named)
        rows = [document_words.typed(row, fields) for row in found[1]] if found else []
        return (
            [Line(row.field, row.comparison, row.value, "", text) for row in rows] if len(rows) == 1 else []
        )
    return []


def _named(node: Any) -> str:
    """How a row names what this path leads to: a field of the record by its name alone, else by the whole way; "" for what no row names."""
    if not isinstance(node, Path) or not all(isinstance(step, str) for step in node.steps):
        return ""
    if node.root == "record":
        return str(node.steps[0]) if len(node.steps) == 1 else ""
    return ".".join(map(str, (node.root, *node.steps))) if node.root in ("input", "selected", "me") else ""


def _source(node: Node) -> str:
    """The path that a field of the record or of the workspace is compared with; "" where it is with anything else."""
    match node:
        case Compare(
            left=Path(root="record" | "input" | "selected" | "me"),
            right=Path(root="input" | "selected" | "me") as other,
        ):
            return other.dotted if SOURCE.fullmatch(other.dotted) else ""
    return ""


_SIGN = re.compile(
    r"(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')|(?P<open>[(\[])|(?P<close>[)\]])|&&|\|\|", re.DOTALL
)


def parts_of(text: str) -> tuple[str, list[str]]:
    """(`all` or `any`, the conditions that the expression joins so): what joins none is the only one."""
    for joined, sign in (("any", "||"), ("all", "&&")):
        parts, depth, begins = list[str](), 0, 0
        for found in _SIGN.finditer(text):
            depth += bool(found["open"]) - bool(found["close"])
            if found[0] == sign and not depth:
                parts.append(text[begins : found.start()].strip())
                begins = found.end()
        if parts:
            return joined, [*parts, text[begins:].strip()]
    return "all", [text.strip()] if text.strip() else []


def together(texts: Sequence[str], joined: str, before: str = "") -> str:
    """The conditions as one expression; as it was written `before` where that says the same."""
    if len(texts) > 1 and joined == "all":
        texts = [f"({text})" if parts_of(text)[0] == "any" else text for text in texts]
    made = (" || " if joined == "any" else " && ").join(texts)
    with suppress(ExpressionError):
        return before if before and _meaning(made) == _meaning(before) else made
    return made


# ------------------------------------------------------------------------------------------------ what a form sends


def sent_lines(name: str, form: MultiDict[str, str]) -> list[Line] | None:
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
        lines.append(Line())
    return lines if places or own else None


def _sent(at: str, form: MultiDict[str, str]) -> Line:
    value = ", ".join(
        each.strip() for part in ("value", "more") for each in _keys(f"{at}.{part}", form) if each.strip()
    )
    field, comparison, source = (form.get(f"{at}.{part}", "") for part in ("field", "comparison", "source"))
    was = form.get(f"{at}.was", "")
    if source.startswith(READER_OF_LIST):
        return Line(field, comparison, source, "", was)
    if (
        field == EXPRESSION and comparison and was
    ):  # a row becomes one of text: it begins as the expression that the row said
        return Line(field, value=was, was=was)
    return Line(field, comparison, value.replace("\r\n", "\n"), source, was)


def _keys(name: str, form: MultiDict[str, str]) -> list[str]:
    """What is sent under this name, of a record that was found by its name the key."""
    return reference_boxes.sent(form, name, form.getlist(name))


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


def drawn(
    name: str,
    stored: Sequence[str],
    groups: Mapping[str, Mapping[str, Field]],
    form: MultiDict[str, str] | None,
    names: Sequence[tuple[str, str]],
    *,
    refused: bool = False,
    joined: str = "",
    sources: Groups | None = None,
) -> Rows:
    """The rows of a box: as they were sent, so that nothing typed is lost, else those of the document.

    `groups`: title → what a row may name; `names`: (path, label) of the workspace, to compare with, unless `sources` says with what;
    `joined`: `all` or `any` where the rows are one expression.
    """
    fields = {key: field for group in groups.values() for key, field in group.items()}
    lines = sent_lines(name, form) if form is not None else None
    texts, wrong = _read(lines or [], fields)
    if lines is None or (texts != list(stored) and not wrong and not joined):
        lines, wrong = [line_of(text, fields) for text in stored], {}
    sources = _grouped(names) if sources is None else sources
    look = _naming(lines, fields)
    shown = [
        _shown(line, fields, bool(sources), wrong.get(number, "") if refused else "", look)
        for number, line in enumerate(lines)
    ]
    return Rows(
        shown,
        {title: [(key, each.label) for key, each in group.items()] for title, group in groups.items()},
        sources,
        joined,
    )


def drawn_joined(
    name: str,
    stored: str,
    groups: Mapping[str, Mapping[str, Field]],
    form: MultiDict[str, str] | None,
    names: Sequence[tuple[str, str]],
    *,
    refused: bool = False,
    sources: Groups | None = None,
) -> Rows:
    """The rows of a box that is one expression."""
    fields = {key: field for group in groups.values() for key, field in group.items()}
    if (
        form is not None
        and not wrong_rows(name, form, fields)
        and read_joined(name, form, fields, stored) != stored
    ):
        form = None  # somebody else changed it
    joined, texts = parts_of(stored)
    joined = form.get(f"{name}.joined", joined) if form is not None else joined
    return drawn(
        name,
        texts,
        groups,
        form,
        names,
        refused=refused,
        joined="any" if joined == "any" else "all",
        sources=sources,
    )


def words(text: str, fields: Mapping[str, Field]) -> str:
    """The condition as it is read aloud: "Customer is Isla Hartley"; "" for what no row says alone."""
    line = line_of(text, fields)
    field = fields.get(line.field)
    if field is None or line.source or (line.field.startswith("selected.") and field.name == "key"):
        return ""
    look, what, labels = (
        _naming([line], fields),
        formats.kind(field),
        {each.value: each.label for each in field.options or ()},
    )
    values = ", ".join(
        reference_boxes.name_of(what, value, look) or labels.get(value, value) for value in _values(line)
    )
    how, root = (
        condition_rows.comparisons(field)[line.comparison],
        line.field.removesuffix(field.name).split("."),
    )
    label = f"{field.label} of the chosen {' '.join(root[1:-1])}" if root[0] == "selected" else field.label
    return f"{label} {how.replace('…', values) if '…' in how else f'{how} {values}'.strip()}"


def with_names(fields: Mapping[str, Field], texts: Sequence[str]) -> dict[str, Field]:
    """The fields; those that lead to records that the conditions name have these as options, so that words about them say their names."""
    rows = [row for text in texts for row in (condition_rows.rows_of(text) or ("", []))[1]]
    lines = [Line(row.field, row.comparison, row.value) for row in rows if row.comparison not in VALUELESS]
    look, found = _naming(lines, fields), dict(fields)
    for line in lines:
        field = found.get(line.field)
        if field is not None and field.references:
            named = [
                Option(value, name)
                for value in _values(line)
                if (name := reference_boxes.name_of(formats.kind(field), value, look))
            ]
            found[line.field] = replace(field, options=(*(field.options or ()), *named))
    return found


def _values(line: Line) -> list[str]:
    return [each.strip() for each in line.value.split(",")] if line.comparison == "in" else [line.value]


def _naming(lines: Sequence[Line], fields: Mapping[str, Field]) -> Look:
    """The look with the names of the records that rows name by their keys."""
    wanted = {
        (field.references, value)
        for line in lines
        if (field := fields.get(line.field)) is not None and field.references and not line.source
        for value in _values(line)
        if value
    }
    look = frame.look()
    return frame.naming(browse.named(frame.actor(), wanted), look) if wanted else look


def _shown(line: Line, fields: Mapping[str, Field], sources: bool, error: str, look: Look) -> Shown:
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
    if sourced and line.value.startswith(READER_OF_LIST):
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
                picked=reference_boxes.held(what, line.value, look),
            )
        case "picks":
            named = [
                (value, reference_boxes.name_of(what, value, look) or value)
                for value in dict.fromkeys(values)
                if value
            ]
            return replace(shown, options=named, picks=str(field.references), text="")
    return shown


def _control(line: Line, field: Field, options: bool) -> str:
    if line.comparison in VALUELESS or line.comparison in EMPTY:
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
        "number" if line.comparison in DAYS or (kind == "number" and line.comparison in OPERATORS) else "text"
    )


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
