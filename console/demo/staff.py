"""Who works at Fernwick Pay: eleven people, each with a password of this load, and the service accounts as which its automations run."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import sqlalchemy as sa

from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import POLICIES, parse
from console.auth.accounts import passwords
from console.core.errors import Conflict
from console.infra.db import engine as db

DOMAIN = "fernwick.example"
ZONE = "Europe/Vilnius"
RIGHTS = POLICIES / "fernwick.csv"
OWN_ROLE = "mlro"
"""A role that no installation has but the demo."""
SERVICE_ACCOUNTS = (
    ("growth-automation", "Growth automation", "campaign_manager", "growth"),
    ("procurement-automation", "Procurement automation", "procurement_lead", "procurement"),
    ("operations-automation", "Operations automation", "operations_lead", "operations"),
)
"""First part of the address, name, role, team."""


def give_rights() -> None:
    """The company's own roles and what all roles may do with its records: `policies/fernwick.csv`, once. From then on the database counts."""
    with db.transaction() as connection:
        policy_store.seed(connection)
        if not policy_store.rows_of(connection, sub=f"role:{OWN_ROLE}"):
            policy_store.write(connection, added=parse(RIGHTS.read_text(encoding="utf-8"), RIGHTS.name))
    access.refresh()


def listed() -> list[dict[str, Any]]:
    """The people of people.json with their address: `first, name, email, role, team`, and where they have them `also` and `tags`."""
    people = json.loads((resources.files("console.demo") / "people.json").read_text(encoding="utf-8"))
    return [{"email": f"{person['first']}@{DOMAIN}", **person} for person in people]


def with_passwords(known: Mapping[str, str]) -> list[dict[str, str]]:
    """Everybody as demo.json names them: `email, password, name, role, team`; passwords of `known` addresses stay."""
    return [
        {
            "email": person["email"],
            "password": known.get(person["email"]) or passwords.generated(),
            "name": person["name"],
            "role": person["role"],
            "team": person["team"],
        }
        for person in listed()
    ]


def create(people: list[dict[str, str]]) -> None:
    """Accounts for everybody; who has one already gets the password told."""
    for person, credentials in zip(listed(), people, strict=True):
        also = [(person["role"], team) for team in person.get("also", ())]
        try:
            accounts.create_person(
                person["email"],
                role=person["role"],
                team=person["team"],
                name=person["name"],
                password=credentials["password"],
                also=also,
                tags=person.get("tags"),
                zone=ZONE,
            )
        except Conflict:
            _set_password(person["email"], credentials["password"])


def create_service_accounts() -> None:
    """The service accounts of the automations; those that are there stay."""
    known = accounts.service_accounts()
    for first, name, role, team in SERVICE_ACCOUNTS:
        if f"{first}@{DOMAIN}" not in known:
            accounts.create_service_account(f"{first}@{DOMAIN}", [(role, team)], name=name)


def _set_password(email: str, password: str) -> None:
    with db.transaction() as connection:
        connection.execute(
            sa.text("update console.person set password_hash = :hash where email = :email"),
            {"hash": passwords.hash_password(password), "email": email},
        )
