"""Days on which a person is away and who stands in: a part of one's own page, and of the page of each person for those who manage people."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, request

from console import log
from console.auth import accounts
from console.auth.access import limits
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid
from console.views import formats, frame
from console.views.forms import Field, Form, Group
from console.work import substitutions

blueprint = Blueprint("absences", __name__, url_prefix="/settings")

COLLEAGUES = 200


def context(who: Actor, person_id: str, error: ConsoleError | None = None) -> dict[str, Any]:
    """Return what the part draws."""
    now, own = log.now(), who.id == person_id
    team = set(who.teams if own else accounts.person(person_id).teams)
    colleagues = [
        (person.email, person.name)
        for person in accounts.search("", COLLEAGUES)
        if person.id != person_id and team & set(person.teams)
    ]
    here = "/settings/me/absences" if own else f"/settings/people/{person_id}/absences"
    form = Form(
        [
            Group(
                [
                    Field("first", "First day", "date", required=True),
                    Field("last", "Last day", "date", required=True),
                ]
            ),
            Field("substitute", "Who stands in (e-mail)", "email", required=True, suggestions=colleagues),
        ],
        request.form if error is not None else {},
        "Save",
        icon="user-check",
        tone="",
        css="form",
        action=here,
        prefix="absence-",
        error=error,
    )
    absent = [
        {
            "id": absence.id,
            "days": _days(absence),
            "deputy": absence.substitute_name,
            "now": absence.starts_at <= now,
        }
        for absence in absences.absences_of(who, person_id)
    ]
    return {"own": own, "here": here, "list": absent, "form": form}


def _days(absence: absences.Absence) -> str:
    """Return the days as people say them; a single one once."""
    locale = frame.look().locale
    return " to ".join(
        dict.fromkeys(formats.times.day_words(str(day), locale) for day in (absence.first, absence.last))
    )


@blueprint.post("/me/absences")
def plan_own() -> Response:
    """Say when the reader is away and who stands in."""
    return _plan(frame.actor().id)


@blueprint.post("/people/<person_id>/absences")
def plan(person_id: str) -> Response:
    """Say when a person is away and who stands in, for those who manage people."""
    return _plan(person_id)


@blueprint.post("/me/absences/<absence_id>/end")
def end_own(absence_id: str) -> Response:
    """Take back an absence of one's own, or end it."""
    return _end(frame.actor().id, absence_id)


@blueprint.post("/people/<person_id>/absences/<absence_id>/end")
def end(person_id: str, absence_id: str) -> Response:
    """Take back an absence of somebody, or end it."""
    return _end(person_id, absence_id)


def _plan(person_id: str) -> Response:
    from console.views.settings import me, person

    who, form = frame.actor(), request.form
    try:
        kept = absences.plan(
            who,
            person_id,
            first=_day(form.get("first")),
            last=_day(form.get("last")),
            substitute=form.get("substitute", ""),
        )
    except (Invalid, Conflict) as error:
        return me.draw(absent=error) if person_id == who.id else person.draw(person_id, absent=error)
    left = substitutions.undecidable(who, person_id, kept.substitute)
    but = f", but may not give the approvals that are asked for in {limits.join_names(left)}" if left else ""
    flash(f"{kept.substitute_name} stands in{but}")
    return frame.redirect_to(_page(person_id))


def _end(person_id: str, absence_id: str) -> Response:
    absences.take_back(frame.actor(), absence_id, person_id)
    flash("The absence is taken back")
    return frame.redirect_to(_page(person_id))


def _page(person_id: str) -> str:
    return (
        "/settings/me#absences" if person_id == frame.actor().id else f"/settings/people/{person_id}#absences"
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
