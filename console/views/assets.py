"""Static files: their addresses, what is sent for them, and icons.

Style sheets of ours are sent without comments and needless space and with short names for their properties, scripts with short names too. What every page has is sent as one sheet and one script.
"""

import hashlib
import itertools
import json
import logging
import re
import string
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, current_app, make_response, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from markupsafe import Markup

blueprint = Blueprint("assets", __name__)

STATIC = Path(__file__).parent.parent / "static"
FONT = "vendor/inter-4.1.1/inter.woff2"
SPRITE = "vendor/tabler-icons-3.51.0/icons.svg"
UNKNOWN_ICON = "bolt"  # for a step type of another package that names an unknown icon
HTMX = "vendor/htmx-2.0.11/htmx.min.js"
MORPH = "vendor/idiomorph-0.8.0/idiomorph-ext.min.js"
VENDORED = {
    "chart.js": "vendor/chart.js-4.6.1/chart.umd.min.js",
    "dagre.js": "vendor/dagre-3.1.3/dagre.min.js",
    "sortable.js": "vendor/sortablejs-1.15.7/Sortable.min.js",
    "x6.css": "vendor/x6-3.1.8/x6.css",
    "x6.js": "vendor/x6-3.1.8/x6.min.js",
}
"""Sheets and scripts of others, by the names that templates have for them."""
SHEETS = ("tokens", "base", "layout", "rail", "button", "badge", "field", "panel", "utilities")
SCRIPTS = ("page", "keys", "toast", "dialog", "focus", "needs", "find", "form", "session")
TOGETHER = {
    "css/frame.css": tuple(f"css/{name}.css" for name in SHEETS),
    "js/frame.js": tuple(f"js/{name}.js" for name in SCRIPTS),
}
"""File that is sent → the files in the tree that it is made of, in their order."""
PROPERTY = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
SHORTENING = "import json, sys, minify; json.dump({name: minify.string('text/javascript', text) for name, text in json.load(sys.stdin).items()}, sys.stdout)"
_log = logging.getLogger(__name__)


def asset(filename: str) -> str:
    """Return the address of a static file. It changes with the content, so that browsers may cache it."""
    return request.script_root + _below_root(filename)


@lru_cache(maxsize=256)
def _below_root(filename: str) -> str:
    """Return the address of a static file below the root. Cached, because a page names several and building one costs as much as a table row."""
    text = _text(filename)
    content = (
        text.encode()
        if text is not None
        else (STATIC / filename).read_bytes()
        if (STATIC / filename).is_file()
        else None
    )
    names = repr(_short_names()).encode() if text is not None else b""
    fingerprint = hashlib.sha256(content + names).hexdigest()[:8] if content is not None else "0"
    return url_for("static", filename=filename, v=fingerprint).removeprefix(request.script_root)


def font() -> str:
    """Return the address of the font as the style sheets name it, so that the browser can preload it."""
    return _font(request.script_root)


@lru_cache(maxsize=8)
def _font(_root: str) -> str:
    return url_for("static", filename=FONT)


def sheets(*names: str) -> Markup:
    """Return links to these style sheets of `css/`; without names, to the one of every page."""
    return _tags(
        request.script_root,
        '<link rel="stylesheet" href="{}">',
        tuple(VENDORED.get(name) or f"css/{name}.css" for name in names or ("frame",)),
    )


def scripts(*names: str) -> Markup:
    """Return tags of these scripts of `js/`; without names, of those of every page, in loading order."""
    files = tuple(VENDORED.get(name) or f"js/{name}.js" for name in names) or (HTMX, "js/frame.js")
    return _tags(request.script_root, '<script src="{}" defer></script>', files)


@lru_cache(maxsize=256)
def _tags(_root: str, shape: str, files: tuple[str, ...]) -> Markup:
    return Markup("\n").join(Markup(shape).format(asset(file)) for file in files)  # noqa: S704 (shapes of ours)


def icon(name: str, size: str = "") -> Markup:
    """Return a decorative icon; the page says its meaning in words beside it. `size` is "", "s" or "l".

    Its path stands in the page: it is there with the first paint, and a page needs 20 of the 150 that a file of them would bring.
    """
    return _icon(name, size)


@lru_cache(maxsize=512)
def _icon(name: str, size: str) -> Markup:
    shape = Markup('<svg class="i{}" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>')
    return shape.format(f" i-{size}" if size else "", drawn_icons().get(name) or drawn_icons()[UNKNOWN_ICON])


@lru_cache(maxsize=1)
def drawn_icons() -> dict[str, str]:
    """Return the icons of the sprite: name → path, drawn in a square of 24."""
    found = re.findall(
        r'<symbol id="([a-z0-9-]+)" viewBox="0 0 24 24"><path d="([^"]+)"/></symbol>',
        (STATIC / SPRITE).read_text(),
    )
    return {name: path.replace(" -", "-") for name, path in found}


@lru_cache(maxsize=1)
def _own() -> frozenset[str]:
    """Return the names of the style sheets and scripts of ours, and of the two scripts of others that most pages have."""
    return frozenset(
        {
            HTMX,
            MORPH,
            *(
                path.relative_to(STATIC).as_posix()
                for kind in ("css", "js")
                for path in (STATIC / kind).rglob(f"*.{kind}")
            ),
        }
    )


@lru_cache(maxsize=128)
def shortened(filename: str) -> bytes | None:
    """Return a style sheet or script as it is sent, or None for any other file."""
    text = _text(filename)
    return (
        None
        if text is None
        else (shorten_sheet(text) if filename.endswith(".css") else _short_scripts()[filename]).encode()
    )


def _text(filename: str) -> str | None:
    """Return a style sheet or script as it was written, or None for any other file."""
    parts = TOGETHER.get(filename, (filename,))
    return (
        "\n".join((STATIC / part).read_text(encoding="utf-8") for part in parts)
        if _own().issuperset(parts)
        else None
    )


def shorten_sheet(text: str) -> str:
    """Return a style sheet without comments and needless space. Texts in it hold neither braces nor two spaces."""
    text = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
    text = re.sub(r"([:,]) ", r"\1", re.sub(r" ?([{};>]) ?", r"\1", text)).replace(";}", "}").strip()
    return PROPERTY.sub(lambda found: _short_names()[found[0]], text)


@lru_cache(maxsize=1)
def _short_names() -> dict[str, str]:
    """Return the custom properties of our style sheets: name → the short one under which sheets and scripts are sent, the shortest for the most frequent."""
    sheets = ((STATIC / name).read_text(encoding="utf-8") for name in sorted(_own()) if name.endswith(".css"))
    counted = Counter(name for text in sheets for name in PROPERTY.findall(text))
    letters = string.ascii_lowercase
    short = [*letters, *map("".join, itertools.product(letters, letters))]
    return {name: f"--{short[place]}" for place, (name, _) in enumerate(counted.most_common())}


@lru_cache(maxsize=1)
def _short_scripts() -> dict[str, str]:
    """Return all scripts as they are sent: name → text. A process of its own shortens them, because the library keeps its threads and memory."""
    written = {name: _text(name) or "" for name in sorted({*_own(), *TOGETHER}) if name.endswith(".js")}
    texts = {
        name: re.sub(r'(?<=")--[a-z][a-z0-9-]*(?=")', lambda found: _short_names()[found[0]], text)
        for name, text in written.items()
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", SHORTENING],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        _log.warning("scripts are sent as they were written: %s", done.stderr.strip().rpartition("\n")[2])
    return cast(dict[str, str], texts if done.returncode else json.loads(done.stdout))


def send(filename: str) -> Response:
    """Send a static file."""
    content = shortened(filename)
    if content is None:
        return current_app.send_static_file(filename)
    answer = make_response(content)
    answer.mimetype = "text/css" if filename.endswith(".css") else "text/javascript"
    answer.add_etag()
    return cast(Response, answer.make_conditional(request, accept_ranges=True, complete_length=len(content)))


def _extend(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.view_functions["static"] = send
    _short_scripts()  # before the first request
    app.jinja_env.globals.update(
        icon=icon,
        drawn_icon=drawn_icons().__getitem__,
        asset=asset,
        font=font,
        sheets=sheets,
        scripts=scripts,
        morph=lambda: asset(MORPH),
    )


blueprint.record_once(_extend)
