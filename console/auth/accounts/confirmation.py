"""Confirming one's identity again before sensitive acts: an export, a key, a change of rights, the second factor, a step that requires it.

By code of the second factor, else by password, else at the identity provider. The demo always accepts the password. API keys and the engine
are never asked.
"""

from typing import Literal

from console import log
from console.auth.accounts import factors, passwords, signing_in, throttle
from console.auth.accounts.throttle import Limit
from console.core.actor import Actor
from console.core.errors import TooMany
from console.infra import settings
from console.infra.db import engine as db

Way = Literal["password", "code", "provider"]
FREE = 5


def way_of(actor: Actor) -> Way:
    """How this person confirms their identity."""
    if factors.factor_of(actor.id) is not None and not settings.current().demo:
        return "code"
    return "password" if _password(actor) is not None else "provider"


def prove(actor: Actor, shown: str, ip: str, agent: str) -> bool:
    """Whether this is the actor's code or password. Logs each attempt; the caller renews the session token. Raises `TooMany`."""
    way = way_of(actor)
    limits = [Limit("code", actor.id, FREE)]
    if not throttle.take(limits):
        raise TooMany(
            "Too many attempts were wrong. Wait half a minute and try again.", retry_after=throttle.LONGEST_S
        )
    method: str | None = way
    if way == "code":
        method = factors.accepts(actor.id, shown)
    elif (
        way == "provider" or len(shown) > passwords.LONGEST or not passwords.matches(_password(actor), shown)
    ):
        method = None
    if method is None:
        signing_in.refuse("code" if way == "code" else "password", actor.id, actor.email, ip, agent)
        return False
    throttle.give_back(limits)
    confirmed(actor, method)
    return True


def confirmed(actor: Actor, method: str) -> None:
    """Record that the actor has confirmed their identity."""
    log.note(
        actor, "identity_confirmed", open={"person": actor.id, "session": actor.session, "method": method}
    )


def _password(actor: Actor) -> str | None:
    rows = db.fetch("select password_hash from console.person where id = %s", (actor.id,))
    return rows[0][0] if rows else None
