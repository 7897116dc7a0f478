"""`/reports`: the reports that the reader may see, each as a page and as CSV, those of a period as PDF too. `console.monitoring.reports.tables` defines them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, request

from console import log
from console.auth import access, accounts
from console.core.errors import Invalid, Malformed, NotFound
from console.core.moments import midnight
from console.monitoring import reports
from console.monitoring.reports import tables
from console.monitoring.reports.tables import WINDOWS, Cell, Given, Link, PeriodReport, TableReport
from console.views import downloads, formats, frame
from console.views.formats import Look
from console.views.runs import case_file
from console.views.work import decision_labels

blueprint = Blueprint("report_pages", __name__, url_prefix="/reports")
USUAL = 30
SHOWN, ON_PAPER = 200, 1_000
"""Lines on a page, and on paper; the CSV file has all of them."""


@blueprint.get("")
def listed() -> Response:
    """Show the list; 404 for those who may read none."""
    readable = tables.readable(frame.actor())
    if not readable:
        raise NotFound("There is no report that you may read.")
    return frame.page("reports/list.html", {"reports": readable})


@blueprint.get("/<name>")
def show(name: str) -> Response:
    """Show a report."""
    report, look = tables.get(frame.actor(), name), frame.look()
    rows = _rows(report, look)
    return frame.page(
        "reports/report.html",
        _context(report, rows, SHOWN, look) | {"name": name, "days": window(), "windows": WINDOWS},
    )


@blueprint.get("/<name>.csv")
def as_csv(name: str) -> Response:
    """Download the report as CSV; durations in seconds, moments in UTC."""
    report = _taken(name)
    units = {"time": " (seconds)", "moment": " (UTC)"}
    found = _rows(report, frame.look())
    look = decision_labels.look_for((cell for row in found for cell in row), frame.look())
    rows = ([_plain(cell, look) for cell in row] for row in found)
    head = [f"{column.label}{units.get(column.kind, '')}" for column in report.columns]
    return downloads.csv_response(
        frame.actor(), f"{name}.csv", [head, *rows], **_asked_for(report, frame.look())
    )


@blueprint.get("/<name>.pdf")
def as_paper(name: str) -> Response:
    """Download a report of a period as PDF."""
    report, look = _taken(name), replace(frame.look(), lasting=True)
    if not isinstance(report, PeriodReport):
        raise NotFound("This report is not made for paper. Take it as CSV.")
    rows, at = _rows(report, look), log.now()
    if len(rows) > ON_PAPER:
        raise Invalid(
            f"This period has {len(rows):,} lines; a paper holds {ON_PAPER:,}. Choose a shorter period, or take the CSV file."
        )
    context = _context(report, rows, ON_PAPER, look) | {
        "reader": accounts.names({frame.actor().id}).get(frame.actor().id, ""),
        "made_at": at,
        "zone": formats.place_words(look.zone),
    }
    answer = make_response(reports.pressed(case_file.styled(frame.render("reports/paper.html", context)), at))
    told, asked_for = {"table": name, "format": "pdf", "count": len(rows)}, _asked_for(report, look)
    log.note(frame.actor(), "table_exported", open=told, sealed=asked_for)
    answer.mimetype = "application/pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return answer


def window() -> int:
    """Return for how many days back the reader asks."""
    days = request.args.get("days", USUAL, type=int)
    return days if days in WINDOWS else USUAL


def _asked_for(report: TableReport, look: Look) -> dict[str, Any]:
    """Return what the log says of the rows that were asked for: the days of a period, else how many days back."""
    if not isinstance(report, PeriodReport):
        return {"days": window()}
    first, last = _period(look)
    return {"filter": {"since": first.isoformat(), "until": last.isoformat()}}


def _taken(name: str) -> TableReport:
    """Return a report that is taken away. Raises NotFound, and NotAllowed without the right to, as for an export of what it is made of."""
    report = tables.get(frame.actor(), name)
    if report.export_right is not None:
        access.require(frame.actor(), None, *report.export_right)
        accounts.require_recent(frame.actor())
    return report


def _period(look: Look) -> tuple[date, date]:
    """Return the first and the last day that the reader asks for, in their zone. Raises Malformed."""
    until = request.args.get("until") or log.now().astimezone(ZoneInfo(look.zone)).date().isoformat()
    since = request.args.get("since") or ""
    try:
        last = date.fromisoformat(until)
        first = date.fromisoformat(since) if since else last - timedelta(days=window() - 1)
    except (ValueError, OverflowError):
        raise Malformed("A period begins and ends with a day, such as 2026-07-01.") from None
    if first > last:
        raise Malformed("This period ends before it begins.")
    if first.year < 2000 or last.year > 2100:
        raise Malformed("A period lies between the years 2000 and 2100.")
    return first, last


def _rows(report: TableReport, look: Look) -> Sequence[Sequence[Cell]]:
    if not isinstance(report, PeriodReport):
        return list(report.rows(frame.actor(), window()))
    first, last = _period(look)
    since, until = (midnight(day, look.zone) for day in (first, last + timedelta(days=1)))
    return report.between(frame.actor(), since, until)


def _context(report: TableReport, rows: Sequence[Sequence[Cell]], most: int, look: Look) -> dict[str, object]:
    dated = isinstance(report, PeriodReport)
    look = decision_labels.look_for((cell for row in rows[:most] for cell in row), look)
    return {
        "report": report,
        "rows": [[_shown(cell, look) for cell in row] for row in rows[:most]],
        "count": len(rows),
        "may_take": report.export_right is None or access.can(frame.actor(), None, *report.export_right),
        "counted": report.counted(rows) if isinstance(report, PeriodReport) else {},
        "period": [day.isoformat() for day in _period(look)] if dated else (),
        "period_words": " to ".join(
            formats.times.day_words(day.isoformat(), look.locale) for day in _period(look)
        )
        if dated
        else "",
    }


def _shown(cell: Cell, look: Look) -> str | Link:
    match cell:
        case Link():
            return cell
        case None:
            return formats.EMPTY
        case Given():
            return decision_labels.words(cell, look) or formats.EMPTY
        case timedelta():
            return formats.span(cell.total_seconds(), look)
        case datetime():
            return formats.times.worded(cell, "d MMM y, HH:mm", look)
        case str():
            return cell
    return formats.grouped(str(cell), look.locale)


def _plain(cell: Cell, look: Look) -> str | int | Decimal | None:
    if isinstance(cell, Link):
        return cell.text
    if isinstance(cell, Given):
        return decision_labels.words(cell, look)
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return round(cell.total_seconds()) if isinstance(cell, timedelta) else cell
