"""Service accounts: making one, and giving it an API key."""

from flask import Blueprint, Response, flash, request

from console import accounts
from console.accounts import authority
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import frame
from console.views.settings import area, people
from console.views.settings.keys import LASTS
from console.views.settings.person_roles import named_teams, pair_fields, read_pairs, read_teams, reasons, shows_in_form

blueprint = Blueprint("service_account", __name__, url_prefix="/settings/people")


@blueprint.route("/service-account", methods=["GET", "POST"])
def new() -> Response:
    """Show the form with address, name, roles and teams; a POST makes the account."""
    who = frame.actor()
    authority.require(who)
    form = request.form
    email, name, pairs, teams = form.get("email", "")[:254], form.get("name", "")[:200], read_pairs(), read_teams()
    error: ConsoleError | None = None
    if form.get("do") == "make":
        try:
            made = accounts.create_service_account(email, pairs, name=name, teams=teams or named_teams(), by=who)
        except (Invalid, Conflict, NotAllowed) as refused:
            if not shows_in_form(refused):
                raise
            error = refused
        else:
            flash(f"{made.name} is there. A workflow chooses it under Acts as.")
            return frame.redirect_to(people.url(made.id))
    joined = teams or named_teams()
    context = {
        "email": email,
        "name": name,
        "error": error,
        "teams_of_roles": True,
        **pair_fields(pairs, joined, before=(pairs, joined), error=error),
    }
    return area.page("settings/service_account.html", "people", context, status=error.status if error else 200)


@blueprint.route("/<person_id>/new-key", methods=["GET", "POST"])
def new_key(person_id: str) -> Response:
    """Show the form for a key of a service account; a POST makes it and shows it, this once."""
    who = frame.actor()
    account = accounts.require_service_account(who, person_id)
    form, error = request.form, None
    if request.method == "POST":
        accounts.require_recent(who)
        days = form.get("days", "")
        try:
            made = accounts.create_key_for(who, account.id, form.get("name", ""), days=int(days) if days in LASTS else 0)
        except (Invalid, Conflict) as refused:
            error = refused
        else:
            context = {"account": account, "text": made.text, "expires_at": made.expires_at, "site": request.host_url.rstrip("/")}
            return area.page("settings/service_key_made.html", "people", context)
    context = {"account": account, "typed": form, "lasts": LASTS, "error": error, "wrong": reasons(error)}
    return area.page("settings/service_key.html", "people", context, status=error.status if error else 200)
