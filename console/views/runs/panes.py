"""What stands beside the form of a run, for the live page and for replay: the record's sections, tables and related records.

Nothing here decides anything or reads the database.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from console import records
from console.browse import RelatedPage
from console.core.documents.collections import Field
from console.core.errors import NotFound
from console.runs import Today
from console.views import formats, frame, states
from console.views.browse import expiry
from console.views.formats import Kind, Look


@dataclass(frozen=True, slots=True)
class Line:
    """A value of the record panel. `since` is the present value if it differs from the one shown; `marked`: a proposal is based on it, `empty`: it says nothing."""

    label: str
    shown: Markup
    since: Markup | None = None
    name: str = ""
    marked: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Values under one heading."""

    label: str
    lines: Sequence[Line]


def sections(
    record: Mapping[str, Any], look: Look, now: Mapping[str, Any] | None = None, state: str | None = None
) -> list[Section]:
    """Return the record panel in sections; fields without a section come last, under "More". The field `state` is drawn as a badge."""
    kinds = {source["name"]: formats.kind(source) for source in record.get("fields", ())}
    values = _with_currencies(kinds.values(), record.get("values", {}))
    now = _with_currencies(kinds.values(), now) if now is not None else None
    placed: set[str] = set()
    made = []
    draw = _Drawing(look, now, state, frozenset(record.get("masked", ())))
    for part in record.get("sections", ()):
        names = [name for name in part["fields"] if name in values]
        placed |= set(names)
        if names:
            made.append(
                Section(
                    part["label"],
                    [draw.line(kinds.get(name) or Kind(name, name), values[name]) for name in names],
                )
            )
    rest = [name for name in kinds if name not in placed and name in values]
    if rest:
        made.append(Section("More" if made else "", [draw.line(kinds[name], values[name]) for name in rest]))
    return made


def number_of(record: Mapping[str, Any] | None) -> str:
    """Return the number by which people call the record beside its title, from the values that were shown; empty where there is none."""
    try:
        return records.collection(record["collection"]).number_of(record.get("values", {})) if record else ""
    except NotFound:
        return ""


def marked(parts: Sequence[Section], name: str | None) -> list[Section]:
    """Return the sections with the line of this field marked."""
    return (
        [
            replace(part, lines=[replace(line, marked=line.name == name) for line in part.lines])
            for part in parts
        ]
        if name
        else list(parts)
    )


def _with_currencies(kinds: Iterable[Kind], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values, amounts with the currency of the same record."""
    return formats.with_currencies(
        values, {what.name: what.currency for what in kinds if what.currency in values}
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How the values of one record are drawn: with those of today (`now`), the field `state` as a badge, those that are `masked` as dots."""

    look: Look
    now: Mapping[str, Any] | None
    state: str | None
    masked: frozenset[str] = frozenset()

    def line(self, what: Kind, value: Any) -> Line:
        """Return the line of a value."""
        if what.name in self.masked:
            return Line(what.label, states.MASKED, name=what.name)
        since, draw = None, states.badge if what.name == self.state else formats.html
        if self.now is not None and what.name in self.now and self.now[what.name] != value:
            since = draw(what, self.now[what.name], self.look)
        else:
            since = _renamed(what, value, self.look)
        drawn = (
            expiry.line(what, value, self.look) if expiry.is_expiry(what) else draw(what, value, self.look)
        )
        return Line(what.label, drawn, since, what.name, empty=since is None and formats.absent(value))


def _renamed(what: Kind, value: Any, look: Look) -> Markup | None:
    """Return what a reference is called today, if that is another name than the one that was shown; else None."""
    if not look.renamed or value is None:
        return None
    today = replace(look, records={**look.records, **look.renamed})
    return (
        formats.html(what, value, today)
        if formats.text(what, value, today) != formats.text(what, value, look)
        else None
    )


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that a step shows. Cells are finished `<td>` elements, `href` is the address of a row's record. `closed`: the reader may read none of them."""

    label: str
    columns: Sequence[Kind]
    rows: Sequence[tuple[str | None, str, Markup]]
    closed: bool = False


def tables(
    screen: Mapping[str, Any], look: Look, states_of: Mapping[str, str], today: Today | None = None
) -> list[Table]:
    """Return the tables of a step as they were shown; `states_of` maps collection → its state field. With `today`, cells that differ today are marked."""
    return [
        table_of({"badge": states_of.get(table.get("collection") or ""), **table}, look, today)
        for table in screen.get("tables", ())
    ]


def table_of(source: Mapping[str, Any], look: Look, today: Today | None = None) -> Table:
    """Return one table from {"label", "collection", "columns", "rows"}; `badge` names the state column."""
    columns = [
        formats.kind(column, source.get("key") or _keys(source))
        for column in source["columns"]
        if _filled(column, source, today)
    ]
    masked, state = source.get("masked", ()), source.get("badge")
    columns = [
        what for what in columns if what.name in masked or not _said_by_titles(what, source, look, today)
    ]
    writers = [
        (
            column.name,
            _masked_cell(column)
            if column.name in masked
            else (states.cell if column.name == state else formats.cell)(column, look),
        )
        for column in columns
    ]
    rows = []
    for row in source["rows"]:
        href = (
            frame.record_url(source["collection"], row["key"])
            if source.get("collection") and row.get("key") is not None
            else None
        )
        values = _with_currencies(columns, row["values"])
        cells = "".join(
            Markup('<td data-l="{}">{}</td>').format(
                column.label, expiry.line(column, values.get(name), look)
            )
            if expiry.has_expired(column, values.get(name), look)
            else write(values.get(name))
            for (name, write), column in zip(writers, columns, strict=True)
        )
        if today is not None:
            cells = "".join(_cells_since(row, source.get("collection"), writers, columns, look, today))
        rows.append((href, str(row.get("title") or row.get("key") or ""), Markup(cells)))  # noqa: S704 (cells escape their values)
    return Table(source["label"], columns, rows, bool(source.get("closed")))


def _masked_cell(column: Kind) -> Callable[[Any], str]:
    return lambda _: f'<td data-l="{escape(column.label)}">{states.MASKED}</td>'


def _filled(column: Mapping[str, Any], source: Mapping[str, Any], today: Today | None) -> bool:
    """Return whether any row says something in the column that the reader may know of, or does today; a column that says nothing only takes room."""
    if column["name"] in source.get("masked", ()):
        return True
    said = (
        row["values"]
        | ((changes_since(row, source.get("collection"), today) if today is not None else None) or {})
        for row in source["rows"]
    )
    return not source["rows"] or any(values.get(column["name"]) not in (None, "", []) for values in said)


SHORTEST_NAME = 3
"""Letters of a value that a title is taken to name; a shorter one may stand there by chance."""


def _said_by_titles(what: Kind, source: Mapping[str, Any], look: Look, today: Today | None) -> bool:
    """Return whether the title of each row, which stands beside it, says the column's value already."""
    for row in source["rows"]:
        changed = (changes_since(row, source.get("collection"), today) if today is not None else None) or {}
        value = row["values"].get(what.name)
        said = formats.text(what, value, look)
        named = len(said) >= SHORTEST_NAME and re.search(
            rf"(?<!\w){re.escape(said)}(?!\w)", str(row.get("title") or "")
        )
        if what.name in changed or not (formats.absent(value) or named):
            return False
    return bool(source["rows"])


def _keys(source: Mapping[str, Any]) -> list[str]:
    """Return the columns that hold the keys of the rows: a number of a record is read as a name, not as a count."""
    rows = source["rows"]
    return [
        column["name"]
        for column in source["columns"]
        if rows and all(str(row["values"].get(column["name"])) == str(row.get("key")) for row in rows)
    ]


def changes_since(row: Mapping[str, Any], collection: str | None, today: Today) -> Mapping[str, Any] | None:
    """Return field → value of today where it differs from what the row showed; None where the record is not there today. Of what cannot be read, nothing."""
    if collection is None or collection not in today or row.get("key") is None:
        return {}
    now = today[collection].get(str(row["key"]))
    return (
        None
        if now is None
        else {name: now[name] for name, value in row["values"].items() if name in now and now[name] != value}
    )


def _cells_since(
    row: Mapping[str, Any],
    collection: str | None,
    writers: Sequence[tuple[str, Callable[[Any], str]]],
    columns: Sequence[Kind],
    look: Look,
    today: Today,
) -> Iterator[str]:
    """Return the cells of a row, each that differs today with what it holds today."""
    changed = changes_since(row, collection, today)
    values = _with_currencies(columns, row["values"])
    for place, ((name, write), column) in enumerate(zip(writers, columns, strict=True)):
        cell = write(values.get(name))
        if changed is None and place == 0:
            yield cell.replace("</td>", f'<br><small class="changed-since">{GONE}</small></td>')
        elif changed and name in changed:
            now = formats.html(
                column, _with_currencies(columns, {**row["values"], **changed}).get(name), look
            )
            yield cell.replace("</td>", f'<br><small class="changed-since">Now: {now}</small></td>')
        elif (called := _renamed(column, values.get(name), look)) is not None:
            yield cell.replace("</td>", f'<br><small class="changed-since">Now: {called}</small></td>')
        else:
            yield cell


@dataclass(frozen=True, slots=True)
class Picks:
    """Records to choose from; rows are (key, address, title, cells)."""

    label: str
    columns: Sequence[Kind]
    rows: Sequence[tuple[str, str | None, str, Markup]]
    table: Table


def picks(
    source: Mapping[str, Any], look: Look, states_of: Mapping[str, str], today: Today | None = None
) -> Picks:
    """Return the table of records that a step offers to choose from."""
    table = table_of({"badge": states_of.get(source.get("collection") or ""), **source}, look, today)
    keyed = zip(source["rows"], table.rows, strict=True)
    return Picks(
        table.label,
        table.columns,
        [(str(row["key"]), *line) for row, line in keyed if row["key"] is not None],
        table,
    )


def facts(
    source: Mapping[str, Any], look: Look, states_of: Mapping[str, str], today: Today | None = None
) -> list[Line]:
    """Return the fields of one record, from a table with one row."""
    state, kinds = (
        states_of.get(source.get("collection") or ""),
        [formats.kind(column) for column in source["columns"]],
    )
    values = source["rows"][0]["values"] if source["rows"] else {}
    changed = (
        changes_since(source["rows"][0], source.get("collection"), today)
        if today is not None and source["rows"]
        else None
    )
    now = _with_currencies(kinds, {**values, **changed}) if changed else None
    draw = _Drawing(
        look,
        now,
        state,
        frozenset(source.get("masked", ())),
    )
    shown = _with_currencies(kinds, values)
    return [draw.line(what, shown.get(what.name)) for what in kinds]


GONE = "Not there today, or not yours to see"


def gone(source: Mapping[str, Any] | None, today: Today | None) -> bool:
    """Return whether the one record of this table is not there today."""
    if source is None or not source["rows"] or today is None:
        return False
    return changes_since(source["rows"][0], source.get("collection"), today) is None


def related(page: RelatedPage, look: Look) -> Table:
    """Return the rows of a relation as a table; a field that is the whole title is not repeated."""
    target, look = page.collection, frame.naming(page.named, look)
    columns = [item.to_json() for item in page.columns if (item.name,) != target.title_fields]
    rows = [row.to_json() for row in page.rows]
    source = {
        "label": page.relation.label,
        "collection": target.id,
        "columns": columns,
        "rows": rows,
        "badge": target.summary.get("badge"),
        "key": target.key,
    }
    far = _far_end(page)
    if far is None:
        return table_of(source, look)
    made = table_of({**source, "columns": [column for column in columns if column["name"] != far.name]}, look)
    ends = [look.records.get((str(far.references), str(row.values.get(far.name)))) for row in page.rows]
    drawn = [
        (end.href or None, end.title, cells) if end else (href, title, cells)
        for end, (href, title, cells) in zip(ends, made.rows, strict=True)
    ]
    return replace(made, rows=drawn)


def _far_end(page: RelatedPage) -> Field | None:
    """Return the field that leads on, where the rows do nothing but join two records: then these stand in the list, and not the rows."""
    near = {there for _, there in page.relation.columns} if page.relation.kind == "to_many" else set()
    refers = [item for item in page.columns if item.references and item.name not in near]
    rest = [item for item in page.columns if not item.references and item.name not in page.collection.key]
    joins = len(page.collection.key) > 1 and set(page.collection.title_fields) == set(page.collection.key)
    return (
        refers[0]
        if joins and len(refers) == 1 and all(item.stored in ("date", "datetime") for item in rest)
        else None
    )
