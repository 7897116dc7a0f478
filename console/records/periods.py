"""The day, week, month, quarter or year of a moment, worked out by the database in the reader's zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.core.counted_moments import UNITS, is_counted
from console.core.documents.collections import Field
from console.records import source_zones
from console.records.sql_tables import Table

SINCE = date(2000, 1, 1)
AHEAD = timedelta(days=800)
"""So far after today the shifts of a zone's clocks are looked up."""


def local(table: Table, field: Field, zone: str, first: date) -> ColumnElement[Any]:
    """The day, or the moment as the clocks of the zone show it, from `first` on; SQLite has moments as text."""
    column: ColumnElement[Any] = table.columns[field.name]
    kind = table.dialect.name
    if is_counted(field):
        column = _moment(kind, field, column)
    elif field.stored != "datetime":
        return column
    if kind == "postgresql":
        return sa.func.timezone(zone, sa.cast(column, sa.DateTime(timezone=True)))
    if field.zone and kind == "sqlite":
        column = table.dialect.comparable(column, field)
    shifts = _shifts(zone, first, (datetime.now(UTC) + AHEAD).date(), "" if kind == "sqlite" else field.zone)
    if not any(seconds for _, seconds in shifts):
        return column
    moment = sa.func.datetime(column) if kind == "sqlite" else column
    ways: list[Any] = [
        (moment >= begins.strftime("%Y-%m-%d %H:%M:%S"), _shifted(kind, moment, seconds))
        for begins, seconds in shifts[:0:-1]
    ]
    usual = _shifted(kind, moment, shifts[0][1])
    return sa.case(*ways, else_=usual) if ways else usual


def _moment(kind: str, field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The moment in UTC for which a number stands."""
    unit = UNITS[str(field.widget)]
    seconds = sa.cast(column, sa.Numeric(30, 6) if kind != "sqlite" else sa.Float) * sa.literal_column(
        f"{unit.each:f}"
    ) + sa.literal_column(f"{unit.zero:f}")
    match kind:
        case "sqlite":
            return sa.func.datetime(seconds, "unixepoch")
        case "mysql":
            return sa.func.timestampadd(sa.text("SECOND"), sa.func.floor(seconds), sa.text("'1970-01-01'"))
    return sa.func.to_timestamp(sa.cast(seconds, sa.Float))


def _shifted(kind: str, moment: ColumnElement[Any], seconds: int) -> ColumnElement[Any]:
    if kind == "sqlite":
        return sa.func.datetime(moment, f"{seconds:+d} seconds")
    return sa.func.timestampadd(sa.text("SECOND"), sa.literal_column(str(seconds)), moment)


@lru_cache(maxsize=64)
def _shifts(zone: str, first: date, last: date, kept: str = "") -> list[tuple[datetime, int]]:
    """When clocks of the zone were shifted between two days, and the seconds that they are ahead of UTC from then on; the first is that of the beginning.

    `kept` is the zone of the column: then they are ahead of its clocks, and `when` is what those show.
    """
    there = ZoneInfo(zone)

    def ahead(at: datetime) -> int:
        if kept:
            shown = at.replace(tzinfo=None)
            return int(
                (source_zones.on_clocks(source_zones.in_utc(shown, kept), zone) - shown).total_seconds()
            )
        found = at.astimezone(there).utcoffset()
        return int(found.total_seconds()) if found is not None else 0

    at, end = (datetime.combine(day, time(), UTC) for day in (first - timedelta(days=1), last))
    found = [(at, ahead(at))]
    while at < end:
        after = at + timedelta(days=1)
        if ahead(after) != found[-1][1]:
            minute = next(
                at + timedelta(minutes=step)
                for step in range(1, 24 * 60 + 1)
                if ahead(at + timedelta(minutes=step)) != found[-1][1]
            )
            found.append((minute, ahead(minute)))
        at = after
    return found


def period_of(table: Table, column: ColumnElement[Any], period: str) -> ColumnElement[Any]:
    """The first day of the period in which a day or moment is, as text; of moments in UTC, or in the zone of the connection."""
    match table.dialect.name:
        case "sqlite":
            return _sqlite_day(column, period)
        case "mysql":
            return _mysql_day(column, period)
    return sa.cast(sa.cast(sa.func.date_trunc(period, column), sa.Date), sa.Text)


def _sqlite_day(column: ColumnElement[Any], period: str) -> ColumnElement[Any]:
    day = sa.func.substr(column, 1, 10)
    match period:
        case "day":
            return day
        case "week":
            return sa.func.date(day, "weekday 0", "-6 days")
        case "year":
            return sa.func.substr(day, 1, 4).concat("-01-01")
        case "quarter":
            month = (sa.cast(sa.func.substr(day, 6, 2), sa.Integer) - 1) // 3 * 3 + 1
            return sa.func.substr(day, 1, 4).concat(sa.func.printf("-%02d-01", month))
    return sa.func.substr(day, 1, 7).concat("-01")


def _mysql_day(column: ColumnElement[Any], period: str) -> ColumnElement[Any]:
    match period:
        case "day":
            return sa.func.date_format(column, "%Y-%m-%d")
        case "week":
            return sa.func.date_format(
                sa.func.subdate(sa.func.date(column), sa.func.weekday(column)), "%Y-%m-%d"
            )
        case "year":
            return sa.func.date_format(column, "%Y-01-01")
        case "quarter":
            return sa.func.concat(
                sa.func.year(column), "-", sa.func.lpad(sa.func.quarter(column) * 3 - 2, 2, "0"), "-01"
            )
    return sa.func.date_format(column, "%Y-%m-01")
