"""What determines how a value is shown: its reader and the kind of its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError

from console.core.actor import Actor

EMPTY = "–"
NUMBERS = frozenset({"integer", "decimal", "money"})
MOMENTS = frozenset({"date", "datetime", "time"})
CHOSEN = frozenset({"multi_enum", "checklist"})
LISTS = CHOSEN | {"array"}
SHOWN_ONLY = frozenset({"other", "binary", "file"})
TYPE_WORDS = {
    "text": "Text",
    "long_text": "Text",
    "integer": "Number",
    "decimal": "Number",
    "money": "Amount",
    "boolean": "Yes or no",
    "date": "Date",
    "datetime": "Date and time",
    "time": "Time",
    "enum": "Choice",
    "multi_enum": "Choices",
    "checklist": "Checklist",
    "email": "E-mail",
    "phone": "Phone",
    "url": "Address",
    "json": "Details",
    "array": "List",
    "file": "File",
    "files": "Files",
    "reference": "Record",
    "uuid": "ID",
    "binary": "Bytes",
    "other": "Other",
}
"""Type of a field → what it is called."""
WIDGET_WORDS = {
    "input": "One line",
    "textarea": "Several lines",
    "select": "Choose from a list",
    "radio": "Choose by buttons",
    "switch": "Switch",
    "badge": "Badge in its colour",
    "word": "Code in words",
    "tags": "Tags",
    "number": "Number",
    "plain": "Number without separators",
    "money": "Money",
    "percent": "Per cent",
    "day": "Day",
    "long_day": "Day in words",
    "iso": "2026-11-20",
    "ago": "How long ago",
    "link": "Link",
    "email": "E-mail link",
    "phone": "Phone link",
    "iban": "IBAN in groups",
    "country": "Country",
    "language": "Language",
    "currency": "Currency",
    "zone": "Time zone",
    "image": "Image",
    "file": "File",
    "code": "Code",
    "json": "JSON",
    "fraction": "Per cent of a part of one",
    "colour": "Colour",
    "person": "Name of a person who has this account",
    "translations": "Text in the reader's language",
    "unix": "Moment, from seconds since 1970",
    "unix_ms": "Moment, from thousandths of seconds since 1970",
    "unix_us": "Moment, from millionths of seconds since 1970",
    "julian": "Moment, from Julian days",
    "cocoa": "Moment, from seconds since 2001, as iOS and macOS count",
}
"""What each widget is called where people choose one, or read how a column is taken."""


@dataclass(frozen=True, slots=True)
class Named:
    """A record as this reader may know it: its title, key and address, or in words why there is none (`absent`)."""

    title: str
    href: str = ""
    absent: bool = False
    key: str = ""

    @property
    def alone(self) -> str:
        """The title where it stands alone: what says why there is none begins like a sentence."""
        return self.title[:1].upper() + self.title[1:] if self.absent else self.title


@dataclass(frozen=True, slots=True)
class Look:
    """The reader's locale and zone, the time (aware) at which the page is rendered, and what they may know by name. `lasting`: on paper, where
    "5 minutes ago" would say nothing.

    `records` are the records that values refer to, by collection and key; `people` the persons by id, `accounts` their names by e-mail address and
    its first part, in small letters. `renamed` are those of the records that are called otherwise today, where what is shown is of another time.
    """

    locale: str = "en"
    zone: str = "UTC"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    records: Mapping[tuple[str, str], Named] = field(default_factory=dict, compare=False)
    people: Mapping[str, str] = field(default_factory=dict, compare=False)
    accounts: Mapping[str, str] = field(default_factory=dict, compare=False)
    renamed: Mapping[tuple[str, str], Named] = field(default_factory=dict, compare=False)
    lasting: bool = False

    @classmethod
    def of(cls, actor: Actor) -> "Look":
        """Return the look for this person. An unknown locale falls back to English, an unknown zone to UTC."""
        return cls(_known_locale(actor.locale), _known_zone(actor.zone))


@lru_cache(maxsize=64)
def _known_locale(name: str) -> str:
    try:
        return str(Locale.parse(name.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return "en"


@lru_cache(maxsize=64)
def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


@dataclass(frozen=True, slots=True)
class Kind:
    """What determines how the values of a field are shown. `options` maps stored word → label; without `grouped`, numbers have no thousands separators.

    `widget` is the display that the collection's document names, `tones` the colours of its words, `currency` a code; `minor`: the amount is in cents.
    `items` is the type of a list's entries, where they are days or moments.
    """

    name: str
    label: str
    type: str = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    references: str | None = None
    sensitive: bool = False
    grouped: bool = True
    widget: str = ""
    tones: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    minor: bool = False
    items: str = ""


class Amount(NamedTuple):
    """An amount with the currency from the same record."""

    value: Any
    currency: str


def with_currencies(values: Mapping[str, Any], currencies: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the values of a record, with amounts joined to the currency in another column."""
    amounts = {
        name: Amount(values[name], str(values[column]))
        for name, column in currencies.items()
        if values.get(name) is not None and values.get(column) is not None
    }
    return {**values, **amounts} if amounts else values


def kind(source: Any, key: Sequence[str] = ()) -> Kind:
    """Return the kind of a field, from an object or an API mapping. Fields of `key` are written without separators."""
    get = (
        source.get
        if isinstance(source, Mapping)
        else lambda name, default=None: getattr(source, name, default)
    )
    listed = get("options", None) or ()
    choices = listed if isinstance(listed, list | tuple) else ()
    led = listed.get("collection") if listed is not choices and isinstance(listed, Mapping) else None
    name = str(get("name", ""))
    return Kind(
        name,
        str(get("label", "") or name),
        str(get("type", "text") or "text"),
        dict(map(_option, choices)),
        get("references", None) or led,
        bool(get("sensitive", False)),
        name not in key and get("widget", None) != "plain",
        str(get("widget", None) or ""),
        {
            str(_attribute(item, "value")): str(_attribute(item, "tone"))
            for item in choices
            if _attribute(item, "tone")
        },
        str(get("currency", None) or ""),
        bool(get("minor", False)),
        items if (items := get("items", None)) in ("date", "datetime") else "",
    )


def _attribute(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _option(option: Any) -> tuple[str, str]:
    if isinstance(option, Mapping):
        return str(option["value"]), str(option.get("label") or option["value"])
    return str(option.value), str(option.label)
