"""Filters of a list as data: parsed from JSON and checked.

`{"and": [{"field", "op", "value"}, {"or": [...]}]}`; ops `eq ne gt gte lt lte in contains starts_with is_null`. `ne` includes nulls, `eq` null
finds nulls alone, `is_null` empty texts too; `contains` and `starts_with` ignore case in texts; in lists an item must be equal. The value of a day or moment may be
`{"days": -30}`: so many days from today, at its beginning. The value of an amount whose currency each record names may be `{"whole": "100"}`:
so much of that currency in whole units, whatever its smallest one is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from console.core import currencies
from console.core.documents.collections import CONVERSIONS, Collection, Field, condition_rows
from console.core.errors import Malformed
from console.core.moments import is_zone, midnight_text

OPS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "contains", "starts_with", "is_null")
WHOLE = ("eq", "gt", "gte", "lt", "lte", "in")
"""Comparisons of an amount in whole units of each record's own currency."""
MOST_AMOUNTS = 20
ORDERINGS = frozenset({"gt", "gte", "lt", "lte"})
MOST_TESTS = 100
MOST_DEPTH = 10
MOST_VALUES = 500
LONGEST_TEXT = 2_000
LONGEST_FILTER = 50_000
MOST_DAYS = 36_500
TAGS = "tags"
IMPORTED = ("import_added", "import_changed")
"""Names by which filters know the records that an import added, and those that it changed."""
ANY_CASE = "in_any_case"
"""Like `in` for texts whose capitals do not count, the values in small letters: of the console's own questions, offered to nobody."""
ENDING = "ending_in"
LAST_DIGITS = 7
"""Telephone numbers whose last digits are one of these, whatever stands between them: of the console's own questions too."""
TAG_OPS = ("contains", "eq", "ne", "in", "is_null")
"""Comparisons of the console's own tags: has it, has it, has it not, has one of them, has none or any."""


@dataclass(frozen=True, slots=True)
class Test:
    """One field compared with one checked value in the field's JSON form (a list for `in`). `days`: the value is so many days from today.

    `whole`: the column that names the currency of each record, in whose whole units the value is.
    """

    field: str
    op: str
    value: Any
    days: int | None = None
    whole: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form in which it was sent."""
        sent = (
            {"days": self.days}
            if self.days is not None
            else {"whole": self.value}
            if self.whole
            else self.value
        )
        return {"field": self.field, "op": self.op, "value": sent}


SHAPE = "A filter is an object with field, op and value, or with and / or."


@dataclass(frozen=True, slots=True)
class Today:
    """The day and zone from which relative days are counted."""

    day: date
    zone: str = "UTC"

    @classmethod
    def of(cls, now: datetime, zone: str) -> "Today":
        """The day in this zone; in one that is not known, that of UTC."""
        return cls(now.astimezone(ZoneInfo(zone)).date(), zone) if is_zone(zone) else cls(now.date())


@dataclass(frozen=True, slots=True)
class Group:
    """Several filters, of which all (`and`) or at least one (`or`) must hold."""

    kind: str
    items: tuple["Filter", ...]

    def to_json(self) -> dict[str, Any]:
        """The form in which it was sent."""
        return {self.kind: [item.to_json() for item in self.items]}


Filter: TypeAlias = Test | Group


def parse(
    text: str, collection: Collection, hidden: frozenset[str] = frozenset(), today: Today | None = None
) -> Filter:
    """The filter from a JSON text. Raises Malformed naming the wrong field or op. Relative days need `today`."""
    return read(loaded(text), collection, hidden, today)


def loaded(text: str) -> Any:
    """The JSON value of a filter's text, not yet checked. Raises Malformed for what is none, is too long, or has half a character that no page can show."""
    if len(text) > LONGEST_FILTER:
        raise _wrong("filter", f"A filter has at most {LONGEST_FILTER} characters.")
    try:
        value = json.loads(text, parse_float=str, parse_constant=str)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _wrong(
            "filter", 'The filter is no JSON. It looks like {"field": "status", "op": "eq", "value": "open"}.'
        ) from None
    return value


def read(
    value: Any, collection: Collection, hidden: frozenset[str] = frozenset(), today: Today | None = None
) -> Filter:
    """The filter from a JSON value, checked against the readable fields. Raises Malformed."""
    made = _read(value, collection, hidden, today, 1)
    if len(tests(made)) > MOST_TESTS:
        raise _wrong("filter", f"A filter has at most {MOST_TESTS} conditions.")
    return made


def tests(given: Filter | None) -> list[Test]:
    """All single conditions, in order."""
    if given is None:
        return []
    return [given] if isinstance(given, Test) else [test for item in given.items for test in tests(item)]


def _read(
    value: Any, collection: Collection, hidden: frozenset[str], today: Today | None, depth: int
) -> Filter:
    if not isinstance(value, Mapping):
        raise _wrong("filter", SHAPE)
    if depth > MOST_DEPTH:
        raise _wrong("filter", f"A filter is at most {MOST_DEPTH} levels deep.")
    for kind in ("and", "or"):
        if kind in value:
            items = value[kind]
            if len(value) > 1 or not isinstance(items, Sequence) or isinstance(items, str):
                raise _wrong(kind, f"'{kind}' stands alone and holds a list of filters.")
            return Group(kind, tuple(_read(item, collection, hidden, today, depth + 1) for item in items))
    return _test(value, collection, hidden, today)


def _test(
    value: Mapping[str, Any], collection: Collection, hidden: frozenset[str], today: Today | None
) -> Test:
    strange = sorted(set(map(str, value)) - {"field", "op", "value"})
    if strange:
        raise _wrong(strange[0], f"A filter has no '{strange[0]}'; it has field, op and value, or and / or.")
    if "field" not in value:
        raise _wrong("filter", f"A condition names a field. {SHAPE}")
    name, op = value.get("field"), value.get("op")
    if name == tag_field(collection) and collection.key:
        return Test(name, *_tag_test(name, op, value.get("value", True)))
    if collection.key and (name in IMPORTED and collection.field(name) is None):
        return Test(name, "eq", _import_id(name, op, value.get("value")))
    field = readable_field(collection, name, hidden)
    if op not in OPS:
        raise _wrong(
            field.name, f"There is no op {op!r} for {field.name}. There are {', '.join(OPS)}.", op=str(op)
        )
    if "value" not in value and op != "is_null":
        raise _wrong(field.name, f"{field.name} {op} needs a value.")
    given = value.get("value", True)
    if today is not None and isinstance(given, Mapping) and field.stored in {"date", "datetime"}:
        days = given.get("days")
        if (
            set(given) != {"days"}
            or isinstance(days, bool)
            or not isinstance(days, int)
            or abs(days) > MOST_DAYS
        ):
            raise _wrong(
                field.name,
                f'{field.name} takes a day, or {{"days": -30}}: so many days from today, at most {MOST_DAYS}.',
            )
        return Test(field.name, op, checked_value(field, op, _day(field, today, days)), days)
    if (
        isinstance(given, Mapping)
        and set(given) == {"whole"}
        and (column := condition_rows.own_currency(field))
    ):
        readable_field(collection, column, hidden)
        return Test(field.name, op, whole_amount(field, op, given["whole"]), whole=column)
    return Test(field.name, op, checked_value(field, op, given))


def whole_amount(field: Field, op: str, given: Any) -> Any:
    """The amount as plain text, several for `in`. Raises Malformed."""
    if op not in WHOLE:
        raise _wrong(field.name, f"An amount in whole units is compared by {', '.join(WHOLE)}.", op=op)
    amounts = given if op == "in" else [given]
    if not isinstance(amounts, list) or len(amounts) > MOST_AMOUNTS:
        raise _wrong(field.name, f"{field.name} in takes a list of at most {MOST_AMOUNTS} amounts.")
    read = [None if isinstance(each, bool) else currencies.whole_units(each, 0) for each in amounts]
    if None in read:
        raise _wrong(field.name, f"{str(given)[:60]!r} is no number, which {field.label} needs.")
    written = [f"{each:f}" for each in read]
    return written if op == "in" else written[0]


def tag_field(collection: Collection) -> str:
    """The name by which filters know the console's own tags: `tags`, or `console_tags` where the collection has a field of that name."""
    return TAGS if TAGS not in collection.by_name and collection.field(TAGS) is None else f"console_{TAGS}"


def _tag_test(name: str, op: Any, given: Any) -> tuple[str, Any]:
    """(op, value) of a condition on tags. Raises Malformed."""
    if op not in TAG_OPS:
        raise _wrong(name, f"There is no op {op!r} for {name}. There are {', '.join(TAG_OPS)}.", op=str(op))
    if op == "is_null":
        if not isinstance(given, bool):
            raise _wrong(name, f"{name} is_null takes true or false.")
        return op, given
    words = given if op == "in" else [given]
    if (
        not isinstance(words, list)
        or len(words) > MOST_VALUES
        or not all(isinstance(word, str) and word.strip() for word in words)
    ):
        raise _wrong(name, f"{name} {op} takes {'a list of tags' if op == 'in' else 'a tag'}, such as lead.")
    return op, given


def _import_id(name: str, op: Any, given: Any) -> str:
    """The id of an import, of a condition on what it added or changed. Raises Malformed."""
    if op != "eq" or not isinstance(given, str) or "\x00" in given:
        raise _wrong(name, f"{name} eq takes the id of an import.", op=str(op))
    return given


def _day(field: Field, today: Today, days: int) -> str:
    """The day that is so many days from today; of a moment its beginning in the reader's zone."""
    day = today.day + timedelta(days=days)
    if field.stored == "date":
        return day.isoformat()
    return midnight_text(day, today.zone)


def readable_field(collection: Collection, name: Any, hidden: frozenset[str]) -> Field:
    """The field of that name. Raises Malformed, in the same words for hidden and missing fields."""
    field = collection.visible(name, hidden) if isinstance(name, str) else None
    if field is None:
        raise _wrong(str(name), f"There is no field {name} in {collection.label}.")
    return field


def checked_value(field: Field, op: str, value: Any) -> Any:
    """The value in the field's form. Raises Malformed if the op or value does not fit the field."""
    if field.computed is not None and not (
        field.computed and field.stored == "boolean" and op in {"eq", "ne", "is_null"}
    ):
        raise _wrong(
            field.name,
            f"{field.label} is worked out when it is shown: only a condition (true or false) can be filtered by, with is, is not and is empty.",
        )
    if op == "is_null":
        if not isinstance(value, bool):
            raise _wrong(field.name, f"{field.name} is_null takes true or false.")
        return value
    if value is None and op in {"eq", "ne"}:
        return None
    if field.stored in {"binary", "other", "json"}:
        raise _wrong(field.name, f"{field.label} can only be looked for by whether it is empty.")
    if op in ORDERINGS and not field.comparable:
        raise _wrong(field.name, f"{field.label} has no order: “{SPOKEN[op]}” means nothing for it.")
    if (op == "starts_with" and field.stored != "text") or (
        op == "contains" and field.stored not in {"text", "array"}
    ):
        raise _wrong(field.name, f"{field.label} is no text: “{SPOKEN[op]}” means nothing for it.")
    if op == "in":
        if not isinstance(value, list) or len(value) > MOST_VALUES:
            raise _wrong(field.name, f"{field.name} in takes a list of at most {MOST_VALUES} values.")
        return [None if item is None else _value(field, item) for item in value]
    return _value(field, value)


def _value(field: Field, value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise _wrong(field.name, f"The value for {field.label} is longer than {LONGEST_TEXT} characters.")
    wanted = (field.items or "text") if field.stored == "array" else field.stored
    if not fits(wanted, value):
        raise _wrong(field.name, f"{str(value)[:60]!r} is no {WORDS[wanted]}, which {field.label} needs.")
    return value


SPOKEN = {
    "gt": "is over",
    "gte": "is at least",
    "lt": "is under",
    "lte": "is at most",
    "contains": "contains",
    "starts_with": "begins with",
}
"""Comparisons that do not fit every field, as people read them."""

WORDS = {
    "integer": "number",
    "decimal": "number",
    "text": "text",
    "boolean": "true or false",
    "date": "day such as 2026-11-20",
    "datetime": "moment such as 2026-11-20T09:00:00Z",
    "time": "time such as 09:00",
    "uuid": "UUID",
}


def fits(stored: str, value: Any) -> bool:
    """Whether fields stored like this can be compared with the JSON value."""
    if stored == "boolean":
        return isinstance(value, bool)
    if stored == "text":
        return isinstance(value, str)
    convert = CONVERSIONS.get(stored)
    return convert is not None and not isinstance(value, bool) and convert(value) is not None


def _wrong(field: str, reason: str, **more: str) -> Malformed:
    return Malformed(reason, details=[{"field": field, "reason": reason, **more}])
