"""Amounts of money: as people read them, as they type them, and as they are stored."""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from babel import Locale
from babel.numbers import format_currency

from console.core.currencies import decimals, smallest_units, ungrouped, whole_units
from console.formats.kinds import NUMBERS, Amount, Kind, Look
from console.formats.numerals import MOST_DIGITS, grouped

NO_CURRENCY, UNKNOWN_CURRENCY = "(no currency)", "(unknown currency)"
SMALLEST = "in its smallest unit"
CENTS = 2
WHOLE_FROM = 100
_DECIMALS = re.compile(r"\.0+")
"""Decimals of what a document calls cents without naming a currency."""
_CODE = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_BESIDE = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")  # a code that stands at a figure


def is_money(what: Kind) -> bool:
    """Whether the field holds amounts with a currency."""
    return what.widget == "money" or (what.type == "money" and bool(what.currency))


def money_words(value: Any, what: Kind, look: Look) -> str:
    """The amount with its currency and that currency's decimals; without a known currency as a number that says so."""
    amount, code = amount_of(what, value)
    places = decimals(code)
    number = _stored_number(amount)
    if number is None:
        return str(amount)
    if (
        what.minor
        and (shift := places if places is not None else None if what.currency else CENTS) is not None
    ):
        scaled = whole_units(amount, shift)
        number = number if scaled is None else scaled
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        return str(amount)
    with localcontext(prec=2 * MOST_DIGITS):  # an amount of 30 digits is still one
        return _written(number, places, code, what, look)


def _written(number: Decimal, places: int | None, code: str, what: Kind, look: Look) -> str:
    if places is None:
        # where the collection names no currency at all, every amount would say so
        said = (code, UNKNOWN_CURRENCY) if code else (NO_CURRENCY,) if what.currency else ()
        if what.minor and said:  # 1,890 of an unknown currency may be 18.90
            said = (*said[:-1], said[-1].replace(")", f", {SMALLEST})"))
        least = number if what.currency or not what.minor else number.quantize(Decimal(1).scaleb(-CENTS))
        return " ".join(filter(None, [grouped(f"{least:f}", look.locale), *said]))
    whole, _, part = f"{number:f}".partition(".")
    written = Decimal(
        f"{whole}.{part.rstrip('0'):0<{places}}"
    )  # of columns with eight decimals only those that say something
    return _BESIDE.sub(
        "\N{NO-BREAK SPACE}",
        str(format_currency(written, code, locale=look.locale, decimal_quantization=False)),
    )


def about(amount: Decimal, code: str, look: Look) -> str:
    """An estimated amount with its currency: from a hundred on without decimals, and never none for what is something."""
    places = 0 if amount >= WHOLE_FROM else decimals(code) or 0
    least = Decimal(1).scaleb(-places)
    rounded = max(amount.quantize(least), least) if amount else amount
    pattern = Locale.parse(look.locale, sep="-").currency_formats["standard"].pattern
    shaped = _DECIMALS.sub(f".{'0' * places}" if places else "", pattern)
    return _BESIDE.sub(
        "\N{NO-BREAK SPACE}",
        str(format_currency(rounded, code, shaped, locale=look.locale, currency_digits=False)),
    )


def amount_of(what: Kind, value: Any) -> tuple[Any, str]:
    """(amount as it is stored, code of its currency; "" where nobody says)."""
    if isinstance(value, Amount):
        return value.value, value.currency
    return value, what.currency if _CODE.fullmatch(what.currency) else ""


def money_box(what: Kind, value: Any) -> str:
    """The amount as text of an input, in whole units."""
    amount, code = amount_of(what, value)
    places = _places(what, code)
    number = None if places is None else whole_units(amount, places)
    return str(amount) if number is None else f"{number:f}"


def money_typed(what: Kind, entry: str) -> Any:
    """The amount in the collection's form. What does not fit stays text, which the rules refuse at its field."""
    places = _places(what, amount_of(what, None)[1])
    entry = ungrouped(entry, places)
    if places is not None and not _AMOUNT.fullmatch(entry):
        return entry
    if places is None:
        return whole_or_text(entry) if what.type == "integer" else entry
    made = smallest_units(entry, places)
    if made is None:
        return entry
    return made if what.type == "integer" else str(made)


def whole_or_text(entry: str) -> Any:
    """The integer that was typed, else the text."""
    try:
        return int(entry.replace("_", "x"))
    except ValueError:
        return entry


def _places(what: Kind, code: str) -> int | None:
    """By how many decimals the stored amount is shifted; None: it is stored as it is typed."""
    if not what.minor:
        return None
    return CENTS if not what.currency else decimals(code)


def of_any_currency(what: Kind) -> Kind:
    """The kind of a limit on an amount: where each record has a currency of its own, it is of any, and does not say that it has none."""
    return replace(what, currency="") if what.currency and not currency_words(what) else what


def currency_words(what: Kind) -> str:
    """What stands behind the box of an amount: its currency, if it is known."""
    return amount_of(what, None)[1] if is_money(what) and (what.type in NUMBERS) else ""


def _stored_number(amount: Any) -> Decimal | None:
    try:
        return Decimal(str(amount))
    except InvalidOperation:
        return None
