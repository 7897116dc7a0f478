"""The person's own page: profile, password, second factor, sessions."""

from functools import lru_cache
from typing import Any

from babel import Locale
from flask import Blueprint, Response, flash, request

from console.auth import accounts
from console.auth.accounts import identities, oidc, profile, sessions
from console.core.errors import ConsoleError
from console.views import formats, frame, identity
from console.views.forms import Field, Form, Item
from console.views.settings import absence_forms, area, people
from console.views.settings.zone_choices import zone_choices

blueprint = Blueprint("me", __name__, url_prefix="/settings/me")

LOCALES = [
    "cs",
    "da",
    "de",
    "de-AT",
    "de-CH",
    "el",
    "en",
    "en-GB",
    "en-IE",
    "en-US",
    "es",
    "et",
    "fi",
    "fr",
    "fr-BE",
    "fr-CH",
    "hr",
    "hu",
    "it",
    "ja",
    "ko",
    "lt",
    "lv",
    "nb",
    "nl",
    "nl-BE",
    "pl",
    "pt",
    "pt-BR",
    "ro",
    "sk",
    "sl",
    "sv",
    "tr",
    "uk",
    "zh",
]
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    *(
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
    ),
    ("Linux", "Linux"),
)
"""Words in what a browser says of itself, and what people call it; the first that is found counts."""

THEMES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))
NEW_HINT = "At least 12 characters; three or four unrelated words are good."
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
    form = _profile_form()

    def save(sent: dict[str, Any]) -> Response:
        profile.change_profile(frame.actor(), **sent)
        flash("Your profile was saved")
        answer = frame.redirect_to("/settings/me")
        chosen = sent["theme"] if sent["theme"] != "system" else ""
        answer.set_cookie(
            "theme",
            chosen,
            max_age=31_536_000 if chosen else 0,
            samesite="Lax",
            secure=not identity.own_machine(),
        )
        return answer

    return form.submit_to(save) or _page(profile_form=form)


def _profile_form() -> Form:
    shown = profile.profile_of(frame.actor())
    items, values = profile_items(shown.name, shown.locale, shown.zone)
    items.append(Field("theme", "Theme", "select", choices=THEMES))
    return Form(
        items,
        values | {"theme": shown.theme},
        title="Profile",
        css="card pad form narrow",
        action="/settings/me/profile",
    )


def profile_items(name: str, locale: str, zone: str) -> tuple[list[Item], dict[str, Any]]:
    """Return the fields of name, language and zone, with what stands in them."""
    sent = request.form
    values = {"name": name, "locale": locale, "zone": zone}
    items: list[Item] = [
        Field("name", "Name", required=True, max_length=200, autocomplete="name"),
        Field(
            "locale",
            "Language of dates and numbers",
            "select",
            choices=list(locales(sent.get("locale", locale)).items()),
        ),
        Field("zone", "Time zone", "select", choices=zone_choices(sent.get("zone", zone))),
    ]
    return items, values


@blueprint.post("/password")
def change_password() -> Response:
    """Set a new password; every other session ends, and this one gets a new token."""
    form = _password_form()

    def save(sent: dict[str, Any]) -> Response:
        profile.change_password(frame.actor(), sent["former"], sent["new"])
        identity.renew(proved=True)
        flash("Your password was changed; everywhere else you were signed out")
        return frame.redirect_to("/settings/me")

    return form.submit_to(save) or _page(password_form=form)


def _password_form() -> Form:
    items = [
        Field("username", kind="hidden", more={"autocomplete": "username"}),
        Field("former", "Your password now", "password", required=True, autocomplete="current-password"),
        Field("new", "New password", "password", NEW_HINT, required=True, autocomplete="new-password"),
    ]
    return Form(
        items,
        {"username": frame.actor().email},
        "Change the password",
        title="Password",
        tone="",
        css="card pad form narrow",
        action="/settings/me/password",
        aside="Everywhere else you will be signed out.",
    )


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
    return [
        (one, [people.pair_words(pair, names) for pair in one.gave])
        for one in identities.identities_of(person_id)
    ]


def draw(absent: ConsoleError) -> Response:
    """Show the page with what was wrong about an absence."""
    return _page(absent=absent)


def _page(
    *, profile_form: Form | None = None, password_form: Form | None = None, absent: ConsoleError | None = None
) -> Response:
    who = frame.actor()
    teams = {team.id: team.name for team in accounts.teams()}
    error = absent or next((form.error for form in (profile_form, password_form) if form), None)
    context: dict[str, Any] = {
        "teams": [teams.get(team, team) for team in who.teams],
        "roles": [formats.role_words(role) for role in who.role_names],
        "profile_form": profile_form or _profile_form(),
        "password_form": (password_form or _password_form())
        if profile.profile_of(who).has_password
        else None,
        "absences": absence_forms.context(who, who.id, absent),
        "factor": accounts.factor_of(who.id),
        "must_have": accounts.must_have(who),
        "identities": identities_shown(who.id),
        "provider": oidc.offered(),
        "sessions": [
            (session, device(session.agent), METHODS.get(session.method, session.method))
            for session in accounts.sessions_of(who)
        ],
    }
    return area.page("settings/me.html", "me", context, error=error)


def locales(chosen: str = "en") -> dict[str, str]:
    """Return the languages by their own names; before them the chosen one if it is unknown."""
    return _locales() if chosen in _locales() else {chosen: chosen} | _locales()


@lru_cache(maxsize=1)
def _locales() -> dict[str, str]:
    named = [(name, Locale.parse(name, sep="-").get_display_name() or name) for name in LOCALES]
    return dict(sorted(named, key=lambda pair: pair[1].casefold()))
