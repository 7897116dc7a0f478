"""The console as a server of the Model Context Protocol: an assistant finds records, starts runs and reads them, with a key that opens nothing else."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from console.core.errors import NotAllowed
from console.views.mcp import messages
from console.views.security import known_host, same_origin

blueprint = Blueprint("mcp", __name__)


@blueprint.post("/mcp")
def receive() -> ResponseReturnValue:
    """Answer one message of an assistant."""
    if not known_host():
        raise NotAllowed(
            "This was sent to a name that is not the console's, so nothing was done: use the address of CONSOLE_BASE_URL.",
            code="foreign_host",
        )
    if request.headers.get("Origin") is not None and not same_origin():
        raise NotAllowed(
            "This was sent from a page of another site, so nothing was done.", code="foreign_origin"
        )
    return messages.answer()
