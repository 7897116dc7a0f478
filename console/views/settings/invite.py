"""Invite people, and pending invitations."""

from flask import Blueprint, Response, flash, request

from console.auth import accounts
from console.auth.accounts import abilities, authority, invitations
from console.auth.accounts.invitations import Sent
from console.infra import settings
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import area, people
from console.views.settings.person_roles import named_teams, pair_items, read_pairs, read_teams
from console.views.settings.service_account import MORE_ROLES

blueprint = Blueprint("invite", __name__, url_prefix="/settings/people")
LETTERS = {
    "none": "none: the link was handed over",
    "sent": "sent",
    "failed": "did not go out.",
    "unknown": "it is not known whether it arrived.",
}
INVITED = ("/settings/people?state=invited", "Invited")


@blueprint.route("/invite", methods=["GET", "POST"])
def new() -> Response:
    """Show the form with mail address, roles and teams; a POST sends the invitation."""
    who = frame.actor()
    authority.require(who)
    pairs, teams = read_pairs(), read_teams() or named_teams()
    items, values = pair_items(pairs, teams, before=(pairs, teams), teams_of_roles=True)
    hint = (
        "A letter with a link goes there. The link works once, for seven days."
        if settings.current().smtp is not None
        else "No mail goes out from here: you get a link to hand over. It works once, for seven days."
    )
    email = Field("email", "E-mail", "email", hint, required=True, max_length=254)
    form = Form([email, *items], values, "Invite", do="send", buttons=[MORE_ROLES], cancel="/settings/people")
    made = form.submit_to(lambda sent: _sent(accounts.invite(who, sent["email"], pairs, teams)))
    return made or area.form_page("people", form, "Invite")


@blueprint.get("/invitations/<invitation_id>")
def show_invitation(invitation_id: str) -> Response:
    """Show a pending invitation."""
    invitation = invitations.invitation(frame.actor(), invitation_id)
    names = people.team_names()
    trouble = invitations.trouble_of(invitation)
    context = {
        "invitation": invitation,
        "letter": f"{LETTERS[invitation.mail]} {trouble}" if trouble else LETTERS[invitation.mail],
        "roles": people.role_words(invitation.roles, names),
        "teams": [names.get(team, team) for team in invitation.teams],
        "may": people.grouped(abilities.ability_sentences(abilities.rights(invitation.roles))),
        "by": accounts.names([invitation.invited_by]).get(invitation.invited_by, "Command line"),
    }
    return area.page("settings/invitation.html", "people", context, heading=invitation.email, trail=[INVITED])


@blueprint.post("/invitations/<invitation_id>/resend")
def resend(invitation_id: str) -> Response:
    """Make a new link; the old one stops working."""
    return _sent(accounts.resend(frame.actor(), invitation_id))


@blueprint.post("/invitations/<invitation_id>/revoke")
def revoke(invitation_id: str) -> Response:
    """Make the link useless."""
    accounts.revoke(frame.actor(), invitation_id)
    flash("The invitation is revoked.")
    return frame.redirect_to(INVITED[0])


def _sent(sent: Sent) -> Response:
    """Redirect to the list if a mail was sent; else show the link, this once."""
    if sent.mailed:
        flash(f"An invitation went to {sent.email}.")
        return frame.redirect_to(INVITED[0])
    link = (settings.current().base_url or request.host_url.rstrip("/")) + sent.path
    return area.page("settings/invited.html", "people", {"sent": sent, "link": link}, heading="Invited")
