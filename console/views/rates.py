"""Rate limits of the API: counted for each key before anything else, and reported in every response."""

from flask import Blueprint, Response, g, request

from console.auth.accounts import rates, throttle
from console.auth.accounts.rates import Rate, RateLimited
from console.auth.accounts.throttle import Limit
from console.core.actor import Actor
from console.core.errors import TooMany
from console.infra import settings

blueprint = Blueprint("rates", __name__)

OWN_MACHINE = frozenset({"127.0.0.1", "::1"})
WRONG_KEYS = 60
"""So many keys that open nothing are free for one address; each further one costs twice the wait of the last."""


def count(actor: Actor) -> None:
    """Count this request for the actor's key. Raises `RateLimited`."""
    if actor.key_id is not None:
        count_as(actor.key_id)


def count_as(name: str) -> None:
    """Count this request under the limits of whatever has this name. Raises `RateLimited`."""
    if limits := limits_here():
        try:
            g.rate = rates.count(name, limits)
        except RateLimited as refused:
            g.rate = refused.rate
            raise


def wrong_key() -> None:
    """Count an invalid key against the network address that it came from. Raises `TooMany`."""
    if limits_here() and not throttle.take([Limit("key", request.remote_addr or "", WRONG_KEYS)]):
        raise TooMany(
            "Too many wrong keys came from your address. Wait a moment, then send the right one.",
            retry_after=throttle.LONGEST_S,
        )


def limits_here() -> tuple[int, ...]:
    """Return the limits for this request; none if they are off, or off for the demo's own machine."""
    return limits_for(request.remote_addr)


def limits_for(address: str | None) -> tuple[int, ...]:
    """Return the limits for a request from this address."""
    current = settings.current()
    return () if not current.own_machine_limited and address in OWN_MACHINE else current.rate_limits


@blueprint.after_app_request
def send_limits(response: Response) -> Response:
    """Add the headers with what is left of the window that is closest to its limit."""
    rate: Rate | None = g.get("rate")
    if rate is not None:
        response.headers.update(rate.headers())
    return response
