"""Cases to try a proposer on: what was asked, as it was sent, and what the person put in. From ended runs whose prompts are still kept, and to and from a file.

A case holds what a model got, after redaction, and no more: a value that was masked stays a placeholder, and one that would have to be is left out.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from console import records
from console.ai.proposals import field_disclosure, prompts
from console.core.errors import ConsoleError, Invalid
from console.core.forms import is_empty
from console.core.proposal_types import Ask, FieldSpec, Source
from console.core.run.proposal_comparison import OUTCOME
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from console.steps.proposable import form_start

FORMAT = 1
MOST = 2_000
CHOICE_LABEL = "What the step comes to"
_ELEMENT = re.compile(r"<(step|form|instruction|item|now|source)((?: [a-z]+=\"[^\"]*\")*)>(.*)</\1>")
_ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")
_CODE = re.compile(r"c[0-9]+")
_CALLS = """
select c.id, c.at, c.run, c.n, c.workflow, c.step, c.version, c.model, c.prompt_version, c.submitted_outcome, r.collection,
       (select coalesce(jsonb_object_agg(f.name, f.outcome), '{}') from console.ai_field f where f.call = c.id and f.dropped is null and f.outcome is not null)
from console.ai_call c join console.run r on r.id = c.run join console.ai_prompt p on p.call = c.id
where c.label is null and r.label is null and r.ended_at is not null and c.submitted_at is not null and c.submitted_by not like 'sys%%' and c.status in ('ok', 'declined')
  and c.handled_manually is not true and (%(workflow)s::text is null or c.workflow = %(workflow)s) and c.at >= now() - interval '400 days'
order by c.at desc, c.id desc limit %(limit)s
"""
KEPT, OTHER = frozenset({"accepted", "blind_equal"}), frozenset({"edited", "small_edit", "blind_different"})


@dataclass(frozen=True, slots=True)
class Case:
    """`expected` is field → what the person put in (None: left empty); fields of which nothing can be compared are not in it. `outcome` is the choice.

    An attack has `forbidden`: field (or `outcome`) → values of which none may come through, and `obeyed`: answers of models that did what the attack says. `most` is
    how sure a forbidden value may be: it is offered then, and fills nothing.
    """

    id: str
    kind: Literal["recorded", "attack"]
    ask: Ask
    expected: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None
    forbidden: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    obeyed: tuple[str, ...] = ()
    suspicious: bool = False
    most: Literal["high", "medium", "low"] | None = None
    workflow: str = ""
    version: int = 0
    at: datetime | None = None
    provenance: tuple[Mapping[str, Any], ...] = ()
    recorded: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    format: int = FORMAT


FOREIGN = frozenset({"mcp_task"})
"""Types of steps whose form another system wrote."""
_ADAPTER: TypeAdapter[Case] = TypeAdapter(Case)


def recorded(workflow: str | None = None, limit: int = MOST) -> Iterator[Case]:
    """Cases of ended runs, the newest first: of one workflow (its id), or of all. Confidential runs and what is past its time are not among them."""
    for row in fetch(_CALLS, {"workflow": workflow, "limit": limit}):
        if (case := _case(*row)) is not None:
            yield case


def write(cases: Iterable[Case], path: Path) -> int:
    """One case a line, as JSON; how many."""
    count = 0
    with path.open("wb") as file:
        for case in cases:
            file.write(_ADAPTER.dump_json(case) + b"\n")
            count += 1
    return count


def read(path: Path) -> list[Case]:
    """The cases of a file. Raises Invalid, with the number of the line."""
    cases = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            cases.append(_line(line, f"{path.name}, line {number}"))
    return cases


def _line(line: bytes, where: str) -> Case:
    try:
        case = _ADAPTER.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{where} is no case: {place or 'the line'}: {first['msg']}") from None
    if case.format != FORMAT:
        raise Invalid(f"{where} has format {case.format}; this release reads {FORMAT}.")
    return case


def parse_prompt(user: str) -> Ask | None:
    """The ask as it was sent, out of the text of its prompt; None where the text is not of this form."""
    parts: dict[str, Any] = {}
    sources = []
    try:
        for line in user.splitlines():
            if (element := _ELEMENT.fullmatch(line)) is None:
                return None
            kind, attributes, body = (
                element[1],
                dict(_ATTRIBUTE.findall(element[2])),
                orjson.loads(element[3]),
            )
            if kind == "source":
                sources.append(_source(attributes, body))
            else:
                parts[kind] = body
        step, form, now = parts["step"], parts["form"], parts.get("now", {})
    except (orjson.JSONDecodeError, KeyError):
        return None
    choice = form[-1] if form and form[-1]["label"] == CHOICE_LABEL and form[-1]["type"] == "enum" else None
    fields = tuple(_spec(entry, now, step["type"] in FOREIGN) for entry in form if entry is not choice)
    outcomes = tuple((entry["id"], entry["label"]) for entry in choice["choices"]) if choice else ()
    instruction = str(parts.get("instruction", ""))
    return Ask(
        str(step["purpose"]),
        str(step["id"]),
        str(step["title"]),
        str(step["type"]),
        instruction,
        fields,
        outcomes,
        tuple(sources),
        locale=str(step["language"]),
        item=parts.get("item"),
    )


def _source(attributes: Mapping[str, str], data: Any) -> Source:
    title = html.unescape(attributes["title"])
    return Source(
        attributes["id"],
        attributes["kind"],  # type: ignore[arg-type]
        title,
        data if isinstance(data, dict) else {},
        attributes["trusted"] == "true",
    )


def _spec(entry: Mapping[str, Any], now: Mapping[str, Any], foreign: bool) -> FieldSpec:
    return FieldSpec(
        entry["name"],
        entry["label"],
        entry["type"],
        required=bool(entry.get("required")),
        options=tuple((choice["id"], choice["label"]) for choice in entry.get("choices", ())),
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        max_length=entry.get("max_length"),
        help=entry.get("help", ""),
        trusted_only=bool(entry.get("trusted_only")),
        now=now.get(entry["name"]),
        foreign=foreign,
    )


def _case(
    call: str,
    at: datetime,
    run: str,
    n: int,
    workflow: str,
    _step: str,
    version: int,
    model: str | None,
    prompt: str | None,
    outcome: str | None,
    collection: str | None,
    became: Mapping[str, str],
) -> Case | None:
    kept = prompts.read(call)
    ask = parse_prompt(str(kept.get("user", ""))) if kept else None
    if kept is None or ask is None:
        return None
    values, said = _submitted(run, n), _answered(str(kept.get("answer", "")))
    expected = {
        spec.name: value
        for spec in ask.fields
        for value_expected, value in [_expected(spec, became.get(spec.name), said, values, collection)]
        if value_expected
    }
    offered = {value for value, _ in ask.outcomes}
    done = (each for each in offered if any(name.startswith(form_start(each)) for name in values))
    choice = (
        outcome if outcome in offered else next(done, None)
    )  # of several actions the one whose form was handed in
    if not expected and choice is None:
        return None
    provenance = tuple(
        {
            name: entry.get(name)
            for name in (
                "id",
                "kind",
                "collection",
                "step",
                "document",
                "page",
                "trusted",
                "fields",
                "read_at",
            )
        }
        for entry in kept.get("sources", ())
    )
    data = {"model": model, "prompt_version": prompt, "became": dict(became)}
    return Case(
        call,
        "recorded",
        ask,
        expected,
        choice,
        workflow=workflow,
        version=version,
        at=at,
        provenance=provenance,
        recorded=data,
    )


def _submitted(run: str, n: int) -> Mapping[str, Any]:
    """The values that the person submitted at this attempt; empty if erased."""
    loaded = load(run, whole=True)
    attempt = loaded.run.attempts.get(n) if loaded is not None else None
    return attempt.values if attempt is not None else {}


def _answered(text: str) -> dict[str, Any]:
    """Field → value as the model wrote it, with placeholders."""
    try:
        answer = orjson.loads(text)
        return {item["name"]: item["value"] for item in answer["fields"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}


def _expected(
    spec: FieldSpec,
    became: str | None,
    answer_given: Mapping[str, Any],
    values: Mapping[str, Any],
    collection: str | None,
) -> tuple[bool, Any]:
    """(whether it can be compared, what the person put in)."""
    if became in KEPT and spec.name in answer_given:
        return True, answer_given[spec.name]
    if became == "cleared":
        return True, None
    if became == "ignored" or spec.name not in values or not _open(spec, collection):
        return False, None
    value = values[spec.name]
    return (became in OTHER or not is_empty(value)), None if is_empty(value) else value


def _open(spec: FieldSpec, collection: str | None) -> bool:
    """Whether a model would have got the value as it is: only then it may stand in a case."""
    if spec.options and all(_CODE.fullmatch(value) for value, _ in spec.options):
        return False
    if field_disclosure.of_typed(spec.name, spec.type) != "full":
        return False
    try:
        return (
            collection is None
            or records.collection(collection).field(spec.name) is None
            or field_disclosure.of_field(records.collection(collection), spec.name) == "full"
        )
    except ConsoleError:
        return False


__all__ = ["OUTCOME", "Case", "parse_prompt", "read", "recorded", "write"]
