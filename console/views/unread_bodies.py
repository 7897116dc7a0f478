"""Bodies that are refused unread: they are read on before the answer leaves, or a sender that is still writing meets a broken connection in its place."""

import threading
import time

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

MOST_BYTES = 32 * 1024 * 1024
SECONDS = 5.0
LARGE = 64 * 1024
PIECE = 4 * 1024
"""What is waited for at once: a read ends only when it is there."""
_place = threading.Lock()
"""Held by the one thread of a process that reads on: strangers who send slowly keep no other from its pages."""


def read_on(response: Response) -> Response:
    """Return the response, after what is left of a refused request's body was read and thrown away: at most so much of it, for so long, and of one request at a time."""
    in_pieces = request.content_length is None  # what was read of it may have ended at a limit
    if (
        response.status_code < 400
        or (request.content_length or LARGE) < LARGE
        or not _place.acquire(blocking=False)
    ):
        return response
    try:
        raw = request.environ["wsgi.input"] if request.environ.get("wsgi.input_terminated") else None
        stream = raw if in_pieces else request.__dict__.get("stream") or get_input_stream(request.environ)
        ends, left = time.monotonic() + SECONDS, MOST_BYTES
        while stream is not None and left > 0 and time.monotonic() < ends and (piece := stream.read(PIECE)):
            left -= len(piece)
    except ClientDisconnected:
        pass
    finally:
        _place.release()
    return response
