"""Documents: pages as pictures beside a form or on a page of their own, the file to be kept, and files that a form sends ahead."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, request
from werkzeug.datastructures import FileStorage, MultiDict

from console import documents
from console.documents import Document
from console.errors import ConsoleError, Invalid, NotFound
from console.runs.changing import attachments
from console.views import frame
from console.views.run import panes

blueprint = Blueprint("files", __name__)

SANDBOX = "sandbox; default-src 'none'"
MOST_MARKS = 8
AROUND = 6  # thousandths of the page between a frame and what it frames
_BOX = re.compile(r"(?<![0-9-])([0-9]{1,4})-([0-9]{1,4})-([0-9]{1,4})-([0-9]{1,4})(?![0-9-])")
SENT, AWAY = "u.", "away"  # files beside the boxes of a form; those to be taken away again


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of the page that is framed, in thousandths of the page as it is shown."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One document on a page: its picture, and the ways to the other pages, sizes and turns. A way that leads nowhere is None."""

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
    """A page as a picture."""
    zoom, turn = request.args.get("zoom", 0, type=int), request.args.get("turn", 0, type=int)
    picture = documents.page(frame.actor(), _ref(ref), number, zoom=zoom, turn=turn, run_id=request.args.get("run"))
    return _guarded(make_response(picture), "image/png")


@blueprint.get("/files/<path:ref>/download")
def download(ref: str) -> Response:
    """The file itself, to be kept and never opened in place."""
    taken = documents.download(frame.actor(), _ref(ref), request.args.get("run"))
    answer = _guarded(make_response(taken.content), taken.media_type)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"
    return answer


@blueprint.get("/files/<path:ref>")
def show(ref: str) -> Response:
    """One document on a page of its own."""
    plain = _ref(ref)
    document, pages, why = look(plain)
    shown = viewer(document, pages, why, frame.present_address, None)
    return frame.page("files/page.html", {"shown": shown, "title": document.title})


def look(ref: str) -> tuple[Document, int, str]:
    """(document, number of pages, why it cannot be shown) for the reader. Raises NotFound where it is not theirs to know of."""
    try:
        opened = documents.opened(frame.actor(), ref)
    except (NotFound, Invalid) as error:
        if getattr(error, "hidden", False) or error.message == NotFound().message:
            raise
        return Document(ref, "Document", ""), 0, error.message
    why = "" if opened.pages else "This kind of file cannot be shown here; take it and open it on your machine."
    return opened.document, opened.pages or 0, why


def viewer(document: Document, pages: int, why: str, to: Any, run_id: str | None, asked: Mapping[str, str] = MappingProxyType({})) -> Shown:
    """How the document is shown, by `page`, `zoom` and `turn` of `asked` or else of the present address; `to` gives that address with some of them changed."""
    told = MultiDict(asked) if asked else request.args
    number = max(1, min(pages or 1, told.get("page", 1, type=int)))
    zoom = max(0, min(len(documents.WIDTHS) - 1, told.get("zoom", 0, type=int)))
    turn = told.get("turn", 0, type=int) % 360 // 90 * 90
    return Shown(
        document=document,
        page=number,
        pages=pages,
        picture=file_url(document.ref, f"page/{number}", zoom=zoom or None, turn=turn or None, run=run_id) if pages else "",
        download=file_url(document.ref, "download", run=run_id),
        back=to(page=number - 1, box=None) if number > 1 else None,
        on=to(page=number + 1, box=None) if number < pages else None,
        larger=to(zoom=zoom + 1) if pages and zoom + 1 < len(documents.WIDTHS) else None,
        smaller=to(zoom=zoom - 1) if pages and zoom else None,
        turn=to(turn=(turn + 90) % 360),
        zoom=zoom,
        why_not=why,
        marks=_marks(told.get("box", ""), turn) if pages else (),
    )


def _marks(given: str, turn: int) -> list[Mark]:
    """The boxes of an address, `left-top-right-bottom` in thousandths, on a page that is turned clockwise; what is none is left out."""
    found = []
    for left, top, right, bottom in (map(int, one) for one in _BOX.findall(given)[:MOST_MARKS]):
        for _ in range(turn // 90):
            left, top, right, bottom = 1000 - bottom, left, 1000 - top, right  # noqa: PLW2901 (a quarter more each time)
        if 0 <= left < right <= 1000 and 0 <= top < bottom <= 1000:
            x, y = max(0, left - AROUND), max(0, top - AROUND)
            found.append(Mark(x, y, min(1000, right + AROUND) - x, min(1000, bottom + AROUND) - y))
    return found


def sent(run_id: str) -> bool:
    """Whether anything was handed in with the run that is on the page."""
    return attachments.any_of(run_id)


def file_url(ref: str, rest: str = "", **query: Any) -> str:
    """Address of a document, or of something of it."""
    kind, _, key = ref.rpartition(":")
    path = f"/files/{kind}:{frame.segment(key)}" if kind else f"/files/{quote(ref, safe='')}"
    return frame.with_query(path + (f"/{rest}" if rest else ""), query)


def _ref(path: str) -> str:
    """The reference that a path names."""
    kind, _, key = path.rpartition(":")
    return f"{kind}:{frame.key_of(key)}" if kind else path


def _guarded(answer: Response, media_type: str) -> Response:
    """Whatever the bytes are, no browser takes them for a page of ours."""
    answer.headers["Content-Type"] = media_type
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


# -- what a form sends


@blueprint.post("/runs/<run_id>/files")
def send(run_id: str) -> Response:
    """Take files for a field of the open step, or take one away again: asked by the script, which puts the lines into the list."""
    if AWAY in request.form:
        attachments.take_away(frame.actor(), run_id, request.form[AWAY])
        return make_response("", 200)
    step, field = request.form.get("step", ""), request.form.get("field", "")
    attachments.files_of_draft(frame.actor(), run_id)
    try:
        if not request.files.getlist("file"):
            raise Invalid("No file was sent.")
        kept = [_keep(run_id, step, field, one) for one in request.files.getlist("file")]
    except ConsoleError as error:
        answer = make_response("", error.status)
        answer.headers["X-Reason"] = quote(error.message)
        return answer
    lines = [frame.render("files/line.html", {"name": panes.PREFIX + field, "one": panes.attached(value)}) for value in kept]
    return make_response("".join(lines))


def received(run_id: str, step: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a form with the files that came in it, for browsers without script; those ticked to be taken away are left out.

    Raises Invalid with a detail for each field whose file is refused.
    """
    away, wrong = set(request.form.getlist(AWAY)), []
    made = {name: _without(value, away) for name, value in values.items()} if away else dict(values)
    for name in request.files:
        field = name.removeprefix(SENT)
        for one in request.files.getlist(name):
            if not name.startswith(SENT) or not one.filename:
                continue
            try:
                value = _keep(run_id, step, field, one)
            except Invalid as error:
                wrong += list(error.details) or [{"field": field, "reason": error.message}]
                continue
            made[field] = [*made[field], value] if isinstance(made.get(field), list) else value
    if wrong:
        raise Invalid("A file was not taken.", details=wrong)
    return made


def _without(value: Any, away: set[str]) -> Any:
    if isinstance(value, list):
        return [one for one in value if not (isinstance(one, dict) and one.get("file") in away)]
    return None if isinstance(value, dict) and value.get("file") in away else value


def _keep(run_id: str, step: str, field: str, sent: FileStorage) -> dict[str, Any]:
    return attachments.attach(frame.actor(), run_id, step=step, field=field, name=sent.filename or "", content=sent.stream.read()).value
