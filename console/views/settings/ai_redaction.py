"""Settings, AI: what a model would see of a record or of a pasted text."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.errors import ConsoleError, Invalid, NotFound, SourceDown
from console.proposals import playground
from console.proposals.playground import Seen
from console.views import frame
from console.views.settings import ai_forms, area
from console.views.settings.collection_forms import AI_WORDS

blueprint = Blueprint("ai_redaction", __name__, url_prefix="/settings/ai/redaction")
NAMES = ("collection", "record", "text")


@blueprint.get("")
def show() -> Response:
    """Show the form; with a collection and a record in the address, what a model would see of it."""
    ai_forms.newest()
    form = {name: request.args.get(name, "").strip() for name in ("collection", "record")} | {"text": ""}
    if not form["collection"] or not form["record"]:
        return _page(form)
    try:
        return _page(form, playground.of_record(frame.actor(), form["collection"], form["record"]))
    except NotFound:
        return _page(form, wrong={"record": "There is no such record, or you may not see it."}, status=404)
    except SourceDown as down:
        return _page(form, wrong={"record": down.message}, status=down.status)


@blueprint.post("")
def try_text() -> Response:
    """Show what a model would see of a text. It is not stored and not in the address."""
    form = {"collection": request.form.get("collection", ""), "record": "", "text": request.form.get("text", "").replace("\r\n", "\n")}
    try:
        return _page(form, playground.of_text(frame.actor(), form["text"], form["collection"]))
    except Invalid as wrong:
        return _page(form, wrong=ai_forms.reasons(wrong), status=wrong.status, error=wrong)


def _page(
    values: Mapping[str, str],
    seen: Seen | None = None,
    wrong: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    error: ConsoleError | None = None,
) -> Response:
    context: dict[str, Any] = {
        "told": values,
        "wrong": wrong or {},
        "error": error,
        "seen": seen,
        "collections": [(collection.id, collection.label) for collection in browse.collections(frame.actor())],
        "words": AI_WORDS,
    }
    answer = area.page("settings/ai_redaction.html", "ai/redaction", context, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
