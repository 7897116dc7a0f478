"""The runs that a person holds, and giving them to somebody else when the person leaves."""

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
    """The result for one run: `error` is the reason why it could not be given, or ""."""

    run: RunHead
    error: str = ""


def held(actor: Actor, person_id: str) -> tuple[list[RunHead], int]:
    """Live runs that the person holds and the actor may see, the last active first, at most `SHOWN`; and how many there are. Raises NotAllowed."""
    access.require(actor, None, "user", "manage")
    run = tables.run.c
    heads, _ = listed(actor, run.holder == person_id, run.ended_at.is_(None), order=(run.active_at.desc(), run.id), limit=SHOWN)
    count = f"select count(*) from {access.runs(actor).sql()} where r.holder = %s and r.ended_at is null"  # noqa: S608 (a text of ours)
    return heads, int(fetch(count, (person_id,))[0][0])


def hand_on(actor: Actor, person_id: str, run_ids: Sequence[str], email: str, reason: str = "") -> list[Given]:
    """Give chosen runs of the person to the person with this e-mail address. Rights are checked for each run, so that some may stay.

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
                reasons = [str(detail["reason"]) for detail in error.details]
                given.append(Given(head, reasons[0] if reasons else error.message))
    return given
