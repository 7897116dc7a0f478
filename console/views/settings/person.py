"""One person: rights, sessions, work in hand, profile and tags; disabling and removing the account."""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Blueprint, Response, flash, request

from console import access, accounts, workflows
from console.accounts import abilities, authority, others_keys, person_changes, sessions
from console.core.actor import Actor
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import frame
from console.views.settings import absence_forms, area, people
from console.views.settings.me import LOCALES, device, identities_shown
from console.views.settings.people import Choice
from console.views.settings.person_roles import reasons, shows_in_form
from console.views.settings.zone_choices import zone_choices
from console.work import leavers
from console.work.leavers import Given

blueprint = Blueprint("person", __name__, url_prefix="/settings/people/<person_id>")

BLANK_TAGS = 2
COLLEAGUES = 50


@blueprint.get("")
def show(person_id: str) -> Response:
    """Show everything about the person on one page."""
    return _drawn(person_id)


def draw(person_id: str, absent: ConsoleError) -> Response:
    """Show the page with what was wrong about an absence."""
    return _drawn(person_id, absent=absent)


def _drawn(
    person_id: str, *, given: list[Given] | None = None, error: ConsoleError | None = None, absent: ConsoleError | None = None
) -> Response:
    who = frame.actor()
    may = abilities.of_person(who, person_id)
    person, names = accounts.person(person_id), people.team_names()
    held, all_held = leavers.held(who, person.id)
    context = {
        "person": person,
        "state": people.STATES[person.state],
        "roles": people.role_words(person.roles, names),
        "teams": [names.get(team, team) for team in person.teams],
        "tags": [(key, ", ".join(person_changes.listed(value))) for key, value in sorted(person.tags.items())],
        "may": people.grouped(may),
        "own": person.id == who.id,
        "factor": accounts.factor_of(person.id),
        "identities": identities_shown(person.id),
        "sessions": [(session, device(session.agent)) for session in sessions.sessions_of_person(who, person.id)],
        "keys": others_keys.api_keys(who, person.id),
        "absences": _absences(who, person, absent),
        "held": held,
        "waiting": leavers.waiting(who, person.id),
        "personal": workflows.whose.personal_of(who, person.id),
        "unseen": all_held - len(held),
        "colleagues": [colleague for colleague in accounts.search("", COLLEAGUES) if colleague.id != person.id] if held else [],
        "given": given or [],
        "locale_words": dict(_locales()).get(person.locale, person.locale),
        "error": error,
        "wrong": reasons(error),
        "typed": request.form,
    }
    return area.page("settings/person.html", "people", context, status=(error or absent).status if error or absent else 200)  # type: ignore[union-attr]


def _absences(who: Actor, person: accounts.Person, error: ConsoleError | None) -> dict[str, Any] | None:
    """Return when the person is away; None where the reader has no say in it."""
    try:
        return None if person.service or person.removed else absence_forms.context(who, person.id, error)
    except NotAllowed:
        return None


@blueprint.route("/particulars", methods=["GET", "POST"])
def particulars(person_id: str) -> Response:
    """Save name, language, time zone and tags."""
    who = frame.actor()
    authority.require(who)
    person = accounts.person(person_id)
    own_account = person.id == who.id
    profile = {"name": person.name, "locale": person.locale, "zone": person.zone}
    tags = [(key, "\n".join(person_changes.listed(values))) for key, values in sorted(person.tags.items())]
    error: ConsoleError | None = None
    if request.method == "POST":
        profile = {name: request.form.get(name, "") for name in profile}
        tags = _read_tags()
        try:
            accounts.change_person(
                who, person.id, **profile, tags=None if own_account else {key: values.splitlines() for key, values in tags}
            )
        except (Invalid, Conflict, NotAllowed) as refused:
            if not shows_in_form(refused):
                raise
            error = refused
        else:
            flash(f"{profile['name'].strip()} is changed.")
            return frame.redirect_to(people.url(person.id))
    context = {
        "person": person,
        "own": own_account,
        "told": profile,
        "tags": [*tags, *[("", "")] * BLANK_TAGS],
        "locales": locale_choices(profile["locale"]),
        "zones": zone_choices(profile["zone"]),
        "error": error,
        "wrong": reasons(error),
    }
    return area.page("settings/particulars.html", "people", context, status=error.status if error else 200)


@blueprint.route("/close", methods=["GET", "POST"])
def close(person_id: str) -> Response:
    """Show what would happen, then close the account, or remove it if the confirmation was typed."""
    who = frame.actor()
    authority.require(who)
    person = accounts.person(person_id)
    error: ConsoleError | None = None
    if request.method == "POST":
        removes = request.form.get("do") == "remove"
        try:
            if removes:
                accounts.remove_person(who, person.id, request.form.get("confirm", ""))
            else:
                accounts.disable_person(person.id, by=who)
        except (Invalid, Conflict, NotAllowed) as refused:
            if not shows_in_form(refused):
                raise
            error = refused
        else:
            flash(f"The account of {person.name} is {'removed' if removes else 'closed'}.")
            return frame.redirect_to(people.url(person.id))
    acting = workflows.acting_as(person.email) if person.service else []
    context = {
        "person": person,
        "own": person.id == who.id,
        "held": leavers.held(who, person.id)[1],
        "waiting": leavers.waiting(who, person.id),
        "personal": len(workflows.whose.personal_of(who, person.id)),
        "acting": len(acting),
        "acting_named": [each.title for each in acting if access.can(who, each.team or None, f"{workflows.OBJECT}:{each.slug}", "see")],
        "sessions": len(sessions.sessions_of_person(who, person.id)),
        "keys": len(others_keys.api_keys(who, person.id)),
        "confirm": person_changes.CONFIRM,
        "typed": request.form.get("confirm", ""),
        "error": error,
        "wrong": reasons(error),
    }
    return area.page("settings/person_close.html", "people", context, status=error.status if error else 200)


@blueprint.post("/enable")
def enable(person_id: str) -> Response:
    """Open a closed account again."""
    try:
        accounts.enable_person(frame.actor(), person_id)
    except (Conflict, NotAllowed) as refused:
        if not shows_in_form(refused):
            raise
        return _drawn(person_id, error=refused)
    flash("The account is open again.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/sessions")
def end_session(person_id: str) -> Response:
    """End one session (`session`), or all of them."""
    who, session = frame.actor(), request.form.get("session", "")
    if session:
        sessions.end_of_person(who, person_id, session)
        flash("The session is ended.")
    else:
        ended = sessions.end_all(who, person_id)
        flash("1 session is ended." if ended == 1 else f"{ended} sessions are ended.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/keys")
def keys(person_id: str) -> Response:
    """Revoke one key (`key`)."""
    others_keys.revoke_key(frame.actor(), person_id, request.form.get("key", ""))
    flash("The key opens nothing any more.")
    return frame.redirect_to(people.url(person_id))


@blueprint.post("/runs")
def runs(person_id: str) -> Response:
    """Assign the ticked runs (`run`) to the person with an address (`email`); show those that could not be assigned."""
    form = request.form
    try:
        given = leavers.hand_on(frame.actor(), person_id, form.getlist("run"), form.get("email", ""), form.get("reason", "").strip())
    except Invalid as error:
        return _drawn(person_id, error=error)
    if any(result.error for result in given):
        return _drawn(person_id, given=given)
    flash("1 run is given away." if len(given) == 1 else f"{len(given)} runs are given away.")
    return frame.redirect_to(people.url(person_id))


def _read_tags() -> list[tuple[str, str]]:
    """Return the tags in the form: name, and its values one in a line."""
    names, values = request.form.getlist("tag"), request.form.getlist("values")
    return [(name.strip(), value.strip()) for name, value in zip(names, values, strict=False) if name.strip() or value.strip()]


def locale_choices(chosen: str) -> list[Choice]:
    """Return the languages by their own names; the chosen one first if it is unknown."""
    known = [Choice(value, label, value == chosen) for value, label in _locales()]
    return known if any(choice.chosen for choice in known) else [Choice(chosen, chosen, True), *known]


@lru_cache(maxsize=1)
def _locales() -> list[tuple[str, str]]:
    named = [(name, Locale.parse(name, sep="-").get_display_name() or name) for name in LOCALES]
    return sorted(named, key=lambda pair: pair[1].casefold())
