"""`/settings/secrets`: what steps and actions show to other systems: set, never shown again, removed."""

from flask import Blueprint, Response, flash, request

from console.actions import secret_settings
from console.errors import Invalid
from console.views import frame
from console.views.settings import area

blueprint = Blueprint("secrets", __name__, url_prefix="/settings/secrets")
FIELDS = ("name", "hosts")


@blueprint.get("")
def show() -> Response:
    """Show every secret by name, without its text, and the form for one."""
    return _page()


@blueprint.post("")
def save() -> Response:
    """Set a secret, or change where it may go."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        secret_settings.save(frame.actor(), typed["name"], request.form.get("text", "").strip(), typed["hosts"])
    except Invalid as error:
        return _page(typed, {str(detail["field"]): str(detail["reason"]) for detail in error.details})
    flash("Saved")
    return frame.redirect_to("/settings/secrets")


@blueprint.post("/<name>/remove")
def remove(name: str) -> Response:
    """Remove a secret."""
    secret_settings.remove(frame.actor(), name)
    flash("Removed")
    return frame.redirect_to("/settings/secrets")


def _page(typed: dict[str, str] | None = None, wrong: dict[str, str] | None = None) -> Response:
    lines = secret_settings.listed(frame.actor())
    named = request.args.get("name", "")
    chosen = next((line for line in lines if line.secret.kept and line.secret.name == named), None)
    values = typed or {"name": named, "hosts": ", ".join(chosen.secret.hosts) if chosen else ""}
    context = {
        "lines": lines,
        "missing": secret_settings.missing(frame.actor()),
        "told": values,
        "wrong": wrong or {},
        "known": any(line.secret.kept and line.secret.name == values["name"] for line in lines),
    }
    return area.page("settings/secrets.html", "secrets", context, status=422 if wrong else 200)
