"""Exports as streamed responses, at most two at a time in one process."""

import csv
import io
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from flask import Response

from console import log
from console.activity import exports, sequencing
from console.activity.exports import Export, ExportQuery
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import TooMany
from console.formats.spreadsheets import escape_formula

AT_ONCE = 2  # the other threads of the process are for people who wait for a page
READY_S = 5.0
BROKEN = {
    "jsonl": b'{"error":"the export broke off here and is not complete',
    "csv": b'"THE EXPORT BROKE OFF HERE AND IS NOT COMPLETE',
    "zip": b"",
}
"""Last words, left open on purpose: a server ends a response that broke off like any other, and no reader may take it for whole."""

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_places = threading.BoundedSemaphore(AT_ONCE)
_log = logging.getLogger(__name__)


def send(actor: Actor, wanted: ExportQuery) -> Response:
    """Stream the file as an attachment. Raises what `exports.begin` raises, NotAllowed `step_up`, and TooMany while two others run."""
    accounts.require_recent(actor)
    with ExitStack() as held:

        def ready() -> None:
            _take_place(held)
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


def stream(name: str, parts: Iterator[bytes]) -> Response:
    """Stream a file as an attachment, at most two at a time. A CSV that breaks off says so in its last line. Raises TooMany."""
    held, ending = ExitStack(), name.rpartition(".")[2]
    _take_place(held)

    def told() -> Iterator[bytes]:
        with held:
            try:
                yield from parts
            except Exception:  # noqa: BLE001 - the status has been sent: only the end of the file can tell
                _log.exception("alarm: an export broke off")
                yield BROKEN.get(ending, b"")

    response = Response(told(), content_type=TYPES[ending])
    response.call_on_close(held.close)  # the stream was cut off, perhaps before the first byte
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_response(
    actor: Actor,
    name: str,
    lines: Iterable[Iterable[Any]],
    *,
    days: int | None = None,
    filter: Mapping[str, str] | None = None,
) -> Response:
    """Return lines, the first with the headings, as a CSV file of this name, and note that. Spreadsheets cannot mistake its texts for formulas."""
    out, written = io.StringIO(), [[escape_formula(cell) for cell in line] for line in lines]
    csv.writer(out, lineterminator="\r\n").writerows(written)
    return csv_text(actor, name, out.getvalue(), len(written) - 1, days=days, filter=filter)


def csv_text(
    actor: Actor,
    name: str,
    text: str,
    count: int,
    *,
    days: int | None = None,
    filter: Mapping[str, str] | None = None,
) -> Response:
    """Return the text of a CSV file of `count` lines below its headings, and note that. `filter` are texts that were looked for."""
    data = {"table": name.removesuffix(".csv"), "format": "csv", "count": count} | (
        {} if days is None else {"days": days}
    )
    log.note(actor, "table_exported", open=data, sealed={"filter": dict(filter)} if filter else None)
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _take_place(held: ExitStack) -> None:
    """Take one of the places, given back when `held` is closed. Raises TooMany."""
    if not _places.acquire(blocking=False):
        raise TooMany(
            "Two exports are being sent already. Try again when one of them is done.", retry_after=30
        )
    held.callback(_places.release)


def _parts(export: Export, held: ExitStack) -> Iterator[bytes]:
    with held:
        try:
            yield from export.parts()
        except Exception:  # noqa: BLE001 - whatever it was, the status has been sent: only the end of the file can tell
            _log.exception("alarm: an export broke off")
            yield BROKEN[export.query.kind]
