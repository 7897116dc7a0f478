"""People for tests of people: entered without the time that a password takes, and what the log says of them."""

import itertools
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from console import log
from console.auth import accounts
from console.auth.accounts import authority, persons
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.infra.db import engine as db

_numbers = itertools.count(1)


def hired(
    *pairs: Pair,
    name: str = "",
    teams: Iterable[str] = ("operations",),
    tags: dict[str, Any] | None = None,
    by: Actor = accounts.COMMAND_LINE,
) -> Actor:
    """Somebody new with these roles, as they act; nobody knows their password."""
    person_id = f"usr_{next(_numbers):026d}"
    shown = name or f"Person {person_id[-4:]}"
    told = {
        "id": person_id,
        "email": f"p{person_id[-6:]}@fernwick.example",
        "name": shown,
        "hash": None,
        "tags": tags or {},
        "locale": "en",
        "zone": "UTC",
    }
    with authority.changing(by) as connection:
        persons.insert_person(connection, told, pairs, list(teams), by)
    return accounts.actor_of_person(person_id, f"ses_{person_id[4:]}")


def signed_in(who: Actor) -> str:
    """A session of theirs; its id."""
    ident = f"ses_{next(_numbers):026d}"
    sql(
        "insert into console.session (id, token_hash, person, ip, agent) values (:id, :token, :person, '203.0.113.7', 'Browser')",
        id=ident,
        token=ident.encode(),
        person=who.id,
    )
    return ident


def open_sessions(person_id: str) -> int:
    """How many sessions of the person nobody has ended."""
    return int(
        sql("select count(*) from console.session where person = :id and ended_at is null", id=person_id)[0][
            0
        ]
    )


def sql(statement: str, **values: Any) -> list[Any]:
    """Rows of a statement behind the service's back."""
    with db.hot_engine().connect() as connection:
        result = connection.execute(sa.text(statement), values)
        return list(result.all()) if result.returns_rows else []


def noted(person_id: str = "") -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Kind, open and sealed values of the events of the configuration, of one person or of all, oldest first."""
    events = [(event.type, event.body["data"]["open"], event.values) for event in log.events_of("sys:config")]
    return [event for event in events if not person_id or event[1].get("person") == person_id]
