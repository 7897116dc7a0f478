"""Settings, System: the name, contact, logo and colours of the installation."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import access
from console.infra import branding
from console.operations import branding_changes
from console.views import frame
from console.views.forms import Field, Form, Group
from console.views.settings import area

blueprint = Blueprint("system", __name__, url_prefix="/settings/system")

ITEMS = (
    Field("name", "Name", max_length=branding_changes.LONGEST_NAME),
    Field(
        "contact",
        "Contact",
        placeholder="help@example.com · +31 20 794 6000",
        max_length=branding_changes.LONGEST_CONTACT,
    ),
    Field(
        "logo",
        "Logo",
        "file",
        f"PNG or JPEG, at most {branding_changes.LOGO_KB} KB.",
        more={"accept": ".png,.jpg,.jpeg"},
        value="",
    ),
    Group([Field("light", "Colour, light theme", "color"), Field("dark", "Colour, dark theme", "color")]),
)


@blueprint.route("", methods=["GET", "POST"])
def show() -> Response:
    """Show the page, for those who manage data sources; a POST saves everything at once."""
    access.require(frame.actor(), None, "source", "manage")
    ours = branding.current()
    remove = [Field("remove", "Remove the logo", "check")] if ours.logo else []
    form = Form(
        [*ITEMS[:3], *remove, *ITEMS[3:]],
        {name: getattr(ours, name) for name in ("name", "contact", "light", "dark")},
        title="Name, logo and colours",
        intro="Shown on sign-in, pages for people without an account, e-mails and PDFs.",
        css="card pad form narrow",
        more={"enctype": "multipart/form-data"},
    )

    def save(sent: dict[str, Any]) -> Response:
        upload = request.files.get("logo")
        logo = (upload.filename, upload.stream.read()) if upload is not None and upload.filename else None
        branding_changes.change(
            frame.actor(),
            **{name: sent[name] for name in ("name", "contact", "light", "dark")},
            logo=logo or (("", b"") if sent.get("remove") else None),
        )
        flash("Saved; it is in force everywhere within a second")
        return frame.redirect_to("/settings/system")

    return form.submit_to(save) or area.form_page("system", form)
