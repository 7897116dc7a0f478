"""People: the list, also as CSV, and how pages about people word roles and teams."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from console.auth import accounts
from console.auth.access.rows import EVERY
from console.auth.accounts import authority, directory
from console.auth.accounts.authority import Pair
from console.auth.accounts.directory import Asked, Entry
from console.formats.spreadsheets import escape_formula
from console.views import downloads, formats, frame
from console.views.forms import Cell, Column, Table
from console.views.settings import area

blueprint = Blueprint("people", __name__, url_prefix="/settings/people")

PAGE_SIZE = 50
SERVICE = frame.Badge("Service account", "info", "robot")
STATES = {
    "active": frame.Badge("Active", "good"),
    "invited": frame.Badge("Invited", "info", "mail"),
    "disabled": frame.Badge("Closed", "warn", "user-off"),
    "removed": frame.Badge("Removed", "", "x"),
}
TABS = (
    ("", "People"),
    ("active", "Active"),
    ("invited", "Invited"),
    ("disabled", "Closed"),
    ("removed", "Removed"),
)
COLUMNS = ("name", "email", "kind", "state", "roles", "teams", "second_factor", "last_seen", "id")


@blueprint.get("")
def show() -> Response:
    """Show the list: `?q=`, `team`, `role`, `state`, and `after` for the next page."""
    who, query = frame.actor(), _query()
    people, following = directory.list_people(who, query, limit=PAGE_SIZE)
    counts, names = directory.counts(who), team_names()
    tabs = [
        {
            "label": label,
            "href": frame.present_address(state=state or None, after=None),
            "here": query.state == state,
            "count": sum(counts.values()) - counts["removed"] if not state else counts[state],
        }
        for state, label in TABS
    ]
    filters = {"q": query.text, "team": query.team, "role": query.role, "state": query.state}
    lines = [
        (
            Cell(
                person.name,
                url(person.id if person.state != "invited" else f"invitations/{person.id}"),
                SERVICE if person.kind == "service" else None,
                person.email if person.email != person.name else "",
            ),
            Cell(badge=STATES[person.state]),
            Markup("<br>").join(role_words(person.roles, names)),
            team_words(person, names),
            "Yes"
            if person.factor
            else ""
            if person.kind == "service" or person.state in ("invited", "removed")
            else "No",
            _last_seen(person),
        )
        for person in people
    ]
    context = {
        "asked": query,
        "tabs": tabs,
        "people": Table(
            "People",
            ("Name", "State", "Roles", "Teams", "2nd factor", Column("Last seen", "d")),
            lines,
            "cards people",
        ),
        "teams": team_choices(query.team),
        "roles": role_choices(),
        **frame.page_places(following, query.after),
        "csv": frame.with_query(
            "/settings/people/people.csv", {name: value or None for name, value in filters.items()}
        ),
        "narrowed": bool(query.text or query.team or query.role),
    }
    return area.page("settings/people.html", "people", context)


def _last_seen(person: Entry) -> Any:
    if not person.seen_at and person.expires_at:
        return Markup("link until {}").format(formats.when(person.expires_at, frame.look()))
    return person.seen_at or ("" if person.kind == "service" else "never")


@blueprint.get("/people.csv")
def export() -> Response:
    """Download the filtered list as CSV."""
    query, names = _query(), team_names()
    people = list(directory.every(frame.actor(), query))
    filters = {
        name: value
        for name, value in (
            ("text", query.text),
            ("team", query.team),
            ("role", query.role),
            ("state", query.state),
        )
        if value
    }
    return downloads.csv_text(
        frame.actor(), "people.csv", "".join(_lines(iter(people), names)), len(people), filter=filters
    )


def url(person_id: str, rest: str = "") -> str:
    """Return the address of a person's page, or of a page below it."""
    return f"/settings/people/{person_id}" + (f"/{rest}" if rest else "")


def team_names() -> dict[str, str]:
    """Return team id → name, including archived teams."""
    return {team.id: team.name for team in accounts.teams()}


def team_choices(chosen: str = "") -> list[tuple[str, str]]:
    """Return the open teams, and the chosen one even if it is archived."""
    return [(team.id, team.name) for team in accounts.teams() if not team.archived or team.id == chosen]


def role_choices() -> list[tuple[str, str]]:
    """Return every role of the present policy."""
    return [(role, formats.role_words(role)) for role in authority.known_roles()]


def pair_words(pair: Pair, names: dict[str, str]) -> str:
    """Return a role in a team in words: `Lead in Operations`, `Admin everywhere`."""
    role, team = pair
    return (
        f"{formats.role_words(role)} everywhere"
        if team == EVERY
        else f"{formats.role_words(role)} in {names.get(team, team)}"
    )


def role_words(pairs: frozenset[Pair], names: dict[str, str]) -> list[str]:
    """Return the roles by team: `Operations: Lead, Reviewer`; those held everywhere first."""
    places: dict[str, list[str]] = {}
    for role, team in sorted(pairs):
        places.setdefault(team, []).append(formats.role_words(role))
    return [
        f"{'Everywhere' if team == EVERY else names.get(team, team)}: {', '.join(held)}"
        for team, held in sorted(places.items())
    ]


def team_words(entry: Entry, names: dict[str, str]) -> str:
    """Return the names of a person's teams."""
    return ", ".join(names.get(team, team) for team in entry.teams)


def grouped(abilities: Sequence[accounts.Ability]) -> list[tuple[str, list[accounts.Ability]]]:
    """Return the sentences grouped by place, in order."""
    places: dict[str, list[accounts.Ability]] = {}
    for ability in abilities:
        places.setdefault(ability.place, []).append(ability)
    return list(places.items())


def _query() -> Asked:
    given: dict[str, Any] = {name: request.args.get(name, "") for name in ("team", "role", "state")}
    return Asked(text=request.args.get("q", "")[:200], after=request.args.get("after"), **given)


def _lines(people: Iterator[Entry], names: dict[str, str]) -> Iterator[str]:
    yield _csv(COLUMNS)
    for entry in people:
        roles = " · ".join(role_words(entry.roles, names))
        seen = entry.seen_at.isoformat(timespec="seconds") if entry.seen_at else ""
        yield _csv(
            (
                entry.name,
                entry.email,
                entry.kind,
                entry.state,
                roles,
                team_words(entry, names),
                "yes" if entry.factor else "no",
                seen,
                entry.id,
            )
        )


def _csv(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([escape_formula(cell) for cell in cells])
    return out.getvalue()
