"""Whether a contact may be reached, by channel, beside its summary; that they agreed, or want no more of it, as somebody told one of us."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.messaging.messages import noted_consents, outbox, single_messages, stop_requests
from console.messaging.messages.stop_requests import ENDED, GIVEN, Standing
from console.views import frame
from console.views.browse import record_forms, records, reference_boxes
from console.views.frame import Badge
from console.views.runs import form_boxes

blueprint = Blueprint("reaching", __name__)
LABELS = {"email": "E-mail", "sms": "SMS", "call": "Calls", "ai_call": "Calls by an AI"}
ENDS = "Noted. It holds in every workflow from now on; what waited for them does not leave."
AGREED = "Noted. Messages by this channel may leave from now on."
BADGES = {GIVEN: Badge("Agreed", "good", "check"), ENDED: Badge("Ended", "bad", "x")}


@blueprint.route("/c/<collection>/<part>/reaching", methods=["GET", "POST"])
def on_record(collection: str, part: str) -> Response:
    """Show how each channel stands; a POST ends the ticked ones, or with `agreed` notes that one was agreed to."""
    key = frame.key_of(part)
    if request.method != "POST":
        return _page(collection, key)
    agreed = request.form.get("agreed", "") if "noting" in request.form else None
    try:
        if agreed is None:
            stop_requests.note(frame.actor(), collection, key, request.form.getlist("channel"))
        else:
            told = form_boxes.read_form(request.form, frame.look())
            noted_consents.note(frame.actor(), collection, key, agreed, told)
    except (Invalid, Conflict, SourceDown) as wrong:
        return _page(
            collection, key, wrong=wrong, typed=None if agreed is None else told, status=wrong.status
        )
    done = ENDS if agreed is None else AGREED
    if frame.wants_fragment():
        return _page(collection, key, done=done)
    flash(done)
    return frame.redirect_to(frame.record_url(collection, key) + "#reaching")


def _page(
    collection: str,
    key: str,
    *,
    wrong: ConsoleError | None = None,
    typed: Mapping[str, Any] | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    who = frame.actor()
    found = stop_requests.standings(who, collection, key)
    context: dict[str, Any] = (
        {} if frame.wants_fragment() else records.record_context(browse.record(who, collection, key))
    )
    left = [each for each in found if each.state != ENDED]
    context |= {
        "ways": [(LABELS[each.channel], BADGES.get(each.state), _known_by(each), each.at) for each in found],
        "left": [(each.channel, LABELS[each.channel], True) for each in left],
        "never": not left,
        "may_note": stop_requests.may_note(who, collection) and bool(left),
        "write": frame.record_url(collection, key) + "/write"
        if single_messages.may_write(who, collection)
        else "",
        "outbox": frame.with_query("/outbox", {"contact": f"{collection}/{key}"})
        if outbox.may_read(who)
        else "",
        "action": frame.record_url(collection, key) + "/reaching",
        "wrong": wrong.message if wrong and typed is None else "",
        "agreeing": _agreeing(
            who, collection, [each.channel for each in found if each.state != GIVEN], wrong, typed
        ),
        "done": done,
    }
    return frame.page("records/reaching.html", context, blocks={"*": "reaching"}, status=status)


def _agreeing(
    who: Actor,
    collection: str,
    open_ones: Sequence[str],
    wrong: ConsoleError | None,
    typed: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the form that notes a consent, or in `why` why there is none."""
    try:
        place = noted_consents.place(who, collection)
    except (NotAllowed, NotFound, SourceDown) as error:
        return {"why": error.message}
    details = (
        [{**detail, "field": str(detail.get("field") or "")} for detail in wrong.details]
        if wrong and typed is not None
        else []
    )
    at = noted_consents.when(place)
    sources = [
        record_forms.box_source(each) | {"required": each.name in place.needed, "help": each.help}
        if each != at
        else record_forms.box_source(each) | {"required": False, "help": "Empty: now."}
        for each in place.fields
    ]
    return {
        "channels": [
            (channel, LABELS[channel], channel == request.form.get("agreed"))
            for channel in open_ones
            if channel in place.documents
        ],
        "boxes": form_boxes.boxes(
            {"fields": sources}, reference_boxes.look_for(sources, typed), typed=typed, errors=details
        ),
        "wrong": wrong.message if wrong and typed is not None else "",
    }


def _known_by(each: Standing) -> str:
    if each.state == GIVEN:
        return each.source
    return (each.source or "they took it back") if each.state == ENDED else ""
