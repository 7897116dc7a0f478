"""Lists sorted by the title of the record that a column leads to, as people read it there: `sort=customer_id.title`.

The other table is joined by its key. Such an order follows no index, so it has a time limit of its own. Only titles that are text of the
same source, and that the reader may see, are sorted by; any other record sorts as one without a title.
"""

import copy
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.core.documents.collections import Collection, Field
from console.core.scopes import Scope
from console.records import catalogue
from console.records.sql_tables import Table, table_of

SECONDS = 4.0
LONGEST = 200
"""Letters of a title that are sorted by."""
END = ".title"
PARTS = re.compile(r"\{\{ record\.\w+ \}\}(?: \{\{ record\.\w+ \}\})*")


def base_of(collection: Collection, name: str) -> str | None:
    """The reference by whose title this name sorts; None for a name of a field."""
    return name.removesuffix(END) if name.endswith(END) and name not in collection.by_name else None


def field_of(collection: Collection, scope: Scope, base: str) -> Field | None:
    """A text field that stands for the title behind this reference; None where the list cannot be sorted by it."""
    found = _led_to(collection, scope, base)
    return (
        None
        if found is None
        else replace(
            found[0].by_name[found[0].title_fields[0]], name=base + END, nullable=True, native="text"
        )
    )


def by_keys(sort: str) -> str:
    """The same order by the references themselves."""
    return ",".join(part.removesuffix(END) for part in sort.split(","))


def by_title(collection: Collection, scope: Scope, columns: Iterable[Field]) -> frozenset[str]:
    """Those of the columns that are references by whose titles this reader can sort the list."""
    return frozenset(
        field.name for field in columns if field.references and _led_to(collection, scope, field.name)
    )


def sorting(collection: Collection, scope: Scope, fields: list[Field]) -> Table:
    """The table of the collection, with the titles that these fields stand for."""
    own = table_of(collection)
    bases = [(field, base) for field in fields if (base := base_of(collection, field.name)) is not None]
    if not bases:
        return own
    made = copy.copy(own)
    more = {}
    for field, base in bases:
        more[field.name], there, linked = _joined(own, scope, base)
        made.read_from = made.read_from.outerjoin(there, linked)
    made.columns = {**own.columns, **more}
    made.sorted_by = {field.name: field for field, _ in bases}
    made._places = {
        **own._places,
        **{field.name: own.dialect.place(more[field.name], field) for field, _ in bases},
    }
    return made


def _led_to(
    collection: Collection, scope: Scope, base: str
) -> tuple[Collection, tuple[tuple[str, str], ...]] | None:
    """The collection behind the reference and the pairs of columns, where its title can be sorted by."""
    if base not in collection.by_name or base in scope.hidden or not collection.key:
        return None
    for relation in collection.relations:
        target = (
            catalogue.find(relation.collection) if relation.kind == "to_one" and not relation.only else None
        )
        if (
            target is None
            or target.source != collection.source
            or base not in {here for here, _ in relation.columns}
        ):
            continue
        alike = all(
            (here := collection.by_name.get(one)) is not None
            and here.name not in scope.hidden
            and here.stored == target.by_name[other].stored
            and here.native != "mixed"
            for one, other in relation.columns
        )
        titled = [target.by_name.get(name) for name in target.title_fields]
        theirs = scope.elsewhere(target.id) if scope.elsewhere is not None else None
        if (
            alike
            and {there for _, there in relation.columns} == set(target.key)
            and titled
            and PARTS.fullmatch(target.title)
            and all(
                item is not None
                and item.computed is None
                and item.stored == "text"
                and item.options is None
                and item.sortable
                for item in titled
            )
            and (theirs is None or not (theirs.nothing or theirs.hidden & {*target.title_fields}))
        ):
            return target, relation.columns
    return None


def _joined(
    own: Table, scope: Scope, base: str
) -> tuple[ColumnElement[Any], sa.FromClause, ColumnElement[bool]]:
    """The title behind the reference, the table that has it, and what joins it: by its key, so that no record is listed twice."""
    found = _led_to(own.collection, scope, base)
    assert found is not None, "only what `field_of` knows is sorted by"  # noqa: S101
    target, pairs = found
    there = table_of(target).aliased(f"titled_{[field.name for field in own.collection.fields].index(base)}")
    theirs = scope.elsewhere(target.id) if scope.elsewhere is not None else None
    blank, empty = sa.literal_column("' '", sa.Text), sa.literal_column("''", sa.Text)
    first, *others = (sa.type_coerce(there.columns[name], sa.Text) for name in target.title_fields)
    words: ColumnElement[Any] = first
    for number, part in enumerate(others):
        words = (words if number else sa.func.coalesce(words, empty)) + blank + sa.func.coalesce(part, empty)
    words = sa.func.substr(sa.func.trim(words), 1, LONGEST)
    within = [] if theirs is None or theirs.unlimited else [there.in_scope(theirs)]
    linked = [there.columns[other] == own.columns[one] for one, other in pairs]
    shown = sa.case((there.key[0].is_not(None), words)) if others else words
    return shown, there.table, sa.and_(*linked, *within)
