"""Teams: creating, describing, leading, joining, leaving and archiving."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access, notify
from console.auth.accounts import authority, person_changes, persons
from console.auth.accounts.persons import Team
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound
from console.core.plain_words import slug
from console.infra.db import engine as db

LONGEST_NAME, LONGEST_DESCRIPTION = 60, 500
NAMED = 5

_ROW = sa.text(
    "select id, name, description, lead, archived_at is not null as archived, second_person from console.team where id = :id for update"
)
_INSERT = sa.text("insert into console.team (id, name) values (:id, :name) on conflict do nothing")
_UPDATE = sa.text(
    "update console.team set name = :name, description = :description, lead = :lead, second_person = :second_person where id = :id"
)
_SIZES = sa.text(
    "select t.id, (select count(*) from console.person_team m where m.team = t.id) as members,"
    " (select count(*) from console.workflow w where w.team = t.id and not 'workflow:' || w.slug = any(:hidden)) as workflows,"
    " (select count(*) from console.inbox i where i.team = t.id and i.closed_at is null) as inboxes from console.team t"
)
_OWNED = {
    "live run": "select r.id from {runs} where r.team = :team and r.ended_at is null order by r.created_at limit 100",
    "workflow": "select w.title from console.workflow w where w.team = :team and w.status not in ('completed', 'cancelled')"
    " and not 'workflow:' || w.slug = any(:hidden) order by w.title",
    "inbox": "select i.title from console.inbox i where i.team = :team and i.closed_at is null order by i.title",
    "person": "select p.name from console.person p where p.removed_at is null and (p.id in (select t.person from console.person_team t where t.team = :team)"
    " or p.id in (select substr(g.sub, 6) from console.policy g where g.ptype = 'g' and g.dom = 't:' || :team and g.sub like 'user:%')) order by p.name",
}
_PLURALS = {"live run": "live runs", "workflow": "workflows", "inbox": "inboxes", "person": "people"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a team has, as numbers."""

    members: int
    workflows: int
    inboxes: int


def list_teams(actor: Actor) -> list[tuple[Team, Sizes]]:
    """All teams by name, archived ones last. Raises NotAllowed."""
    authority.require(actor)
    sizes = {
        row.id: Sizes(row.members, row.workflows, row.inboxes)
        for row in db.read_rows(_SIZES, {"hidden": access.hidden_from(actor)})
    }
    return sorted(((team, sizes[team.id]) for team in persons.teams()), key=lambda one: one[0].archived)


def team(actor: Actor, team_id: str) -> Team:
    """The team. Raises NotAllowed, NotFound."""
    authority.require(actor)
    found = next((one for one in persons.teams() if one.id == team_id), None)
    if found is None:
        raise NotFound
    return found


def create(actor: Actor, name: str, description: str = "", lead: str = "") -> str:
    """Create a team; `lead` is the leader's address. Returns its permanent id. Raises NotAllowed, Invalid, Conflict."""
    _refuse_bad(name, description)
    ident = _free(name)
    with authority.changing(actor) as connection:
        if not connection.execute(_INSERT, {"id": ident, "name": name.strip()}).rowcount:
            reason = f"there is a team {ident!r} already"
            raise Conflict(f"There is a team {name.strip()} already.", code="team_taken", at=("name", reason))
        columns = {"name": name.strip(), "description": description.strip(), "lead": _lead(connection, lead)}
        connection.execute(_UPDATE, {"id": ident, **columns, "second_person": False})
        note_change(actor, connection, ident, ["made"], told={"lead": columns["lead"]}, new=columns)
    return ident


def change(
    actor: Actor,
    team_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    lead: str | None = None,
    second_person: bool | None = None,
) -> None:
    """Change name, description, leader (an address; empty: nobody) and whether publishing its workflows needs a second person; None stays.

    Raises NotAllowed, NotFound, Invalid, Conflict if archived.
    """
    _refuse_bad("-" if name is None else name, description or "")
    with authority.changing(actor) as connection:
        before = require_open(connection, team_id)
        new = {
            "name": before.name if name is None else name.strip(),
            "description": before.description if description is None else description.strip(),
            "lead": before.lead if lead is None else _lead(connection, lead),
            "second_person": before.second_person if second_person is None else second_person,
        }
        fields = [field for field in new if new[field] != getattr(before, field)]
        if not fields:
            return
        connection.execute(_UPDATE, {"id": team_id, **new})
        old = {field: getattr(before, field) for field in fields}
        note_change(
            actor,
            connection,
            team_id,
            fields,
            told={"lead": new["lead"], "lead_before": before.lead},
            old=old,
            new={field: new[field] for field in fields},
        )


def add_member(actor: Actor, team_id: str, email: str) -> None:
    """Add the person with this address to the team. Raises NotAllowed, NotFound, Invalid on `email`, Conflict if archived."""
    try:
        person = persons.person_of_email(email)
    except NotFound as error:
        raise Invalid(error.message, at="email") from None
    person_changes.change_teams(actor, person.id, add=team_id)


def drop_member(actor: Actor, team_id: str, person_id: str) -> None:
    """Remove the person from the team; their roles there stay. Raises NotAllowed, NotFound, Invalid for their only team."""
    person_changes.change_teams(actor, person_id, drop=team_id)


def archive(actor: Actor, team_id: str) -> None:
    """Archive the team; its past work stays. Raises NotAllowed, NotFound, and Conflict naming what it still has.

    Things with a label that the actor is not cleared for are not counted or named and do not stop it; those who may see them are notified.
    """
    with authority.changing(actor) as connection:
        require_open(connection, team_id)
        owned = [words for kind in _OWNED if (words := _named(actor, connection, kind, team_id))]
        if owned:
            raise Conflict(
                f"The team still has {'; '.join(owned)}. End, move or close these first.",
                code="team_in_use",
                details=[("team", words) for words in owned],
            )
        notify.before_change(connection, actor, "team_archived", team_id)
        connection.execute(
            sa.text("update console.team set archived_at = now(), lead = null where id = :id"),
            {"id": team_id},
        )
        note_change(actor, connection, team_id, ["archived"])


def reopen(actor: Actor, team_id: str) -> None:
    """Reopen an archived team. Raises NotAllowed, NotFound."""
    with authority.changing(actor) as connection:
        found = require_team(connection, team_id)
        if found.archived:
            connection.execute(
                sa.text("update console.team set archived_at = null where id = :id"), {"id": team_id}
            )
            note_change(actor, connection, team_id, ["reopened"])


def _named(actor: Actor, connection: Connection, kind: str, team_id: str) -> str:
    """`2 workflows (KYC review, Refund)`; empty if the team has none that the actor may know of."""
    parameters = {"team": team_id} | ({"hidden": access.hidden_from(actor)} if kind == "workflow" else {})
    statement = sa.text(_OWNED[kind].format(runs=access.runs(actor).sql()))
    found = [str(name) for name in connection.execute(statement, parameters).scalars()]
    if not found:
        return ""
    shown = ", ".join(found[:NAMED]) + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")
    return f"{len(found)} {kind if len(found) == 1 else _PLURALS[kind]} ({shown})"


def require_team(connection: Connection, team_id: str) -> Any:
    """Lock the row of the team and return it. Raises NotFound."""
    found = connection.execute(_ROW, {"id": team_id.replace("\0", "")}).one_or_none()
    if found is None:
        raise NotFound
    return found


def require_open(connection: Connection, team_id: str) -> Any:
    """Lock the row of the team and return it. Raises NotFound, and Conflict for an archived team."""
    found = require_team(connection, team_id)
    if found.archived:
        raise Conflict(f"The team {found.name} is archived: open it again first.", code="team_archived")
    return found


def _lead(connection: Connection, email: str) -> str | None:
    if not email.strip():
        return None
    statement = sa.text("select id from console.person where email = :email and disabled_at is null")
    found = connection.execute(statement, {"email": email.strip().lower().replace("\0", "")}).scalar()
    if found is None:
        raise Invalid(
            "Nobody leads the team by this address.",
            at=("lead", "takes the address of somebody who may sign in"),
        )
    return str(found)


def _free(name: str) -> str:
    """The id that the name gives; a free one where it has no Latin letter or begins with a digit. Raises Invalid for a name of signs alone."""
    plain = slug(name, "_")
    if plain[:1].isalpha() or not any(letter.isalnum() for letter in name):
        return persons.team_id(name)
    teams = persons.teams()
    if named := next((team.id for team in teams if team.name.casefold() == name.strip().casefold()), None):
        return named
    first, taken = f"team_{plain}".rstrip("_"), {team.id for team in teams}
    return next(
        each
        for each in (first, *(f"{first}_{number}" for number in range(2, len(taken) + 3)))
        if each not in taken
    )


def _refuse_bad(name: str, description: str) -> None:
    details = []
    if not (0 < len(name.strip()) <= LONGEST_NAME and name.strip().isprintable()):
        details.append(("name", f"takes 1 to {LONGEST_NAME} printable characters"))
    if len(description.strip()) > LONGEST_DESCRIPTION or "\0" in description:
        details.append(("description", f"takes at most {LONGEST_DESCRIPTION} characters"))
    if details:
        raise Invalid("This cannot be kept.", details=details)


def note_change(
    actor: Actor,
    connection: Connection,
    team_id: str,
    fields: list[str],
    *,
    told: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Write that fields of the team changed."""
    sealed = {name: value for name, value in (("old", old), ("new", new)) if value}
    opened = {"team": team_id, "fields": fields, **(told or {})}
    log.note(actor, "team_changed", open=opened, sealed=sealed, chain="sys:config", connection=connection)
