"""The page behind the link of a document request: for people without an account, on a phone, with or without script."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from babel.dates import format_date, format_datetime
from flask import Blueprint, Response, render_template, request

from console.core import media
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.documents import requests
from console.documents.requests import Page
from console.infra import settings
from console.views import frame, security
from console.views.formats import Look
from console.views.runs import form_boxes

blueprint = Blueprint("requests", __name__)

SENT, AWAY = "u.", "away"


@blueprint.get("/request/<token>")
def show(token: str) -> Response:
    """Show the request; a GET changes nothing."""
    try:
        return _drawn(_opened(token), saved="saved" in request.args)
    except NotFound as gone:
        return security.answer_outside(render_template("requests/gone.html", message=gone.message), 404)


@blueprint.post("/request/<token>")
def sent(token: str) -> Response:
    """Keep the values and files; with `do=send`, submit everything."""
    try:
        page = _opened(token)
    except NotFound as gone:
        return security.answer_outside(render_template("requests/gone.html", message=gone.message), 404)
    values = form_boxes.read_form(request.form, Look(page.request.asked["language"]))
    wrong = _files(page)
    try:
        for file_id in request.form.getlist(AWAY):
            requests.take_away(page, file_id)
        if request.form.get("do") == "send" and not wrong:
            requests.submit(page, values)
        else:
            requests.keep(page, values)
    except Invalid as error:
        wrong += list(error.details)
    except (Conflict, NotFound):
        return _back(token)
    return (
        _drawn(_opened(token), wrong=wrong, typed=values, status=422)
        if wrong
        else _back(token, saved=request.form.get("do") != "send")
    )


@blueprint.post("/request/<token>/files")
def send(token: str) -> Response:
    """Receive or remove one file for the script; return its line of the list."""
    page = _opened(token)
    try:
        if AWAY in request.form:
            requests.take_away(page, request.form[AWAY])
            return security.answer_outside("", 200)
        upload = request.files.get("file")
        if upload is None:
            raise Invalid("No file was sent.")
        stored = requests.take(
            page, request.form.get("field", ""), upload.filename or "", upload.stream.read()
        )
    except ConsoleError as error:
        answer = security.answer_outside("", error.status)
        answer.headers["X-Reason"] = quote(str((error.details or [{"reason": error.message}])[0]["reason"]))
        return answer
    return security.answer_outside(
        render_template("requests/line.html", stored=stored, words=page.words, size=media.size), 200
    )


def _opened(token: str) -> Page:
    return requests.open_link(token, request.remote_addr or "")


def _files(page: Page) -> list[dict[str, Any]]:
    """Receive the files of a form sent without script; return details of the refused ones."""
    wrong: list[dict[str, Any]] = []
    for name in request.files:
        for upload in request.files.getlist(name):
            if not name.startswith(SENT) or not upload.filename:
                continue
            try:
                requests.take(page, name.removeprefix(SENT), upload.filename, upload.stream.read())
            except Invalid as error:
                wrong += list(error.details)
            except Conflict:
                return wrong
    return wrong


def _back(token: str, *, saved: bool = False) -> Response:
    answer = security.answer_outside("", 303)
    answer.headers["Location"] = f"/request/{quote(token, safe='')}" + ("?saved=1" if saved else "")
    return answer


def _drawn(
    page: Page,
    *,
    wrong: list[dict[str, Any]] | None = None,
    typed: dict[str, Any] | None = None,
    saved: bool = False,
    status: int = 200,
) -> Response:
    look, request_data = Look(page.request.asked["language"]), page.request.asked
    details = {str(detail["field"]): detail for detail in wrong or []}
    values = dict(page.values) | (typed or {})
    boxes = [
        form_boxes.box(
            field.to_json(), look, value=values.get(field.name, field.value), error=details.get(field.name)
        )
        for field in page.fields
    ]
    boxes = [
        replace(box, limits={**box.limits, "data-iban": page.words["iban"]})
        if field.widget == "iban"
        else box
        for box, field in zip(boxes, page.fields, strict=True)
    ]
    items = page.request.items
    context = {
        "page": page,
        "asked": request_data,
        "asked_id": page.request.id,
        "language": request_data["language"],
        "received_at": format_datetime(page.request.ended_at, "long", locale=request_data["language"])
        if page.request.ended_at
        else "",
        "words": page.words,
        "boxes": boxes,
        "items": [
            (item, media.types_in_words(item.types), str(details.get(item.id, {}).get("reason", "")))
            for item in items
        ],
        "there": sum(1 for item in items if item.files),
        "until": format_date(page.request.until.date(), "long", locale=request_data["language"]),
        "text": frame.markdown(request_data["text"]),
        "wrong": bool(wrong),
        "saved": saved,
        "size": media.size,
        "mb": settings.current().file_mb,
        "accept": media.endings,
    }
    return security.answer_outside(render_template("requests/page.html", **context), status)
