"""A workflow made node by node and edge by edge: what each call changes in the document.

A node is a step (`node_` and its id), an edge a way (`edge_`, its step and outcome). A node has the type of its step, or one of six types of calling
workflows, whose settings are their own: there `lead` names the lead's values, which are the input of the run, and its last `answer`, which is the
label of the call before.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from console.core.documents.document_parts import NAME_PATTERN
from console.core.drafting.applying import apply, begun_by, free_id
from console.core.drafting.changes import AddStep, Change, Connect, Disconnect, RemoveStep, Set
from console.core.expressions import ExpressionError, parse
from console.core.plain_words import slug

NODE, EDGE = "node_", "edge_"
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
ENDS_OF_CALLS = frozenset(
    {"answered", "no_answer", "voicemail", "busy", "failed", "skipped", "expired", "error"}
)
OTHERWISE = frozenset({"", "false", "no", "else", "otherwise", "default"})
HOLDS = "yes"
_LEAD = re.compile(r"(?<![\w.$])lead\.([A-Za-z][A-Za-z0-9_]*)")
_INPUT = re.compile(r"(?<![\w.$])input\.([A-Za-z][A-Za-z0-9_]*)")
_LABEL = re.compile(r"(?<![\w.$])steps\.([A-Za-z0-9_]+)\.label\b")
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


def type_of(given: str) -> str:
    """The type of a node as it is stored, from one that is written in either case."""
    return given.upper() if given.upper() in CONFIGS else given.lower()


def node(step: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The type of a node and its settings: of the type under which it was added, while the step's settings can be said so; else those of the step."""
    kind, config = step.get("node"), _config(step)
    told = _spoken_settings(kind, config) if STEP_TYPES.get(str(kind)) == step["type"] else None
    return (step["type"], dict(config)) if told is None else (str(kind), told)


def add_node(
    document: Mapping[str, Any], kind: str, title: str, config: Mapping[str, Any]
) -> tuple[str, list[Change]]:
    """The id of the new step, and the changes that add it. Raises pydantic's ValidationError, ExpressionError."""
    ids = {step["id"] for step in document["steps"]}
    if kind not in CONFIGS:
        step_id = free_id(kind, ids)
        step = {"id": step_id, "type": kind, "title": title, "config": dict(config), "next": {}}
        return step_id, [
            AddStep(step=step, place=None),
            *_beginning(document["steps"], [*document["steps"], step]),
        ]
    given = CONFIGS[kind].model_validate(dict(config))
    step_id = free_id(STEP_TYPES[kind] if STEP_TYPES[kind] != "end" else kind.lower(), ids)
    settings, changes = _settings_in(document, kind, given, next(reversed(_calls(document)), None))
    step = {
        "id": step_id,
        "type": STEP_TYPES[kind],
        "title": title,
        "config": settings,
        "next": {},
        "node": kind,
    }
    changes.append(AddStep(step=step, place=None))
    return step_id, [*changes, *_beginning(document["steps"], [*document["steps"], step])]


def change_node(
    document: Mapping[str, Any],
    step: Mapping[str, Any],
    kind: str,
    title: str | None,
    config: Mapping[str, Any] | None,
) -> list[Change]:
    """The changes that give a node another title, or other settings: those that are left out stay, null takes one away.

    `kind` says whose the settings are: of the type that `node` names, or of the step's. Raises pydantic's ValidationError, ExpressionError.
    """
    changes: list[Change] = [] if title is None else [Set(step=step["id"], field="title", value=title)]
    if config is None:
        return changes
    told = node(step)[1] if kind in CONFIGS else _config(step)
    settings = {name: value for name, value in {**told, **config}.items() if value is not None}
    if kind in CONFIGS:
        given = CONFIGS[kind].model_validate(settings)
        back = {each["id"]: _leading(document, each["id"]) for each in document["steps"]}
        calls = [call for call in _calls(document) if call != step["id"]]
        settings, more = _settings_in(
            document,
            kind,
            given,
            next(iter([*_calls_before(step["id"], back, calls), *reversed(calls)]), None),
        )
        settings |= {name: value for name, value in _config(step).items() if name == "answers"}
        changes += more
    return [*changes, Set(step=step["id"], field="config", value=settings)]


def remove_node(document: Mapping[str, Any], step: str) -> list[Change]:
    """The changes that remove a node as the editor does: what led to it leads to where it went on by `default`, or nowhere."""
    removed = RemoveStep(step=step)
    return [removed, *_beginning(document["steps"], apply(document, removed)["steps"])]


def edges(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(step, outcome, step that follows) of every way, in the order of the steps."""
    return [
        (step["id"], outcome, to)
        for step in document["steps"]
        for outcome, to in step.get("next", {}).items()
    ]


def label_of(step: Mapping[str, Any], outcome: str) -> str | None:
    """The label of an edge. None: every outcome that no other edge of the step is for."""
    if node(step)[0] == "CONDITIONAL":
        return "no" if outcome == "default" else outcome
    return None if outcome == "default" else outcome


def add_edge(
    document: Mapping[str, Any], source: str, target: str, label: str, outcomes: Collection[str] = ()
) -> tuple[str, list[Change]]:
    """The outcome of the new way, and the changes that add it; the steps must be there. `outcomes`: those that the source can have."""
    step = next(each for each in document["steps"] if each["id"] == source)
    outcome = outcome_of(step, plain_label(label), outcomes)
    answers = _calls(document)
    before = {name: list(each) for name, each in answers.items()}
    if source in answers and outcome not in {"default", *ENDS_OF_CALLS, *answers[source]}:
        answers[source].append(outcome)
    former = {
        each["id"]: _leading(document, each["id"]) for each in document["steps"] if each["type"] != "start"
    }
    changes = _heard(document, answers, former, {**former, target: [*former.get(target, ()), source]})
    changes += [
        Set(step=name, field=["config", "answers"], value=given)
        for name, given in answers.items()
        if given != before[name]
    ]
    changes.append(Connect(step=source, outcome=outcome, to=target))
    steps = [
        {**each, "next": {**each.get("next", {}), outcome: target}} if each is step else each
        for each in document["steps"]
    ]
    return outcome, [*changes, *_beginning(document["steps"], steps)]


def remove_edge(document: Mapping[str, Any], source: str, outcome: str) -> list[Change]:
    """The changes that remove a way."""
    removed = Disconnect(step=source, outcome=outcome)
    after = apply(document, removed)["steps"]
    start = next((step["id"] for step in after if step["type"] == "start"), None)
    return [removed, *(_beginning(document["steps"], after) if source != start else ())]


def _config(step: Mapping[str, Any]) -> Mapping[str, Any]:
    return step.get("config") or {}


def _calls(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """The calls that an expression can name, with the answers of each."""
    named = [
        step
        for step in document["steps"]
        if step["type"] == "ai_call" and re.fullmatch(NAME_PATTERN, step["id"])
    ]
    return {step["id"]: list(_config(step).get("answers", [])) for step in named}


def _leading(document: Mapping[str, Any], target: str) -> list[str]:
    """The steps from which a way leads to the target."""
    return [each["id"] for each in document["steps"] if target in each.get("next", {}).values()]


def _heard(
    document: Mapping[str, Any],
    answers: dict[str, list[str]],
    former: Mapping[str, list[str]],
    back: Mapping[str, list[str]],
) -> list[Change]:
    """What lets conditions ask the calls that lead to them. Nodes may come before all edges: then a condition was made for the call that came last.

    `former`, `back`: step → the steps that lead to it, before and now. What a condition asks for becomes an answer of its call; what nobody asks for any more goes.
    """
    changes: list[Change] = []
    for step in document["steps"]:
        if step["type"] != "condition" or (
            leading := _calls_before(step["id"], back, answers)
        ) == _calls_before(step["id"], former, answers):
            continue
        for number, branch in enumerate(_config(step).get("branches", [])):
            rule = str(branch.get("if", ""))
            named = next((call for call in _LABEL.findall(rule) if call in answers), None)
            if named == leading[0] or (named is None and "lead.answer" not in rule):
                continue
            text = re.sub(rf"\bsteps\.{named}\.label\b", "lead.answer", rule)
            found = [answer for answer in dict.fromkeys(_ANSWER.findall(text)) if answer not in ENDS_OF_CALLS]
            ways: Mapping[str, str] = next(
                (each.get("next", {}) for each in document["steps"] if each["id"] == named), {}
            )
            if named is not None:
                others = str(
                    [
                        _config(each)
                        for each in document["steps"]
                        if each["type"] == "condition" and each is not step
                    ]
                )
                asked_by_others = {
                    answer
                    for answer in found
                    if re.search(rf"steps\.{named}\.label\s*==\s*\W*{answer}\b", others)
                }
                answers[named] = [
                    answer
                    for answer in answers[named]
                    if answer not in found or answer in {*ways, *asked_by_others}
                ]
            answers[leading[0]] += [answer for answer in found if answer not in answers[leading[0]]]
            changes.append(
                Set(
                    step=step["id"],
                    field=["config", "branches", number, "if"],
                    value=_spoken(text, leading[0]),
                )
            )
    return changes


def _calls_before(step: str, back: Mapping[str, list[str]], calls: Collection[str]) -> list[str]:
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


def outcome_of(step: Mapping[str, Any], label: str, outcomes: Collection[str] = ()) -> str:
    """The outcome that a label means at this step; without a label every other one. Pauses and tags have one way on, whatever it is called."""
    if label in outcomes:
        return label
    if step["type"] == "condition" and {
        each.get("outcome") for each in _config(step).get("branches", [])
    } == {HOLDS}:
        return "default" if label in OTHERWISE else HOLDS
    return (
        "default" if label in ("", "otherwise", "default") or step["type"] in ("wait", "add_tag") else label
    )


def _settings_in(
    document: Mapping[str, Any], kind: str, given: _Config, call: str | None
) -> tuple[dict[str, Any], list[Change]]:
    """The settings of a step that asks this call, and what the start and the call need for them."""
    settings = _settings(kind, given, call)
    asked = (
        _answers(document, call, given.model_dump()["expression"])
        if kind == "CONDITIONAL" and call is not None
        else []
    )
    return settings, [*_input(document, _named(kind, given)), *asked]


def _spoken_settings(kind: Any, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings in the words of the type; None where it has no words for them."""
    call = next(iter(_LABEL.findall(str(config))), None)
    known = {name: value for name, value in config.items() if name != "answers"}
    told: dict[str, Any] = {}
    try:
        match kind:
            case "VOICE_CALL":
                told = {**known, "script": _FILLED.sub(lambda found: _unspoken(found[0]), known["script"])}
                told.pop("to", None)
            case "TIME":
                told = {"duration": _period(known)}
            case "CONDITIONAL":
                told = {"expression": _unspoken(known["branches"][0]["if"])}
            case "APPLICATION":
                told = {
                    "operation": "tag",
                    "tag": _FILLED.sub(lambda found: _unspoken(found[0]), known["tag"]),
                }
        return told if _settings(kind, CONFIGS[kind].model_validate(told), call) == known else None
    except (LookupError, TypeError, ValidationError, ExpressionError):
        return None


def _settings(kind: str, given: _Config, call: str | None) -> dict[str, Any]:
    held = given.model_dump(exclude_none=True, exclude_unset=True)
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


def _unspoken(expression: str) -> str:
    """The expression with `lead` in place of the names of a run."""
    return _LABEL.sub("lead.answer", _INPUT.sub(r"lead.\1", expression))


def _period(settings: Mapping[str, Any]) -> str:
    """Numbers as `P2DT3H`."""
    days, hours, minutes = (
        f"{settings[name]}{unit}" if name in settings else ""
        for name, unit in (("days", "D"), ("hours", "H"), ("minutes", "M"))
    )
    return f"P{days}" + (f"T{hours}{minutes}" if hours or minutes else "")


def _filled(text: str, call: str | None) -> str:
    """A text whose `{{ lead.… }}` take the values of a run."""
    return _FILLED.sub(lambda found: _spoken(found[0], call), text)


def _answers(document: Mapping[str, Any], call: str, expression: str) -> list[Change]:
    """What lets the call give the answers that a condition asks for."""
    known = _config(next(step for step in document["steps"] if step["id"] == call)).get("answers", [])
    answers = [
        answer
        for answer in dict.fromkeys(_ANSWER.findall(expression))
        if answer not in known and answer not in ENDS_OF_CALLS
    ]
    return [Set(step=call, field=["config", "answers"], value=[*known, *answers])] if answers else []


def _named(kind: str, given: _Config) -> list[str]:
    """The values of a lead that the settings of a node name."""
    texts = [text for text in given.model_dump().values() if isinstance(text, str)]
    asked = texts if kind == "CONDITIONAL" else [part for text in texts for part in _FILLED.findall(text)]
    return [
        name
        for text in asked
        for name in _LEAD.findall(text)
        if name != "answer" and re.fullmatch(NAME_PATTERN, name)
    ]


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
    fields += [
        {"name": name, "label": labels[name], "type": LEAD_FIELDS.get(name, "text")} for name in missing
    ]
    return [Set(step=start["id"], field=["config", "fields"], value=fields)] if missing else []


def _beginning(former: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The way from the start to the first node, unless somebody let it lead elsewhere than to the first of the `former` steps."""
    start, first = next((step for step in steps if step["type"] == "start"), None), _first(steps)
    led = start.get("next", {}).get("default") if start is not None else None
    if start is None or first is None or led == first or (led is not None and led != _first(former)):
        return []
    return [Connect(step=start["id"], to=first)]


def _first(steps: Sequence[Mapping[str, Any]]) -> str | None:
    """The first node that leads somewhere, before others one to which nothing leads; an end only where nothing else is there."""
    inner = [step for step in steps if step["type"] != "start"]
    led_to = {to for step in inner for to in (*step.get("next", {}).values(), *begun_by(step))}
    order = sorted(
        inner, key=lambda step: (step["type"] == "end", not step.get("next"), step["id"] in led_to)
    )
    return order[0]["id"] if order else None
