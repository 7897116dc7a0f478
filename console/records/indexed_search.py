"""Searching a large table through its indexes: exact values, beginnings, trigrams and full text; never row by row.

Each way that an index offers is a short statement of its own with a limit, because a database that is asked for several at once prefers to read the
whole table. Together they name at most `MOST` records, which the list then sorts and pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from console.core.documents.collections import Collection, Field
from console.core.expressions.operands import number_of, uuid_of
from console.records import empty_values, values
from console.records.dialects import BETWEEN_DIGITS, Condition, value
from console.records.indexes import Indexes
from console.records.sql_tables import Table

MOST = 10_001
SHORTEST_INSIDE = 3
"""Letters from which trigrams are selective."""
MOST_WORDS = 4
SHORTEST_TELEPHONE = 7
HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Found:
    """One way to find records: the number of the text that it looks for, and the condition that an index answers."""

    place: int
    condition: Condition


def ways(table: Table, fields: Sequence[Field], seen: Indexes, texts: Sequence[str]) -> list[Found]:
    """The ways in which the indexes find these texts; none where no index helps."""
    found = []
    longest = max(map(len, texts), default=0)
    for place, text in enumerate(texts[:MOST_WORDS]):
        if len(text) >= min(longest, SHORTEST_INSIDE) and values.storable(
            text
        ):  # initials beside a name would read too much of an index
            conditions = [
                _with_value(table, field, condition)
                for field in fields
                for condition in _of_field(table, field, seen, text)
            ]
            found += [
                Found(place, condition) for condition in [*conditions, *_of_words(table, fields, seen, text)]
            ]
    return found


def complete(
    collection: Collection, fields: Sequence[Field], seen: Indexes, texts: Sequence[str] = ()
) -> bool:
    """Whether the indexes find everything that looking at each row would: trigrams on every text, and no telephone number spelled otherwise."""
    respelled = any(map(telephone_number, texts)) and any(field.type == "phone" for field in fields)
    return not respelled and all(_answers_all(collection, field, seen.ways(field.name)) for field in fields)


def beginning_fields(fields: Sequence[Field], seen: Indexes) -> list[Field]:
    """The text fields of which the indexes find at least the beginning."""
    whole = {name for item in seen.found if item.way == "words" for name in item.columns}
    return [
        field
        for field in fields
        if field.stored == "text" and (field.name in whole or seen.ways(field.name) - {"exact"})
    ]


def _answers_all(collection: Collection, field: Field, offered: frozenset[str]) -> bool:
    if field.stored == "text" and field.options is None:
        return "inside" in offered
    return bool(offered) or collection.key[:1] == (field.name,)


def among(table: Table, ways_: Sequence[Sequence[Condition]], most: int = MOST) -> Condition:
    """True for the records whose keys one of these lists of conditions names, at most so many each."""
    parts = [keys(table, conditions, most) for conditions in ways_]
    named = [column.name for column in table.key]
    both = (
        sa.union_all(*(sa.select(part) for part in parts)).subquery("found") if len(parts) > 1 else parts[0]
    )
    chosen: Any = sa.select(*(both.c[name] for name in named)).correlate(None)
    if len(named) > 1:
        return sa.tuple_(*table.key).in_(chosen)
    if (
        table.dialect.name == "postgresql"
    ):  # as an array, so that the planner looks the keys up and does not walk the table in the order of the list
        return table.key[0] == sa.func.any(sa.func.array(chosen.scalar_subquery()))
    return table.key[0].in_(chosen)


def keys(table: Table, conditions: Sequence[Condition], most: int) -> Any:
    """The keys of records for which all of these conditions hold, at most so many."""
    return (
        sa.select(*table.key)
        .select_from(table.table)
        .where(*conditions)
        .limit(most)
        .correlate(None)
        .subquery()
    )


def option_condition(table: Table, field: Field, text: str) -> Condition | None:
    """Condition that a field has one of its options that the text names, by value or label; None without one."""
    named: list[Any] = [
        option.value
        for option in field.options or ()
        if text.lower() in {option.value.lower(), option.label.lower()}
    ]
    if field.stored == "integer":
        named = [int(each) for each in named if number_of(each) is not None]
    return table.dialect.one_of(table.columns[field.name], field, named) if named else None


def _with_value(table: Table, field: Field, condition: Condition) -> Condition:
    """The condition, of records whose value does not mean "none"."""
    return sa.and_(condition, table.columns[field.name].is_not(None)) if field.empty_values else condition


def _of_field(table: Table, field: Field, seen: Indexes, text: str) -> list[Condition]:
    column, offered = empty_values.bare_column(table.columns[field.name]), seen.ways(field.name)
    is_key = table.collection.key[:1] == (field.name,)
    if field.widget == "translations" and field.stored != "text":
        return []  # no index that a search can use holds their texts
    if (
        field.options is not None
        and (offered or is_key)
        and (chosen := option_condition(table, field, text)) is not None
    ):
        return [chosen]
    if field.stored != "text":
        typed: Any = uuid_of(text) if field.stored == "uuid" else number_of(text)
        usable = (
            typed is not None
            and (offered or is_key)
            and not (field.stored == "integer" and typed != int(typed))
        )
        return (
            [table.dialect.equals(column, field, values.driver_form(table.collection.dialect, typed))]
            if usable
            else []
        )
    if field.options is not None or field.native in {"enum", "name"}:
        return []
    if "inside" in offered and len(text) >= SHORTEST_INSIDE:
        return [
            table.dialect.finds(column, field, item)
            for item in dict.fromkeys([text, *_telephone_spellings(text, field)])
        ]
    spelled = _spellings(text, field)
    if table.dialect.name == "mysql":
        return _mysql(column, field, offered, text, spelled, is_key=is_key)
    found: list[Condition] = []
    if offered & {"beginning", "pattern"}:
        found = [_between(table, column, item, pattern="pattern" in offered) for item in spelled]
    elif "sorted" in offered:
        found = [
            _sorted(table, column, field, item)
            for item in dict.fromkeys([text, *_telephone_spellings(text, field)])
        ]
    elif "nocase" in offered:
        plain = column.collate("NOCASE")
        begun = dict.fromkeys([text, *_telephone_spellings(text, field)])
        found = [sa.and_(plain >= value(item), plain < value(_after(item))) for item in begun]
    elif "inside" in offered:
        found = [table.dialect.finds(column, field, text, start=True)]
    elif offered - {"lower", "lower_pattern"} or is_key:
        found = [column.in_([value(item) for item in spelled])]
    if offered & {"lower", "lower_pattern"}:
        low = dict.fromkeys([text.lower(), "".join(map(_ascii_lower, text))])
        found = [
            _between(table, sa.func.lower(column), item, pattern="lower_pattern" in offered) for item in low
        ]
    return found


def _ascii_lower(letter: str) -> str:
    return letter.lower() if letter.isascii() else letter


def _spellings(text: str, field: Field) -> list[str]:
    """The text as typed and as names are written; a telephone number also without its blanks and as it is written with its country."""
    spellings = [
        text,
        text.lower(),
        text.capitalize(),
        text.title(),
        text.upper(),
        *_telephone_spellings(text, field),
    ]
    bare = _bare(text)
    if field.type == "phone" or (bare.lstrip("+").isdigit() and len(bare) > SHORTEST_INSIDE):
        spellings.append(bare)
    return [item for item in dict.fromkeys(spellings) if item]


def _bare(text: str) -> str:
    return "".join(letter for letter in text if letter not in BETWEEN_DIGITS)


def telephone_number(text: str) -> str | None:
    """The digits to look for in a telephone number, with its country or without the zeros that stand for it; None where the text is none."""
    bare = _bare(text)
    if not (
        bare.removeprefix("+").isascii()
        and bare.removeprefix("+").isdigit()
        and len(bare) >= SHORTEST_TELEPHONE
    ):
        return None
    inside = _bare(text.replace("(0)", "")) if bare.startswith(("+", "00")) else bare
    return f"+{inside[2:]}" if inside.startswith("00") else inside.removeprefix("0")


def _telephone_spellings(text: str, field: Field) -> list[str]:
    """How a number with its country is written in a column of telephone numbers, where an index finds it: `+44 20 7946 0780`, `+442079460780`."""
    number = telephone_number(text) if field.type == "phone" else None
    if number is None or not number.startswith("+"):
        return []
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return []
    forms = phonenumbers.PhoneNumberFormat
    return [phonenumbers.format_number(parsed, form) for form in (forms.INTERNATIONAL, forms.E164)]


def _after(text: str) -> str:
    """The first text after all that begin with this one, letter by letter."""
    for place in range(len(text) - 1, -1, -1):
        code = ord(text[place]) + 1
        if code <= ord(HIGHEST):
            return text[:place] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
    return text + HIGHEST


def _between(table: Table, column: Any, text: str, *, pattern: bool) -> Condition:
    """The beginning as a range, which an index answers whatever the plan."""
    low, high = value(text), value(_after(text))
    if pattern:
        return sa.and_(column.op("~>=~", is_comparison=True)(low), column.op("~<~", is_comparison=True)(high))
    plain = column.collate("BINARY") if table.dialect.name == "sqlite" else column
    return sa.and_(plain >= low, plain < high)


def _sorted(table: Table, column: Any, field: Field, text: str) -> Condition:
    """Beginnings in the order of a language: a range that holds all of them, whatever their capitals; then those that do begin so."""
    low = text.lower()
    last = low[-1]
    high = (
        low + "zzzz"
        if last == "z"
        else low[:-1] + (chr(ord(last) + 1) if last != "9" else "a")
        if last.isascii() and last.isalnum()
        else low + "zzzz"
    )
    return sa.and_(
        column >= value(low), column <= value(high), table.dialect.finds(column, field, text, start=True)
    )


def _mysql(
    column: Any, field: Field, offered: frozenset[str], text: str, spelled: Sequence[str], *, is_key: bool
) -> list[Condition]:
    if field.native == "narrow" and not text.isascii():
        return []
    likes = (
        [text, *_telephone_spellings(text, field)]
        if "nocase" in offered
        else list(spelled)
        if "beginning" in offered
        else []
    )
    if likes:
        return [
            column.like(
                value(item.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"), escape="/"
            )
            for item in likes
        ]
    return [column.in_([value(item) for item in spelled])] if offered or is_key else []


def _of_words(table: Table, fields: Sequence[Field], seen: Indexes, text: str) -> list[Condition]:
    """Full text, where every column of the index may be searched by this reader."""
    searched = {field.name for field in fields}
    words = ["".join(letter if letter.isalnum() else " " for letter in part).split() for part in text.split()]
    terms = " ".join(f"+{word}*" for part in words for word in part if len(word) >= SHORTEST_INSIDE)
    if table.dialect.name != "mysql" or not terms:
        return []
    return [
        mysql.match(
            *(empty_values.bare_column(table.columns[name]) for name in item.columns),
            against=value(terms),
            in_boolean_mode=True,
        )
        for item in seen.found
        if item.way == "words" and set(item.columns) <= searched
    ]
