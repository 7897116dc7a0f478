"""Build the web application and register every blueprint of `console.views`."""

import functools
import importlib
import pkgutil
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Request, Response, request
from flask_compress import Compress
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.middleware.proxy_fix import ProxyFix

from console import views
from console.infra import settings
from console.operations import wiring
from console.views import frame

PACKAGE = Path(__file__).parent.parent
FIRST = ("security", "identity")
"""Their checks come before everybody else's: where a request comes from, then who asks."""

MAX_BODY_BYTES = 2 * 2**20

COMPRESSION = {
    "COMPRESS_MIMETYPES": ["text/html", "text/css", "text/javascript", "image/svg+xml"],
    "COMPRESS_ALGORITHM": ["br", "gzip"],
    "COMPRESS_STREAMS": False,
    "COMPRESS_REGISTER": False,
}
"""What is compressed on the wire: pages and their files. Answers to programs keep their bytes and their ETag, downloads are sent as they lie in the store.

A page holds a token and repeats what somebody typed. Who would guess the token from lengths has to make the browser ask for pages in
the person's name, and the session's cookie is not sent for another site."""


class Parameters(ImmutableMultiDict[str, str]):
    """What an address and a form say. Asking for what is not there is usual, and costs no exception."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        """Return the value, or the default."""
        return super().get(key, default, type) if key in self else default


class PageRequest(Request):
    """A request whose parameters and cookies are cheap to ask for."""

    parameter_storage_class = Parameters
    dict_storage_class = Parameters


def create_app() -> Flask:
    """Return the Flask application for the settings of this process. It opens no connection: the first request of each worker does."""
    current = settings.current()
    wiring.connect()
    app = Flask("console", static_folder=str(PACKAGE / "static"), template_folder=str(folder_of("templates")))
    app.request_class, app.jinja_environment = PageRequest, frame.Templates
    app.url_map.merge_slashes = False  # a program is answered in JSON, not led on by a page
    app.config.update(
        SECRET_KEY=current.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=2_000,
        PREFERRED_URL_SCHEME="https" if current.secure_cookies else "http",
        TEMPLATES_AUTO_RELOAD=False,
        **COMPRESSION,
    )
    app.after_request(
        functools.partial(_pack, Compress(app))
    )  # before all others, so that it sees an answer last
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]  # no view of ours is a coroutine: twenty questions a request whether one is
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if current.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=current.trusted_proxies, x_proto=current.trusted_proxies)  # type: ignore[method-assign]
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    return app


def _pack(compress: Compress, response: Response) -> Response:
    """Compress a whole answer. A file of ours is read for that; a part that a browser asked for is sent as it is."""
    if (
        response.status_code == HTTPStatus.PARTIAL_CONTENT
        or response.mimetype not in compress.compress_mimetypes_set
    ):
        return response
    if request.endpoint == "static":
        response.direct_passthrough = False
        response.make_sequence()
    return compress.after_request(response)


def blueprints() -> Iterator[Blueprint]:
    """Return the `blueprint` of every module in `console.views` and its folders: first those in `FIRST`, then the others by name."""
    names = sorted(module.name for module in pkgutil.walk_packages(views.__path__, "console.views."))
    first = [f"console.views.{name}" for name in FIRST]
    for name in [*first, *(name for name in names if name not in first)]:
        blueprint = getattr(importlib.import_module(name), "blueprint", None)
        if blueprint is not None:
            yield blueprint


def folder_of(folder: str) -> Path:
    """Return the path of a folder that lies beside the package in a checkout and inside it in a wheel."""
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder
