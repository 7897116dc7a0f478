"""Context for one approval request: questions and replies, which documents were opened by whom, and how similar requests ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from console import documents, log
from console.auth import accounts
from console.core import media
from console.core.actor import Actor
from console.core.run import Attempt, Effect, repeating
from console.core.run.approval_request import Approval
from console.log import masking
from console.runs.commands.approval_answers import VisibleRequest, visible_request
from console.runs.commands.approval_questions import Remark, remarks
from console.runs.views.reader_reach import kept_from
from console.work import approvals
from console.work.approvals import Line

MOST_ALIKE = 24
ALIKE_DAYS = 365


@dataclass(frozen=True, slots=True)
class Opened:
    """A document beside the run: how many of its `pages` (None: nobody counted them) each person opened, the reader last."""

    title: str
    ref: str
    pages: int | None
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Alike:
    """How requests for the same ended in the last year, as far as the reader may see them: newest first."""

    lines: Sequence[Line]
    approved: int
    rejected: int
    median_s: float | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier request of the same step of the run. `made`: something of it was done. `why`: the reason with which the step was revised after it."""

    approval: Approval
    values: Mapping[str, Any]
    made: bool
    why: str


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it for one reader. `remarks` are None where the reader may not read texts of the step; `names` are those of the people in them.

    `openers` are the people of the counts: the requester, whoever else opened something in the run, and the reader. `attached` are the files that are part of what is asked for; they stand in `opened` too, opened or not.
    `came` tells what came of it once it is approved: each change outside with its status.
    """

    remarks: Sequence[Remark] | None
    names: dict[str, str]
    openers: Sequence[str]
    opened: Sequence[Opened]
    attached: Sequence[Opened]
    alike: Alike
    may_reply: bool
    earlier: Sequence[Earlier]
    came: Sequence[tuple[str, str]]


def context_of(actor: Actor, approval_id: str) -> Beside:
    """The context of the request. Raises NotFound as `approvals.get` does."""
    request = visible_request(actor, approval_id)
    run, approval = request.seen.run, request.approval
    hidden = kept_from(actor, run.workflow, run.version, request.attempt.step, run=run.id)
    says = hidden.closed is None or hidden.closed.says(request.attempt.step)
    said = remarks(request) if says else None
    values = masking.mask(dict(approval.values), "values", hidden, approval.collection)[0]
    openers, opened, attached = _opened(actor, request, sorted(media.ids_in(values)))
    has_question = bool(said) and any(not remark.reply for remark in said or ())
    earlier = _earlier(request, hidden, says=says)
    answered = {each.by for one in earlier for each in one.approval.decided}
    return Beside(
        said,
        accounts.names({*(remark.by for remark in said or ()), *openers, *answered}),
        openers,
        opened,
        attached,
        _alike(actor, request),
        has_question and approval.status == "open" and actor.id == approval.requested_by,
        earlier,
        [(each.summary, each.status) for each in effects_of(request.attempt, approval)]
        if approval.status == "approved"
        else (),
    )


def questions_and_replies(actor: Actor, approval_id: str) -> Sequence[Remark]:
    """The questions and replies, oldest first; none where the reader may not read texts of the step. Raises NotFound as `approvals.get` does."""
    request = visible_request(actor, approval_id)
    run = request.seen.run
    hidden = kept_from(actor, run.workflow, run.version, request.attempt.step, run=run.id)
    return remarks(request) if hidden.closed is None or hidden.closed.says(request.attempt.step) else ()


def _opened(
    actor: Actor, request: VisibleRequest, files: Sequence[str]
) -> tuple[list[str], list[Opened], list[Opened]]:
    """(the people of the counts; the documents of which somebody opened something, or which the run went through, or which are attached, with the
    pages that each of them opened; those of them that are `files`).
    """
    run, approval = request.seen.run, request.approval
    events = [
        event for event in log.recent(run.id, "source_opened", 0) if event.open.get("source") == "document"
    ]
    people = dict.fromkeys(
        [approval.requested_by, *(event.body["actor"]["id"] for event in reversed(events))]
    )
    openers = [*(person for person in people if person != actor.id), actor.id]
    known = {
        looked.ref: Opened(
            looked.title,
            looked.ref,
            looked.pages,
            [documents.pages_by(looked, events, person) for person in openers],
        )
        for looked in documents.opened_documents(actor, run.id, events=events)
    }
    for document in (
        documents.documents_of_run(actor, run.id, None, None) if set(files) - known.keys() else ()
    ):
        if document.ref in files and document.ref not in known:
            known[document.ref] = Opened(document.title, document.ref, document.pages, [0] * len(openers))
    return openers, list(known.values()), [known[ref] for ref in files if ref in known]


def _earlier(request: VisibleRequest, hidden: masking.Hidden, *, says: bool) -> list[Earlier]:
    """What this step of the run asked for before, newest first. `says`: the reader may read texts of the step."""
    run, own = request.seen.run, request.approval
    asked = [
        (attempt, approval)
        for attempt in run.attempts.values()
        for approval in attempt.approvals
        if attempt.step == request.attempt.step
        and approval.requested_at < own.requested_at
        and not approval.decides
    ]
    revised = log.recent(run.id, "step_revised", 0) if asked and says else []
    reasons = log.open_values(run.id, revised) if revised else {}
    found = []
    for attempt, approval in sorted(asked, key=lambda pair: pair[1].requested_at, reverse=True):
        after = min(
            (event for event in revised if event.at >= approval.requested_at),
            key=lambda event: event.n,
            default=None,
        )
        why = str(reasons[after.n].values.get("reason") or "") if after is not None else ""
        values = masking.mask(dict(approval.values), "values", hidden, approval.collection)[0]
        stands = {effect.id for _, effect in repeating.outstanding(run, [attempt])}
        made = any(
            effect.status == "succeeded" and effect.id in stands for effect in effects_of(attempt, approval)
        )
        found.append(Earlier(approval, values, made, why))
    return found


def effects_of(attempt: Attempt, approval: Approval) -> list[Effect]:
    """The effects that were requested because this request was approved, without those that their condition left out.

    There are none of one that became void, expired or was rejected before.

    A yes that is kept for another try of the same step counts for that too, unless somebody was asked again.
    """
    wished = {wish["id"] for wish in approval.wishes}
    kept = approval.status == "approved" and approval is attempt.approvals[-1]
    return [
        effect
        for effect in attempt.effects
        if effect.compensates is None
        and not ((effect.result or {}).get("values") or {}).get("left_out")
        and (
            effect.id in wished
            or (
                kept
                and any(repeating.comes_to_the_same(w["kind"], w["request"], effect) for w in approval.wishes)
            )
        )
    ]


def _alike(actor: Actor, request: VisibleRequest) -> Alike:
    """Other decided requests for the same action, of the last year."""
    since = log.body.moment(log.now() - timedelta(days=ALIKE_DAYS))
    page = approvals.history(
        actor, {"action": request.approval.action, "created_at.gte": since}, limit=MOST_ALIKE
    )
    own = request.approval.id
    lines = [
        line
        for line in page.lines
        if line.approval.status in ("approved", "rejected") and line.approval.id != own
    ]
    took = [
        (line.approval.decided[-1].at - line.approval.requested_at).total_seconds()
        for line in lines
        if line.approval.decided
    ]
    approved = sum(line.approval.status == "approved" for line in lines)
    return Alike(lines, approved, len(lines) - approved, median(took) if took else None)
