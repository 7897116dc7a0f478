"""An action on a record: its form and its execution."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import actions, browse
from console.browse import RecordPage
from console.core import record_links
from console.core.documents.action_document import Action
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.views import frame, refusals
from console.views.browse import reference_boxes
from console.views.runs import form_boxes

blueprint = Blueprint("acting", __name__, url_prefix="/c")


@blueprint.route("/<collection>/<part>/do/<action>", methods=["GET", "POST"])
def show_action(collection: str, part: str, action: str) -> Response:
    """Show the action's form; a POST executes it and redirects to its run."""
    key = frame.key_of(part)
    page = browse.record(frame.actor(), collection, key)
    if request.method != "POST":
        return _sheet(page, action)
    typed = form_boxes.read_form(request.form, frame.look())
    try:
        given = {name: value for name, value in typed.items() if value is not None}
        begun = frame.begun_before()
        run_id = (
            actions.finish(frame.actor(), begun, given)
            if begun
            else actions.perform(frame.actor(), collection, key, action, given)
        )
    except (Invalid, Conflict, NotAllowed) as wrong:
        return _sheet(page, action, typed=typed, wrong=wrong, status=wrong.status)
    return frame.redirect_to(frame.run_url(run_id))


def buttons(collection: str, key: str | None) -> list[dict[str, str]]:
    """Return title and address of the actions offered on a record."""
    if key is None:
        return []
    return [
        {"title": action.title, "href": url(collection, key, action)}
        for action in actions.offered(frame.actor(), collection, key)
    ]


def url(collection: str, key: str, action: Action) -> str:
    """Return the address of an action's form."""
    return frame.record_url(collection, key) + f"/do/{frame.segment(action.id)}"


def _told_once(boxes: Sequence[form_boxes.Box]) -> list[form_boxes.Box]:
    """Return the boxes without values for reading that are empty, and without amounts for reading that equal one before them."""
    kept: list[form_boxes.Box] = []
    for box in boxes:
        again = bool(box.unit) and any(each.unit and each.shown == box.shown for each in kept)
        if box.control != "static" or box.error or (box.value and not again):
            kept.append(box)
    return kept


def _sheet(
    page: RecordPage,
    action_id: str,
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
    status: int = 200,
) -> Response:
    sheet = actions.sheet(frame.actor(), page.collection.id, page.record.key or "", action_id, typed)
    fields = [field.to_json() for field in sheet.prompt.fields]
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    details = [
        {**detail, "field": str(detail.get("field") or "")} for detail in (wrong.details if wrong else ())
    ]
    context = {
        "record": page.record,
        "collection": page.collection,
        "action": sheet.action,
        "text": frame.prose(
            sheet.prompt.text,
            frame.naming(browse.names_of(frame.actor(), record_links.links_in(sheet.prompt.text))),
        )
        if sheet.prompt.text
        else None,
        "notes": [{"label": label, "text": text} for label, text in sheet.prompt.notes],
        "button": sheet.prompt.button,
        "boxes": _told_once(
            form_boxes.boxes(
                {"fields": fields}, reference_boxes.look_for(fields, typed), typed=typed, errors=details
            )
        ),
        "url": url(page.collection.id, page.record.key or "", sheet.action),
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines([detail for detail in details if detail["field"] in labels], labels),
        "live_run": wrong.extra.get("run_id") if wrong else None,
    }
    return frame.page("actions/sheet.html", context, blocks={"*": "dialog"}, status=status)
