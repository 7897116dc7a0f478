"""Parses what a model answers to a wish about a workflow: a sentence, changes of the document, assumptions and questions. It judges nothing.

A change may be written as `console.core.drafting` has it, or in the form that is asked for, in which values of any shape are JSON in a text: endpoints that take
a schema take no free object in it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pydantic_core

from console.ai.safety.contact_details import SURROGATE
from console.core.proposal_types import Code

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
"""What a model thinks aloud before it answers."""
_OBJECT = re.compile(r'\{\s*"')
"""Where an object begins; templates, {{ … }}, in the words around it are none."""
LONGEST = 1_000_000  # characters
LONGEST_TEXT = 4_000
LONGEST_LINE = 400
MOST_LINES = 12
MOST_CHANGES = 300
AS_TEXT = {"value_json": "value", "config_json": "config", "trigger_json": "trigger"}
"""Names under which a value stands as JSON in a text → the name that the change has for it."""


class Unusable(Exception):
    """An answer of which nothing can be used; `code` says why."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A parsed answer. `changes` are objects that are not checked yet; `wrong` says what of them could not be read."""

    text: str
    changes: tuple[Mapping[str, Any], ...]
    assumptions: tuple[str, ...]
    questions: tuple[str, ...]
    wrong: tuple[str, ...] = ()


def read(text: str) -> Suggestion:
    """The parsed answer, without words around it. Raises Unusable: `malformed` if it has no JSON object, `not_in_form` if neither words nor changes."""
    if len(text) > LONGEST:
        raise Unusable("malformed")
    said = _THOUGHT.sub("", text)
    try:
        parsed = _loaded(_object(said))
    except (ValueError, RecursionError, MemoryError):
        raise Unusable("malformed") from None
    if not isinstance(parsed, dict):
        raise Unusable("malformed")
    given = parsed.get("changes", [])
    if (
        not isinstance(given, list)
        or not isinstance(parsed.get("text", ""), str | None)
        or not (parsed.get("text") or given)
    ):
        raise Unusable("not_in_form")
    wrong: list[str] = [] if len(given) <= MOST_CHANGES else [f"At most {MOST_CHANGES} changes are taken."]
    changes = []
    for number, entry in enumerate(given[:MOST_CHANGES]):
        try:
            changes.append(_change(entry))
        except (ValueError, RecursionError) as error:
            wrong.append(f"changes[{number}]: {error}")
    return Suggestion(
        str(parsed.get("text") or "")[:LONGEST_TEXT].strip(),
        tuple(changes),
        _lines(parsed.get("assumptions")),
        _lines(parsed.get("questions")),
        tuple(wrong),
    )


def so_far(text: str) -> tuple[Mapping[str, Any], ...]:
    """The changes that can be read of an answer that is still arriving: the last one may lack names. Nothing of it is checked."""
    begin = _OBJECT.search(text)
    if begin is None or len(text) > LONGEST:
        return ()
    try:
        parsed = pydantic_core.from_json(text[begin.start() :], allow_partial=True)
    except (ValueError, TypeError):  # of half a character
        return ()
    given = parsed.get("changes") if isinstance(parsed, dict) else None
    return (
        tuple(entry for entry in given[:MOST_CHANGES] if isinstance(entry, dict))
        if isinstance(given, list)
        else ()
    )


def _object(said: str) -> str:
    """The one object in the words. Raises ValueError where there is none, or where it is one of several: nobody knows which is meant."""
    begin = _OBJECT.search(said)
    if begin is None:
        raise ValueError("no object")
    _, end = json.JSONDecoder().raw_decode(said, begin.start())
    if said[: begin.start()].rstrip().endswith("[") or _OBJECT.search(said, end):
        raise ValueError("several objects")
    return said[begin.start() : end]


def _change(entry: Any) -> dict[str, Any]:
    """The change as `console.core.drafting.read_changes` takes it. Raises ValueError."""
    if not isinstance(entry, Mapping):
        raise ValueError("A change must be an object.")  # noqa: TRY004 (told to the model like every other fault of its answer)
    made: dict[str, Any] = {}
    for name, value in entry.items():
        if name in AS_TEXT:
            if isinstance(value, str) and value.strip():  # an empty text: there is no value
                made[AS_TEXT[name]] = _loaded(value)
        elif value not in (None, "") or name == "value":
            made[name] = value
    step = made.get("step")
    if made.get("op") == "add_step" and isinstance(step, Mapping):
        made["step"] = _step(step)
    return made


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in step.items() if name != "config_json" and value != ""}
    config = step.get("config_json")
    if isinstance(config, str) and config.strip():
        made["config"] = _loaded(config)
    ways = made.get("next")
    if isinstance(ways, list):
        made["next"] = {
            str(way["outcome"]): way["to"]
            for way in ways
            if isinstance(way, Mapping) and {"outcome", "to"} <= way.keys()
        }
    return made


def _lines(given: Any) -> tuple[str, ...]:
    """Short texts of a list; a question may be an object with its words."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        return ()
    texts = [
        str(each.get("text") or each.get("question") or "") if isinstance(each, Mapping) else each
        for each in given
    ]
    return tuple(
        " ".join(each.split())[:LONGEST_LINE] for each in texts if isinstance(each, str) and each.strip()
    )[:MOST_LINES]


def _loaded(text: str) -> Any:
    """What the JSON says; half a character, which nothing can store, is replaced. Raises ValueError."""
    parsed = json.loads(text, parse_constant=_no_number)
    spelled = json.dumps(parsed, ensure_ascii=False)
    return json.loads(SURROGATE.sub("\ufffd", spelled)) if SURROGATE.search(spelled) else parsed


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
