"""The work of the caller's teams as JSON: the same list as the page *Work*."""

from typing import Literal

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.views.api import listing
from console.views.api.operation import Example, Paged, operation, parse_query
from console.views.api.shapes import Work
from console.work import work_list
from console.work.work_list import Filters

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
