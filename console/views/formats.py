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
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, get_currency_precision
from markupsafe import Markup, escape

from console.core import media
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
    """What of a field decides how its values look. `options` is stored word → label; `grouped` false writes numbers plain.

    `widget` is how its document says that it is shown; `tones` are the colours of its words; `currency` is a code, `minor`: the amount is in cents.
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


class Amount(NamedTuple):
    """An amount with the currency that stands beside it in the record."""

    value: Any
    currency: str


def with_currencies(values: Mapping[str, Any], currencies: Mapping[str, str]) -> Mapping[str, Any]:
    """The values of a record, amounts with the currency that another column of it holds."""
    found = {
        name: Amount(values[name], str(values[column]))
        for name, column in currencies.items()
        if values.get(name) is not None and values.get(column) is not None
    }
    return {**values, **found} if found else values


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
        name not in key and get("widget", None) != "plain",
        str(get("widget", None) or ""),
        {str(_of(one, "value")): str(_of(one, "tone")) for one in listed or () if _of(one, "tone")}
        if isinstance(listed, list | tuple)
        else {},
        str(get("currency", None) or ""),
        bool(get("minor", False)),
    )


def _of(one: Any, name: str) -> Any:
    return one.get(name) if isinstance(one, Mapping) else getattr(one, name, None)


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
    writer = _WIDGETS.get(what.widget) or _WRITERS.get(what.type)
    return writer(value, what, look) if writer else _plain(value)


def _plain(value: Any, depth: int = 0) -> str:
    if isinstance(value, Mapping | list) and depth >= DEEPEST:
        return TOO_DEEP
    if media.is_value(value):
        return str(value["name"])
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
    return str(value)[:5] if str(value)[:1].isdigit() else str(value)  # a length of time is one whole: P4DT4H


_WRITERS: dict[str, Callable[[Any, Kind, Look], str]] = {
    "integer": _number,
    "decimal": _number,
    "money": _number,
    "date": _day,
    "datetime": _moment,
    "time": _clock,
}


def _money(value: Any, what: Kind, look: Look) -> str:
    """The amount with its currency, in the places that the currency has; without one as a number."""
    amount, code = value if isinstance(value, Amount) else (value, what.currency)
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return str(amount)
    known = code if re.fullmatch(r"[A-Z]{3}", code) else ""
    if (
        what.minor and number.is_finite() and (known or value is not amount or not what.currency)
    ):  # cents of a currency that is not there stay as they are kept
        number = number.scaleb(-(get_currency_precision(known) if known else 2))
    if known and number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS:
        return str(format_currency(number, known, locale=look.locale, decimal_quantization=False))
    plain = grouped(f"{number:f}" if number.is_finite() else str(number), look.locale)
    return f"{plain} {code}" if value is not amount and code else plain


def _percent(value: Any, what: Kind, look: Look) -> str:
    return f"{_number(value, what, look)} %"


def _long_day(value: Any, _: Kind, look: Look) -> str:
    at = moment_of(value)
    return str(value) if at is None else _worded(at, "d MMMM y", look if "T" in str(value) else Look(look.locale, "UTC", look.now))


def _iso(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    if at is None or what.type == "date":
        return str(value)
    return _within(at, look.zone).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def _short_day(value: Any, what: Kind, look: Look) -> str:
    at = moment_of(value)
    return str(value) if at is None else _worded(at, "d MMM y", look if what.type == "datetime" else Look(look.locale, "UTC", look.now))


def _in_groups(value: Any, _: Kind, __: Look) -> str:
    """An IBAN as people read it: four characters at a time."""
    bare = str(value).replace(" ", "")
    return " ".join(bare[place : place + 4] for place in range(0, len(bare), 4))


_WIDGETS: dict[str, Callable[[Any, Kind, Look], str]] = {
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
        return Markup('<span class="empty-value">–<span class="vh"> {}</span></span>').format(
            "not shown" if what.type == "binary" else "empty"
        )
    if isinstance(value, list) and all(media.is_value(one) for one in value):
        return Markup("<br>").join(_file(one) for one in value)
    if isinstance(value, Mapping):
        return _file(value) if media.is_value(value) else _pairs(value)
    if what.type in ("json", "array") and isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        return Markup("<pre>{}</pre>").format(_laid_out(value))
    if what.widget == "json":
        return Markup("<pre>{}</pre>").format(_laid_out(_read_json(value)))
    if what.widget == "tags" and isinstance(value, list):
        return Markup(" ").join(Markup('<span class="badge">{}</span>').format(what.options.get(str(one), _plain(one))) for one in value)
    if what.type == "datetime" and what.widget not in _WIDGETS:
        return _day_of(value, look) or when(value, look)
    shown = text(what, value, look)
    if (what.type == "email" or what.widget == "email") and "@" in shown:
        return Markup('<a href="mailto:{}">{}</a>').format(shown, shown)
    if what.widget == "phone" and (number := re.sub(r"[^0-9+]", "", shown)):
        return Markup('<a href="tel:{}">{}</a>').format(number, shown)
    if (what.type == "url" or what.widget == "link") and shown.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer noopener" target="_blank">{}</a>').format(shown, shown)
    if what.type in NUMBERS:
        return Markup('<span class="num">{}</span>').format(shown)
    if what.type in ("uuid", "binary") or what.widget in ("code", "iban"):
        return Markup('<span class="mono">{}</span>').format(shown)
    if what.type == "long_text" or what.widget == "textarea":
        return Markup("<br>").join(escape(line) for line in shown.splitlines() or [shown])
    return escape(shown)


def _read_json(value: Any) -> Any:
    """The JSON that a text holds; other values, and texts that hold none, as they are."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def _file(value: Mapping[str, Any]) -> Markup:
    """A file that was handed in, as the way to it."""
    shape = Markup('<a href="/files/{}">{}</a> <span class="muted">{}</span>')
    return shape.format(value["file"], value["name"], file_words(value))


def file_words(value: Mapping[str, Any]) -> str:
    """What a file is and how large, from its value in a run: `PDF, 24 KB, SHA-256 1f0c9a…`."""
    known = next((one.label for one in media.MEDIA.values() if one.media_type == value["media_type"]), "File")
    return f"{known}, {media.size(int(value['bytes']))}, SHA-256 {str(value['sha256'])[:12]}…"


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


def cell(what: Kind, look: Look, html: Callable[[str], str] | None = None) -> Callable[[Any], str]:
    """A function that gives the `<td>` of a value: the hot loop of a list, one string per cell and no template.

    What the field alone decides is looked up once, and only texts that hold a character of HTML are escaped. `html` (`marker`) does it otherwise.
    """
    html = html or escaped
    start, nothing = _edges(what)
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
        return f"{start}{html(shown)}</td>"

    return write


def column(what: Kind, look: Look, html: Callable[[str], str] | None = None) -> Callable[[Sequence[Any]], list[str]]:
    """As `cell`, for all values of a column at once: what holds for each of them is asked once for all."""
    write = cell(what, look, html)
    if html not in (None, escaped):
        return lambda values: [write(value) for value in values]
    start, nothing = _edges(what)
    say = _sayer(what, look)

    def draw(values: Sequence[Any]) -> list[str]:
        kinds = set(map(type, values))
        if not kinds <= _PLAIN:
            return _once_each(write, values) if kinds <= _FEW else [write(value) for value in values]
        shown = ["" if value is None or value == "" else say(value) for value in values]
        if _SPECIAL("".join(shown)) or max(map(len, shown), default=0) > CELL_LENGTH:
            return [write(value) for value in values]
        return [nothing if value is None or value == "" else f"{start}{one}</td>" for value, one in zip(values, shown, strict=True)]

    return draw


def _edges(what: Kind) -> tuple[str, str]:
    """How the cell of a field begins, and the whole of an empty one."""
    label = escape(what.label)
    tag = "" if what.options else "r" if what.type in NUMBERS else "d" if what.type in MOMENTS else ""
    return f'<td class="{tag}" data-l="{label}">' if tag else f'<td data-l="{label}">', f'<td class="e" data-l="{label}">{EMPTY}</td>'


_PLAIN = {str, int, type(None)}
_FEW = {bool, type(None)}


def _once_each(write: Callable[[Any], str], values: Sequence[Any]) -> list[str]:
    """Cells of a column that holds few different values."""
    known = {value: write(value) for value in set(values)}
    return [known[value] for value in values]


def _sayer(what: Kind, look: Look) -> Callable[[Any], str]:
    """`text` for the strings and whole numbers of one field."""
    if what.widget in _WIDGETS and not what.options:
        return lambda value: text(what, value, look)
    if what.options:
        return lambda value: what.options.get(str(value)) or text(what, value, look)
    match what.type:
        case "date":
            return lambda value: _day_words(str(value), look.locale)
        case "datetime":
            return lambda value: _moment_words(str(value), look.locale, look.zone)
    writer = _WRITERS.get(what.type)
    return str if writer is None else lambda value: writer(value, what, look)


def escaped(shown: str) -> str:
    """The text as HTML; most holds no character of HTML, and finding that out is quicker than escaping it."""
    return escape(shown) if _SPECIAL(shown) else shown


def marker(words: Sequence[str]) -> Callable[[str], str]:
    """A function that gives a text as HTML with these words marked, whatever the case of their letters."""
    wanted = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    if not wanted:
        return escaped
    found = re.compile(f"({'|'.join(map(re.escape, wanted))})", re.IGNORECASE)

    def write(shown: str) -> str:
        parts = found.split(shown)
        return (
            escaped(shown)
            if len(parts) == 1
            else "".join(f"<mark>{escape(part)}</mark>" if at % 2 else escape(part) for at, part in enumerate(parts))
        )

    return write


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
    if what.type in ("file", "files"):
        told = [_document(one, look) for one in sent if one.strip()]
        return told if what.type == "files" else told[-1] if told else None
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


def role_words(role: str) -> str:
    """A role's name as people write it: `operations_lead` is "Operations lead"."""
    return role.removeprefix("role:").replace("_", " ").capitalize()
