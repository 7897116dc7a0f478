"""Service accounts: accounts that nobody signs in to. Runs that nobody holds act with their rights, and API keys may belong to one.

One is a person of the kind `service`: with roles and teams like anybody, without a password, a session or a second factor.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from console.auth import access
from console.auth.accounts import api_keys, authority, person_changes, persons
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed, NotFound
from console.infra.db import engine as db
from console.infra.db.ids import new_id

SERVICE = "service"
_OPEN = "select p.email, p.id from console.person p where p.kind = 'service' and p.disabled_at is null order by p.email"


def create_service_account(
    email: str,
    pairs: Iterable[Pair],
    *,
    name: str = "",
    teams: Iterable[str] = (),
    by: Actor = persons.COMMAND_LINE,
    makes_team: bool = False,
) -> persons.Person:
    """Create a service account with these roles; without `teams` it belongs to the teams of its roles. `makes_team`: missing ones are created.

    Raises `Invalid` with a detail per field, `Conflict` if the address is taken, `NotAllowed`, also for roles above one's own.
    """
    address, given = email.strip().lower(), list(pairs)
    roles = person_changes.place_everywhere(given)
    joined = sorted(set(teams) or {team for _, team in given if team and team != "*"})
    details = persons.wrong_particulars(address, name)
    if not roles:
        details.append(("roles", "takes at least one role"))
    elif not joined:
        details.append(("teams", "takes at least one team: every account is in one"))
    if details:
        raise Invalid("This service account cannot be entered.", details=details)
    shown = name.strip() or address.partition("@")[0].replace(".", " ").replace("-", " ").capitalize()
    row: dict[str, Any] = {
        "id": new_id("usr"),
        "email": address,
        "name": shown,
        "hash": None,
        "tags": {},
        "locale": "en",
        "zone": "UTC",
        "kind": SERVICE,
    }
    with authority.changing(by) as connection:
        if makes_team:
            for team in joined:
                persons.make_team(connection, team, team)
        person_changes.check_places(connection, roles, set(joined) - {team for _, team in roles})
        authority.require_give(by, roles)
        person_changes.require_teams(by, joined)
        persons.insert_person(connection, row, sorted(roles), joined, by, {"kind": SERVICE})
    return persons.person(row["id"])


def service_account(email: str) -> Actor:
    """The open service account with this address, with today's rights. Raises `NotFound`."""
    address = email.replace("\0", "").strip().lower()
    row = db.read_row(persons.BY_EMAIL, {"email": address})
    if row is None or row.kind != SERVICE or row.disabled_at is not None:
        raise NotFound(f"There is no open service account {email}.")
    return persons.actor(row, kind="user", session="sys:engine")


def service_accounts() -> Mapping[str, str]:
    """Address → id of the open service accounts, by address."""
    return dict(db.fetch(_OPEN))


def usable(actor: Actor) -> list[tuple[str, str]]:
    """(address, name) of the service accounts that the actor may let runs act as, by name."""
    found = []
    for email in service_accounts():
        try:
            require_use(actor, email)
        except NotAllowed:
            continue
        account = service_account(email)
        found.append((email, account.name))
    return sorted(found, key=lambda each: each[1])


def require_use(actor: Actor, email: str) -> None:
    """Raise NotAllowed unless the actor may let runs act as this account: by the right `account.use`, in a team that the account belongs to."""
    if actor.kind == "system":
        return
    obj = f"account:{email.strip().lower()}"
    try:
        teams = service_account(email).teams
    except NotFound:
        teams = ()
    if not any(access.can(actor, team, obj, "use") for team in teams):
        message = f"This workflow runs as {email}, and you lack the right account.use on that account. An admin can grant it."
        raise NotAllowed(
            message,
            need=(obj, "use"),
            words=f"Letting runs act as {email} needs a right that you do not have. An admin can grant it.",
        )


def require_service_account(actor: Actor, person_id: str) -> persons.Person:
    """The service account, for an actor who may make keys of it. Raises `NotFound` for a person, `NotAllowed`."""
    authority.require(actor)
    access.require(actor, None, "key", "manage")
    account = persons.person(person_id)
    if not account.service:
        raise NotFound
    authority.require_over_now(actor, person_id)
    return account


def create_key_for(actor: Actor, person_id: str, name: str, *, days: int) -> api_keys.CreatedKey:
    """Create a key of a service account. It never approves. Raises `Invalid` with a detail per field, and what `require_service_account` raises."""
    require_service_account(actor, person_id)
    made = api_keys.create_key(name, person_id, lasts=timedelta(days=days), by=actor)
    with db.transaction() as connection:
        access.policy_store.note_key(connection, person_id, actor.id)
    return made
