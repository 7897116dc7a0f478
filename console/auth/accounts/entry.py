"""Sign-in settings: second factor, passwords, sessions, networks, and roles for groups of the identity provider.

One document for the whole deployment, in force in every process within a second of a change.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from console.infra import settings
from console.infra.db import engine as db
from console.infra.db.process_cache import ProcessCache

Wanted = Literal["off", "roles", "everybody"]
WORDS = {"off": "nobody", "roles": "people who administer, audit or approve", "everybody": "everybody"}
"""Who needs a second factor, in the words of the page."""
MISSING = {"remove": "take away the roles that groups gave", "unchanged": "leave them unchanged"}
"""What becomes of roles by groups when no groups are told, in the words of the page."""


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Members of this group of the identity provider have this role in this team (`*`: every team)."""

    group: str
    role: str
    team: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The settings. `networks` are addresses with prefix length; empty: sign-in from everywhere.

    `groups_missing`: what becomes of the roles that groups gave when the provider sends no claim of groups at all.
    """

    second_factor: Wanted = "roles"
    password: bool = True
    step_up: bool = True
    idle_minutes: int = 30
    whole_minutes: int = 720
    networks: tuple[str, ...] = ()
    groups_claim: str = "groups"
    groups_missing: Literal["remove", "unchanged"] = "remove"
    groups: tuple[GroupRole, ...] = ()


def current() -> Entry:
    """The settings, at most a second old."""
    return _settings.get()


def lets_in(address: str) -> bool:
    """Whether sign-in and API are open to this address."""
    return in_networks(address, current().networks)


def _read_settings(_: object) -> Entry:
    rows = db.fetch("select document from console.sign_in")
    return _entry(rows[0][0] if rows else {})


_settings = ProcessCache(_read_settings)
forget = _settings.forget


def _entry(document: dict[str, Any]) -> Entry:
    default = Entry(second_factor="off") if settings.current().demo else Entry()
    known = {field.name for field in fields(Entry)}
    settings_ = {name: value for name, value in document.items() if name in known}
    if "networks" in settings_:
        settings_["networks"] = tuple(settings_["networks"])
    if "groups" in settings_:
        settings_["groups"] = tuple(GroupRole(**group) for group in settings_["groups"])
    return replace(default, **settings_)


def in_networks(address: str, networks: Sequence[str]) -> bool:
    """Whether the address is in one of these networks; true without networks."""
    if not networks:
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in ipaddress.ip_network(network) for network in networks)
