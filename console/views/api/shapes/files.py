"""Files, and what checks found in documents."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Shape


class FileValue(Shape):
    """A file, as it is handed in as the value of a field."""

    file: str
    name: str
    media_type: str
    sha256: str
    bytes: int


class File(FileValue):
    """What is known of a file."""

    run: str
    slot: str
    pages: int | None
    scanned: bool | None
    by: str | None
    sender: str | None
    at: Moment


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
