"""What a page weighs on a first visit: all that a browser fetches for it, unpacked, as `bench/pages.py` counts it with a browser."""

import re
from collections.abc import Callable

from console.views import assets

MOST = 200_000
_FILES = re.compile(r'(?:href|src|data-needs)="/static/([^"?]+)')
_LATER = re.compile(r'<\w+[^<>]*hx-trigger="load[^<>]*>')
_TARGETS, _ADDRESS = (
    (re.compile(r'\shx-target="#([^"]+)"'), re.compile(r'\sid="([^"]+)"')),
    re.compile(r'\shx-get="([^"]+)"'),
)


def weight(get: Callable[..., str], address: str) -> int:
    """Bytes of the page, of the files that it names, and of the parts that it fetches by itself when it comes. Pictures of documents are not counted.

    `get` gives the text at an address, and takes headers by keyword.
    """
    whole = get(address)
    pages = [whole, *(_part(get, tag) for tag in _LATER.findall(whole))]
    files = {name for page in pages for name in _FILES.findall(page)}
    return sum(len(page.encode()) for page in pages) + sum(map(_size, files))


def _part(get: Callable[..., str], tag: str) -> str:
    asked = _ADDRESS.search(tag)
    target = next((found[1] for found in (one.search(tag) for one in _TARGETS) if found), "")
    assert asked is not None, tag
    return get(asked[1].replace("&amp;", "&"), **{"HX-Request": "true", "HX-Target": target})


def _size(name: str) -> int:
    sent = assets.shortened(name)
    return len(sent) if sent is not None else (assets.STATIC / name).stat().st_size
