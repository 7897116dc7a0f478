"""A value as one line of plain text."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import format_currency, get_currency_precision

from console.core import media
from console.core.documents.collections import humanised
from console.views.formats.kinds import EMPTY, LISTS, Amount, Kind, Look
from console.views.formats.moments import ago, day_words, moment_of, moment_words, within, worded

DEEPEST = 40
TOO_DEEP = "…"  # instead of parts that are nested too deeply
MOST_DIGITS = 200


def absent(value: Any) -> bool:
    """Return whether there is nothing to show: None, an empty text or an empty list."""
    return value is None or (isinstance(value, str | list) and not value)


def text(what: Kind, value: Any, look: Look) -> str:
    """Return the value as one line of text; a dash if it is absent."""
    if absent(value):
        return EMPTY
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if what.type in LISTS and isinstance(value, list):
        return ", ".join(what.options.get(str(item), plain(item)) for item in value)
    if what.options:
        return what.options.get(str(value), plain(value))
    writer = WIDGETS.get(what.widget) or WRITERS.get(what.type)
    return writer(value, what, look) if writer else plain(value)


def plain(value: Any, depth: int = 0) -> str:
    """Return any JSON value as one line, without a field; `depth` is its nesting depth."""
    if isinstance(value, Mapping | list) and depth >= DEEPEST:
        return TOO_DEEP
    if media.is_value(value):
        return str(value["name"])
    if isinstance(value, Mapping):
        return ", ".join(plain(item, depth + 1) for item in value.values() if item is not None and not _hollow(item))
    if isinstance(value, list):
        return ", ".join(plain(item, depth + 1) for item in value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return EMPTY if value is None else str(value)


def _hollow(value: Any) -> bool:
    return isinstance(value, str | list | Mapping) and not value


def _number(value: Any, what: Kind, look: Look) -> str:
    return grouped(str(value), look.locale, 10_000 if what.type == "integer" else 1_000) if what.grouped else str(value)


def _day(value: Any, _: Kind, look: Look) -> str:
    return day_words(str(value), look.locale)


def _moment(value: Any, _: Kind, look: Look) -> str:
    return moment_words(str(value), look.locale, look.zone)


def _clock(value: Any, _: Kind, __: Look) -> str:
    return str(value)[:5] if str(value)[:1].isdigit() else str(value)  # a duration is one value: P4DT4H


WRITERS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "integer": _number,
    "decimal": _number,
    "money": _number,
    "date": _day,
    "datetime": _moment,
    "time": _clock,
}


def _money(value: Any, what: Kind, look: Look) -> str:
    """Return the amount with its currency and that currency's decimal places; without a currency as a number."""
    amount, code = value if isinstance(value, Amount) else (value, what.currency)
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return str(amount)
    known = code if re.fullmatch(r"[A-Z]{3}", code) else ""
    if (
        what.minor and number.is_finite() and (known or value is not amount or not what.currency)
    ):  # without a currency, cents are shown as stored
        number = number.scaleb(-(get_currency_precision(known) if known else 2))
    if known and number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS:
        return str(format_currency(number, known, locale=look.locale, decimal_quantization=False))
    bare = grouped(f"{number:f}" if number.is_finite() else str(number), look.locale)
    return f"{bare} {code}" if value is not amount and code else bare


def _percent(value: Any, what: Kind, look: Look) -> str:
    return f"{_number(value, what, look)} %"


def _long_day(value: Any, _: Kind, look: Look) -> str:
    at = moment_of(value)
    return str(value) if at is None else worded(at, "d MMMM y", look if "T" in str(value) else Look(look.locale, "UTC", look.now))


def _iso(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    if at is None or what.type == "date":
        return str(value)
    return within(at, look.zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def _short_day(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    return str(value) if at is None else worded(at, "d MMM y", look if what.type == "datetime" else Look(look.locale, "UTC", look.now))


def _in_groups(value: Any, _: Kind, __: Look) -> str:
    """Return an IBAN in groups of four characters."""
    bare = str(value).replace(" ", "")
    return " ".join(bare[place : place + 4] for place in range(0, len(bare), 4))


WIDGETS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "money": _money,
    "percent": _percent,
    "day": _short_day,
    "long_day": _long_day,
    "iso": _iso,
    "ago": lambda value, _, look: ago(value, look),
    "iban": _in_groups,
}


@lru_cache(maxsize=4096)
def grouped(number: str, locale: str = "en", least: int = 1_000) -> str:
    """Return a decimal with the locale's separators, from `least` on; all its digits are kept. Text that is no number is returned unchanged."""
    try:
        whole = Decimal(number)
    except InvalidOperation:
        return number
    if not whole.is_finite() or abs(whole.adjusted()) > MOST_DIGITS:
        return number
    group, point = _marks(locale)
    written = f"{whole:,f}" if abs(whole) >= least else f"{whole:f}"
    return written.replace("-", "\N{MINUS SIGN}").replace(",", "\0").replace(".", point).replace("\0", group)


@lru_cache(maxsize=64)
def _marks(locale: str) -> tuple[str, str]:
    symbols = Locale.parse(locale).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])


def file_words(value: Mapping[str, Any]) -> str:
    """Describe a file value of a run by type, size and hash: `PDF, 24 KB, SHA-256 1f0c9a…`."""
    known = next((kind.label for kind in media.MEDIA.values() if kind.media_type == value["media_type"]), "File")
    return f"{known}, {media.size(int(value['bytes']))}, SHA-256 {str(value['sha256'])[:12]}…"


def initials(title: str) -> str:
    """Return one or two letters for a title."""
    words = [word for word in title.split() if word[:1].isalnum()]
    return ("".join(word[0] for word in words[:2]) or title.strip()[:1] or "?").upper()


def role_words(role: str) -> str:
    """Return a role's name for people: `operations_lead` is "Operations lead", `mlro` is "MLRO"."""
    return humanised(role.removeprefix("role:").lower())
