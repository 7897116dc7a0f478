"""What a line of a file says of a contact or another record: its cells as values of the fields, and why it cannot be read."""

from typing import TYPE_CHECKING, Any

from console import formats
from console.core.documents.collections import Field
from console.messaging.imports import cells, contact_files, headings
from console.messaging.imports.contact_files import Row
from console.messaging.imports.encodings import ENCODINGS

if TYPE_CHECKING:
    from console.messaging.imports.imports import Plan

NO_HEADING = "No word of the first line is known as the heading of a column: choose what the columns are."


def values_of(plan: "Plan", row: Row) -> tuple[dict[str, Any], list[str], bool]:
    """(values by field, why the line cannot be read, whether that is so of the whole line: what else is wrong with it is not told then)."""
    if row.wrong or not row.readable:
        return (
            {},
            [row.wrong or f"This line cannot be read as {ENCODINGS[plan.question.file.encoding]}."],
            True,
        )
    values: dict[str, Any] = {}
    reasons = []
    if any(row.cells[len(plan.named) :]):
        first = "heading" if plan.question.file.heading else "first line"
        reasons.append(f"It has {len(row.cells)} values and the {first} {len(plan.named)}.")
    whole = bool(reasons)
    for name, cell in _cells(plan, row).items():
        field = plan.collection.by_name[name]
        values[name] = value_of(plan, field, cell)
        if name in (
            plan.part("name"),
            plan.part("email"),
            *plan.collection.title_fields,
        ) and contact_files.swallowed(cell, plan.question.file.delimiter):
            reasons.append(
                f"{field.label} goes over several lines: a quotation mark is missing, or one too many."
            )
        elif field.max_length is not None and len(str(values[name])) > field.max_length:
            reasons.append(f"{field.label} has at most {field.max_length} characters.")
        elif name == plan.part("phone") and headings.is_shortened(cell):
            reasons.append(headings.shortened(field.label, cell))
        elif (
            name == plan.part("country")
            and field.options is None
            and not headings.is_country(str(values[name]))
        ):
            reasons.append(
                f"There is no country {values[name]}; write its two letters, such as DE, or its name."
            )
    if not values and not reasons:
        reasons, whole = (
            ["There is nothing in the columns that are used." if plan.fields else NO_HEADING],
            True,
        )
    return {**plan.filled, **values}, reasons[:1] if whole else reasons, whole


def _given_name_first(name: str) -> str:
    """Gita Rao of “Rao, Gita”; a name without a comma as it is."""
    family, comma, given = name.partition(",")
    return f"{given.strip()} {family.strip()}" if comma else name


def several_told(plan: "Plan", row: Row) -> dict[str, str]:
    """Part of a contact (`email` or `phone`) → all that the line tells of it, where a cell or further columns hold several, of which the contact gets the first."""
    if row.wrong or not row.readable:
        return {}
    mails = dict.fromkeys(
        address for cell in _addressed(plan, row, "email") for address in headings.addresses_in(cell)
    )
    phones = dict.fromkeys(
        number for cell in _addressed(plan, row, "phone") for number in headings.numbers_in(cell)
    )
    several = {"email": "; ".join(mails)} if len(mails) > 1 else {}
    return several | ({"phone": "; ".join(phones)} if len(phones) > 1 else {})


def _addressed(plan: "Plan", row: Row, part: str) -> list[str]:
    """The cells of a line with an address or a number, of all columns for it."""
    told = [
        row.cells[number]
        for number, field in plan.fields.items()
        if field.name == plan.part(part) and number < len(row.cells)
    ]
    cells_told = (cell[1:] if cell[:1] == "'" and cell[1:2] in headings.FORMULA else cell for cell in told)
    return [cell for cell in cells_told if cell.strip() and cell.casefold() not in headings.NOTHING]


def _cells(plan: "Plan", row: Row) -> dict[str, str]:
    """Field → what the line says of it: of several columns all for a name, else the first with anything in it."""
    told: dict[str, str] = {}
    for number, field in plan.fields.items():
        cell = row.cells[number] if number < len(row.cells) else ""
        cell = cell[1:] if cell[:1] == "'" and cell[1:2] in headings.FORMULA else cell
        if field.name in (plan.part("email"), plan.part("phone")) and cell.casefold() in headings.NOTHING:
            continue
        if cell and (field.name not in told or field.name == plan.part("name")):
            told[field.name] = f"{told[field.name]} {cell}" if field.name in told else cell
    return told


def value_of(plan: "Plan", field: Field, cell: str) -> Any:
    """The cell as a value of the field; countries, languages, time zones and owners of contacts may be named."""
    if field.name == plan.part("country"):
        cell = headings.country_code(cell)
    elif field.name == plan.part("language") and field.options is None:
        cell = headings.language_code(cell)
    elif field.name == plan.part("email"):
        cell = headings.address(cell)
    elif field.name == plan.part("phone"):
        cell = headings.number(cell)
    elif field.name == plan.part("zone"):
        cell = headings.zone_name(cell)
    elif field.name == plan.part("owner"):
        cell = plan.owners.get(cell.casefold()) or plan.owners.get(_given_name_first(cell).casefold(), cell)
    return cells.value(field, cell, plan.question.spelling, formats.Look.of(plan.actor))
