"""Questions that runs ask other people. Those who may answer see the form and who answered before. The run continues when enough people agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import log, runs
from console.auth import access, accounts
from console.auth.accounts import absences
from console.browse import evidence
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.forms import FormField, clean
from console.infra import subjects
from console.infra.db.engine import fetch, transaction

ANSWERED = "answered"
SHOWN = 100
ANSWERED_ALREADY = "This was answered already, by whoever was asked or in their place."
NOT_YOURS = "A question whose text you may not read"
_OPEN = """
select q.id, q.run, q.needs, q.until, q.asked_at, q.subject, q.nonce, q.ct, q.people, r.workflow, r.version, a.step, r.collection from console.question q
join console.attempt a on a.run = q.run and a.n = q.n join {runs} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id
where {where} order by q.until nulls last, q.id limit {limit}
"""
_TO_ANSWER = """
select count(*) from console.question q join {runs} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id
where q.people ?| %(people)s and not exists (select from console.answer a where a.question = q.id and a.person = %(person)s)
"""
_LEFT = f"""
select q.id, q.run, q.subject, a.outcome from console.question q
join {access.EVERY_RUN.sql()} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id
join lateral (select outcome, count(*) as given, max(at) as last from console.answer where question = q.id group by outcome) a on a.given >= q.needs
where a.last < now() - interval '5 seconds' limit 100
"""  # noqa: S608 (a text of ours)


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question. `answered` are (name, answer, moment) of those who answered; `mine` is whether this person did, or whoever is asked did.

    `stands_in_for` is the person who was asked, is away, and in whose place this person answers; `away` says so in words.
    """

    id: str
    run: str
    title: str
    text: str | None
    fields: tuple[dict[str, Any], ...]
    outcomes: tuple[dict[str, Any], ...]
    needs: int
    until: datetime | None
    asked_at: datetime
    about: str
    subject: str
    answered: tuple[tuple[str, str, datetime], ...] = ()
    mine: bool = False
    stands_in_for: str | None = None
    away: str = ""

    @property
    def screen(self) -> dict[str, Any]:
        """The form in the shape of a step's screen."""
        return {
            "type": "human_input",
            "fields": list(self.fields),
            "outcomes": list(self.outcomes),
            "text": self.text,
        }


def open_for(actor: Actor, instead: Sequence[str] | None = None) -> list[Asked]:
    """Questions that wait for this person's answer, or for one in place of somebody who is away (`instead`, where known); nearest limit first."""
    absent = absences.stood_in_for(actor.id) if instead is None else instead
    whose = {"people": [actor.id, *absent]}
    rows = fetch(
        _OPEN.format(runs=access.runs(actor).sql(), where="q.people ?| %(people)s", limit=SHOWN), whose
    )
    questions = [question for row in rows if (question := _visible_question(actor, row, absent)) is not None]
    return [question for question in questions if not question.mine]


def to_answer(actor: Actor, instead: Sequence[str]) -> int:
    """How many questions wait for this person's answer, or for one in place of these who are away. One statement."""
    whose = {"people": [actor.id, *instead], "person": actor.id}
    return int(fetch(_TO_ANSWER.format(runs=access.runs(actor).sql()), whose)[0][0])


def question(actor: Actor, question_id: str) -> Asked:
    """The question as this person may read it. Raises NotFound where it is for others, is closed, or is about something that they may not see."""
    return _require_question(actor, question_id)


def _require_question(actor: Actor, question_id: str, *, whole: bool = False) -> Asked:
    statement = _OPEN.format(runs=access.runs(actor).sql(), where="q.id = %(id)s", limit=1)
    rows = fetch(statement, {"id": question_id}) if "\x00" not in question_id else []
    question = (
        _visible_question(actor, rows[0], absences.stood_in_for(actor.id), whole=whole) if rows else None
    )
    if question is None:
        raise NotFound
    return question


def _visible_question(actor: Actor, row: Any, absent: Sequence[str], *, whole: bool = False) -> Asked | None:
    """The question; None where the person is not asked, nor stands in for one who is, or may not see its run. `whole` includes field values that the person may not read, to check the answer."""
    ident, run, needs, until, asked_at, subject, nonce, ct, people, *made_at = row
    instead = () if actor.id in people else [each for each in absent if each in people]
    if actor.id not in people and not instead:
        return None
    try:
        about = runs.title(actor, run)
        values = subjects.unseal(subject, f"question|{ident}", nonce, ct)
    except (ConsoleError, subjects.Unreadable):
        return None
    if not whole:
        workflow, version, step, collection = made_at
        values |= runs.shown_to(
            actor,
            workflow,
            version,
            step,
            {name: values[name] for name in ("title", "text", "fields")},
            collection,
            run,
        )
        if not runs.words_of_event(actor, workflow, version, step, run=run):
            values |= {"title": NOT_YOURS, "text": None}
    given = fetch(
        "select person, outcome, at, stands_in_for from console.answer where question = %s order by at, person",
        (ident,),
    )
    names = accounts.names(
        {
            person
            for answered_by, _, _, away_person in given
            for person in (answered_by, away_person)
            if person
        }
    )
    seats = {away_person or person for person, _, _, away_person in given}
    free = next((each for each in instead if each not in seats), None)
    labels = {choice["value"]: choice["label"] for choice in values["outcomes"]}
    answered = tuple(
        (_answerer_words(names, person, other), labels.get(outcome, "answered"), at)
        for person, outcome, at, other in given
    )
    mine = actor.id in {person for person, *_ in given} or (
        actor.id in seats if actor.id in people else free is None
    )
    away = absences.away_words([free]).get(free, "") if free else ""
    return Asked(
        ident,
        run,
        values["title"],
        values["text"],
        tuple(values["fields"]),
        tuple(values["outcomes"]),
        needs,
        until,
        asked_at,
        about,
        subject,
        answered,
        mine,
        free,
        f"{accounts.names([free]).get(free, 'A colleague')} is {away}" if free and away else "",
    )


def _answerer_words(names: Mapping[str, str], person: str, absent: str | None) -> str:
    instead = f" in place of {names.get(absent, 'a former colleague')}" if absent else ""
    return names.get(person, "A former colleague") + instead


def answer(actor: Actor, question_id: str, values: dict[str, Any], outcome: str | None) -> None:
    """Submit this person's answer. The run continues when enough people gave the same one.

    Raises NotFound as `question`, Invalid with a detail per field, Conflict for a second answer.
    """
    question = _require_question(actor, question_id, whole=True)
    if question.mine:
        raise Conflict(ANSWERED_ALREADY, code="not_possible")
    fields = [
        FormField(**{name: field[name] for name in FormField.__slots__ if name in field})
        for field in question.fields
    ]
    offered = [option["value"] for option in question.outcomes]
    if offered and outcome not in offered:
        named = ", ".join(f"“{option['label']}”" for option in question.outcomes)
        raise Invalid("Choose an answer.", at=("outcome", f"Choose one of {named}."))
    cleaned, way = (
        clean(fields, evidence.with_files(fields, values, question.run)),
        outcome if offered and outcome else ANSWERED,
    )
    evidence.require(actor, None, fields, values)
    kid, nonce, ct = subjects.seal(question.subject, f"answer|{question.id}|{actor.id}", cleaned)
    put = sa.text(
        "insert into console.answer (question, person, outcome, at, kid, nonce, ct, stands_in_for) select :id, :person, :outcome, :at, :kid, :nonce, :ct, :instead"
        " where not exists (select from console.answer where question = :id and coalesce(stands_in_for, person) = coalesce(:instead, :person)) on conflict do nothing"
    )
    with transaction() as connection:
        connection.execute(
            sa.text("select id from console.question where id = :id for update"), {"id": question.id}
        )
        parameters = {
            "id": question.id,
            "person": actor.id,
            "outcome": way,
            "at": log.now(),
            "kid": kid,
            "nonce": nonce,
            "ct": ct,
        }
        parameters |= {"instead": question.stands_in_for}
        if connection.execute(put, parameters).rowcount == 0:
            raise Conflict(ANSWERED_ALREADY, code="not_possible")
    given = _answers_so_far(question.id, question.subject)
    if sum(1 for entry in given if entry["outcome"] == way) >= question.needs:
        runs.arrive(actor, question.run, question.id, outcome=way, output={"answers": given})


def pick_up() -> int:
    """Continue runs that still wait although enough people answered, because a process died in between. Returns how many."""
    return sum(
        runs.arrive(runs.ENGINE, run, ident, outcome=way, output={"answers": _answers_so_far(ident, subject)})
        for ident, run, subject, way in fetch(_LEFT)
    )


def _answers_so_far(question: str, subject: str) -> list[dict[str, Any]]:
    """The answers so far, the oldest first."""
    rows = fetch(
        "select person, outcome, at, nonce, ct, stands_in_for from console.answer where question = %s order by at, person",
        (question,),
    )
    answers = []
    for person, outcome, at, nonce, ct, absent in rows:
        values = subjects.unseal(subject, f"answer|{question}|{person}", nonce, ct)
        instead = {"stands_in_for": absent} if absent else {}
        answers.append(
            {"by": person, "outcome": outcome, "at": log.body.moment(at), "values": values} | instead
        )
    return answers
