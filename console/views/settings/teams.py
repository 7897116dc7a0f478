"""Teams: the list, a team with its members, a new one, archiving, and copying another team's roles."""

from flask import Blueprint, Response, flash, request

from console import accounts
from console.access.rows import EVERY
from console.accounts import directory, teamwork
from console.accounts.authority import Pair
from console.accounts.directory import Asked
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import formats, frame
from console.views.settings import area, people
from console.views.settings.person_roles import reasons, shows_in_form

blueprint = Blueprint("teams", __name__, url_prefix="/settings/teams")

MEMBERS = 100
FIELDS = ("name", "description", "lead")


@blueprint.get("")
def show() -> Response:
    """Show every team."""
    teams = teamwork.listed(frame.actor())
    leads = accounts.names({team.lead for team, _ in teams if team.lead})
    return area.page("settings/teams.html", "teams", {"teams": [(team, sizes, leads.get(team.lead or "", "")) for team, sizes in teams]})


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form; a POST makes the team."""
    values = {name: request.form.get(name, "") for name in FIELDS}
    teamwork.listed(frame.actor())
    error: ConsoleError | None = None
    if request.method == "POST":
        try:
            made = teamwork.create(frame.actor(), **values)
        except (Invalid, Conflict) as refused:
            error = refused
        else:
            flash(f"The team {values['name'].strip()} is made.")
            return frame.redirect_to(_url(made))
    context = {"told": values, "error": error, "wrong": reasons(error)}
    return area.page("settings/team_new.html", "teams", context, status=error.status if error else 200)


@blueprint.route("/<team_id>", methods=["GET", "POST"])
def show_team(team_id: str) -> Response:
    """Show a team: name, description, lead and members."""
    who = frame.actor()
    if request.method != "POST":
        return _drawn(team_id)
    try:
        teamwork.change(
            who, team_id, **{name: request.form.get(name, "") for name in FIELDS}, second_person=request.form.get("second_person") == "yes"
        )
    except (Invalid, Conflict) as error:
        return _drawn(team_id, error)
    flash("The team is changed.")
    return frame.redirect_to(_url(team_id))


@blueprint.post("/<team_id>/members")
def members(team_id: str) -> Response:
    """Add a person (`email`), or remove one (`drop`)."""
    who, drop = frame.actor(), request.form.get("drop", "")
    try:
        if drop:
            teamwork.drop_member(who, team_id, drop)
        else:
            teamwork.add_member(who, team_id, request.form.get("email", ""))
    except (Invalid, Conflict, NotAllowed) as error:
        if not shows_in_form(error):
            raise
        return _drawn(team_id, error)
    flash("The members are changed.")
    return frame.redirect_to(_url(team_id))


@blueprint.post("/<team_id>/archive")
def archive(team_id: str) -> Response:
    """Archive the team, or reopen it with `do=reopen`."""
    reopens = request.form.get("do") == "reopen"
    try:
        (teamwork.reopen if reopens else teamwork.archive)(frame.actor(), team_id)
    except Conflict as error:
        return _drawn(team_id, error)
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
            made = teamwork.copy(who, source, team_id)
            flash(f"{len(made.rules)} rules and {len(made.inboxes)} inboxes are copied.")
            return frame.redirect_to(_url(team_id))
        brings = teamwork.copied(who, source, team_id) if source else None
    except (Invalid, Conflict) as refused:
        error = refused
    context = {
        "team": team,
        "source": source,
        "sources": [choice for choice in people.team_choices(source) if choice.value != team.id],
        "brings": brings,
        "error": error,
        "wrong": reasons(error),
    }
    return area.page("settings/team_copy.html", "teams", context, status=error.status if error else 200)


def _drawn(team_id: str, error: ConsoleError | None = None) -> Response:
    who = frame.actor()
    team = teamwork.team(who, team_id)
    listed, more = directory.listed(who, Asked(team=team_id), limit=MEMBERS)
    lead = accounts.person(team.lead).email if team.lead else ""
    values = {"name": team.name, "description": team.description, "lead": lead}
    if error is not None and "name" in request.form:
        values = {name: request.form.get(name, "") for name in FIELDS}
    context = {
        "team": team,
        "told": values,
        "members": [
            (person, _roles_in_team(person.roles, team_id), team_id in person.teams, people.STATES[person.state]) for person in listed
        ],
        "more": more,
        "error": error,
        "wrong": reasons(error),
        "typed": request.form.get("email", ""),
    }
    return area.page("settings/team.html", "teams", context, status=error.status if error else 200)


def _roles_in_team(pairs: frozenset[Pair], team_id: str) -> list[str]:
    """Return the person's roles that count in this team."""
    return [formats.role_words(role) for role, team in sorted(pairs) if team in (team_id, EVERY)]


def _url(team_id: str) -> str:
    return f"/settings/teams/{team_id}"
