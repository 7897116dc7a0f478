"""`/help`: pages of the documentation for everybody who is signed in, and their search."""

from flask import Blueprint, Response, request, send_file

from console.views import frame
from console.views.help import manual

blueprint = Blueprint("help", __name__)

LONGEST = 200
EXAMPLE = "URL=http://127.0.0.1:8000"
"""Where pages of the documentation begin what is to be typed; in Help it is this console's own address."""


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
    page = manual.page(name)
    html = page.html.replace(EXAMPLE, f"URL={request.host_url.rstrip('/')}")
    return frame.page("help/page.html", {"page": page, "html": html, "first": name == manual.FIRST})
