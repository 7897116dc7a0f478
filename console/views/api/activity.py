"""`GET /activity-logs`: the activity log as JSON, newest first; `GET /activity-logs/export`: all of it, or what fits a filter, as a file."""

from typing import Any, Literal

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import activity
from console.activity import archive, exports
from console.activity.filters import FILTERS
from console.views import downloads
from console.views.api.operation import Asked, Example, Limit, Media, operation
from console.views.api.shapes import ActivityPage

blueprint = Blueprint("api_activity", __name__, url_prefix="/api/v1")


def _field(name: str) -> Any:
    """The field that stands for the filter of this name in an address."""
    known = FILTERS[name]
    alias = name if known.moment else None
    return Field(None, alias=alias, title=known.title, description=known.description)


class Filters(Asked):
    """Filters of events as an address has them; `event_list` validates them."""

    user: str | None = _field("user")
    team: str | None = _field("team")
    collection: str | None = _field("collection")
    record: str | None = _field("record")
    run: str | None = _field("run")
    workflow: str | None = _field("workflow")
    kind: list[str] = Field(
        default_factory=list, title=FILTERS["kind"].title, description=FILTERS["kind"].description
    )
    gt: str | None = _field("createdAt.gt")
    gte: str | None = _field("createdAt.gte")
    lt: str | None = _field("createdAt.lt")
    lte: str | None = _field("createdAt.lte")


class Wanted(Filters):
    """A page of events."""

    limit: Limit = 10
    after: str | None = Field(None, description="The `next` of the page before")


class Exported(Filters):
    """A file of events."""

    format: Literal["jsonl", "csv"] = "jsonl"
    proofs: Literal["0", "1"] = Field("0", description="1: an archive that proves itself")
    since: str | None = Field(
        None, description="With proofs: the size of a checkpoint that you kept", pattern="^[0-9]{1,18}$"
    )


@blueprint.get("/activity-logs")
@operation(
    "findEvents",
    "activity.read",
    ActivityPage,
    query=Wanted,
    refuses=(403,),
    example=Example(query={"kind": ["run_started"], "limit": 5}),
)
def listing() -> ResponseReturnValue:
    """Events that match the filters and that the caller may see, newest first."""
    query = activity.parse_query(request.args.items(multi=True))
    page = activity.page(g.actor, query.where, query.limit, query.after)
    return page.to_json() | {"archived": archive.names()}


@blueprint.get("/activity-logs/export")
@operation(
    "exportEvents",
    "activity.export",
    Media(
        "application/jsonl",
        "The events, oldest first: a file that is sent while it is made",
        example='{"at":"2026-12-01T12:32:54.445362Z","id":"01a23197-fead-770a-9635-07ec866b26e1","run":"sys:config","run_seq":40,"type":"workflow_published","v":1}\n',
    ),
    query=Exported,
    refuses=(403, 409),
    example=Example(query={"format": "jsonl"}),
)
def export() -> Response:
    """The events that match the filters of the URL, oldest first: as they were hashed, as a table, or with `proofs=1` as an archive with its proofs."""
    return downloads.send(g.actor, exports.parse_query(request.args.items(multi=True)))
