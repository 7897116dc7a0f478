"""Questions about a case, and their answers. Only who asked sees them; both are sealed under the key of whom the case is about.

Without a model, or where it gives no answer, the answer is found by search, and says so. A model answers as a job; what has arrived is shown meanwhile.
"""

import contextlib
import hashlib
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log
from console.ai import case_answer, prompt as prompts_of
from console.ai.calling import CallFailed
from console.ai.case_answer import Sentence
from console.ai.cases import case_sources
from console.ai.cases.case_sources import CaseSources
from console.ai.proposals import absence_words, context, model_call, options, result
from console.ai.proposals.context import Built
from console.ai.proposals.model_call import Call
from console.ai.proposals.options import Current
from console.ai.safety import guard
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, TooMany
from console.core.proposal_types import Judged, Raw
from console.infra import jobs, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import PutBack

LONGEST = 500
MOST_PENDING = 3
MOST_LISTED = 20
PAUSE_S = 0.2
"""Between two looks at what has arrived."""
MARGIN = timedelta(seconds=20)
"""A question that is still pending so long after its deadline is answered by search when somebody looks."""
BY_MODEL, BY_SEARCH = "model", "search"
LOST = "Some of it you may not read any more."
NOT_CONFIGURED = "No model is configured here."

_log = logging.getLogger(__name__)
_COLUMNS = "id, run, collection, record, person, key, at, deadline_at, status, subject, nonce, ct, answer_nonce, answer_ct"
_ONE = f"select {_COLUMNS} from console.case_question where id = %s"  # noqa: S608 (names of this file)
_OWN = f"select {_COLUMNS} from console.case_question where person = %s and (%s::text is null or key = %s) and run is not distinct from %s and collection is not distinct from %s and record is not distinct from %s order by at desc, id desc limit %s"  # noqa: S608 (as above)
_OF_RUN = f"select {_COLUMNS} from console.case_question where run = %s and status = 'ready' order by at, id"  # noqa: S608 (as above)
_PENDING = "select count(*) from console.case_question where person = %s and status = 'pending' and deadline_at > now()"
_MADE = sa.text(
    "insert into console.case_question (id, run, collection, record, person, key, at, deadline_at, status, subject, kid, nonce, ct)"
    " values (:id, :run, :collection, :record, :person, :key, :at, :deadline, 'pending', :subject, :kid, :nonce, :ct)"
)
_GROWN = "update console.case_question set answer_nonce = %s, answer_ct = %s where id = %s and status = 'pending' returning 1"
_SETTLED = "update console.case_question set status = 'ready', answer_nonce = %s, answer_ct = %s where id = %s and status = 'pending' returning 1"
_EXPIRE = (
    "with gone as (delete from console.case_question q where q.at < %s and not exists (select from console.hold h where h.subject = q.subject) returning 1)"
    " select count(*) from gone"
)
_ERASE = sa.text("delete from console.case_question where subject = :subject")


@dataclass(frozen=True, slots=True)
class Place:
    """What a question is about: a run, or a record by its collection and key."""

    run: str | None = None
    collection: str | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its asker sees it. `key`: the API key that asked. `sentences` are {text, source}; `by` is model or search, `why` why no model answered, `banner` a warning of text that reads like instructions."""

    id: str
    place: Place
    person: str
    key: str | None
    at: datetime
    text: str
    pending: bool
    sentences: Sequence[Mapping[str, Any]] = ()
    by: str = ""
    why: str = ""
    banner: str = ""


def ask(actor: Actor, place: Place, text: str) -> str:
    """Ask, and return the id of the question. Raises Invalid for an empty or long one, NotFound, SourceDown, TooMany while others are being answered."""
    wish = " ".join(text.split())
    if not wish or len(wish) > LONGEST or "\x00" in wish:
        reason = f"Ask in 1 to {LONGEST} characters."
        raise Invalid(f"question: {reason}", at=("question", reason))
    if int(fetch(_PENDING, (actor.id,))[0][0]) >= MOST_PENDING:
        raise TooMany("Your last questions are still being answered. Ask again in a moment.", retry_after=5)
    current, at = options.current(), log.now()
    deadline = at + timedelta(seconds=current.chosen("ask").seconds)
    known = _known(actor, place, at, deadline)
    question_id = new_id("cqu")
    kid, nonce, ct = subjects.seal(known.subject, f"case_question|{question_id}", {"text": wish})
    row = {
        "id": question_id,
        "run": place.run,
        "collection": place.collection,
        "record": place.record,
        "person": actor.id,
        "key": actor.key_id,
        "at": at,
        "deadline": deadline,
        "subject": known.subject,
        "kid": kid,
        "nonce": nonce,
        "ct": ct,
    }
    why = _no_model(current, known)
    with transaction() as connection:
        connection.execute(_MADE, row)
        if why is None:
            jobs.enqueue(connection, jobs.ASK, question_id, dedupe_key=question_id)
        log.note(
            actor,
            "case_asked",
            open={"question": question_id, "run": place.run},
            connection=connection,
            **_about(known, {"text": wish}),
        )
    if why is not None:
        built = _built(wish, known, current, actor.locale)
        _settle(actor, question_id, place, known, _searched(wish, built, why))
    return question_id


def answer(question_id: str) -> None:
    """The job: answer a pending question by a model, or by search where it gives no answer. Raises PutBack when this process has to end, and errors of the database connection."""
    rows = fetch(_ONE, (question_id,))
    if not rows or rows[0][8] != "pending":
        return
    pending = _read(rows[0])
    actor = replace(accounts.actor_of_person(pending.person, "sys:engine"), key_id=pending.key)
    try:
        deadline = log.now() + timedelta(seconds=options.current().chosen("ask").seconds)
        known = _known(actor, pending.place, pending.at, deadline)
    except ConsoleError as error:  # who may not see it any more, and what does not answer now
        fetch(_SETTLED, (*_sealed(rows[0][9], question_id, _nothing(error.message)), question_id))
        return
    current = options.current()
    built = _built(pending.text, known, current, actor.locale)
    why = _no_model(
        current, known
    )  # the process that was to search may have died, the model may have gone since
    try:
        made = (
            _searched(pending.text, built, why)
            if why is not None
            else _answer_of_model(pending, actor, known, built, current, deadline)
        )
    except CallFailed as error:
        made = _searched(pending.text, built, absence_words.reason(error.code, current.chosen("ask").seconds))
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.OperationalError, PutBack):
        raise
    except Exception:  # noqa: BLE001 (a person waits: there is always an answer)
        _log.exception("alarm: the question %s failed", question_id)
        made = _searched(pending.text, built, absence_words.reason("internal_error", 0))
    _settle(actor, question_id, pending.place, known, made)


def questions(actor: Actor, place: Place, masked: Collection[str] = ()) -> list[Question]:
    """The newest questions of the actor about this case, oldest first, without sentences on what they may not read any more (`masked`: such paths of the run).

    An API key gets only those that were asked with it.
    """
    key = actor.key_id
    rows = fetch(_OWN, (actor.id, key, key, place.run, place.collection, place.record, MOST_LISTED))
    readable = case_sources.judge_of(actor, masked)
    return [
        replace(asked, sentences=kept, why=asked.why if len(kept) == len(asked.sentences) else LOST)
        for asked in map(_read, reversed(rows))
        for kept in [[each for each in asked.sentences if readable(each["source"])]]
    ]


def asked_of_run(actor: Actor, run_id: str) -> list[Question]:
    """Every answered question about the run, oldest first; none whose answer says what the actor may not read. The caller judges the run's steps and events."""
    readable = case_sources.judge_of(actor, ())
    found = map(_read, fetch(_OF_RUN, (run_id,)))
    return [asked for asked in found if all(readable(each["source"]) for each in asked.sentences)]


def expire(before: datetime) -> int:
    """Delete older questions with their answers; returns how many."""
    return int(fetch(_EXPIRE, (before,))[0][0])


def erase(connection: Connection, subject: str) -> None:
    """Delete the questions about this person, in the transaction of the caller's."""
    connection.execute(_ERASE, {"subject": subject})


# ------------------------------------------------------------------------------------------------------------- answering


def _known(actor: Actor, place: Place, at: datetime, deadline: datetime) -> CaseSources:
    if place.run is not None:
        return case_sources.of_run(actor, place.run, at, deadline)
    return case_sources.of_record(actor, str(place.collection), str(place.record), at)


def _no_model(current: Current, known: CaseSources) -> str | None:
    """Why no model is asked; None where one is."""
    if current.chosen("ask").rules:
        return NOT_CONFIGURED
    return current.off(known.collection, known.slug)


def _built(text: str, known: CaseSources, current: Current, locale: str) -> Built:
    sources, titles = context.numbered(known.pieces)
    return Built(
        case_answer.ask_of(text, sources, current.policy, locale), titles, known.unread, known.document
    )


def _answer_of_model(
    pending: Question, actor: Actor, known: CaseSources, built: Built, current: Current, deadline: datetime
) -> dict[str, Any]:
    """The model's answer as far as it passes the guard. Raises CallFailed, PutBack."""
    if (name := case_answer.unknown_name(pending.text, built.ask.sources)) is not None:
        return _nothing(f"“{name}” stands nowhere in this case.")
    prompt = prompts_of.rendered(built.ask, options.house_key(), known.withheld())

    def judged(text: str) -> Judged:
        return guard.judge(built.ask, Raw(text, "complete", "", ""), prompt.restore)

    def shown(whole: Judged) -> list[dict[str, Any]]:
        return _sentences(case_answer.sentences(whole, pending.text, built.ask.sources), built)

    growing = _Growing(pending, known.subject, lambda text: shown(judged(text)))
    call = Call(
        purpose="ask",
        person=actor.id,
        subject=known.subject,
        deadline_at=deadline,
        system=prompt.system,
        user=prompt.user,
        schema=prompt.schema,
        version=prompt.version,
        sha256=prompt.sha256,
        run=pending.place.run,
        workflow=known.workflow,
        team=known.team,
        label=known.label,
    )
    raw = model_call.call_model(call, current, growing.hear)
    whole = judged(raw.text)
    return {
        "sentences": shown(whole),
        "by": BY_MODEL,
        "why": "",
        "banner": result.banner(whole, built) or "",
    }


class _Growing:
    """While an answer arrives, its sentences that passed the guard are kept with the question."""

    def __init__(self, pending: Question, subject: str, sentences_of: Any) -> None:
        self.pending, self.subject, self.sentences_of = pending, subject, sentences_of
        self.due, self.count = 0.0, 0

    def hear(self, text: str) -> None:
        """Keep what is new. A database that does not answer now is asked again with the next part."""
        now = time.monotonic()
        if now < self.due or (so_far := case_answer.whole_so_far(text)) is None:
            return
        self.due = now + PAUSE_S
        found = self.sentences_of(so_far)
        if len(found) > self.count:
            self.count = len(found)
            with contextlib.suppress(sa.exc.DBAPIError, psycopg.OperationalError, subjects.Unreadable):
                grown = {"sentences": found, "by": BY_MODEL, "why": "", "banner": ""}
                fetch(_GROWN, (*_sealed(self.subject, self.pending.id, grown), self.pending.id))


def _searched(text: str, built: Built, why: str) -> dict[str, Any]:
    found = case_answer.search(text, built.ask.sources)
    return {"sentences": _sentences(found, built), "by": BY_SEARCH, "why": why, "banner": ""}


def _nothing(why: str) -> dict[str, Any]:
    return {"sentences": [], "by": BY_SEARCH, "why": why, "banner": ""}


def _sentences(found: Sequence[Sentence], built: Built) -> list[dict[str, Any]]:
    return [
        {
            "text": each.text,
            "source": result.source_json(built.sources[each.source], built, each.at, each.quote),
        }
        for each in found
    ]


def _settle(
    actor: Actor, question_id: str, place: Place, known: CaseSources, made: Mapping[str, Any]
) -> None:
    """Keep the answer, and note it. Nothing happens where it was erased meanwhile."""
    nonce, ct = _sealed(known.subject, question_id, made)
    with transaction() as connection:
        if connection.exec_driver_sql(_SETTLED, (nonce, ct, question_id)).first() is None:
            return
        log.note(
            actor,
            "case_answered",
            open={
                "question": question_id,
                "run": place.run,
                "by": made["by"],
                "sentences": len(made["sentences"]),
                "digest": hashlib.sha256(orjson.dumps(made, option=orjson.OPT_SORT_KEYS)).hexdigest(),
            },
            connection=connection,
            **_about(known, {}),
        )


def _sealed(subject: str, question_id: str, made: Mapping[str, Any]) -> tuple[bytes, bytes]:
    _, nonce, ct = subjects.seal(subject, f"case_answer|{question_id}", dict(made))
    return nonce, ct


def _about(known: CaseSources, sealed: Mapping[str, Any]) -> dict[str, Any]:
    """Whom an event is about, with its sealed part."""
    about = browse.about_reference(
        (known.collection, known.record) if known.collection and known.record else None
    )
    return about | {
        "sealed": {**about.get("sealed", {}), **sealed},
        "subject": known.subject,
        "team": known.team,
        "label": known.label,
    }


def _read(row: Sequence[Any]) -> Question:
    """The question of a row; without its words where nobody can read them any more."""
    question_id, run, collection, record, person, key, at, deadline, status, subject, *sealed = row
    nonce, ct, answer_nonce, answer_ct = sealed
    made: Mapping[str, Any] = {}
    try:
        text = str(subjects.unseal(subject, f"case_question|{question_id}", nonce, ct)["text"])
        if answer_ct is not None:
            made = subjects.unseal(subject, f"case_answer|{question_id}", answer_nonce, answer_ct)
    except subjects.Unreadable:
        text = "What was asked here was erased."
    late = status == "pending" and deadline + MARGIN < log.now()
    return Question(
        question_id,
        Place(run, collection, record),
        person,
        key,
        at,
        text,
        status == "pending" and not late,
        made.get("sentences", ()),
        made.get("by", ""),
        absence_words.reason("timeout", (deadline - at).total_seconds()) if late else made.get("why", ""),
        made.get("banner", ""),
    )
