"""The filter of a list: its conditions as sentences that can be removed, and the sheet that adds one, with what fits the field.

Days are chosen by a picker or counted from today. What the sheet sends is turned into the filter of the address, which a link can carry.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any

from flask import request
from markupsafe import Markup

from console import formats
from console.core.filters import SPOKEN, WHOLE, Filter, Group, Test
from console.core.moments import midnight_text
from console.formats import Kind, Look
from console.views import frame
from console.views.browse import reference_boxes

UNFILTERED = frozenset({"other", "binary", "file"})
"""Types of fields that no list filters by; those of `UNDRAWN` no list shows either."""
UNDRAWN = UNFILTERED - {"other"}
WORDED = {"eq": "is", "ne": "is not", **SPOKEN, "in": "is one of", "is_null": "is empty"}
DATED = (
    ("last", "is in the last … days"),
    ("next", "is in the next … days"),
    ("ago", "is more than … days ago"),
    ("today", "is today"),
    ("eq", "is on"),
    ("gte", "is from"),
    ("lt", "is before"),
    ("lte", "is until"),
    ("is_null", "is empty"),
)
OF_TEXT, OF_NUMBERS, OF_CHOICES, OF_LISTS = (
    ("contains", "starts_with", "eq", "ne", "in", "is_null"),
    ("eq", "gte", "lte", "gt", "lt", "in", "is_null"),
    ("eq", "ne", "is_null"),
    ("contains", "is_null"),
)
COUNTED = frozenset({"last", "next", "ago"})
VALUELESS = frozenset({"is_null", "today"})
DATES = frozenset({"date", "datetime"})
_SPOKEN = {**WORDED, "in": "is"}
_DATED = {
    "eq": "is",
    "ne": "is not",
    "gt": "is after",
    "gte": "is from",
    "lt": "is before",
    "lte": "is until",
    "in": "is",
}
_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
YES_NO = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Asking:
    """What the sheet asks for one field: its comparisons, and `form` of the value: `choices`, `date`, `moment`, `number` or `text`."""

    field: str
    ops: Sequence[tuple[str, str]]
    form: str
    choices: Sequence[tuple[str, str]]
    chosen: frozenset[str]
    picks: str = ""
    """The collection whose records the box finds by name: the value is the key of one."""


def chips(given: Filter | None, kinds: Mapping[str, Kind], look: Look) -> list[frame.Chip]:
    """Return a chip for each active condition, joined by "and" or by "or" as a whole; groups within share one chip."""
    parts, kind = _parts(given)
    made = []
    for place, part in enumerate(parts):
        rest = [condition.to_json() for index, condition in enumerate(parts) if index != place]
        text = _written({kind: rest}) if rest else None
        made.append(
            frame.Chip(
                condition_words(part, kinds, look),
                frame.present_address(after=None, before=None, start=None, count=None, filter=text),
            )
        )
    return made


def joining(given: Filter | None) -> dict[str, str] | None:
    """Return how several conditions are joined, in words ("and", "or"), and the address that joins them the other way; None for fewer than two."""
    parts, kind = _parts(given)
    if len(parts) < 2:
        return None
    other = "or" if kind == "and" else "and"
    text = _written({other: [part.to_json() for part in parts]})
    return {
        "word": kind,
        "other": other,
        "href": frame.present_address(after=None, before=None, start=None, count=None, filter=text),
    }


def _parts(given: Filter | None) -> tuple[list[Filter], str]:
    """Return the conditions of the outermost group and how they are joined."""
    if given is None:
        return [], "and"
    if isinstance(given, Group) and _period(given) is None:
        return list(given.items), given.kind
    return [given], "and"


def _written(given: Mapping[str, Any]) -> str:
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def condition_words(given: Filter, kinds: Mapping[str, Kind], look: Look) -> str:
    """Return a condition as a sentence: "Country is Latvia or Estonia", "Opened is in the last 30 days"."""
    if isinstance(given, Group):
        if (period := _period(given)) is not None:
            what = kinds.get(period[0]) or Kind(period[0], period[0])
            return (
                f"{what.label} is {period[1]}"
                if isinstance(period[1], str)
                else f"{what.label} is {_day_words(what, period[1][0], look)}"
            )
        joined = " or " if given.kind == "or" else " and "
        return joined.join(condition_words(part, kinds, look) for part in given.items) or "Nothing"
    stored = kinds.get(given.field) or Kind(given.field, given.field)
    what = formats.of_any_currency(stored)
    smallest = what.minor and what is not stored  # no amount in whole units says it for every currency
    what = replace(what, minor=False) if smallest else what
    if given.value is None and what.type == "text":  # unlike “is empty”, which finds empty texts too
        return f"{what.label} has {'no value' if given.op == 'eq' else 'a value'}"
    if given.op == "is_null" or given.value is None:
        return f"{what.label} is {'empty' if (given.value if given.op == 'is_null' else given.op == 'eq') else 'not empty'}"
    spoken = (_DATED if what.type in DATES else _SPOKEN)[given.op]
    if given.days is not None:
        return f"{what.label} {spoken} {relative_words(given.days)}"
    values = given.value if isinstance(given.value, list) else [given.value]
    said = _day_words if what.type == "datetime" and given.op in ("gte", "lt") else formats.text
    one = Kind(what.name, what.label, what.items) if what.items else what
    words = ["empty" if value is None else said(one, value, look) for value in values]
    unit = " in its own currency" if given.whole else f" ({formats.SMALLEST})" if smallest else ""
    return f"{what.label} {spoken} {alternatives(words)}{unit}"


def _day_words(what: Kind, begins: Any, look: Look) -> str:
    """The day that begins at this moment, in the reader's zone, without the hour of its beginning."""
    at = formats.moment_of(begins)
    there = None if at is None else formats.within(at, look.zone)
    whole = there is not None and there.time().replace(second=0, microsecond=0) == time(0)
    return (
        formats.times.day_words(there.date().isoformat(), look.locale)
        if there is not None and whole
        else formats.text(what, begins, look)
    )


def alternatives(words: Sequence[str]) -> str:
    """Return the words as alternatives: "A, B or C"."""
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words) or "nothing"


def relative_words(days: int) -> str:
    """Return a day that is counted from today in words: "30 days ago", "in 7 days"."""
    return _NEAR.get(days) or (f"{-days} days ago" if days < 0 else f"in {days} days")


def _period(given: Group) -> tuple[str, str | tuple[Any, Any]] | None:
    """Return (field, words, or first and last value) of two conditions that name a stretch of days; None for anything else."""
    if given.kind != "and" or len(given.items) != 2:
        return None
    first, after = given.items
    if not (
        isinstance(first, Test)
        and isinstance(after, Test)
        and first.field == after.field
        and (first.op, after.op) == ("gte", "lt")
    ):
        return None
    if first.days is None or after.days is None:
        return (first.field, (first.value, after.value)) if _one_day(first.value, after.value) else None
    if (first.days, after.days) == (0, 1):
        return first.field, "today"
    if after.days == 1 and first.days < 0:
        return first.field, f"in the last {-first.days} days" if first.days < -1 else "yesterday or today"
    if first.days == 0 and after.days > 1:
        return first.field, f"in the next {after.days - 1} days"
    return None


def _one_day(first: Any, after: Any) -> bool:
    begin, end = formats.moment_of(first), formats.moment_of(after)
    return begin is not None and end is not None and timedelta(hours=22) < end - begin < timedelta(hours=26)


# -- adding a condition


def sheet_content(
    described: Mapping[str, Any], listed: Sequence[str], *, afresh: bool = False
) -> dict[str, Any]:
    """Return what the sheet draws: the fields, those of the list first, what is asked of the chosen one, and what its form repeats of the address.

    `afresh`: the address has a filter that cannot be applied; the form does not add to it.
    """
    unkept = ("filter", "q", "sort") if afresh else ()
    kinds = {field["name"]: formats.kind(field) for field in described["filtered"]}
    unfit = {
        field["name"]
        for field in described["filtered"]
        if field.get("computed") and field["type"] != "boolean"
    }
    fields = [
        (field["name"], field["label"])
        for field in described["filtered"]
        if field["type"] not in UNFILTERED and field["name"] not in unfit
    ]
    fields.sort(key=lambda choice: listed.index(choice[0]) if choice[0] in listed else len(listed))
    return {
        "filterable": _options(tuple(fields), request.args.get("add_field", "")),
        "asking": asking(kinds, [name for name, _ in fields]),
        "kept_all": kept_parameters(
            "after",
            "before",
            "start",
            "count",
            "add_field",
            "add_op",
            "add_value",
            "pick",
            "preview",
            *unkept,
        ),
    }


@lru_cache(maxsize=64)
def _options(pairs: tuple[tuple[str, str], ...], chosen: str) -> Markup:
    """Return the options of a select, value and label. Cached: they are the same for every reader of a collection."""
    plain, on = Markup('<option value="{}">{}</option>'), Markup('<option value="{}" selected>{}</option>')
    return Markup("").join((on if value == chosen else plain).format(value, label) for value, label in pairs)


def kept_parameters(*left_out: str) -> list[tuple[str, str]]:
    """Return the parameters of the address that a form must repeat."""
    return [(name, value) for name, value in request.args.items(multi=True) if name not in left_out]


def asking(kinds: Mapping[str, Kind], names: Iterable[str]) -> Asking:
    """Return what the sheet asks for the field of the address, or for the first one."""
    known = list(names)
    name = request.args.get("add_field", "")
    name = name if name in known else next(iter(known), "")
    what = kinds.get(name) or Kind(name, name)
    if what.type in DATES:
        return Asking(name, DATED, "date", (), frozenset(request.args.getlist("add_value")))
    if what.type == "boolean" or (what.options and what.type not in formats.LISTS):
        choices = tuple(what.options.items()) or (("yes", "Yes"), ("no", "No"))
        return Asking(
            name,
            [(op, WORDED[op]) for op in OF_CHOICES],
            "choices",
            choices,
            frozenset(request.args.getlist("add_value")),
        )
    plain = OF_CHOICES if what.references else OF_NUMBERS if what.type in formats.NUMBERS else OF_TEXT
    ops = OF_LISTS if what.type in formats.LISTS else plain
    form = (
        "moment"
        if formats.is_counted(what) or what.items == "datetime"
        else "number"
        if what.type in formats.NUMBERS
        else "text"
    )
    return Asking(
        name,
        [(op, WORDED[op]) for op in ops],
        form,
        (),
        frozenset(request.args.getlist("add_value")),
        what.references or "",
    )


def with_condition(described: Mapping[str, Any], look: Look) -> str | None:
    """Return the address with the condition of the filter sheet added; None if it lacks a value."""
    args = request.args
    name, op = args["add_field"], args.get("add_op", "eq")
    entries = [
        entry.strip()
        for entry in reference_boxes.box_values(args, "add_value", args.getlist("add_value"))
        if entry.strip()
    ]
    source = next(
        (field for field in described.get("filtered", described["fields"]) if field["name"] == name), None
    )
    if (
        source is not None and source["type"] in DATES
    ):  # the sheet has a box for a number of days beside that for a day
        entries = [entry for entry in entries if entry.isdigit() == (op in COUNTED)]
    if not entries and op not in VALUELESS:
        return None
    condition = condition_of(source or {"name": name}, op, entries, look)
    if source is not None and _of_own_currency(source, described) and condition["op"] in WHOLE:
        amounts = [each for entry in entries for each in (entry.split(",") if op == "in" else [entry])]
        condition["value"] = {
            "whole": [each.strip() for each in amounts] if condition["op"] == "in" else amounts[0]
        }
    kind, on = _present_conditions(args.get("filter"))
    joined = _written({kind or "and": [*on, condition]})
    return frame.present_address(
        add_field=None,
        add_op=None,
        add_value=None,
        after=None,
        before=None,
        start=None,
        count=None,
        filter=joined,
        **{reference_boxes.PICKED + "add_value": None},
    )


def _of_own_currency(source: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    """Whether each record says in which currency this amount of smallest units is, and the reader may see it."""
    names = {field["name"] for field in described["fields"]}
    return bool(source.get("minor")) and source.get("currency") in names


def with_all(present: str | None, conditions: Sequence[Mapping[str, Any]]) -> str:
    """Return the filter of the address of which these conditions must hold too."""
    kind, on = _present_conditions(present)
    return _written({"and": [*([{"or": on}] if kind == "or" else on), *conditions]})


def _present_conditions(text: str | None) -> tuple[str, list[Any]]:
    """Return how the conditions of an address are joined, "" for fewer than two, and each of them; none of what cannot be read."""
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        given = {}
    kind = next(
        (word for word in ("and", "or") if isinstance(given, dict) and isinstance(given.get(word), list)), ""
    )
    return kind, given[kind] if kind else [given] if given else []


def condition_of(source: Mapping[str, Any], op: str, entries: Sequence[str], look: Look) -> dict[str, Any]:
    """Return the condition that was chosen, in the form of the address; what cannot be read stays as it is and is refused by name."""
    name, what = str(source["name"]), formats.kind(source)
    if op == "is_null":
        return {"field": name, "op": op, "value": True}
    if op == "today" or (op in COUNTED and entries[0].isdigit()):
        return _counted(name, op, int(entries[0]) if op != "today" else 0)
    if what.type in DATES and op in _DATED and (day := day_of(entries[0])) is not None and op != "in":
        return _dated(name, what, op, day, look)
    values = [
        value
        for entry in entries
        for value in (
            [value_of(what, part, look) for part in entry.split(",")]
            if op == "in"
            else [value_of(what, entry, look)]
        )
    ]
    if len(values) > 1 or op == "in":
        several = {"field": name, "op": "in", "value": values}
        return (
            {"and": [{"field": name, "op": "ne", "value": value} for value in values]}
            if op == "ne"
            else several
        )
    return {"field": name, "op": op, "value": values[0]}


def _counted(name: str, op: str, days: int) -> dict[str, Any]:
    def test(of: str, count: int) -> dict[str, Any]:
        return {"field": name, "op": of, "value": {"days": count}}

    if op == "ago":
        return test("lt", -days)
    first, after = {"last": (-days, 1), "next": (0, days + 1)}.get(op, (0, 1))
    return {"and": [test("gte", first), test("lt", after)]}


def day_of(text: str) -> date | None:
    """The day that a text such as 2026-12-21 names; None for any other text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _dated(name: str, what: Kind, op: str, day: date, look: Look) -> dict[str, Any]:
    """Return the comparison with a day; a moment is compared with its beginning or end in the reader's zone."""
    as_typed = {"field": name, "op": op, "value": day.isoformat()}
    if what.type == "date":
        return as_typed
    try:
        begin, end = (midnight_text(each, look.zone) for each in (day, day + timedelta(days=1)))
    except OverflowError:  # no calendar has the day before the first, or after the last
        return as_typed
    if op == "eq":
        return {
            "and": [{"field": name, "op": "gte", "value": begin}, {"field": name, "op": "lt", "value": end}]
        }
    op, value = {"lte": ("lt", end), "gt": ("gte", end)}.get(op, (op, begin))
    return {"field": name, "op": op, "value": value}


def value_of(what: Kind, entry: str, look: Look) -> Any:
    """Parse what was typed for a field: labels become stored words."""
    text = entry.strip()
    if what.options:
        stored = {label.casefold(): word for word, label in what.options.items()}
        return text if text in what.options else stored.get(text.casefold(), text)
    if what.type == "boolean":
        return YES_NO.get(text.casefold(), text)
    if (kept := formats.sought_value(look, what, text)) != text:
        return kept
    return formats.typed(
        Kind(what.name, what.label, (what.items or "text") if what.type in formats.LISTS else what.type),
        [text],
        look,
    )
