"""A request as it is kept: one row, which a run that waits for documents brings about; what is asked is sealed under the key of whom the run is about.

The row follows the run and never leads it: whether the run still waits is asked of the run itself. The token of a link can be made again by who has the
master key; the database holds its hash alone.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console import log, workflows
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.forms import FormField, is_empty
from console.core.run import Event, Run
from console.infra import files, settings, subjects
from console.infra.db.engine import alone, fetch
from console.infra.files import Stored
from console.runs.commands.run_rights import Seen
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import load, retried
from console.runs.views.reading import record_reading
from console.steps.request_documents import THEIRS

KIND = "documents"
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Item:
    """A document that is asked for, and what came of it."""

    id: str
    label: str
    required: bool
    types: Sequence[str]
    many: bool
    help: str | None
    files: Sequence[Stored]

    @property
    def missing(self) -> bool:
        """Whether it is needed and not there."""
        return self.required and not self.files


@dataclass(frozen=True, slots=True)
class Request:
    """`status` is open, received, expired, revoked or ended (the run waits no longer). `asked` holds what the step asked for.

    `mail` says what became of the last letter: due, sent, failed, unknown, or none where no mail goes out from here. `token` is the hash of the link's.
    """

    id: str
    run: str
    n: int
    subject: str
    team: str | None
    status: str
    round: int
    until: datetime
    asked: Mapping[str, Any]
    sent_at: datetime | None
    mail: str
    reminded: int
    made_at: datetime
    ended_at: datetime | None

    @property
    def items(self) -> list[Item]:
        """The documents with the files that came."""
        there: dict[str, list[Stored]] = {}
        for stored in files.of_request(self.id):
            there.setdefault(stored.slot, []).append(stored)
        return [Item(**entry, files=there.get(entry["id"], ())) for entry in self.asked["documents"]]

    @property
    def fields(self) -> list[FormField]:
        """The fields of the page outside. A record is chosen by people of the house alone: whoever has the link may see none."""
        return [FormField(**field) for field in self.asked["form"] if field["type"] != "reference"]


_COLUMNS = (
    "id, run, n, subject, team, status, round, until, nonce, ct, sent_at, mail, reminded, made_at, ended_at"
)
_INSERT = """
insert into console.document_request (id, run, n, subject, team, status, token, until, nonce, ct, remind_at, made_at)
values (%s, %s, %s, %s, %s, 'open', %b, %s, %b, %b, %s, %s) on conflict do nothing returning id
"""
_END_EARLIER = """
update console.document_request set status = 'ended', ended_at = now(), remind_at = null, form_nonce = null, form_ct = null
where run = %s and n = %s and id <> %s and status in ('open', 'revoked') returning id
"""
"""Of an attempt's requests the last one is open: somebody stopped waiting for the one before, and wrote again."""


def token_of(request_id: str, number: int) -> str:
    """What stands in the link of this round: 256 bits that nobody can guess, the same each time it is asked for."""
    digest = hmac.new(
        settings.current().master_key, f"document request|{request_id}|{number}".encode(), hashlib.sha256
    ).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hashed(token: str) -> bytes:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode()).digest()


def waits(run: Run) -> str | None:
    """The request that the run waits for, None where it waits for none."""
    waiting = run.waiting or {}
    return str(waiting["key"]) if run.status == "waiting_event" and waiting.get("for") == KIND else None


def ensure(run_id: str) -> Request | None:
    """The request that the run waits for; made now where the step has only just asked for it. None where the run waits for none."""
    loaded = load(run_id)
    request_id = waits(loaded.run) if loaded else None
    if loaded is None or request_id is None or loaded.run.attempt is None:
        return None
    if (there := by_id(request_id)) is not None:
        return there if there.n == loaded.run.attempt.n else _taken_up(there, loaded.run.attempt.n)
    stored, now = loaded.run.attempt.values.get("request"), log.now()
    if stored is None:  # what was asked has been erased
        return None
    subject = loaded.subject or ""
    until = now + timedelta(days=int(stored["days"]))
    _, nonce, ct = subjects.seal(subject, f"request|{request_id}", dict(stored))
    row = (
        request_id,
        run_id,
        loaded.run.attempt.n,
        subject,
        loaded.run.team,
        hashed(token_of(request_id, 1)),
        until,
        nonce,
        ct,
        now,
        now,
    )
    fetch(_END_EARLIER, (run_id, loaded.run.attempt.n, request_id))
    made = fetch(_INSERT, row)
    request = by_id(request_id)
    if made and request is not None:
        noted(
            request,
            ENGINE,
            "document_requested",
            _event_body(request),
            {"address": stored["to"], "text": stored["letter"]},
        )
    return request


def _taken_up(request: Request, n: int) -> Request | None:
    """The request, for which the run waits again at another attempt: its link works on until the day it was given for."""
    again = "update console.document_request set n = %s, status = case status when 'ended' then 'open' else status end, ended_at = null where id = %s returning id"
    fetch(again, (n, request.id))
    return by_id(request.id)


def _event_body(request: Request) -> dict[str, Any]:
    wanted = [entry["id"] for entry in request.asked["documents"]]
    return {"until": log.body.moment(request.until), "wanted": wanted, "round": request.round}


def noted(
    request: Request, actor: Actor, kind: str, data: Mapping[str, Any], sealed: Mapping[str, Any]
) -> None:
    """An event of the request on the chain of its run; nothing else of the run changes."""

    def once() -> None:
        loaded = load(request.run)
        if loaded is None or loaded.run.attempt is None or waits(loaded.run) != request.id:
            return
        here, by = loaded.run.attempt, actor.id if actor.kind in ("user", "key") else None
        seen = Seen(loaded, workflows.version(loaded.run.workflow, loaded.run.version), None)
        open_ = {"request": request.id, "n": here.n, **data}
        record_reading(
            actor, seen, Event(kind, log.now(), open_, dict(sealed), (here.step, here.attempt), by)
        )

    retried(once)


def received(request: Request, actor: Actor, stored: Stored) -> None:
    """Note a document that came."""
    data = {
        "wanted": stored.slot,
        "file": stored.id,
        "digest": stored.sha256,
        "bytes": stored.bytes,
        "media_type": stored.media_type,
        "pages": stored.pages,
    }
    sealed = {"name": stored.name} | ({"sender": stored.sender} if stored.sender else {})
    noted(request, actor, "document_received", data, sealed)


def by_id(request_id: str) -> Request | None:
    """The request of this id; None where there is none, or it was erased."""
    return _read("id = %s", request_id)


def by_token(token: str) -> Request | None:
    """The request that the link leads to, None for a token that is worth nothing."""
    return _read("token = %b", hashed(token))


def is_known(token: str) -> bool:
    """Whether there is a link with this token, whatever has become of it."""
    return bool(fetch("select 1 from console.document_request where token = %b", (hashed(token),)))


def _read(where: str, given: Any) -> Request | None:
    rows = fetch(f"select {_COLUMNS} from console.document_request where {where}", (given,))  # noqa: S608 (texts of this file)
    if not rows:
        return None
    request_id, run, n, subject, team, status, number, until, nonce, ct, *rest = rows[0]
    try:
        stored = subjects.unseal(subject, f"request|{request_id}", nonce, ct)
    except subjects.Unreadable:
        return None
    return Request(request_id, run, n, subject, team, status, number, until, stored, *rest)


def settled(request: Request) -> Request:
    """The request as its run has it: one whose run went on meanwhile is closed now, also after a crash."""
    if request.status not in ("open", "revoked"):
        return request
    loaded = load(request.run, whole=True)
    if loaded is not None and waits(loaded.run) == request.id:
        return request
    attempt = loaded.run.attempts.get(request.n) if loaded else None
    done = attempt is not None and attempt.status == "done"
    close(
        request,
        attempt.outcome if done and attempt and attempt.outcome in ("received", "expired") else "ended",
    )
    return by_id(request.id) or request


def close(request: Request, status: str) -> None:
    """Nothing can come for it any more."""
    fetch(
        "update console.document_request set status = %s, ended_at = now(), remind_at = null, form_nonce = null, form_ct = null "
        "where id = %s and status in ('open', 'revoked') returning id",
        (status, request.id),
    )


@contextmanager
def lock_request(request_id: str) -> Iterator[None]:
    """Nobody else adds to the request, sends it off or ends it meanwhile: what is answered as kept goes with the run. Raises Conflict where others are at it too long."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with alone(f"request|{request_id}") as mine:
            if mine:
                yield
                return
        if time.monotonic() > until:
            raise Conflict("Something is being added or sent off at this moment. Try again.", code="busy")
        time.sleep(0.02)


def draft(request: Request) -> dict[str, Any]:
    """What was typed so far into the fields of the page."""
    rows = fetch(
        "select form_nonce, form_ct from console.document_request where id = %s and form_ct is not null",
        (request.id,),
    )
    try:
        return dict(subjects.unseal(request.subject, f"request form|{request.id}", *rows[0])) if rows else {}
    except subjects.Unreadable:
        return {}


def half_done(request: Request) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """(document → its files, field → what they typed), as they stand while nothing is sent off; what we wrote there ourselves is left out."""
    papers = {item.id: [stored.value for stored in item.files] for item in request.items}
    ours, theirs = {field.name: field.value for field in request.fields}, request.asked.get(THEIRS, {})
    typed = {**theirs, **draft(request)}
    return papers, {
        name: value
        for name, value in typed.items()
        if not is_empty(value) and (name in theirs or value != ours.get(name))
    }


def keep_draft(request: Request, values: Mapping[str, Any]) -> None:
    """Keep what was typed so far, unchecked."""
    _, nonce, ct = subjects.seal(
        request.subject, f"request form|{request.id}", log.body.canonical_value(dict(values))
    )
    fetch(
        "update console.document_request set form_nonce = %b, form_ct = %b where id = %s and status = 'open' returning id",
        (nonce, ct, request.id),
    )
