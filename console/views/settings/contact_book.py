"""A new contact book: its name, where it lies and who may do what with it."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import sources
from console.auth import access
from console.sources import contact_books
from console.views import frame
from console.views.forms import Field, Form, Group
from console.views.settings import area
from console.views.settings.sources import ACTS, granted, may_table, read_may

blueprint = Blueprint("contact_book", __name__, url_prefix="/settings/sources")
NAME_HINT = (
    "Its collections are called by it: name.contact and name.consent. Letters, digits, - and _; it stays."
)
URL_HINT = "postgresql://user:password@host/database of an empty database. Without it, a database of its own is made beside the console’s."


@blueprint.route("/book", methods=["GET", "POST"])
def new() -> Response:
    """Show the form; a POST makes the book and goes to what was connected."""
    actor = frame.actor()
    sources.require_manager(actor)
    own = {role for role, _ in actor.roles} & access.rights().roles
    every = {act for act, _ in ACTS if act != "delete"}
    table = may_table(read_may() if request.method == "POST" else dict.fromkeys(own, every))
    url = Field("url", "URL", hint=URL_HINT)
    form = Form(
        [
            Field("name", "Name", hint=NAME_HINT, required=True),
            Group([url], "Not on the console’s own server", "fold", open=bool(request.form.get("url"))),
            table,
        ],
        {"name": "contacts"},
        "Make the book",
        icon="id-badge",
        intro="For people whom you write to and call, where no database of yours has them: contacts with stages and owners, and their consents "
        "by channel. It is a data source like any other.",
        cancel="/settings/sources",
        working="Making its tables; a few seconds…",
        css="form card pad source-form",
    )

    def make(sent: dict[str, Any]) -> Response:
        contact_books.create(actor, sent["name"], granted(read_may()), sent["url"])
        flash(f"The contact book {sent['name']} is there.")
        return frame.redirect_to(f"/settings/sources/{sent['name']}/connected")

    if made := form.submit_to(make):
        return made
    form.values = {**form.values, "url": ""}  # an address holds a password, and is not sent back
    return area.form_page("sources", form, "New contact book")
