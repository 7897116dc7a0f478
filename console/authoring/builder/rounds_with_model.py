"""Answering a turn: the model proposes changes, they are tried on a copy and checked, and the problems are sent back to it. At most three rounds, within one deadline.

Nothing is changed here. What cannot be in a draft is not proposed, and the answer says so.
"""

import contextlib
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from console import log, steps
from console.ai import builder_answer, builder_prompt
from console.ai.builder_answer import Suggestion, Unusable
from console.ai.builder_prompt import BuilderPrompt, Wish
from console.ai.calling import CallFailed
from console.ai.proposals import model_call, options
from console.ai.proposals.model_call import Call
from console.authoring.builder import builder_turns
from console.authoring.builder.builder_turns import Answer, Question, absence, exhausted_budget
from console.authoring.builder.judged_changes import Case, Judged, begun_anew, best_of, judge, with_tests
from console.authoring.builder.reachable_names import catalogue, restrict_context
from console.core import drafting
from console.core.actor import Actor
from console.core.documents.workflow_check import Problem
from console.core.drafting import Change, ChangeError
from console.core.plain_words import humanised, named_reason, with_titles
from console.core.proposal_types import Code, ProviderError
from console.infra import subjects
from console.infra.db.engine import transaction
from console.infra.jobs import PutBack

ROUNDS = 3
LEAST_S = 1.0
"""With less time left the model is not asked again."""
MOST_TOLD = 6
LONGEST_TITLE = 60
PAUSE_S = 0.3
"""Between two looks at what has arrived."""
DONE = {"add_step": "Added", "remove_step": "Removed", "add_trigger": "Added", "remove_trigger": "Removed"}
ENGINE = Actor("system", "sys_engine", "Handrail", session="sys:config")
UNREADABLE = "The answer was no JSON object of the form asked for."
_CODE = re.compile(r"(?<![\w.'])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w(])(?!\.\w)")
_OFFERED = re.compile(r"(?<=: it has )[\w, ]+(?=\.)")
NOT_PROPOSED = "Not proposed, because it would not work here:"

_log = logging.getLogger(__name__)


def build(turn: str) -> None:
    """Give the turn an answer, or the reason why there is none. A second time it does nothing.

    Raises PutBack when this process has to end, and errors of the database connection: then the same turn is answered later.
    """
    question = builder_turns.question(turn)
    if question is None:
        return
    talk = _Rounds()
    code: Code | None = None
    try:
        answer = talk.answer(question)
    except model_call.OverBudget as error:
        code, answer = error.code, Answer(exhausted_budget(error.budget))
    except CallFailed as error:
        code, answer = error.code, Answer(absence(error.code, options.current().chosen("build").seconds))
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, psycopg.OperationalError, PutBack):
        raise
    except Exception:  # noqa: BLE001 (a person waits: there is always an answer)
        _log.exception("alarm: the turn %s of the builder failed", turn)
        code, answer = "internal_error", Answer(absence("internal_error", 0))
    if answer is None:
        return
    data = {
        "workflow": question.workflow,
        "turn": turn,
        "status": "failed" if code else "ready",
        "code": code,
        "rounds": talk.count,
    }
    with transaction() as connection:  # one with the other: a process that dies in between leaves neither
        builder_turns.settle(connection, question, answer, code=code, rounds=talk.count)
        log.note(
            ENGINE,
            "builder_answered",
            open=data | {"changes": len(answer.changes), "for": question.person},
            team=question.team or None,
            chain=builder_turns.chain_of(question),
            label=question.label,
            connection=connection,
        )


class Growing:
    """While an answer arrives, its changes in words are kept with the turn: the person sees the draft grow, and can stop it."""

    def __init__(self, question: Question, prompt: BuilderPrompt) -> None:
        self.asked, self.prompt = question, prompt
        self.titles = {
            step["id"]: str(step.get("title") or step["id"]) for step in question.document["steps"]
        }
        self.due, self.lines = 0.0, list[str]()

    def hear(self, text: str) -> None:
        """Keep what is new. A database that does not answer now is asked again with the next part."""
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + PAUSE_S
        lines = self.spoken(builder_answer.so_far(text))
        if lines and lines != self.lines:
            with contextlib.suppress(sa.exc.DBAPIError, psycopg.OperationalError, subjects.Unreadable):
                builder_turns.note_growing(self.asked, lines)
                self.lines = lines

    def spoken(self, changes: Sequence[Mapping[str, Any]]) -> list[str]:
        """A line for each step that a change is about, in the order of the changes."""
        lines = dict[str, None]()
        for number, change in enumerate(changes, 1):
            place, op = change.get("step"), str(change.get("op"))
            if op == "add_step" and isinstance(place, Mapping):
                title = self.prompt.words(str(place.get("title") or ""))
                title = title or (
                    _kind(place) if number < len(changes) else ""
                )  # the title of the last may be on its way
                self.titles[str(place.get("id"))] = title
            elif "trigger" in op:
                title = "What starts it"
            elif op == "set_document":
                title = "What holds for the whole workflow"
            else:
                title = self.titles.get(str(place), "")
            if title:
                lines[f"{DONE.get(op, 'Changed')}: {title}"] = None
        return [
            line
            for line in lines
            if not line.startswith("Changed: ") or f"Added: {line.removeprefix('Changed: ')}" not in lines
        ]


def _kind(step: Mapping[str, Any]) -> str:
    found = steps.all_types().get(str(step.get("type")))
    return found.title if found else ""


@dataclass(slots=True)
class _Tried:
    """A usable answer of the model. `lost` says what of it could not be read as a change."""

    suggestion: Suggestion
    judged: Judged
    lost: Sequence[str]

    @property
    def order(self) -> tuple[int, int]:
        """Less is better."""
        return len(self.judged.hard) + len(self.lost), len(self.judged.open_ends)


@dataclass(slots=True)
class _Rounds:
    """The rounds of one turn."""

    count: int = 0

    def answer(self, question: Question) -> Answer | None:
        """The answer; None where nobody waits any more. Raises CallFailed where the model gave none that can be used."""
        case = Case.of(question.document, restrict_context(question.names, question.document), question.names)
        current = options.current()
        wish = Wish(question.document, case.problems, question.names, question.talk, question.message)
        prompt = builder_prompt.rendered(wish, catalogue(), current.policy, options.house_key())
        best, code = self._best(question, case, prompt)
        if not builder_turns.pending(question.turn):
            return None
        if best is None:
            raise CallFailed(ProviderError(code), ms=0, tries=0)
        return _composed(question, best, best_of(case, best.judged.changes))

    def _best(self, question: Question, case: Case, prompt: BuilderPrompt) -> tuple[_Tried | None, Code]:
        best: _Tried | None = None
        code: Code = "malformed"
        user, seen, growing = prompt.user, set[str](), Growing(question, prompt)
        while self.count < ROUNDS and builder_turns.pending(question.turn):
            call = _call(question, prompt, user)
            if self.count and call.seconds_left < LEAST_S:
                break
            self.count += 1
            try:
                raw = model_call.call_model(call, options.current(), growing.hear)
            except CallFailed:
                if best is None:
                    raise
                break
            try:
                tried = tried_answer(case, prompt.restored(builder_answer.read(raw.text)))
            except Unusable as error:
                code, wrong = error.code, [UNREADABLE]
            else:
                best = tried if best is None or tried.order < best.order else best
                wrong = [*tried.lost, *tried.judged.told]
                again = json.dumps(drafting.to_json(tried.judged.changes), sort_keys=True)
                if not wrong or again in seen:  # fine, or the same once more
                    break
                seen.add(again)
            user = prompt.corrected(raw.text, wrong)
        return best, code


def _call(question: Question, prompt: BuilderPrompt, user: str) -> Call:
    return Call(
        purpose="build",
        person=question.person,
        subject=question.subject,
        deadline_at=question.deadline_at,
        system=prompt.system,
        user=user,
        schema=builder_prompt.SCHEMA,
        version=builder_prompt.BUILDER_VERSION,
        sha256=prompt.digest(user),
        workflow=question.workflow,
        team=question.team,
        label=question.label,
    )


def tried_answer(case: Case, suggestion: Suggestion) -> _Tried:
    """The answer with its changes tried on a copy."""
    changes, ways = list[Change](), list[Change]()
    lost = list(suggestion.wrong)
    for number, given in enumerate(suggestion.changes):
        try:
            for change in drafting.read_changes([given]):
                made, led = begun_anew(case, with_tests(case, change))
                changes, ways = changes + made, ways + led
        except (ChangeError, RecursionError) as error:
            lost.append(f"changes[{number}]: {getattr(error, 'reason', error)}")
    return _Tried(suggestion, judge(case, [*changes, *ways]), lost)


def _composed(question: Question, best: _Tried, judged: Judged) -> Answer:
    """What the person is told, with the changes as small as they are: what turns the draft into the copy."""
    changes = (
        drafting.to_json(drafting.difference(question.document, judged.document)) if judged.changes else []
    )
    titles = {
        step["id"]: str(step.get("title") or step["id"])
        for step in (*question.document["steps"], *best.judged.document["steps"])
    }
    labels = _labels(question.names) | titles
    lines = [_line(titles, labels, problem) for problem in judged.left_out] + _unreadable(len(best.lost))
    text = best.suggestion.text if changes or not lines else ""
    parts = [
        text,
        *_taken_away(question.document, judged.document),
        *([NOT_PROPOSED, *dict.fromkeys(lines[:MOST_TOLD])] if lines else []),
    ]
    return Answer(
        "\n".join(part for part in parts if part),
        changes,
        best.suggestion.assumptions,
        best.suggestion.questions,
    )


def _taken_away(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A warning where most steps would go: nobody asks for that in passing."""
    there = {step["id"] for step in before["steps"]}
    gone = len(there - {step["id"] for step in after["steps"]})
    return (
        [f"Take care: this removes {gone} of {len(there)} steps."] if gone > max(2, len(there) // 2) else []
    )


def _labels(names: Mapping[str, Any]) -> dict[str, str]:
    """Collection, field or action → its label."""
    fields = [each for collection in names["collections"] for each in (collection, *collection["fields"])]
    return {
        str(each.get("name") or each["id"]): str(each["label"])
        for each in (*fields, *names["actions"])
        if each.get("label")
    }


def _line(titles: Mapping[str, str], labels: Mapping[str, str], problem: Problem) -> str:
    """What is wrong as people are told it: names of programs by their labels, of what is not there as words."""
    reason = with_titles(named_reason(problem.field, problem.reason), lambda step: titles.get(step, ""))
    reason = _OFFERED.sub(
        lambda names: ", ".join(f"“{labels.get(name) or humanised(name)}”" for name in names[0].split(", ")),
        reason,
    )
    reason = _CODE.sub(lambda name: f"“{labels.get(name[0]) or humanised(name[0])}”", reason)
    title = titles.get(problem.step or "", "")
    return (
        f"{title if len(title) <= LONGEST_TITLE else f'{title[:LONGEST_TITLE]}…'}: {reason}"
        if title
        else reason
    )


def _unreadable(count: int) -> list[str]:
    """What people hear of parts of an answer that are no changes; why not is told to the model alone."""
    return (
        [
            f"{count} {'part' if count == 1 else 'parts'} of the answer could not be read as {'a change' if count == 1 else 'changes'}."
        ]
        if count
        else []
    )
