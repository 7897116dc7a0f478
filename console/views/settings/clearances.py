"""Clearances: who holds which, through a role or for a period; granting one takes two people."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash

from console.core.errors import ConsoleError, Invalid, NotAllowed
from console.core.moments import midnight
from console.permissions import clearances
from console.views import formats, frame
from console.views.forms import Field, Form, Group
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("labels", __name__, url_prefix="/settings/labels")

DAY = formats.Kind("day", "Day", "date")
STATES = {
    "asked": Badge("Waits for agreement", "warn", "clock"),
    "later": Badge("Agreed, not begun", "info", "clock"),
    "now": Badge("Cleared now", "good", "check"),
    "over": Badge("Over"),
    "refused": Badge("Refused", "", "x"),
    "revoked": Badge("Taken back", "", "x"),
}


@blueprint.get("")
def show() -> Response:
    """Show every clearance with its holders, and the form that asks for one."""
    return _page()


@blueprint.post("")
def ask() -> Response:
    """Ask for a clearance."""
    form = _form(clearances.list_labels(frame.actor()))

    def save(sent: dict[str, Any]) -> Response:
        since, until = _days(sent, frame.look().zone)
        clearances.ask(frame.actor(), sent["label"], sent["email"], since, until, sent["reason"])
        flash("It is asked for. It begins when a second person has agreed.")
        return frame.redirect_to("/settings/labels")

    return form.submit_to(save) or _page(form=form)


def _form(held: Sequence[clearances.Holding]) -> Form:
    today = frame.look().now
    items = [
        Field(
            "label",
            "Clearance",
            "select",
            choices=[(label.id, label.id.replace("_", " ").capitalize()) for label in held],
        ),
        Field("email", "Who (e-mail)", "email", required=True),
        Group(
            [
                Field("since", "First day", "date", required=True),
                Field("until", "Last day", "date", required=True),
            ]
        ),
        Field("reason", "Reason", "area", required=True, max_length=2000),
    ]
    values = {
        "label": held[0].id if held else "",
        "since": f"{today:%Y-%m-%d}",
        "until": f"{today + timedelta(days=14):%Y-%m-%d}",
    }
    return Form(
        items,
        values,
        "Ask for it",
        title="Clear somebody for a time",
        intro="A second person has to agree: of the two, one manages the rights and one is cleared by a role. "
        "It ends by itself; what is read under it is in the log.",
        css="card pad form narrow",
        action="/settings/labels",
    )


@blueprint.post("/<grant>/<word>")
def answered(grant: str, word: str) -> Response:
    """`agree`, `refuse` or `revoke`."""
    who = frame.actor()
    try:
        if word == "revoke":
            clearances.revoke(who, grant)
        else:
            clearances.answer(who, grant, agree=word == "agree")
    except NotAllowed as refused:
        if refused.code != "four_eyes":
            raise
        return _page(refused)
    flash(
        {"agree": "The person is cleared from the day that was asked for.", "refuse": "It is refused."}.get(
            word, "It is taken back."
        )
    )
    return frame.redirect_to("/settings/labels")


def _days(typed: Mapping[str, str], zone: str) -> tuple[datetime, datetime]:
    """Return the first moment of the first day and the last moment of the last, in the person's zone. Raises Invalid for an invalid day."""
    days, details = [], []
    for name in ("since", "until"):
        try:
            days.append(date.fromisoformat(typed[name]))
        except ValueError:
            details.append({"field": name, "reason": "Choose a day."})
    if details:
        raise Invalid("Nothing was asked for: choose both days.", details=details)
    try:
        return midnight(days[0], zone), midnight(days[1] + timedelta(days=1), zone)
    except OverflowError:
        raise Invalid(
            "Nothing was asked for.", at=("until", "No calendar has the day after this one.")
        ) from None


def _period_words(grant: clearances.Grant) -> str:
    """Return the first and last day, in the reader's zone."""
    look = frame.look()
    first, last = (
        moment.astimezone(ZoneInfo(look.zone)).date()
        for moment in (grant.since, grant.until - timedelta(seconds=1))
    )
    shown = [formats.text(DAY, f"{day}", look) for day in (first, last)]
    return shown[0] if first == last else " to ".join(shown)


def _page(refused: ConsoleError | None = None, form: Form | None = None) -> Response:
    who = frame.actor()
    held = clearances.list_labels(who)
    context = {
        "held": held,
        "states": STATES,
        "agrees": {grant.id for label in held for grant in label.grants if clearances.may_agree(who, grant)},
        "days": {grant.id: _period_words(grant) for label in held for grant in label.grants},
        "role_words": formats.role_words,
        "refused": refused,
        "form": form or _form(held),
    }
    return area.page(
        "settings/labels.html", "labels", context, error=refused or (form.error if form else None)
    )
