"""What the schema files promise of a row, read from their text: columns, lists of allowed values, checks and references."""

import re
from dataclasses import dataclass, field

from console.demo import filling

CONSTRAINTS = ("constraint", "primary key", "unique (", "check (", "foreign key")


@dataclass(slots=True)
class Column:
    """A column as its line of DDL writes it."""

    name: str
    type: str
    required: bool
    filled: bool  # by a default, an identity, or afterwards
    allowed: frozenset[str] | None


@dataclass(slots=True)
class Table:
    """A table with what keeps its rows in order; `references` are column -> (table, column), `unique` tuples of columns."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    references: dict[str, tuple[str, str]] = field(default_factory=dict)


def core() -> dict[str, Table]:
    """Tables of fernwick_core by their name, `fiu.sar_case` with its schema."""
    text = filling.schema("tables")
    enums = {
        name: frozenset(re.findall(r"'([^']*)'", values)) for name, values in re.findall(r"create type ([\w.]+) as enum \(([^)]*)\)", text)
    }
    tables = {table.name: table for table in _tables(text, enums)}
    keys = filling.schema("keys")
    for name, body in re.findall(r"alter table ([\w.]+)\s+(.*?);", keys, re.DOTALL):
        _keys(tables[name], body)
    for table in tables.values():
        table.references = {own: (other, tables[other].primary[0]) for own, (other, _) in table.references.items()}
    return tables


def supply() -> dict[str, Table]:
    """Tables of fernwick_supply by their name."""
    return {table.name: table for table in _tables(filling.schema("supply"), {})}


def views() -> dict[str, dict[str, str]]:
    """The views of fernwick_core: name -> column -> label."""
    found: dict[str, dict[str, str]] = {}
    text = filling.schema("views")
    for name, column, label in re.findall(r"comment on column (\w+)\.(\w+) is '([^']*)'", text):
        found.setdefault(name, {})[column] = label
    return found


def _tables(text: str, enums: dict[str, frozenset[str]]) -> list[Table]:
    return [_table(name, body, enums) for name, body in re.findall(r"create table ([\w.]+) \(\n(.*?)\n\);", text, re.DOTALL)]


def _table(name: str, body: str, enums: dict[str, frozenset[str]]) -> Table:
    table = Table(name)
    for line in (line.strip().rstrip(",") for line in body.splitlines()):
        if line.startswith(CONSTRAINTS):
            _keys(table, line)
            continue
        column, rest = line.split(" ", 1)
        kind = re.match(r"[\w.]+(\([\d, ]+\))?(\[\])?", rest)
        assert kind is not None
        listed = re.search(rf"check \({column} in \(([^)]*)\)\)", rest)
        allowed = frozenset(re.findall(r"[\w.]+", listed[1])) if listed else enums.get(kind[0])
        filled = "default" in rest or "identity" in rest
        table.columns[column] = Column(column, kind[0], "not null" in rest or "primary key" in rest, filled, allowed)
        if "primary key" in rest:
            table.primary = (column,)
        if re.search(r"\bunique\b", rest):
            table.unique.append((column,))
        if referred := re.search(r"references (\w+) \((\w+)\)", rest):
            table.references[column] = (referred[1], referred[2])
    return table


def _keys(table: Table, text: str) -> None:
    if primary := re.search(r"primary key \(([^)]*)\)", text):
        table.primary = tuple(primary[1].split(", "))
    table.unique += [tuple(columns.split(", ")) for columns in re.findall(r"unique \(([^)]*)\)", text)]
    table.references |= {own: (other, "") for own, other in re.findall(r"foreign key \((\w+)\) references (\w+)", text)}
