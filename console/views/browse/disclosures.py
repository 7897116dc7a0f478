"""Disclose something about a record in confidence: the form, and the receipt number."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from console import browse, runs
from console.browse import RecordPage
from console.core.errors import ConsoleError, NotFound
from console.runs.commands.reporting import NOT_THERE
from console.views import frame, refusals
from console.views.browse import records
from console.views.runs import form_boxes
from console.workflows import Definition

blueprint = Blueprint("disclosures", __name__, url_prefix="/c")


@blueprint.route("/<collection>/<part>/report/<slug>", methods=["GET", "POST"])
def report(collection: str, part: str, slug: str) -> Response:
    """Show the form; a POST answers the receipt. It has no address to come back to."""
    key, who = frame.key_of(part), frame.actor()
    page = browse.record(who, collection, key)
    definition = next((each for each in runs.reportable(who, collection) if each.slug == slug), None)
    if definition is None:
        raise NotFound(NOT_THERE)
    fields = records.start_fields(definition, page)
    if request.method != "POST":
        return _form(page, definition, fields)
    typed = form_boxes.read_form(request.form, frame.look())
    try:
        number = runs.report(
            who, slug, collection, key, {name: value for name, value in typed.items() if value is not None}
        )
    except NotFound:
        raise
    except ConsoleError as wrong:
        return _form(page, definition, fields, typed=typed, wrong=wrong)
    context = _form_context(definition)
    return frame.page(
        "records/receipt.html",
        records.record_context(page) | context | {"number": number},
        blocks={"*": "dialog"},
        status=201,
    )


def _form_context(definition: Definition) -> dict[str, Any]:
    disclosure = definition.document.report
    return {
        "title": disclosure.title if disclosure else definition.title,
        "text": disclosure.text if disclosure else None,
    }


def _form(
    page: RecordPage,
    definition: Definition,
    fields: Sequence[Mapping[str, Any]],
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
) -> Response:
    details = refusals.plain_details(wrong)
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    context = (
        records.record_context(page)
        | _form_context(definition)
        | {
            "boxes": form_boxes.boxes({"fields": fields}, frame.look(), typed=typed, errors=details),
            "action": frame.record_url(page.collection.id, page.record.key) + f"/report/{definition.slug}",
            "error": refusals.head(wrong, labels),
            "wrong": refusals.lines([detail for detail in details if detail["field"] in labels], labels),
        }
    )
    return frame.page("records/report.html", context, blocks={"*": "dialog"}, error=wrong)
