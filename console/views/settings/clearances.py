"""Clearances: who holds which, through a role or for a period; granting one takes two people."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, request

from console.core.moments import midnight
from console.errors import ConsoleError, Invalid, NotAllowed
from console.rights import clearances
from console.views import formats, frame
from console.views.frame import Badge
from console.views.settings import area
from console.views.settings.person_roles import reasons

blueprint = Blueprint("labels", __name__, url_prefix="/settings/labels")

DAY = formats.Kind("day", "Day", "date")
FIELDS = ("label", "email", "since", "until", "reason")
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
    typed = {name: request.form.get(name, "") for name in FIELDS}
    zone = frame.look().zone
    try:
        since, until = _days(typed, zone)
        clearances.ask(frame.actor(), typed["label"], typed["email"], since, until, typed["reason"])
    except Invalid as wrong:
        return _page(typed, wrong)
    flash("It is asked for. It begins when a second person has agreed.")
    return frame.redirect_to("/settings/labels")


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
        return _page(wrong=refused)
    flash({"agree": "The person is cleared from the day that was asked for.", "refuse": "It is refused."}.get(word, "It is taken back."))
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
        raise Invalid("Nothing was asked for.", details=[{"field": "until", "reason": "No calendar has the day after this one."}]) from None


def _period_words(grant: clearances.Grant) -> str:
    """Return the first and last day, in the reader's zone."""
    look = frame.look()
    first, last = (moment.astimezone(ZoneInfo(look.zone)).date() for moment in (grant.since, grant.until - timedelta(seconds=1)))
    shown = [formats.text(DAY, f"{day}", look) for day in (first, last)]
    return shown[0] if first == last else " to ".join(shown)


def _page(values: Mapping[str, str] | None = None, wrong: ConsoleError | None = None) -> Response:
    who, today = frame.actor(), frame.look().now
    held = clearances.listed(who)
    typed = {"label": held[0].id if held else "", "since": f"{today:%Y-%m-%d}", "until": f"{today + timedelta(days=14):%Y-%m-%d}"}
    context = {
        "held": held,
        "states": STATES,
        "agrees": {grant.id for label in held for grant in label.grants if clearances.may_agree(who, grant)},
        "days": {grant.id: _period_words(grant) for label in held for grant in label.grants},
        "role_words": formats.role_words,
        "told": typed | dict(values or {}),
        "wrong": reasons(wrong),
        "error": wrong.message if wrong else "",
    }
    return area.page("settings/labels.html", "labels", context, status=wrong.status if wrong else 200)
