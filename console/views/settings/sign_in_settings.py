"""How people sign in: second factor, passwords, sessions, networks, and roles for groups of the identity provider."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import access, accounts
from console.auth.accounts import entry, entry_changes, identities, oidc
from console.auth.accounts.entry import Entry, GroupRole
from console.core.errors import Invalid
from console.infra import settings
from console.views import formats, frame
from console.views.forms import Field, Form, Group, Item, Lines, numbered
from console.views.settings import area

blueprint = Blueprint("sign_in_settings", __name__, url_prefix="/settings/sign-in")

EMPTY_LINES = 3
MINUTES = ("idle_minutes", "whole_minutes")
FACTOR_HINT = (
    "Who needs one and has none sets it up at the next page they open. Everybody may have one. Who comes through the identity provider shows "
    "it there."
)
STEP_UP = "Ask again for code or password before exports, keys, changes of rights and steps that say so, when it was last shown over five minutes ago"
IDLE_HINT = "1 to 1440. A minute before, people are warned; what they typed is kept."
MISSING_HINT = (
    "When it says that it leaves groups out because they are too many, roles always stay as they are."
)
GROUPS_HINT = (
    "Applied at each sign-in: who is in a group has its role, who has left it loses it, who has no role is not let in. A role that no line "
    "gives any more is taken at once. Empty lines are left out."
)


@blueprint.route("", methods=["GET", "POST"])
def show() -> Response:
    """Show the page, for those who manage people; a POST saves everything at once."""
    access.require(frame.actor(), None, "user", "manage")
    before = entry.current()
    groups = before.groups if "group" not in request.form else _sent_groups()
    form = _form(before, groups)

    def save(sent: dict[str, Any]) -> Response:
        minutes = {name: _whole(sent[name]) for name in MINUTES}
        if wrong := [
            {"field": name, "reason": "takes a whole number"} for name in MINUTES if minutes[name] is None
        ]:
            raise Invalid("Nothing was saved.", details=wrong)
        changed = {
            **sent,
            **minutes,
            "password": bool(sent["password"]),
            "networks": tuple(sent["networks"].split()),
            "groups": groups,
        }
        for name in ("groups_claim", "groups_missing"):
            changed[name] = sent.get(name) or getattr(before, name)
        entry_changes.change(frame.actor(), request.remote_addr or "", **changed)
        flash("Saved; it is in force everywhere within a second")
        return frame.redirect_to("/settings/sign-in")

    if made := form.submit_to(save):
        return made
    context = {
        "form": form,
        "withheld": identities.people_with_withheld_groups() if oidc.offered() else (),
        "issuer": settings.current().oidc_issuer if oidc.offered() else None,
        "callback": f"{settings.current().base_url}/sign-in/oidc/callback",
        "in_demo": settings.current().demo and before.second_factor == "off",
    }
    return area.page("settings/sign_in.html", "sign-in", context, error=form.error)


def _form(told: Entry, groups: Sequence[GroupRole]) -> Form:
    factor = [
        Field(
            "second_factor",
            "A code beside the password is required of",
            "select",
            FACTOR_HINT,
            _capitalised(entry.WORDS),
        ),
        Field("step_up", STEP_UP, "check"),
    ]
    sessions = [
        Field(
            "idle_minutes",
            "Signed out after so many minutes without doing anything",
            hint=IDLE_HINT,
            inputmode="numeric",
            css="short",
        ),
        Field(
            "whole_minutes",
            "Signed out in any case after so many minutes",
            hint="720 are twelve hours.",
            inputmode="numeric",
            css="short",
        ),
    ]
    networks = (
        f"One address or network a line, such as 203.0.113.0/24; none: from everywhere. You are at {request.remote_addr}, which has to be "
        "among them. Links for documents work from everywhere."
    )
    items = [
        Group(factor, "Second factor", "card"),
        Group([Group(sessions)], "Sessions", "card"),
        Group(
            [
                Field(
                    "networks",
                    "People and programs are let in only from",
                    "area",
                    networks,
                    rows=4,
                    css="mono",
                )
            ],
            "Networks",
            "card",
        ),
        Group(
            _provider_items(groups) if oidc.offered() else [Field("password", kind="hidden")],
            "Identity provider",
            "card",
            _none(),
        ),
    ]
    values = {
        **{
            name: getattr(told, name)
            for name in ("second_factor", "step_up", *MINUTES, "groups_claim", "groups_missing")
        },
        "networks": "\n".join(told.networks),
        "password": told.password if oidc.offered() else "on",
    }
    return Form(
        items,
        values,
        css="sect entry",
        aside="Locked out all the same? console sign-in open lets passwords in again, from everywhere.",
    )


def _none() -> str:
    if oidc.offered():
        return ""
    return (
        "None is set up. Set CONSOLE_OIDC_ISSUER, CONSOLE_OIDC_CLIENT_ID and CONSOLE_OIDC_CLIENT_SECRET, and start the console again; "
        "the groups and their roles are then entered here."
    )


def _provider_items(groups: Sequence[GroupRole]) -> list[Item]:
    roles = [(role, formats.role_words(role)) for role in sorted(access.rights().roles)]
    teams = [("*", "Every team"), *((team.id, team.name) for team in accounts.teams())]
    columns = [
        Field("group", "Group", max_length=300),
        Field("role", "Role", "select", choices=roles),
        Field("team", "Team", "select", choices=teams),
    ]
    lines = [{"group": line.group, "role": line.role, "team": line.team} for line in groups]
    return [
        Field("password", "People may sign in with a password too", "check"),
        Field("groups_claim", "The claim that holds people's groups", hint="Most providers call it groups."),
        Field(
            "groups_missing",
            "When the provider sends no such claim",
            "select",
            MISSING_HINT,
            _capitalised(entry.MISSING),
        ),
        Lines(
            "groups", "Groups and their roles", columns, numbered([*lines, *[{}] * EMPTY_LINES]), GROUPS_HINT
        ),
    ]


def _capitalised(words: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(value, text[:1].upper() + text[1:]) for value, text in words.items()]


def _sent_groups() -> tuple[GroupRole, ...]:
    form = request.form
    lines = zip(form.getlist("group"), form.getlist("role"), form.getlist("team"), strict=False)
    return tuple(
        GroupRole(group.strip(), role, "*" if role in access.EVERYWHERE else team)
        for group, role, team in lines
        if group.strip()
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
