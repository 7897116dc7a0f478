"""Everything that can be wrong with a workflow document, and that all of it is said at once."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console import steps
from console.core.documents import workflow_check
from console.core.documents.workflow import MAX_BYTES, read
from console.core.documents.workflow_check import Problem
from tests.tables import cases

FILES = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))

GOOD: dict[str, Any] = {
    "format": 1,
    "slug": "order-check",
    "title": "Order check",
    "collection": "order",
    "segments": ["open"],
    "variables": {"limit": 100},
    "steps": [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {"fields": [{"name": "why", "label": "Why", "type": "text"}]},
            "next": {"default": "load"},
        },
        {
            "id": "load",
            "type": "get_data",
            "title": "Load",
            "config": {
                "fields": ["amount", "state"],
                "related": [
                    {
                        "name": "lines",
                        "relation": "line",
                        "fields": ["title"],
                        "where": "record.price > 0",
                        "sort": "-price",
                    }
                ],
                "text": "{{ record.state }} {{ input.why }}",
            },
            "next": {"default": "fix"},
        },
        {
            "id": "fix",
            "type": "update_data",
            "title": "Fix",
            "config": {
                "fields": ["state"],
                "form": [
                    {
                        "name": "note",
                        "label": "Note",
                        "type": "long_text",
                        "required_if": 'steps.fix.state == "bad"',
                    }
                ],
            },
            "next": {"default": "large"},
        },
        {
            "id": "large",
            "type": "condition",
            "title": "Large?",
            "config": {
                "branches": [{"if": "steps.load.record.amount > variables.limit", "outcome": "large"}]
            },
            "next": {"large": "ask", "default": "done"},
        },
        {
            "id": "ask",
            "type": "decision",
            "title": "Ask",
            "config": {"options": [{"value": "yes", "label": "Yes"}, {"value": "again", "label": "Again"}]},
            "next": {"yes": "done", "again": "back"},
        },
        {"id": "back", "type": "go_to", "title": "Back", "next": {"default": "fix"}},
        {"id": "done", "type": "end", "title": "Done"},
    ],
}


@dataclass
class Column:
    name: str
    readonly: bool = False
    governed: tuple[str, ...] = ()


@dataclass
class Link:
    name: str
    collection: str


@dataclass
class Part:
    id: str


@dataclass
class Table:
    label: str
    fields: list[Column]
    relations: list[Link] = field(default_factory=list)
    segments: list[Part] = field(default_factory=list)


COLLECTIONS = {
    "order": Table(
        "Orders",
        [Column("amount"), Column("state"), Column("made_at", readonly=True)],
        [Link("line", "order_line")],
        [Part("open")],
    ),
    "order_line": Table("Lines", [Column("title"), Column("price")]),
}


def check(document: Any, collections: Any = None) -> list[Problem]:
    return workflow_check.check(document, steps.all_types(), collections)


def changed(change: Callable[[dict[str, dict[str, Any]], dict[str, Any]], Any]) -> dict[str, Any]:
    """The good document after a change; the function gets its steps by id, and the document."""
    made = copy.deepcopy(GOOD)
    change({step["id"]: step for step in made["steps"]}, made)
    return made


def said(problems: list[Problem]) -> list[tuple[str | None, str]]:
    return [(problem.step, problem.field) for problem in problems]


def test_a_good_document_has_no_problem() -> None:
    assert check(GOOD) == []
    assert check(json.dumps(GOOD).encode(), COLLECTIONS) == []
    assert read(GOOD).start.id == "start"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_workflow_has_no_problem(file: Path) -> None:
    assert check(file.read_bytes()) == []


@cases(
    ("text", "reason"),
    [
        (b"", "no JSON: Expecting value in line 1, column 1"),
        (b'{"format": 1,\n "slug" "x"}', "line 2, column 9"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[1, 2]", "one object"),
        (b'"text"', "one object"),
        (b'{"format": NaN}', "NaN is no number"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b" " * (MAX_BYTES + 1), f"at most {MAX_BYTES}"),
        (b"1" * 5000, "no JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_why(text: bytes, reason: str) -> None:
    (problem,) = check(text)
    assert reason in problem.reason
    assert (problem.step, problem.field, problem.severity) == (None, "", "error")


def test_a_byte_order_mark_is_no_problem_and_a_key_that_stands_twice_is() -> None:
    assert check(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()) == []
    twice = json.dumps(GOOD).replace('"title": "Order check"', '"title": "One", "title": "Two"').encode()
    (problem,) = check(twice)
    assert "title stands twice" in problem.reason


CASES: dict[str, tuple[Callable[[dict[str, Any], dict[str, Any]], Any], str | None, str, str]] = {
    "no format": (lambda s, d: d.pop("format"), None, "format", "missing"),
    "newer format": (lambda s, d: d.update(format=7), None, "format", "use a newer release"),
    "no title": (lambda s, d: d.update(title=""), None, "title", "may not be empty"),
    "slug": (lambda s, d: d.update(slug="Order_Check"), None, "slug", "small letters, digits and hyphens"),
    "unknown key": (lambda s, d: d.update(titel="x"), None, "titel", "is title meant?"),
    "unknown setting": (
        lambda s, d: d.update(settings={"visit_limits": 3}),
        None,
        "settings.visit_limits",
        "is visit_limit meant?",
    ),
    "setting too low": (
        lambda s, d: d.update(settings={"visit_limit": 0}),
        None,
        "settings.visit_limit",
        "at least 1",
    ),
    "wrong literal": (
        lambda s, d: d.update(settings={"on_error": "cry"}),
        None,
        "settings.on_error",
        "'ask', 'fail'",
    ),
    "steps no list": (lambda s, d: d.update(steps={}), None, "steps", "must be a list"),
    "step no object": (lambda s, d: d["steps"].append("x"), None, "steps[7]", "must be an object"),
    "step without id": (lambda s, d: s["done"].pop("id"), None, "steps[6].id", "missing"),
    "step id": (lambda s, d: s["back"].update(id="Back"), None, "steps[5].id", "a small letter first"),
    "unknown step key": (lambda s, d: s["fix"].update(nxt={}), "fix", "nxt", "is next meant?"),
    "unknown type": (
        lambda s, d: s["fix"].update(type="fix_data"),
        "fix",
        "type",
        "There is no step type fix_data",
    ),
    "unknown config": (
        lambda s, d: s["fix"]["config"].update(filds=[]),
        "fix",
        "config.filds",
        "is fields meant?",
    ),
    "unknown key deep inside": (
        lambda s, d: s["load"]["config"]["related"][0].update(frm="x"),
        "load",
        "config.related[0].frm",
        "There is no setting frm here",
    ),
    "config of a wrong type": (
        lambda s, d: s["load"]["config"].update(fields="amount"),
        "load",
        "config.fields",
        "must be a list",
    ),
    "decimal as number": (
        lambda s, d: d["variables"].update(rate=0.5),
        None,
        "variables.rate",
        'written as text: "0.5"',
    ),
    "huge number": (lambda s, d: d["variables"].update(rate=2**60), None, "variables.rate", "too large"),
    "NUL": (lambda s, d: s["fix"].update(title="a\x00"), "fix", "title", "cannot be stored"),
    "half a character": (
        lambda s, d: d["variables"].update(x="\ud800"),
        None,
        "variables.x",
        "cannot be stored",
    ),
    "duplicate id": (
        lambda s, d: s["back"].update(id="fix"),
        "fix",
        "id",
        "Two steps have the id fix: numbers 3 and 6",
    ),
    "reserved id": (
        lambda s, d: (
            s["done"].update(id="record"),
            s["large"]["next"].update(default="record"),
            s["ask"]["next"].update(yes="record"),
        ),
        "record",
        "id",
        "word of the expression language",
    ),
    "reserved field": (
        lambda s, d: s["fix"]["config"]["form"].append({"name": "missing", "label": "M"}),
        "fix",
        "config",
        "No field can be named missing",
    ),
    "no start": (lambda s, d: d["steps"].pop(0), None, "steps", "no step of type start"),
    "two starts": (
        lambda s, d: s["done"].update(type="start", next={"default": "load"}),
        None,
        "steps",
        "There are 2 steps of type start (start, done)",
    ),
    "no end": (
        lambda s, d: (
            d["steps"].pop(),
            s["large"]["next"].update(default="ask"),
            s["ask"]["next"].update(yes="back"),
        ),
        None,
        "steps",
        "no step of type end",
    ),
    "end not reached": (
        lambda s, d: (s["large"]["next"].update(default="ask"), s["ask"]["next"].update(yes="back")),
        None,
        "steps",
        "No end is reached",
    ),
    "unreachable step": (
        lambda s, d: d["steps"].append({"id": "lost", "type": "end", "title": "Lost"}),
        "lost",
        "id",
        "No way leads to this step",
    ),
    "unknown target": (
        lambda s, d: s["fix"]["next"].update(default="nowhere"),
        "fix",
        "next.default",
        "There is no step nowhere",
    ),
    "no way on": (lambda s, d: s["fix"].update(next={}), "fix", "next.updated", "leads nowhere"),
    "one outcome without a branch": (
        lambda s, d: s["ask"]["next"].pop("again"),
        "ask",
        "next.again",
        "The outcome again of ask leads nowhere",
    ),
    "condition without otherwise": (
        lambda s, d: s["large"]["next"].pop("default"),
        "large",
        "next.default",
        "name the step that follows as default",
    ),
    "edge of no outcome": (
        lambda s, d: s["ask"]["next"].update(maybe="done"),
        "ask",
        "next.maybe",
        "it has yes, again",
    ),
    "edge after the end": (
        lambda s, d: s["done"].update(next={"default": "fix"}),
        "done",
        "next.default",
        "Nothing follows a step of type end",
    ),
    "circle without go_to": (
        lambda s, d: s["ask"]["next"].update(again="fix"),
        "ask",
        "next.again",
        "only a Go to step may lead back",
    ),
    "step to itself": (
        lambda s, d: s["fix"]["next"].update(updated="fix"),
        "fix",
        "next.updated",
        "leads to itself",
    ),
    "circle without a person": (
        lambda s, d: (
            s["back"]["next"].update(default="large"),
            s["large"]["next"].update(large="back", default="ask"),
        ),
        "back",
        "next.default",
        "without asking a person",
    ),
    "no way to an end": (
        lambda s, d: (
            d["steps"].append(
                {
                    "id": "trap",
                    "type": "guidance",
                    "title": "T",
                    "config": {"text": "x"},
                    "next": {"default": "trap_back"},
                }
            ),
            d["steps"].append(
                {"id": "trap_back", "type": "go_to", "title": "B", "next": {"default": "trap"}}
            ),
            s["ask"]["next"].update(again="trap"),
        ),
        "trap",
        "next",
        "never completes",
    ),
    "group": (
        lambda s, d: d.update(groups=[{"title": "G", "steps": ["fix", "fox"]}]),
        None,
        "groups[0].steps[1]",
        "There is no step fox",
    ),
    "bad expression": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": "1 +"}),
        "large",
        "config.branches[0].if",
        "(at character 4)",
    ),
    "unknown function": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": 'exec("x")'}),
        "large",
        "config.branches[0].if",
        "There is no function 'exec'",
    ),
    "bad template": (
        lambda s, d: s["load"]["config"].update(text="Hello {{ record.state"),
        "load",
        "config.text",
        "never closed",
    ),
    "bad expression in a template": (
        lambda s, d: s["load"]["config"].update(text="Hello {{ record. }}"),
        "load",
        "config.text",
        "(at character",
    ),
    "unknown step in an expression": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": "steps.lod.x == 1"}),
        "large",
        "config.branches[0].if",
        "There is no step lod: is load meant?",
    ),
    "later step in an expression": (
        lambda s, d: s["load"]["config"].update(text="{{ steps.large.branch }} {{ steps.done }}"),
        "load",
        "config.text",
        "does not come before this one",
    ),
    "own values where there are none": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": 'steps.done.x == "y"'}),
        "large",
        "config.branches[0].if",
        "does not come before",
    ),
    "what the step does not give": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": "steps.fix.notes == null"}),
        "large",
        "config.branches[0].if",
        "gives no notes: is note meant?",
    ),
    "column that was not read": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": "steps.load.record.amont > 1"}),
        "large",
        "config.branches[0].if",
        "reads no record.amont: is amount meant?",
    ),
    "unknown variable": (
        lambda s, d: s["large"]["config"]["branches"][0].update({"if": "variables.limits > 1"}),
        "large",
        "config.branches[0].if",
        "no variable limits: is limit meant?",
    ),
    "unknown input": (
        lambda s, d: s["load"]["config"].update(text="{{ input.wy }}"),
        "load",
        "config.text",
        "asks for no wy: is why meant?",
    ),
    "unknown property of the user": (
        lambda s, d: s["load"]["config"].update(text="{{ $currentUser.role }}"),
        "load",
        "config.text",
        "has no role: is roles meant?",
    ),
    "item outside a loop": (
        lambda s, d: s["load"]["config"].update(text="{{ item.id }}"),
        "load",
        "config.text",
        "only in loops",
    ),
    "unknown root": (
        lambda s, d: s["load"]["config"].update(text="{{ workflow.id }}"),
        "load",
        "config.text",
        "workflow",
    ),
    "record without a collection": (
        lambda s, d: d.update(collection=None),
        "load",
        "config.text",
        "no collection, so there is no record",
    ),
}


@cases("name", CASES)
def test_a_thing_that_is_wrong_is_named_with_its_place(name: str) -> None:
    change, step, place, reason = CASES[name]
    problems = check(changed(change))
    assert (step, place) in said(problems), problems
    assert any(
        reason in problem.reason for problem in problems if (problem.step, problem.field) == (step, place)
    ), problems
    assert all(problem.severity == "error" for problem in problems)


@cases(
    ("change", "step", "place", "reason"),
    [
        (lambda s, d: d.update(collection="orders"), None, "collection", "There is no collection orders"),
        (
            lambda s, d: s["load"]["config"]["fields"].append("amout"),
            "load",
            "config.fields[2]",
            "Orders has no field amout: is amount meant?",
        ),
        (
            lambda s, d: s["load"]["config"]["related"][0].update(relation="lines"),
            "load",
            "config.related[0].relation",
            "no relation lines: is line meant?",
        ),
        (
            lambda s, d: s["load"]["config"]["related"][0].update(fields=["titel"]),
            "load",
            "config.related[0].fields[0]",
            "Lines has no field titel",
        ),
        (
            lambda s, d: s["load"]["config"]["related"][0].update(sort="-prize"),
            "load",
            "config.related[0].sort",
            "Lines has no field prize",
        ),
        (
            lambda s, d: s["load"]["config"]["related"][0].update(where="record.amount > 1"),
            "load",
            "config.related[0].where",
            "Lines has no field amount",
        ),
        (
            lambda s, d: s["load"]["config"].update(text="{{ record.stat }}"),
            "load",
            "config.text",
            "Orders has no field stat: is state meant?",
        ),
        (lambda s, d: s["fix"]["config"]["fields"].append("made_at"), "fix", "config.fields[1]", "read-only"),
        (
            lambda s, d: s["fix"]["config"].update(set=[{"field": "stat", "value": "1"}]),
            "fix",
            "config.set[0].field",
            "Orders has no field stat",
        ),
    ],
)
def test_names_are_judged_by_the_collections_where_they_are_known(
    change: Callable[..., Any], step: str | None, place: str, reason: str
) -> None:
    made = changed(change)
    problems = check(made, COLLECTIONS)
    assert [(step, place)] == said(problems)
    assert reason in problems[0].reason
    assert check(made) == []


def test_a_segment_that_is_not_there_is_a_warning() -> None:
    (problem,) = check(changed(lambda s, d: d.update(segments=["open", "shut"])), COLLECTIONS)
    assert (problem.field, problem.severity) == ("segments[1]", "warning")
    assert problem.to_json() == {
        "step": None,
        "field": "segments[1]",
        "reason": problem.reason,
        "severity": "warning",
    }


def test_everything_is_named_at_once_the_document_first_then_step_by_step() -> None:
    def spoil(s: dict[str, Any], d: dict[str, Any]) -> None:
        d["colour"] = "red"
        s["load"]["config"]["text"] = "{{ variables.nothing }}"
        s["load"]["config"]["txt"] = "x"
        s["fix"]["next"] = {"default": "nowhere"}
        s["large"]["config"]["branches"][0]["if"] = "1 =="
        s["ask"]["next"].pop("yes")
        s["done"]["type"] = "stop"

    problems = check(changed(spoil))
    found = said(problems)
    for expected in [
        (None, "colour"),
        ("load", "config.text"),
        ("load", "config.txt"),
        ("fix", "next.default"),
        ("large", "config.branches[0].if"),
        ("ask", "next.yes"),
        ("done", "type"),
    ]:
        assert expected in found
    order = [step for step, _ in found if step is not None]
    assert order == sorted(order, key=[step["id"] for step in GOOD["steps"]].index)
    assert found.index((None, "colour")) < found.index(("load", "config.text"))
    assert len(set(problems)) == len(problems)


@given(st.data())
def test_whatever_a_document_looks_like_it_is_judged(data: st.DataObject) -> None:
    """Any value in the place of any other is named or fine, never a crash."""
    made = copy.deepcopy(GOOD)
    junk: st.SearchStrategy[Any] = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.just([])
        | st.just({})
        | st.just([None])
        | st.just({"a": {}})
        | st.floats()
    )
    place: Any = made
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(junk)
        break
    problems = check(made, data.draw(st.sampled_from([None, COLLECTIONS])))
    assert all(problem.reason and problem.reason[-1] in ".?" for problem in problems)
    if not any(problem.severity == "error" for problem in problems):
        assert read(made).canonical()


def test_an_option_without_a_way_of_its_own_is_a_warning_that_names_it() -> None:
    def offers(_: Any, document: dict[str, Any]) -> None:
        ask = next(step for step in document["steps"] if step["id"] == "ask")
        ask["config"]["options"].append({"value": "later", "label": "Not yet"})
        ask["next"]["default"] = "done"

    [problem] = check(changed(offers))
    assert (problem.step, problem.field, problem.severity) == ("ask", "next.later", "warning")
    assert "“Not yet” has no way of its own" in problem.reason

    def all_alike(steps: dict[str, dict[str, Any]], _: Any) -> None:
        steps["ask"]["next"] = {"default": "back"}

    assert not [each for each in check(changed(all_alike)) if each.field.startswith("next.")]
