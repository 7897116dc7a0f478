"""How people sign in: second factor, passwords, sessions, networks, and roles for groups of the identity provider."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, request

from console import access, accounts, settings
from console.accounts import entry, entry_changes, identities, oidc
from console.accounts.entry import Entry, GroupRole
from console.errors import Invalid
from console.views import formats, frame
from console.views.settings import area

blueprint = Blueprint("sign_in_settings", __name__, url_prefix="/settings/sign-in")

EMPTY_LINES = 3


@blueprint.get("")
def show() -> Response:
    """Show the page, for those who manage people."""
    access.require(frame.actor(), None, "user", "manage")
    return _page(entry.current())


@blueprint.post("")
def save() -> Response:
    """Save everything at once; errors are shown with everything that was typed."""
    who, entry = frame.actor(), _typed()
    access.require(who, None, "user", "manage")
    wrong = {name: ["takes a whole number"] for name in ("idle_minutes", "whole_minutes") if entry[name] is None}
    if not wrong:
        try:
            entry_changes.change(who, request.remote_addr or "", **entry)
        except Invalid as error:
            for detail in error.details:
                wrong.setdefault(detail["field"], []).append(detail["reason"])
    if wrong:
        return _page(
            Entry(**{**entry, **{name: 0 for name in ("idle_minutes", "whole_minutes") if entry[name] is None}}), wrong, status=422
        )
    flash("Saved; it is in force everywhere within a second")
    return frame.redirect_to("/settings/sign-in")


def _typed() -> dict[str, Any]:
    form, before = request.form, entry.current()
    lines = zip(form.getlist("group"), form.getlist("role"), form.getlist("team"), strict=False)
    return {
        "second_factor": form.get("second_factor", ""),
        "password": form.get("password") == "on",
        "step_up": form.get("step_up") == "on",
        "idle_minutes": _whole(form.get("idle_minutes", "")),
        "whole_minutes": _whole(form.get("whole_minutes", "")),
        "networks": tuple(form.get("networks", "").split()),
        "groups_claim": form.get("groups_claim", before.groups_claim).strip() or "groups",
        "groups_missing": form.get("groups_missing", before.groups_missing),
        "groups": before.groups
        if "group" not in form
        else tuple(
            GroupRole(group.strip(), role, "*" if role in access.EVERYWHERE else team) for group, role, team in lines if group.strip()
        ),
    }


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _page(told: Entry, wrong: Mapping[str, list[str]] | None = None, *, status: int = 200) -> Response:
    context: dict[str, Any] = {
        "entry": told,
        "wrong": dict(wrong or {}),
        "factor_words": entry.WORDS,
        "missing_words": entry.MISSING,
        "withheld": identities.people_with_withheld_groups(),
        "address": request.remote_addr,
        "issuer": settings.current().oidc_issuer,
        "callback": f"{settings.current().base_url}/sign-in/oidc/callback",
        "offered": oidc.offered(),
        "roles": [(role, formats.role_words(role)) for role in sorted(access.rights().roles)],
        "teams": accounts.teams(),
        "lines": [*told.groups, *[GroupRole("", "", "")] * EMPTY_LINES],
        "is_demo": settings.current().demo,
    }
    return area.page("settings/sign_in.html", "sign-in", context, status=status)
