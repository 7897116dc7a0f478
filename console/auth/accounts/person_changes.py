"""Changing people: roles, teams, tags, profile; closing, reopening and removing accounts.

Each change is checked and written under the lock of `authority`, with an event that has the former values.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from babel import Locale, UnknownLocaleError
from sqlalchemy.engine import Connection

from console.auth import access, notify
from console.auth.access.rows import EVERY
from console.auth.accounts import authority, persons
from console.auth.accounts.authority import Pair
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed
from console.core.moments import is_zone

Tags = Mapping[str, Sequence[str]]

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_TAGS, MOST_VALUES, LONGEST_VALUE = 50, 500, 200
CONFIRM = "CONFIRM REMOVE"

_TEAMS = sa.text(
    "select coalesce(array_agg(team order by team), '{}') from console.person_team where person = :id"
)
_TOLD = sa.text("select name, email, tags, locale, zone from console.person where id = :id")
_UPDATE = sa.text(
    "update console.person set name = :name, tags = :tags, locale = :locale, zone = :zone where id = :id"
).bindparams(sa.bindparam("tags", type_=sa.JSON))
_REMOVE = sa.text(
    "update console.person set email = null, password_hash = null, tags = '{}', preferences = '{}', removed_at = now(),"
    " disabled_at = coalesce(disabled_at, now()) where id = :id"
)
_FORGET = [
    sa.text("delete from console.second_factor where person = :id"),
    sa.text("delete from console.recovery_code where person = :id"),
    sa.text("delete from console.identity where person = :id"),
    sa.text("delete from console.one_time where person = :id"),
    sa.text("delete from console.absence where person = :id or substitute = :id"),
]
"""Deletes all ways to sign in besides the password."""


def change_roles(
    actor: Actor,
    person_id: str,
    pairs: Iterable[Pair],
    teams: Iterable[str] | None = None,
    *,
    by_hand: Iterable[Pair] = (),
) -> None:
    """Make these the person's roles, each with its team, and `teams` the teams they work in (None: unchanged).

    New ones are given by hand; those of `by_hand` too if something else gives them already. One that is left out goes whatever gave it.
    Roles held in every team may be given with any team. Raises NotFound, Invalid on `roles` or `teams`, Conflict for a removed account, and
    NotAllowed: for oneself, for the last admin, and for roles above one's own.
    """
    given = place_everywhere(pairs)
    _placed(
        actor,
        person_id,
        lambda _, were: (given, were if teams is None else frozenset(teams)),
        place_everywhere(by_hand),
    )


def change_teams(actor: Actor, person_id: str, *, add: str | None = None, drop: str | None = None) -> None:
    """Add the person to a team or remove them from one; roles stay. Raises as `change_roles`."""
    _placed(actor, person_id, lambda before, were: (before, (were | ({add} if add else set())) - {drop}))


def _placed(
    actor: Actor,
    person_id: str,
    wish: Callable[[frozenset[Pair], frozenset[str]], tuple[frozenset[Pair], frozenset[str]]],
    by_hand: frozenset[Pair] = frozenset(),
) -> None:
    """Roles and teams as `wish` computes them from the present ones, under the lock."""
    authority.require_another(actor, person_id, "changes their own roles")
    with authority.changing(actor) as connection:
        authority.lock_person(connection, person_id)
        before = authority.role_pairs(connection, person_id)
        were = frozenset(connection.execute(_TEAMS, {"id": person_id}).scalar_one())
        given, joined = wish(before, were)
        check_places(connection, given - before, joined - were)
        if not joined:
            raise Invalid("Everybody is in a team.", at=("teams", "takes at least one team"))
        authority.require_give(actor, (given ^ before) | (by_hand & given))
        require_teams(actor, joined ^ were)
        if authority.ADMIN in before - given:
            authority.keep_an_admin(connection, person_id)
        opened: dict[str, Any] = {"person": person_id, "fields": []}
        if given != before:
            access.assign(person_id, given, connection=connection, by=actor.id)
            opened |= {"fields": ["roles"], "roles": pair_words(given), "roles_before": pair_words(before)}
        kept = access.grants_of(person_id, connection)
        if any(access.HAND not in kept[pair] for pair in by_hand & given):
            grants = {
                pair: sources | {access.HAND} if pair in by_hand else sources
                for pair, sources in kept.items()
            }
            access.set_grants(person_id, grants, connection=connection, by=actor.id)
        if joined != were:
            persons.join_teams(connection, person_id, sorted(joined))
            opened |= {
                "fields": [*opened["fields"], "teams"],
                "teams": sorted(joined),
                "teams_before": sorted(were),
            }
        if opened["fields"]:
            persons.note_configuration(actor, "person_changed", person_id, opened, connection=connection)


def change_person(
    actor: Actor,
    person_id: str,
    *,
    name: str | None = None,
    tags: Tags | None = None,
    locale: str | None = None,
    zone: str | None = None,
) -> None:
    """Change the given values of a person; None stays. Nobody changes their own tags, because scopes depend on them.

    Raises NotFound, Invalid with a detail per field, Conflict for a removed account, NotAllowed.
    """
    if tags is not None:
        authority.require_another(actor, person_id, "changes their own tags")
    wanted = {"name": name, "tags": tags, "locale": locale, "zone": zone}
    details = profile_errors(wanted)
    if details:
        raise Invalid("This cannot be kept.", details=details)
    with authority.changing(actor) as connection:
        authority.lock_person(connection, person_id)
        if person_id != actor.id:
            authority.require_over(actor, connection, person_id)
        person = connection.execute(_TOLD, {"id": person_id}).one()._asdict()
        new: dict[str, Any] = {
            "name": person["name"] if name is None else name.strip(),
            "tags": person["tags"] if tags is None else _kept_tags(person["tags"], tags),
            "locale": person["locale"] if locale is None else locale_of(locale),
            "zone": person["zone"] if zone is None else zone,
        }
        fields = [field for field in new if new[field] != person[field]]
        if not fields:
            return
        if "tags" in fields:
            _require_tags(actor, person["tags"], new["tags"])
        connection.execute(_UPDATE, {"id": person_id, **new})
        sealed = {
            "old": {field: person[field] for field in fields},
            "new": {field: new[field] for field in fields},
        }
        persons.note_configuration(
            actor, "person_changed", person_id, {"person": person_id, "fields": fields}, sealed, connection
        )


def disable_person(person_id: str, *, by: Actor = persons.COMMAND_LINE) -> None:
    """Close an account: ends its sessions and disables its keys. What the person did and runs in their hands stay theirs.

    Raises NotFound, Conflict for a removed account, and NotAllowed for oneself, for the last admin, and for an account above one's own.
    """
    authority.require_another(by, person_id, "closes their own account")

    def close(connection: Connection) -> dict[str, Any] | None:
        authority.keep_an_admin(connection, person_id)
        notify.before_change(connection, by, "account_closed", person_id)
        persons.end_access(connection, person_id)
        statement = sa.text(
            "update console.person set disabled_at = now() where id = :id and disabled_at is null"
        )
        return (
            {"fields": ["disabled"], "disabled": True}
            if connection.execute(statement, {"id": person_id}).rowcount
            else None
        )

    _changed(by, person_id, close)


def enable_person(actor: Actor, person_id: str) -> None:
    """Reopen an account with the roles it had. Sessions and keys stay ended. Raises as `disable_person`."""
    authority.require_another(actor, person_id, "opens their own account")

    def reopen(connection: Connection) -> dict[str, Any] | None:
        statement = sa.text(
            "update console.person set disabled_at = null where id = :id and disabled_at is not null"
        )
        return (
            {"fields": ["disabled"], "disabled": False}
            if connection.execute(statement, {"id": person_id}).rowcount
            else None
        )

    _changed(actor, person_id, reopen)


def remove_person(actor: Actor, person_id: str, confirmed: str) -> None:
    """Remove the account: deletes roles, teams, tags, password, sessions and keys, and frees the address. `confirmed` is `CONFIRM REMOVE` as typed.

    The log keeps what the person did, under their name. Raises Invalid on `confirm`, and as `disable_person`.
    """
    if confirmed.strip() != CONFIRM:
        raise Invalid(
            f"Type {CONFIRM} to remove the account.", at=("confirm", f"takes {CONFIRM}, as it stands here")
        )
    authority.require_another(actor, person_id, "removes their own account")
    with authority.changing(actor) as connection:
        authority.lock_person(connection, person_id)
        authority.require_over(actor, connection, person_id)
        authority.keep_an_admin(connection, person_id)
        person = connection.execute(_TOLD, {"id": person_id}).one()
        before = authority.role_pairs(connection, person_id)
        opened = {
            "person": person_id,
            "roles_before": pair_words(before),
            "teams_before": list(connection.execute(_TEAMS, {"id": person_id}).scalar_one()),
        }
        notify.before_change(connection, actor, "account_closed", person_id)
        persons.end_access(connection, person_id)
        persons.forget_ways_in(connection, person_id)
        persons.join_teams(connection, person_id, ())
        access.assign(person_id, (), connection=connection, by=actor.id)
        connection.execute(sa.text("update console.team set lead = null where lead = :id"), {"id": person_id})
        for statement in _FORGET:
            connection.execute(statement, {"id": person_id})
        connection.execute(_REMOVE, {"id": person_id})
        sealed = {"name": person.name, "email": person.email}
        persons.note_configuration(actor, "person_removed", person_id, opened, sealed, connection)


def place_everywhere(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The pairs; roles that are held in every team get `*` as team."""
    return frozenset((role, EVERY if role in access.EVERYWHERE else team) for role, team in pairs)


def pair_words(pairs: Iterable[Pair]) -> list[str]:
    """`operator@operations`, sorted: the form in events, invitations and forms."""
    return sorted(f"{role}@{team}" for role, team in pairs)


def pair_of(word: str) -> Pair:
    """The pair from `operator@operations`."""
    role, _, team = word.partition("@")
    return role, team


def check_places(connection: Connection, pairs: Iterable[Pair], teams: Iterable[str]) -> None:
    """Raise Invalid for an unknown role, or an unknown or archived team, among those newly given."""
    known = set(
        connection.execute(sa.text("select id from console.team where archived_at is null")).scalars()
    )
    details: list[tuple[str, str]] = [
        ("roles", one[1]) for one in persons.unknown_roles(sorted({role for role, _ in pairs}))
    ]
    for role, team in sorted(pairs):
        if team in {"", EVERY} and role not in access.EVERYWHERE:
            details.append(("roles", f"{role} is held in a team: choose one"))
        elif team != EVERY and team not in known:
            details.append(("roles", f"there is no open team {team!r}"))
    details += [("teams", f"there is no open team {team!r}") for team in sorted(set(teams) - known)]
    if details:
        raise Invalid("These roles cannot be given.", details=details)


def profile_errors(profile: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A detail for each invalid value of `name`, `tags`, `locale`, `zone`; None is not checked."""
    name, tags, locale, zone = (profile.get(field) for field in ("name", "tags", "locale", "zone"))
    details = []
    if name is not None and not (0 < len(name.strip()) <= 200 and name.isprintable()):
        details.append(("name", "takes 1 to 200 printable characters"))
    if locale is not None and not _is_locale(locale):
        details.append(("locale", "takes a language such as en or de-AT"))
    if zone is not None and not is_zone(zone):
        details.append(("zone", "takes a time zone such as Europe/Vilnius"))
    reason = None if tags is None else _wrong_tags(tags)
    return [*details, ("tags", reason)] if reason else details


def _changed(actor: Actor, person_id: str, change: Callable[[Connection], dict[str, Any] | None]) -> None:
    """Close or reopen the account, unless it already is."""
    with authority.changing(actor) as connection:
        authority.lock_person(connection, person_id)
        authority.require_over(actor, connection, person_id)
        opened = change(connection)
        if opened is not None:
            persons.note_configuration(
                actor, "person_changed", person_id, {"person": person_id} | opened, connection=connection
            )


def require_teams(actor: Actor, teams: Iterable[str]) -> None:
    """Raise NotAllowed naming the first team that the actor does not belong to."""
    beyond = (
        []
        if authority.unbounded(actor)
        else sorted(set(teams) - set(actor.teams) - {team for _, team in access.roles_of(actor.id)})
    )
    if beyond:
        raise NotAllowed(
            f"Who is no admin takes people into their own teams only, which {beyond[0].replace('_', ' ')} is not. Ask an admin.",
            code="above_own_rights",
            need=authority.NEED,
        )


def _require_tags(actor: Actor, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raise NotAllowed for tag values that the actor does not have: tags widen scopes. Admins may give all."""
    if authority.unbounded(actor):
        return
    for key, values in after.items():
        beyond = (
            set(tag_values(values)) - set(tag_values(before.get(key))) - set(tag_values(actor.tags.get(key)))
        )
        if beyond:
            raise NotAllowed(
                f"Who is no admin gives only tags that they have themselves, which {key} {min(beyond)} is not. Ask an admin.",
                code="above_own_rights",
                need=authority.NEED,
            )


def tag_values(value: Any) -> list[str]:
    """The values of a tag as texts; a single value is a list of one."""
    return [] if value is None else [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _kept_tags(before: Mapping[str, Any], after: Tags) -> dict[str, Any]:
    """The tags as lists of texts; a value with unchanged text keeps its original form."""
    tags = {key: list(dict.fromkeys(value.strip() for value in values)) for key, values in after.items()}
    return {
        key: before[key] if key in before and tag_values(before[key]) == values else values
        for key, values in tags.items()
    }


def _wrong_tags(tags: Tags) -> str | None:
    if len(tags) > MOST_TAGS:
        return f"takes at most {MOST_TAGS} tags"
    for key, values in tags.items():
        if not KEY.fullmatch(key):
            return f"{key[:40]!r} is no name of a tag: small letters, digits and _, a letter first"
        if not values or len(values) > MOST_VALUES:
            return f"{key} takes 1 to {MOST_VALUES} values"
        if not all(
            0 < len(value.strip()) <= LONGEST_VALUE and value.strip().isprintable() for value in values
        ):
            return f"{key}: a value takes 1 to {LONGEST_VALUE} printable characters"
    return None


def locale_of(name: str) -> str:
    """The canonical form of a known locale: `de-AT` for `de_AT`."""
    return str(Locale.parse(name.replace("-", "_"))).replace("_", "-")


def _is_locale(name: str) -> bool:
    try:
        return bool(Locale.parse(name.replace("-", "_")))
    except (UnknownLocaleError, ValueError, TypeError):
        return False
