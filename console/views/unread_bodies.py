"""Bodies that are refused unread: they are read on before the answer leaves, or a sender that is still writing meets a broken connection in its place."""

import time

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

MOST_BYTES = 32 * 1024 * 1024
SECONDS = 5.0
PIECE = 64 * 1024


def read_on(response: Response) -> Response:
    """Return the response, after what is left of a refused request's body was read and thrown away: at most so much of it, and for so long."""
    in_pieces = request.content_length is None  # what was read of it may have ended at a limit
    if response.status_code < 400 or (request.content_length or PIECE) < PIECE:
        return response
    raw = request.environ["wsgi.input"] if request.environ.get("wsgi.input_terminated") else None
    stream = raw if in_pieces else request.__dict__.get("stream") or get_input_stream(request.environ)
    ends, left = time.monotonic() + SECONDS, MOST_BYTES
    try:
        while stream is not None and left > 0 and time.monotonic() < ends and (piece := stream.read(PIECE)):
            left -= len(piece)
    except ClientDisconnected:
        pass
    return response
