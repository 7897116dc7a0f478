"""Settings, AI: what a model would see of a record or of a pasted text."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.ai.evaluation import playground
from console.ai.evaluation.playground import Seen
from console.core.errors import ConsoleError, Invalid, NotFound, SourceDown
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import ai_forms, area
from console.views.settings.collection_forms import AI_WORDS

blueprint = Blueprint("ai_redaction", __name__, url_prefix="/settings/ai/redaction")


@blueprint.get("")
def show() -> Response:
    """Show the form; with a collection and a record in the address, what a model would see of it."""
    ai_forms.newest()
    form = {name: request.args.get(name, "").strip() for name in ("collection", "record")}
    if not form["collection"] or not form["record"]:
        return _page(form)
    try:
        return _page(form, playground.of_record(frame.actor(), form["collection"], form["record"]))
    except (NotFound, SourceDown) as error:
        down = isinstance(error, SourceDown)
        error.details = [
            {
                "field": "record",
                "reason": error.message if down else "There is no such record, or you may not see it.",
            }
        ]
        return _page(form, record_error=error)


@blueprint.post("")
def try_text() -> Response:
    """Show what a model would see of a text. It is not stored and not in the address."""
    form = {
        "collection": request.form.get("collection", ""),
        "text": request.form.get("text", "").replace("\r\n", "\n"),
    }
    try:
        return _page(form, playground.of_text(frame.actor(), form["text"], form["collection"]))
    except Invalid as wrong:
        return _page(form, text_error=wrong)


def _page(
    values: Mapping[str, str],
    seen: Seen | None = None,
    *,
    record_error: ConsoleError | None = None,
    text_error: ConsoleError | None = None,
) -> Response:
    collections = [(collection.id, collection.label) for collection in browse.collections(frame.actor())]
    record = [
        Field("collection", "Collection", "select", choices=[("", "Choose"), *collections]),
        Field(
            "record",
            "Its key",
            hint="You see of it what you may see anywhere; that you looked is in the log.",
        ),
    ]
    text_hint = "JSON, lines such as email: ada@example.com, or prose. It is not kept."
    text = [
        Field(
            "collection", "Collection", "select", choices=[("", "None: a note about somebody"), *collections]
        ),
        Field("text", "Text", "area", text_hint, rows=8),
    ]
    of_record = Form(
        record,
        values,
        "Show",
        title="Of a record",
        css="card pad form narrow",
        method="get",
        prefix="record-",
        error=record_error,
    )
    of_text = Form(
        text, values, "Show", title="Of a text", css="card pad form", prefix="text-", error=text_error
    )
    context: dict[str, Any] = {
        "seen": seen,
        "forms": [of_record, of_text] if collections else [of_text],
        "words": AI_WORDS,
    }
    answer = area.page(
        "settings/ai_redaction.html", "ai/redaction", context, error=record_error or text_error
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
