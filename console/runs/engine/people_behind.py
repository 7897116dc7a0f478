"""The people who count for separation of duties: who caused a run, and who made keys of the service accounts that act in it."""

from collections.abc import Iterable

from console.auth import accounts
from console.core.run import Run
from console.core.run.causes import people_in
from console.core.run.duties import CAUSED, Behind
from console.runs.engine.run_causes import causes_of, makers_of_secrets, people_who_may_have


def people_behind(run: Run, others: Iterable[str | None] = ()) -> Behind:
    """Service account → the people who made a key of it, and `CAUSED` → who caused the run, or knows the secret of the webhook that did; for an old one of which nobody knows, who may have.

    The accounts are those that caused or began the run, did its steps or asked in it, as far as it is loaded, and `others`.
    """
    causes = causes_of(run)
    caused = people_in(causes) | makers_of_secrets(run, causes) if causes else people_who_may_have(run)
    named = {run.started_by, *caused, *others}
    for attempt in run.attempts.values():
        named |= {attempt.by, *(approval.requested_by for approval in attempt.approvals)}
    behind = accounts.makers_of_keys(person for person in named if person)
    return {**behind, CAUSED: caused.union(*(behind.get(account, ()) for account in caused))}
