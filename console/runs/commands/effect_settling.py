"""What a person can do about an effect with unknown result, and about automatic retries."""

from collections.abc import Mapping
from typing import Any

from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError
from console.core.run import commands, moves
from console.core.run.commands import Command, Report
from console.infra import jobs
from console.runs.commands.run_rights import Seen, see
from console.runs.commands.transitions import reason_of, revision_of, run_command
from console.runs.engine import consent_events
from console.runs.engine.advancing import go_on
from console.runs.engine.effecting import place
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_store import Also
from console.steps import effects
from console.workflows import Definition

BUSY_NOW = "Others wait for the same answer just now. Nothing was asked: try again in a moment."
UNCLEAR = "It still cannot be told whether this was done. Look there yourself, or ask whoever keeps it, then say what you found."


def settle(
    actor: Actor,
    run_id: str,
    *,
    revision: int | None,
    effect: str,
    done: bool,
    reason: str,
    left: bool = False,
) -> None:
    """State whether an unknown effect happened. If not, it is made again, with the same idempotency key.

    `left` gives up a compensation that failed: the effect that it should take back stays.
    """

    def make(seen: Seen) -> Command:
        return commands.Settle(actor.id, revision_of(seen, revision), effect, done, reason_of(reason), left)

    _on(
        actor,
        run_command(
            actor, run_id, None, make, also=lambda seen: _consents(seen, effect, None) if done else None
        ),
    )


def check(actor: Actor, run_id: str, *, revision: int | None, effect: str) -> str:
    """Ask the other system about an unknown effect; a clear answer settles it. Returns done, not_done or unclear.

    Raises Conflict if the effect is not unknown, if another person holds the run, or `busy` if too many wait for other systems already.
    """
    seen = see(actor, run_id)
    moves.require_holder(seen.run, actor.id)
    unknown = seen.run.unknown
    if unknown is None or unknown.id != effect or unknown.status != "unknown":
        raise Conflict("This change is not unknown; there is nothing to check.", code="not_possible")
    result, report = "unclear", Report(effect, "unknown", message=UNCLEAR)
    with place() as free, jobs.outside_places.doing(jobs.outside_places.Waiter()):
        if not (free and jobs.outside_places.take(effects.target_of(unknown))):
            raise Conflict(BUSY_NOW, code="busy")
        try:
            found = effects.check(actor, unknown, seen.run)
        except ConsoleError as error:
            found, report = None, Report(effect, "unknown", error.code, f"{error.message} {UNCLEAR}")
    if found is not None and found.status in ("succeeded", "failed"):
        result, report = ("done" if found.status == "succeeded" else "not_done"), found
    known = revision if revision is not None else seen.run.revision

    def make(_seen: Seen) -> Command:
        return commands.Check(actor.id, known, effect, result, report.code, report.message, report.result)

    _on(
        actor,
        run_command(
            actor,
            run_id,
            None,
            make,
            keep_draft=True,
            also=lambda seen: _consents(seen, effect, report.result) if result == "done" else None,
        ),
    )
    return result


def retry(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Begin the open step anew, after it could not be done by itself."""
    _on(
        actor,
        run_command(actor, run_id, None, lambda seen: commands.Retry(actor.id, revision_of(seen, revision))),
    )


def stop_trying(actor: Actor, run_id: str, *, revision: int | None) -> None:
    """Do not try again by itself what failed for a reason that may pass: the holder has the form, with what went wrong."""
    _on(
        actor,
        run_command(
            actor, run_id, None, lambda seen: commands.StopTrying(actor.id, revision_of(seen, revision))
        ),
    )


def _consents(seen: Seen, effect: str, result: Mapping[str, Any] | None) -> Also | None:
    """What writes the events of the consents that an effect has changed, now that it is known to have happened."""
    found = seen.run.effect(effect)
    return (
        consent_events.noting(consent_events.found_out(seen.run, found[1], result))
        if found is not None
        else None
    )


def _on(actor: Actor, moved: tuple[Definition, Loaded]) -> None:
    definition, loaded = moved
    go_on(actor, definition, loaded)
