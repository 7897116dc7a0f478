"""Moving chosen work of one's teams: to a person, away from its holders, or into an inbox; and taking that back. Each is judged, moved and logged by itself.

Runs move as their own commands do. A task gets another assignee, an approval somebody who is asked for it by name: who may approve stays as its rules say.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, runs
from console.auth import access, accounts, notify
from console.auth.notify import Change
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.log import event_lists
from console.log.event_lists import LogFilter, Within
from console.runs import Also, RunHead
from console.runs.commands.approval_answers import visible_request
from console.runs.views import handovers, lists
from console.work import tasks
from console.work.approvers import able_approvers
from console.workflows import inboxes
from console.workflows.inboxes import Inbox

MOST = 100
MOST_MOVES = 30
MOST_EVENTS = 500
"""So many events are read for them, one for each item."""
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
_FREE_OF = """
with approval as (delete from console.approval_assignee x using console.approval a where x.person = %s and a.id = x.id and a.status = 'open' returning x.id, x.run),
task as (update console.task set assignee = null, team = coalesce(team, run_team) where assignee = %s and status = 'open' returning id, run)
select id, run from approval union all select id, run from task order by id
"""
_RUN = f"select r.team, r.label, r.revision from {access.EVERY_RUN.sql()} where r.id = %s"  # noqa: S608 (a text of ours)
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

    def move(each: Chosen, also: Also) -> None:
        if each.id.startswith("run_"):
            runs.assign(actor, each.id, revision=each.revision, user=user, reason=reason, also=also)
        else:
            _assign(actor, each, user, reason, also)

    return _moved(actor, "reassign", chosen, move, reason, user=user)


def release(actor: Actor, chosen: Sequence[Chosen], reason: str) -> list[Moved]:
    """Take the work from its holders, with what they typed. Raises as `reassign` does."""
    _require_reason(reason)

    def move(each: Chosen, also: Also) -> None:
        if each.id.startswith("run_"):
            runs.release_from_holder(actor, each.id, revision=each.revision, reason=reason, also=also)
        else:
            _assign(actor, each, None, reason, also)

    return _moved(actor, "release", chosen, move, reason, held=True)


def hand_over(actor: Actor, chosen: Sequence[Chosen], inbox: str, reason: str) -> list[Moved]:
    """Put the runs into an inbox of their team. Raises as `reassign` does."""
    _require_reason(reason)

    def move(each: Chosen, also: Also) -> None:
        if not each.id.startswith("run_"):
            raise Conflict("Only runs wait in an inbox.", code="not_possible")
        runs.escalate(
            actor, each.id, revision=each.revision, inbox=inbox, reason=reason, entitled=True, also=also
        )

    return _moved(actor, "hand_over", chosen, move, reason, inbox=inbox)


def undo(actor: Actor, moved: Sequence[Chosen]) -> list[Moved]:
    """Give the work back to who had it, or to where it waited and since when. What was changed since stays. Raises Invalid on `item`."""
    return _moved(actor, "undo", moved, lambda each, also: _give_back(actor, each, also), TAKEN_BACK)


def _give_back(actor: Actor, each: Chosen, also: Also) -> None:
    if not each.id.startswith("run_"):
        _assign(actor, each, each.former or None, TAKEN_BACK, also)
    elif each.former:
        runs.assign(actor, each.id, revision=each.revision, user=each.former, reason=TAKEN_BACK, also=also)
    elif not each.inbox:
        runs.release_from_holder(actor, each.id, revision=each.revision, reason=TAKEN_BACK, also=also)
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
            also=also,
        )


def _assign(actor: Actor, each: Chosen, user: str | None, reason: str, also: Also) -> None:
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
        _note_assigned(connection, actor, each.id, run_id, user, holder, reason)
        also(connection, run_id)


def _note_assigned(
    connection: Connection,
    actor: Actor,
    ident: str,
    run_id: str,
    user: str | None,
    holder: str | None,
    reason: str,
) -> None:
    team, label, _ = connection.exec_driver_sql(_RUN, (run_id,)).one()
    log.note(
        actor,
        "work_assigned",
        open={"item": ident, "of_run": run_id, "holder": user, "former_holder": holder},
        sealed={"reason": reason},
        team=team or None,
        label=label,
        connection=connection,
    )


def free_closed(connection: Connection, by: Actor, change: Change, about: str) -> None:
    """Give the open tasks and approvals of an account that is closed back to everybody who could have them, in its transaction."""
    if change == "account_closed":
        for ident, run_id in connection.exec_driver_sql(_FREE_OF, (about, about)).all():
            _note_assigned(connection, by, ident, run_id, None, about, "")


def _require_able(actor: Actor, ident: str, run_id: str, user: str) -> None:
    """Raise Invalid on `user` where that person may not see the run of a task, or not decide about an approval."""
    if ident.startswith("tsk_"):
        able = "\x00" not in user and tasks.could_do(user, ident, run_id)
        reason = "This person may not see its run, or does not work on such runs."
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
    move: Callable[[Chosen, Also], None],
    reason: str,
    *,
    user: str = "",
    inbox: str = "",
    held: bool = False,
) -> list[Moved]:
    """Move each, log it under one id with the transaction that moves it, and say what came of each; with `held` only what somebody holds."""
    if not 1 <= len(chosen) <= MOST:
        raise Invalid("Nothing was moved.", at=("item", f"Choose 1 to {MOST} rows."))
    wanted = {each.id: each for each in chosen}
    before, others = heads(actor, chosen), _open_others(_other_ids(chosen))
    named = tasks.titles_of(actor, [ident for ident in wanted if ident.startswith("tsk_")])
    results: dict[str, Moved] = {}
    opened = {"move": new_id("mov"), "do": do, "holder": user or None, "inbox": inbox or None}
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
            backs: list[Chosen] = []
            move(each, _noting(actor, opened, reason, each, head, backs))
            results[ident] = Moved(title, backs[-1])
        except ConsoleError as error:
            reasons = [str(detail["reason"]) for detail in error.details if detail.get("field") != "holder"]
            results[ident] = Moved(title, None, reasons[0] if reasons else error.message, error)
    return list(results.values())


def _noting(
    actor: Actor, opened: Mapping[str, Any], reason: str, each: Chosen, head: RunHead, backs: list[Chosen]
) -> Also:
    """Return what logs the move of one item in its transaction; how to take it back is added to `backs`."""

    def note(connection: Connection, run_id: str) -> None:
        team, label, revision = connection.exec_driver_sql(_RUN, (run_id,)).one()
        if each.id.startswith("run_"):
            back = Chosen(each.id, revision, head.holder or "", (head.ticket or {}).get("inbox", ""))
        else:
            to = each.former if opened["do"] == "undo" else opened["holder"]
            back = Chosen(each.id, 0, each.holder, "", to or "")
        backs.append(back)
        log.note(
            actor,
            "work_moved",
            open={**opened, "items": [back.to_text()]},
            sealed={"reason": reason},
            team=team or None,
            label=label,
            connection=connection,
        )

    return note


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
    rows = event_lists.rows(LogFilter(kinds=("work_moved",)), within, limit=MOST_EVENTS)
    together: dict[str, list[log.Stored]] = {}
    for event in [log.stored(row) for row in rows if row.body is not None]:
        together.setdefault(event.open.get("move") or event.id, []).append(event)
    if len(rows) == MOST_EVENTS and len(together) > 1:
        together.popitem()  # maybe only a part of what was moved
    together = dict([*together.items()][:MOST_MOVES])
    events = {move: of_move[-1] for move, of_move in together.items()}
    names = accounts.names(
        {str(event.body["actor"].get("id")) for event in events.values()}
        | {event.open["holder"] for event in events.values() if event.open["holder"]}
    )
    chosen = {
        move: [Chosen.parse(text) for event in reversed(of_move) for text in event.open["items"]]
        for move, of_move in together.items()
    }
    seen = heads(actor, [each for items in chosen.values() for each in items])
    return [
        Move(
            move,
            names.get(str(event.body["actor"].get("id")), "A former colleague"),
            event.at,
            event.open["do"],
            names.get(event.open["holder"] or "", "")
            or (inboxes.title_of(event.open["inbox"]) if event.open["inbox"] else ""),
            str(event.sealed.get("reason") or ""),
            items,
        )
        for move, event in events.items()
        if (items := [each for each in chosen[move] if each.id in seen])
    ]


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
