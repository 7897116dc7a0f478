"""What waits for a person, and giving the runs in their hands to somebody else when they leave."""

from collections.abc import Sequence
from dataclasses import dataclass

from console import runs
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, NotFound
from console.infra.db import tables
from console.infra.db.engine import fetch
from console.runs.views.lists import RunHead, visible_runs

SHOWN = 200
_WAITING = """
select (select count(*) from console.task t join {runs} on r.id = t.run where t.assignee = %(person)s and t.status = 'open'),
  (select count(*) from console.question q join {runs} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id where q.people ?| %(people)s
    and not exists (select from console.answer a where a.question = q.id and %(person)s in (a.person, a.stands_in_for)))
"""


@dataclass(frozen=True, slots=True)
class Given:
    """The result for one run: `error` is the reason why it could not be given, or ""."""

    run: RunHead
    error: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open tasks and questions wait for a person, of those about runs that the reader may know of, and the name of who stands in for them now, or ""."""

    tasks: int
    questions: int
    deputy: str

    def __bool__(self) -> bool:
        return bool(self.tasks or self.questions)

    @property
    def words(self) -> str:
        """As a sentence without its end."""
        named = [(self.tasks, "open task"), (self.questions, "question")]
        parts = [f"{number:,} {name}{'' if number == 1 else 's'}" for number, name in named if number]
        return f"{' and '.join(parts)} {'waits' if self.tasks + self.questions == 1 else 'wait'} for them"


def waiting(actor: Actor, person_id: str) -> Waiting:
    """What waits for the person besides runs. Raises NotAllowed."""
    access.require(actor, None, "user", "manage")
    runs_seen = access.runs(actor).sql()
    [(tasks, questions)] = fetch(
        _WAITING.format(runs=runs_seen), {"person": person_id, "people": [person_id]}
    )
    away = absences.people_away()
    deputy = absences.substitute_of(person_id, away) if person_id in away else None
    return Waiting(tasks, questions, accounts.names([deputy]).get(deputy, "") if deputy else "")


def runs_held(actor: Actor, person_id: str) -> tuple[list[RunHead], int]:
    """Live runs that the person holds and the actor may see, the last active first, at most `SHOWN`; and how many there are. Raises NotAllowed."""
    access.require(actor, None, "user", "manage")
    run = tables.run.c
    heads, _ = visible_runs(
        actor,
        run.holder == person_id,
        run.ended_at.is_(None),
        order=(run.active_at.desc(), run.id),
        limit=SHOWN,
    )
    count = f"select count(*) from {access.runs(actor).sql()} where r.holder = %s and r.ended_at is null"  # noqa: S608 (a text of ours)
    return heads, int(fetch(count, (person_id,))[0][0])


def hand_on(
    actor: Actor, person_id: str, run_ids: Sequence[str], email: str, reason: str = ""
) -> list[Given]:
    """Give chosen runs of the person to the person with this e-mail address. Rights are checked for each run, so that some may stay.

    Raises NotAllowed, and Invalid on `email` or `run`.
    """
    access.require(actor, None, "user", "manage")
    if not run_ids:
        raise Invalid("Choose the runs to give away.", at=("run", "takes at least one run"))
    try:
        heir = accounts.person_of_email(email)
    except NotFound as error:
        raise Invalid(error.message, at="email") from None
    chosen = set(run_ids)
    given = []
    for head in runs_held(actor, person_id)[0]:
        if head.id in chosen:
            try:
                runs.assign(actor, head.id, revision=None, user=heir.id, reason=reason)
                given.append(Given(head))
            except ConsoleError as error:
                reasons = [str(detail["reason"]) for detail in error.details]
                given.append(Given(head, reasons[0] if reasons else error.message))
    return given
