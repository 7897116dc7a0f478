"""Home: what waits for the reader."""

from flask import Blueprint, Response

from console import browse
from console.runs import RunHead
from console.views import formats, frame, my_work

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> Response:
    """Show the short form of My work, and the collections."""
    who = frame.actor()
    return frame.page("home/home.html", my_work.waiting(who) | {"collections": browse.collections(who)})


def row(head: RunHead) -> dict[str, object]:
    """Return a run for a list: title, present step, holder, since when."""
    look = frame.look()
    return {
        "run": head,
        "href": frame.run_url(head.id),
        "record_href": frame.record_url(head.collection, head.record) if head.collection and head.record is not None else None,
        "badge": frame.status_badge(
            head.status, head.holder, frame.actor().id, {head.holder or "": head.holder_name}, ticket=bool(head.ticket)
        ),
        "age": formats.ago(head.active_at, look),
        "length": formats.span((head.ended_at - head.created_at).total_seconds(), look) if head.ended_at else None,
    }
