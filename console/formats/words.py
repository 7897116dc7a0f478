"""A value as one line of plain text."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from console.core import counted_moments, media, record_links, translations
from console.core.papers import iban
from console.core.plain_words import humanised, range_words
from console.formats.codes import CODED, PROGRAM_WORD, SPOKEN, code_name, state_words
from console.formats.kinds import CHOSEN, EMPTY, Amount, Kind, Look, Named
from console.formats.money import is_money, money_words
from console.formats.numerals import grouped
from console.formats.times import ago, day_words, moment_of, moment_words, within, worded

DEEPEST = 40
TOO_DEEP = "…"  # instead of parts that are nested too deeply


def absent(value: Any) -> bool:
    """Return whether there is nothing to show: None, an empty text or an empty list."""
    return value is None or (isinstance(value, str | list) and not value)


def text(what: Kind, value: Any, look: Look) -> str:
    """Return the value as one line of text; a dash if it is absent."""
    if absent(value):
        return EMPTY
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if known := named(what, value, look):
        return known.title
    if isinstance(value, list):
        one = _of_one(what)
        if one.widget == "word":  # where one entry is a word of programs all of them are
            spoken = any(isinstance(item, str) and PROGRAM_WORD.fullmatch(item) for item in value)
            one = replace(one, widget="chosen" if spoken else "")
        return ", ".join(
            what.options.get(str(item))
            or (plain(item, look, 1) if isinstance(item, list) else text(one, item, look))
            for item in value
        )
    if what.options:
        return what.options.get(str(value)) or (
            _chosen(value, what, look) if what.widget == "chosen" else plain(value, look)
        )
    if what.widget == "translations":
        value = translations.in_language(value, look.locale)
        return EMPTY if absent(value) else plain(value, look)
    if isinstance(value, Mapping) or what.type == "json":
        return plain(value, look)
    if is_money(what):
        return money_words(value, what, look)
    if what.references == record_links.ANY:
        collection, key = record_links.reference(what.references, value)
        return f"{label_of(collection.rpartition('.')[2])} {key}"
    writer = WIDGETS.get(what.widget) or WRITERS.get(what.type)
    return writer(value, what, look) if writer else iban.spoken(str(value))


def _of_one(what: Kind) -> Kind:
    """Return the kind of the entries of a list. Choices of a list of options are shown as words; other texts are kept to the letter."""
    if what.items:
        return Kind(what.name, what.label, what.items)
    known = (
        what.widget
        if what.widget in (*CODED, "day")
        else "word"
        if what.type in CHOSEN or what.widget == "word"
        else ""
    )
    return Kind(what.name, what.label, "text", widget=known)


def named(what: Kind, value: Any, look: Look) -> Named | None:
    """Return the record that the value of a reference names, as far as the page knows it; a person for their id."""
    if isinstance(value, str) and (own := _OWN_ID.fullmatch(value)):
        return Named(look.people.get(value) or OWN[own[1]], f"/runs/{value}" if own[1] == "run" else "")
    if what.references is None or isinstance(value, list | Mapping):
        return None
    return look.records.get((what.references, str(value)))


def plain(value: Any, look: Look, depth: int = 0) -> str:
    """Return any JSON value as one line, without a field; `depth` is its nesting depth."""
    if isinstance(value, Mapping | list) and depth >= DEEPEST:
        return TOO_DEEP
    if media.is_value(value):
        return str(value["name"])
    if isinstance(value, Mapping):
        there = {
            str(name): item
            for name, item in in_reading_order(value).items()
            if item is not None and (item or not isinstance(item, str | list | Mapping))
        }
        return ", ".join(
            said for name, item in there.items() if (said := _part(name, item, there, look, depth))
        )
    if isinstance(value, list):
        return ", ".join(said for item in value if (said := plain(item, look, depth + 1)))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return EMPTY if value is None else text(undescribed("", value), value, look)


ADDRESS = (
    "line1",
    "line2",
    "street",
    "house_number",
    "postcode",
    "postal_code",
    "zip",
    "city",
    "region",
    "state",
    "country",
)
"""Parts of an address in the order in which people write them."""
_PLACES = frozenset({"city", "postcode", "postal_code", "zip"})


def is_address(value: Any) -> bool:
    """Return whether this JSON is an address, which people read without the names of its parts."""
    return isinstance(value, Mapping) and bool(_PLACES & value.keys())


def in_reading_order(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parts of an address as people write them, for a database keeps them in an order of its own; anything else as it is."""
    if not is_address(value):
        return value
    return {name: value[name] for name in ADDRESS if name in value} | dict(value)


def _part(name: str, value: Any, beside: Mapping[str, Any], look: Look, depth: int) -> str:
    if isinstance(value, Mapping | list):
        return plain(value, look, depth + 1)
    what, known = described(name, value, beside)
    said = text(what, known, look)
    return f"{what.label}: {said}" if isinstance(value, bool) else said  # "Yes" says nothing by itself


OWN: Mapping[str, str] = {
    "run": "A run",
    "usr": "A person",
    "wf": "A workflow",
    "fil": "A file",
    "apr": "An approval",
    "eff": "A change",
    "evt": "An event",
    "aic": "A call of the AI",
}
"""What ids of the console are in words, by their beginning."""
_OWN_ID = re.compile(rf"({'|'.join(OWN)})_[0-9a-z]{{20,40}}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?")
_COUNTRY_WORDS = frozenset(
    {"country", "countries", "nationality", "nationalities", "citizenship", "citizenships"}
)
_CENTS = re.compile(r"_(?:minor|cents?)$")
_WORD_OF_PROGRAM = re.compile(r"[a-z]+(?:_[a-z]+)+")
_ONE_WORD = re.compile(r"\S+")
MOST_PLACES = 6
"""So many decimals are shown as the column has them, so that its numbers stand below one another; of more, zeros at the end are left out."""
_NO_FIGURES = re.compile(r"(?<=\.\d\d)(\d*[1-9])?0+$")
_COUNTRY = re.compile(r"[A-Z]{2}")


def undescribed(name: str, value: Any) -> Kind:
    """Return the kind of a value that no document describes, by its name and form."""
    label = label_of(name)
    match value:
        case bool():
            return Kind(name, label, "boolean")
        case int():
            return Kind(name, label, "integer", grouped=not name.endswith("id"))
        case Mapping():
            return Kind(name, label, "json")
        case list():
            words = all(isinstance(item, str) for item in value) and any(
                map(_WORD_OF_PROGRAM.fullmatch, value)
            )
            return Kind(name, label, "json", widget=_coded(name, value) or ("word" if words else ""))
        case str():
            kind = "date" if _DAY.fullmatch(value) else "datetime" if _MOMENT.fullmatch(value) else "text"
            return Kind(
                name,
                label,
                kind,
                widget=_coded(name, [value]) or ("word" if _WORD_OF_PROGRAM.fullmatch(value) else ""),
            )
        case _:
            return Kind(name, label)


def described(name: str, value: Any, beside: Mapping[str, Any]) -> tuple[Kind, Any]:
    """Return the kind of an undescribed value of an object and the value: an amount in cents with the currency `beside` it."""
    currency = beside.get("currency")
    if _CENTS.search(name) and isinstance(value, int) and not isinstance(value, bool):
        known = Amount(value, currency) if isinstance(currency, str) else value
        return Kind(
            name,
            label_of(name),
            "integer",
            widget="money",
            currency="currency" if isinstance(currency, str) else "",
            minor=True,
        ), known
    return undescribed(name, value), value


def label_of(name: str) -> str:
    """Return a label for the name of an undescribed value: `amount_minor` is "Amount"."""
    return humanised(
        re.sub(r"(?<=[a-z])(?=[0-9])", " ", _CENTS.sub("", name.removeprefix("_")).replace(".", " "))
    )


def _coded(name: str, values: list[Any]) -> str:
    """Return the widget for codes of countries, currencies and languages, if the name says so and all values are such codes."""
    last = name.lower().rpartition("_")[2]
    if not all(isinstance(value, str) for value in values):
        return ""
    if last in ("currency", "language") and all(len(value) in (2, 3) for value in values):
        return last
    if last in _COUNTRY_WORDS and all(_COUNTRY.fullmatch(value) for value in values):
        return "country"
    return ""


def _chosen(value: Any, _: Kind, look: Look) -> str:
    """Return what was chosen: a word of programs as a label, a sentence as it is."""
    return label_of(str(value)) if _ONE_WORD.fullmatch(str(value)) else plain(value, look)


def _number(value: Any, what: Kind, look: Look) -> str:
    if type(value) is int and 0 <= value < 10_000 and what.type == "integer":
        return str(value)
    text = str(value)
    if text[-1:] == "0" and "." in text[: -MOST_PLACES - 1]:
        text = _NO_FIGURES.sub(r"\1", text)
    return grouped(text, look.locale, 10_000 if what.type == "integer" else 1_000) if what.grouped else text


def _day(value: Any, _: Kind, look: Look) -> str:
    return day_words(str(value), look.locale)


def _moment(value: Any, _: Kind, look: Look) -> str:
    return moment_words(str(value), look.locale, look.zone)


def _clock(value: Any, _: Kind, __: Look) -> str:
    return CLOCK.sub(CLOCK_PARTS, str(value))


def _amount(value: Any, what: Kind, look: Look) -> str:
    """Return an amount without a currency with two decimals, and with more only those that say something: 12.5 and 12.5000 are "12.50"."""
    if type(value) is str and value[-3:-2] == "." and what.grouped:
        return grouped(value, look.locale)
    whole, _, part = str(value).partition(".")
    part = part[:2] + part[2:].rstrip("0")
    plain_amount = whole.removeprefix("-").isdecimal() and (not part or part.isdecimal())
    return _number(f"{whole}.{part:0<2}" if plain_amount else value, what, look)


CLOCK, CLOCK_PARTS = re.compile(r"^(\d+:\d\d)(?::00)?(:\d\d)?(?:\.\d+)?"), r"\1\2"
"""A time as databases write it, and what of it is shown: its seconds where there are any. Written so that PostgreSQL reads it, too."""
_LASTS = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


_RANGE = re.compile(r"(?:from |above |before |up to |\d to )\d{4}-\d\d-\d\d")
_KEPT_RANGE = re.compile(r"[\[(].*\d{4}-\d\d-\d\d.*[\])]")
_RANGE_END = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[+-]\d\d(?::\d\d)?)?)?")


def _lasting(value: Any, _: Kind, look: Look) -> str:
    """Return a duration in words, P1DT2H as "1 day 2 hours", a range with its days and moments in words, and everything else as it is."""
    found = _LASTS.fullmatch(str(value))
    if found is None and _KEPT_RANGE.fullmatch(str(value)):  # part of a key: kept as the database writes it
        value = range_words(value)
    if found is None:
        return (
            _RANGE_END.sub(
                lambda end: (
                    moment_words(end[0], look.locale, look.zone) if end[1] else day_words(end[0], look.locale)
                ),
                str(value),
            )
            if _RANGE.search(str(value))
            else str(value)
        )
    parts = [
        f"{count} {unit}{'' if count == '1' else 's'}"
        for count, unit in zip(found.groups()[1:], _UNITS, strict=True)
        if count
    ]
    return ("minus " if found[1] else "") + (" ".join(parts) or "0 seconds")


_UNITS = ("day", "hour", "minute", "second")

WRITERS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "integer": _number,
    "decimal": _number,
    "money": _amount,
    "other": _lasting,
    "date": _day,
    "datetime": _moment,
    "time": _clock,
}


def _code(value: Any, what: Kind, look: Look) -> str:
    return ", ".join(code_name(what.widget, code, look.locale) for code in str(value).split(", "))


def _percent(value: Any, what: Kind, look: Look) -> str:
    return f"{_number(value, what, look)} %"


def _fraction(value: Any, what: Kind, look: Look) -> str:
    """Return a part of one in per cent: 0.15 is "15 %"."""
    try:
        hundredfold = Decimal(str(value)) * 100
    except InvalidOperation:
        return str(value)
    return (
        f"{_number(format(hundredfold.normalize(), 'f'), what, look)} %"
        if hundredfold.is_finite()
        else str(value)
    )


def _long_day(value: Any, _: Kind, look: Look) -> str:
    at = moment_of(value)
    return (
        str(value)
        if at is None
        else worded(at, "d MMMM y", look if "T" in str(value) else Look(look.locale, "UTC", look.now))
    )


def _iso(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    if at is None or what.type == "date":
        return str(value)
    return within(at, look.zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def read_json(value: Any) -> Any:
    """Parse text that holds JSON; return other values, and other text, unchanged."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _counted(value: Any, what: Kind, look: Look) -> str:
    """Return the moment for which a number stands; a number that is none as it is."""
    at = counted_moments.moment(what.widget, value)
    return (
        moment_words(at.isoformat(), look.locale, look.zone)
        if at
        else EMPTY
        if str(value) in ("0", "0.0")
        else str(value)
    )


def _short_day(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    return (
        str(value)
        if at is None
        else worded(at, "d MMM y", look if what.type == "datetime" else Look(look.locale, "UTC", look.now))
    )


WIDGETS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "country": _code,
    "language": _code,
    "currency": _code,
    "zone": _code,
    **dict.fromkeys(SPOKEN, lambda value, _, __: state_words(str(value))),
    "chosen": _chosen,
    "percent": _percent,
    "fraction": _fraction,
    "day": _short_day,
    "long_day": _long_day,
    "iso": _iso,
    "ago": lambda value, _, look: ago(value, look),
    "iban": lambda value, _, __: iban.grouped(str(value)),
    **dict.fromkeys(counted_moments.UNITS, _counted),
    "json": lambda value, _, look: plain(read_json(value), look),
    "translations": lambda value, what, look: text(what, value, look),
    "person": lambda value, _, look: look.accounts.get(str(value).lower(), str(value)),
}


def file_words(value: Mapping[str, Any]) -> str:
    """Describe a file value of a run by type and size: `PDF, 24 KB`. Its hash is for the log, the API and the case file."""
    known = next(
        (kind.label for kind in media.MEDIA.values() if kind.media_type == value["media_type"]), "File"
    )
    return f"{known}, {media.size(int(value['bytes']))}"


def initials(title: str) -> str:
    """Return one or two letters for a title."""
    words = [word for word in title.split() if word[:1].isalnum()]
    return ("".join(word[0] for word in words[:2]) or title.strip()[:1] or "?").upper()


def role_words(role: str) -> str:
    """Return a role's name for people: `operations_lead` is "Operations lead", `mlro` is "MLRO"."""
    return humanised(role.removeprefix("role:").lower())
