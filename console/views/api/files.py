"""Files of runs for programs: sent ahead of the step that hands them in, read by who may see the run; what rules tell of documents."""

from typing import Annotated, Any
from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, request
from flask.typing import ResponseReturnValue
from pydantic import Field, WithJsonSchema
from werkzeug.exceptions import UnsupportedMediaType

from console import documents
from console.core.errors import Invalid, NotFound
from console.log import body as canonical
from console.runs.commands import attachments
from console.views.api import idempotency
from console.views.api.operation import Asked, Done, Example, Media, Sent, operation, parse_query
from console.views.api.shapes import Checklist, File, FileValue

blueprint = Blueprint("api_files", __name__, url_prefix="/api/v1")

PARTS = ("run", "step", "field")


class Upload(Sent):
    """One file, for a field of the current step."""

    run: str
    step: str
    field: str
    file: Annotated[str, WithJsonSchema({"type": "string", "format": "binary"})]


class Turned(Asked):
    """Options for reading the run."""

    item: str | None = Field(None, description="At a list: this item")


def _sent(done: Done) -> dict[str, Any] | None:
    """Return the stored file, if it still exists."""
    return attachments.visible_in_any_run(g.actor, done.made).value if done.made else None


@blueprint.post("/files")
@operation(
    "sendFile",
    "workflow.see",
    {201: FileValue},
    body=Media("multipart/form-data", "The file and where it belongs", Upload),
    refuses=(404,),
    example=Example(
        body={
            "run": "run_01j0000000000000000000000a",
            "step": "papers",
            "field": "statement",
            "file": "%PDF-1.7 …",
        }
    ),
    again=_sent,
)
def send() -> ResponseReturnValue:
    """Store one file for a field of the current step; returns the value to submit."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data with run, step, field and file.")
    lacking = [name for name in PARTS if not request.form.get(name)] + (
        [] if "file" in request.files else ["file"]
    )
    unknown = [name for name in request.form if name not in PARTS] + [
        name for name in request.files if name != "file"
    ]
    wrong = [(name, "Needed.") for name in lacking] + [(name, "Not known here.") for name in unknown]
    if wrong:
        raise Invalid(
            "Send run, step, field and one file.",
            details=wrong,
        )
    sent, (run, step, field) = request.files["file"], (request.form[name] for name in PARTS)
    stored = attachments.attach(
        g.actor, run, step=step, field=field, name=sent.filename or "", content=sent.stream.read()
    )
    idempotency.name_result(stored.id)
    return stored.value, 201


@blueprint.get("/files/<file_id>")
@operation("getFile", "workflow.see", File)
def get_file(file_id: str) -> ResponseReturnValue:
    """The metadata of a file."""
    stored = attachments.visible_in_any_run(g.actor, file_id)
    known = {
        "run": stored.run,
        "slot": stored.slot,
        "pages": stored.pages,
        "scanned": stored.scanned,
        "by": stored.by,
        "sender": stored.sender,
    }
    return {**stored.value, **known, "at": canonical.moment(stored.at)}


@blueprint.get("/files/<file_id>/content")
@operation("getFileContent", "workflow.see", Media("*/*", "The file itself"))
def content(file_id: str) -> Response:
    """The file's content; the log records the download."""
    attachments.visible_in_any_run(g.actor, file_id)
    taken = documents.download(g.actor, file_id)
    answer = make_response(taken.content)
    answer.headers["Content-Type"] = taken.media_type
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(taken.name, safe='')}"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@blueprint.get("/runs/<run_id>/checks")
@operation("getRunChecks", "workflow.see", Checklist, query=Turned)
def checks(run_id: str) -> ResponseReturnValue:
    """What the rules read from the documents of the open step, with the place of each value; 404 if the step checks no documents or is not the caller's."""
    made = documents.checklist(g.actor, run_id, parse_query(Turned).item)
    if made is None:
        raise NotFound("Nothing is checked at this step, or it is not yours to do.")
    return made.to_json()
