"""Questions about a request for approval: who is to decide asks, who asked for it replies. Both are events of the run; nothing else changes."""

from dataclasses import dataclass
from datetime import datetime

from console import log
from console.auth import notify
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed
from console.core.run import Event
from console.infra.db.engine import transaction
from console.runs.commands.approval_answers import (
    ASKED,
    REPLIED,
    VisibleRequest,
    remark_events,
    visible_request,
    why_refused,
)
from console.runs.store.run_store import retried
from console.runs.views.reading import record_reading

LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Remark:
    """A question about a request, or a reply to one. `text` is None where it was erased; `at` is aware UTC."""

    by: str
    at: datetime
    reply: bool
    text: str | None


def ask(actor: Actor, approval_id: str, question: str) -> None:
    """Ask the requester. Raises NotFound; what keeps the actor from answering the request; Invalid for an empty or too long question."""
    text = _text(question, "question", "Write what you want to know.")

    def once() -> VisibleRequest:
        request = visible_request(actor, approval_id)
        if (refused := why_refused(actor, request)) is not None:
            raise refused
        _record(actor, request, ASKED, {"question": text})
        return request

    request = retried(once)
    _tell(request, [request.approval.requested_by], ASKED, actor)


def reply(actor: Actor, approval_id: str, answer: str) -> None:
    """Reply to what was asked. Raises NotFound; NotAllowed for everybody but the requester; Conflict where nothing was asked or it is decided."""
    text = _text(answer, "answer", "Write your reply.")

    def once() -> VisibleRequest:
        request = visible_request(actor, approval_id)
        if actor.id != request.approval.requested_by:
            raise NotAllowed("Only who asked for the approval replies to questions about it.")
        if request.approval.status != "open" or not remark_events(request, ASKED):
            raise Conflict(
                "There is nothing to reply to: nobody asked, or it is decided.", code="not_possible"
            )
        _record(actor, request, REPLIED, {"answer": text})
        return request

    request = retried(once)
    _tell(
        request,
        sorted({event.body["actor"]["id"] for event in remark_events(request, ASKED)}),
        REPLIED,
        actor,
    )


def remarks(request: VisibleRequest) -> list[Remark]:
    """The questions and replies about the request, oldest first. The caller has checked that the reader may read its texts."""
    events = remark_events(request)
    opened = log.open_values(request.seen.run.id, events) if events else {}
    return [
        Remark(
            event.body["actor"]["id"],
            event.at,
            event.type == REPLIED,
            opened[event.n].values.get("answer" if event.type == REPLIED else "question"),
        )
        for event in events
    ]


def _text(given: str, field: str, missing: str) -> str:
    text = given.strip()
    if not text or len(text) > LONGEST:
        words = missing if not text else f"At most {LONGEST} characters."
        raise Invalid(words, at=field)
    return text


def _record(actor: Actor, request: VisibleRequest, kind: str, sealed: dict[str, str]) -> None:
    step = (request.attempt.step, request.attempt.attempt)
    record_reading(
        actor, request.seen, Event(kind, log.now(), {"approval": request.approval.id}, sealed, step, actor.id)
    )


def _tell(request: VisibleRequest, people: list[str], kind: str, by: Actor) -> None:
    run = request.seen.run
    with transaction() as connection:
        notify.add_notices(
            *(connection, people, f"{request.approval.id}|{kind}|{run.seq + 1}", kind),
            at=log.now(),
            run=run.id,
            by=by.id,
            link=f"/approvals/{request.approval.id}",
        )
