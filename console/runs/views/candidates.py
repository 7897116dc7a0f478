"""To whom a run could be given: who could do the step that it stands at, and why others are not offered."""

from dataclasses import dataclass, replace

from console import records
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotAllowed
from console.core.plain_words import roles_words
from console.core.run.duties import CODE
from console.runs.commands.run_rights import Seen, inbox_of_others, see
from console.runs.engine.stepping import require_step, run_facts, step_at

LOOKED_AT = 500
OFFERED = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person; `reason` says why they are not offered, empty where they are. `away`: until when they are away, and who stands in."""

    id: str
    name: str
    email: str
    reason: str = ""
    away: str = ""


def candidates(actor: Actor, run_id: str, text: str = "") -> list[Candidate]:
    """People whose name or address has the text in it: at most 30 who could go on with the run, then those who work with such runs and cannot.

    For who may assign. Raises NotFound, NotAllowed.
    """
    seen = see(actor, run_id)
    obj = f"workflow:{seen.definition.slug}"
    access.require(actor, seen.run.team, obj, "assign", run=run_facts(seen.run))
    able: list[Candidate] = []
    others: list[Candidate] = []
    for person in accounts.search(text, LOOKED_AT):
        if not access.can(person, seen.run.team, obj, "see", run=run_facts(seen.run)):
            continue  # has nothing to do with such runs
        reason = _why_not(person, seen)
        (others if reason else able).append(Candidate(person.id, person.name, person.email, reason))
        if len(able) == OFFERED:
            break
    away = absences.away_words([person.id for person in able])
    return [*(replace(person, away=away.get(person.id, "")) for person in able), *others[:OFFERED]]


def _why_not(person: Actor, seen: Seen) -> str:
    """Why the person could not go on with the run, in a sentence; empty where they could."""
    run = seen.run
    if run.holder == person.id:
        return "Has it already."
    if not access.can(person, run.team, f"workflow:{seen.definition.slug}", "resume", run=run_facts(run)):
        return "Looks at such runs, and does not work on them."
    if (inbox := inbox_of_others(person, run)) is not None:
        return f"Does not work in the inbox {inbox.title}."
    if run.current is not None and not run.unknown:
        try:
            require_step(person, step_at(seen.definition, run), named=False)
        except NotAllowed as error:
            if error.code == CODE:
                return f"Did what the rule “{error.details[0]['reason']}” keeps apart from this step."
            wanted = seen.definition.document.step(run.attempts[run.current].step).roles
            return f"This step is for {roles_words(wanted)}." if wanted else "May not change the record."
    return "" if _sees_record(person, seen) else "May not see this record."


def _sees_record(person: Actor, seen: Seen) -> bool:
    run = seen.run
    if run.collection is None or run.record is None:
        return True
    scope = access.scope_for(person, run.collection, "read")
    if scope.unlimited:
        return True
    try:
        return run.record in records.visible_keys(run.collection, [run.record], scope)
    except ConsoleError:
        return False
