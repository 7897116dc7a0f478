"""Codes by their names in the reader's language: countries, languages, currencies; time zones by their cities; and words of programs as words of people."""

import re
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from console.core.currencies import decimals
from console.core.plain_words import humanised

CODED = ("country", "language", "currency", "zone")
"""Widgets of fields that hold such a code."""
_SHAPES = {
    "country": re.compile(r"[A-Z]{2}"),
    "language": re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?"),
    "currency": re.compile(r"[A-Z]{3}"),
}
_LARGE = ("country", "currency")
"""Whose codes are the same in small letters."""
_PLACES = re.compile(r"[A-Z]{2}")
_NO_PLACES = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})
_OF_CITIES = re.compile("(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/")
"""How the zones begin that are called by cities; of the others, such as US/Eastern and Brazil/West, the last word alone says too little."""
_NO_MONEY = re.compile(r"\(\d{4}|X{3}|XTS")
PROGRAM_WORD = re.compile(r"[a-z][a-z0-9]*(?:[_.][a-z0-9]+)+")
LOWER_WORDS = re.compile(r"[a-z](?:[^\sA-Z!-,./:-@\[-`{-~]| )*")
"""Words in small letters, as a program's state `fixed` or `in progress`, that begin with a plain letter."""
SPOKEN = ("word", "badge")
"""Widgets of fields whose values are shown as words where they are words of a program."""


def code_name(kind: str, code: str, locale: str) -> str:
    """The name of a country (ISO 3166), language (ISO 639) or currency (ISO 4217), the city of a time zone; the code itself where there is none."""
    plain = code.strip()
    return code_names(kind, locale).get(
        plain.upper() if kind in _LARGE else plain.replace("-", "_") if kind == "language" else plain, code
    )


@lru_cache(maxsize=64)
def code_names(kind: str, locale: str) -> dict[str, str]:
    """All codes of a kind of `CODED` with their names."""
    if kind == "zone":
        return {zone: city_of(zone) for zone in sorted(available_timezones()) if _OF_CITIES.match(zone)}
    known = Locale.parse(locale)
    source = {"country": known.territories, "language": known.languages, "currency": known.currencies}[kind]
    return {
        str(code): _first_large(str(name))
        for code, name in source.items()
        if _SHAPES[kind].fullmatch(str(code))
    }


def city_of(zone: str) -> str:
    """The city by which a time zone is called: "Vilnius"."""
    return zone.rpartition("/")[2].replace("_", " ")


def _first_large(name: str) -> str:
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=512)
def language_name(name: str, locale: str) -> str:
    """The name of a language, of a country where one is named: `en_US` is "English (United States)"."""
    try:
        return str(Locale.parse(name.replace("-", "_")).get_display_name(locale) or name)
    except (ValueError, UnknownLocaleError):
        return name


def code_named(kind: str, name: str, locale: str) -> str | None:
    """The code of what goes by this name, upper and lower case alike; None where nothing does."""
    wanted = name.strip().casefold()
    return next((code for code, each in code_names(kind, locale).items() if each.casefold() == wanted), None)


@lru_cache(maxsize=64)
def code_choices(kind: str, locale: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of what can be chosen, by name. Countries without groups of them, languages of two letters, currencies in use, all time zones."""
    named = {code: name for code, name in code_names(kind, locale).items() if _offered(kind, code, name)}
    return tuple(sorted(named.items(), key=lambda entry: entry[1].casefold()))


def _offered(kind: str, code: str, name: str) -> bool:
    match kind:
        case "country":
            return bool(_PLACES.fullmatch(code)) and code not in _NO_PLACES
        case "language":
            return len(code) == len("en")
        case "zone":
            return True
        case _:
            return decimals(code) is not None and not _NO_MONEY.search(name)


def program_words(value: str) -> str:
    """A word of a program as words: `dob_mismatch` is "Dob mismatch". Anything else unchanged."""
    return humanised(value.replace(".", " ")) if PROGRAM_WORD.fullmatch(value) else value


def state_words(value: str) -> str:
    """What a field of states holds, as words: `on_subs` is "On subs", and `fixed`, which may stand beside it, "Fixed". Anything else unchanged."""
    return value[:1].upper() + value[1:] if LOWER_WORDS.fullmatch(value) else program_words(value)
