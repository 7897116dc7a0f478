"""The people behind the service accounts of a run: for separation of duties, what such an account does counts as done by them."""

from collections.abc import Iterable

from console import access, accounts
from console.core.run import Run
from console.core.run.duties import Behind
from console.db.engine import fetch

_SET_OFF = f"""
with recursive above as (
    select r.id, r.parent, 0 as height from {access.EVERY_RUN.sql()} where r.id = %(run)s
    union all
    select r.id, r.parent, above.height + 1 from {access.EVERY_RUN.sql()} join above on r.id = above.parent where above.height < 16
)
select a.by from console.attempt a join above on a.run = above.id where a.n = 1 and a.by is not null
union
select e.entered_by from console.enrolment e join above on e.run = above.id where e.trigger is null
"""  # noqa: S608 (a text of ours)


def people_behind(run: Run, others: Iterable[str | None] = ()) -> Behind:
    """Service account → the people who made a key of it; and who set off the run by hand, or one above it, where the run acts as that account.

    The accounts are those that began the run, did its steps or asked in it, as far as it is loaded, and `others`.
    """
    named = {run.started_by, *others}
    for attempt in run.attempts.values():
        named |= {attempt.by, *(approval.requested_by for approval in attempt.approvals)}
    behind = accounts.makers_of_keys(person for person in named if person)
    if run.hands_off:
        set_off = frozenset(person for (person,) in fetch(_SET_OFF, {"run": run.id}))
        behind[run.started_by] = behind.get(run.started_by, frozenset()) | set_off
    return behind
