"""How a value is shown to a person, and how what a form sends is read back.

One place for both directions, so that what a page shows in a box is what the same page accepts from it. Values are those of
the API: decimals are strings, dates `2026-11-20`, moments RFC 3339 in UTC, enums their stored word, arrays lists.
Times are shown in the person's zone with UTC beside them on hover and focus.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from markupsafe import Markup, escape

from console.core.actor import Actor

EMPTY = "–"
NUMBERS = frozenset({"integer", "decimal", "money"})
MOMENTS = frozenset({"date", "datetime", "time"})
LISTS = frozenset({"multi_enum", "checklist", "array"})
SHOWN_ONLY = frozenset({"other", "binary", "file"})
CELL_LENGTH = 80
DEEPEST = 40
TOO_DEEP = "…"  # for what is nested deeper than anybody reads
MOST_DIGITS = 200


@dataclass(frozen=True, slots=True)
class Look:
    """Whose eyes: locale and zone of the reader, and the moment at which the page is drawn (aware)."""

    locale: str = "en"
    zone: str = "UTC"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, actor: Actor) -> "Look":
        """The look of the person who asks; an unknown locale reads as English, an unknown zone as UTC."""
        return cls(_known_locale(actor.locale), _known_zone(actor.zone))


@dataclass(frozen=True, slots=True)
class Kind:
    """What of a field decides how its values look. `options` is stored word → label; `grouped` false writes numbers plain."""

    name: str
    label: str
    type: str = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    references: str | None = None
    sensitive: bool = False
    grouped: bool = True


def kind(source: Any, key: Sequence[str] = ()) -> Kind:
    """The kind of a field, from an object with attributes or a mapping of the API's shape. Fields of `key` are written plain."""
    get = source.get if isinstance(source, Mapping) else lambda name, default=None: getattr(source, name, default)
    listed = get("options", None)
    options = dict(_option(one) for one in listed) if isinstance(listed, list | tuple) else {}
    name = str(get("name", ""))
    return Kind(
        name,
        str(get("label", "") or name),
        str(get("type", "text") or "text"),
        options,
        get("references", None),
        bool(get("sensitive", False)),
        name not in key,
    )


def _option(one: Any) -> tuple[str, str]:
    if isinstance(one, Mapping):
        return str(one["value"]), str(one.get("label") or one["value"])
    return str(one.value), str(one.label)


# -- plain text


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, str | list) and not value)


def text(what: Kind, value: Any, look: Look) -> str:
    """The value as one line of words; an absent one is a dash."""
    if _absent(value):
        return EMPTY
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if what.type in LISTS and isinstance(value, list):
        return ", ".join(what.options.get(str(one), _plain(one)) for one in value)
    if what.options:
        return what.options.get(str(value), _plain(value))
    writer = _WRITERS.get(what.type)
    return writer(value, what, look) if writer else _plain(value)


def _plain(value: Any, depth: int = 0) -> str:
    if isinstance(value, Mapping | list) and depth >= DEEPEST:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return ", ".join(_plain(one, depth + 1) for one in value.values() if one is not None and not _hollow(one))
    if isinstance(value, list):
        return ", ".join(_plain(one, depth + 1) for one in value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return EMPTY if value is None else str(value)


def _hollow(value: Any) -> bool:
    return isinstance(value, str | list | Mapping) and not value


def _number(value: Any, what: Kind, look: Look) -> str:
    return grouped(str(value), look.locale, 10_000 if what.type == "integer" else 1_000) if what.grouped else str(value)


def _day(value: Any, _: Kind, look: Look) -> str:
    return _day_words(str(value), look.locale)


def _moment(value: Any, _: Kind, look: Look) -> str:
    return _moment_words(str(value), look.locale, look.zone)


def _clock(value: Any, _: Kind, __: Look) -> str:
    return str(value)[:5]


_WRITERS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "integer": _number,
    "decimal": _number,
    "money": _number,
    "date": _day,
    "datetime": _moment,
    "time": _clock,
}


@lru_cache(maxsize=4096)
def grouped(number: str, locale: str = "en", least: int = 1_000) -> str:
    """A decimal with the locale's marks, grouped from `least` on; its digits stay as many as they are. What is no number stays as it is."""
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


def moment_of(value: Any) -> datetime | None:
    """An aware moment from a datetime or its RFC 3339 text; None for anything else."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _within(at: datetime, zone: str) -> datetime:
    """The moment in the zone; as it is where the calendar has no such day there (databases keep 9999-12-31 for "never")."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:
        return at


def _worded(at: datetime, shape: str, look: Look) -> str:
    return _worded_in(at, shape, look.locale, look.zone)


@lru_cache(maxsize=8192)
def _worded_in(at: datetime, shape: str, locale: str, zone: str) -> str:
    return format_datetime(_within(at, zone).replace(tzinfo=None), shape, locale=locale)


@lru_cache(maxsize=8192)
def _day_words(value: str, locale: str) -> str:
    try:
        return format_date(date.fromisoformat(value[:10]), "d MMM y", locale=locale)
    except ValueError:
        return value


_ANY = datetime(2026, 1, 1, tzinfo=UTC)  # where no word depends on the moment of drawing


@lru_cache(maxsize=8192)
def _moment_words(value: str, locale: str, zone: str) -> str:
    at = moment_of(value)
    return value if at is None else _worded(at, "d MMM y, HH:mm", Look(locale, zone, _ANY))


def clock(value: Any, look: Look) -> str:
    """Hour and minute in the person's zone: the "12:07" of "Draft saved 12:07"."""
    at = moment_of(value)
    return EMPTY if at is None else _worded(at, "HH:mm", look)


def clock_or_day(value: Any, look: Look) -> str:
    """The time where it was today in the person's zone, else the day: the "12:04" of "Verified to 12:04"."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    today = _within(at, look.zone).date() == _within(look.now, look.zone).date()
    return _worded(at, "HH:mm" if today else "d MMM y", look)


def full_moment(value: Any, look: Look) -> str:
    """The exact moment in the person's zone, and in UTC where that differs."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    here = _worded(at, "d MMM y, HH:mm:ss", look)
    if look.zone == "UTC" or _within(at, look.zone).tzinfo is at.tzinfo is UTC:
        return f"{here} UTC"
    return f"{here} {look.zone} ({_worded(at, 'HH:mm:ss', Look(look.locale, 'UTC', look.now))} UTC)"


def ago(value: Any, look: Look) -> str:
    """How long ago: minutes and hours under a day, then the date and time."""
    at = moment_of(value)
    if at is None:
        return EMPTY
    seconds = (look.now - at).total_seconds()
    if -30 <= seconds < 45:  # clocks of two machines may differ a little
        return "just now"
    if 0 <= seconds < 86_400:
        return format_timedelta(look.now - at, granularity="minute", add_direction=False, locale=look.locale, format="long") + " ago"
    return _moment_words(at.isoformat(), look.locale, look.zone)


def span(seconds: float, look: Look) -> str:
    """A length of time in its largest unit: "3 hours"."""
    return format_timedelta(max(0, int(seconds)), locale=look.locale, format="long")


def when(value: Any, look: Look) -> Markup:
    """`<time>` with the relative moment, the exact one (and UTC) on hover and focus."""
    at = moment_of(value)
    if at is None:
        return escape(EMPTY)
    shape = Markup('<time datetime="{}" title="{}">{}</time>')
    return shape.format(_within(at, "UTC").isoformat(timespec="seconds"), full_moment(at, look), ago(at, look))


_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def _day_of(value: Any, look: Look) -> Markup | None:
    """A moment that is a midnight (in UTC or here) stands for its day: "today", not "10 hours ago". None for any other moment."""
    at = moment_of(value)
    for zone in ("UTC", look.zone):
        there = at and _within(at, zone)
        if at and there and there.time() == time.min:
            away = (there.date() - _within(look.now, zone).date()).days
            day = there.date().isoformat()
            words = _NEAR.get(away) or _day_words(day, look.locale)
            return Markup('<time datetime="{}" title="{}">{}</time>').format(day, full_moment(at, look), words)
    return None


# -- HTML


def html(what: Kind, value: Any, look: Look) -> Markup:
    """The value on a page of its own record: moments with their exact time, addresses as links, JSON laid out."""
    if _absent(value):
        return Markup('<span class="empty-value">–<span class="vh"> empty</span></span>')
    if isinstance(value, Mapping):
        return _pairs(value)
    if what.type in ("json", "array") and isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        return Markup("<pre>{}</pre>").format(_laid_out(value))
    if what.type == "datetime":
        return _day_of(value, look) or when(value, look)
    shown = text(what, value, look)
    if what.type == "email" and "@" in shown:
        return Markup('<a href="mailto:{}">{}</a>').format(shown, shown)
    if what.type == "url" and shown.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(shown, shown)
    if what.type in NUMBERS:
        return Markup('<span class="num">{}</span>').format(shown)
    if what.type in ("uuid", "binary"):
        return Markup('<span class="mono">{}</span>').format(shown)
    if what.type == "long_text":
        return Markup("<br>").join(escape(line) for line in shown.splitlines() or [shown])
    return escape(shown)


def linked(title: str, href: str) -> Markup:
    """The title of another record as the way to it."""
    return Markup('<a href="{}">{}</a>').format(href, title)


def _humanised(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[0-9])", " ", name.replace("_", " ")).capitalize()


def _pairs(value: Mapping[str, Any]) -> Markup:
    rows = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
            _humanised(str(name)), _laid_out(one, None) if isinstance(one, Mapping | list) else _plain(one)
        )
        for name, one in value.items()
    )
    return (
        Markup('<dl class="kv">{}</dl>').format(rows)
        if value
        else Markup('<span class="empty-value">–<span class="vh"> empty</span></span>')
    )


def _laid_out(value: Any, indent: int | None = 2) -> str:
    """JSON as text, what is nested too deep left out."""
    return json.dumps(_shallow(value, 0), ensure_ascii=False, indent=indent)


def _shallow(value: Any, depth: int) -> Any:
    if not isinstance(value, Mapping | list):
        return value
    if depth >= DEEPEST:
        return TOO_DEEP
    if isinstance(value, list):
        return [_shallow(one, depth + 1) for one in value]
    return {name: _shallow(one, depth + 1) for name, one in value.items()}


def cell(what: Kind, look: Look) -> Callable[[Any], str]:
    """A function that gives the `<td>` of a value: the hot loop of a list, one string per cell and no template.

    What the field alone decides is looked up once, and only texts that hold a character of HTML are escaped.
    """
    label = escape(what.label)
    tag = "" if what.options else "r" if what.type in NUMBERS else "d" if what.type in MOMENTS else ""
    start = f'<td class="{tag}" data-l="{label}">' if tag else f'<td data-l="{label}">'
    nothing = f'<td class="e" data-l="{label}">{EMPTY}</td>'
    say = _sayer(what, look)

    def write(value: Any) -> str:
        kind_of = type(value)
        if kind_of is str or kind_of is int:
            if value == "":
                return nothing
            shown = say(value)
        elif _absent(value):
            return nothing
        else:
            shown = text(what, value, look)
        if len(shown) > CELL_LENGTH:
            shown = shown[: CELL_LENGTH - 1] + "…"
        return f"{start}{escape(shown) if _SPECIAL(shown) else shown}</td>"

    return write


def _sayer(what: Kind, look: Look) -> Callable[[Any], str]:
    """`text` for the strings and whole numbers of one field."""
    if what.options:
        return lambda value: what.options.get(str(value)) or text(what, value, look)
    match what.type:
        case "date":
            return lambda value: _day_words(str(value), look.locale)
        case "datetime":
            return lambda value: _moment_words(str(value), look.locale, look.zone)
    writer = _WRITERS.get(what.type)
    return str if writer is None else lambda value: writer(value, what, look)


_SPECIAL = re.compile("[&<>\"']").search


def initials(title: str) -> str:
    """One or two letters that stand for a title."""
    words = [word for word in title.split() if word[:1].isalnum()]
    return ("".join(word[0] for word in words[:2]) or title.strip()[:1] or "?").upper()


# -- forms


def box(what: Kind, value: Any, look: Look) -> str:
    """What stands in the input for this value: the other direction of `typed`."""
    if value is None:
        return ""
    if what.type == "datetime":
        at = moment_of(value)
        here = None if at is None else _within(at, look.zone).replace(tzinfo=None, microsecond=0).isoformat()
        return str(value) if here is None else here[:16] if here.endswith(":00") else here
    if what.type == "time":
        return str(value)[:8]
    if what.type in LISTS and isinstance(value, list):
        return "\n".join(_plain(one) for one in value)
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return str(value)


def typed(what: Kind, sent: Sequence[str], look: Look) -> Any:
    """The value that the strings of a form mean; what cannot be read stays the text, for the rules to refuse by name.

    A box left empty is None, a choice that was not made is None, a list without a tick is [].
    """
    if what.type == "boolean":
        return _yes_or_no(sent)
    if what.type in ("multi_enum", "checklist"):
        return [line for one in sent for line in one.replace("\r\n", "\n").split("\n") if line]
    entry = sent[-1].replace("\r\n", "\n") if sent else ""
    if what.type == "array":
        return [line.strip() for line in entry.split("\n") if line.strip()]
    if entry.strip() == "":
        return None
    reader = _READERS.get(what.type)
    return reader(entry.strip(), look) if reader else entry


def _yes_or_no(sent: Sequence[str]) -> bool | None:
    return {"true": True, "false": False}.get(sent[-1]) if sent else None


def _whole(entry: str, _: Look) -> Any:
    bare = entry.replace("\N{MINUS SIGN}", "-").replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace("_", "x")
    try:
        return int(bare)
    except ValueError:
        return entry


def _fraction(entry: str, _: Look) -> str:
    return entry.replace("\N{MINUS SIGN}", "-").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")


def _local_moment(entry: str, look: Look) -> str:
    try:
        read = datetime.fromisoformat(entry)
    except ValueError:
        return entry
    at = read if read.tzinfo else read.replace(tzinfo=ZoneInfo(look.zone))
    try:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return entry


def _local_time(entry: str, _: Look) -> str:
    try:
        return time.fromisoformat(entry).isoformat()
    except ValueError:
        return entry


def _document(entry: str, _: Look) -> Any:
    try:
        return json.loads(entry)
    except (ValueError, RecursionError):
        return entry


_READERS: dict[str, Callable[[str, Look], Any]] = {
    "integer": _whole,
    "decimal": _fraction,
    "money": _fraction,
    "datetime": _local_moment,
    "time": _local_time,
    "json": _document,
}
