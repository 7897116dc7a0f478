"""The log: the only writer and reader of the event table."""

from console.log import body
from console.log.append import REQUEST, Moved, Projection, chained, frame_of, move_clock, moved_by, note, now, on_the_way, settle, write
from console.log.body import Fact, Frame, Link, link
from console.log.new_chains import NewChain, write_new
from console.log.note_each import Noted, note_each
from console.log.once import IDEMPOTENCY, AlreadyDone, reserved
from console.log.read import Row, Stored, closed, events_of, history, open_values, passing, recent, rows, stored

__all__ = [
    "IDEMPOTENCY",
    "REQUEST",
    "AlreadyDone",
    "Fact",
    "Frame",
    "Link",
    "Moved",
    "NewChain",
    "Noted",
    "Projection",
    "Row",
    "Stored",
    "body",
    "bundle",
    "chained",
    "checkpoint",
    "closed",
    "event_lists",
    "events_of",
    "frame_of",
    "guards",
    "history",
    "link",
    "masking",
    "move_clock",
    "moved_by",
    "note",
    "note_each",
    "now",
    "on_the_way",
    "once",
    "open_values",
    "passing",
    "present",
    "read",
    "recent",
    "recheck",
    "reserved",
    "rows",
    "settle",
    "stored",
    "tree",
    "tree_heads",
    "verify",
    "write",
    "write_new",
]
