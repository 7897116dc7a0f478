"""`/settings/secrets`: what steps and actions show to other systems: set, never shown again, removed."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console.actions import secret_settings
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import area

blueprint = Blueprint("secrets", __name__, url_prefix="/settings/secrets")


@blueprint.get("")
def show() -> Response:
    """Show every secret by name, without its text, and the form for one."""
    return _page(_form())


@blueprint.post("")
def save() -> Response:
    """Set a secret, or change where it may go."""
    form = _form()

    def set_secret(sent: dict[str, Any]) -> Response:
        secret_settings.save(frame.actor(), sent["name"], sent["text"].strip(), sent["hosts"])
        flash("Saved")
        return frame.redirect_to("/settings/secrets")

    return form.submit_to(set_secret) or _page(form)


@blueprint.post("/<name>/remove")
def remove(name: str) -> Response:
    """Remove a secret."""
    secret_settings.remove(frame.actor(), name)
    flash("Removed")
    return frame.redirect_to("/settings/secrets")


def _form() -> Form:
    named = request.values.get("name", "").strip()
    stored = {
        line.secret.name: line.secret
        for line in secret_settings.list_secrets(frame.actor())
        if line.secret.kept
    }
    known = stored.get(named)
    text = (
        "Leave it empty to keep it and only take hosts away."
        if known
        else "At least 8 characters without blanks. It is sealed, and cannot be read again."
    )
    items = [
        Field(
            "name",
            "Name",
            hint="Small letters, digits and _, such as bank: what workflows and actions name.",
            required=True,
        ),
        Field("text", "Secret", "password", text, required=not known, autocomplete="new-password"),
        Field(
            "hosts",
            "Hosts",
            hint="Where it may go, with commas between, such as api.bank.example.",
            required=True,
        ),
    ]
    values = {"name": named, "hosts": ", ".join(known.hosts) if known else ""}
    return Form(
        items,
        values,
        title="Set again" if known else "Set a secret",
        css="card pad form",
        action="/settings/secrets",
    )


def _page(form: Form) -> Response:
    context = {
        "lines": secret_settings.list_secrets(frame.actor()),
        "missing": secret_settings.missing(frame.actor()),
        "form": form,
    }
    return area.page("settings/secrets.html", "secrets", context, error=form.error)
