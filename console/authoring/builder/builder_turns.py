"""Turns of the talk about a workflow: what a person asked for, and what the model answered. A turn changes nothing. Only its asker sees it, and it is sealed under their key.

The names that the person may use, and the draft as it was, are kept with the question: whoever answers it needs no rights and reads nothing else.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from console import log, workflows
from console.ai.proposals import absence_words, options
from console.ai.proposals.budget import Over
from console.ai.proposals.options import Current
from console.authoring.builder.reachable_names import reachable
from console.core import drafting
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotFound
from console.core.proposal_types import Code
from console.infra import jobs, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.workflows import CHAIN, Draft

LONGEST_MESSAGE = 4_000
MARGIN = timedelta(seconds=20)
"""A turn that is still pending so long after its deadline is not answered any more: no worker was there. Another worker takes up what one that died was at
as soon as no sign of life has come for some seconds, or as soon as it has been started again.
"""
LATEST = timedelta(minutes=5)
"""A turn that is taken up so long after it was asked gets no more time: its asker has gone on without it."""
TALK = 3
"""So many earlier turns go along with a question."""
TALK_OF = timedelta(hours=12)
STOPPED = "Stopped. Nothing was changed."
BY_HAND = "Change the draft by hand"
OWN: dict[str, str] = {
    "malformed": f"What the model answered could not be read, so nothing of it was used. {BY_HAND}, or say it in other words.",
    "not_in_form": f"What the model answered was no change of a workflow, so nothing of it was used. {BY_HAND}, or say it in other words.",
    "internal_error": f"Something went wrong here while this was worked on. {BY_HAND}, or try again.",
    "timeout": f"There was no answer in {{seconds:g}} s. {BY_HAND}, or ask for less at once.",
}

_COLUMNS = "id, workflow, person, at, deadline_at, status, code, revision, taken, subject, nonce, ct, answer_nonce, answer_ct"
_ONE = f"select {_COLUMNS} from console.builder_turn where id = %s"  # noqa: S608 (names of this file)
_NEWEST = f"select {_COLUMNS} from console.builder_turn where workflow = %s and person = %s order by at desc, id desc limit %s"  # noqa: S608 (as above)
_MADE = sa.text(
    "insert into console.builder_turn (id, workflow, person, at, deadline_at, status, code, revision, subject, kid, nonce, ct, answer_nonce, answer_ct)"
    " values (:id, :workflow, :person, :at, :deadline, :status, :code, :revision, :subject, :kid, :nonce, :ct, :answer_nonce, :answer_ct)"
)
_STOP_FORMER = sa.text(
    "update console.builder_turn set status = 'stopped' where workflow = :workflow and person = :person and status = 'pending'"
)
_STOP = "update console.builder_turn set status = 'stopped' where id = %s and status = 'pending' returning 1"
_SETTLED = "update console.builder_turn set status = %s, code = %s, rounds = %s, answer_nonce = %s, answer_ct = %s where id = %s and status = 'pending' returning 1"
_TAKEN_UP = "update console.builder_turn set deadline_at = %s where id = %s and status = 'pending' and at > %s returning 1"
_GROWN = "update console.builder_turn set answer_nonce = %s, answer_ct = %s where id = %s and status = 'pending' returning 1"
_TAKEN = "update console.builder_turn set taken = %s where id = %s and status = 'ready' returning 1"
_EXPIRE = (
    "with gone as (delete from console.builder_turn t where t.at < %s and not exists (select from console.hold h where h.subject = t.subject) returning 1)"
    " select count(*) from gone"
)
_PLACE = "select team, label, slug from console.workflow where id = %s"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a turn: words for the person, changes of the document as JSON, what was assumed, what is still to be decided."""

    text: str
    changes: Sequence[Mapping[str, Any]] = ()
    assumptions: Sequence[str] = ()
    questions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `document` is the draft at `revision`, `names` what the person may name, `talk` the turns before as (wish, answer)."""

    turn: str
    workflow: str
    slug: str
    team: str
    label: str | None
    person: str
    subject: str
    revision: int
    deadline_at: datetime
    message: str
    document: Mapping[str, Any]
    names: Mapping[str, Any]
    talk: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as its asker sees it. `status` is pending, ready or failed; `taken` is all, some or none once the person has decided."""

    id: str
    status: str
    revision: int
    at: datetime
    message: str
    document: Mapping[str, Any]
    answer: Answer
    taken: str | None = None
    problems: Sequence[Mapping[str, Any]] = ()
    stopped: bool = False

    @property
    def after(self) -> dict[str, Any]:
        """The document with all changes."""
        return drafting.apply(self.document, drafting.read_changes(list(self.answer.changes)))

    def to_json(self) -> dict[str, Any]:
        """The shape of the API. Questions to the person stand behind the text."""
        text = "\n".join(part for part in (self.answer.text, *self.answer.questions) if part)
        return {
            "status": self.status,
            "text": text,
            "changes": list(self.answer.changes),
            "assumptions": list(self.answer.assumptions),
            "problems": list(self.problems),
        }


def ask(actor: Actor, slug_or_id: str, message: str, revision: int) -> str:
    """Ask the model in the background for changes of the draft at this revision, and return the id of the turn. A pending turn of the same person is stopped.

    Raises Invalid with the field, Conflict `stale_revision` where the draft at that revision is not kept, NotFound, NotAllowed.
    """
    draft = workflows.open_draft(actor, slug_or_id)
    wish = message.strip()
    if not wish or len(wish) > LONGEST_MESSAGE or "\x00" in wish:
        reason = f"Say in 1 to {LONGEST_MESSAGE:,} characters what you want."
        raise Invalid(f"message: {reason}", at=("message", reason))
    document = _document_at(actor, draft, revision)
    current = options.current()
    at = log.now()
    subject = subjects.of_person(actor.id)
    turn_id = new_id("bld")
    why = off(current, draft)
    question = {
        "message": wish,
        "document": document,
        "names": reachable(actor),
        "talk": [] if why else _talk(draft.id, actor.id, at),
    }
    kid, nonce, ct = subjects.seal(subject, f"builder_turn|{turn_id}", question)
    answered = (
        subjects.seal(subject, f"builder_answer|{turn_id}", asdict(Answer(why[1])))
        if why
        else (None, None, None)
    )
    row = {
        "id": turn_id,
        "workflow": draft.id,
        "person": actor.id,
        "at": at,
        "status": "failed" if why else "pending",
        "revision": revision,
        "deadline": at + timedelta(seconds=current.chosen("build").seconds),
        "code": why[0] if why else None,
        "subject": subject,
        "kid": kid,
        "nonce": nonce,
        "ct": ct,
        "answer_nonce": answered[1],
        "answer_ct": answered[2],
    }
    team, label, _ = fetch(_PLACE, (draft.id,))[0]
    with transaction() as connection:
        connection.execute(_STOP_FORMER, {"workflow": draft.id, "person": actor.id})
        connection.execute(_MADE, row)
        if not why:
            jobs.enqueue(connection, jobs.BUILD, turn_id, dedupe_key=turn_id)
        data = {"workflow": draft.id, "turn": turn_id, "draft_revision": revision}
        log.note(
            actor,
            "builder_asked",
            open=data,
            sealed={"message": wish},
            subject=subject,
            team=team or None,
            label=label,
            connection=connection,
        )
    return turn_id


def turn(actor: Actor, slug_or_id: str, turn_id: str) -> Turn:
    """A turn of the actor's. Raises NotFound for one that is not theirs, NotAllowed for who may not edit the workflow."""
    draft = workflows.open_draft(actor, slug_or_id)
    rows = fetch(_ONE, (turn_id,)) if "\x00" not in turn_id else []
    if not rows or rows[0][1] != draft.id or rows[0][2] != actor.id:
        raise NotFound
    return _with_problems(_read(rows[0]), draft)


def latest(actor: Actor, draft: Draft, most: int = 10) -> list[Turn]:
    """The newest turns of the actor about this draft, oldest first."""
    found = []
    for row in reversed(fetch(_NEWEST, (draft.id, actor.id, most))):
        with contextlib.suppress(NotFound):  # nobody can read it any more
            found.append(_read(row))
    return found


def stop(actor: Actor, slug_or_id: str, turn_id: str) -> Turn:
    """Stop waiting for the answer. An answer that comes later is not shown. Raises as `turn`."""
    turn(actor, slug_or_id, turn_id)
    fetch(_STOP, (turn_id,))
    return turn(actor, slug_or_id, turn_id)


def note_taken(turn_id: str, how: str) -> None:
    """Keep what the person took of the changes: all, some or none."""
    fetch(_TAKEN, (how, turn_id))


def expire(before: datetime) -> int:
    """Delete older turns with their questions and answers; returns how many."""
    return int(fetch(_EXPIRE, (before,))[0][0])


def question(turn_id: str) -> Question | None:
    """What a pending turn asks; None where it was answered or stopped, or cannot be read any more.

    Whoever takes it up has the whole time for it, from now on: the worker before it may have died over it, or have had others before it.
    """
    now, seconds = log.now(), options.current().chosen("build").seconds
    fetch(_TAKEN_UP, (now + timedelta(seconds=seconds), turn_id, now - LATEST))
    rows = fetch(_ONE, (turn_id,))
    if not rows or rows[0][5] != "pending":
        return None
    _, workflow, person, _, deadline_at, _, _, revision, _, subject, nonce, ct, _, _ = rows[0]
    try:
        stored = subjects.unseal(subject, f"builder_turn|{turn_id}", nonce, ct)
    except subjects.Unreadable:
        return None
    team, label, slug = fetch(_PLACE, (workflow,))[0]
    talk = [(each[0], each[1]) for each in stored["talk"]]
    about = (stored["message"], stored["document"], stored["names"], talk)
    return Question(turn_id, workflow, slug, team, label, person, subject, revision, deadline_at, *about)


def pending(turn_id: str) -> bool:
    """Whether somebody still waits for the answer."""
    rows = fetch("select status from console.builder_turn where id = %s", (turn_id,))
    return bool(rows) and rows[0][0] == "pending"


def settle(
    connection: sa.Connection, asked: Question, answer: Answer, *, code: str | None = None, rounds: int = 0
) -> None:
    """Keep the answer, or with a `code` why there is none; nothing happens where the turn was stopped meanwhile."""
    _, nonce, ct = subjects.seal(asked.subject, f"builder_answer|{asked.turn}", asdict(answer))
    connection.exec_driver_sql(_SETTLED, ("failed" if code else "ready", code, rounds, nonce, ct, asked.turn))


def note_growing(asked: Question, lines: Sequence[str]) -> None:
    """Keep what the answer says so far, a line for each change, as long as the turn is pending."""
    _, nonce, ct = subjects.seal(
        asked.subject, f"builder_answer|{asked.turn}", asdict(Answer("\n".join(lines)))
    )
    fetch(_GROWN, (nonce, ct, asked.turn))


def chain_of(asked: Question) -> str | None:
    """The chain of the log for what the engine does in this turn."""
    return None if asked.label else CHAIN


def _document_at(actor: Actor, draft: Draft, revision: int) -> dict[str, Any]:
    if revision == draft.revision:
        return draft.document
    try:
        if not 0 <= revision < draft.revision:
            raise NotFound
        return workflows.draft_at(actor, draft.id, revision)
    except NotFound:
        raise Conflict(
            "The draft is not kept at this revision: ask about the newest one.",
            code="stale_revision",
            revision=draft.revision,
            at="revision",
        ) from None


def _talk(workflow: str, person: str, at: datetime) -> list[tuple[str, str]]:
    former = [
        _read(row)
        for row in reversed(fetch(_NEWEST, (workflow, person, TALK)))
        if row[3] > at - TALK_OF and row[5] == "ready"
    ]
    return [(each.message, each.answer.text) for each in former]


def _read(row: Sequence[Any]) -> Turn:
    (
        turn_id,
        _,
        _,
        at,
        deadline_at,
        status,
        _,
        revision,
        taken,
        subject,
        nonce,
        ct,
        answer_nonce,
        answer_ct,
    ) = row
    try:
        stored = subjects.unseal(subject, f"builder_turn|{turn_id}", nonce, ct)
        given = (
            subjects.unseal(subject, f"builder_answer|{turn_id}", answer_nonce, answer_ct)
            if answer_nonce is not None
            else None
        )
    except subjects.Unreadable:
        raise NotFound from None
    answer = Answer(**given) if given else Answer("")
    found = Turn(turn_id, status, revision, at, stored["message"], stored["document"], answer, taken)
    if status == "stopped":
        return replace(found, status="failed", answer=Answer(STOPPED), stopped=True)
    if status == "pending" and log.now() > deadline_at + MARGIN:
        late = Answer(absence("timeout", options.current().chosen("build").seconds))
        return replace(found, status="failed", answer=late)
    return found


def _with_problems(found: Turn, draft: Draft) -> Turn:
    """The turn with the problems of the document after its changes, in the words of the draft."""
    if found.status != "ready" or not found.answer.changes:
        return found
    copy = replace(draft, document=found.after)
    return replace(found, problems=copy.to_json(workflows.problems(copy))["problems"])


def absence(code: Code, seconds: float) -> str:
    """Why there is no answer, and what to do; `seconds` is how long it might have taken."""
    if code in OWN:
        return OWN[code].format(seconds=seconds)
    return _by_hand(absence_words.message(code, seconds))


def exhausted_budget(budget: Over) -> str:
    """Which budget is used up."""
    return _by_hand(absence_words.exhausted_budget(budget))


def off(current: Current, draft: Draft) -> tuple[Code, str] | None:
    """The code and the sentence if no model can be asked: the AI is off, or there is no model."""
    why = current.off(draft.document.get("collection"), draft.slug)
    if why is not None:
        return "no_key", _by_hand(absence_words.off(why))
    return ("no_key", absence("no_key", 0)) if current.chosen("build").rules else None


def _by_hand(text: str) -> str:
    return text.replace(absence_words.BY_HAND, BY_HAND)
