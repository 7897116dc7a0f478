"""The form of roles and teams for a person or an invitation. For a person it first shows what it would change."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import access, accounts
from console.auth.access.rows import EVERY
from console.auth.accounts import abilities, authority, identities, person_changes
from console.auth.accounts.authority import Pair
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import formats, frame
from console.views.forms import WITHOUT_PLACE, Button, Field, Form, Group, Item, Lines, numbered
from console.views.settings import area, people

blueprint = Blueprint("person_roles", __name__, url_prefix="/settings/people")

BLANK_ROWS, MOST_ROWS = 2, 20


@blueprint.route("/<person_id>/roles", methods=["GET", "POST"])
def edit(person_id: str) -> Response:
    """Show roles and teams; `do=preview` shows what would change, `do=save` saves it."""
    who = frame.actor()
    authority.require(who)
    person = accounts.person(person_id)
    if request.method != "POST":
        return _form(person, person.roles, person.teams)
    pairs, teams = read_pairs(), read_teams()
    if request.form.get("do") != "save":
        lacking = [
            {"field": "roles", "reason": f"choose the team in which {role} is held"}
            for role, team in sorted(pairs)
            if not team
        ]
        return _form(
            person,
            pairs,
            teams,
            looked=True,
            error=Invalid("A role is held in a team.", details=lacking) if lacking else None,
        )
    accounts.require_recent(who)
    try:
        accounts.change_roles(who, person.id, pairs, teams, by_hand=_added())
    except (Invalid, Conflict, NotAllowed) as error:
        if error.code in WITHOUT_PLACE:
            raise
        return _form(person, pairs, teams, error=error)
    flash(f"The roles of {person.name} are changed.")
    return frame.redirect_to(people.url(person.id))


def _form(
    person: accounts.Person,
    pairs: Iterable[Pair],
    teams: Sequence[str],
    *,
    looked: bool = False,
    error: ConsoleError | None = None,
) -> Response:
    known, places, own = authority.known_roles(), {*people.team_names(), EVERY}, person.id == frame.actor().id
    pairs_shown = [
        (role, team)
        for role, team in person_changes.place_everywhere(pairs)
        if role in known and team in places
    ]
    difference = abilities.difference(frame.actor(), person.id, pairs_shown) if looked or error else None
    by_groups = {
        f"{role['role']}@{role['team']}"
        for role in identities.roles_with_sources(person.id)
        if all(source.startswith("identity:") for source in role["from"])
    }
    items, values = pair_items(pairs, teams, before=(person.roles, person.teams), by_groups=by_groups)
    form = Form(
        items,
        values,
        do="save",
        cancel=people.url(person.id),
        buttons=[Button("Show what changes", "preview", "eye")],
        submit_more={"disabled": ""} if own else {},
        error=error,
    )
    gains, losses = (
        (people.grouped(difference.gains), people.grouped(difference.losses)) if difference else (None, None)
    )
    context = {"person": person, "own": own, "gains": gains, "losses": losses, "form": form}
    trail = [(people.url(person.id), person.name)]
    return area.page(
        "settings/person_roles.html", "people", context, heading="Roles and teams", trail=trail, error=error
    )


def pair_items(
    pairs: Iterable[Pair],
    teams: Sequence[str],
    *,
    before: tuple[Iterable[Pair], Iterable[str]] = ((), ()),
    by_groups: Collection[str] = (),
    teams_of_roles: bool = False,
) -> tuple[list[Item], dict[str, Any]]:
    """Return the fields of roles and teams with their values: ticked ones stay, additions are marked, lines below add some."""
    names = people.team_names()
    held, joined = set(before[0]), set(before[1])
    placed = person_changes.place_everywhere(pairs)
    unplaced, choices = sorted(role for role, team in placed if not team), people.team_choices()
    rows = [*unplaced, *[""] * max(0, BLANK_ROWS - len(unplaced))]
    ticked = [
        (
            value := f"{role}@{team}",
            people.pair_words((role, team), names),
            "new" if (role, team) not in held else "by group" if value in by_groups else "",
        )
        for role, team in sorted(placed)
        if team
    ]
    everywhere = ", ".join(sorted(formats.role_words(role) for role in access.EVERYWHERE))
    roles = [("", "Add a role"), *people.role_choices()]
    places = [("", "Team"), *choices]
    columns = [
        Field("role.{row}", "Role", "select", choices=roles),
        Field("team.{row}", "Team", "select", choices=places),
    ]
    only = choices[0][0] if len(choices) == 1 else ""
    added = numbered([{"role": role, "team": only} for role in rows], start=1)
    group_hint = (
        "A role by group goes when the group goes, and comes back with it. Add it below to give it by hand too."
        if by_groups
        else ""
    )
    default = " Where none is chosen, those of the roles." if teams_of_roles and not teams else ""
    items: list[Item] = [
        Field("pair", "Roles", "checks", group_hint, ticked, key="pairs")
        if ticked
        else Group([], "Roles", "fieldset", "No role yet."),
        Lines(
            "roles",
            "Add roles",
            columns,
            added,
            f"{everywhere}: held everywhere, whatever team stands beside them.",
        ),
    ]
    if teams:
        marked = [(team, names.get(team, team), "" if team in joined else "new") for team in teams]
        items.append(Field("joined", "Teams", "checks", choices=marked, key="joined_teams"))
    items.append(
        Field(
            "join",
            "Another team" if teams else "Team",
            "select",
            f"Whom they work with: tasks and notices to a team reach its members.{default}",
            [("", "Add a team"), *choices],
            required=not teams and not teams_of_roles,
            key="teams",
        )
    )
    return items, {"pairs": [value for value, *_ in ticked], "joined_teams": list(teams)}


def read_pairs() -> frozenset[Pair]:
    """Return the roles in the form: the ticked ones (`pair`), and rows that add one (`role.1`, `team.1`)."""
    ticked = {person_changes.pair_of(word) for word in request.form.getlist("pair")}
    return person_changes.place_everywhere(ticked | _added())


def _added() -> set[Pair]:
    """Return the roles in the rows that add one."""
    return {(role, team) for role, team in _rows() if role}


def read_teams() -> list[str]:
    """Return the teams in the form: the ticked ones (`joined`), and one to add (`join`)."""
    teams = [*request.form.getlist("joined"), request.form.get("join", "")]
    return sorted({team for team in teams if team})


def named_teams() -> list[str]:
    """Return the teams named with a role in the form."""
    return sorted(
        {
            team
            for role, team in [
                *(person_changes.pair_of(word) for word in request.form.getlist("pair")),
                *_rows(),
            ]
            if role and team not in ("", "*")
        }
    )


def _rows() -> list[Pair]:
    return [
        (request.form.get(f"role.{number}", ""), request.form.get(f"team.{number}", ""))
        for number in range(1, MOST_ROWS + 1)
    ]
