"""How the cells of a file are read: numbers and days as its writer spells them, which the first lines tell and whoever sends the file may choose."""

import re
from collections.abc import Iterable, Mapping, Sequence

from console import formats, records
from console.core.counted_moments import is_counted
from console.core.documents.collections import Collection, Field
from console.core.moments import is_zone, only_day
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope, unrestricted
from console.formats import Kind, Look
from console.messaging.imports import cell_days

SPELLINGS: Mapping[str, str] = {
    "day": "1,234.50 and 31/05/2026",
    "month": "1,234.50 and 05/31/2026",
    "comma": "1.234,50 and 31.05.2026",
}
"""How numbers and days of a file may be spelled, with what people read. 2026-05-31 is read with each of them."""
_NUMBER = {
    mark: re.compile(
        rf"([-+\N{{MINUS SIGN}}]?)(\d{{1,3}}(?:[{group}' \N{{NO-BREAK SPACE}}\N{{NARROW NO-BREAK SPACE}}]\d{{3}})+|\d+)(?:{re.escape(mark)}(\d+))?"
    )
    for mark, group in ((".", ","), (",", "."))
}
_COMMA = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})*,(?:\d{1,2}|\d{4,})|[-+]?\d+,(?:\d{1,2}|\d{4,})")
_ENTRIES = re.compile(r"[,;|\n]")
"""What stands between the entries of a list in one cell."""
YES_OR_NO: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "y", "true", "1", "x"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
}
"""How a cell says yes or no; of another word whoever imports says what it means."""
_CURRENCY = "€$£¥%  "


def spelling_of(cells: Iterable[str], delimiter: str) -> str:
    """How the numbers and days of these cells seem to be spelled; where there are days of both orders, as most of them are."""
    cells = list(cells)
    if any(_COMMA.fullmatch(cell.strip(_CURRENCY)) for cell in cells):
        return "comma"
    orders = [cell_days.order_of(cell) for cell in cells]
    if orders.count("month") > orders.count("day"):
        return "month"
    return "comma" if delimiter == ";" else "day"


def value(field: Field, cell: str, spelling: str, look: Look) -> object:
    """The cell as a value of the field: an option by its value or label; what cannot be read stays text and is refused when it is added."""
    if field.type in formats.LISTS:
        parts = [
            part.strip()
            for part in _ENTRIES.split(cell.strip().removeprefix("[").removesuffix("]"))
            if part.strip()
        ]
        return [_option(field, part) for part in parts]
    if field.options is not None:
        return _option(field, cell)
    if field.type == "boolean":
        return YES_OR_NO.get(cell.strip().casefold(), cell)
    what = formats.kind(field)
    return formats.typed(what, [_plain(what, cell, spelling)], look)


def _option(field: Field, cell: str) -> str | int:
    """The value of the option that the cell names, by its value or label; without options the cell."""
    known = (
        option.value
        for option in field.options or ()
        if cell.casefold() in (option.value.casefold(), option.label.casefold())
    )
    found = next(known, cell)
    return int(found) if field.stored == "integer" and re.fullmatch(r"-?[0-9]{1,18}", found) else found


def chosen(field: Field, told: object) -> bool:
    """Whether the value is one of the field's options, or a list of them."""
    return {str(each) for each in (told if isinstance(told, list) else [told])} <= {
        option.value for option in field.options or ()
    }


LONGEST_TOLD = 40
"""Letters of a value that is named where it is refused."""


def unlisted(collection: Collection, values: Mapping[str, object]) -> list[str]:
    """What of these values is none of the options of its field, in words."""
    fields = [collection.by_name[name] for name in values if name in collection.by_name]
    return [
        f"{field.label} “{str(values[field.name])[:LONGEST_TOLD]}” is none of {', '.join(option.label for option in field.options)}."
        for field in fields
        if field.options is not None
        and values[field.name] is not None
        and not chosen(field, values[field.name])
    ]


def wrong_zone(collection: Collection, values: Mapping[str, object]) -> list[str]:
    """Why the time zone among the values of a contact is none; nothing for one that is, or without one."""
    zone = values.get((collection.contact.zone if collection.contact else None) or "")
    return (
        [f"There is no time zone {zone}; one looks like Europe/Vilnius."]
        if zone and not is_zone(str(zone))
        else []
    )


def may_hold(field: Field, rows: Iterable[Sequence[str]]) -> bool:
    """Whether a column may be this field: not one that may stay empty, where the first rows hold nothing but what it cannot be, as another program's own "Source" does."""
    told = [cell for row in rows for cell in row if cell]
    free = field.options is None or not field.may_be_empty or not told
    return free or any(chosen(field, value(field, cell, "day", Look())) for cell in told)


def _plain(what: Kind, cell: str, spelling: str) -> str:
    """A number with a point and no separators, a day as 2026-05-31; the cell itself where it is none."""
    moment = is_counted(what)
    if what.type in formats.NUMBERS and what.references is None and not (moment and cell_days.is_day(cell)):
        found = _NUMBER["," if spelling == "comma" else "."].fullmatch(cell.strip(_CURRENCY))
        return (
            cell
            if found is None
            else found[1] + re.sub(r"\D", "", found[2]) + (f".{found[3]}" if found[3] else "")
        )
    if what.type == "date":
        return only_day(cell_days.iso(cell, spelling))
    return cell_days.iso(cell, spelling) if moment or what.type == "datetime" else cell


def leading_nowhere(
    fields: Iterable[Field], lines: Iterable[Mapping[str, object]], scope: Scope
) -> dict[str, frozenset[str]]:
    """Field → values in these lines to which no record belongs, of collections that the scope does not narrow. Raises SourceDown.

    In others the scope judges each line, and answers alike for what is hidden and what is not there.
    """
    lines, found = list(lines), {}
    for field in fields:
        if (
            field.references is not None
            and records.sight_of(records.collection(field.references), scope) is None
        ):
            keys = {
                str(told): records.key_of_value(str(told))
                for line in lines
                if (told := line.get(field.name)) not in (None, "")
            }
            there = (
                records.visible_keys(field.references, keys.values(), unrestricted(field.references))
                if keys
                else set()
            )
            found[field.name] = frozenset(told for told, key in keys.items() if key not in there)
    return found


def led_nowhere(field: Field, told: object) -> str:
    """Why a line is left out whose value leads to no record."""
    return f"{field.label}: there is no {uncapitalised(records.collection(field.references or '').label_one)} {told}."
