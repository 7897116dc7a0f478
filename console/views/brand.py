"""How the installation shows itself on pages for people without an account: its name, contact, colours and logo."""

import hashlib
from functools import lru_cache
from typing import cast

from flask import Blueprint, Flask, Response, make_response, request
from flask.sansio.blueprints import BlueprintSetupState
from markupsafe import Markup

from console.infra import branding
from console.infra.branding import Branding
from console.views import assets

blueprint = Blueprint("brand", __name__)


@blueprint.get("/brand.css")
def sheet() -> Response:
    """Send the colours and the logo; the address changes with them, so that a browser keeps it."""
    version, text = _sheet(branding.current())
    answer = make_response(text)
    answer.mimetype = "text/css"
    kept = request.args.get("v") == version
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
    return answer


@lru_cache(maxsize=2)
def _sheet(ours: Branding) -> tuple[str, str]:
    text = assets.shorten_sheet(ours.sheet)
    return hashlib.sha256(text.encode()).hexdigest()[:12], text


def _link() -> Markup:
    """Return the link to the colours and the logo; none where nothing is set."""
    ours = branding.current()
    shape = Markup('<link rel="stylesheet" href="{}/brand.css?v={}">')
    return shape.format(request.script_root, _sheet(ours)[0]) if ours != Branding() else Markup()


@blueprint.record_once
def _extend(state: BlueprintSetupState) -> None:
    cast(Flask, state.app).jinja_env.globals.update(branding=branding.current, brand_sheet=_link)
