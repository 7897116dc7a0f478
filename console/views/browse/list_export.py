"""A list as a file, made in the background: ask for it, follow it, fetch it within its day."""

from flask import Blueprint, Response, request

from console import browse
from console.auth import accounts
from console.browse import list_files, list_views
from console.browse.list_files import FORMS, ListFile
from console.core.errors import Malformed, NotFound
from console.infra.jobs import background
from console.views import downloads, frame
from console.views.browse import lists
from console.views.frame import Badge

blueprint = Blueprint("list_export", __name__)
FORM_WORDS = {"csv": "CSV file", "xlsx": "Excel workbook"}
STATES = {
    background.WAITING: Badge("Waiting", ""),
    background.RUNNING: Badge("Being written", "info"),
    background.DONE: Badge("Ready", "good"),
    background.FAILED: Badge("Not made", "bad"),
    list_files.FILES.stopped: Badge("Stopped", ""),
}


@blueprint.post("/export/c/<collection>")
def ask(collection: str) -> Response:
    """Have the list of the address made into a file of the form `as`."""
    who = frame.actor()
    described = browse.describe(who, collection)
    kept = list_views.view_of(who, collection)
    usual = kept.columns or browse.browsed_collection(who, collection)[0].columns
    form = request.form.get("as", FORMS[0])
    if form not in FORMS:
        reason = "A list is saved as csv or xlsx."
        raise Malformed(reason, at="as")
    accounts.require_recent(who)
    return frame.redirect_to(
        f"/exports/{list_files.ask(who, collection, lists.parse_query(described, usual), form)}"
    )


@blueprint.route("/exports/<export_id>", methods=["GET", "POST"])
def follow(export_id: str) -> Response:
    """Show how far the file is; a POST stops it. Polled by the page, it answers 204 while nothing changed."""
    if request.method == "POST":
        list_files.stop(frame.actor(), export_id)
        return frame.redirect_to(f"/exports/{export_id}")
    found = list_files.get(frame.actor(), export_id)
    if (answer := frame.poll_answer(found)) is not None:
        return answer
    return frame.page("lists/file.html", _drawn(found), blocks={"*": "progress"})


@blueprint.post("/exports/<export_id>/again")
def again(export_id: str) -> Response:
    """Have a file that was not made, or was stopped, made anew."""
    accounts.require_recent(frame.actor())
    return frame.redirect_to(f"/exports/{list_files.retry_export(frame.actor(), export_id)}")


@blueprint.get("/exports/<export_id>/file")
def fetch(export_id: str) -> Response:
    """Send the file to the person who asked for it."""
    found = list_files.get(frame.actor(), export_id)
    if not found.ready:
        raise NotFound("This file is not ready.")
    return downloads.stream(found.name, list_files.parts(frame.actor(), export_id))


def _drawn(found: ListFile) -> dict[str, object]:
    collection = browse.visible_collection(frame.actor(), found.collection)
    return {
        "file": found,
        "refused": list_files.refusal(frame.actor(), found) if found.ready else "",
        "title": collection.label if collection else "A list",
        "form": FORM_WORDS[found.form],
        "badge_label": STATES[found.status],
        "url": f"/exports/{found.id}",
        "back": frame.collection_url(found.collection),
    }
