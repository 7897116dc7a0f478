"""Bodies of refused requests are read on, of one request at a time, so that senders who are slow keep nobody else waiting."""

import io
import threading

from flask import Flask, Response

from console.views import unread_bodies

SIZE = 200_000


class Slow(io.RawIOBase):
    """A body of which nothing comes before `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        self.asked.set()
        assert self.go.wait(30)
        return 0


def refused(body: object) -> None:
    with Flask(__name__).test_request_context(
        "/hooks/x", method="POST", environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(SIZE)}
    ):
        unread_bodies.read_on(Response(status=401))


def test_only_one_of_the_senders_who_are_slow_is_waited_for() -> None:
    slow, other = Slow(), io.BytesIO(b"x" * SIZE)
    first = threading.Thread(target=refused, args=(slow,))
    first.start()
    assert slow.asked.wait(30)
    refused(other)
    assert other.tell() == 0, "answered at once"
    slow.go.set()
    first.join(30)
    refused(other)
    assert other.tell() == SIZE, "its place is free again"
