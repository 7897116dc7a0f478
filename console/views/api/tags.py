"""Tags of records as JSON."""

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.browse import tags
from console.core.errors import NotFound
from console.views.api.operation import Done, Example, Paged, Sent, operation, page_of, read
from console.views.api.shapes import Listed, Tag

blueprint = Blueprint("api_tags", __name__, url_prefix="/api/v1")

PLACE = {"collection": "customer", "key": "17"}


class NewTag(Sent):
    """A tag to put on a record."""

    tag: str = Field(
        description="A word or two of at most 60 characters, without a comma; capitals do not count"
    )


def _shown(tag: tags.Tag) -> dict[str, object]:
    return {"tag": tag.name, "by": tag.by or None, "at": tag.at.isoformat().replace("+00:00", "Z")}


@blueprint.get("/contacts/<collection>/<key>/tags")
@operation("listTags", "collection.read", Listed[Tag], query=Paged, example=Example(PLACE))
def list_tags(collection: str, key: str) -> ResponseReturnValue:
    """The tags of a record of any collection, by name."""
    return page_of([_shown(tag) for tag in tags.tags_of(g.actor, collection, key)], "tag")


def _put(_done: Done) -> dict[str, object]:
    """Return the tag as it is on the record now. Raises NotFound where it was taken away since."""
    place = request.view_args or {}
    return _tag(str(place["collection"]), str(place["key"]), read(NewTag).tag)


def _tag(collection: str, key: str, name: str) -> dict[str, object]:
    for tag in tags.tags_of(g.actor, collection, key):
        if tags.same(tag.name, name):
            return _shown(tag)
    raise NotFound("The tag was taken away since.")


@blueprint.post("/contacts/<collection>/<key>/tags")
@operation(
    "addTag",
    "collection.update",
    {201: Tag},
    body=NewTag,
    again=_put,
    example=Example(PLACE, body={"tag": "lead"}),
)
def add_tag(collection: str, key: str) -> ResponseReturnValue:
    """Put a tag on a record of any collection. One that is there already stays as it is, and the answer is the same."""
    wanted = read(NewTag)
    tags.put(g.actor, collection, [key], wanted.tag)
    return _tag(collection, key, wanted.tag), 201


@blueprint.delete("/contacts/<collection>/<key>/tags/<tag>")
@operation(
    "removeTag",
    "collection.update",
    {204: None},
    refuses=(422,),
    example=Example(PLACE | {"tag": "lead"}),
)
def remove_tag(collection: str, key: str, tag: str) -> ResponseReturnValue:
    """Take a tag away from a record. One that is not there is no error."""
    tags.take_away(g.actor, collection, [key], tag)
    return "", 204
