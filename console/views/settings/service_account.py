"""Service accounts: making one, and giving it an API key."""

from typing import Any

from flask import Blueprint, Response, flash

from console.auth import accounts
from console.auth.accounts import authority
from console.views import frame
from console.views.forms import Button, Field, Form
from console.views.settings import area, keys, people
from console.views.settings.person_roles import named_teams, pair_items, read_pairs, read_teams

blueprint = Blueprint("service_account", __name__, url_prefix="/settings/people")
MORE_ROLES = Button("More roles", "more", "plus")


@blueprint.route("/service-account", methods=["GET", "POST"])
def new() -> Response:
    """Show the form with address, name, roles and teams; a POST makes the account."""
    who = frame.actor()
    authority.require(who)
    pairs, teams = read_pairs(), read_teams() or named_teams()
    items, values = pair_items(pairs, teams, before=(pairs, teams), teams_of_roles=True)
    named = [
        Field(
            "email",
            "Address",
            "email",
            "Workflows name the account by it. No mail goes there.",
            required=True,
            max_length=254,
        ),
        Field("name", "Name", max_length=200),
    ]
    form = Form(
        [*named, *items],
        values,
        "Make the account",
        intro="Nobody signs in to it. Workflows run as it while nobody watches, and API keys may belong to it. "
        "It may do what its roles allow, and approves nothing.",
        do="make",
        buttons=[MORE_ROLES],
        cancel="/settings/people",
    )

    def make(sent: dict[str, Any]) -> Response:
        made = accounts.create_service_account(sent["email"], pairs, name=sent["name"], teams=teams, by=who)
        flash(f"{made.name} is there. A workflow chooses it under Runs as.")
        return frame.redirect_to(people.url(made.id))

    return form.submit_to(make) or area.form_page("people", form, "New service account")


@blueprint.route("/<person_id>/new-key", methods=["GET", "POST"])
def new_key(person_id: str) -> Response:
    """Show the form for a key of a service account; a POST makes it and shows it, this once."""
    who = frame.actor()
    account = accounts.require_service_account(who, person_id)
    form = Form(
        [Field("name", "What it is for", required=True, max_length=200, more={"autofocus": ""}), keys.DAYS],
        {"days": "90"},
        "Make the key",
        intro=f"The key may do what the roles of {account.name} allow, and approves nothing.",
        cancel=people.url(account.id),
    )

    def make(sent: dict[str, Any]) -> Response:
        accounts.require_recent(who)
        made = accounts.create_key_for(who, account.id, sent["name"], days=keys.days_of(sent))
        return keys.key_page("people", account.name, made, then=people.url(account.id), whose=account.name)

    return form.submit_to(make) or area.form_page(
        "people", form, "New key", [(people.url(account.id), account.name)]
    )
