"""A new contact book: its name, where it lies and who may do what with it."""

from flask import Blueprint, Response, flash, request

from console import access, sources
from console.contacts import books
from console.errors import Conflict, Invalid
from console.views import formats, frame
from console.views.settings import area
from console.views.settings.sources import ACTS, granted

blueprint = Blueprint("contact_book", __name__, url_prefix="/settings/sources")


@blueprint.route("/book", methods=["GET", "POST"])
def new() -> Response:
    """Show the form; a POST makes the book and goes to what was connected."""
    actor = frame.actor()
    sources.require_manager(actor)
    if request.method != "POST":
        own = {role for role, _ in actor.roles} & access.rights().roles
        return _form({"name": "contacts"}, {role: {act for act, _ in ACTS if act != "delete"} for role in own})
    may = {role: acts for role in sorted(access.rights().roles) if (acts := set(request.form.getlist(f"may.{role}")))}
    typed = {name: request.form.get(name, "").strip() for name in ("name", "url")}
    try:
        books.create(actor, typed["name"], granted(may), typed["url"])
    except (Invalid, Conflict) as wrong:
        return _form({"name": typed["name"]}, may, wrong)  # an address holds a password, and is not sent back
    flash(f"The contact book {typed['name']} is there.")
    return frame.redirect_to(f"/settings/sources/{typed['name']}/connected")


def _form(typed: dict[str, str], may: dict[str, set[str]], wrong: Invalid | Conflict | None = None) -> Response:
    reasons = {str(detail["field"]): str(detail["reason"]) for detail in wrong.details} if wrong else {}
    if wrong and not reasons.keys() & {"name", "url", "may"}:
        reasons[""] = wrong.message
    context = {
        "typed": {"name": "", "url": ""} | typed, "wrong": {"": ""} | reasons, "roles": sorted(access.rights().roles), "role_words": formats.role_words,
        "acts": ACTS, "may": may,
    }  # fmt: skip
    return area.page("settings/contact_book.html", "sources", context, status=422 if wrong else 200)
