"""Invite people, and pending invitations."""

from flask import Blueprint, Response, flash, request

from console import accounts, settings
from console.accounts import abilities, authority, invitations
from console.accounts.invitations import Sent
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import frame
from console.views.settings import area, people
from console.views.settings.person_roles import named_teams, pair_fields, read_pairs, read_teams, shows_in_form

blueprint = Blueprint("invite", __name__, url_prefix="/settings/people")


@blueprint.route("/invite", methods=["GET", "POST"])
def new() -> Response:
    """Show the form with mail address, roles and teams; a POST sends the invitation."""
    who = frame.actor()
    authority.require(who)
    email, pairs, teams = request.form.get("email", "")[:254], read_pairs(), read_teams()
    error: ConsoleError | None = None
    if request.form.get("do") == "send":
        try:
            return _sent(accounts.invite(who, email, pairs, teams or named_teams()))
        except (Invalid, Conflict, NotAllowed) as refused:
            if not shows_in_form(refused):
                raise
            error = refused
    context = {
        "email": email,
        "error": error,
        "mails": settings.current().smtp is not None,
        "teams_of_roles": True,
        **pair_fields(pairs, teams or named_teams(), before=(pairs, teams or named_teams()), error=error),
    }
    return area.page("settings/invite.html", "people", context, status=error.status if error else 200)


@blueprint.get("/invitations/<invitation_id>")
def show_invitation(invitation_id: str) -> Response:
    """Show a pending invitation."""
    invitation = invitations.invitation(frame.actor(), invitation_id)
    names = people.team_names()
    context = {
        "invitation": invitation,
        "trouble": invitations.trouble_of(invitation),
        "roles": people.role_words(invitation.roles, names),
        "teams": [names.get(team, team) for team in invitation.teams],
        "may": people.grouped(abilities.ability_sentences(abilities.rights(invitation.roles))),
        "by": accounts.names([invitation.invited_by]).get(invitation.invited_by, "Command line"),
    }
    return area.page("settings/invitation.html", "people", context)


@blueprint.post("/invitations/<invitation_id>/resend")
def resend(invitation_id: str) -> Response:
    """Make a new link; the old one stops working."""
    return _sent(accounts.resend(frame.actor(), invitation_id))


@blueprint.post("/invitations/<invitation_id>/revoke")
def revoke(invitation_id: str) -> Response:
    """Make the link useless."""
    accounts.revoke(frame.actor(), invitation_id)
    flash("The invitation is revoked.")
    return frame.redirect_to("/settings/people?state=invited")


def _sent(sent: Sent) -> Response:
    """Redirect to the list if a mail was sent; else show the link, this once."""
    if sent.mailed:
        flash(f"An invitation went to {sent.email}.")
        return frame.redirect_to("/settings/people?state=invited")
    link = (settings.current().base_url or request.host_url.rstrip("/")) + sent.path
    return area.page("settings/invited.html", "people", {"sent": sent, "link": link})
