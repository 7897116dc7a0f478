"""One read-only SELECT that a developer wrote, over the tables that its reader may see.

The statement is parsed. Each table in it must be one that is connected as a collection which the reader may browse, and is replaced by a
sub-select of their readable columns and their rows: what a list would not show, a SELECT does not either. Functions are those of a list:
others could read files, call hosts or sleep. It runs in a read-only transaction with limits of time and rows.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection
from console.core.errors import TooSlow
from console.core.scopes import Scope
from console.records import catalogue, local_clock, refusals, source_zones, time_limit, values
from console.records.record_pages import read
from console.records.sql_growth import bounded, wrong
from console.records.sql_tables import Table, table_of
from console.records.totals import FLOAT_DIGITS

if TYPE_CHECKING:
    from sqlglot import exp  # the parser takes 17 MB: it is loaded by the first SELECT that somebody wrote

MOST_ROWS = 1_000
MOST_LETTERS = 10_000_000
SECONDS = 5.0
PIECE = 20
"""Rows that a database sends at once, so that long texts are not all fetched before they are counted."""
DIALECTS = {"postgresql": "postgres", "sqlite": "sqlite", "mysql": "mysql"}
MARK = "handrail-value-{}"
PART = "handrail_part_{}"

_FUNCTIONS = """
    abs avg case cast ceil ceiling coalesce concat concat_ws count current_date current_timestamp cume_dist date date_add date_diff date_format
    date_sub date_trunc datediff datetime day dayofmonth dayofweek dense_rank exists extract first_value floor greatest group_concat hour if ifnull
    interval julianday lag last_day last_value lead least left length like lower ltrim max min minute mod month ntile nullif percent_rank
    percentile_cont percentile_disc pow power quarter rank right round row_number rtrim sign sqrt strftime string_agg substr substring sum
    time_to_str timestamp_trunc to_char trim trunc upper week weekday year and or xor not in between date_part ts_or_ds_to_date str_to_date str_position
    timestamp_add timestamp_sub current_time generate_date_array stddev stddev_samp stddev_pop variance var_samp logical_or logical_and bool_or bool_and
    anonymous_agg_func time_str_to_time ts_or_ds_add ts_or_ds_diff ts_or_ds_to_timestamp try_cast json_extract json_extract_scalar now localtime localtimestamp
    """
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Names of functions, as written or as the parser calls them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of the columns and rows of JSON values; `cut`: there were more than `MOST_ROWS`. `collections` were read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    collections: tuple[str, ...]


def ask(
    source: str, text: str, reachable: Callable[[Collection], Scope | None], given: Sequence[Any] = ()
) -> Answer:
    """The answer to a SELECT. `reachable` gives the reader's scope of a collection, None if they may not browse it.

    `given` are the values of the marks `handrail-value-0`, … that stand as texts in the statement. Raises Malformed saying what is wrong in the
    statement, TooSlow, SourceDown.
    """
    known = {item.id: item for item in catalogue.current().collections.values() if item.source == source}
    if not known:
        raise wrong(f"There is no data source {source} with collections.")
    dialect = next(iter(known.values())).dialect
    tree = parse(text, dialect)
    read_from = rewrite(tree, known, reachable)
    if not read_from:
        raise wrong("The SELECT reads no table.")
    local_clock.spoken(tree, source, dialect)
    labels = _labels(tree, read_from)
    statement = _statement(tree, read_from, dialect, given)
    collection = next(iter(read_from.values()))[0]
    found = read(collection, lambda connection: _read_only(connection, statement))
    names, rows = found
    zone = catalogue.current().sources[source].terms.zone
    return Answer(
        tuple(names),
        tuple(
            tuple(_cell_value(value, zone, labels.get(place)) for place, value in enumerate(row))
            for row in rows[:MOST_ROWS]
        ),
        len(rows) > MOST_ROWS,
        tuple(sorted({item.id for item, _ in read_from.values()})),
    )


def _cell_value(value: Any, zone: str, labels: Mapping[str, str] | None) -> Any:
    return labels[value] if labels and value in labels else values.json_of(_rounded(value, zone))


def _labels(
    tree: "exp.Expression", read_from: Mapping[str, tuple[Collection, Scope]]
) -> dict[int, Mapping[str, str]]:
    """Place of each column of the answer that is a field of one table, chosen from options → what people read for them."""
    from sqlglot import exp

    found: dict[int, Mapping[str, str]] = {}
    if not isinstance(tree, exp.Select):
        return found
    tables = [
        each for each in tree.find_all(exp.Table) if each.parent_select is tree and each.name in read_from
    ]
    for place, column in enumerate(each.unalias() for each in tree.selects):
        if not isinstance(column, exp.Column):
            continue
        named = [read_from[each.name][0].by_name for each in tables if column.table in ("", each.alias)]
        fields = [by_name[column.name] for by_name in named if column.name in by_name]
        if len(fields) == 1 and fields[0].stored == "text" and fields[0].options is not None:
            found[place] = {option.value: option.label for option in fields[0].options}
    return found


def _rounded(value: Any, zone: str) -> Any:
    if zone and isinstance(value, datetime):
        return source_zones.in_utc(value, zone)
    return (
        Decimal(f"{value:.{FLOAT_DIGITS}g}") if isinstance(value, float) and math.isfinite(value) else value
    )


def parse(text: str, dialect: str) -> "exp.Expression":
    """The tree of one SELECT. Raises Malformed for anything else."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    refused = (
        exp.DML,
        exp.DDL,
        exp.Command,
        exp.Into,
        exp.Lock,
        exp.Parameter,
        exp.SessionParameter,
        exp.Placeholder,
        exp.Hint,
    )
    try:
        trees = [
            tree
            for tree in sqlglot.parse(text, dialect=DIALECTS.get(dialect, "postgres"))
            if tree is not None
        ]
    except (SqlglotError, RecursionError) as error:
        found: Mapping[str, Any] = next(iter(getattr(error, "errors", ())), {})
        near = f" near “{found['highlight']}” in line {found['line']}" if found.get("highlight") else ""
        raise wrong(
            f"The SELECT cannot be read{near}: something is missing, or stands where it may not."
        ) from None
    if len(trees) != 1:
        raise wrong("Write one SELECT, and nothing after it.")
    tree = trees[0]
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise wrong("Write a SELECT: nothing else is run here.")
    for node in tree.walk():
        if isinstance(node, refused):
            raise wrong(f"{node.key.upper()} is not allowed in a SELECT here.")
        if isinstance(node, exp.Func) and _function(node) not in FUNCTIONS:
            written = node.sql(DIALECTS.get(dialect, "postgres")).partition("(")[0].lower()
            raise wrong(
                f"The function {written} is not allowed here. Allowed are those that count, add up, and work on texts and days."
            )
        if isinstance(node, exp.DataType) and str(node.this).lower().rpartition(".")[2].startswith(
            ("reg", "userdefined")
        ):
            raise wrong("A value cannot be turned into this type here.")
    bounded(tree)
    return tree


def _function(node: "exp.Func") -> str:
    """The name of a function, as written where the parser does not know it."""
    from sqlglot import exp

    return str(
        node.name if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)) else node.sql_names()[0]
    ).lower()


def rewrite(
    tree: "exp.Expression", known: Mapping[str, Collection], reachable: Callable[[Collection], Scope | None]
) -> dict[str, tuple[Collection, Scope]]:
    """Replace each table by the name of a sub-select; returns name → (collection, scope). Raises Malformed for tables out of reach."""
    from sqlglot import exp

    own = _own_parts(tree)
    read_from: dict[str, tuple[Collection, Scope]] = {}
    for table in list(tree.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            raise wrong("A SELECT reads tables only, no functions.")
        if table.args.get("catalog"):
            raise wrong(f"{table.sql()} is in another database.")
        if id(table) in own:
            _read_instead(table, own[id(table)])
            continue
        collection = _collection(table, known)
        scope = reachable(collection) if collection is not None else None
        if collection is None or scope is None:
            raise wrong(
                f"There is no table {'.'.join(filter(None, (table.db, table.name)))} here that you may read."
            )
        name = next(
            (name for name, (one, _) in read_from.items() if one.id == collection.id),
            f"handrail_{len(read_from)}",
        )
        read_from[name] = (collection, scope)
        _read_instead(table, name)
    for number, cte in enumerate(tree.find_all(exp.CTE)):
        cte.args["alias"].set("this", exp.to_identifier(PART.format(number), quoted=True))
    return read_from


def _own_parts(tree: "exp.Expression") -> dict[int, str]:
    """Tables of the tree (by `id`) that are parts which the SELECT makes itself (`WITH name AS …`) → what these are called from now on.

    A part is seen by what stands behind it, and by itself where it is recursive. Anywhere else the same name is that of a table of the
    database: `WITH secret AS (SELECT * FROM secret)` reads the table. New names make sure that no part is ever taken for a table.
    """
    from sqlglot import exp

    names = {id(cte): PART.format(number) for number, cte in enumerate(tree.find_all(exp.CTE))}
    own: dict[int, str] = {}
    for table in tree.find_all(exp.Table):
        inside: Any = table
        while inside is not None and not table.db and id(table) not in own:
            parts = inside.args.get("with_")
            for cte in parts.expressions if parts is not None and not isinstance(inside, exp.With) else ():
                if cte.alias.lower() == table.name.lower() and _seen(cte, table, parts):
                    own[id(table)] = names[id(cte)]
            inside = inside.parent
    return own


def _seen(cte: "exp.CTE", table: "exp.Table", parts: Any) -> bool:
    """Whether the table's place sees this part: it stands in no part of the same WITH, or in one behind it, or in itself and is recursive."""
    places = {id(part): number for number, part in enumerate(parts.expressions)}
    within = table.parent
    while within is not None and id(within) not in places:
        within = within.parent
    here = len(places) if within is None else places[id(within)]
    return places[id(cte)] < here or (bool(parts.args.get("recursive")) and places[id(cte)] == here)


def _read_instead(table: "exp.Table", name: str) -> None:
    """Make the table another one, which is called as before."""
    from sqlglot import exp

    alias = table.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(table.name, quoted=bool(table.this.args.get("quoted")))
    )
    table.set("this", exp.to_identifier(name, quoted=True))
    table.set("db", None)
    table.set("alias", alias)


def _collection(table: "exp.Table", known: Mapping[str, Collection]) -> Collection | None:
    if not table.db and table.name in known:
        return known[table.name]
    return next(
        (item for item in known.values() if item.table == table.name and table.db in ("", item.schema or "")),
        None,
    )


def _statement(
    tree: "exp.Expression",
    read_from: Mapping[str, tuple[Collection, Scope]],
    dialect: str,
    given: Sequence[Any],
) -> sa.sql.selectable.TextualSelect:
    written = own_parts_first(tree, dialect, f"SELECT * FROM ({{}}) AS handrail_answer LIMIT {MOST_ROWS + 1}")  # noqa: S608 (parsed, judged, and written anew)
    for number in range(len(given)):
        written = written.replace("'" + MARK.format(number) + "'", f":handrail_{number}")
    body = sa.text(written).bindparams(**{f"handrail_{number}": value for number, value in enumerate(given)})
    return body.columns().add_cte(*visible_parts(read_from))


def own_parts_first(tree: "exp.Expression", dialect: str, whole: str) -> str:
    """The SELECT as text in `whole`, its own parts before it: they continue a WITH of ours, because MariaDB finds our parts in no other place."""
    spoken = DIALECTS.get(dialect, "postgres")
    parts = tree.args.pop("with_", None)
    found = (
        ([] if parts is None else parts.expressions)
        if dialect != "mysql"
        else [*_taken_out(parts), *_taken_out(tree)]
    )
    before = "".join(f", {part.sql(dialect=spoken, comments=False)}" for part in found)
    return f"{before} {whole.format(tree.sql(dialect=spoken, comments=False))}".replace(
        ":", "\\:"
    )  # marks that SQLAlchemy would take for parameters


def _taken_out(tree: "exp.Expression | None") -> "list[exp.CTE]":
    """The parts that stand anywhere in the tree, each behind those that it may read; they stand there no longer."""
    from sqlglot import exp

    found = []
    while tree is not None and (parts := tree.find(exp.With)) is not None:
        for part in parts.expressions:
            found += [*_taken_out(part.this), part]
        if parts is tree:
            break
        parts.pop()
    return found


def visible_parts(read_from: Mapping[str, tuple[Collection, Scope]]) -> list[sa.CTE]:
    """The rows and columns of each collection that the reader may see. They are recursive in name, so that a part behind them may be."""
    return [_visible(name, collection, scope) for name, (collection, scope) in read_from.items()]


def _visible(name: str, collection: Collection, scope: Scope) -> sa.CTE:
    table: Table = table_of(collection)
    columns = [
        local_clock.column(table, item)
        for item in collection.readable(scope)
        if item.name in collection.by_name
    ]
    if not columns:
        raise wrong(f"You may not see any field of {collection.label}.")
    return sa.select(*columns).select_from(table.table).where(table.in_scope(scope)).cte(name, recursive=True)


def _read_only(connection: Connection, statement: Any) -> tuple[Sequence[str], Sequence[Any]]:
    """Names and rows. PostgreSQL and MySQL begin a read-only transaction; SQLite refuses writes for the while."""
    kind = connection.dialect.name
    before = "off"
    if kind == "sqlite":
        before = "on" if connection.exec_driver_sql("pragma query_only").scalar() else "off"
        connection.exec_driver_sql("pragma query_only = on")
    else:
        connection.exec_driver_sql("start transaction read only")
    try:
        with (
            time_limit.limit(connection, SECONDS),
            connection.execution_options(stream_results=True, max_row_buffer=PIECE).execute(
                statement
            ) as found,
        ):
            return list(found.keys()), list(_few(found))
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise wrong(
            f"The database does not take this SELECT: {refusals.first_line(error).rstrip('.')}."
        ) from error
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql(f"pragma query_only = {before}" if kind == "sqlite" else "rollback")


def _few(rows: Iterable[sa.Row[Any]]) -> Iterator[sa.Row[Any]]:
    """The rows. Raises Malformed when their texts are longer than anybody reads."""
    letters, until = 0, time.monotonic() + SECONDS
    for row in rows:
        if time.monotonic() > until:  # each piece has a limit of its own
            raise TooSlow(time_limit.TOO_SLOW)
        letters += sum(len(item) for item in row if isinstance(item, (str, bytes)))
        if letters > MOST_LETTERS:
            raise wrong("The SELECT gives longer texts than can be shown: choose fewer columns or rows.")
        yield row
