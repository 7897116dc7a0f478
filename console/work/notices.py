"""Notices for people: a list in the console, and mail where a server is set up. A notice is sent once, even if its cause is repeated."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from console import log, runs, workflows
from console.auth import access, accounts, notify
from console.auth.access import limits
from console.core.actor import Actor
from console.core.errors import ConsoleError, IntegrationError, NotFound, OutcomeUnknown
from console.formats.times import moment_words
from console.infra import faults, jobs, settings, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.run_reach import ALL
from console.infra.outbound import mail
from console.runs.commands import cleared_notices
from console.work.tasks import title_if_seen, titles_of

SHOWN = 50
AT_ONCE = 50
MAIL_WITHIN = timedelta(days=3)
"""A mail server that is set up later, or comes back, is not sent what is older: it is no news, and stands in the list."""
_log = logging.getLogger(__name__)
_COLUMNS = "id, key, kind, run, by, at, read_at, link, subject, nonce, ct, stands_in_for"
_MADE_IN = "select array[r.workflow, r.version::text] from console.run r"
_CAME = (
    "case when notice.kind in ('approval_requested', 'approval_waits') then"
    " (select array[a.status, a.decided->-1->>'by'] from console.approval a where a.id = split_part(notice.key, ':', 1))"
    " when notice.kind = 'approval_asked' then"
    " (select array['answered', notice.by] from console.approval a where a.id = split_part(notice.key, '|', 1) and a.status <> 'open')"
    " when notice.kind = 'task_created' then"
    " (select array['closed', t.closed_by] from console.task t where t.id = notice.key and t.status <> 'open') end"
)
_CAME_TO = f"case when ({_CAME})[1] <> 'open' then array_to_string({_CAME}, '|') end"
"""What became of a request or task, and by whom; null while it is open."""
_ALIKE = (
    f"concat_ws('|', stands_in_for, case when kind = any(%s) and {_CAME_TO} is null then id"  # noqa: S608 (names of this file)
    " when ct is not null then coalesce((select r.workflow from console.run r where r.id = notice.run and (r.label is null or r.label = any(%s))), kind)"
    f" else concat_ws('|', kind, coalesce({_CAME_TO}, by), case when kind like '%%decided' then substring(key from '[^:]*$') end) end)"
)
"""What notices that stand in one line have in common: the workflow whose steps told them, or what happened and who did it."""
_SHOWN = f"{_COLUMNS}, ({_MADE_IN} where r.id = notice.run and (r.label is null or r.label = any(%s))), {_CAME}, {_ALIKE}"
_MAILED = f"{_COLUMNS}, ({_MADE_IN} {ALL} where r.id = notice.run), {_CAME}, id"
UNSEEN = "About something that you may not see any more"
NOT_YOURS = "Something was noted here whose text you may not read"
_OPEN = "not exists (select from console.run r where r.id = notice.run and not (r.label is null or r.label = any(%s)))"
"""That it is about no run with a label that its reader is not cleared for, or not any more."""
_EARLIER = "(%s::text is null or (at, id) < (select o.at, o.id from console.notice o where o.id = %s and o.person = notice.person))"
_MINE = f"select {_SHOWN} from console.notice where person = %s and {_OPEN} and {_EARLIER} order by at desc, id desc limit %s"  # noqa: S608 (names of this file)
_ONE = f"select {_SHOWN} from console.notice where id = %s and person = %s and {_OPEN}"  # noqa: S608 (as above)
_UNREAD = f"select count(*) from console.notice where person = %s and read_at is null and ({_CAME})[2] is distinct from person and {_OPEN}"  # noqa: S608 (as above)
"""Each counts, as on the page of notices, also where several stand in one line. What the person did themselves is no news to them."""
_TASK = "A task for you"
_WORDS = {
    "task_created": _TASK,
    "question_asked": "You are asked something",
    "run_assigned": "{by} gave you this run",
    "run_taken_over": "{by} took over this run from you",
    "run_taken_away": "{by} gave this run of yours away",
    "work_assigned": "{by} gave you a task or approval of this run",
    "work_taken_away": "{by} gave a task or approval of yours to somebody else",
    "approval_decided": "{by} decided on your request",
    "approval_decided:approve": "{by} approved what you asked for",
    "approval_decided:reject": "{by} rejected what you asked for",
    "approval_decided:void": "Your request for approval is void: look at what changed, and ask again",
    "approval_decided:expired": "Nobody decided on your request in time",
    "approval_requested": "Your approval is asked for",
    "approval_waits": "Your approval is still waited for: {by} asked for it",
    "approval_asked": "{by} asks you about your request",
    "approval_replied": "{by} replied to your question",
    "clearance_asked": "{by} asks for your agreement to a clearance",
    "report_filed": "A report was filed",
    "change_settled": "A change of yours was interrupted: look at its record",
    "bulk_checked": "What you want to do to several records has been checked",
    "bulk_ended": "What you began on several records has come to its end",
    "note_mention": "{by} named you in a note",
    "export_ended": "The file of a list that you asked for has come to its end",
    "access_requested": "{by} asks for a right",
    "own_rights_asked": "{by} asks you to confirm a right on records for a role of their own",
    "own_rights_refused": "{by} refused the right on records that you asked for",
    "own_rights_given": "{by} gave a role of their own a new right on records: look at the activity log",
    "publishing_asked": "{by} asks you to approve the publication of a workflow",
    "publishing_decided:approved": "{by} approved what you asked to publish, and it is live",
    "publishing_decided:changes_requested": "{by} asks for changes before what you asked for is published",
    "ai_budget_warn": "The budget for AI that all share is above its warning level",
    "ai_budget_used": "The budget for AI that all share is used up: steps are done by hand until it begins again",
    "log_damaged": "The activity log is not in order: look at its proof",
    "rights_disagreed": "The two judges of rights disagreed, so something was refused: look at the activity log",
    "groups_withheld": "The identity provider did not tell the groups of {by}, so roles were left as they are",
    "groups_withheld_own": "The identity provider did not tell your groups, so your roles were left as they are",
    "alert_failed": "A run failed: look at the incidents of its workflow",
    "cannot_start": "An automation cannot start: look at its triggers",
    "starts_again": "An automation that could not start can again",
    "goes_round": "An automation was stopped, for it would have gone round for ever: look at its triggers",
    "due_soon": "The time for this run is running out",
    "due_over": "The time for this run is used up",
    "alert_slow": "A run takes longer than it should",
    "webhook_stopped": "A webhook stopped: events are not sent there any more",
    "mcp_tool_changed": "A tool of an MCP server has changed: nothing is called until somebody accepts it",
    "model_refused": "The provider of the AI refuses to answer: look at key, account and model",
    **cleared_notices.WORDS,
}
_ASKED_FOR = [
    "task_created",
    "question_asked",
    "run_assigned",
    "run_taken_over",
    "work_assigned",
    "approval_requested",
    "approval_waits",
    "approval_asked",
    "approval_replied",
    "clearance_asked",
    "access_requested",
    "own_rights_asked",
    "publishing_asked",
    "note_mention",
    "change_settled",
]
"""Kinds that ask one person for something: each stands by itself while it is open."""
_CAME_OF = {
    "approved": "Your approval was asked for: {by} approved",
    "rejected": "Your approval was asked for: {by} rejected",
    "void": "Your approval was asked for; it is not needed any more",
    "expired": "Your approval was asked for; nobody decided in time",
    "answered": "{by} asked you about your request, which is no longer open",
    "closed": f"{_TASK}: {{by}} closed it",
}
"""What became of a request or task, in place of its words while it was open."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of a person. `about` is the title of the run, if they may still see it, and `href` its page.

    Those with the same `alike` stand in one line, under `kind`: the title of the workflow whose step told it, or the words of what happened.
    """

    id: str
    text: str
    about: str
    href: str
    at: datetime
    read: bool
    alike: str
    kind: str


def notify_disagreement(actor: Actor, team: str | None, obj: str, act: str, version: int) -> None:
    """Tell who manages the rights that index and Casbin disagreed, once a day for each version of the rights."""
    del actor, team, obj, act  # the event names them
    people = [ident for ident, _ in limits.people_able(None, "policy", "manage")]
    key = f"rights_disagreed:{version}:{log.now().date().isoformat()}"
    notify.notify(people, "rights_disagreed", key, link="/activity?kind=rights_disagreed")


def notify_groups_withheld(person_id: str) -> None:
    """Tell the person and who manages people that the provider did not tell the groups, once a day for each person."""
    key = f"groups_withheld:{person_id}:{log.now().date().isoformat()}"
    managers = [ident for ident, _ in limits.people_able(None, "user", "manage") if ident != person_id]
    notify.notify([person_id], "groups_withheld_own", key, link="/settings/me#company-account")
    notify.notify(managers, "groups_withheld", key, by=person_id, link=f"/settings/sign-in/of/{person_id}")


def unread(actor: Actor) -> int:
    """Number of unread notices of the person, each of those that the list holds together in one line too."""
    return int(fetch(_UNREAD, (actor.id, _cleared(actor)))[0][0])


def _cleared(actor: Actor) -> list[str]:
    return access.runs(actor).cleared


def notices_of(actor: Actor, limit: int = SHOWN, before: str | None = None) -> list[Notice]:
    """The person's notices, newest first; those before the notice `before`. Of a notice about something that they may no longer see, only the moment is shown."""
    rows = fetch(
        _MINE, ((cleared := _cleared(actor)), _ASKED_FOR, cleared, actor.id, cleared, before, before, limit)
    )
    names = _names(rows)
    titles: dict[str, str | None] = {}
    with runs.judged_once(row[3] for row in rows if row[3]):
        tasks = titles_of(actor, [str(row[1]) for row in rows if row[2] == "task_created"])
        return [_notice(actor, row, names, titles, tasks.get(str(row[1]))) for row in rows]


def _names(rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    return accounts.names(
        {person for row in rows for person in (row[4], row[11], (row[13] or (None, None))[1]) if person}
    )


def _notice(
    actor: Actor,
    row: tuple[Any, ...],
    names: dict[str, str],
    titles: dict[str, str | None],
    task: str | None = None,
) -> Notice:
    ident, key, kind, run, by, at, read_at, link, subject, nonce, ct, absent, made_in, came, alike = row
    run_id = str(run) if run else None
    if run_id is not None and run_id not in titles:
        titles[run_id] = title_if_seen(actor, run_id)
    about = titles.get(run_id or "")
    if run_id is not None and about is None:
        return Notice(str(ident), UNSEEN, "", "", at, read_at is not None, alike, UNSEEN)
    if str(kind).startswith("publishing_"):
        with contextlib.suppress(NotFound):  # whoever may not see it any more is told nothing of it
            about = workflows.review_of(actor, str(key).partition(":")[0]).title
    if kind in ("cannot_start", "starts_again", "goes_round"):
        with contextlib.suppress(NotFound):  # as above
            about = workflows.entry(actor, str(key).partition("|")[0]).title
    words = _words(str(kind), str(key)).format(by=names.get(str(by), "The engine"))
    if became := _CAME_OF.get(came[0]) if came is not None else None:
        words = became.format(
            by="you" if came[1] == actor.id else names.get(str(came[1]), "a former colleague")
        )
    together = words
    words = words.replace(_TASK, f"{_TASK}, “{task}”", 1) if task else words
    if ct is not None:
        try:
            words = str(subjects.unseal(str(subject), f"notice|{key}", nonce, ct)["text"])
        except subjects.Unreadable:
            words = "Its text was erased"
        if made_in:
            together = next((each.title for each in workflows.all_known() if each.id == made_in[0]), together)
        if made_in and not runs.words_of_event(
            actor, made_in[0], int(made_in[1]), None, kind="notify", run=run_id
        ):
            words = _WORDS.get(str(kind), NOT_YOURS)
    if absent:
        instead = f"In place of {names.get(str(absent), 'a colleague')}"
        words, together = f"{instead}: {words}", f"{instead}: {together}"
    href = str(link) if link else f"/runs/{run_id}" if run_id else ""
    own = came is not None and came[1] == actor.id
    return Notice(str(ident), words, about or "", href, at, own or read_at is not None, alike, together)


def _words(kind: str, key: str) -> str:
    """What a notice of this kind says; of some what came of it, with which their key ends, says it."""
    return _WORDS.get(f"{kind}:{key.rpartition(':')[2]}") or _WORDS.get(kind, "A notice")


def read(actor: Actor, notice_id: str) -> str:
    """Mark a notice as read; returns its link. Raises NotFound for a notice of somebody else."""
    rows = fetch(_ONE, ((cleared := _cleared(actor)), _ASKED_FOR, cleared, notice_id, actor.id, cleared))
    if not rows:
        raise NotFound
    with transaction() as connection:
        connection.execute(
            sa.text("update console.notice set read_at = coalesce(read_at, now()) where id = :id"),
            {"id": notice_id},
        )
    return _notice(actor, rows[0], {}, {}).href or "/notices"


def read_all(actor: Actor) -> None:
    """Mark all notices as read."""
    with transaction() as connection:
        marked = sa.text("update console.notice set read_at = :now where person = :me and read_at is null")
        connection.execute(marked, {"me": actor.id, "now": log.now()})


def deliver() -> int:
    """Send waiting notices by mail; returns how many were sent. One whose sending was interrupted is not sent again, and one that was read or is old not at all."""
    if settings.current().smtp is None or jobs.paused():
        return 0
    with transaction() as connection:
        stale = sa.text(
            "update console.notice set mail = null where mail = 'queued' and (read_at is not null or at < :since)"
        )
        connection.execute(stale, {"since": log.now() - MAIL_WITHIN})
    taken = "update console.notice set mail = 'sending' where id = (select id from console.notice where mail = 'queued' and not (id = any(%s)) order by at limit 1 for update skip locked)"
    sent = 0
    tried: list[str] = []
    while len(tried) < AT_ONCE and (
        rows := fetch(f"{taken} returning {_MAILED}, person", (tried,))
    ):  # one by one: those behind one that is interrupted leave
        row = rows[0]
        tried.append(row[0])
        faults.point("notices.taken")
        result = _mailed(row[:-1], row[-1])
        sent += result == "sent"
        with transaction() as connection:
            connection.execute(
                sa.text("update console.notice set mail = :mail where id = :id"),
                {"mail": result, "id": row[0]},
            )
    return sent


def _mailed(row: tuple[Any, ...], person: str) -> str | None:
    """The state of the mail: sent, failed, unknown, or queued for later; None where none is to be sent."""
    try:
        actor = accounts.actor_of_person(person)
        tasks = titles_of(actor, [str(row[1])]) if row[2] == "task_created" else {}
        notice = _notice(actor, row, _names([row]), {}, tasks.get(str(row[1])))
        if not notice.href or actor.service:  # nobody reads what is sent to a service account
            return None
        mail.send(_message(actor, notice))
    except OutcomeUnknown:
        return "unknown"
    except IntegrationError as error:
        _log.warning("notice %s: %s", row[0], error.message)
        return "failed" if error.permanent else "queued"
    except ConsoleError:
        return None
    return "sent"


def _message(actor: Actor, notice: Notice) -> EmailMessage:
    """The mail: what the list of notices says to this person, by their own language and clock, and a link. More of the record than its title, or what a step tells, is not in it."""
    given = settings.current()
    message = EmailMessage()
    message["From"] = given.mail_from or "handrail@localhost"
    message["To"] = actor.email
    message["Subject"] = (
        " ".join(f"{notice.text.rstrip('.')}: {notice.about}".split())[:200]
        if notice.about
        else " ".join(notice.text.split())[:200]
    )
    message["Message-ID"] = (
        f"<{notice.id}@{(given.base_url or 'http://localhost').partition('//')[2].partition('/')[0].partition(':')[0]}>"
    )
    message["Auto-Submitted"] = "auto-generated"
    when = f"{moment_words(notice.at.isoformat(), actor.locale, actor.zone)}, {actor.zone}"
    link = (
        f"{given.base_url}{notice.href}"
        if given.base_url
        else f"It stands in the console under {notice.href}"
    )
    message.set_content("\n".join([*filter(None, (notice.text, notice.about, when)), "", link, ""]))
    return message
