"""The rights matrix: every object with every role, or with one person, and when it last changed."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from console import records
from console.auth import access, accounts
from console.auth.access import history
from console.auth.access.history import Version
from console.auth.access.index import Index
from console.auth.access.labels import Names, all_titles
from console.auth.access.policy_words import acts_of, condition, rule
from console.auth.access.rows import EVERY, WHOLE, Row, kind_of
from console.core.actor import Actor
from console.formats.spreadsheets import escape_formula
from console.permissions import levels
from console.permissions.roles import list_roles
from console.steps.effects import action_cache

Standing = Literal["yes", "partly", "denied", "no"]
KINDS = ("collection", "action", "workflow", "inbox", "account", "label", "console")
BEST: Sequence[Standing] = ("yes", "partly", "denied", "no")


@dataclass(frozen=True, slots=True)
class Column:
    """A role or a person: `sub` is its name in rows, `counting` the roles whose rows apply."""

    sub: str
    title: str
    counting: frozenset[str]
    href: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Pairs of act and standing for acts that are not simply refused, the newest version that changed it, and its rules."""

    acts: tuple[tuple[str, Standing], ...]
    changed: Version | None
    rules: tuple[Row, ...]

    def level(self, obj: str) -> str:
        """Return the level that the acts are, with * where one holds under a condition."""
        if any(standing == "denied" for _, standing in self.acts):
            return levels.CUSTOM
        name = levels.level_of(kind_of(obj), [act for act, _ in self.acts])
        return f"{name}*" if any(standing == "partly" for _, standing in self.acts) else name


@dataclass(frozen=True, slots=True)
class Line:
    """An object with one cell per column; `source` is the data source of a collection."""

    obj: str
    title: str
    source: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The table for one kind of object, or a page of it; `place` is a team's id, empty for any team; `total` counts the objects of all pages."""

    kind: str
    place: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    names: Names
    total: int


def table(
    actor: Actor,
    kind: str,
    *,
    place: str = "",
    q: str = "",
    person: str = "",
    begin: int = 0,
    most: int | None = None,
) -> Matrix:
    """The matrix of one kind (`KINDS`), for objects with `q` in their name; for one person if given. Raises NotAllowed, NotFound.

    `begin` and `most` name a page of it: judging every role on 2,000 collections takes seconds.
    """
    access.require(actor, None, "policy", "manage")
    names, rows = all_titles(), access.all_rows()
    index, columns, changed = access.policy_index(), _columns(actor, person), history.last_changed()
    by_sub: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.ptype == "p":
            by_sub.setdefault((row.sub, row.obj), []).append(row)
    titles = {obj: names.object(obj) for obj in objects(actor, kind, rows, names)}
    found = [
        obj
        for obj, title in titles.items()
        if not q or q.lower() in title.lower() or q.lower() in obj.lower()
    ]
    lines = []
    for obj in found[begin : None if most is None else begin + most]:
        cells = tuple(_cell(index, column, obj, place, by_sub, changed) for column in columns)
        source = records.collection(obj.partition(":")[2]).source if kind == "collection" else ""
        lines.append(Line(obj, titles[obj][:1].upper() + titles[obj][1:], source, cells))
    return Matrix(kind, place, columns, tuple(lines), names, len(found))


def objects(actor: Actor, kind: str, rows: Iterable[Row], names: Names) -> list[str]:
    """Objects of the kind that the actor may know, wildcards first: existing ones, and those named by a rule."""
    return [obj for obj in _objects(kind, rows, names) if access.exists_for(actor, obj)]


def _objects(kind: str, rows: Iterable[Row], names: Names) -> list[str]:
    if kind == "console":
        return sorted(WHOLE)
    found = {row.obj for row in rows if row.obj.startswith(f"{kind}:")}
    if kind == "collection":
        there = sorted(records.collections(), key=lambda collection: collection.source)
        return [f"collection:{collection.id}" for collection in there]
    found |= {
        f"{kind}:{ident}"
        for ident in (action_cache.every() if kind == "action" else names.titles.get(kind, {}))
    }
    found |= set() if kind == "label" else {f"{kind}:{EVERY}"}
    found -= {f"workflow:{action.slug}" for action in action_cache.every().values()}
    return sorted(found, key=lambda obj: (not obj.endswith(f":{EVERY}"), names.object(obj).lower()))


def as_csv(actor: Actor, *, place: str = "", person: str = "") -> Iterator[str]:
    """The whole matrix as CSV: one line per column, object and act that is not simply refused. Raises NotAllowed before the first line."""
    tables = [table(actor, kind, place=place, person=person) for kind in KINDS]
    head = (
        "who",
        "name",
        "place",
        "object",
        "object name",
        "act",
        "standing",
        "conditions",
        "rules",
        "changed at",
        "changed by",
        "version",
    )
    yield _csv([head])
    for matrix in tables:
        for line in matrix.lines:
            for column, cell in zip(matrix.columns, line.cells, strict=True):
                yield _csv(_csv_rows(matrix, line, column, cell))


def _csv_rows(matrix: Matrix, line: Line, column: Column, cell: Cell) -> Iterator[Sequence[Any]]:
    for act, standing in cell.acts:
        rules = [row for row in cell.rules if row.act in (act, EVERY)]
        conditions = "; ".join(sorted({condition(row.expression) for row in rows_with_condition(rules)}))
        last = cell.changed
        yield (
            column.sub,
            column.title,
            matrix.names.title("team", matrix.place) if matrix.place else "any team",
            line.obj,
            line.title,
            act,
            {"yes": "may", "partly": "under a condition", "denied": "denied", "no": ""}[standing],
            conditions,
            "; ".join(sorted(rule(row, matrix.names) for row in rules)),
            *((last.at.isoformat(timespec="seconds"), last.by, last.number) if last else ("", "", "")),
        )


def rows_with_condition(rows: Iterable[Row]) -> list[Row]:
    """The rows that have a condition."""
    return [row for row in rows if row.expression]


def _columns(actor: Actor, person: str) -> tuple[Column, ...]:
    if person:
        who = accounts.person(person)
        return (Column(f"user:{who.id}", who.name, frozenset(), f"/settings/access?person={who.id}"),)
    return tuple(
        Column(
            f"role:{right.id}",
            right.title,
            frozenset({f"role:{right.id}", *(f"role:{inner}" for inner, _ in right.built_from)}),
            f"/settings/roles/{right.id}",
        )
        for right in list_roles(actor)
    )


def _cell(
    index: Index,
    column: Column,
    obj: str,
    place: str,
    by_sub: dict[tuple[str, str], list[Row]],
    changed: dict[Row, Version],
) -> Cell:
    kind = obj.partition(":")[0]
    reach = frozenset().union(*(index.reach(column.sub, team) for team in _places(index, column, place)))
    subs = {sub for sub, _ in reach}
    rows = [
        row
        for sub in subs
        for name in (obj, f"{kind}:{EVERY}")
        for row in by_sub.get((sub, name), ())
        if (row.sub, row.dom) in reach
    ]
    if not rows:
        return Cell((), None, ())
    acts = []
    for act in acts_of(kind):
        standing = min(
            (_standing(index, column.sub, team, obj, act) for team in _places(index, column, place)),
            key=BEST.index,
        )
        if standing != "no":
            acts.append((act, standing))
    versions = [changed[row] for row in rows if row in changed]
    return Cell(tuple(acts), max(versions, key=lambda version: version.number, default=None), tuple(rows))


def _places(index: Index, column: Column, place: str) -> list[str | None]:
    """Ids of the teams to look at. For a person all their teams at once, as decisions without a team do."""
    if place:
        return [place]
    return [None] if column.sub.startswith("user:") else [*sorted(index.named_teams), ""]


def _standing(index: Index, sub: str, team: str | None, obj: str, act: str) -> Standing:
    verdict = index.verdict(sub, team, obj, act)
    if verdict.barred:
        return "denied"
    return "yes" if verdict.plain else "partly" if verdict.possible else "no"


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    escaped = ([escape_formula(cell) for cell in row] for row in rows)
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerows(escaped)
    return out.getvalue()
