"""What became of a request that was answered with an error, according to what was written and not to the kind of error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from console.infra.db import request_writes
from console.infra.db.request_writes import State
from console.views import frame

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "X-Outcome"
WORDS: Mapping[State, str] = {
    "nothing": "Nothing was changed.",
    "done": "What you asked for was done, or a part of it; only the answer could not be shown. Look at how it stands before you send it again.",
    "unknown": "We do not know whether it was done: the answer to it was lost. Look at how it stands before you send it again.",
}
KEPT = "What you typed is kept as a draft."


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is what became of it (None: nothing was requested), `words` say so, `href` is where to look."""

    state: State | None = None
    words: str = ""
    href: str = ""

    @property
    def to_look_at(self) -> bool:
        """Return whether something was done, or may have been."""
        return self.state in ("done", "unknown")

    def to_json(self) -> dict[str, Any]:
        """Return the state for programs: `done`, `unknown` or `nothing`."""
        return {"outcome": self.state} if self.state is not None else {}


def outcome_of_request() -> Outcome:
    """Return what became of this request."""
    if request.method in SAFE:
        return Outcome()
    writes = request_writes.so_far()
    words = (
        f"{WORDS[writes.state]} {KEPT}"
        if writes.drafted and writes.state == "nothing"
        else WORDS[writes.state]
    )
    return Outcome(writes.state, words, _place(writes))


def _place(writes: request_writes.Written) -> str:
    """Return the run or record that the request was about; else the page that it was sent from."""
    named = request.view_args or {}
    run = writes.run or named.get("run_id")
    if run:
        return frame.run_url(str(run))
    if named.get("collection") and named.get("key") is not None:
        return frame.record_url(str(named["collection"]), frame.key_of(str(named["key"])))
    return request.referrer or "/"
