"""Context for one approval request: questions and replies, which documents were opened by whom, and how similar requests ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from console import accounts, documents, log
from console.core import media
from console.core.actor import Actor
from console.log import masking
from console.runs.changing.approval_answers import VisibleRequest, visible_request
from console.runs.changing.approval_questions import Remark, remarks
from console.runs.showing.reader_reach import kept_from
from console.work import approvals
from console.work.approvals import Line

MOST_ALIKE = 24
ALIKE_DAYS = 365


@dataclass(frozen=True, slots=True)
class OpenedByBoth:
    """A document beside the run: how many of its `pages` (None: nobody counted them) the requester and the reader opened."""

    title: str
    ref: str
    pages: int | None
    requester: int
    reader: int


@dataclass(frozen=True, slots=True)
class Alike:
    """How requests for the same ended in the last year, as far as the reader may see them: newest first."""

    lines: Sequence[Line]
    approved: int
    rejected: int
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it for one reader. `remarks` are None where the reader may not read texts of the step; `names` are those of the people in them.

    `attached` are the files that are part of what is asked for; they stand in `opened` too, opened or not.
    """

    remarks: Sequence[Remark] | None
    names: dict[str, str]
    opened: Sequence[OpenedByBoth]
    attached: Sequence[OpenedByBoth]
    alike: Alike
    may_reply: bool


def beside(actor: Actor, approval_id: str) -> Beside:
    """The context of the request. Raises NotFound as `approvals.get` does."""
    request = visible_request(actor, approval_id)
    run, approval = request.seen.run, request.approval
    hidden = kept_from(actor, run.workflow, run.version, request.attempt.step, run=run.id)
    says = hidden.closed is None or hidden.closed.says(request.attempt.step)
    said = remarks(request) if says else None
    values = masking.mask(dict(approval.values), "values", hidden, approval.collection)[0]
    opened, attached = _opened(actor, request, sorted(media.ids_in(values)))
    has_question = bool(said) and any(not remark.reply for remark in said or ())
    return Beside(
        said,
        accounts.names({remark.by for remark in said or ()}),
        opened,
        attached,
        _alike(actor, request),
        has_question and approval.status == "open" and actor.id == approval.requested_by,
    )


def questions_and_replies(actor: Actor, approval_id: str) -> Sequence[Remark]:
    """The questions and replies, oldest first; none where the reader may not read texts of the step. Raises NotFound as `approvals.get` does."""
    request = visible_request(actor, approval_id)
    run = request.seen.run
    hidden = kept_from(actor, run.workflow, run.version, request.attempt.step, run=run.id)
    return remarks(request) if hidden.closed is None or hidden.closed.says(request.attempt.step) else ()


def _opened(actor: Actor, request: VisibleRequest, files: Sequence[str]) -> tuple[list[OpenedByBoth], list[OpenedByBoth]]:
    """(the documents of which somebody opened something, or which the run went through, or which are attached, with the pages that each of the two
    opened; those of them that are `files`).
    """
    run, approval = request.seen.run, request.approval
    events = [event for event in log.recent(run.id, "source_opened", 0) if event.open.get("source") == "document"]
    made = []
    for looked in documents.looked_at(actor, run.id, events=events):
        mine = documents.pages_by(looked, events, actor.id)
        theirs = documents.pages_by(looked, events, approval.requested_by)
        made.append(OpenedByBoth(looked.title, looked.ref, looked.pages, theirs, mine))
    known = {paper.ref: paper for paper in made}
    for document in documents.beside(actor, run.id, None, None) if set(files) - known.keys() else ():
        if document.ref in files and document.ref not in known:
            known[document.ref] = OpenedByBoth(document.title, document.ref, document.pages, 0, 0)
    return list(known.values()), [known[ref] for ref in files if ref in known]


def _alike(actor: Actor, request: VisibleRequest) -> Alike:
    """Other decided requests for the same action, of the last year."""
    since = log.body.moment(log.now() - timedelta(days=ALIKE_DAYS))
    page = approvals.history(actor, {"action": request.approval.action, "created_at.gte": since}, limit=MOST_ALIKE)
    own = request.approval.id
    lines = [line for line in page.lines if line.approval.status in ("approved", "rejected") and line.approval.id != own]
    took = [(line.approval.decided[-1].at - line.approval.requested_at).total_seconds() for line in lines if line.approval.decided]
    approved = sum(line.approval.status == "approved" for line in lines)
    return Alike(lines, approved, len(lines) - approved, median(took) if took else None)
