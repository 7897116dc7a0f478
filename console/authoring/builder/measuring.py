"""How good the builder is: descriptions of workflows are put to a model, and what its answers come to is counted. No draft is changed, and nothing is kept.

Each description is handled as a wish about a new workflow: the same prompt, the same checks on a copy, three rounds at most.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.ai import builder_answer, builder_prompt, providers
from console.ai.builder_answer import Suggestion, Unusable
from console.ai.calling import CallFailed, call as call_provider
from console.ai.proposals import options
from console.authoring.builder.judged_changes import Case
from console.authoring.builder.reachable_names import catalogue, reachable, restrict_context
from console.authoring.builder.rounds_with_model import ROUNDS, UNREADABLE, tried_answer
from console.core.actor import Actor
from console.core.proposal_types import ProviderError
from console.infra.db.engine import fetch

KEY = b"evaluate"
Asker = Callable[[str, int, str, str], str]
"""(id of the description, round from 0, system, user) → the text of the answer. Raises CallFailed."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is wished for, and what an answer has to have: step types, kinds of triggers, so many ends, words somewhere in the settings.

    `changes` False: it is a question, so nothing may change.
    """

    id: str
    words: str
    steps: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    ends: int = 0
    mentions: tuple[str, ...] = ()
    changes: bool = True


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a description. `valid`: a document that can be published; `round` is the one from 1 that gave it. `lacks` are properties that it has not."""

    id: str
    valid: bool
    round: int
    lacks: tuple[str, ...]
    wrong: tuple[str, ...]
    code: str | None
    ms: int


def read_descriptions(file: Path) -> list[Description]:
    """The descriptions of a JSON file: a list of objects."""
    given: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    entries: list[dict[str, Any]] = [
        {name: tuple(value) if isinstance(value, list) else value for name, value in each.items()}
        for each in given
    ]
    return [Description(**each) for each in entries]


def recorded(file: Path) -> Asker:
    """Answers from a JSON file: id of the description → the answers in their order, as texts or objects."""
    kept = json.loads(file.read_text("utf-8"))

    def ask(ident: str, number: int, *_prompt: str) -> str:
        answers = kept.get(ident, [])
        if number >= len(answers):
            raise CallFailed(ProviderError("refused"), ms=0, tries=0)
        return answers[number] if isinstance(answers[number], str) else json.dumps(answers[number])

    return ask


def provided(
    config: providers.anthropic.Config | providers.openai_compatible.Config,
    *,
    seconds: float,
    max_tokens: int,
) -> Asker:
    """Answers of a provider, which is really asked."""

    def ask(_ident: str, _number: int, system: str, user: str) -> str:
        provider = providers.provider(config)
        return call_provider(
            provider, system, user, builder_prompt.SCHEMA, seconds=seconds, max_tokens=max_tokens
        ).raw.text

    return ask


def measured(actor: Actor, description: Description, ask: Asker) -> Measured:
    """The description tried with the names that the actor may see."""
    began, names = time.monotonic(), reachable(actor)
    start = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {}}
    document = {
        "format": 1,
        "slug": "measured",
        "title": "Measured",
        "team": actor.teams[0] if actor.teams else "",
        "steps": [start],
    }
    case = Case.of(document, restrict_context(names, document), names)
    wish = builder_prompt.Wish(document, case.problems, names, (), description.words)
    prompt = builder_prompt.rendered(wish, catalogue(), options.current().policy, KEY)
    lacks: tuple[str, ...] = ()
    user, wrong, number, valid, code = prompt.user, [""], 0, False, None
    while wrong and number < ROUNDS:
        number += 1
        try:
            text = ask(description.id, number - 1, prompt.system, user)
            suggestion = prompt.restored(builder_answer.read(text))
        except CallFailed as error:
            code, wrong = (None, wrong) if number > 1 else (error.code, [error.detail or error.code])
            number -= number > 1  # the answers before it count
            break
        except Unusable:
            wrong = [UNREADABLE]
        else:
            found = tried_answer(case, suggestion)
            wrong = [*found.lost, *found.judged.told]
            lacks = _lacking(description, suggestion, found.judged.document)
            valid = not wrong
        user = prompt.corrected(text, wrong)
    return Measured(
        description.id, valid, number, lacks, tuple(wrong), code, round(1000 * (time.monotonic() - began))
    )


def _lacking(wanted: Description, suggestion: Suggestion, document: Mapping[str, Any]) -> tuple[str, ...]:
    if not wanted.changes:
        return ("no change",) if suggestion.changes else ()
    types = [str(step.get("type")) for step in document["steps"]]
    kinds = {str(each.get("kind")) for each in document.get("triggers") or ()}
    settings = json.dumps(document, ensure_ascii=False)
    lacks = [f"a step {each}" for each in wanted.steps if each not in types]
    lacks += [f"a trigger {each}" for each in wanted.triggers if each not in kinds]
    lacks += [f"{wanted.ends} ends"] if types.count("end") < wanted.ends else []
    return (*lacks, *(each for each in wanted.mentions if each not in settings))


def taken_by_people() -> Mapping[str, int]:
    """How many proposals of this console were taken whole, in part, or not at all."""
    found = fetch("select taken, count(*) from console.builder_turn where taken is not null group by taken")
    return {str(how): int(count) for how, count in found}


def summary(results: Sequence[Measured]) -> dict[str, Any]:
    """The counts of all."""
    return {
        "descriptions": len(results),
        "valid_first": sum(each.valid and each.round == 1 for each in results),
        "valid": sum(each.valid for each in results),
        "right": sum(each.valid and not each.lacks for each in results),
        "unanswered": sum(each.code is not None for each in results),
        "taken": dict(taken_by_people()),
    }
