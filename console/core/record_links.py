"""Records in Markdown: texts of steps hold a reference as a link that says its key, and whoever draws the text puts in the name that its reader may know."""

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>&~])")
ANY = "*"
"""The collection of a field whose values name theirs: `shop.product 17`."""
_LINK = re.compile(r"\[((?:\\.|[^\]\\])*)\]\(/c/([^/()\s]+)/([^/()\s]+)\)")


def reference(collection: str, value: object) -> tuple[str, str]:
    """(collection, key) that a value refers to; of a field with `ANY` it names both."""
    named, _, key = str(value).partition(" ") if collection == ANY else (collection, "", str(value))
    return named, key


def segment(key: object) -> str:
    """Encode a record key as one path segment; `key_of` decodes it.

    Servers decode `%2F` before routing and browsers resolve dots, so `/` becomes `~2F`, the dots of a lone `.` or `..` become `~2E`, and the empty key `~`.
    """
    plain = str(key)
    if plain.isalnum() and plain.isascii():
        return plain
    if plain == "":
        return "~"
    guarded = plain.replace("~", "~7E").replace("/", "~2F")
    return quote(guarded.replace(".", "~2E") if plain in (".", "..") else guarded, safe="~")


def key_of(part: str) -> str:
    """Return the record key of a path segment that the router has decoded."""
    return "" if part == "~" else part.replace("~2F", "/").replace("~2E", ".").replace("~7E", "~")


def escaped(text: str) -> str:
    """Return the text as Markdown that shows it letter by letter, within a line."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def link(collection: str, key: object, words: str | None = None) -> str:
    """Return a link to the record; its words are the key until somebody names it."""
    return (
        f"[{escaped(str(key) if words is None else words)}](/c/{quote(collection, safe='')}/{segment(key)})"
    )


def links_in(markdown: str) -> set[tuple[str, str]]:
    """Return the records (collection, key) that links of the text say by their keys."""
    return {(collection, key) for collection, key, said in map(_read, _LINK.finditer(markdown)) if said}


def with_names(markdown: str, name: Callable[[str, str], str | None]) -> str:
    """Return the text with `name(collection, key)`, Markdown, in place of each link that says a key; None leaves the link as it is."""

    def put(found: re.Match[str]) -> str:
        collection, key, said = _read(found)
        named = name(collection, key) if said else None
        return found[0] if named is None else named

    return _LINK.sub(put, markdown)


def _read(found: re.Match[str]) -> tuple[str, str, bool]:
    """(collection, key, whether the words of the link are the key)."""
    key = key_of(unquote(found[3]))
    return unquote(found[2]), key, found[1] == escaped(key)
