"""The rows of a list as the bytes of a CSV file or as a spreadsheet: what its page shows, as numbers, as text and in a sheet as dates. Memory stays flat."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from console import formats
from console.browse import list_export
from console.browse.list_export import ListExport
from console.core import counted_moments
from console.core.documents.collections import Collection, Field
from console.formats import Kind, Look
from console.formats.spreadsheets import escape_formula
from console.records import Record

MOST_ROWS = 1_048_575
MOST_LETTERS = 32_767
MOST_DIGITS = 15
"""Limits of a sheet below its heading, of a cell, and of the digits that a number keeps. Source: Excel specifications and limits, support.microsoft.com."""
CUT = " … (cut)"
FIRST_DAY = date(1900, 3, 1)  # before it, spreadsheets disagree about the days
MOMENT, DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
Progress = Callable[[int], None]


def headings(export: ListExport) -> list[str]:
    """The first line of a sheet: the labels, with what the numbers are of."""
    units = ((item.label, formats.unit(formats.kind(item))) for item in export.beside)
    return [export.collection.label_one, *(f"{label} ({unit})" if unit else label for label, unit in units)]


def csv_headings(export: ListExport) -> list[str]:
    """The first line of a CSV file: that of a sheet, and the currencies of amounts that have each their own stand beside them."""
    first, *others = headings(export)
    pairs = zip(others, export.beside, strict=True)
    return [
        first,
        *(
            head
            for label, item in pairs
            for head in ([label, f"{label}, currency"] if _varies(export, item) else [label])
        ),
    ]


def _varies(export: ListExport, item: Field) -> bool:
    """Whether each amount has its own currency, which no other column of the file says."""
    of = export.collection.currencies.get(item.name)
    return (
        of is not None
        and formats.is_figure(formats.kind(item))
        and of not in {other.name for other in export.beside}
    )


class Sink(Protocol):
    """Where a file is written."""

    def write(self, data: bytes) -> object:
        """Add these bytes."""


def write_csv(export: ListExport, look: Look, file: Sink, progress: Progress) -> None:
    """Write the list as a CSV file. Spreadsheets cannot mistake its texts for formulas."""
    file.write(b"\xef\xbb\xbf" + _lines([[escape_formula(head)] for head in csv_headings(export)]))
    for number, lines in enumerate(csv_parts(export, look)):
        progress(number * list_export.PAGE)
        file.write(lines)


def csv_parts(export: ListExport, look: Look) -> Iterator[bytes]:
    """The lines of a CSV file, a piece at a time: numbers, days and moments as a spreadsheet reads them, everything else as the page shows it."""
    varying = [_varies(export, item) for item in export.beside]
    for titles, columns, own in _columns(export, look):
        cells = [[escape_formula(title) for title in titles]]
        for (what, column), varies in zip(columns, varying, strict=True):
            cells.append([_text(what, value, own) for value in column])
            if varies:
                cells.append([formats.amount_of(what, value)[1] for value in column])
        yield _lines(cells)


def _text(what: Kind, value: Any, look: Look) -> str:
    """The cell of a value in a CSV file."""
    if value is None:
        return ""
    plain: str | None = None
    if formats.is_figure(what):
        plain = formats.figure(what, value, look)
    elif (
        _is_day_or_moment(what)
        and not what.options
        and (what.widget not in formats.WIDGETS or formats.is_counted(what))
    ):
        plain = _plain_day(what, value, look)
    return plain or escape_formula(words(what, value, look))


def _is_day_or_moment(what: Kind) -> bool:
    return what.references is None and (what.type in ("date", "datetime") or formats.is_counted(what))


def _moment(what: Kind, value: Any) -> datetime | None:
    """The moment that the value is, or for which it counts."""
    return (
        counted_moments.moment(str(what.widget), value)
        if formats.is_counted(what)
        else formats.moment_of(value)
    )


def _plain_day(what: Kind, value: Any, look: Look) -> str:
    """The day, or the moment in the reader's zone, as every spreadsheet and database reads it; empty for none."""
    if what.type == "date":
        with suppress(ValueError):
            return date.fromisoformat(str(value)).isoformat()
        return ""
    at = _moment(what, value)
    return "" if at is None else formats.within(at, look.zone).replace(tzinfo=None).isoformat(" ", "seconds")


def words(what: Kind, value: Any, look: Look) -> str:
    """The value as its page shows it; empty without one, where the page has a dash. JSON is written as such: a line of words leaves its names out."""
    if (
        "json" in (what.type, what.widget)
        and what.widget != "translations"
        and isinstance(value, dict | list)
        and not formats.is_address(value)
    ):
        return json.dumps(value, ensure_ascii=False)
    if what.widget == "json" and isinstance(value, str):
        return value
    text = "" if formats.absent(value) else formats.text(what, value, look)
    return "" if text == formats.EMPTY and formats.is_counted(what) else text


def write_spreadsheet(export: ListExport, look: Look, path: Path, progress: Progress) -> None:
    """Write the list as an Excel workbook: numbers, days and moments as such, everything else as text; a new sheet where one is full."""
    from xlsxwriter import Workbook

    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with Workbook(str(path), options) as book:
        sheets = _Sheets(book, headings(export))
        for titles, columns, own in _columns(export, look):
            for row in zip(
                titles,
                *([_cell(what, value, own) for value in column] for what, column in columns),
                strict=True,
            ):
                sheets.write(row)
            progress(sheets.written)


class _Sheets:
    """The sheets of a workbook, one after the other, and their number formats."""

    def __init__(self, book: Any, heads: Sequence[str]) -> None:
        self.book, self.heads, self.written = book, heads, 0
        self._bold, self._formats = book.add_format({"bold": True}), dict[str, Any]()
        self._begin()

    def _begin(self) -> None:
        self.sheet, self._at = self.book.add_worksheet(), 1
        self.sheet.freeze_panes(1, 1)
        self.sheet.set_column(0, 0, 32)
        self.sheet.set_column(1, max(1, len(self.heads) - 1), 18)
        for number, head in enumerate(self.heads):
            self.sheet.write_string(0, number, head, self._bold)

    def write(self, row: Sequence[Any]) -> None:
        if self._at > MOST_ROWS:
            self._begin()
        for number, value in enumerate(row):
            self._write(number, value)
        self._at, self.written = self._at + 1, self.written + 1

    def _write(self, number: int, value: Any) -> None:
        match value:
            case None | "":
                return
            case str():
                cut = value if len(value) <= MOST_LETTERS else value[: MOST_LETTERS - len(CUT)] + CUT
                self.sheet.write_string(self._at, number, cut)
            case bool():
                self.sheet.write_boolean(self._at, number, value)
            case (amount, shape):
                write = self.sheet.write_datetime if shape in (DAY, MOMENT) else self.sheet.write_number
                write(self._at, number, amount, self._format(shape))

    def _format(self, shape: str) -> Any:
        if shape not in self._formats:
            self._formats[shape] = self.book.add_format({"num_format": shape})
        return self._formats[shape]


def _cell(what: Kind, value: Any, look: Look) -> Any:
    """The value for a spreadsheet: text, bool, or (number, day or moment, the form in which it is shown)."""
    if value is None or isinstance(value, bool):
        return value
    if _is_day_or_moment(what):
        at = _day_or_moment(what, value, look)
        return words(what, value, look) if at is None else at
    if what.type in formats.NUMBERS and not what.options and what.references is None:
        number = _number(what, value)
        return words(what, value, look) if number is None else number
    return words(what, value, look)


def _number(what: Kind, value: Any) -> tuple[float | int, str] | None:
    """The number with its form; None for one that a spreadsheet would round."""
    code, stored = "", value
    if formats.is_money(what):
        stored, code = formats.amount_of(what, value)
        stored = formats.money_box(what, value) if what.minor else stored
    try:
        exact = Decimal(str(stored))
    except ArithmeticError:
        return None
    if (
        not exact.is_finite()
        or len(exact.normalize().as_tuple().digits) > MOST_DIGITS
        or abs(exact.adjusted()) > MOST_DIGITS
    ):
        return None
    places = max(0, -int(exact.as_tuple().exponent))
    shown = max(0, places - 2) if what.widget == "fraction" else places
    shape = (
        ("#,##0" if what.grouped else "0")
        + (f".{'0' * shown}" if shown else "")
        + (f' "{code}"' if code.isalpha() else "")
    )
    shape += "%" if what.widget == "fraction" else ""
    return (int(exact) if exact == exact.to_integral_value() else float(exact)), shape


def _day_or_moment(what: Kind, value: Any, look: Look) -> tuple[Any, str] | None:
    """The day, or the moment in the reader's zone; None for what no spreadsheet can hold."""
    if what.type == "date":
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            return None
        return (day, DAY) if day >= FIRST_DAY else None
    at = _moment(what, value)
    if at is None:
        return None
    there = formats.within(at, look.zone).replace(tzinfo=None)
    return (there, MOMENT) if there.date() >= FIRST_DAY else None


def _columns(
    export: ListExport, look: Look
) -> Iterator[tuple[list[str], list[tuple[Kind, Sequence[Any]]], Look]]:
    """Of each piece: the titles, the columns, and the look that knows the names in it."""
    collection = export.collection
    columns = [(item.name, formats.kind(item, collection.key)) for item in export.beside]
    for rows, named in export.pieces():
        values = [formats.with_currencies(row.values, collection.currencies) for row in rows]
        yield (
            [_whole_title(collection, row) for row in rows],
            [(what, [each.get(name) for each in values]) for name, what in columns],
            replace(look, records=named),
        )


def _whole_title(collection: Collection, row: Record) -> str:
    """The title of a record; of one that is cut the whole text that it is made of, which stands in no other column."""
    value = row.values.get(collection.title_fields[0]) if len(collection.title_fields) == 1 else None
    cut = isinstance(value, str) and row.title.endswith("…") and len(value) > len(row.title)
    return str(value).strip() if cut and str(value).strip().startswith(row.title[:-1]) else row.title


def _lines(columns: Sequence[Sequence[str]]) -> bytes:
    """The lines of a file, of its columns."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(zip(*columns, strict=True))
    return out.getvalue().encode("utf-8", "replace")
