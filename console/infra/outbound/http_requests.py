"""The parts of a request that values are filled into, for actions and for whatever else a document describes; and what came back.

Values never choose where a request goes: each is one piece of the path, percent-encoded, or one of the query, the body or a header.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from console.core import expressions
from console.core.errors import Invalid
from console.core.expressions import ExpressionError

LONGEST_VALUE = 2_000
HIDDEN = b"[secret]"
PAGE_START = 1_000
"""Bytes of an answer in which a web page begins, if it is one."""


def fill_address(template: str, roots: Mapping[str, Any]) -> str:
    """Return the address or path with each `{{ expression }}` as one piece of it: nothing in a value ends the piece, climbs out of it or begins a query.

    Raises Invalid for a value that is too long, or in the path for one that is empty or would be a step up.
    """
    parts, query = [], False
    try:
        standing = expressions.active_parts(template, roots)
    except ExpressionError as error:
        raise Invalid(f"The path cannot be made: {error.message}") from None
    for part in standing:
        parts.append(part if isinstance(part, str) else _piece(part, roots, query=query))
        query = query or (isinstance(part, str) and "?" in part)
    return "".join(parts)


def _piece(expression: expressions.Expression, roots: Mapping[str, Any], *, query: bool) -> str:
    text = expressions.value_text(expression.value(roots))
    if (not query and not text.strip(".")) or len(text) > LONGEST_VALUE or "\x00" in text:
        raise Invalid(
            "A value does not fit into the address that would be asked.",
            at=("", f"`{expression.text}` gives nothing that fits."),
        )
    return quote(text, safe="")


def header(name: str, value: Any) -> str:
    """Return the value of a header. Raises Invalid for what would begin another one."""
    text = text_of(value, f"headers.{name}")
    if not text.isascii() or not text.isprintable():
        raise Invalid(
            f"The header {name} cannot have this value.",
            at=(f"headers.{name}", "Plain characters in one line only."),
        )
    return text.strip()


def text_of(value: Any, where: str) -> str:
    """Return the value as it is sent in a form, a query or a header. Raises Invalid for one that is too long."""
    text = expressions.value_text(value)
    if len(text) > LONGEST_VALUE:
        raise Invalid("A value is too long to be sent.", at=(where, f"At most {LONGEST_VALUE} characters."))
    return text


def credentials(secret: str, header_name: str | None, user: str | None = None) -> dict[str, str]:
    """Return the header that carries the secret: as it is in one of its own, as the password of a user, else as a bearer's."""
    if header_name:
        return {header_name: secret}
    return {
        "Authorization": f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"
        if user
        else f"Bearer {secret}"
    }


def without_secret(body: bytes, secret: str | None) -> bytes:
    """Return what came back, without the secret where the other system repeats it: as it is, inside JSON, or inside an address."""
    return without_secrets(body, [secret] if secret else [])


def without_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """As `without_secret`, for several of them."""
    for spelling in sorted(
        {each for secret in secrets for each in _spellings(secret)}, key=len, reverse=True
    ):
        body = body.replace(spelling.encode(), HIDDEN)
    return body


def _spellings(secret: str) -> list[str]:
    """Return the secret as other systems write it."""
    inside = json.dumps(secret)[1:-1]
    careful = "".join(f"\\u{ord(char):04x}" if char in "<>&'" else char for char in inside)
    return [secret, inside, careful, inside.replace("/", "\\/"), quote(secret), quote(secret, safe="")]


def json_of(body: bytes) -> Any:
    """Return the answer as JSON, numbers with a fraction as text; None if it is not JSON."""
    try:
        return json.loads(body, parse_float=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def is_page(body: bytes) -> bool:
    """Whether a web page came back, as from whoever stands before the other system."""
    text = body[:PAGE_START].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    return text.startswith(("<!doctype html", "<html"))
