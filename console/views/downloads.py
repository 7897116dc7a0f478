"""Exports as streamed responses, at most two at a time in one process."""

import csv
import io
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response

from console import accounts
from console.activity import exports, sequencing
from console.activity.exports import Asked, Export
from console.core.actor import Actor
from console.errors import TooMany

AT_ONCE = 2  # the other threads of the process are for people who wait for a page
READY_S = 5.0
BROKEN = {
    "jsonl": b'{"error":"the export broke off here and is not complete',
    "csv": b'"THE EXPORT BROKE OFF HERE AND IS NOT COMPLETE',
    "zip": b"",
}
"""Last words, left open on purpose: a server ends a response that broke off like any other, and no reader may take it for whole."""

_places = threading.BoundedSemaphore(AT_ONCE)
_log = logging.getLogger(__name__)


def send(actor: Actor, wanted: Asked) -> Response:
    """Stream the file as an attachment. Raises what `exports.begin` raises, NotAllowed `step_up`, and TooMany while two others run."""
    accounts.require_recent(actor)
    with ExitStack() as held:

        def ready() -> None:
            if not _places.acquire(blocking=False):
                raise TooMany("Two exports are being sent already. Try again when one of them is done.", retry_after=30)
            held.callback(_places.release)
            if wanted.proofs:
                sequencing.head_asked_for(READY_S)
            else:
                sequencing.catch_up(READY_S)

        export = exports.begin(actor, wanted, ready=ready)
        kept = held.pop_all()
        response = Response(_parts(export, kept), content_type=export.type)
        response.call_on_close(kept.close)  # the stream was cut off, perhaps before the first byte
    response.headers["Content-Disposition"] = f'attachment; filename="{export.name}"'
    return response


def csv_response(name: str, lines: Iterable[Iterable[Any]]) -> Response:
    """Return lines as a CSV file of this name. Spreadsheets cannot mistake its texts for formulas."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([exports.harmless(cell) for cell in line] for line in lines)
    answer = Response(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _parts(export: Export, held: ExitStack) -> Iterator[bytes]:
    with held:
        try:
            yield from export.parts()
        except Exception:  # noqa: BLE001 - whatever it was, the status has been sent: only the end of the file can tell
            _log.exception("alarm: an export broke off")
            yield BROKEN[export.asked.kind]
