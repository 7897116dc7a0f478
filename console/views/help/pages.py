"""`/help`: pages of the documentation for everybody who is signed in, and their search."""

from flask import Blueprint, Response, request, send_file

from console.views import frame
from console.views.help import manual

blueprint = Blueprint("help", __name__)

LONGEST = 200


@blueprint.get("/help")
def start() -> Response:
    """Show the first page, or what is found for `q`."""
    text = " ".join(request.args.get("q", "").split())[:LONGEST]
    if text:
        return frame.page("help/found.html", {"q": text, "hits": manual.search(text)})
    return _shown(manual.FIRST)


@blueprint.get("/help/<path:name>")
def show(name: str) -> Response:
    """Show a page, or send a picture or an example that pages link to."""
    path = manual.file(name)
    return send_file(path) if path else _shown(name)


def _shown(name: str) -> Response:
    return frame.page("help/page.html", {"page": manual.page(name), "first": name == manual.FIRST})
