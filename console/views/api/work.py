"""The work of the caller's teams as JSON: the same list and moves as the page *Work*."""

from dataclasses import asdict
from typing import Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log
from console.core.errors import Invalid, NotAllowed, NotFound
from console.views.api import listing
from console.views.api.operation import Example, Paged, Sent, operation, parse_query, read
from console.views.api.shapes import Listed, Work, WorkMove, WorkMoved, WorkRef
from console.work import work_list, work_moves
from console.work.work_list import Filters
from console.work.work_moves import Chosen

blueprint = Blueprint("api_work", __name__, url_prefix="/api/v1")


class Wanted(Paged):
    """Filters of work."""

    kind: Literal["run", "ticket", "approval", "task"] | None = None
    workflow: str | None = Field(None, description="Slug of the workflow")
    team: str | None = None
    person: str | None = Field(None, description="Id of who has it; `none` for what nobody has")
    state: Literal["in_progress", "inbox", "snoozed", "saved", "waiting", "approval", "task"] | None = None
    due: Literal["overdue", "today", "week", "later", "none"] | None = Field(
        None, description="By the zone of the caller; `week` is after today and within 7 days"
    )
    away: Literal["1"] | None = Field(None, description="Only what people have who are away")
    by: Literal["person", "workflow", "state", "due"] | None = Field(None, description="Count by this")


@blueprint.get("/work")
@operation("listWork", "workflow.see", Work, query=Wanted, example=Example(query={"by": "person"}))
def find() -> ResponseReturnValue:
    """Live runs, tickets, open approvals and open tasks of the caller's teams: by when they are due, then the oldest first.

    A run that waits for an approval or a task is there beside it.
    """
    wanted = parse_query(Wanted)
    given = wanted.model_dump(exclude_none=True, exclude={"limit", "after", "by"})
    filters = Filters.parse(given)
    page = work_list.find(g.actor, filters, limit=wanted.limit, after=wanted.after or None)
    if wanted.by is None:
        return listing([item.to_json() for item in page.items], page.next, groups=None)
    groups = [
        {"value": each.value or None, "count": each.count, "more": each.more}
        for each in work_list.groups(g.actor, filters, wanted.by)
    ]
    return listing([item.to_json() for item in page.items], page.next, groups=groups)


class Moving(Sent):
    """What is done with the work; `user` is needed to reassign, `inbox` to hand over, a reason for all but undo."""

    do: Literal["reassign", "release", "hand_over", "undo"]
    items: list[WorkRef]
    user: str | None = ""
    inbox: str | None = ""
    reason: str | None = ""


@blueprint.get("/work-moves")
@operation("listWorkMoves", "workflow.assign", Listed[WorkMove])
def moves() -> ResponseReturnValue:
    """The last moves in the teams in which the caller may assign work, newest first; none without such a team."""
    try:
        found = work_moves.recent_moves(g.actor)
    except NotFound:
        found = []
    return listing([asdict(move) | {"at": log.body.moment(move.at)} for move in found])


@blueprint.post("/work-moves")
@operation(
    "moveWork",
    "workflow.assign",
    Listed[WorkMoved],
    refuses=(404,),
    body=Moving,
    example=Example(
        body={
            "do": "reassign",
            "items": [{"id": "run_01j0000000000000000000000a", "revision": 2}],
            "user": "usr_01j0000000000000000000000a",
            "reason": "Tom is away.",
        }
    ),
)
def move() -> ResponseReturnValue:
    """Move runs, tasks and approvals; returns the result for each. What cannot be moved says why, and the rest moves."""
    sent, who = read(Moving), g.actor
    chosen = [Chosen.parse(Chosen(**item.model_dump()).to_text()) for item in sent.items]
    reason = (sent.reason or "").strip()
    match sent.do:
        case "reassign":
            moved = work_moves.reassign(who, chosen, sent.user or "", reason)
        case "release":
            moved = work_moves.release(who, chosen, reason)
        case "hand_over":
            moved = work_moves.hand_over(who, chosen, sent.inbox or "", reason)
        case _:
            moved = work_moves.undo(who, chosen)
    refused = [each.refusal for each in moved if isinstance(each.refusal, Invalid | NotAllowed | NotFound)]
    if refused and len(refused) == len(moved):
        raise refused[0]
    return listing(
        [
            {
                "title": each.title,
                "undo": asdict(each.undo) if each.undo else None,
                "reason": each.reason or None,
            }
            for each in moved
        ]
    )
