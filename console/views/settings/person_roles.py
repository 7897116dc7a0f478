"""The form of roles and teams for a person or an invitation. For a person it first shows what it would change."""

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request

from console import access, accounts
from console.access.rows import EVERY
from console.accounts import abilities, authority, identities, person_changes
from console.accounts.authority import Pair
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import formats, frame
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
        lacking = [{"field": "roles", "reason": f"choose the team in which {role} is held"} for role, team in sorted(pairs) if not team]
        return _form(person, pairs, teams, looked=True, error=Invalid("A role is held in a team.", details=lacking) if lacking else None)
    accounts.require_recent(who)
    try:
        accounts.change_roles(who, person.id, pairs, teams, by_hand=_added())
    except (Invalid, Conflict, NotAllowed) as error:
        if not shows_in_form(error):
            raise
        return _form(person, pairs, teams, error=error)
    flash(f"The roles of {person.name} are changed.")
    return frame.redirect_to(people.url(person.id))


def _form(
    person: accounts.Person, pairs: Iterable[Pair], teams: Sequence[str], *, looked: bool = False, error: ConsoleError | None = None
) -> Response:
    known, places = authority.known_roles(), {*people.team_names(), EVERY}
    pairs_shown = [(role, team) for role, team in person_changes.place_everywhere(pairs) if role in known and team in places]
    difference = abilities.difference(frame.actor(), person.id, pairs_shown) if looked or error else None
    context = {
        "person": person,
        "own": person.id == frame.actor().id,
        "gains": people.grouped(difference.gains) if difference else None,
        "losses": people.grouped(difference.losses) if difference else None,
        "error": error,
        "by_groups": {
            f"{role['role']}@{role['team']}"
            for role in identities.roles_with_sources(person.id)
            if all(source.startswith("identity:") for source in role["from"])
        },
        **pair_fields(pairs, teams, before=(person.roles, person.teams), error=error),
    }
    return area.page("settings/person_roles.html", "people", context, status=error.status if error else 200)


def shows_in_form(error: ConsoleError) -> bool:
    """Return whether the form shows the error: invalid input, or more than the sender may grant. Other refusals refuse the page."""
    return not isinstance(error, NotAllowed) or error.code != NotAllowed.default_code


def pair_fields(
    pairs: Iterable[Pair],
    teams: Sequence[str],
    *,
    before: tuple[Iterable[Pair], Iterable[str]] = ((), ()),
    error: ConsoleError | None = None,
) -> dict[str, Any]:
    """Return what `settings/pairs.html` draws: roles and teams as ticked boxes with additions marked, and rows to add more."""
    names = people.team_names()
    held, joined = set(before[0]), set(before[1])
    placed = person_changes.place_everywhere(pairs)
    unplaced, choices = sorted(role for role, team in placed if not team), people.team_choices("")
    only = choices[0].value if len(choices) == 1 else ""
    return {
        "pairs": [
            (f"{role}@{team}", people.pair_words((role, team), names), (role, team) in held) for role, team in sorted(placed) if team
        ],
        "rows": list(enumerate([*unplaced, *[""] * max(0, BLANK_ROWS - len(unplaced))], start=1)),
        "only_team": only,
        "joined": [(team, names.get(team, team), team in joined) for team in teams],
        "team_choices": choices,
        "role_choices": people.role_choices(""),
        "everywhere": sorted(formats.role_words(role) for role in access.EVERYWHERE),
        "wrong": reasons(error),
    }


def reasons(error: ConsoleError | None) -> dict[str, str]:
    """Return field → why it was refused."""
    return {str(detail["field"]): str(detail["reason"]) for detail in error.details} if error else {}


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
            for role, team in [*(person_changes.pair_of(word) for word in request.form.getlist("pair")), *_rows()]
            if role and team not in ("", "*")
        }
    )


def _rows() -> list[Pair]:
    return [(request.form.get(f"role.{number}", ""), request.form.get(f"team.{number}", "")) for number in range(1, MOST_ROWS + 1)]
