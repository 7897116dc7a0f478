"""The log: the only writer and reader of the event table."""

from console.log.append import IDEMPOTENCY, REQUEST, AlreadyDone, Moved, Projection, chained, frame_of, note, now, write
from console.log.body import Fact, Frame, Link
from console.log.read import Stored, events_of, stored

__all__ = [
    "IDEMPOTENCY",
    "REQUEST",
    "AlreadyDone",
    "Fact",
    "Frame",
    "Link",
    "Moved",
    "Projection",
    "Stored",
    "chained",
    "events_of",
    "frame_of",
    "note",
    "now",
    "stored",
    "write",
]
