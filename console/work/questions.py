"""Questions that runs ask other people. Those who may answer see the form and who answered before. The run continues when enough people agree."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import access, accounts, log, runs, subjects
from console.browse import evidence
from console.core.actor import Actor
from console.core.forms import FormField, clean
from console.db.engine import fetch, transaction
from console.errors import Conflict, ConsoleError, Invalid, NotFound

ANSWERED = "answered"
SHOWN = 100
NOT_YOURS = "A question whose text you may not read"
_OPEN = """
select q.id, q.run, q.needs, q.until, q.asked_at, q.subject, q.nonce, q.ct, q.people ? %(me)s, r.workflow, r.version, a.step, r.collection from console.question q
join console.attempt a on a.run = q.run and a.n = q.n join {runs} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id
where {where} order by q.until nulls last, q.id limit {limit}
"""
_LEFT = f"""
select q.id, q.run, q.subject, a.outcome from console.question q
join {access.EVERY_RUN.sql()} on r.id = q.run and r.status = 'waiting_event' and r.waiting->>'key' = q.id
join lateral (select outcome, count(*) as given, max(at) as last from console.answer where question = q.id group by outcome) a on a.given >= q.needs
where a.last < now() - interval '5 seconds' limit 100
"""  # noqa: S608 (a text of ours)


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question. `answered` are (name, answer, moment) of those who answered; `mine` is whether this person did."""

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

    @property
    def screen(self) -> dict[str, Any]:
        """The form in the shape of a step's screen."""
        return {"type": "human_input", "fields": list(self.fields), "outcomes": list(self.outcomes), "text": self.text}


def open_for(actor: Actor) -> list[Asked]:
    """Questions that wait for this person's answer, those with the nearest time limit first."""
    rows = fetch(_OPEN.format(runs=access.runs(actor).sql(), where="q.people ? %(me)s", limit=SHOWN), {"me": actor.id})
    questions = [question for row in rows if (question := _visible_question(actor, row)) is not None]
    return [question for question in questions if not question.mine]


def question(actor: Actor, question_id: str) -> Asked:
    """The question as this person may read it. Raises NotFound where it is for others, is closed, or is about something that they may not see."""
    return _require_question(actor, question_id)


def _require_question(actor: Actor, question_id: str, *, whole: bool = False) -> Asked:
    statement = _OPEN.format(runs=access.runs(actor).sql(), where="q.id = %(id)s", limit=1)
    rows = fetch(statement, {"me": actor.id, "id": question_id}) if "\x00" not in question_id else []
    question = _visible_question(actor, rows[0], whole=whole) if rows and rows[0][8] else None
    if question is None:
        raise NotFound
    return question


def _visible_question(actor: Actor, row: Any, *, whole: bool = False) -> Asked | None:
    """The question; None where the person may not see its run. `whole` includes field values that the person may not read, to check the answer."""
    ident, run, needs, until, asked_at, subject, nonce, ct, _, *made_at = row
    try:
        about = runs.title(actor, run)
        values = subjects.unseal(subject, f"question|{ident}", nonce, ct)
    except (ConsoleError, subjects.Unreadable):
        return None
    if not whole:
        workflow, version, step, collection = made_at
        values |= runs.shown_to(
            actor, workflow, version, step, {name: values[name] for name in ("title", "text", "fields")}, collection, run
        )
        if not runs.words_of_event(actor, workflow, version, step, run=run):
            values |= {"title": NOT_YOURS, "text": None}
    given = fetch("select person, outcome, at from console.answer where question = %s order by at, person", (ident,))
    names = accounts.names({person for person, _, _ in given})
    labels = {choice["value"]: choice["label"] for choice in values["outcomes"]}
    answered = tuple((names.get(person, "A former colleague"), labels.get(outcome, "answered"), at) for person, outcome, at in given)
    return Asked(
        ident, run, values["title"], values["text"], tuple(values["fields"]), tuple(values["outcomes"]), needs, until, asked_at, about, subject,
        answered, actor.id in {person for person, _, _ in given},
    )  # fmt: skip


def answer(actor: Actor, question_id: str, values: dict[str, Any], outcome: str | None) -> None:
    """Submit this person's answer. The run continues when enough people gave the same one.

    Raises NotFound as `question`, Invalid with a detail per field, Conflict for a second answer.
    """
    question = _require_question(actor, question_id, whole=True)
    fields = [FormField(**{name: field[name] for name in FormField.__slots__ if name in field}) for field in question.fields]
    offered = [option["value"] for option in question.outcomes]
    if offered and outcome not in offered:
        raise Invalid("Choose an answer.", details=[{"field": "outcome", "reason": f"One of: {', '.join(offered)}."}])
    cleaned, way = clean(fields, evidence.with_files(fields, values, question.run)), outcome if offered and outcome else ANSWERED
    evidence.require(actor, None, fields, values)
    kid, nonce, ct = subjects.seal(question.subject, f"answer|{question.id}|{actor.id}", cleaned)
    put = sa.text(
        "insert into console.answer (question, person, outcome, at, kid, nonce, ct) values (:id, :person, :outcome, :at, :kid, :nonce, :ct) on conflict do nothing"
    )
    with transaction() as connection:
        connection.execute(sa.text("select id from console.question where id = :id for update"), {"id": question.id})
        parameters = {"id": question.id, "person": actor.id, "outcome": way, "at": log.now(), "kid": kid, "nonce": nonce, "ct": ct}
        if connection.execute(put, parameters).rowcount == 0:
            raise Conflict("You answered this already.", code="not_possible")
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
    rows = fetch("select person, outcome, at, nonce, ct from console.answer where question = %s order by at, person", (question,))
    answers = []
    for person, outcome, at, nonce, ct in rows:
        values = subjects.unseal(subject, f"answer|{question}|{person}", nonce, ct)
        answers.append({"by": person, "outcome": outcome, "at": log.body.moment(at), "values": values})
    return answers
