"""`/unsubscribe/<token>`: the page behind the link of an e-mail, for people without an account, and for mail programs that ask with one click."""

from flask import Blueprint, Response, render_template, request

from console.core.errors import NotFound, TooMany
from console.core.message_words import words_in
from console.messaging.messages import opting_out, unsubscribing
from console.views import security

blueprint = Blueprint("unsubscribe", __name__)
ONE_CLICK = "One-Click"


@blueprint.get("/unsubscribe/<token>")
def show(token: str) -> Response:
    """Show every channel; a GET changes nothing, because programs open links too."""
    try:
        page = unsubscribing.open_link(token, request.remote_addr or "")
    except (NotFound, TooMany) as gone:
        return _refused(gone)
    outcome = next((name for name in ("done", "none") if name in request.args), "")
    return security.answer_outside(
        render_template(
            "unsubscribe/page.html", words=page.words, language=page.language, page=page, outcome=outcome
        ),
        200,
    )


@blueprint.post("/unsubscribe/<token>")
def end(token: str) -> Response:
    """End the chosen channels, all of them, or e-mail alone with one click of a mail program."""
    one_click = request.form.get("List-Unsubscribe") == ONE_CLICK
    wanted = (
        None
        if one_click
        else list(opting_out.OUTWARD)
        if "all" in request.form
        else [each for each in request.form.getlist("channel") if each in opting_out.OUTWARD]
    )
    try:
        unsubscribing.end(token, request.remote_addr or "", wanted)
    except (NotFound, TooMany) as gone:
        return _refused(gone)
    if one_click:
        return security.answer_outside("", 200)
    answer = security.answer_outside("", 303)
    answer.headers["Location"] = f"/unsubscribe/{token}?{'done' if wanted else 'none'}=1"
    return answer


def _refused(why: NotFound | TooMany) -> Response:
    """Why there is no page, in a language of the browser: whose link it is nobody knows."""
    language = request.accept_languages.best_match(["en", "de", "fr", "lt"]) or "en"
    words = words_in(language)
    said = words["wait" if isinstance(why, TooMany) else "gone"]
    return security.answer_outside(
        render_template("unsubscribe/page.html", words=words, language=language, gone=said), why.status
    )
