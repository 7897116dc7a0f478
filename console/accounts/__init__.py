"""Accounts: people, teams, sessions, keys of the API."""

from console.accounts.keys import CreatedKey, actor_of_key, create_key, revoke_key
from console.accounts.persons import (
    COMMAND_LINE,
    Created,
    Person,
    Team,
    actor_of_person,
    create_person,
    disable_person,
    names,
    people,
    person,
    person_of_email,
    set_password,
    team_id,
    teams,
)
from console.accounts.sessions import actor_of_session, sign_in, sign_out

__all__ = [
    "COMMAND_LINE",
    "Created",
    "CreatedKey",
    "Person",
    "Team",
    "actor_of_key",
    "actor_of_person",
    "actor_of_session",
    "create_key",
    "create_person",
    "disable_person",
    "names",
    "people",
    "person",
    "person_of_email",
    "revoke_key",
    "set_password",
    "sign_in",
    "sign_out",
    "team_id",
    "teams",
]
