"""`GET /checkpoint` and `/checkpoint/key`: the newest signed head of the log, and the key that it is checked with, as text."""

from flask import Blueprint, Response, g

from console.auth import access
from console.core.errors import NotFound
from console.log import tree_heads
from console.views.api.operation import Media, operation

blueprint = Blueprint("api_checkpoint", __name__, url_prefix="/api/v1")


@blueprint.get("/checkpoint")
@operation(
    "getCheckpoint",
    "activity.read",
    Media(
        "text/plain",
        "A signed note: origin, size, root and signature",
        example="handrail\n15848\nb1Epz1MYttUfkLxH/+0MZfSnD+FDCeLaYi1SrWnyoVY=\n\n— handrail J2VsVX7Ux5mbelnvS2JqB7xwrQoX…\n",
    ),
    refuses=(403, 404),
)
def newest() -> Response:
    """The newest checkpoint as a signed note."""
    access.require(g.actor, None, "activity", "read")
    note = tree_heads.newest()
    if note is None:
        raise NotFound(
            "The log has no checkpoint yet; the worker signs one within a minute of the first event."
        )
    return Response(note[1], mimetype="text/plain; charset=utf-8")


@blueprint.get("/checkpoint/key")
@operation(
    "getCheckpointKey",
    "activity.read",
    Media(
        "text/plain",
        "The verifier key",
        example="handrail+27656c55+AWOoirIVBI6PJXfxY/G0Ks5T2M2jTmH2VLuz0x7jzVTN\n",
    ),
    refuses=(403, 404),
)
def key() -> Response:
    """The verifier key `origin+id+key`. Compare it once with the key that you got from the console's operator by another channel."""
    access.require(g.actor, None, "activity", "read")
    verifier_key = tree_heads.verifier_key()
    if verifier_key is None:
        raise NotFound("The log has no checkpoint yet; the key is published with the first one.")
    return Response(verifier_key + "\n", mimetype="text/plain; charset=utf-8")
