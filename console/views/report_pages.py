"""`/reports`: the reports that the reader may see, each as a page and as CSV. `console.reports.tables` defines them."""

from datetime import timedelta
from decimal import Decimal

from flask import Blueprint, Response, request

from console.errors import NotFound
from console.reports import tables
from console.reports.tables import WINDOWS, Cell
from console.views import downloads, formats, frame

blueprint = Blueprint("report_pages", __name__, url_prefix="/reports")
USUAL = 30


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
    report, days, look = tables.get(frame.actor(), name), window(), frame.look()
    rows = [[_shown(cell, look) for cell in row] for row in report.rows(frame.actor(), days)]
    return frame.page("reports/report.html", {"report": report, "name": name, "rows": rows, "days": days, "windows": WINDOWS})


@blueprint.get("/<name>.csv")
def as_csv(name: str) -> Response:
    """Download the report as CSV; durations in seconds."""
    report = tables.get(frame.actor(), name)
    head = [f"{column.label} (seconds)" if column.kind == "time" else column.label for column in report.columns]
    rows = ([_plain(cell) for cell in row] for row in report.rows(frame.actor(), window()))
    return downloads.csv_response(frame.actor(), f"{name}.csv", [head, *rows], days=window())


def window() -> int:
    """Return for how many days back the reader asks."""
    days = request.args.get("days", USUAL, type=int)
    return days if days in WINDOWS else USUAL


def _shown(cell: Cell, look: formats.Look) -> str:
    match cell:
        case None:
            return formats.EMPTY
        case timedelta():
            return formats.span(cell.total_seconds(), look)
        case str():
            return cell
    return formats.grouped(str(cell), look.locale)


def _plain(cell: Cell) -> str | int | Decimal | None:
    return round(cell.total_seconds()) if isinstance(cell, timedelta) else cell
