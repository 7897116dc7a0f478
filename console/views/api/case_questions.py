"""Questions about a run as JSON: the same as beside its page. A model answers in the background, and a program asks again."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import log, runs
from console.ai import cases
from console.ai.cases import Place, Question
from console.core.errors import NotFound
from console.views.api import listing
from console.views.api.idempotency import name_result
from console.views.api.operation import Done, Example, Sent, named, operation, read
from console.views.api.shapes import CaseQuestion, Listed

blueprint = Blueprint("api_case_questions", __name__, url_prefix="/api/v1/runs/<run_id>/ask")

POLL_S = 1


class NewQuestion(Sent):
    """What is asked about the run."""

    question: str = Field(min_length=1, max_length=500)


def _questions(run_id: str) -> list[Question]:
    """Return the newest questions that the caller asked. Raises NotFound for a run that they may not see."""
    masked = runs.get(g.actor, run_id, shown=False).masked
    return list(cases.questions(g.actor, Place(run=run_id), masked))


def _question(run_id: str, question_id: str) -> dict[str, Any]:
    found = next((each for each in _questions(run_id) if each.id == question_id), None)
    if found is None:
        raise NotFound
    return _to_json(found)


def _to_json(found: Question) -> dict[str, Any]:
    return {
        "id": found.id,
        "at": log.body.moment(found.at),
        "question": found.text,
        "status": "pending" if found.pending else "ready",
        "sentences": [
            {"text": each["text"] or each["source"]["quote"], "sources": [_labelled(each["source"])]}
            for each in found.sentences
        ],
        "found": bool(found.sentences),
        "by": found.by or None,
        "why": found.why or None,
    }


def _labelled(source: Mapping[str, Any]) -> dict[str, Any]:
    return {**source, "label": source.get("label") or source["title"]}


def _asked_again(done: Done) -> dict[str, Any] | None:
    return _question(named("run_id"), done.made) if done.made else None


@blueprint.post("")
@operation(
    "askAboutRun",
    "workflow.see",
    {200: CaseQuestion, 202: CaseQuestion},
    body=NewQuestion,
    again=_asked_again,
    example=Example(body={"question": "What is the source of the money?"}),
)
def ask(run_id: str) -> ResponseReturnValue:
    """Ask about a run: answered from what the key may see of it and from nothing else, each sentence with its source. 200 with the answer by search, where no model is left to ask; else 202, and the question is read until it is `ready`.

    429 while three questions are being answered.
    """
    sent = read(NewQuestion)
    question_id = cases.ask(g.actor, Place(run=run_id), sent.question)
    name_result(question_id)
    asked = _question(run_id, question_id)
    return asked, 202 if asked["status"] == "pending" else 200


@blueprint.get("")
@operation("listQuestionsAboutRun", "workflow.see", Listed[CaseQuestion])
def find(run_id: str) -> ResponseReturnValue:
    """The newest 20 questions that were asked with this key about the run, the oldest of them first."""
    return listing([_to_json(each) for each in _questions(run_id)])


@blueprint.get("/<question_id>")
@operation("getQuestionAboutRun", "workflow.see", CaseQuestion)
def show(run_id: str, question_id: str) -> ResponseReturnValue:
    """A question and its answer; with the header Retry-After while it is `pending`, and the sentences that have arrived."""
    found = _question(run_id, question_id)
    response = jsonify(found)
    if found["status"] == "pending":
        response.headers["Retry-After"] = str(POLL_S)
    return response
