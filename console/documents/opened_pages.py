"""Which pages of the documents beside a run were opened while it was worked on, and which never were: for replay, from the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import log, records
from console.core.actor import Actor
from console.core.errors import NotFound
from console.documents.viewed_documents import Document, documents_of_run
from console.runs.commands.run_rights import see


@dataclass(frozen=True, slots=True)
class Looked:
    """A document and the pages of it that somebody opened. `pages` is how many it has, None where nobody ever counted them.

    `status` says whether a program sent it as a fact or a claim.
    """

    ref: str
    title: str
    pages: int | None
    opened: tuple[int, ...]
    taken: bool = False
    named: tuple[Any, ...] = ()
    status: str = ""

    @property
    def never(self) -> tuple[int, ...]:
        """The pages that nobody opened, as far as they are known."""
        return tuple(number for number in range(1, (self.pages or 0) + 1) if number not in self.opened)

    @property
    def words(self) -> str:
        """All this in a sentence."""
        if not self.opened:
            return "Taken as a file, and no page opened here" if self.taken else "Never opened"
        if self.never:
            return f"{_pages(self.never)} {'was' if len(self.never) == 1 else 'were'} never opened"
        return "Opened" if self.pages == 1 else f"{'All' if self.pages else 'Opened:'} {self._which()}"

    def _which(self) -> str:
        return f"{self.pages} pages opened" if self.pages else _pages(self.opened).lower()

    def to_json(self) -> dict[str, Any]:
        """For the API."""
        return {
            "document": self.ref,
            "title": self.title,
            "pages": self.pages,
            "opened": list(self.opened),
            "never_opened": list(self.never) if self.pages else None,
        }


def _pages(numbers: Sequence[int]) -> str:
    """`Page 3`, `Pages 1 to 4 and 7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    parts = [str(first) if first == last else f"{first} to {last}" for first, last in spans]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"{'Page' if len(numbers) == 1 else 'Pages'} {listed}"


def opened_documents(
    actor: Actor, run_id: str, at: int | None = None, events: Sequence[log.Stored] | None = None
) -> list[Looked]:
    """The documents beside the run, and what was opened of each up to event `at` (None: the last); those handed in later are left out.

    `events` are those of opened documents, where the caller has them. Files of records are those of today. Raises NotFound for a run that the actor may not see.
    """
    seen = see(actor, run_id)
    upto = seen.run.seq if at is None else at
    known = log.recent(run_id, "source_opened", 0) if events is None else events
    events = [event for event in known if event.n <= upto and event.open.get("source") == "document"]
    moment = _moment(run_id, upto)
    try:
        listed = documents_of_run(actor, run_id, seen.run.collection, seen.run.record)
    except NotFound:
        listed = []
    there = [
        document
        for document in listed
        if not document.why_not and (document.at is None or moment is None or document.at <= moment)
    ]
    return [
        _looked(document, [event for event in events if _names(event) == _named(document)])
        for document in there
    ]


def pages_by(looked: Looked, events: Sequence[log.Stored], person: str) -> int:
    """How many pages of the document this person opened; as many as it has where they took the file."""
    own = [event for event in events if event.body["actor"]["id"] == person and _names(event) == looked.named]
    if any("page" not in event.open for event in own):
        return looked.pages or 1
    return len({event.open["page"] for event in own})


def _names(event: log.Stored) -> tuple[Any, ...]:
    """How an event names its document."""
    return event.open.get("collection"), event.open.get("name"), event.open.get("key")


def checks_then(
    actor: Actor, run_id: str, step: str, attempt: int, at: int, *, item: str | None = None
) -> dict[str, Any] | None:
    """The checklist that was last shown at that attempt of the step up to event `at`, as it is kept; None where none was, or it was erased.

    That of an `item` of a list may have been shown at an earlier attempt, where its items stood on one screen.
    """
    see(actor, run_id)
    shown = [event for event in log.recent(run_id, "checks_shown", 0) if event.n <= at]
    name, value = ("item", item) if item is not None else ("attempt", attempt)
    here = [
        event
        for event in shown
        if event.body["step"]["id"] == step and {**event.body["step"], **event.open}.get(name) == value
    ]
    if not here:
        return None
    found = log.open_values(run_id, [here[-1]])[here[-1].n].values.get("checks")
    return dict(found) if found else None


def _moment(run_id: str, n: int) -> datetime | None:
    """When that event happened."""
    found = log.events_of(run_id, after=n - 1, limit=1, opened=False)
    return found[0].at if found else None


def _named(document: Document) -> tuple[Any, ...]:
    """How events name the document: collection, column and record in the log, or the file that was handed in."""
    if document.collection is None:
        return None, None, document.ref
    return (
        document.collection,
        document.column,
        records.log_reference(records.collection(document.collection), document.record or ""),
    )


def _looked(document: Document, events: Sequence[log.Stored]) -> Looked:
    opened = {event.open["page"] for event in events if isinstance(event.open.get("page"), int)}
    counted = [event.open["pages"] for event in events if isinstance(event.open.get("pages"), int)]
    pages = document.pages or (max(counted) if counted else None)
    return Looked(
        document.ref,
        document.title,
        pages,
        tuple(sorted(opened)),
        any("page" not in event.open for event in events),
        _named(document),
        document.status if document.slot else "",
    )
