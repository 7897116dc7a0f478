"""The API: the service functions of the pages as JSON, for programs with a key. One module for each family of calls."""

from collections.abc import Collection, Sequence
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from console.formats import object_in

MOST = 100
OPEN_MODULES = frozenset({"idempotency", "operation", "requests"})


def body() -> dict[str, Any]:
    """Return the JSON object in the request. Decimals become `Spelled` texts, because the API represents decimals as text.

    Raises `Malformed` for what is no such object; 415 if its content type is not JSON in UTF-8, or the body is compressed.
    """
    return object_in(sent_bytes(empty=True))


def sent_bytes(*, empty: bool = False, also: Collection[str] = ()) -> bytes:
    """Return the body of a request that sends JSON; with `empty` none is an empty object, and types of `also` are taken too. Raises 415 for another type, character set or a compressed body, 413 for one that is too large."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(
            "Send the body as it is, without Content-Encoding: a compressed one is not read."
        )
    if (
        empty
        and (request.is_json or not request.content_type)
        and "Authorization" in request.headers
        and not request.get_data().strip()
    ):
        return b"{}"  # a call that needs to say nothing; of a session, which browsers send along by themselves, it is not taken
    if not (request.is_json or request.mimetype in also) or request.mimetype_params.get(
        "charset", "utf-8"
    ).lower() not in (
        "utf-8",
        "utf8",
    ):
        raise UnsupportedMediaType("Send JSON in UTF-8, with the header Content-Type: application/json.")
    raw = request.get_data()
    if len(raw) >= (request.max_content_length or len(raw) + 1) and request.content_length is None:
        raise RequestEntityTooLarge  # sent in pieces without its length: what was read ends at the limit
    return raw


def spelled(name: str) -> dict[str, Any]:
    """Return an object from `body` as it was sent, before a model took its decimals for texts."""
    sent = body().get(name)
    return sent if isinstance(sent, dict) else {}


def listing(rows: Sequence[Any], following: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a page of a list as all lists of the API do: `{"data", "next"}`, where `next` is the cursor for `?after=`."""
    return {"data": list(rows), "next": following, **more}
