"""A number as a file for spreadsheets holds it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from console.formats.kinds import NUMBERS, Kind, Look
from console.formats.money import amount_of, is_money, money_box
from console.formats.numerals import MOST_DIGITS, decimal_mark
from console.formats.words import WIDGETS


def is_figure(what: Kind) -> bool:
    """Return whether values of the field are numbers, and no codes, choices or references."""
    plain = what.widget not in WIDGETS or what.widget == "percent"
    return what.type in NUMBERS and plain and not what.options and what.references is None


def figure(what: Kind, value: Any, look: Look) -> str | None:
    """Return the number with an ASCII minus and the reader's decimal mark, without separators and without currency; None for what is no number."""
    stored = value
    if is_money(what):
        stored = money_box(what, value) if what.minor else amount_of(what, value)[0]
    try:
        number = None if isinstance(stored, bool) else Decimal(str(stored))
    except InvalidOperation:
        return None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        return None
    return f"{number:f}".replace(".", decimal_mark(look.locale))


def unit(what: Kind) -> str:
    """Return what all numbers of the field are of, for a heading: the code of a currency or "%"; empty where nobody says, or where each has its own."""
    if not is_figure(what):
        return ""
    return amount_of(what, None)[1] if is_money(what) else "%" if what.widget == "percent" else ""
