"""The log: the only writer and reader of the event table."""

from console.infra.clock import move_clock, moved_by, now
from console.log import body
from console.log.append import (
    REQUEST,
    Beside,
    Moved,
    Noting,
    Overtaken,
    chained,
    frame_of,
    lane,
    note,
    noting,
    write,
)
from console.log.body import Fact, Frame, Link, link
from console.log.idempotency_note import IDEMPOTENCY, AlreadyDone, reserved
from console.log.new_chains import NewChain, write_new
from console.log.note_each import Noted, note_each
from console.log.read import (
    Row,
    Stored,
    beginnings,
    closed,
    events_of,
    history,
    newest_by_people,
    open_values,
    passing,
    recent,
    rows,
    stored,
)
from console.log.transition_statement import Part, Projection

OPEN_MODULES = frozenset(
    {
        "body",
        "bundle",
        "checkpoint",
        "event_lists",
        "event_view",
        "guards",
        "idempotency_note",
        "masking",
        "read",
        "recheck",
        "tree",
        "tree_heads",
        "verify",
    }
)
