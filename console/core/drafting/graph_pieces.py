"""A workflow made node by node and edge by edge: what each call changes in the document.

A node is a step (`node_` and its id), an edge a way (`edge_`, its step and outcome). In conditions `lead` names the lead's values, which are
the input of the run, and its last `answer`, which is the label of the call before.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from console.core.documents.document_parts import NAME_PATTERN
from console.core.drafting.applying import free_id
from console.core.drafting.changes import AddStep, Change, Connect, Set
from console.core.expressions import parse
from console.core.plain_words import slug

NODE, EDGE = "node_", "edge_"
NodeType = Literal["VOICE_CALL", "TIME", "CONDITIONAL", "APPLICATION", "CONVERTED", "DROPPED"]
STEP_TYPES: Mapping[str, str] = {
    "VOICE_CALL": "ai_call",
    "TIME": "wait",
    "CONDITIONAL": "condition",
    "APPLICATION": "add_tag",
    "CONVERTED": "end",
    "DROPPED": "end",
}
LEAD_FIELDS = {"name": "text", "phone": "phone", "email": "email"}
LABELS = {"email": "E-mail"}
ENDS_OF_CALLS = frozenset({"answered", "no_answer", "voicemail", "busy", "failed", "skipped", "expired", "error"})
OTHERWISE = frozenset({"", "false", "no", "else", "otherwise", "default"})
HOLDS = "yes"
_LEAD = re.compile(r"(?<![\w.$])lead\.([A-Za-z][A-Za-z0-9_]*)")
_FILLED = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_PERIOD = re.compile(r"P(\d{1,4}D)?(T(\d{1,4}H)?(\d{1,5}M)?)?")
_ANSWER = re.compile(r"lead\.answer\s*==\s*[\"']([a-z][a-z0-9_]{0,59})[\"']")


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class VoiceCall(_Config):
    """What an AI says in a call."""

    script: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    agent: str | None = Field(None, max_length=200)
    max_attempts: int = Field(3, ge=1, le=10)
    retry_after: str = "P2D"


class Time(_Config):
    """How long to wait."""

    duration: str

    @field_validator("duration")
    @classmethod
    def _period(cls, value: str) -> str:
        if not (_PERIOD.fullmatch(value) and _duration(value)):
            raise ValueError("takes a period such as P2D or PT6H")
        return value


class Conditional(_Config):
    """A rule over `lead`."""

    expression: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Application(_Config):
    """What the console does."""

    operation: Literal["tag"]
    tag: Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Ended(_Config):
    """Nothing to say."""


CONFIGS: Mapping[str, type[_Config]] = {
    "VOICE_CALL": VoiceCall,
    "TIME": Time,
    "CONDITIONAL": Conditional,
    "APPLICATION": Application,
    "CONVERTED": Ended,
    "DROPPED": Ended,
}


def add_node(document: Mapping[str, Any], kind: str, title: str, config: Mapping[str, Any]) -> tuple[str, list[Change]]:
    """The id of the new step, and the changes that add it. Raises pydantic's ValidationError, ExpressionError."""
    given = CONFIGS[kind].model_validate(dict(config))
    ids = {step["id"] for step in document["steps"]}
    step_id = free_id(STEP_TYPES[kind] if STEP_TYPES[kind] != "end" else kind.lower(), ids)
    changes: list[Change] = []
    calls = [step["id"] for step in document["steps"] if step["type"] == "ai_call"]
    settings = _settings(kind, given, calls[-1] if calls else None)
    if kind == "CONDITIONAL" and calls:
        changes += _answers(document, calls[-1], given.model_dump()["expression"])
    step = {"id": step_id, "type": STEP_TYPES[kind], "title": title, "config": settings, "next": {}}
    changes.append(AddStep(step=step, place=None))
    return step_id, [*_input(document, _named(kind, given)), *changes, *_beginning([*document["steps"], step])]


def add_edge(document: Mapping[str, Any], source: str, target: str, label: str) -> tuple[str, list[Change]]:
    """The outcome of the new way, and the changes that add it; the steps must be there."""
    step = next(each for each in document["steps"] if each["id"] == source)
    outcome = outcome_of(step, plain_label(label))
    answers: dict[str, list[str]] = {
        each["id"]: list(each["config"].get("answers", [])) for each in document["steps"] if each["type"] == "ai_call"
    }
    before = {name: list(each) for name, each in answers.items()}
    if source in answers and outcome not in {"default", *ENDS_OF_CALLS, *answers[source]}:
        answers[source].append(outcome)
    ids = [each["id"] for each in document["steps"] if each["type"] != "start"]
    former = {to: [each["id"] for each in document["steps"] if to in each.get("next", {}).values()] for to in ids}
    changes = _heard(document, answers, former, {**former, target: [*former.get(target, ()), source]})
    changes += [Set(step=name, field=["config", "answers"], value=given) for name, given in answers.items() if given != before[name]]
    changes.append(Connect(step=source, outcome=outcome, to=target))
    steps = [{**each, "next": {**each.get("next", {}), outcome: target}} if each is step else each for each in document["steps"]]
    return outcome, [*changes, *_beginning(steps)]


def _heard(
    document: Mapping[str, Any], answers: dict[str, list[str]], former: Mapping[str, list[str]], back: Mapping[str, list[str]]
) -> list[Change]:
    """What lets conditions ask the calls that lead to them. Nodes may come before all edges: then a condition was made for the call that came last.

    `former`, `back`: step → the steps that lead to it, before and now. What a condition asks for becomes an answer of its call; what nobody asks for any more goes.
    """
    changes: list[Change] = []
    for step in document["steps"]:
        if step["type"] != "condition" or (leading := _calls_before(step["id"], back, answers)) == _calls_before(
            step["id"], former, answers
        ):
            continue
        for number, branch in enumerate(step["config"].get("branches", [])):
            named = next((call for call in answers if re.search(rf"\bsteps\.{call}\.label\b", branch["if"])), None)
            if named == leading[0] or (named is None and "lead.answer" not in branch["if"]):
                continue
            text = re.sub(rf"\bsteps\.{named}\.label\b", "lead.answer", branch["if"])
            found = [answer for answer in dict.fromkeys(_ANSWER.findall(text)) if answer not in ENDS_OF_CALLS]
            ways: Mapping[str, str] = next((each.get("next", {}) for each in document["steps"] if each["id"] == named), {})
            if named is not None:
                others = str([each["config"] for each in document["steps"] if each["type"] == "condition" and each is not step])
                asked_by_others = {answer for answer in found if re.search(rf"steps\.{named}\.label\s*==\s*\W*{answer}\b", others)}
                answers[named] = [answer for answer in answers[named] if answer not in found or answer in {*ways, *asked_by_others}]
            answers[leading[0]] += [answer for answer in found if answer not in answers[leading[0]]]
            changes.append(Set(step=step["id"], field=["config", "branches", number, "if"], value=_spoken(text, leading[0])))
    return changes


def _calls_before(step: str, back: Mapping[str, list[str]], calls: Mapping[str, Any]) -> list[str]:
    """The calls from which ways lead to the step, the nearest first."""
    seen, waiting = {step}, [step]
    for place in waiting:
        fresh = [each for each in back.get(place, ()) if each not in seen]
        seen |= set(fresh)
        waiting += fresh
    return [each for each in waiting[1:] if each in calls]


def plain_label(label: str) -> str:
    """The label as an outcome may be called."""
    return slug(label, "_")


def outcome_of(step: Mapping[str, Any], label: str) -> str:
    """The outcome that a label means at this step; without a label every other one."""
    if step["type"] == "condition":
        return "default" if label in OTHERWISE else HOLDS
    return label if label and label not in ("otherwise", "default") and step["type"] == "ai_call" else "default"


def _settings(kind: str, given: _Config, call: str | None) -> dict[str, Any]:
    held = given.model_dump(exclude_none=True)
    match kind:
        case "VOICE_CALL":
            return {"to": "input.phone", **held, "script": _filled(held["script"], call)}
        case "TIME":
            return _duration(held["duration"])
        case "CONDITIONAL":
            expression = _spoken(held["expression"], call)
            parse(expression)
            return {"branches": [{"if": expression, "outcome": HOLDS}]}
        case "APPLICATION":
            return {"tag": _filled(held["tag"], call)}
    return {"label": kind.lower()}


def _duration(text: str) -> dict[str, int]:
    """`P2DT3H` as numbers, without those that are none."""
    found = {unit: int(number) for number, unit in re.findall(r"(\d+)([DHM])", text)}
    names = {"D": "days", "H": "hours", "M": "minutes"}
    return {names[unit]: number for unit, number in found.items() if number}


def _spoken(expression: str, call: str | None) -> str:
    """The expression with the names of a run in place of `lead`; the last answer stays as it is while no call is known."""

    def name(found: re.Match[str]) -> str:
        if found[1] != "answer":
            return f"input.{found[1]}"
        return f"steps.{call}.label" if call else found[0]

    return _LEAD.sub(name, expression)


def _filled(text: str, call: str | None) -> str:
    """A text whose `{{ lead.… }}` take the values of a run."""
    return _FILLED.sub(lambda found: _spoken(found[0], call), text)


def _answers(document: Mapping[str, Any], call: str, expression: str) -> list[Change]:
    """What lets the call give the answers that a condition asks for."""
    known = next(step for step in document["steps"] if step["id"] == call)["config"].get("answers", [])
    answers = [answer for answer in dict.fromkeys(_ANSWER.findall(expression)) if answer not in known and answer not in ENDS_OF_CALLS]
    return [Set(step=call, field=["config", "answers"], value=[*known, *answers])] if answers else []


def _named(kind: str, given: _Config) -> list[str]:
    """The values of a lead that the settings of a node name."""
    texts = [text for text in given.model_dump().values() if isinstance(text, str)]
    asked = texts if kind == "CONDITIONAL" else [part for text in texts for part in _FILLED.findall(text)]
    return [name for text in asked for name in _LEAD.findall(text) if name != "answer" and re.fullmatch(NAME_PATTERN, name)]


def _input(document: Mapping[str, Any], named: Iterable[str]) -> list[Change]:
    """The questions of the start: those of every lead where it asks for nothing yet and there is no record, and those that a node names."""
    start = next((step for step in document["steps"] if step["type"] == "start"), None)
    if start is None:
        return []
    fields = list(start.get("config", {}).get("fields") or ())
    every_lead = LEAD_FIELDS if not fields and not document.get("collection") else ()
    asked = {each.get("name") for each in fields}
    missing = [name for name in dict.fromkeys([*every_lead, *named]) if name not in asked]
    labels = {name: LABELS.get(name, name.replace("_", " ").capitalize()) for name in missing}
    fields += [{"name": name, "label": labels[name], "type": LEAD_FIELDS.get(name, "text")} for name in missing]
    return [Set(step=start["id"], field=["config", "fields"], value=fields)] if missing else []


def _beginning(steps: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The way from the start to the first node that leads somewhere, before others one without an incoming edge; to an end only where nothing else is there."""
    start = next((step for step in steps if step["type"] == "start"), None)
    inner = [step for step in steps if step is not start]
    led_to = {to for step in inner for to in step.get("next", {}).values()}
    order = sorted(inner, key=lambda step: (step["type"] == "end", not step.get("next"), step["id"] in led_to))
    if start is None or not order or start.get("next", {}).get("default") == order[0]["id"]:
        return []
    return [Connect(step=start["id"], to=order[0]["id"])]
