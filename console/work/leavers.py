"""What somebody has in hand, and handing it on in one go: when they leave, their runs stay."""

from collections.abc import Sequence
from dataclasses import dataclass

from console import access, accounts, runs
from console.core.actor import Actor
from console.db import tables
from console.db.engine import fetch
from console.errors import ConsoleError, Invalid, NotFound
from console.runs.showing.lists import RunHead, listed

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What came of one run: `error` says why it could not be given."""

    run: RunHead
    error: str = ""


def held(actor: Actor, person_id: str) -> tuple[list[RunHead], int]:
    """Live runs in the person's hands that the actor may see, those touched last first; and how many there are in all that are there for the actor. Raises NotAllowed."""
    access.require(actor, None, "user", "manage")
    run = tables.run.c
    found, _ = listed(actor, run.holder == person_id, run.ended_at.is_(None), order=(run.active_at.desc(), run.id), limit=SHOWN)
    return found, int(fetch(_held(actor), (person_id,))[0][0])


def _held(actor: Actor) -> str:
    return f"select count(*) from {access.runs(actor).sql()} where r.holder = %s and r.ended_at is null"  # noqa: S608 (a text of ours)


def hand_on(actor: Actor, person_id: str, run_ids: Sequence[str], email: str, reason: str = "") -> list[Given]:
    """Give the chosen runs of the person to the one of this address; each is judged by itself, so some may stay.

    Raises NotAllowed, and Invalid on `email` or `run`.
    """
    access.require(actor, None, "user", "manage")
    if not run_ids:
        raise Invalid("Choose the runs to give away.", details=[{"field": "run", "reason": "takes at least one run"}])
    try:
        heir = accounts.person_of_email(email)
    except NotFound as error:
        raise Invalid(error.message, details=[{"field": "email", "reason": error.message}]) from None
    chosen = set(run_ids)
    given = []
    for head in held(actor, person_id)[0]:
        if head.id in chosen:
            try:
                runs.assign(actor, head.id, revision=None, user=heir.id, reason=reason)
                given.append(Given(head))
            except ConsoleError as error:
                told = [str(detail["reason"]) for detail in error.details]
                given.append(Given(head, told[0] if told else error.message))
    return given
