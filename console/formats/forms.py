"""Convert values to the text in form boxes and back."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from console.core import counted_moments
from console.core.counted_moments import is_counted
from console.core.currencies import whole_units
from console.formats.codes import CODED, code_named
from console.formats.kinds import LISTS, NUMBERS, Kind, Look, kind
from console.formats.money import currency_words, is_money, money_box, money_typed, of_any_currency
from console.formats.times import moment_of, within

BLANKS = "[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]"
HUNDRED = 2
PERCENT = ("percent", "fraction")
_CLOCK = re.compile(r"-?\d+:\d\d(?::\d\d)?")
_GROUPED = re.compile(rf"-?[0-9]{{1,3}}(?:{BLANKS}[0-9]{{3}})+(?:[.,][0-9]*)?")


def box(what: Kind, value: Any, look: Look) -> str:
    """Return the text in the input for this value; the reverse of `typed`."""
    if value is None:
        return ""
    if what.type == "datetime":
        at = moment_of(value)
        local = None if at is None else within(at, look.zone).replace(tzinfo=None, microsecond=0).isoformat()
        return str(value) if local is None else local[:16] if local.endswith(":00") else local
    if what.type == "time":
        clock = _CLOCK.match(str(value))  # durations of MySQL have more than two digits of hours
        return clock[0] if clock else str(value)
    if is_counted(what):
        at = counted_moments.moment(what.widget, value)
        return str(value) if at is None else box(Kind(what.name, what.label, "datetime"), at, look)
    if is_money(what):
        return money_box(what, value)
    if is_fraction(what):
        return _moved(str(value), -HUNDRED)
    if what.type in LISTS and isinstance(value, list):
        one = Kind(what.name, what.label, what.items)
        return "\n".join(
            box(one, part, look).replace("T", " ") if what.items and part is not None else _line(part)
            for part in value
        )
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return str(value)


def sought_value(look: Look, field: Any, entry: str) -> Any:
    """What a field that is searched holds for what people read and type: amounts in whole units, parts of one in per cent, countries and the like by name."""
    what = kind(field)
    if what.widget in CODED:
        return code_named(what.widget, entry, look.locale) or entry
    if is_money(what) or is_fraction(what) or is_counted(what):
        return typed(of_any_currency(what), [entry], look)
    return entry


def is_fraction(what: Kind) -> bool:
    """Whether the field holds parts of one, which people read and type in per cent."""
    return what.widget == "fraction" and what.type == "decimal"


def unit_words(what: Kind) -> str:
    """What stands behind the box of a number: its currency, if it is known, or that it is in per cent."""
    return "%" if what.widget in PERCENT and what.type in NUMBERS else currency_words(what)


def _moved(number: str, places: int) -> str:
    """The number with its point so many places further left; what is no number stays as it is."""
    made = whole_units(number, places)
    if made is None:
        return number
    plain = f"{made:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _line(part: Any) -> str:
    """Return an entry of a list as a line of its box."""
    words = "Yes" if part is True else "No" if part is False else "–" if part is None else str(part)
    return json.dumps(part, ensure_ascii=False) if isinstance(part, Mapping | list) else words


def typed(what: Kind, sent: Sequence[str], look: Look) -> Any:
    """Return the value for the strings that a form sent. What cannot be parsed stays text, so that the rules can reject it by field.

    An empty box and a choice not made are None; a list without ticks is [].
    """
    if what.type == "boolean":
        return {"true": True, "false": False}.get(sent[-1]) if sent else None
    if what.type in ("multi_enum", "checklist"):
        return [line for text in sent for line in text.replace("\r\n", "\n").split("\n") if line]
    if what.type in ("file", "files"):
        documents = [_document(text, look) for text in sent if text.strip()]
        return documents if what.type == "files" else documents[-1] if documents else None
    entry = sent[-1].replace("\r\n", "\n") if sent else ""
    if what.type == "array":
        lines = [
            line.strip() for value in sent for line in value.replace("\r\n", "\n").split("\n") if line.strip()
        ]
        return [_local_moment(line, look) for line in lines] if what.items == "datetime" else lines
    if entry.strip() == "":
        return None
    if is_counted(what):
        at, whole = moment_of(_local_moment(entry.strip(), look)), what.type == "integer"
        return (
            counted_moments.count(what.widget, at, whole=whole)
            if at
            else _READERS[what.type](entry.strip(), look)
        )
    if is_money(what):
        return money_typed(what, _fraction(entry.strip(), look))
    if is_fraction(what):
        return _moved(_fraction(entry.strip().removesuffix("%").strip(), look), HUNDRED)
    reader = _READERS.get(what.type)
    return reader(entry.strip(), look) if reader else entry


def _whole(entry: str, _: Look) -> Any:
    try:
        return int(_fraction(entry, _).replace("_", "x"))
    except ValueError:
        return entry


def _fraction(entry: str, _: Look) -> str:
    """Return the number without blanks between thousands; any other blank in it stays and is refused: who types "1 00.5" may mean 1.005 or 100.5."""
    bare = re.sub(r"^- +", "-", entry.replace("\N{MINUS SIGN}", "-"))
    return re.sub(BLANKS, "", bare) if _GROUPED.fullmatch(bare) else bare


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
