"""Whether somebody has recently confirmed their identity, as sensitive acts require."""

from console.auth.accounts import entry
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.infra.db import engine as db

RECENT = "5 minutes"
_PROVED = f"select 1 from console.session where id = %s and ended_at is null and proved_at > now() - interval '{RECENT}'"  # noqa: S608 - a constant


def require_recent(actor: Actor) -> None:
    """Raise `NotAllowed` with the code `step_up` unless the actor has confirmed their identity within five minutes.

    API keys and the engine pass, and everybody if it is switched off.
    """
    if (
        actor.kind == "user"
        and actor.session.startswith("ses_")
        and entry.current().step_up
        and not db.fetch(_PROVED, (actor.session,))
    ):
        raise NotAllowed(
            "Show once more that it is you: you last did more than five minutes ago.", code="step_up"
        )
