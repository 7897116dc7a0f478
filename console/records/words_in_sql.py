"""The cells of a list as its CSV file shows them, worded by PostgreSQL, so that a million rows pass without Python touching a value.

Each cell is to the letter what `list_tables` makes of the value; `tests/records/test_words_in_sql.py` compares both. A kind of field that
SQL cannot word makes the whole list `None`. A single value that it cannot word stops the statement (`_stop`), which raises `Unsayable`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from console import formats
from console.core import expressions
from console.core.currencies import decimals
from console.core.documents.collections import Collection, Field
from console.core.scopes import Scope
from console.formats import Kind, Look
from console.records.sql_tables import Table, table_of

Words: TypeAlias = ColumnElement[str]
BLANKS = "".join(letter for letter in map(chr, range(1, 0x3001)) if letter.isspace())
"""What `str.strip` takes away."""
TEXTS = frozenset({"text", "enum", "citext", "bpchar"})
LOWER_WORDS = rf"^[a-z]([^{BLANKS}A-Z!-,./:-@\[-`{{-~]| )*$"
"""`formats.LOWER_WORDS`, whose blanks are those of Python."""
LARGEST = 10**18
PLACED = re.compile(r"\{\{\s*record\.([A-Za-z_]\w*)\s*\}\}")
PLAIN_KEY = r"^[A-Za-z0-9_@:][A-Za-z0-9_.@:-]{0,254}$"
SHORTEST_ID = len("wf_") + 20
OWN_ID = rf"^({'|'.join(formats.OWN)})_[0-9a-z]{{20,40}}$"
KNOWN = datetime(1970, 1, 2, tzinfo=UTC), datetime(2037, 12, 30, tzinfo=UTC)
"""The moments for which the zones of the database are compared with ours."""


@dataclass(frozen=True)
class Reach:
    """What a reader may know of the records that a field refers to: their scope (None: they may not look), and what stands for one that is not found."""

    scope: Scope | None
    absent: str


Reaches: TypeAlias = Callable[[str], Reach | None]
"""Collection → what its reader may know of it; None where SQL cannot say."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Who reads, what they may know of other collections, and the letters before which a spreadsheet needs an apostrophe."""

    look: Look
    reaches: Reaches
    formula: tuple[str, ...]

    def guarded(self, text: str) -> str:
        """The text, harmless in a spreadsheet."""
        return f"'{text}" if text.startswith(self.formula) else text


def cells(table: Table, scope: Scope, columns: Sequence[Field], wording: Wording) -> tuple[list[Words], sa.FromClause] | None:
    """The title and the columns of the list as words, and what they are read from; None where SQL cannot say one of them."""
    collection = table.collection
    named = title(table, scope, wording)
    if named is None or any(item.name not in table.columns for item in columns):
        return None
    found: list[Words] = [named]
    read_from: sa.FromClause = table.table
    for item in columns:
        what = formats.kind(item, collection.key)
        led = what.references is not None
        words, titles = _reference(table, item, str(what.references), wording) if led else (_cell(table, item, what, wording), None)
        if words is None:
            return None
        found.append(words)
        read_from = read_from if titles is None else read_from.outerjoin(titles, sa.true())
    return found, read_from


def title(table: Table, scope: Scope, wording: Wording) -> Words | None:
    """The title of a record by a template of texts, whole numbers and UUIDs; what it is and its key if the title is blank."""
    collection = table.collection
    readable = {item.name for item in collection.readable(scope)}
    texts = PLACED.split(collection.title)
    if any("{{" in text for text in texts[::2]) or not texts[1::2]:
        return None
    parts: list[Any] = []  # as `expressions.joined` puts them together
    between, value, opens = "", None, True
    for number, part in enumerate(texts):
        if number % 2 == 0:
            plain = bool(part) and not expressions.separates(part)
            parts += [sa.literal(part, sa.Text)] if plain else []
            between, opens = "" if plain else part, number == 0
            continue
        value = None
        if part in readable:
            field = collection.by_name.get(part)
            if field is None or field.options is not None or field.widget in ("money", "translations", "iban") or not _spelled(field):
                return None
            value = sa.func.coalesce(_in_title(table.columns[part], field), "")
            parts += _between(between, value, sa.true() if opens else sa.func.concat("", *parts) != "")
            parts.append(value)
        between, opens = "", False
    parts += _between(between, value, sa.true()) if value is not None else []
    if not parts:
        return None
    made = sa.func.concat(*parts) if len(parts) > 1 else parts[0]
    whole = sa.func.btrim(made, BLANKS)
    usual = _harmless(made) & _within(sa.func.ascii(sa.func.right(made, 1)), "!", "~")
    return sa.case(
        (usual, made), (whole == "", _key(table)), (_dangerous(whole, wording), sa.literal("'", sa.Text).concat(whole)), else_=whole
    )


def _between(text: str, value: Any, where: Any) -> list[Any]:
    """What separates a value from those before it, where there are any and the value is no empty text."""
    return [sa.case(((value != "") & where, sa.literal(text, sa.Text)), else_="")] if text else []


def _in_title(column: Any, field: Field) -> Words:
    """The text of a column as a title has it (`plain_words.shortened_id`)."""
    text = _text(column)
    return sa.func.left(text, 8).concat("…").concat(sa.func.right(text, 4)) if field.stored == "uuid" else text


def _key(table: Table) -> Words:
    """What a record is and its key, where that is one plain value."""
    collection = table.collection
    column = table.columns[collection.key[0]] if collection.key else sa.literal_column("1")
    if len(collection.key) != 1 or not _spelled(collection.by_name[collection.key[0]]) or not collection.label_one[:1].isalnum():
        return _stop(column)
    text = _text(column)
    return sa.case((text.regexp_match(PLAIN_KEY), sa.literal(f"{collection.label_one} ", sa.Text).concat(text)), else_=_stop(column))


def _spelled(field: Field) -> bool:
    """Whether a value of the column is shown as the database writes it."""
    return field.stored in ("integer", "uuid") or (field.stored == "text" and field.native in TEXTS)


def _cell(table: Table, field: Field, what: Kind, wording: Wording) -> Words | None:
    column = table.columns[field.name]
    if field.stored == "boolean":
        return sa.case((column.is_(sa.true()), "Yes"), (column.is_(sa.false()), "No"))
    if what.options:
        known = {value: wording.guarded(label) for value, label in what.options.items()}
        return _looked_up(_text(column), known, _stop(column)) if _spelled(field) and all(known.values()) else None
    if field.currency in table.columns:
        return None
    if formats.is_figure(what):
        return _figure(column, field, what, wording)
    if (what.type, field.native, field.items) == ("array", "array", "text") and what.widget in (None, "", "tags"):
        return _list(column, wording)
    if what.widget in formats.CODED and _spelled(field):
        return _coded(column, what.widget, wording)
    if what.widget in formats.SPOKEN:
        return _spoken(column, wording) if field.stored == "text" and _spelled(field) else None
    return _by_type(column, field, what, wording) if what.widget == "person" or what.widget not in formats.WIDGETS else None


def _by_type(column: Any, field: Field, what: Kind, wording: Wording) -> Words | None:
    match what.type, field.stored:
        case "date", "date":
            return _day(column)
        case "datetime", "datetime":
            return _moment(column, wording.look)
        case "time", "time":
            return sa.func.regexp_replace(_text(column), formats.CLOCK.pattern, formats.CLOCK_PARTS)
        case "integer" | "decimal" | "money" | "date" | "datetime" | "time" | "json" | "other" | "array" | "multi_enum" | "checklist", _:
            return None
    if field.stored == "uuid":
        return sa.cast(column, sa.Text)
    return _plain(column, wording) if _spelled(field) else None


# ---------------------------------------------------------------------------------------------------------------- texts


def _text(column: Any) -> Any:
    return sa.cast(column, sa.Text)


def _stop(column: Any) -> Words:
    """Stops the statement where it is reached: a division by nothing, which says nothing of the value."""
    return sa.cast(sa.func.mod(1, sa.func.num_nulls(column) * 0), sa.Text)


def _harmless(text: Any) -> Any:
    """Whether the text begins with a letter from A to z: no spreadsheet takes it for a formula."""
    return _within(sa.func.ascii(text), "A", "z")


def _within(code: Any, first: str, last: str) -> Any:
    """Whether the code is one of these letters. `BETWEEN` would work it out twice."""
    return sa.func.abs(code * 2 - (ord(first) + ord(last))) <= ord(last) - ord(first)


def _dangerous(text: Any, wording: Wording) -> Any:
    return sa.func.ascii(text).in_([ord(letter) for letter in wording.formula if letter != "\0"])


def _plain(column: Any, wording: Wording) -> Words:
    """A text as it is; ids of the console have words of their own. What most texts are is asked first."""
    text = _text(column)
    own = (sa.func.octet_length(text) >= SHORTEST_ID) & text.like(r"__%\_%") & text.regexp_match(OWN_ID)
    return sa.case(
        (_harmless(text) & (sa.func.octet_length(text) < SHORTEST_ID), text),
        (text == "", sa.null()),
        (_dangerous(text, wording), sa.literal("'", sa.Text).concat(text)),
        (own, _stop(column)),
        else_=text,
    )


def _spoken(column: Any, wording: Wording) -> Words:
    """A text as it is, small letters with a capital; words of a program, of which each has one of two signs, are left to Python."""
    text = _text(column)
    large = sa.func.upper(sa.func.left(text, 1).collate("C")).concat(sa.func.substr(text, 2))
    return sa.case(
        ((sa.func.strpos(text, "_") > 0) | (sa.func.strpos(text, ".") > 0), _stop(column)),
        (text.regexp_match(LOWER_WORDS), large),
        else_=_plain(column, wording),
    )


def _list(column: Any, wording: Wording) -> Words:
    """The texts of an array with commas between them. One that holds arrays, nothing, blanks alone or an id of the console is left to Python."""
    text = sa.func.array_to_string(column, ", ")
    odd = (
        sa.func.array_position(column, sa.null()).is_not(None)
        | text.regexp_match(r"(^|, )\s*(,|$)")
        | text.regexp_match(OWN_ID.strip("^$"))
    )
    return sa.case(
        (sa.func.cardinality(column) == 0, sa.null()),
        ((sa.func.array_ndims(column) > 1) | odd, _stop(column)),
        (_dangerous(text, wording), sa.literal("'", sa.Text).concat(text)),
        else_=text,
    )


def _looked_up(text: Words, known: Mapping[str, str], otherwise: Words, key: Words | None = None) -> Words:
    """The label of a text, looked up by itself or by `key`."""
    labels = sa.cast(sa.literal(json.dumps(known), sa.Text), postgresql.JSONB)
    found = labels.op("->>", return_type=sa.Text())(text if key is None else key)
    return sa.case((text.is_(None), sa.null()), (text == "", sa.null()), else_=sa.func.coalesce(found, otherwise))


def _coded(column: Any, widget: str, wording: Wording) -> Words:
    """The name of a code; several of them, and codes with blanks or lines in them, are left to Python."""
    known = {code: wording.guarded(name) for code, name in formats.code_names(widget, wording.look.locale).items()}
    text = _text(column)
    otherwise = sa.case((text.regexp_match("^[A-Za-z0-9]+$"), text), else_=_stop(column))
    return _looked_up(text, known, otherwise, text if widget in ("language", "zone") else sa.func.upper(text))


def _reference(table: Table, field: Field, target: str, wording: Wording) -> tuple[Words | None, sa.FromClause | None]:
    """The title of the record that a row leads to, as far as the reader may know it (None: SQL cannot say), and what has to be joined for it.

    It is joined row by row and limited to one, so that PostgreSQL keeps those that it has met (Memoize) and a target without a unique key adds no rows.
    """
    column, reach = table.columns[field.name], wording.reaches(target)
    if reach is None or not _spelled(field):
        return None, None
    name: Any = sa.literal(wording.guarded(reach.absent), sa.Text)
    titles = None
    if reach.scope is not None:
        there = _target(table, field, target)
        named = None if there is None else title(there, reach.scope, wording)
        if there is None or named is None:
            return None, None
        one = sa.select(named.label("title")).where(there.key[0] == column, there.in_scope(reach.scope)).limit(1)
        titles = one.lateral(f"title_{field.name}"[:60])
        name = sa.func.coalesce(titles.c.title, name)
    return sa.case((column.is_(None), sa.null()), (_text(column) == "", sa.null()), else_=name), titles


def _target(table: Table, field: Field, target: str) -> Table | None:
    """The table of the collection, if one statement can read it and a value of the field is its key."""
    from console.records import catalogue

    collection: Collection = catalogue.collection(target)
    if collection.source != table.collection.source or len(collection.key) != 1:
        return None
    key = collection.by_name[collection.key[0]]
    alike = (key.stored, key.native == "bpchar") == (field.stored, field.native == "bpchar")
    return table_of(collection).aliased(f"named_{field.name}"[:60]) if alike else None


# -------------------------------------------------------------------------------------------------------------- numbers


def _figure(column: Any, field: Field, what: Kind, wording: Wording) -> Words | None:
    """A number as a spreadsheet reads it; amounts in smallest units become whole ones."""
    if field.stored == "integer" and not what.minor:
        return sa.cast(column, sa.Text)
    if field.stored != "integer" and field.native != "numeric":
        return None
    number: Any = column
    if what.minor:
        places = decimals(formats.amount_of(what, None)[1])
        if places is None or field.stored != "integer":
            return None
        number = sa.cast(column, sa.Numeric) * sa.literal_column(f"{10**-places:.{places}f}")
    mark = formats.decimal_mark(wording.look.locale)
    written = _text(number) if mark == "." else sa.func.replace(_text(number), ".", mark)
    return _if((column < LARGEST) & (column > -LARGEST), written, column)


# ------------------------------------------------------------------------------------------------------ days and moments


def _if(usual: Any, words: Any, column: Any) -> Words:
    """The words where the value is a usual one."""
    return sa.case((usual, words), (column.is_not(None), _stop(column)))


def _day(column: Any) -> Words:
    return _if(column.between(date.min, date.max), _text(column), column)


def _moment(column: Any, look: Look) -> Words:
    """The moment to the second, in the reader's zone."""
    moment = sa.cast(column, sa.TIMESTAMP(timezone=True))  # a time without a zone is one of UTC, like the session
    there = sa.func.date_trunc("second", sa.func.timezone(look.zone, moment))
    return _if(moment.between(*KNOWN), _text(there), column)


def zone_sampled(zone: str) -> sa.Select[Any]:
    """What the database takes the offset of the zone for, in seconds, every five days of `KNOWN`."""
    at = sa.func.generate_series(*KNOWN, timedelta(days=5)).column_valued("at")
    return sa.select(sa.cast(sa.extract("epoch", sa.func.timezone(zone, at) - sa.func.timezone("UTC", at)), sa.Integer))


def zone_agrees(zone: str, sampled: Sequence[int]) -> bool:
    """Whether our zone has the same offsets."""
    at, last = KNOWN
    here, expected = ZoneInfo(zone), []
    while at <= last:
        expected.append(int((at.astimezone(here).utcoffset() or timedelta()).total_seconds()))
        at += timedelta(days=5)
    return expected == list(sampled)
