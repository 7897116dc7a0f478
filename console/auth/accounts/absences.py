"""Who is away, from which day to which, and who stands in for them meanwhile.

Standing in gives no right: the substitute is told what waits for somebody who is away, or whose account is closed, and does of it what their own rights allow. A substitute who
is away too is followed by their own. The days are those of the zone of the person who is away.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from console import log
from console.auth.accounts import authority, persons
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.moments import midnight
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

MOST_DAYS = 400
MOST_KEPT = 20
YEARS_AHEAD = 10
_COLUMNS = """
a.id, a.person, p.name as person_name, a.substitute, s.name as substitute_name, a.first_day, a.last_day, a.starts_at, a.ends_at
from console.absence a join console.person p on p.id = a.person join console.person s on s.id = a.substitute
"""
_OF_PERSON = f"select {_COLUMNS} where a.person = %s and a.ends_at > %s order by a.starts_at"
_ONE = f"select {_COLUMNS} where a.id = %s"
_NOW = f"select {_COLUMNS} where a.starts_at <= %s and a.ends_at > %s"
_NAMED = "select distinct on (person) person, substitute from console.absence where person = any(%s) order by person, starts_at desc"
_INSERT = sa.text(
    "insert into console.absence (id, person, substitute, first_day, last_day, starts_at, ends_at, made_by, made_at)"
    " values (:id, :person, :substitute, :first, :last, :starts, :ends, :by, :at)"
)
_LOCK = sa.text("select id from console.person where id = :id for update")
_SAME_TIME = sa.text(
    "select exists (select from console.absence where person = :person and starts_at < :ends and ends_at > :starts)"
)
_KEPT = sa.text("select count(*) from console.absence where person = :person and ends_at > :now")


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a person is away, both ends included, and who stands in. `starts_at` and `ends_at` are aware UTC."""

    id: str
    person: str
    person_name: str
    substitute: str
    substitute_name: str
    first: date
    last: date
    starts_at: datetime
    ends_at: datetime

    def to_json(self) -> dict[str, Any]:
        """The absence in the shape of the API."""
        return {
            "id": self.id,
            "person": self.person,
            "substitute": self.substitute,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
        }


def plan(actor: Actor, person_id: str, *, first: date | None, last: date | None, substitute: str) -> Absence:
    """Say that a person is away and who stands in (an address): of oneself everybody may, of others who manages people.

    Raises NotAllowed, NotFound, Invalid with a detail per field, Conflict where the person is away on one of the days already.
    """
    person = _governed(actor, person_id)
    deputy, wrong = _deputy(person, substitute)
    today = log.now().astimezone(ZoneInfo(person.zone)).date()
    if first is None:
        wrong["first"] = "takes a day"
    if last is None:
        wrong["last"] = "takes a day"
    elif last < today:
        wrong["last"] = "takes today or a later day"
    elif last.year > today.year + YEARS_AHEAD:
        wrong["last"] = f"takes a day of the next {YEARS_AHEAD} years"
    elif first is not None and not 0 <= (last - first).days < MOST_DAYS:
        wrong["last"] = f"takes a day that is not before the first, and at most {MOST_DAYS} days"
    if wrong or first is None or last is None or deputy is None:
        raise Invalid(
            "The absence was not kept.",
            details=list(wrong.items()),
        )
    now = log.now()
    row: dict[str, Any] = {
        "id": new_id("abs"),
        "person": person.id,
        "substitute": deputy.id,
        "first": first,
        "last": last,
        "starts": midnight(first, person.zone),
        "ends": midnight(last + timedelta(days=1), person.zone),
        "by": actor.id,
        "at": now,
    }
    with transaction() as connection:
        connection.execute(_LOCK, {"id": person.id})
        if connection.execute(_SAME_TIME, row).scalar():
            raise Conflict(
                "On one of these days there is an absence already: take that one back first.",
                code="away_already",
            )
        if int(connection.execute(_KEPT, {"person": person.id, "now": now}).scalar_one()) >= MOST_KEPT:
            raise Conflict(f"At most {MOST_KEPT} absences are kept at a time.", code="too_many")
        connection.execute(_INSERT, row)
        _note(actor, connection, row, taken_back=False)
    return absence(row["id"])


def take_back(actor: Actor, absence_id: str, person_id: str | None = None) -> None:
    """Take an absence back, or end it early; `person_id` is whose it is, where that is known. Raises NotFound, and NotAllowed for one of others."""
    found = absence(absence_id)
    if person_id is not None and found.person != person_id:
        raise NotFound
    _governed(actor, found.person)
    with transaction() as connection:
        gone = connection.execute(
            sa.text("delete from console.absence where id = :id"), {"id": found.id}
        ).rowcount
        if gone:
            row = {
                "person": found.person,
                "substitute": found.substitute,
                "first": found.first,
                "last": found.last,
            }
            _note(actor, connection, row, taken_back=True)


def absences_of(actor: Actor, person_id: str) -> list[Absence]:
    """Present and coming absences of the person, the next first. Raises NotAllowed, NotFound."""
    return [Absence(*row) for row in fetch(_OF_PERSON, (_governed(actor, person_id).id, log.now()))]


def absence(absence_id: str) -> Absence:
    """The absence; the caller checks whose it is. Raises NotFound."""
    rows = fetch(_ONE, (absence_id,)) if "\x00" not in absence_id else []
    if not rows:
        raise NotFound
    return Absence(*rows[0])


def people_away() -> dict[str, Absence]:
    """Everybody who is away now, by id. One statement over a handful of rows."""
    now = log.now()
    return {row[1]: Absence(*row) for row in fetch(_NOW, (now, now))}


def substitute_of(person_id: str, gone: Mapping[str, Absence]) -> str | None:
    """Who stands in for the person in the end; the person where they are not away, None where everybody on the way is."""
    passed: set[str] = set()
    while person_id in gone:
        if person_id in passed:
            return None
        passed.add(person_id)
        person_id = gone[person_id].substitute
    return person_id


def substitutes(people: Sequence[str]) -> dict[str, str]:
    """Person → who stands in for them now, or where they are here, who did last or will next; nobody for who has never named one."""
    gone, named = people_away(), fetch(_NAMED, (list(people),))
    found = {person: substitute_of(person, gone) if person in gone else deputy for person, deputy in named}
    return {person: deputy for person, deputy in found.items() if deputy is not None}


def stood_in_for(person_id: str) -> tuple[str, ...]:
    """The people in whose place this person stands now, sorted."""
    gone = people_away()
    return tuple(
        sorted(each for each in gone if each != person_id and substitute_of(each, gone) == person_id)
    )


def away_words(people: Iterable[str], deputies: Collection[str] | None = None) -> dict[str, str]:
    """Person → "away until 3 December 2026, Ines Weber stands in", for those of the people who are away now. `deputies`: only these can stand in."""
    gone = people_away()
    chosen = {deputy for each in people if each in gone and (deputy := substitute_of(each, gone))}
    names = persons.names(chosen if deputies is None else chosen & set(deputies))
    return {
        each: f"away until {gone[each].last.day} {gone[each].last:%B %Y}, {names.get(substitute_of(each, gone) or '', 'nobody')} stands in"
        for each in people
        if each in gone
    }


def _governed(actor: Actor, person_id: str) -> persons.Person:
    """The person, if the actor may say when they are away. Raises NotAllowed, and NotFound for a service account too."""
    own = actor.id == person_id and actor.kind in ("user", "key")
    if not own:
        authority.require(actor)
    person = persons.person(person_id)
    if person.removed or person.service:
        raise NotFound
    if not own and actor.kind != "system":
        authority.require_over_now(actor, person.id)
    return person


def _deputy(person: persons.Person, address: str) -> tuple[persons.Person | None, dict[str, str]]:
    """(who has this address, what is wrong with them by field)."""
    try:
        found = persons.person_of_email(address) if address.strip() else None
    except ConsoleError:
        found = None
    if found is None or found.disabled or found.service:
        return None, {"substitute": "takes the address of somebody who may sign in"}
    if found.id == person.id:
        return None, {"substitute": "takes somebody else"}
    return found, {}


def _note(actor: Actor, connection: sa.Connection, row: Mapping[str, Any], *, taken_back: bool) -> None:
    opened = {"person": row["person"], "substitute": row["substitute"], "taken_back": taken_back}
    data = {"first": row["first"].isoformat(), "last": row["last"].isoformat()}
    persons.note_configuration(actor, "absence_changed", row["person"], opened, data, connection)
