"""Which columns a refused value is about, and what their rule asks: a CHECK of those it compares, a unique constraint, index or foreign key of its own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine.reflection import Inspector

from console.core.documents.collections import Collection, Field
from console.core.errors import SourceDown
from console.records import catalogue, connect, refusals

PLAIN_WORDS = (
    (r"\bis not null\b", "is not empty"),
    (r"\bis null\b", "is empty"),
    (r"\bis (not )?true\b", lambda found: f"is {(found[1] or '').lower()}yes"),
    (r"\bis (not )?false\b", lambda found: f"is {(found[1] or '').lower()}no"),
    (r"\b(?:char_|character_|octet_)?length *\(([^()]*)\)", r"length of \1"),
    (r"\b(not )?(?:like|glob|regexp)\b", lambda found: f"is {(found[1] or '').lower()}written like"),
    (r"\b(and|or|not|in|between)\b", lambda found: found[0].lower()),
    (r"!~\*?", "is not written as"),
    (r"~\*?", "is written as"),
    ("<>|!=", "≠"),
    (">=", "≥"),
    ("<=", "≤"),
)
COMPARED = re.compile(r" *(?<![-=<>])(≠|≥|≤|<|>|=)(?![<>=-]) *")
TEXTS = re.compile(r"('(?:[^']|'')*')")
LONGEST = 160
"""Letters of a CHECK that is still shown."""
CHECKED = "CHECK constraint failed: "
NOT_NULL = re.compile(r"NOT NULL constraint failed: .*\.([^.]+)$|\((?:1048|1364), .*?'([^']+)'")
"""What SQLite, and MySQL with MariaDB, say of a column that was left empty."""
DUPLICATE = 1062
"""MySQL's and MariaDB's number for a value that is there already."""


def is_duplicate(original: Any) -> bool:
    """Whether another record has these values where they must be different."""
    unique = getattr(original, "sqlstate", None) == "23505" or "UNIQUE constraint failed" in str(original)
    return unique or (original is not None and original.args[:1] == (DUPLICATE,))


NO_JSON = "This is no JSON: a bracket, comma or quotation mark of it is wrong or missing."
NO_LETTERS = "This holds letters or signs that the database cannot keep here."
UNFIT: dict[object, str] = {
    1366: NO_LETTERS,
    1406: "This is longer than the database keeps here.",
    1264: "This number is outside of what the database keeps here.",
    1265: "The database would cut this off.",
    1292: "The database cannot read this as a value of its kind.",
    "22P05": NO_LETTERS,
}
"""Errors of MySQL and MariaDB by number, and of PostgreSQL, about a value that its column cannot hold."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the database: its columns, the SQL of a CHECK, and whether it is a foreign key."""

    columns: frozenset[str] = frozenset()
    check: str = ""
    leads: bool = False


def reason(
    original: Any, collection: Collection, fields: list[Field], known: Iterable[Field] = ()
) -> tuple[list[Field], str]:
    """(the given fields that the rule is about, none if that is unknown; why the rule refuses them, in words). `known`: other fields that may be named."""
    code = original.sqlstate if isinstance(original, psycopg.Error) else next(iter(original.args), None)
    if code in UNFIT:
        column = re.search(r"for column (?:`[^`]*`\.)*[`']([^`']+)[`']", str(original))
        about = [field for field in fields if column and field.name == column[1]]
        return about or (fields if len(fields) == 1 else []), UNFIT[code]
    if (missing := _missing(original, code, collection)) is not None:
        return [missing], f"{missing.label} is needed."
    rule, named = _concerned(original, collection, fields)
    listed = " and ".join(field.label for field in named)
    if rule.leads and named:
        return (
            named,
            f"{'This value leads' if len(named) == 1 else f'These values of {listed} lead'} to no record that is there.",
        )
    if rule.leads:
        return named, "One of these values leads to no record that is there."
    these = (
        f"{listed} together"
        if len(named) > 1
        else "this value"
        if named or len(fields) == 1
        else "these values"
    )
    if re.fullmatch(
        r"\W*json_valid\W+\w+\W*", rule.check, re.IGNORECASE
    ):  # a column of the type JSON in MariaDB
        return named, NO_JSON
    told = {field.name: field for field in [*known, *fields]}
    if rule.check and rule.columns <= told.keys() and len(rule.check) <= LONGEST:
        return named, f"The database refuses {these}. Its rule: {_in_words(rule.check, told.values())}."
    name, _ = _rule_name(original)
    said = original.diag.message_primary or "" if isinstance(original, psycopg.errors.DataError) else ""
    if said and not named and not set("\"':") & set(said):  # without a value
        return named, f"The database refuses this: {said}."
    return named, f"The database refuses {these}" + (f" (rule {name})." if name else ".")


def _missing(original: Any, code: object, collection: Collection) -> Field | None:
    """The field that must not be empty and was left so; None for any other refusal."""
    if code == "23502":
        return collection.by_name.get(original.diag.column_name or "")
    found = NOT_NULL.search(str(original))
    return collection.by_name.get(found[1] or found[2]) if found else None


def concerned(original: Any, collection: Collection, fields: list[Field]) -> list[Field]:
    """Those of the given fields that the rule is about; none where that cannot be found out."""
    return _concerned(original, collection, fields)[1]


def _rule_name(original: Any) -> tuple[str, str | None]:
    """(name of the constraint, name of the column), as far as the driver tells."""
    if isinstance(original, psycopg.Error):
        return original.diag.constraint_name or "", original.diag.column_name
    match = re.search(r"constraint failed: ([\w., ]+)$", str(original))
    if match:
        return match[1], None if CHECKED in str(original) else match[1].rpartition(".")[2]
    quoted = re.search(r"(?i:constraint) [`']([^`']+)[`']|key '([^']+)'", str(original))
    return (quoted[1] or quoted[2] or "", None) if quoted else ("", None)


def _concerned(original: Any, collection: Collection, fields: list[Field]) -> tuple[Rule, list[Field]]:
    name, column = _rule_name(original)
    by_name = named_in(name, fields)
    several = (
        {part.strip().removeprefix(f"{collection.table}.") for part in name.split(",")}
        if "," in name
        else {column}
    )
    named = [
        field for field in fields if field.name in several
    ]  # SQLite: "UNIQUE constraint failed: tag.name, tag.colour"
    if isinstance(original, psycopg.Error) and original.diag.datatype_name and not named:
        name = original.diag.datatype_name
    rule = Rule() if named else _looked_up(name, str(original), collection)
    found = named or [field for field in fields if field.name in rule.columns] or by_name
    if not found and column is not None and column in collection.by_name:  # of what was not given at all
        return rule, [collection.by_name[column]]
    return rule, found


def _in_words(check: str, fields: Iterable[Field]) -> str:
    """The SQL of a CHECK with labels for columns, without casts and the brackets around all of it."""
    text = re.sub(
        r"'(-?\d+(?:\.\d+)?)'::(?=integer|numeric|bigint|smallint|double|real|money)", r"\1::", check.strip()
    )
    text = re.sub(
        r'::(?:"[^"]+"|[a-z]+(?: varying| without time zone| with time zone)?)(?:\([\d,]+\))?(?:\[\])?',
        "",
        text,
    )
    text = re.sub(r"=\s*any\s*\(+array\[(.*?)\]\)+", r"in (\1)", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<!\w)\((\w+)\)", r"\1", text)
    text = _bare(text)
    parts = TEXTS.split(text)
    parts[::2] = [_plain_words(part, fields) for part in parts[::2]]
    return "".join(parts)


def _bare(text: str) -> str:
    """The SQL without brackets around all of it, and without those that nothing closes."""
    while text[:1] == "(":
        depth = 0
        for place, letter in enumerate(TEXTS.sub(lambda found: "x" * len(found[0]), text)):  # noqa: B007 (where the first bracket closes)
            depth += (letter == "(") - (letter == ")")
            if depth == 0:
                break
        if depth == 0 and place < len(text) - 1:
            return text
        text = text[1:] if depth else text[1:-1]
    return text


def _plain_words(sql: str, fields: Iterable[Field]) -> str:
    """Return a part of a CHECK without texts: labels for columns, words for what SQL calls otherwise."""
    for field in fields:
        label = f"{field.label} in its smallest unit" if field.minor else field.label
        sql = re.sub(
            rf'(?<![\w"`])["`]?{re.escape(field.name)}["`]?(?![\w"`])', label.replace("\\", r"\\"), sql
        )
    for pattern, words in PLAIN_WORDS:
        sql = re.sub(pattern, words, sql, flags=re.IGNORECASE)
    return COMPARED.sub(r" \1 ", sql)


def named_in(text: str, fields: Iterable[Field]) -> list[Field]:
    """The fields whose name or label stands in the text as words of their own."""
    return [field for field in fields if any(_stands_in(name, text) for name in (field.name, field.label))]


def raised_about(original: Any, fields: list[Field]) -> list[Field]:
    """The fields that a trigger's own words are about: the column that it names, or those that its sentence names; the only one that was given."""
    column = original.diag.column_name if isinstance(original, psycopg.Error) else None
    named = [field for field in fields if field.name == column]
    return named or named_in(refusals.raised(original) or "", fields) or (fields if len(fields) == 1 else [])


def _stands_in(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(name.lower())}(?![a-z0-9])", text.lower()))


def _looked_up(name: str, said: str, collection: Collection) -> Rule:
    """The rule, as the database describes it; one without columns where it does not answer."""
    if not name and "constraint failed" not in said:
        return Rule()
    try:
        return connect.read(
            catalogue.engine_of(collection),
            collection.source,
            lambda connection: _rule(sa.inspect(connection), name, said, collection),
        )
    except (SourceDown, sa.exc.SQLAlchemyError):
        return Rule()


def _rule(inspector: Inspector, name: str, said: str, collection: Collection) -> Rule:
    place: dict[str, Any] = {"table_name": collection.table, "schema": collection.schema}
    last = name.rpartition(".")[2]  # MySQL 8 names the table before
    if last == "PRIMARY":
        return Rule(frozenset(collection.key))
    columns = inspector.get_columns(**place)
    checks = [*inspector.get_check_constraints(**place), *_column_checks(inspector, collection)]
    for check in checks:
        text = str(check["sqltext"])
        if (name and check["name"] in (name, last)) or text in said:
            return Rule(_compared(columns, text), check=text)
    if CHECKED in said:  # of a rule without a name SQLite says the first word alone, if that is quoted
        texts = [
            str(check["sqltext"])
            for check in checks
            if not check["name"] and _begins_with(str(check["sqltext"]), name)
        ]
        if len(texts) == 1:
            return Rule(_compared(columns, texts[0]), check=texts[0])
    led = inspector.get_foreign_keys(**place)
    keys: list[Any] = [
        *led,
        inspector.get_pk_constraint(**place),
        *inspector.get_unique_constraints(**place),
        *inspector.get_indexes(**place),
    ]
    for key in keys:
        if key and key.get("name") and key["name"] in (name, last):
            names = key.get("constrained_columns") or key.get("column_names") or ()
            return Rule(frozenset(name for name in names if name), leads=key in led)
    if CHECKED in said:  # SQLite says the rule itself where it has no name
        check = said.partition(CHECKED)[2].partition("\n")[0]
        return Rule(_compared(columns, check), check="" if check in collection.by_name else check)
    if (
        "FOREIGN KEY constraint failed" in said
    ):  # SQLite does not say which: it can be told where there is one
        return Rule(frozenset(led[0]["constrained_columns"]) if len(led) == 1 else frozenset(), leads=True)
    typed = {
        column["name"]: column["type"] for column in columns if getattr(column["type"], "name", None) == name
    }
    check = (
        getattr(next(iter(typed.values())), "check", None) if len(typed) == 1 else None
    )  # of a domain, which calls its value VALUE
    return Rule(
        frozenset(typed), "" if check is None else re.sub(r"\bVALUE\b", next(iter(typed)), str(check))
    )


def _begins_with(check: str, word: str) -> bool:
    """Whether the SQL of a CHECK begins with this word in quotes."""
    return bool(word) and check.lstrip().startswith((f'"{word}"', f"`{word}`", f"[{word}]"))


def _compared(columns: Iterable[Any], check: str) -> frozenset[str]:
    """The columns that a CHECK compares, without words inside of its texts."""
    plain = "".join(TEXTS.split(check)[::2])
    return frozenset(column["name"] for column in columns if _stands_in(column["name"], plain))


def _column_checks(inspector: Inspector, collection: Collection) -> list[Any]:
    """CHECKs of single columns in MariaDB, which are called by their column and which SQLAlchemy does not tell."""
    if not getattr(inspector.dialect, "is_mariadb", False):
        return []
    statement = sa.text(
        "select constraint_name as name, check_clause as sqltext from information_schema.check_constraints"
        " where constraint_schema = coalesce(:schema, database()) and table_name = :table and level = 'Column'"
    )
    return list(
        inspector.bind.execute(statement, {"schema": collection.schema, "table": collection.table}).mappings()  # type: ignore[union-attr]
    )
