"""Numbers with the separators of the reader's language."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale

MOST_DIGITS = 200


def grouped(number: str, locale: str = "en", least: int = 1_000) -> str:
    """Return a decimal with the locale's separators, from `least` on; all its digits are kept. Text that is no number is returned unchanged."""
    whole, dot, part = number.partition(".")
    if (
        not (number.isascii() and whole.isdigit() and (part.isdigit() or not dot))
        or (whole[0] == "0" and whole != "0")
        or len(number) > MOST_DIGITS
    ):
        return _grouped(number, locale, least)
    group, point = _marks(locale)
    if len(whole) > 3 and int(whole) >= least:
        whole = f"{int(whole):,}".replace(",", group)
    return f"{whole}{point}{part}" if dot else whole


@lru_cache(maxsize=512)
def _grouped(number: str, locale: str, least: int) -> str:
    """Return the same of any text: with a sign, an exponent or zeros ahead."""
    try:
        whole = Decimal(number)
    except InvalidOperation:
        return number
    if not whole.is_finite() or abs(whole.adjusted()) > MOST_DIGITS:
        return number
    group, point = _marks(locale)
    written = f"{whole:,f}" if abs(whole) >= least else f"{whole:f}"
    return written.replace("-", "\N{MINUS SIGN}").replace(",", "\0").replace(".", point).replace("\0", group)


def decimal_mark(locale: str) -> str:
    """Return what stands before the decimals of a number."""
    return _marks(locale)[1]


@lru_cache(maxsize=64)
def _marks(locale: str) -> tuple[str, str]:
    symbols = Locale.parse(locale).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])
