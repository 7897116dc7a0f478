"""Teams: the list, a team with its members, a new one, archiving, and copying another team's roles."""

from textwrap import shorten
from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import accounts
from console.auth.access.rows import EVERY
from console.auth.accounts import directory, teamwork
from console.auth.accounts.authority import Pair
from console.auth.accounts.directory import Asked
from console.core.errors import Conflict, ConsoleError, Invalid
from console.permissions import team_copies
from console.views import formats, frame
from console.views.forms import Cell, Column, Field, Form, Table
from console.views.settings import area, people

blueprint = Blueprint("teams", __name__, url_prefix="/settings/teams")

MEMBERS = 100
ARCHIVED = frame.Badge("Archived")
COLUMNS = ("Team", "Lead", Column("Members", "r"), Column("Workflows", "r"), Column("Inboxes", "r"))
FIELDS = (
    Field("name", "Name", required=True, max_length=60, refused_as=("team",)),
    Field("description", "Description", "area", max_length=500, rows=2),
    Field("lead", "Lead (e-mail)", "email", "Whom to ask. It gives no right: roles do."),
)
SECOND_PERSON = Field(
    "second_person", "Publishing a workflow of this team needs a second person", "check", sent="yes"
)


@blueprint.get("")
def show() -> Response:
    """Show every team."""
    teams = teamwork.list_teams(frame.actor())
    leads = accounts.names({team.lead for team, _ in teams if team.lead})
    lines = [
        (
            Cell(
                team.name,
                _url(team.id),
                ARCHIVED if team.archived else None,
                shorten(team.description or "", 140, placeholder="…"),
            ),
            leads.get(team.lead or "", ""),
            sizes.members,
            sizes.workflows,
            sizes.inboxes,
        )
        for team, sizes in teams
    ]
    return area.page(
        "settings/teams.html", "teams", {"teams": Table("Teams", COLUMNS, lines, "cards people")}
    )


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form; a POST makes the team."""
    teamwork.list_teams(frame.actor())
    aside = "Files and rules name the team by the small letters of this first name; renamed later, they go on doing so."
    form = Form(FIELDS, submit="Make the team", cancel="/settings/teams", aside=aside)
    return form.submit_to(_make) or area.form_page("teams", form, "New team")


def _make(sent: dict[str, Any]) -> Response:
    made = teamwork.create(frame.actor(), **sent)
    flash(f"The team {sent['name']} is made.")
    return frame.redirect_to(_url(made))


@blueprint.route("/<team_id>", methods=["GET", "POST"])
def show_team(team_id: str) -> Response:
    """Show a team: name, description, lead and members."""
    form = _form(teamwork.team(frame.actor(), team_id))

    def change(sent: dict[str, Any]) -> Response:
        teamwork.change(frame.actor(), team_id, **sent)
        flash("The team is changed.")
        return frame.redirect_to(_url(team_id))

    return form.submit_to(change) or _drawn(team_id, form)


def _form(team: accounts.Team) -> Form:
    lead = accounts.person(team.lead).email if team.lead else ""
    values = {
        "name": team.name,
        "description": team.description,
        "lead": lead,
        "second_person": team.second_person,
    }
    return Form(
        (*FIELDS, SECOND_PERSON), values, action=_url(team.id), aside=f"Files and rules say {team.id}"
    )


@blueprint.post("/<team_id>/members")
def members(team_id: str) -> Response:
    """Add a person (`email`), or remove one (`drop`)."""
    form = _members_form(team_id)

    def change(sent: dict[str, Any]) -> Response:
        if drop := request.form.get("drop"):
            teamwork.drop_member(frame.actor(), team_id, drop)
        else:
            teamwork.add_member(frame.actor(), team_id, sent["email"])
        flash("The members are changed.")
        return frame.redirect_to(_url(team_id))

    return form.submit_to(change) or _drawn(team_id, members_form=form)


def _members_form(team_id: str) -> Form:
    field = Field(
        "email",
        "Take in (e-mail)",
        "email",
        "Members get tasks and notices of the team. What they may do here is a matter of their roles.",
    )
    return Form([field], submit="Take in", icon="user-plus", tone="", action=f"{_url(team_id)}/members")


@blueprint.post("/<team_id>/archive")
def archive(team_id: str) -> Response:
    """Archive the team, or reopen it with `do=reopen`."""
    reopens = request.form.get("do") == "reopen"
    try:
        (teamwork.reopen if reopens else teamwork.archive)(frame.actor(), team_id)
    except Conflict as error:
        return _drawn(team_id, error=error)
    flash("The team is open again." if reopens else "The team is archived.")
    return frame.redirect_to(_url(team_id))


@blueprint.route("/<team_id>/copy", methods=["GET", "POST"])
def copy(team_id: str) -> Response:
    """Copy the roles and inboxes of another team (`source`); first shown, then made with `do=copy`."""
    who, source = frame.actor(), request.values.get("source", "")
    team = teamwork.team(who, team_id)
    brings, error = None, None
    try:
        if request.method == "POST" and request.form.get("do") == "copy":
            made = team_copies.copy(who, source, team_id)
            flash(f"{len(made.rules)} rules and {len(made.inboxes)} inboxes are copied.")
            return frame.redirect_to(_url(team_id))
        brings = team_copies.copied(who, source, team_id) if source else None
    except (Invalid, Conflict) as refused:
        error = refused
    choices = [
        ("", "Choose a team"),
        *(choice for choice in people.team_choices(source) if choice[0] != team.id),
    ]
    form = Form(
        [Field("source", "Copy from", "select", choices=choices, more={"data-submit": ""})],
        {"source": source},
        "Show what it brings",
        tone="",
        method="get",
        error=error,
    )
    context = {"team": team, "source": source, "brings": brings, "form": form}
    return area.page(
        "settings/team_copy.html",
        "teams",
        context,
        heading="Copy",
        trail=[(_url(team.id), team.name)],
        error=error,
    )


def _drawn(
    team_id: str,
    form: Form | None = None,
    *,
    members_form: Form | None = None,
    error: ConsoleError | None = None,
) -> Response:
    who = frame.actor()
    team = teamwork.team(who, team_id)
    listed, more = directory.list_people(who, Asked(team=team_id), limit=MEMBERS)
    context = {
        "team": team,
        "form": form or _form(team),
        "members_form": members_form or _members_form(team_id),
        "members": [
            (
                person,
                _roles_in_team(person.roles, team_id),
                team_id in person.teams,
                people.STATES[person.state],
            )
            for person in listed
        ],
        "more": more,
        "refused": error,
    }
    error = error or (form or members_form or _members_form(team_id)).error
    return area.page("settings/team.html", "teams", context, heading=team.name, error=error)


def _roles_in_team(pairs: frozenset[Pair], team_id: str) -> list[str]:
    """Return the person's roles that count in this team."""
    return [formats.role_words(role) for role, team in sorted(pairs) if team in (team_id, EVERY)]


def _url(team_id: str) -> str:
    return f"/settings/teams/{team_id}"
