"""The way back from a run to the workspace in which its reader started it. The session keeps it for the runs that were started last."""

from urllib.parse import urlsplit

from flask import request, session

from console import workspaces
from console.errors import NotFound
from console.views import frame

KEPT, MOST, LONGEST = "started_in", 8, 400


def note_start(run_id: str) -> None:
    """Keep the address of the workspace from which the run was started, if it was one: it holds what is selected and filtered there."""
    there = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "")
    if there.netloc == request.host and there.path.startswith("/w/"):
        address = f"{there.path}?{there.query}" if there.query and len(there.query) < LONGEST else there.path
        session[KEPT] = dict(sorted((session.get(KEPT, {}) | {run_id: address}).items())[-MOST:])  # ids of runs are in the order of time


def way_back(run_id: str) -> tuple[str, str] | None:
    """Return title and address of the workspace in which the reader started the run; None where it was elsewhere, or is not theirs any more."""
    address = session.get(KEPT, {}).get(run_id)
    if address is None:
        return None
    try:
        return workspaces.workspace(frame.actor(), urlsplit(address).path.split("/")[2]).title, address
    except NotFound:
        return None
