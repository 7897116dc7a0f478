"""The figures of metrics and charts: read within the reader's scope, with the periods and names that belong to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from console import browse, log
from console.auth import access
from console.core import counted_moments, expressions, filters
from console.core.actor import Actor
from console.core.counted_moments import is_counted
from console.core.documents.collections import Collection, Field
from console.core.documents.workspaces import Chart, Metric
from console.core.expressions import Expression
from console.core.filters import readable_field
from console.core.moments import midnight
from console.core.scopes import Scope
from console.formats import Named
from console.records import Chosen, grouped, sql_question
from console.records.grouped import By, Group
from console.workspaces.desk import Desk, Gone, require_fields

SINCE = "console_since"
OTHER = "\x00other"
"""The key of what is added up because it is not among the largest, as a value or as a line."""

MOST_LINES, MOST_CURRENCIES = 4, 12
NO_CURRENCY = "-"
"""In the address: amounts of records that name no currency."""
ADDED_UP = ("count", "sum")
"""Measures of which those of several groups can be added up."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a chart draws. `keys` are values or first days of periods, in order; `series` are (key of the line or None, currency, value for each key).

    `measured` is the measured field, `by` the one whose values are told apart, `date` that of the periods; `named` the records that keys refer to.
    `conditions` are those of the records behind it, with their roots; `stages` those of a funnel, `then` the later day of cohorts. `cut`: there
    were more groups than are read. `of` are the figures of which these are a part.
    """

    collection: Collection | None
    keys: Sequence[Any]
    series: Sequence[tuple[Any, str | None, Sequence[Any]]]
    measured: Field | None = None
    by: Field | None = None
    date: Field | None = None
    line: Field | None = None
    named: Mapping[tuple[str, str], Named] = field(default_factory=dict)
    conditions: Sequence[Chosen] = ()
    roots: Mapping[str, Any] = field(default_factory=dict)
    cut: bool = False
    columns: Sequence[str] = ()
    total: Sequence[tuple[str | None, Any]] = ()
    stages: Sequence[Expression] = ()
    then: Field | None = None
    of: "Figures | None" = None
    currency: str = ""
    """Of the amounts that a chart draws, where its records have several; "": those of records that name none."""
    currencies: Sequence[str] = ()
    """All of them, that of most records first; none where there are not several."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What a metric or chart is read by: the reader's desk and scope, and the conditions with their roots."""

    desk: Desk
    item: Any
    collection: Collection
    scope: Scope
    where: list[Chosen]
    roots: dict[str, Any]

    def field(self, name: str | None) -> Field | None:
        """The field, None where none is named. Raises Malformed if it is gone, hidden, or worked out by the console."""
        if name is None:
            return None
        found = readable_field(self.collection, name, self.scope.hidden)
        if found.computed is not None:
            raise grouped.refused(
                f"{found.label} is worked out when it is shown; the database cannot add it up."
            )
        return found

    def needed(self, name: str | None) -> Field:
        """The field that this kind of chart cannot do without."""
        found = self.field(name)
        if found is None:
            raise Gone("This chart lacks the field by which its records are told apart.")
        return found

    def groups(self, *by: By, **more: Any) -> list[Group]:
        """The groups, with keys of several values (a SET, an array, JSON) as tuples: figures are told apart by them."""
        asked = {
            "measure": self.item.measure,
            "field": self.item.field,
            "where": self.where,
            "roots": self.roots,
        }
        found = grouped.grouped(self.collection.id, self.scope, by=by, **asked | more)
        return [replace(each, keys=tuple(map(_one_key, each.keys))) for each in found]

    def periods(self) -> list[str]:
        """The first days of the periods, the present one last."""
        return [start.isoformat() for start in starts(self.item.period, self.item.last, self.desk.today)]

    def of_periods(self, day: Field, *by: By, **more: Any) -> list[Group]:
        """The groups of the periods."""
        first = date.fromisoformat(self.periods()[0])
        begins: Any = first
        if day.stored == "datetime" or is_counted(day):
            begins = midnight(first, self.desk.actor.zone)
        if is_counted(day):
            begins = counted_moments.number(day, begins)
        return self.groups(
            *(replace(each, first=first) if each.period else each for each in by),
            where=[*self.where, grouped.since(day.name, SINCE)],
            roots={**self.roots, "input": {**self.roots["input"], SINCE: begins}},
            zone=self.desk.actor.zone,
            **more,
        )

    def figures(self, keys: Sequence[Any], series: Sequence[Any], **more: Any) -> Figures:
        """What these come to."""
        return Figures(
            self.collection, keys, series, **{"conditions": self.where, "roots": self.roots} | more
        )


def metric(desk: Desk, item: Metric) -> Figures:
    """The figure as `total` (currency, value), of several that of most records first; `keys` and `series` are the line of its periods, none without a date.

    Of a percentage they are those of its part, and `of` has those of the whole.
    """
    if item.sql is not None:
        return _answer_of_select(desk, item)
    if item.part:
        whole, part = (
            item.model_copy(update={"where": where, "part": []})
            for where in (item.where, [*item.where, *item.part])
        )
        return replace(metric(desk, part), of=metric(desk, whole))
    asked = _question_of(desk, item)
    measured, day = asked.field(item.field), asked.field(item.date)
    keys: list[str] = []
    series: list[tuple[Any, str | None, Sequence[Any]]] = []
    total: list[tuple[str | None, Any]] = []
    if day is not None:
        keys = asked.periods()
        series = _lines(asked.of_periods(day, By(day.name, item.period)), keys, item.measure)
        total = [(currency, values[-1]) for _, currency, values in series] or [(None, _nothing(item.measure))]
    if day is None or item.whole:
        total = [(each.currency, each.value) for each in asked.groups()] or [(None, _nothing(item.measure))]
    usual = _usual_currency(asked, measured, [each for each, _ in total])
    total.sort(key=lambda each: each[0] != usual)
    _note(asked, len(total))
    return asked.figures(keys, series, measured=measured, date=day, total=total)


def chart(desk: Desk, item: Chart) -> Figures:
    """The figures of a chart. Raises Choose, Gone, Malformed for fields that are gone, NotFound, TooSlow, SourceDown."""
    if item.sql is not None:
        return _answer_of_select(desk, item)
    asked = _question_of(desk, item)
    codes = _currencies(asked)
    chosen = _chosen_currency(desk, item, codes)
    if chosen is not None:
        column = str(asked.collection.by_name[str(item.field)].currency)
        asked = replace(asked, where=[*asked.where, _in_currency(column, chosen)])
    made = {"time": _time, "share": _share, "leaders": _share, "cohort": _cohort, "funnel": _funnel}[
        item.chart
    ](asked)
    _note(asked, len(made.keys))
    return made if chosen is None else replace(made, currency=chosen, currencies=codes)


def _currencies(asked: _Question) -> Sequence[str]:
    """The currencies of the amounts that are drawn, that of most records first, "" for none; nothing where there is one at most."""
    item, collection = asked.item, asked.collection
    measured = None if item.measure in ("count", "distinct") else asked.field(item.field)
    if (
        measured is None
        or measured.currency not in collection.by_name
        or measured.currency in asked.scope.hidden
    ):
        return ()
    by, counted = By(str(measured.currency)), {"measure": "count", "field": None}
    rows = (
        asked.of_periods(asked.needed(item.date), by, **counted)
        if item.chart == "time"
        else asked.groups(by, **counted)
    )
    codes = list(dict.fromkeys(str(row.keys[0] or "") for row in rows))[:MOST_CURRENCIES]
    return codes if len(codes) > 1 else ()


def _chosen_currency(desk: Desk, item: Chart, codes: Sequence[str]) -> str | None:
    """The currency that the reader chose, else that of the chart, else that of most records; None where nothing is to be chosen."""
    wanted = (desk.state.get(f"{item.id}_currency"), item.currency)
    known = {(code or NO_CURRENCY).casefold(): code for code in codes}
    return next(
        (known[each.casefold()] for each in wanted if each is not None and each.casefold() in known),
        codes[0] if codes else None,
    )


def _in_currency(column: str, code: str) -> Expression:
    return expressions.parse(
        f"record[{json.dumps(column, ensure_ascii=False)}] == {json.dumps(code or None, ensure_ascii=False)}"
    )


def _usual_currency(asked: _Question, measured: Field | None, currencies: Sequence[str | None]) -> str | None:
    """The one of these currencies that most of the records have: which amount is the largest says nothing where one is of yen."""
    if measured is None or len(set(currencies)) < 2:
        return currencies[0] if currencies else None
    counted = asked.groups(By(str(measured.currency)), measure="count", field=None)
    codes = [None if row.keys[0] is None else str(row.keys[0]) for row in counted]
    return next((code for code in codes if code is not None and code in currencies), currencies[0])


def starts(period: str, last: int, today: date) -> list[date]:
    """The first days of the last periods, the present one last."""
    found = [_start(period, today)]
    while len(found) < last:
        found.append(_start(period, found[-1] - timedelta(days=1)))
    return found[::-1]


def end_of(period: str, start: date) -> date:
    """The first day after the period."""
    return _start(
        period, start + timedelta(days={"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[period])
    )


def _start(period: str, day: date) -> date:
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _question_of(desk: Desk, item: Chart | Metric) -> _Question:
    collection, scope = browse.browsed_collection(desk.actor, item.collection or "")
    return _Question(desk, item, collection, scope, *desk.conditions(collection, scope, item))


def _of_largest_lines(asked: _Question, day: Field, line: Field) -> list[Group]:
    """The groups of the lines with the largest figures, and what all others come to, where there are more groups than are read.

    Raises Malformed where the values of the lines are several each.
    """
    collection, scope = asked.collection, asked.scope
    adds = asked.item.measure in ADDED_UP
    values = list(dict.fromkeys(row.keys[0] for row in asked.of_periods(day, By(line.name))))
    values = values[: MOST_LINES - adds]
    if any(isinstance(value, tuple) for value in values):
        raise grouped.refused(f"{line.label} has too many different values to draw a line for each.")
    tests: list[dict[str, Any]] = [
        {"field": line.name, "op": "in", "value": [value for value in values if value is not None]}
    ]
    if None in values:
        tests = [*tests[: len(values) - 1], {"field": line.name, "op": "is_null", "value": True}]
    only = grouped.Listed(
        collection.id, scope, filters.parse(json.dumps({"or": tests}), collection, scope.hidden), None, None
    )
    by = By(day.name, asked.item.period)
    within = replace(asked, where=[*asked.where, only])
    rows = [row for row in within.of_periods(day, by, By(line.name)) if row.keys[1] in values]
    whole = asked.of_periods(day, by) if adds else []
    if len({row.currency for row in whole}) == 1:
        drawn: dict[Any, Decimal] = {}
        for row in rows:
            drawn[row.keys[0]] = _added([row.value, drawn.get(row.keys[0])])
        rows += [
            Group(
                (row.keys[0], OTHER), row.currency, _text_of(_added([row.value]) - drawn.get(row.keys[0], 0))
            )
            for row in whole
        ]
    return rows


def _one_key(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_one_key, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _lines(
    rows: Sequence[Group], keys: Sequence[str], measure: str
) -> list[tuple[Any, str | None, Sequence[Any]]]:
    """One line for each currency and, with two keys, for each value of the second; the longest first. What is added up and does not fit is one line more."""
    by_line: dict[tuple[Any, str | None], dict[str, Any]] = {}
    for row in rows:
        line = row.keys[1] if len(row.keys) > 1 else None
        by_line.setdefault((line, row.currency), {})[row.keys[0]] = row.value
    empty, wanted = _nothing(measure), frozenset(keys)
    by_line = {line: found for line, found in by_line.items() if not wanted.isdisjoint(found)}
    adds = measure in ADDED_UP and len({currency for _, currency in by_line}) < 2
    ordered = sorted(
        by_line.items(),
        key=lambda each: (
            each[0][0] == OTHER,
            -_added(each[1].values()) if adds else -len(each[1]),
            str(each[0]),
        ),
    )
    most = MOST_LINES - 1 if adds and len(ordered) > MOST_LINES else MOST_LINES
    lines: list[tuple[Any, str | None, Sequence[Any]]] = [
        (line, currency, [found.get(key, empty) for key in keys])
        for (line, currency), found in ordered[:most]
    ]
    if adds and (rest := ordered[most:]):
        lines.append(
            (OTHER, rest[0][0][1], [_text_of(_added(found.get(key) for _, found in rest)) for key in keys])
        )
    return lines


def _nothing(measure: str) -> Any:
    """The figure over no records: 0 for what is counted or added up, else none."""
    return 0 if measure in ("count", "sum", "distinct") else None


def _time(asked: _Question) -> Figures:
    item = asked.item
    day, line, measured = asked.needed(item.date), asked.field(item.by), asked.field(item.field)
    keys = asked.periods()
    rows = asked.of_periods(day, By(day.name, item.period), *([By(line.name)] if line else []))
    cut = line is not None and len(rows) == grouped.MOST_GROUPS
    if line is not None and cut:
        rows = _of_largest_lines(asked, day, line)
    lines = _lines(rows, keys, item.measure)
    named = _named(asked.desk.actor, line, {each for each, _, _ in lines} - {OTHER}) if line else {}
    cut = (
        line is not None
        and bool(lines)
        and lines[-1][0] != OTHER
        and (cut or len({row.keys[1] for row in rows}) > len(lines))
    )
    return asked.figures(
        keys if lines else [], lines, measured=measured, date=day, line=line, named=named, cut=cut
    )


def _share(asked: _Question) -> Figures:
    item = asked.item
    by, measured = asked.needed(item.by), asked.field(item.field)
    rows = asked.groups(By(by.name))
    currency = rows[0].currency if rows else None
    first, rest = rows[: item.limit], rows[item.limit :]
    keys = [row.keys[0] for row in first]
    values = [row.value for row in first]
    if rest and item.chart == "share" and item.measure in ADDED_UP:
        if len(rows) == grouped.MOST_GROUPS:  # there may be more: they are what is left of the whole
            others = _added(row.value for row in asked.groups()) - _added(values)
        else:
            others = _added(row.value for row in rest)
        keys.append(OTHER)
        values.append(_text_of(others))
    named = _named(asked.desk.actor, by, set(keys) - {OTHER, None})
    return asked.figures(keys, [(None, currency, values)], measured=measured, by=by, named=named)


def _added(values: Iterable[Any]) -> Decimal:
    return sum((Decimal(str(value)) for value in values if value is not None), Decimal(0))


def _text_of(total: Decimal) -> int | str:
    return int(total) if total == total.to_integral_value() else format(total, "f")


def _cohort(asked: _Question) -> Figures:
    """`keys` are the cohorts; the series are how many of them came after 0, 1, 2 … periods."""
    period = asked.item.period
    day, then = asked.needed(asked.item.date), asked.needed(asked.item.then)
    keys = asked.periods()
    rows = asked.of_periods(day, By(day.name, period), By(then.name, period))
    places = {key: number for number, key in enumerate(keys)}
    table = [[0 for _ in keys] for _ in keys]
    sizes = dict.fromkeys(keys, 0)
    for row in rows:
        if row.keys[0] in places:
            sizes[row.keys[0]] += row.value or 0
            later = places.get(row.keys[1]) if row.keys[1] else None
            if later is not None and later >= places[row.keys[0]]:
                table[later - places[row.keys[0]]][places[row.keys[0]]] += row.value or 0
    last = len(keys) - 1
    series = [
        (after, None, [table[after][place] if place + after <= last else None for place in range(len(keys))])
        for after in range(len(keys))
    ]
    return asked.figures(keys, series, date=day, then=then, total=list(sizes.items()))


def _funnel(asked: _Question) -> Figures:
    desk, collection, scope = asked.desk, asked.collection, asked.scope
    listed = asked.item.stages or ()
    stages = [expressions.parse(stage.where) for stage in listed]
    for stage in stages:
        require_fields(collection, scope, stage)
    uses = [*(each for each in asked.where if isinstance(each, Expression)), *stages]
    known = {**asked.roots, **desk.roots(uses)}
    stages = [desk.in_days(stage, collection, known) for stage in stages]
    numbers = grouped.staged(collection.id, scope, stages, asked.where, known)
    return asked.figures(
        [stage.label for stage in listed], [(None, None, numbers)], roots=known, stages=stages
    )


def _answer_of_select(desk: Desk, item: Chart | Metric) -> Figures:
    """The answer to a SELECT: the first column names the groups, the others are numbers."""
    text, given = _with_marks(desk, item.sql or "")

    def reachable(collection: Collection) -> Scope | None:
        if not access.can(desk.actor, None, f"collection:{collection.id}", "browse"):
            return None
        return browse.view_scope(desk.actor, collection)

    answer = sql_question.ask(item.source or "", text, reachable, given)
    log.note(
        desk.actor,
        "figures_viewed",
        open={
            "workspace": desk.document.id,
            "component": item.id,
            "measure": "sql",
            "groups": len(answer.rows),
            "collections": list(answer.collections),
        },
        source=item.source,
    )
    several = len(answer.columns) > 1
    rows = answer.rows if several else []
    series = [
        (name, None, [row[number] for row in rows]) for number, name in enumerate(answer.columns) if number
    ]
    return Figures(
        None,
        [row[0] for row in rows],
        series,
        columns=answer.columns,
        total=[(None, answer.rows[0][several] if answer.rows else None)],
        cut=answer.cut,
    )


def _with_marks(desk: Desk, text: str) -> tuple[str, list[Any]]:
    """The SELECT with a mark in place of each template, and their values: they are bound, never written into the statement."""
    made, values = "", list[Any]()
    for part in expressions.active_parts(text, {}):
        if isinstance(part, str):
            made += part
        else:
            made += "'" + sql_question.MARK.format(len(values)) + "'"
            values.append(part.evaluate(desk.roots([part])))
    return made, values


def _named(actor: Actor, by: Field | None, values: set[Any]) -> Mapping[tuple[str, str], Named]:
    if by is None or not by.references:
        return {}
    return browse.names_of(actor, {(by.references, str(value)) for value in values if value is not None})


def _note(asked: _Question, groups: int) -> None:
    item = asked.item
    browse.note_on(
        asked.desk.actor,
        "figures_viewed",
        asked.collection,
        open={
            "workspace": asked.desk.document.id,
            "component": item.id,
            "measure": item.measure,
            "groups": groups,
        },
    )
