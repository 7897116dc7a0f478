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
    collection, scope, where, roots = _judged(desk, item)
    measured, day = _field(collection, scope, item.field), _field(collection, scope, item.date)
    common = {"measure": item.measure, "field": item.field}
    keys: list[str] = []
    series: list[tuple[Any, str | None, Sequence[Any]]] = []
    total: list[tuple[str | None, Any]] = []
    if day is not None:
        keys = [start.isoformat() for start in starts(item.period, item.last, desk.today)]
        rows = _of_periods(desk, item, day, keys[0], [By(day.name, item.period)], where, roots, scope)
        series = _lines(rows, keys, item.measure)
        total = [(currency, values[-1]) for _, currency, values in series] or [(None, _nothing(item.measure))]
    if day is None or item.whole:
        groups = grouped.grouped(collection.id, scope, where=where, roots=roots, **common)  # type: ignore[arg-type]
        total = [(each.currency, each.value) for each in groups] or [(None, _nothing(item.measure))]
    usual = _usual_currency(collection, scope, measured, where, roots, [each for each, _ in total])
    total.sort(key=lambda each: each[0] != usual)
    _note(desk, item, collection, len(total))
    return Figures(collection, keys, series, measured, date=day, conditions=where, roots=roots, total=total)


def chart(desk: Desk, item: Chart) -> Figures:
    """The figures of a chart. Raises Choose, Gone, Malformed for fields that are gone, NotFound, TooSlow, SourceDown."""
    if item.sql is not None:
        return _answer_of_select(desk, item)
    collection, scope, where, roots = _judged(desk, item)
    codes = _currencies(desk, item, collection, scope, where, roots)
    chosen = _chosen_currency(desk, item, codes)
    if chosen is not None:
        where = [*where, _in_currency(str(collection.by_name[str(item.field)].currency), chosen)]
    made = {"time": _time, "share": _share, "leaders": _share, "cohort": _cohort, "funnel": _funnel}[
        item.chart
    ](desk, item, collection, scope, where, roots)
    _note(desk, item, collection, len(made.keys))
    return made if chosen is None else replace(made, currency=chosen, currencies=codes)


def _currencies(
    desk: Desk, item: Chart, collection: Collection, scope: Scope, where: list[Chosen], roots: dict[str, Any]
) -> Sequence[str]:
    """The currencies of the amounts that are drawn, that of most records first, "" for none; nothing where there is one at most."""
    measured = None if item.measure in ("count", "distinct") else _field(collection, scope, item.field)
    if measured is None or measured.currency not in collection.by_name or measured.currency in scope.hidden:
        return ()
    by, counted = [By(str(measured.currency))], item.model_copy(update={"measure": "count", "field": None})
    if item.chart == "time":
        first = starts(item.period, item.last, desk.today)[0].isoformat()
        rows = _of_periods(
            desk, counted, _needed(collection, scope, item.date), first, by, where, roots, scope
        )
    else:
        rows = _groups(collection.id, scope, measure="count", by=by, where=where, roots=roots)
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


def _usual_currency(
    collection: Collection,
    scope: Scope,
    measured: Field | None,
    where: list[Chosen],
    roots: dict[str, Any],
    currencies: Sequence[str | None],
) -> str | None:
    """The one of these currencies that most of the records have: which amount is the largest says nothing where one is of yen."""
    if measured is None or len(set(currencies)) < 2:
        return currencies[0] if currencies else None
    counted = grouped.grouped(
        collection.id, scope, measure="count", by=[By(str(measured.currency))], where=where, roots=roots
    )
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


def _judged(desk: Desk, item: Chart | Metric) -> tuple[Collection, Scope, list[Chosen], dict[str, Any]]:
    collection, scope = browse.browsed_collection(desk.actor, item.collection or "")
    where, roots = desk.conditions(collection, scope, item)
    return collection, scope, where, roots


def _field(collection: Collection, scope: Scope, name: str | None) -> Field | None:
    """The field, None where none is named. Raises Malformed if it is gone, hidden, or worked out by the console."""
    if name is None:
        return None
    found = readable_field(collection, name, scope.hidden)
    if found.computed is not None:
        raise grouped.refused(f"{found.label} is worked out when it is shown; the database cannot add it up.")
    return found


def _needed(collection: Collection, scope: Scope, name: str | None) -> Field:
    """The field that this kind of chart cannot do without."""
    found = _field(collection, scope, name)
    if found is None:
        raise Gone("This chart lacks the field by which its records are told apart.")
    return found


def _of_periods(
    desk: Desk,
    item: Chart | Metric,
    day: Field,
    first: str,
    by: list[By],
    where: list[Chosen],
    roots: Mapping[str, Any],
    scope: Scope,
) -> list[Group]:
    """The groups from the first period on."""
    begins: Any = date.fromisoformat(first)
    if day.stored == "datetime" or is_counted(day):
        begins = midnight(begins, desk.actor.zone)
    if is_counted(day):
        begins = counted_moments.number(day, begins)
    within = [*where, grouped.since(day.name, SINCE)]
    known = {**roots, "input": {**roots["input"], SINCE: begins}}
    by = [replace(each, first=date.fromisoformat(first)) if each.period else each for each in by]
    return _groups(
        item.collection or "",
        scope,
        measure=item.measure,
        field=item.field,
        by=by,
        where=within,
        roots=known,
        zone=desk.actor.zone,
    )


def _of_largest_lines(
    desk: Desk,
    item: Chart,
    collection: Collection,
    day: Field,
    line: Field,
    first: str,
    where: list[Chosen],
    roots: Mapping[str, Any],
    scope: Scope,
) -> list[Group]:
    """The groups of the lines with the largest figures, and what all others come to, where there are more groups than are read.

    Raises Malformed where the values of the lines are several each.
    """

    def read(by: list[By], *more: Chosen) -> list[Group]:
        return _of_periods(desk, item, day, first, by, [*where, *more], roots, scope)

    adds = item.measure in ADDED_UP
    values = list(dict.fromkeys(row.keys[0] for row in read([By(line.name)])))[: MOST_LINES - adds]
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
    by = By(day.name, item.period)
    rows = [row for row in read([by, By(line.name)], only) if row.keys[1] in values]
    whole = read([by]) if adds else []
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


def _groups(collection_id: str, scope: Scope, **asked: Any) -> list[Group]:
    """The groups, with keys of several values (a SET, an array, JSON) as tuples: figures are told apart by them."""
    return [
        replace(each, keys=tuple(map(_one_key, each.keys)))
        for each in grouped.grouped(collection_id, scope, **asked)
    ]


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


def _time(
    desk: Desk, item: Chart, collection: Collection, scope: Scope, where: list[Chosen], roots: dict[str, Any]
) -> Figures:
    day, line = _needed(collection, scope, item.date), _field(collection, scope, item.by)
    measured = _field(collection, scope, item.field)
    keys = [start.isoformat() for start in starts(item.period, item.last, desk.today)]
    by = [By(day.name, item.period), *([By(line.name)] if line else [])]
    rows = _of_periods(desk, item, day, keys[0], by, where, roots, scope)
    cut = line is not None and len(rows) == grouped.MOST_GROUPS
    if line is not None and cut:
        rows = _of_largest_lines(desk, item, collection, day, line, keys[0], where, roots, scope)
    lines = _lines(rows, keys, item.measure)
    named = _named(desk.actor, line, {each for each, _, _ in lines} - {OTHER}) if line else {}
    cut = (
        line is not None
        and bool(lines)
        and lines[-1][0] != OTHER
        and (cut or len({row.keys[1] for row in rows}) > len(lines))
    )
    return Figures(
        collection,
        keys if lines else [],
        lines,
        measured,
        date=day,
        line=line,
        named=named,
        conditions=where,
        roots=roots,
        cut=cut,
    )


def _share(
    desk: Desk, item: Chart, collection: Collection, scope: Scope, where: list[Chosen], roots: dict[str, Any]
) -> Figures:
    by, measured = _needed(collection, scope, item.by), _field(collection, scope, item.field)
    rows = _groups(
        collection.id,
        scope,
        measure=item.measure,
        field=item.field,
        by=[By(by.name)],
        where=where,
        roots=roots,
    )
    currency = rows[0].currency if rows else None
    first, rest = rows[: item.limit], rows[item.limit :]
    keys = [row.keys[0] for row in first]
    values = [row.value for row in first]
    if rest and item.chart == "share" and item.measure in ADDED_UP:
        if len(rows) == grouped.MOST_GROUPS:  # there may be more: they are what is left of the whole
            every = grouped.grouped(
                collection.id, scope, measure=item.measure, field=item.field, where=where, roots=roots
            )
            others = _added(row.value for row in every) - _added(values)
        else:
            others = _added(row.value for row in rest)
        keys.append(OTHER)
        values.append(_text_of(others))
    named = _named(desk.actor, by, set(keys) - {OTHER, None})
    return Figures(
        collection,
        keys,
        [(None, currency, values)],
        measured,
        by=by,
        named=named,
        conditions=where,
        roots=roots,
    )


def _added(values: Iterable[Any]) -> Decimal:
    return sum((Decimal(str(value)) for value in values if value is not None), Decimal(0))


def _text_of(total: Decimal) -> int | str:
    return int(total) if total == total.to_integral_value() else format(total, "f")


def _cohort(
    desk: Desk, item: Chart, collection: Collection, scope: Scope, where: list[Chosen], roots: dict[str, Any]
) -> Figures:
    """`keys` are the cohorts; the series are how many of them came after 0, 1, 2 … periods."""
    day, then = _needed(collection, scope, item.date), _needed(collection, scope, item.then)
    keys = [start.isoformat() for start in starts(item.period, item.last, desk.today)]
    rows = _of_periods(
        desk, item, day, keys[0], [By(day.name, item.period), By(then.name, item.period)], where, roots, scope
    )
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
    total = [(key, sizes[key]) for key in keys]
    return Figures(
        collection, keys, series, None, date=day, then=then, conditions=where, roots=roots, total=total
    )


def _funnel(
    desk: Desk, item: Chart, collection: Collection, scope: Scope, where: list[Chosen], roots: dict[str, Any]
) -> Figures:
    stages = [expressions.parse(stage.where) for stage in item.stages or ()]
    for stage in stages:
        require_fields(collection, scope, stage)
    known = {**roots, **desk.roots([*(each for each in where if isinstance(each, Expression)), *stages])}
    stages = [desk.in_days(stage, collection, known) for stage in stages]
    numbers = grouped.staged(collection.id, scope, stages, where, known)
    keys = [stage.label for stage in item.stages or ()]
    return Figures(
        collection, keys, [(None, None, numbers)], None, conditions=where, roots=known, stages=stages
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
    if len(answer.columns) == 1:
        return Figures(
            None,
            [],
            [],
            columns=answer.columns,
            total=[(None, answer.rows[0][0] if answer.rows else None)],
            cut=answer.cut,
        )
    series = [
        (name, None, [row[number] for row in answer.rows])
        for number, name in enumerate(answer.columns)
        if number
    ]
    first = answer.rows[0][1] if answer.rows else None
    return Figures(
        None,
        [row[0] for row in answer.rows],
        series,
        columns=answer.columns,
        total=[(None, first)],
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


def _note(desk: Desk, item: Chart | Metric, collection: Collection, groups: int) -> None:
    log.note(
        desk.actor,
        "figures_viewed",
        open={"workspace": desk.document.id, "component": item.id, "measure": item.measure, "groups": groups},
        source=collection.source,
        collection=collection.id,
        label=access.label_of(f"collection:{collection.id}"),
    )
