"""Notices when somebody changes a thing that live runs with a label depend on: to people cleared for the runs, not to who made the change."""

from sqlalchemy.engine import Connection

from console import log
from console.auth import access, notify
from console.auth.notify import Change
from console.core.actor import Actor
from console.core.errors import SourceDown
from console.infra.db.engine import fetch
from console.runs.engine.addressees import may_see
from console.runs.store.run_store import load

MOST = 200
_OVER: dict[Change, str] = {
    "team_archived": "r.team = %s",
    "account_closed": "r.holder = %s",
    "source_paused": "r.collection in (select c.id from console.collection c where c.source = %s)",
    "source_removed": "r.collection in (select c.id from console.collection c where c.source = %s)",
    "inbox_closed": "r.ticket->>'inbox' = %s",
}
_PEOPLE = "select id from console.person where disabled_at is null and removed_at is null order by id"


def notify_cleared(connection: Connection, by: Actor, change: Change, about: str) -> None:
    """Notify everybody who may see a live run with a label on `about` (a team, person, source or inbox) for which `by` is not cleared.

    Called before the change, in its transaction.
    """
    cleared = [] if by.kind == "system" else sorted(access.clearance(by))
    live = f"select r.id from {access.EVERY_RUN.sql()} where r.ended_at is null and r.label is not null and not r.label = any(%s) and {_OVER[change]}"  # noqa: S608 (texts of ours)
    run_ids = [row[0] for row in fetch(f"{live} order by r.created_at, r.id limit {MOST}", (cleared, about))]
    if not run_ids:
        return
    people, now = [row[0] for row in fetch(_PEOPLE) if row[0] not in (by.id, about)], log.now()
    for run_id in run_ids:
        readers = [person for person in people if _sees(person, run_id)]
        notify.add_notices(
            connection,
            readers,
            f"{run_id}:{change}:{log.body.moment(now)}",
            change,
            at=now,
            run=run_id,
            by=by.id,
        )


def _sees(person: str, run_id: str) -> bool:
    """Whether the person may see the run. While its source is down, whether they are cleared for its label."""
    loaded = load(run_id)
    if loaded is None:
        return False
    try:
        return may_see(person, loaded.run)
    except SourceDown:
        return loaded.run.label in access.clearance_of(person)


WORDS: dict[str, str] = {
    "team_archived": "{by} archived the team of this run",
    "account_closed": "{by} closed the account of who holds this run",
    "source_paused": "{by} paused the data source that this run works on",
    "source_removed": "{by} took away the data source that this run works on",
    "inbox_closed": "{by} closed the inbox that this run waits in",
}
