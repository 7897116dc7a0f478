"""Automations that cannot start: who may switch them is told once, and once more when they start again. Those that were kept from going round for ever are told of as well.

What keeps one from starting is noted by its triggers, stands with the firings that are tried again, or is its service account.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from console import log, records, workflows
from console.auth import access, accounts, notify
from console.auth.access import limits
from console.automation.triggers import GOES_ROUND, start_waiting
from console.core.actor import Actor
from console.infra import jobs
from console.infra.db.engine import alone, fetch, transaction
from console.workflows import OBJECT, Known

UNABLE, ABLE = "cannot_start", "starts_again"
LASTING_S = 300
"""What mends itself sooner is told to nobody: a source that is started again."""
MANY_TRIES = 8
"""A firing that was tried so often has waited for more than four minutes."""
_ON = """
select t.workflow, min(t.problem) filter (where t.problem_at < clock_timestamp() - make_interval(secs => %s)),
    (select f.why from console.firing f where f.workflow = t.workflow and f.status = 'waiting' and f.tries >= %s limit 1)
from console.trigger t join console.workflow w on w.id = t.workflow
where t.enabled and t.kind = any (array['schedule', 'event', 'webhook']) and w.status = 'active' and w.archived_at is null and w.live_version is not null
group by t.workflow
"""
_TOLD = "select substring(name from %s) from console.version where name like %s"
QUIET_S = 24 * 3600
"""Who was told that a workflow would go round is told again only after it did not for so long."""
_ROUNDS = """
select substring(v.name from %s), v.number < extract(epoch from now()) - %s, exists (select from console.version t where t.name = 'told_' || v.name)
from console.version v where v.name like %s
"""
_NOW = sa.text("insert into console.version (name, number) values (:name, 0) on conflict do nothing")
_NO_MORE = sa.text("delete from console.version where name = :name")


def look() -> int:
    """Tell of automations that cannot start since the last look, and of those that can again; returns how many there were. A duty of the worker."""
    if jobs.paused():
        return 0
    with alone("automations that cannot start") as mine:
        if not mine:
            return 0
        known, open_accounts = {each.id: each for each in workflows.all_known()}, accounts.service_accounts()
        able = {
            workflow: problem or waits or standing_problem(known[workflow], open_accounts)
            for workflow, problem, waits in fetch(_ON, (LASTING_S, MANY_TRIES))
            if workflow in known
        }
        told = {name for (name,) in fetch(_TOLD, (len(UNABLE) + 2, f"{UNABLE}:%"))}
        for workflow in {each for each, problem in able.items() if problem} - told:
            _tell(known[workflow], UNABLE)
        for workflow in told - {each for each, problem in able.items() if problem}:
            _tell(known.get(workflow), ABLE if workflow in able else None, workflow)
            start_waiting(workflow)
        for workflow, quiet, was_told in fetch(_ROUNDS, (len(GOES_ROUND) + 2, QUIET_S, f"{GOES_ROUND}:%")):
            _tell_round(known.get(workflow), workflow, quiet=quiet, told=was_told)
    return len(able)


def _tell_round(known: Known | None, workflow: str, *, quiet: bool, told: bool) -> None:
    """Tell once that a workflow was kept from going round; when it is quiet again, the next time is told too."""
    with transaction() as connection:
        if not told:
            connection.execute(_NOW, {"name": f"told_{GOES_ROUND}:{workflow}"})
            if known is not None:
                _notify(connection, known, GOES_ROUND)
        elif quiet:
            for name in (f"{GOES_ROUND}:{workflow}", f"told_{GOES_ROUND}:{workflow}"):
                connection.execute(_NO_MORE, {"name": name})


def standing_problem(known: Known, open_accounts: Mapping[str, str]) -> str | None:
    """Why no run of this workflow can begin by itself, as a sentence: its service account, or its collection. None where it can, or names no account.

    `open_accounts` are those of `accounts.service_accounts()`, read once for many workflows.
    """
    definition = workflows.readable_version(known.id, known.live)
    if definition is None or definition.document.run_as is None:
        return None
    named, collection = definition.document.run_as, definition.document.collection
    account, runs_as = (
        open_accounts.get(named.casefold()),
        f"The service account {named}, as which {known.title} runs,",
    )
    if account is None:
        return f"{runs_as} is closed. Open it again, or name another and publish."
    if not access.can(Actor("user", account), known.team or "", f"{OBJECT}:{known.slug}", "start"):
        return f"{runs_as} may not start it: give it a role that may."
    if collection is not None and not any(each.id == collection for each in records.collections()):
        return f"There is no collection {collection} any more, which {known.title} is about: look at the data sources."
    if collection is not None and not access.can(
        Actor("user", account), None, f"collection:{collection}", "read"
    ):
        return f"{runs_as} may not read its records: give it a role that may."
    return None


def may_begin(known: Known) -> bool:
    """Whether its runs begin by themselves in the name of an account, or will when it is resumed: it is published and not over."""
    definition = workflows.readable_version(known.id, known.live) if known.live is not None else None
    return (
        not known.archived
        and known.status in ("active", "paused")
        and definition is not None
        and definition.document.run_as is not None
    )


def unable_now(known: Known, open_accounts: Mapping[str, str] | None = None) -> str | None:
    """The same for one workflow whose runs may begin. No statement where it names no account, or `open_accounts` are given."""
    if not may_begin(known):
        return None
    return standing_problem(known, accounts.service_accounts() if open_accounts is None else open_accounts)


def _tell(known: Known | None, kind: str | None, workflow: str = "") -> None:
    """Write down what is told, and the notices; without a `kind` it is only not told any more: the workflow was paused, or has no trigger that is on."""
    with transaction() as connection:
        connection.execute(
            _NOW if kind == UNABLE else _NO_MORE,
            {"name": f"{UNABLE}:{known.id if known is not None else workflow}"},
        )
        if known is not None and kind is not None:
            _notify(connection, known, kind)


def _notify(connection: sa.Connection, known: Known, kind: str) -> None:
    now = log.now()
    link, key = f"/workflows/{known.slug}/triggers", f"{known.id}|{kind}|{now.isoformat()}"
    notify.add_notices(connection, people_of(known), key, kind, at=now, link=link)


def people_of(known: Known) -> list[str]:
    """Who may switch the workflow, without service accounts."""
    able = limits.people_able(known.team or None, f"{OBJECT}:{known.slug}", "activate")
    return [ident for ident, _ in able if not accounts.actor_of_person(ident).service]
