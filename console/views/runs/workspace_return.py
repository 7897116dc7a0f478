"""The way back to the workspace or list in which its reader started a run, or ticked records. The session keeps it for what was started last."""

from urllib.parse import urlsplit

from flask import request, session

from console import workspaces
from console.core.errors import NotFound
from console.views import frame

KEPT, MOST, LONGEST, ROOM = "started_in", 8, 800, 2_000
"""`ROOM`: characters of all addresses together, as a cookie has room for 4,000."""
WORKSPACE, LIST = "/w/", "/c/"
FROM = "from"
"""The field of a form that keeps the address while records are looked at."""


def came_from() -> str:
    """Return the address of the workspace that this request comes from, with what is selected and filtered there; "" if from elsewhere.

    It is told by the form, that of a list too, else by the page before: the workspace, or something that was started in one or in a list.
    """
    told = request.form.get(FROM)
    there = urlsplit(told or request.headers.get("HX-Current-URL") or request.referrer or "")
    if there.netloc != ("" if told else request.host):
        return ""
    if not there.path.startswith((WORKSPACE, LIST) if told else WORKSPACE):
        return str(_kept().get(there.path.rpartition("/")[2], ""))
    return f"{there.path}?{there.query}" if there.query and len(there.query) < LONGEST else there.path


def note_start(started_id: str) -> None:
    """Keep the address of the workspace or list in which the run, or the work on several records, was started, if it was in one."""
    if address := came_from():
        kept = [*((each, at) for each, at in _kept().items() if each != started_id), (started_id, address)][
            -MOST:
        ]
        while sum(len(at) for _, at in kept) > ROOM:
            kept.pop(0)
        session[KEPT] = kept


def way_back(started_id: str) -> tuple[str, str] | None:
    """Return title and address of the workspace in which the reader started it; None where it was elsewhere, or is not theirs any more."""
    return titled(_kept().get(started_id, ""))


def list_of(started_id: str) -> str:
    """Return the address of the list in which the reader started it, with its filter; "" where it was elsewhere or is not known any more."""
    address = str(_kept().get(started_id, ""))
    return address if address.startswith(LIST) else ""


def titled(address: str) -> tuple[str, str] | None:
    """Return title and address of a workspace; None if the reader has none at this address."""
    if not address.startswith(WORKSPACE):
        return None
    try:
        return workspaces.workspace(frame.actor(), urlsplit(address).path.split("/")[2]).title, address
    except NotFound:
        return None


def _kept() -> dict[str, str]:
    return dict(session.get(KEPT, ()))
