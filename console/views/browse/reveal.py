"""Uncover a masked value of a record: first the reason, then the value for a minute."""

from flask import Blueprint, Response, request

from console import browse
from console.browse import reveal as revealing
from console.core.errors import Invalid, NotFound
from console.views import formats, frame
from console.views.browse import records

blueprint = Blueprint("reveal", __name__, url_prefix="/c")


@blueprint.route("/<collection>/<part>/reveal/<name>", methods=["GET", "POST"])
def reveal(collection: str, part: str, name: str) -> Response:
    """Show the form that asks for the reason; a POST shows the value. With `hide`, show the masked line again."""
    key, name, who, look = frame.key_of(part), frame.key_of(name), frame.actor(), frame.look()
    page = browse.record(who, collection, key)
    field = next((item for item in page.masked if item.name == name), None)
    if field is None:
        raise NotFound
    context = records.record_context(page) | {
        "line": records.masked_line(page, field),
        "label": field.label,
        "target": frame.dom_id("value", name),
        "here": frame.record_url(collection, key) + f"/reveal/{frame.segment(name)}",
        "back": frame.record_url(collection, key),
        "reason": request.form.get("reason", ""),
        "seconds": revealing.SHOWN_S,
        "hidden": "hide" in request.args,
    }
    if request.method != "POST":
        return _page(context)
    try:
        revealed = revealing.reveal(who, collection, key, name, context["reason"])
    except Invalid as wrong:
        return _page(context | {"wrong": wrong.details[0]["reason"]}, status=422)
    return _page(
        context
        | {
            "value": formats.html(formats.kind(field, page.collection.key), revealed.value, look),
            "shown": True,
        }
    )


def _page(context: dict[str, object], status: int = 200) -> Response:
    answer = frame.page("records/reveal.html", context, blocks={"*": "value"}, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
