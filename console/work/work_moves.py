"""Moving chosen work of one's teams: to a person, away from its holders, or into an inbox; and taking that back. Each is judged and moved by itself.

Runs move as their own commands do. A task gets another assignee, an approval somebody who is asked for it by name: who may approve stays as its rules say.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from console import log, runs
from console.auth import access, accounts, notify
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.log import event_lists
from console.log.event_lists import LogFilter, Within
from console.runs import RunHead
from console.runs.commands.approval_answers import visible_request
from console.runs.views import handovers, lists
from console.work import tasks
from console.work.approvers import able_approvers
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

MOST = 100
MOST_MOVES = 30
PREFIXES = ("run_", "tsk_", "apr_")
TAKEN_BACK = "Taken back."
MOST_SEARCHED, MOST_OFFERED = 500, 30

_OPEN = """
select id, run, assignee from console.task where id = any(%(ids)s) and status = 'open'
union all select a.id, a.run, x.person from console.approval a left join console.approval_assignee x on x.id = a.id
where a.id = any(%(ids)s) and a.status = 'open'
"""
_RUNS = "select id, run from console.task where id = any(%(ids)s) union all select id, run from console.approval where id = any(%(ids)s)"
_GIVE_TASK = sa.text(
    "update console.task set assignee = :user, team = coalesce(team, run_team)"
    " where id = :id and status = 'open' and assignee is not distinct from :holder"
)
_LOCK_APPROVAL = sa.text(
    "select from console.approval a where a.id = :id and a.status = 'open'"
    " and (select x.person from console.approval_assignee x where x.id = a.id) is not distinct from :holder for update"
)
_GIVE_APPROVAL = sa.text(
    "insert into console.approval_assignee (id, run, person) values (:id, :run, :user)"
    " on conflict (id) do update set person = excluded.person"
)
_FREE_APPROVAL = sa.text("delete from console.approval_assignee where id = :id")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run at the revision, or a task or approval with the `holder`, that it was shown with; whoever is slower moves nothing.

    `former` and `inbox` are who had it before, and where it waited: for taking a move back.
    """

    id: str
    revision: int = 0
    former: str = ""
    inbox: str = ""
    holder: str = ""

    @classmethod
    def parse(cls, text: str) -> "Chosen":
        """What `to_text` wrote. Raises Malformed."""
        ident, revision, former, inbox, holder = (*text.split("~"), *[""] * 4)[:5]
        if not ident.startswith(PREFIXES) or not revision.isdecimal() or len(revision) > 9 or "\x00" in text:
            raise Malformed("That is no work of the list; choose it again.", at=("item", "Not of this list."))
        return cls(ident, int(revision), former, inbox, holder)

    def to_text(self) -> str:
        """The choice as a value of a form."""
        return "~".join((self.id, str(self.revision), self.former, self.inbox, self.holder))


@dataclass(frozen=True, slots=True)
class Moved:
    """The result for one of them: how to take it back, or None and the `reason` why it stayed, with the `refusal` that says so."""

    title: str
    undo: Chosen | None
    reason: str = ""
    refusal: ConsoleError | None = None


def reassign(actor: Actor, chosen: Sequence[Chosen], user: str, reason: str) -> list[Moved]:
    """Give the work to a person; a run to who stands in for them where they are away. Raises Invalid on `item` or `reason`."""
    _require_reason(reason)

    def move(each: Chosen) -> None:
        if each.id.startswith("run_"):
            runs.assign(actor, each.id, revision=each.revision, user=user, reason=reason)
        else:
            _assign(actor, each, user, reason)

    return _moved(actor, "reassign", chosen, move, reason, user=user)


def release(actor: Actor, chosen: Sequence[Chosen], reason: str) -> list[Moved]:
    """Take the work from its holders, with what they typed. Raises as `reassign` does."""
    _require_reason(reason)

    def move(each: Chosen) -> None:
        if each.id.startswith("run_"):
            runs.release_from_holder(actor, each.id, revision=each.revision, reason=reason)
        else:
            _assign(actor, each, None, reason)

    return _moved(actor, "release", chosen, move, reason, held=True)


def hand_over(actor: Actor, chosen: Sequence[Chosen], inbox: str, reason: str) -> list[Moved]:
    """Put the runs into an inbox of their team. Raises as `reassign` does."""
    _require_reason(reason)

    def move(each: Chosen) -> None:
        if not each.id.startswith("run_"):
            raise Conflict("Only runs wait in an inbox.", code="not_possible")
        runs.escalate(actor, each.id, revision=each.revision, inbox=inbox, reason=reason, entitled=True)

    return _moved(actor, "hand_over", chosen, move, reason, inbox=inbox)


def undo(actor: Actor, moved: Sequence[Chosen]) -> list[Moved]:
    """Give the work back to who had it, or to where it waited and since when. What was changed since stays. Raises Invalid on `item`."""
    return _moved(actor, "undo", moved, lambda each: _give_back(actor, each), TAKEN_BACK)


def _give_back(actor: Actor, each: Chosen) -> None:
    if not each.id.startswith("run_"):
        _assign(actor, each, each.former or None, TAKEN_BACK)
    elif each.former:
        runs.assign(actor, each.id, revision=each.revision, user=each.former, reason=TAKEN_BACK)
    elif not each.inbox:
        runs.release_from_holder(actor, each.id, revision=each.revision, reason=TAKEN_BACK)
    else:
        waited = handovers.last_ticket(each.id, each.inbox)
        if waited is None:
            raise Conflict("It did not wait in that inbox.", code="not_possible")
        runs.escalate(
            actor,
            each.id,
            revision=each.revision,
            inbox=each.inbox,
            reason=waited.reason or TAKEN_BACK,
            priority=waited.priority,
            at=waited.at,
            entitled=True,
        )


def _assign(actor: Actor, each: Chosen, user: str | None, reason: str) -> None:
    """Give an open task or approval to a person, None to everybody who could have it; both are told, and it is logged in the same transaction."""
    run_id, holder = _open_others([each.id]).get(each.id, (None, None))
    if run_id is None:
        raise Conflict("It was closed since.", code="not_possible")
    if holder == user:
        raise Conflict("This person has it already.", code="not_possible")
    task = each.id.startswith("tsk_")
    if user is not None:
        _require_able(actor, each.id, run_id, user)
    given = {"id": each.id, "run": run_id, "user": user, "holder": each.holder or None}
    with transaction() as connection:
        if not connection.execute(_GIVE_TASK if task else _LOCK_APPROVAL, given).rowcount:
            raise Conflict("It has moved on since.", code="not_possible")
        if not task:
            connection.execute(_GIVE_APPROVAL if user else _FREE_APPROVAL, given)
        href = f"/runs/{run_id}" if task else f"/approvals/{each.id}"
        for person, kind in ((user, "work_assigned"), (holder, "work_taken_away")):
            if person is not None and person != actor.id:
                key = f"{each.id}:{new_id('ntc')}"
                notify.add_notices(
                    connection, [person], key, kind, at=log.now(), run=run_id, by=actor.id, link=href
                )
        (head,) = lists.with_ids(actor, [run_id])
        label = _labels([run_id])[run_id]
        log.note(
            actor,
            "work_assigned",
            open={"item": each.id, "of_run": run_id, "holder": user, "former_holder": holder},
            sealed={"reason": reason},
            team=head.team or None,
            label=label,
            connection=connection,
        )


def _require_able(actor: Actor, ident: str, run_id: str, user: str) -> None:
    """Raise Invalid on `user` where that person may not see the run of a task, or not decide about an approval."""
    if ident.startswith("tsk_"):
        able = "\x00" not in user and tasks.title_if_seen_by(user, run_id) is not None
        reason = "This person may not see its run."
    else:
        request = visible_request(actor, ident)
        able = user in able_approvers(request)
        reason = "This person may not decide about it: they asked for it, have answered, or its rules keep them out."
    if not able:
        raise Invalid("It cannot be given to this person.", at=("user", reason))


def _open_others(ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Id of an open task or approval → its run and who has it. One statement."""
    return {row[0]: (row[1], row[2]) for row in fetch(_OPEN, {"ids": list(ids)})} if ids else {}


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(
            "Nothing was moved.",
            at=("reason", "Say why: whoever loses the work and whoever gets it reads it."),
        )


def _moved(
    actor: Actor,
    do: str,
    chosen: Sequence[Chosen],
    move: Callable[[Chosen], None],
    reason: str,
    *,
    user: str = "",
    inbox: str = "",
    held: bool = False,
) -> list[Moved]:
    """Move each, log together what was moved, and say what came of each; with `held` only what somebody holds."""
    if not 1 <= len(chosen) <= MOST:
        raise Invalid("Nothing was moved.", at=("item", f"Choose 1 to {MOST} rows."))
    wanted = {each.id: each for each in chosen}
    before, others = heads(actor, chosen), _open_others(_other_ids(chosen))
    named = tasks.titles_of(actor, [ident for ident in wanted if ident.startswith("tsk_")])
    results: dict[str, Moved] = {}
    for ident, each in wanted.items():
        head = before.get(ident)
        title = _title(head) if head is not None else ident
        try:
            if head is None or (ident.startswith("tsk_") and ident not in named):
                raise NotFound
            if not ident.startswith("run_"):
                access.require(actor, head.team, f"workflow:{head.slug}", "assign")
            if held and (others[ident][1] if ident in others else head.holder) is None:
                raise Conflict("Nobody holds it.", code="not_possible")
            move(each)
            results[ident] = Moved(title, each)
        except ConsoleError as error:
            reasons = [str(detail["reason"]) for detail in error.details if detail.get("field") != "holder"]
            results[ident] = Moved(title, None, reasons[0] if reasons else error.message, error)
    done = [wanted[ident] for ident, each in results.items() if each.undo is not None]
    after, others_after = heads(actor, done), _open_others(_other_ids(done))
    backs = {
        each.id: _to_undo(before[each.id], after.get(each.id))
        if each.id.startswith("run_")
        else Chosen(each.id, 0, others[each.id][1] or "", "", others_after.get(each.id, ("", ""))[1] or "")
        for each in done
    }
    if backs:
        _note_moved(actor, do, [(before[ident], back) for ident, back in backs.items()], reason, user, inbox)
    return [replace(each, undo=backs.get(ident)) for ident, each in results.items()]


def _note_moved(
    actor: Actor,
    do: str,
    moved: Sequence[tuple[RunHead, Chosen]],
    reason: str,
    user: str,
    inbox: str,
) -> None:
    """One event for each team and label."""
    labels = _labels([head.id for head, _ in moved])
    for team, label in dict.fromkeys((head.team, labels[head.id]) for head, _ in moved):
        items = [back.to_text() for head, back in moved if (head.team, labels[head.id]) == (team, label)]
        opened = {"do": do, "holder": user or None, "inbox": inbox or None, "items": items}
        log.note(actor, "work_moved", open=opened, sealed={"reason": reason}, team=team or None, label=label)


def _labels(run_ids: Sequence[str]) -> dict[str, str | None]:
    labels = f"select r.id, r.label from {access.EVERY_RUN.sql()} where r.id = any(%s)"  # noqa: S608 (a text of ours)
    return dict(fetch(labels, (list(run_ids),)))


@dataclass(frozen=True, slots=True)
class Move:
    """What somebody moved together. `items` are those that the reader may see, ready for `undo`; `to` is the name of the person or inbox."""

    id: str
    by: str
    at: datetime
    do: str
    to: str
    reason: str
    items: Sequence[Chosen]


def recent_moves(actor: Actor) -> list[Move]:
    """The last moves in the teams in which the actor may assign work, newest first, as far as the log is in order. Raises NotFound where there is none."""
    teams = frozenset(team for team, _ in lists.visible_pairs(actor, "assign"))
    if not teams:
        raise NotFound(hidden=True)
    within = Within(teams=teams, teamless=False, labels=frozenset(access.runs(actor).cleared))
    rows = event_lists.rows(LogFilter(kinds=("work_moved",)), within, limit=MOST_MOVES)
    events = [log.stored(row) for row in rows if row.body is not None]
    names = accounts.names(
        {str(event.body["actor"].get("id")) for event in events}
        | {event.open["holder"] for event in events if event.open["holder"]}
    )
    chosen = {event.id: [Chosen.parse(text) for text in event.open["items"]] for event in events}
    seen = heads(actor, [each for items in chosen.values() for each in items])
    return [
        Move(
            event.id,
            names.get(str(event.body["actor"].get("id")), "A former colleague"),
            event.at,
            event.open["do"],
            names.get(event.open["holder"] or "", "")
            or (inboxes.title_of(event.open["inbox"]) if event.open["inbox"] else ""),
            str(event.sealed.get("reason") or ""),
            items,
        )
        for event in events
        if (items := [each for each in chosen[event.id] if each.id in seen])
    ]


def _to_undo(before: RunHead, after: RunHead | None) -> Chosen:
    ticket = before.ticket or {}
    revision = after.revision if after is not None else before.revision + 1
    return Chosen(before.id, revision, before.holder or "", ticket.get("inbox", ""))


def _title(head: RunHead) -> str:
    return head.about or head.workflow_title


def _other_ids(chosen: Sequence[Chosen]) -> list[str]:
    return [each.id for each in chosen if not each.id.startswith("run_")]


def heads(actor: Actor, chosen: Sequence[Chosen]) -> dict[str, RunHead]:
    """The runs of the chosen work, those that the actor may see, by the id of the work."""
    of = {each.id: each.id for each in chosen if each.id.startswith("run_")}
    of |= (
        {row[0]: row[1] for row in fetch(_RUNS, {"ids": _other_ids(chosen)})} if len(of) < len(chosen) else {}
    )
    found = {head.id: head for head in lists.with_ids(actor, list(set(of.values())))}
    return {ident: found[run] for ident, run in of.items() if run in found}


def assignable(actor: Actor, chosen: Sequence[Chosen]) -> set[tuple[str, str]]:
    """(team, slug) of the chosen runs that the actor may assign. Raises NotFound where there are none."""
    found = {
        (head.team, head.slug)
        for head in heads(actor, chosen).values()
        if access.can(actor, head.team, f"workflow:{head.slug}", "assign")
    }
    if chosen and not found:
        raise NotFound(hidden=True)
    return found


def people(
    actor: Actor, chosen: Sequence[Chosen], kinds: Collection[tuple[str, str]], text: str = ""
) -> list[Actor]:
    """People whose name or address contains the text and who may go on with the chosen runs and tasks, or decide about one of the approvals; `kinds` are from `assignable`."""
    approvals = [each.id for each in chosen if each.id.startswith("apr_")]
    approvers: set[str] = set()
    for ident in approvals:
        with suppress(NotFound):  # whoever may not see it is told so by the move
            approvers |= set(able_approvers(visible_request(actor, ident)))
    only_approvals = bool(approvals) and len(approvals) == len(chosen)
    return [
        person
        for person in accounts.search(text, MOST_SEARCHED)
        if person.id in approvers
        or (
            kinds
            and not only_approvals
            and all(access.can(person, team, f"workflow:{slug}", "resume") for team, slug in kinds)
        )
    ][:MOST_OFFERED]


def inboxes_for(kinds: Collection[tuple[str, str]]) -> list[Inbox]:
    """The inboxes into which runs of all these teams can be put."""
    teams = {team for team, _ in kinds}
    return inboxes.used_by(teams.pop()) if len(teams) == 1 else []
