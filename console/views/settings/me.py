"""The person's own page: profile, password, second factor, sessions."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Blueprint, Response, flash, request

from console import accounts
from console.accounts import identities, oidc, profile, sessions
from console.errors import ConsoleError, Invalid
from console.views import formats, frame, identity
from console.views.settings import absence_forms, area, people
from console.views.settings.zone_choices import zone_choices

blueprint = Blueprint("me", __name__, url_prefix="/settings/me")

LOCALES = [
    "cs", "da", "de", "de-AT", "de-CH", "el", "en", "en-GB", "en-IE", "en-US", "es", "et", "fi", "fr", "fr-BE", "fr-CH", "hr", "hu", "it", "ja", "ko",
    "lt", "lv", "nb", "nl", "nl-BE", "pl", "pt", "pt-BR", "ro", "sk", "sl", "sv", "tr", "uk", "zh",
]  # fmt: skip
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS")),
    ("Linux", "Linux"),
)
"""Words in what a browser says of itself, and what people call it; the first that is found counts."""

METHODS = {
    "password": "password",
    "password+totp": "password and code",
    "password+recovery_code": "password and recovery code",
    "oidc": "identity provider",
}


@blueprint.get("")
def show() -> Response:
    """Show the page. It needs no right."""
    return _page()


@blueprint.post("/profile")
def change_profile() -> Response:
    """Save name, language, zone and theme."""
    values = {name: request.form.get(name, "") for name in ("name", "locale", "zone", "theme")}
    try:
        profile.change_profile(frame.actor(), **values)
    except Invalid as error:
        return _page(values, _reasons(error), status=422)
    flash("Your profile was saved")
    answer = frame.redirect_to("/settings/me")
    chosen = values["theme"] if values["theme"] != "system" else ""
    answer.set_cookie("theme", chosen, max_age=31_536_000 if chosen else 0, samesite="Lax", secure=not identity.own_machine())
    return answer


@blueprint.post("/password")
def change_password() -> Response:
    """Set a new password; every other session ends, and this one gets a new token."""
    try:
        profile.change_password(frame.actor(), request.form.get("former", ""), request.form.get("new", ""))
    except Invalid as error:
        return _page(wrong=_reasons(error), status=422)
    identity.renew(proved=True)
    flash("Your password was changed; everywhere else you were signed out")
    return frame.redirect_to("/settings/me")


@blueprint.post("/disconnect")
def disconnect() -> Response:
    """Disconnect one of the person's accounts (`identity`) from the identity provider."""
    identities.remove(frame.actor(), frame.actor().id, request.form.get("identity", ""))
    flash("That company account is no way in any more")
    return frame.redirect_to("/settings/me")


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """End one of the person's sessions."""
    sessions.end_session(frame.actor(), session_id)
    flash("That session was ended")
    return frame.redirect_to("/settings/me#sessions")


@blueprint.post("/sessions/end-others")
def end_others() -> Response:
    """End all sessions but this one."""
    ended = sessions.end_others(frame.actor())
    flash(f"{ended} other {'session was' if ended == 1 else 'sessions were'} ended")
    return frame.redirect_to("/settings/me#sessions")


def device(agent: str) -> str:
    """Return `Firefox on Windows` from the browser's description of itself."""
    browser = next((name for word, name in BROWSERS if f"{word}/" in agent or f"{word}iOS/" in agent), "")
    system = next((name for word, name in SYSTEMS if word in agent), "")
    return f"{browser} on {system}" if browser and system else browser or system or "Unknown device"


def identities_shown(person_id: str) -> list[tuple[identities.Identity, list[str]]]:
    """Return the person's identities, each with the roles of its groups in words."""
    names = people.team_names()
    return [(one, [people.pair_words(pair, names) for pair in one.gave]) for one in identities.identities_of(person_id)]


def draw(absent: ConsoleError) -> Response:
    """Show the page with what was wrong about an absence."""
    return _page(absent=absent, status=absent.status)


def _page(
    values: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    *,
    absent: ConsoleError | None = None,
    status: int = 200,
) -> Response:
    who = frame.actor()
    profile_shown, teams = profile.profile_of(who), {team.id: team.name for team in accounts.teams()}
    shown = {"name": profile_shown.name, "locale": profile_shown.locale, "zone": profile_shown.zone, "theme": profile_shown.theme} | dict(
        values or {}
    )
    context: dict[str, Any] = {
        "teams": [teams.get(team, team) for team in who.teams],
        "roles": [formats.role_words(role) for role in who.role_names],
        "profile": shown,
        "wrong": dict(wrong or {}),
        "has_password": profile_shown.has_password,
        "locales": sorted(({shown["locale"]: shown["locale"]} | _named()).items(), key=lambda pair: pair[1].casefold()),
        "zones": zone_choices(shown["zone"]),
        "absences": absence_forms.context(who, who.id, absent),
        "factor": accounts.factor_of(who.id),
        "must_have": accounts.must_have(who),
        "identities": identities_shown(who.id),
        "provider": oidc.offered(),
        "sessions": [
            (session, device(session.agent), METHODS.get(session.method, session.method)) for session in accounts.sessions_of(who)
        ],
    }
    return area.page("settings/me.html", "me", context, status=status)


def _reasons(error: Invalid) -> dict[str, str]:
    return {detail["field"]: detail["reason"] for detail in error.details}


@lru_cache(maxsize=1)
def _named() -> dict[str, str]:
    """Return each language by its own name."""
    return {name: Locale.parse(name, sep="-").get_display_name() or name for name in LOCALES}
