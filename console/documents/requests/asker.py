"""What the asker sees and may do while the run waits: remind, take the link back, make a new one, copy it, enter what came by mail, go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console import log, runs
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.core.forms import examine, is_empty
from console.core.run import moves
from console.documents.requests import request_rows
from console.documents.requests.outside import hand_in, keep_file
from console.documents.requests.request_letters import link_of, trouble_of
from console.documents.requests.request_rows import (
    Item,
    Request,
    draft,
    ensure,
    half_done,
    hashed,
    lock_request,
    noted,
    token_of,
)
from console.infra import settings
from console.infra.db.engine import fetch
from console.infra.files import Stored
from console.runs.commands.run_rights import may_work, see
from console.runs.engine.stepping import require_step, step_at
from console.steps.request_documents import CAME, SENDER, THEIRS, UNSENT

NOT_SO_SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Answer:
    """A field of the page outside. `here`: whether something that fits stands in it, by `ours` or typed there; what it is stays outside until it is sent off."""

    label: str
    required: bool
    here: bool
    ours: bool


@dataclass(frozen=True, slots=True)
class State:
    """A request for its asker. `may`: whether this person may do something about it; `mails`: whether letters go out from here.

    `trouble`: why the last one did not, empty where it did; `again`: it is tried again.
    """

    request: Request
    items: list[Item]
    answers: list[Answer]
    may: bool
    mails: bool
    over: bool
    trouble: str
    again: bool

    @property
    def received(self) -> int:
        """How many of the documents are here."""
        return sum(1 for item in self.items if item.files)

    @property
    def answered(self) -> int:
        """How many of the fields are filled in, by whomever."""
        return sum(answer.here for answer in self.answers)

    @property
    def missing(self) -> list[str]:
        """Labels of what is needed and not here."""
        return _missing(self.items, self.answers)


def _missing(items: Sequence[Item], answers: Sequence[Answer]) -> list[str]:
    return [item.label for item in items if item.missing] + [
        answer.label for answer in answers if answer.required and not answer.here
    ]


def _answers(request: Request) -> tuple[dict[str, Any], list[Answer]]:
    """(what was typed so far and fits, each field with whether it is filled in). What was half typed, and never sent off, is nothing."""
    fields, kept = request.fields, {**request.asked.get(THEIRS, {}), **draft(request)}
    typed, details = examine(fields, {field.name: kept[field.name] for field in fields if field.name in kept})
    wrong = {detail["field"] for detail in details}
    fitting = {name: None if name in wrong else value for name, value in typed.items()}
    asked = [field for field in fields if not field.explains]
    return fitting, [
        Answer(field.label, field.required, not is_empty(fitting.get(field.name)), field.name not in kept)
        for field in asked
    ]


def state(actor: Actor, run_id: str) -> State | None:
    """The request that the run waits for, None where it waits for none. Raises NotFound."""
    seen = see(actor, run_id)
    if request_rows.waits(seen.run) is None:
        return None
    request = ensure(run_id)
    if request is None:
        return None
    configured = settings.current()
    mails = (
        configured.smtp is not None and configured.mail_from is not None and configured.base_url is not None
    )
    return State(
        request,
        request.items,
        _answers(request)[1],
        _may(actor, run_id),
        mails,
        request.until <= log.now(),
        *trouble_of(request),
    )


def _may(actor: Actor, run_id: str) -> bool:
    try:
        _worked(actor, run_id)
    except (NotAllowed, NotFound, Conflict):
        return False
    return True


def _worked(actor: Actor, run_id: str) -> Request:
    """The request, for who works on such runs and may do the step. Raises NotFound, NotAllowed, Conflict where the run waits for none."""
    seen = see(actor, run_id)
    if request_rows.waits(seen.run) is None:
        raise Conflict(
            "This run does not wait for documents any more. Reload it to see where it stands.",
            code="stale_revision",
        )
    if not may_work(actor, seen.run, seen.definition):
        raise NotAllowed(
            "Only those who work on such runs may do this.",
            need=(f"workflow:{seen.definition.slug}", "resume"),
        )
    require_step(actor, step_at(seen.definition, seen.run))
    request = ensure(run_id)
    if request is None:
        raise NotFound("What was asked for has been erased.")
    return request


def link(actor: Actor, run_id: str, base_url: str) -> str:
    """The link, to be sent by the asker. That it was shown is an event. Raises Conflict where it was taken back."""
    request = _worked(actor, run_id)
    if request.status != "open":
        raise Conflict("The link was taken back. Make a new one.", code="not_possible")
    shown = link_of(request, base_url)
    noted(request, actor, "source_opened", {"source": "link"}, {})
    return shown


def remind(actor: Actor, run_id: str) -> None:
    """Send a reminder now. Raises Conflict where one has just gone out, or the link was taken back."""
    request = _worked(actor, run_id)
    if request.status != "open":
        raise Conflict("The link was taken back. Make a new one.", code="not_possible")
    if request.sent_at is not None and request.sent_at > log.now() - NOT_SO_SOON:
        raise Conflict("A letter has gone out within the last ten minutes.", code="not_possible")
    _update(request, "mail = 'due', remind_at = now()")


def revoke(actor: Actor, run_id: str, reason: str) -> None:
    """Make the link useless; the run goes on waiting. Raises Invalid without a reason."""
    said, request = moves.require_reason(reason), _worked(actor, run_id)
    if request.status == "open" and _update(request, "status = 'revoked', token = null, remind_at = null"):
        noted(request, actor, "document_link_revoked", {}, {"reason": said})


def renew(actor: Actor, run_id: str) -> None:
    """A new link in the place of the former, which is worth nothing from then on; it is sent by mail where mail goes out from here."""
    request = _worked(actor, run_id)
    if request.round >= request.asked["rounds"]:
        raise Conflict(
            f"{request.round} links were made, as many as this step allows. Use Stop waiting.",
            code="not_possible",
        )
    number = request.round + 1
    moved = fetch(
        "update console.document_request set status = 'open', round = %s, token = %b, mail = 'due', sent_at = null, remind_at = now() "
        "where id = %s and round = %s and status in ('open', 'revoked') returning id",
        (number, hashed(token_of(request.id, number)), request.id, request.round),
    )
    if moved:
        asked = request.asked
        data = {
            "until": log.body.moment(request.until),
            "wanted": [entry["id"] for entry in asked["documents"]],
            "round": number,
        }
        noted(request, actor, "document_requested", data, {"address": asked["to"], "text": asked["letter"]})


def by_hand(actor: Actor, run_id: str, wanted: str, name: str, content: bytes, sender: str) -> Stored:
    """Enter a document that came another way, with who sent it and how. Raises Invalid with a detail per field."""
    request = _worked(actor, run_id)
    item = next((one for one in request.items if one.id == wanted), None)
    said = " ".join(sender.split())
    wrong = [] if item else [{"field": "wanted", "reason": "Choose the document that it is."}]
    wrong += (
        []
        if 0 < len(said) <= 200
        else [{"field": "sender", "reason": "Say who sent it, and how, in at most 200 characters."}]
    )
    wrong += [] if content else [{"field": "file", "reason": "Choose the file."}]
    if wrong or item is None:
        raise Invalid("This cannot be entered yet.", details=wrong)
    with lock_request(request.id):
        stored = keep_file(
            _worked(actor, run_id), wanted, list(item.types), name, content, by=actor.id, sender=said
        )
        request_rows.received(request, actor, stored)
    return stored


def finish(actor: Actor, run_id: str) -> None:
    """Go on with what is here, and with the fields that were filled in well so far. Raises Conflict while something that is needed is missing."""
    with lock_request(_worked(actor, run_id).id):
        _finish(actor, _worked(actor, run_id))


def _finish(actor: Actor, request: Request) -> None:
    items, (typed, answers) = request.items, _answers(request)
    if lacking := _missing(items, answers):
        raise Conflict(
            f"Still missing: {', '.join(lacking)}. Enter it, or use Stop waiting to go on without.",
            code="not_possible",
        )
    hand_in(request, typed, _senders(items) or request.asked["to"], actor)


def stop_waiting(actor: Actor, run_id: str, *, revision: int | None, reason: str = "") -> None:
    """The holder does the step by hand. Of a request, what came and was typed so far goes with it. Raises as `runs.step_in` does."""
    request = ensure(run_id) if request_rows.waits(see(actor, run_id).run) else None
    if request is None:
        runs.step_in(actor, run_id, revision=revision, reason=reason, kept={})
        return
    with lock_request(request.id):
        papers, unsent = half_done(request_rows.by_id(request.id) or request)
        came = {wanted: files for wanted, files in papers.items() if files}
        kept = (
            {CAME: came, UNSENT: unsent, SENDER: _senders(request.items) or request.asked["to"]}
            if came or unsent
            else {}
        )
        runs.step_in(actor, run_id, revision=revision, reason=reason, kept=kept)
        request_rows.settled(request)


def _senders(items: Sequence[Item]) -> str:
    return "; ".join(sorted({stored.sender for item in items for stored in item.files if stored.sender}))


def _update(request: Request, what: str) -> bool:
    return bool(
        fetch(
            f"update console.document_request set {what} where id = %s and status = 'open' returning id",  # noqa: S608 (texts of this file)
            (request.id,),
        )
    )
