"""Changing the sign-in settings: checked so that admins do not lock themselves out, and logged with the former values."""

import ipaddress
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from console import log
from console.auth import access
from console.auth.accounts import authority, identities, persons
from console.auth.accounts.entry import MISSING, WORDS, Entry, GroupRole, current, forget, in_networks
from console.auth.accounts.recent_confirmation import require_recent
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra import settings
from console.infra.db import engine as db

MOST_NETWORKS, MOST_GROUPS = 200, 500


def change(actor: Actor, address: str, **changes: Any) -> Entry:
    """Set these settings. `address` is the actor's, who must not be locked out.

    Raises `NotAllowed`, and `Invalid` with a detail per field.
    """
    access.require(actor, None, "user", "manage")
    require_recent(actor)
    wanted, problems = _read(replace(current(), **changes))
    problems += [] if wanted is None else _locked_out(actor, wanted, address)
    if wanted is None or problems:
        raise Invalid("Signing in was left as it is.", details=problems)
    store(actor, wanted)
    return wanted


def open_again(by: Actor) -> Entry:
    """For the command line: allow passwords from every network again."""
    wanted = replace(current(), password=True, networks=())
    store(by, wanted)
    return wanted


def store(by: Actor, wanted: Entry) -> None:
    """Write the settings and their event; nothing if they are unchanged. The caller has checked the rights.

    Roles that no group gives any more are taken at once from those to whom groups gave them; the last admin stays admin.
    """
    before = current()
    old, new = asdict(before), asdict(wanted)
    changed = sorted(name for name in new if new[name] != old[name])
    if not changed:
        return
    with authority.changing(persons.COMMAND_LINE) as connection:
        if "groups" in changed:
            access.require_groups_agreed(connection, _pairs(wanted), by.id)
            identities.take_unmapped(connection, by, _pairs(wanted))
        connection.execute(
            sa.text(
                "insert into console.sign_in (document) values (:document)"
                " on conflict (singleton) do update set document = excluded.document, changed_at = now()"
            ).bindparams(sa.bindparam("document", type_=sa.JSON)),
            {"document": new},
        )
        data = {"old": {name: old[name] for name in changed}, "new": {name: new[name] for name in changed}}
        log.note(
            by,
            "sign_in_changed",
            open={"fields": changed},
            sealed=data,
            chain="sys:config",
            connection=connection,
        )
    forget()


def _pairs(rules: Entry) -> frozenset[authority.Pair]:
    """The roles that some group gives."""
    return frozenset((line.role, line.team) for line in rules.groups)


def _read(wanted: Entry) -> tuple[Entry | None, list[tuple[str, str]]]:
    """The settings with normalised networks, and their errors."""
    problems: list[tuple[str, str]] = []
    if wanted.second_factor not in WORDS:
        problems.append(("second_factor", f"takes {', '.join(WORDS)}"))
    if not 1 <= wanted.idle_minutes <= 1440:
        problems.append(("idle_minutes", "takes 1 to 1440 minutes"))
    if not wanted.idle_minutes <= wanted.whole_minutes <= 7 * 1440:
        problems.append(("whole_minutes", "takes at least the idle time, and 7 days at most"))
    if not 0 < len(wanted.groups_claim) <= 200 or not wanted.groups_claim.isprintable():
        problems.append(("groups_claim", "takes the name of a claim, such as groups"))
    if wanted.groups_missing not in MISSING:
        problems.append(("groups_missing", f"takes {', '.join(MISSING)}"))
    networks = []
    for text in wanted.networks:
        try:
            networks.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            problems.append(
                ("networks", f"{text[:60]!r} is no address or network: write 203.0.113.0/24 or 2001:db8::/32")
            )
    if len(networks) > MOST_NETWORKS:
        problems.append(("networks", f"takes {MOST_NETWORKS} lines at most"))
    problems += _groups(wanted.groups)
    return (None if problems else replace(wanted, networks=tuple(dict.fromkeys(networks)))), problems


def _groups(groups: Sequence[GroupRole]) -> list[tuple[str, str]]:
    problems = []
    known = access.rights().roles
    with db.hot_engine().connect() as connection:
        teams = set(connection.execute(sa.text("select id from console.team")).scalars()) | {"*"}
    for number, line in enumerate(groups, 1):
        if not 0 < len(line.group) <= 300 or not line.group.isprintable():
            problems.append(("groups", f"line {number}: takes the name of a group as the provider tells it"))
        if line.role not in known:
            problems.append(("groups", f"line {number}: there is no role {line.role[:60]!r}"))
        if line.team not in teams:
            problems.append(("groups", f"line {number}: there is no team {line.team[:60]!r}"))
        elif line.role in access.EVERYWHERE and line.team != "*":
            problems.append(("groups", f"line {number}: {line.role} is held in every team, so the team is *"))
    if len(groups) > MOST_GROUPS:
        problems.append(("groups", f"takes {MOST_GROUPS} lines at most"))
    return problems


def _locked_out(actor: Actor, wanted: Entry, address: str) -> list[tuple[str, str]]:
    """Settings that would leave nobody able to undo them."""
    problems = []
    if not in_networks(address, wanted.networks):
        problems.append(
            ("networks", f"your own address, {address}, would be outside: add it, or a network that holds it")
        )
    by_groups = {
        (role["role"], role["team"])
        for role in identities.roles_with_sources(actor.id)
        if not {access.HAND, access.INVITATION}.intersection(role["from"])
    }
    if authority.ADMIN in by_groups - _pairs(wanted):
        problems.append(
            (
                "groups",
                "you would be no admin any more: leave the line that makes you one, or ask another admin",
            )
        )
    if not wanted.password and not _admins_at_provider():
        problems.append(
            (
                "password",
                "no admin has signed in through the identity provider yet: let one do so first, or nobody could get in",
            )
        )
    return problems


def _admins_at_provider() -> bool:
    """Whether an admin can sign in without a password."""
    issuer = settings.current().oidc_issuer
    if issuer is None:
        return False
    statement = sa.text(
        "select exists (select from console.identity i join console.person p on p.id = i.person"
        " where p.disabled_at is null and p.id = any(:admins) and rtrim(i.issuer, '/') = :issuer)"
    )
    parameters = {"admins": list(access.holders("admin")), "issuer": issuer.rstrip("/")}
    return bool(db.read_value(statement, parameters))
