"""Erase what the console stores about a person: a preview, a form with reason and confirmation word, a receipt."""

from flask import Blueprint, Response, request

from console import browse, runs
from console.activity import sequencing
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, Invalid, NotFound, SourceDown
from console.operations import erasure
from console.views import frame

blueprint = Blueprint("erasure", __name__)

WORD = "ERASE"
SHOWN_RUNS = 10
NOTHING = (
    "Whom this record is about cannot be looked up until it answers. Nothing was erased: come back then."
)
WAIT_S = 3.0


@blueprint.route("/c/<collection>/<part>/erase", methods=["GET", "POST"])
def erase(collection: str, part: str) -> Response:
    """Show the preview with its form. With a reason and the word, erase the values and show the receipt."""
    key = frame.key_of(part)
    access.require(frame.actor(), None, "subject", "erase")
    if request.method != "POST":
        return _form(collection, key)
    reason, word = request.form.get("reason", "").strip(), request.form.get("word", "").strip()
    wrong = {} if reason else {"reason": "Say why in a few words; it is kept in the log."}
    wrong |= {} if word == WORD else {"word": f"Type {WORD}, in capitals, to say that you mean it."}
    if wrong:
        return _form(collection, key, wrong=wrong, status=422)
    try:
        receipt = erasure.erase(frame.actor(), collection, key, reason)
    except Invalid as error:
        return _form(collection, key, wrong={"reason": error.message}, status=422)
    except Conflict as refused:
        return _form(collection, key, refused=refused.message, status=409)
    sequencing.catch_up(WAIT_S)
    return frame.redirect_to(f"/erasures/{receipt.subject}")


@blueprint.get("/erasures/<subject>")
def receipt(subject: str) -> Response:
    """Show how much was erased, without any content, and the event that proves it."""
    erased = erasure.erasure(frame.actor(), subject)
    if erased is None:
        raise NotFound(
            "The log has no erasure of this name, or its event has no place yet: reload in a moment."
        )
    return frame.page("records/erased.html", {"erasure": erased})


def offered(actor: Actor, collection: Collection, key: str | None) -> bool:
    """Return whether the record's page links here: the reader may erase, and the collection's records are people."""
    return key is not None and collection.subject == "self" and access.can(actor, None, "subject", "erase")


def _form(
    collection: str, key: str, *, wrong: dict[str, str] | None = None, refused: str = "", status: int = 200
) -> Response:
    held = None
    try:
        try:
            held = erasure.preview(
                frame.actor(), collection, key
            )  # before this page is opened, which the log keeps about the person too
        except NotFound:
            pass
        except Conflict as of_another:
            refused, status = of_another.message, 409
        page = browse.record(frame.actor(), collection, key)
    except SourceDown as down:
        raise type(down)(
            f"{down.message} {NOTHING}", code=down.code, passing=down.passing, **down.extra
        ) from down
    context = {
        "record": page.record,
        "collection": page.collection,
        "held": held,
        "runs": held.runs[:SHOWN_RUNS] if held else (),
        "more_runs": len(held.runs) - SHOWN_RUNS if held else 0,
        "heads": {run: runs.head(frame.actor(), run) for run in (*held.live, *held.runs[:SHOWN_RUNS])}
        if held
        else {},
        "word": WORD,
        "wrong": wrong or {},
        "refused": refused if not (held and held.live) else "",
        "typed": request.form,
    }
    return frame.page("records/erase.html", context, status=status)
