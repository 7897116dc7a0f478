"""Lines of a file, or rows of values, from which somebody is enrolled: what each says, and why it cannot be read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from console import records
from console.automation.enrolments.targets import Target
from console.formats import label_of
from console.messaging.imports import contact_files, headings
from console.messaging.imports.encodings import ENCODINGS

if TYPE_CHECKING:
    from console.automation.enrolments.whom_to_enrol import Question


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, or a row of values, by its number. `wrong` is why it cannot be read. `addresses` are all that it has for a field of e-mail addresses or telephone numbers, of which `values` has the first."""

    number: int
    values: Mapping[str, Any]
    wrong: str = ""
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def numbered(target: Target, question: "Question", person: str) -> Iterator[Line]:
    """Each line of the question's file, or each of its rows."""
    if question.file is None:
        yield from _rows(target, question.rows or ())
        return
    lines, encoding = contact_files.rows(question.file, person), ENCODINGS[question.file.encoding]
    named = next((heading.cells for heading in islice(lines, 1)), [])
    width = len(named)
    columns = {
        int(number): name
        for number, name in sorted(question.columns.items(), key=lambda each: int(each[0]))
        if name
    }
    long, emails, phones = (
        {entry.name for entry in target.fields if entry.type == "long_text"},
        addresses(target, "email"),
        addresses(target, "phone"),
    )
    for row in lines:
        cells: dict[str, str] = {}
        told: dict[str, tuple[str, ...]] = {}
        for number, name in columns.items():
            cell = row.cells[number] if number < len(row.cells) else ""
            cell = cell[1:] if cell[:1] == "'" and cell[1:2] in headings.FORMULA else cell
            if name in emails | phones:
                cell = "" if cell.casefold() in headings.NOTHING else cell
                told[name] = tuple(dict.fromkeys((*told.get(name, ()), *_several(cell, name in emails))))
                cell = headings.address(cell) if name in emails else headings.number(cell)
            if cell:
                cells.setdefault(name, cell)  # of several columns for one thing the first that says something
        wrong = row.wrong or ("" if row.readable else f"This line cannot be read as {encoding}.")
        if not wrong and any(row.cells[width:]):
            wrong = f"It has {len(row.cells)} values and the {'heading' if question.file.heading else 'first line'} {width}."
        over = [
            name
            for name, cell in cells.items()
            if name not in long and contact_files.swallowed(cell, question.file.delimiter)
        ]
        if over and not wrong:
            wrong = (
                f"{label_of(over[0])} goes over several lines: a quotation mark is missing, or one too many."
            )
        shortened = [name for name, cell in cells.items() if name in phones and headings.is_shortened(cell)]
        if shortened and not wrong:
            wrong = headings.shortened(label_of(shortened[0]), cells[shortened[0]])
        yield Line(row.number, cells, wrong, told)


def _rows(target: Target, rows: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
    emails, phones = addresses(target, "email"), addresses(target, "phone")
    for number, row in enumerate(rows):
        texts = {
            name: value for name, value in row.items() if name in emails | phones and isinstance(value, str)
        }
        yield Line(
            number,
            dict(row),
            addresses={name: _several(text, name in emails) for name, text in texts.items()},
        )


def _several(cell: str, email: bool) -> tuple[str, ...]:
    return headings.addresses_in(cell) if email else headings.numbers_in(cell)


def addresses(target: Target, kind: str) -> frozenset[str]:
    """The fields that hold an `email` address, or telephone numbers (`phone`): of the start, of the collection, and without either the one of that name. A file may have several columns for each."""
    found = {entry.name for entry in target.fields if kind in (entry.type, entry.name)}
    if target.collection is None:
        return frozenset(found or ({kind} if not target.fields else ()))
    collection = records.collection(target.collection)
    own = getattr(collection.contact, kind, None)
    return frozenset(
        {*found, *([own] if own else []), *(field.name for field in collection.fields if field.type == kind)}
    )
