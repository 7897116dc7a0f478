"""What rules tell of the documents of a step, for programs."""

from typing import Literal

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import documents
from console.errors import NotFound
from console.views.api.operation import Asked, asked, operation
from console.views.api.shapes import Shape

blueprint = Blueprint("api_checks", __name__, url_prefix="/api/v1")


class Place(Shape):
    """Where something was seen: the page, and a box on it in parts of the page (left, top, right, bottom) from its upper left corner."""

    page: int
    box: list[float]


class Check(Shape):
    """What came of a check."""

    id: str
    label: str
    result: Literal["pass", "fail", "unsure", "not_applicable"]
    message: str | None
    places: list[Place]


class Paper(Shape):
    """A document with its checks."""

    document: str = Field(description="Its reference")
    title: str
    pages: int | None
    sha256: str
    status: Literal["reading", "ready"]
    message: str | None = Field(description="Why there are no checks")
    checks: list[Check]


class Checklist(Shape):
    """The checklist of the open step."""

    step: str
    item: str | None = Field(description="At a list: the item that it is about")
    status: Literal["reading", "ready"] = Field(description="reading: ask again in a moment")
    documents: list[Paper]
    checks: list[Check] = Field(description="Those that need no document")


class Turned(Asked):
    """How the run is looked at."""

    item: str | None = Field(None, description="At a list: this item")


@blueprint.get("/runs/<run_id>/checks")
@operation("getRunChecks", "workflow.see", Checklist, query=Turned)
def checks(run_id: str) -> ResponseReturnValue:
    """What rules tell of the documents of the open step, and where it was seen; 404 where the step checks nothing or is not the caller's to do."""
    made = documents.checklist(g.actor, run_id, asked(Turned).item)
    if made is None:
        raise NotFound("Nothing is checked at this step, or it is not yours to do.")
    return jsonify(made.to_json())
