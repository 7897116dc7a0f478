"""Documents: their pages as pictures, the file to download, and uploads by forms."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, request
from werkzeug.datastructures import FileStorage, MultiDict

from console import documents
from console.core.errors import ConsoleError, Invalid, NotFound
from console.documents import Document
from console.runs.commands import attachments
from console.views import frame
from console.views.runs import form_boxes

blueprint = Blueprint("files", __name__)

SANDBOX = "sandbox; default-src 'none'"
MOST_MARKS = 8
AROUND = 6  # margin of a frame, in thousandths of the page
_BOX = re.compile(r"(?<![0-9-])([0-9]{1,4})-([0-9]{1,4})-([0-9]{1,4})-([0-9]{1,4})(?![0-9-])")
SENT, AWAY = "u.", "away"  # prefixes of the file inputs of a form, and of the ticks to remove a file


@dataclass(frozen=True, slots=True)
class Mark:
    """A framed part of the page, in thousandths of the page as shown."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One document on a page: its picture, and the links to other pages, zooms and rotations. None: no link."""

    document: Document
    page: int
    pages: int
    picture: str
    download: str
    back: str | None
    on: str | None
    larger: str | None
    smaller: str | None
    turn: str
    zoom: int
    why_not: str = ""
    marks: Sequence[Mark] = ()


@blueprint.get("/files/<path:ref>/page/<int:number>")
def page(ref: str, number: int) -> Response:
    """Return a page as a picture."""
    zoom, turn = request.args.get("zoom", 0, type=int), request.args.get("turn", 0, type=int)
    picture = documents.page(
        frame.actor(), _ref(ref), number, zoom=zoom, turn=turn, run_id=request.args.get("run")
    )
    return _guarded(make_response(picture), "image/png")


@blueprint.get("/files/<path:ref>/download")
def download(ref: str) -> Response:
    """Return the file as an attachment; browsers never display it inline."""
    taken = documents.download(frame.actor(), _ref(ref), request.args.get("run"))
    answer = _guarded(make_response(taken.content), taken.media_type)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"
    return answer


@blueprint.get("/files/<path:ref>")
def show(ref: str) -> Response:
    """Show one document on its own page."""
    plain = _ref(ref)
    document, pages, why = open_document(plain)
    shown = viewer(document, pages, why, frame.present_address, None)
    return frame.page("files/page.html", {"shown": shown, "title": document.title})


CANNOT = "This kind of file cannot be shown here."


def open_document(ref: str) -> tuple[Document, int, str]:
    """Return (document, number of pages, why it cannot be shown). Raises NotFound if the reader may not know of it."""
    try:
        opened = documents.open_document(frame.actor(), ref)
    except (NotFound, Invalid) as error:
        if getattr(error, "hidden", False) or error.message == NotFound().message:
            raise
        return Document(ref, "Document", ""), 0, error.message
    why = (
        ""
        if opened.pages
        else f"{opened.why_not or CANNOT} Take it and open it on your machine."
        if opened.content
        else opened.why_not
    )
    return opened.document, opened.pages or 0, why


def viewer(
    document: Document,
    pages: int,
    why: str,
    to: Any,
    run_id: str | None,
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> Shown:
    """Return the viewer of a document at `page`, `zoom` and `turn` from `asked` or the present address; `to` returns that address with changes."""
    view = MultiDict(chosen) if chosen else request.args
    number = max(1, min(pages or 1, view.get("page", 1, type=int)))
    zoom = max(0, min(len(documents.WIDTHS) - 1, view.get("zoom", 0, type=int)))
    turn = view.get("turn", 0, type=int) % 360 // 90 * 90
    return Shown(
        document=document,
        page=number,
        pages=pages,
        picture=file_url(document.ref, f"page/{number}", zoom=zoom or None, turn=turn or None, run=run_id)
        if pages
        else "",
        download=file_url(document.ref, "download", run=run_id),
        back=to(page=number - 1, box=None) if number > 1 else None,
        on=to(page=number + 1, box=None) if number < pages else None,
        larger=to(zoom=zoom + 1) if pages and zoom + 1 < len(documents.WIDTHS) else None,
        smaller=to(zoom=zoom - 1) if pages and zoom else None,
        turn=to(turn=(turn + 90) % 360),
        zoom=zoom,
        why_not=why,
        marks=_marks(view.get("box", ""), turn) if pages else (),
    )


def _marks(given: str, turn: int) -> list[Mark]:
    """Return the boxes in an address, `left-top-right-bottom` in thousandths, on a page rotated clockwise. Malformed ones are left out."""
    marks = []
    for left, top, right, bottom in (map(int, box) for box in _BOX.findall(given)[:MOST_MARKS]):
        for _ in range(turn // 90):
            left, top, right, bottom = 1000 - bottom, left, 1000 - top, right  # noqa: PLW2901 (a quarter more each time)
        if 0 <= left < right <= 1000 and 0 <= top < bottom <= 1000:
            x, y = max(0, left - AROUND), max(0, top - AROUND)
            marks.append(Mark(x, y, min(1000, right + AROUND) - x, min(1000, bottom + AROUND) - y))
    return marks


def has_documents(run_id: str) -> bool:
    """Return whether the run on the page has documents of its own."""
    return attachments.any_of(run_id)


def file_url(ref: str, rest: str = "", **query: Any) -> str:
    """Return the address of a document or of a part of it."""
    kind, _, key = ref.rpartition(":")
    path = f"/files/{kind}:{frame.segment(key)}" if kind else f"/files/{quote(ref, safe='')}"
    return frame.with_query(path + (f"/{rest}" if rest else ""), query)


def _ref(path: str) -> str:
    """Return the document reference in a path."""
    kind, _, key = path.rpartition(":")
    return f"{kind}:{frame.key_of(key)}" if kind else path


def _guarded(answer: Response, media_type: str) -> Response:
    """Set headers so that no browser treats the bytes as a page of ours."""
    answer.headers["Content-Type"] = media_type
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


# -- what a form sends


@blueprint.post("/runs/<run_id>/files")
def send(run_id: str) -> Response:
    """Receive or remove files for a field of the open step; return the lines of the list for the script."""
    if AWAY in request.form:
        attachments.take_away(frame.actor(), run_id, request.form[AWAY])
        return make_response("", 200)
    step, field = request.form.get("step", ""), request.form.get("field", "")
    attachments.files_of_draft(frame.actor(), run_id)
    try:
        if not request.files.getlist("file"):
            raise Invalid("No file was sent.")
        kept = [_keep(run_id, step, field, upload) for upload in request.files.getlist("file")]
    except ConsoleError as error:
        answer = make_response("", error.status)
        answer.headers["X-Reason"] = quote(error.message)
        return answer
    lines = [
        frame.render(
            "files/line.html", {"name": form_boxes.PREFIX + field, "one": form_boxes.attached(value)}
        )
        for value in kept
    ]
    return make_response("".join(lines))


def with_uploads(run_id: str, step: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's values with its uploaded files, for browsers without script, without those ticked for removal.

    Raises Invalid with a detail for each field whose file is refused.
    """
    away, wrong = set(request.form.getlist(AWAY)), []
    made = {name: _without(value, away) for name, value in values.items()} if away else dict(values)
    for name in request.files:
        field = name.removeprefix(SENT)
        for upload in request.files.getlist(name):
            if not name.startswith(SENT) or not upload.filename:
                continue
            try:
                value = _keep(run_id, step, field, upload)
            except Invalid as error:
                wrong += list(error.details) or [{"field": field, "reason": error.message}]
                continue
            made[field] = [*made[field], value] if isinstance(made.get(field), list) else value
    if wrong:
        raise Invalid("A file was not taken.", details=wrong)
    return made


def _without(value: Any, away: set[str]) -> Any:
    if isinstance(value, list):
        return [file for file in value if not (isinstance(file, dict) and file.get("file") in away)]
    return None if isinstance(value, dict) and value.get("file") in away else value


def _keep(run_id: str, step: str, field: str, sent: FileStorage) -> dict[str, Any]:
    return attachments.attach(
        frame.actor(), run_id, step=step, field=field, name=sent.filename or "", content=sent.stream.read()
    ).value
