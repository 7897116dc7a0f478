"""Whether a contact may be reached, by channel, beside its summary; and that they want no more of it, as somebody told one of us."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse
from console.errors import Invalid
from console.messages import asked_to_stop, outbox
from console.messages.asked_to_stop import ENDED, GIVEN, Standing
from console.views import frame, records
from console.views.frame import Badge

blueprint = Blueprint("reaching", __name__)
LABELS = {"email": "E-mail", "sms": "SMS", "call": "Calls", "ai_call": "Calls by an AI"}
BADGES = {GIVEN: Badge("Agreed", "good", "check"), ENDED: Badge("Ended", "bad", "x")}


@blueprint.route("/c/<collection>/<part>/reaching", methods=["GET", "POST"])
def on_record(collection: str, part: str) -> Response:
    """Show how each channel stands; a POST ends the ticked ones."""
    key = frame.key_of(part)
    if request.method != "POST":
        return _page(collection, key)
    try:
        asked_to_stop.note(frame.actor(), collection, key, request.form.getlist("channel"))
    except Invalid as wrong:
        return _page(collection, key, wrong=wrong.message, status=422)
    if frame.wants_fragment():
        return _page(collection, key, done=True)
    flash("Noted. It holds in every workflow from now on.")
    return frame.redirect_to(frame.record_url(collection, key) + "#reaching")


def _page(collection: str, key: str, *, wrong: str = "", done: bool = False, status: int = 200) -> Response:
    who = frame.actor()
    found = asked_to_stop.standings(who, collection, key)
    context: dict[str, Any] = {} if frame.wants_fragment() else records.record_context(browse.record(who, collection, key))
    left = [each for each in found if each.state != ENDED]
    context |= {
        "ways": [(LABELS[each.channel], BADGES.get(each.state), _known_by(each), each.at) for each in found],
        "left": [(each.channel, LABELS[each.channel], True) for each in left],
        "never": not left,
        "may_note": asked_to_stop.may_note(who, collection) and bool(left),
        "outbox": frame.with_query("/outbox", {"contact": f"{collection}/{key}"}) if outbox.may_read(who) else "",
        "action": frame.record_url(collection, key) + "/reaching",
        "wrong": wrong,
        "done": done,
    }
    return frame.page("records/reaching.html", context, blocks={"*": "reaching"}, status=status)


def _known_by(each: Standing) -> str:
    if each.state == GIVEN:
        return each.source
    return (each.source or "they took it back") if each.state == ENDED else ""
