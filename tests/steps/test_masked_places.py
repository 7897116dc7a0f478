"""The workflow of `masked` leaves out no place of any step's settings that takes an expression or a template."""

import typing
from collections.abc import Container, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from console import steps
from console.core import blocks
from console.core.blocks import base
from console.core.documents import document_parts
from console.core.documents.action_document import Action
from console.core.effect_kinds import KINDS, Kind
from console.core.origins import HELP, SAID, SENT, TEXT, Closed, Step, Taken, Text, Version, ways
from console.runs.store.version_origins import _of_action, made_at
from console.steps.items import LIST
from tests.support import masked

TAKES = ("expression", "{{")
MARKS = ("tax_id", "newest", "record.email", "record.status", "item.status", "input.first", "input.code")
"""What stands for a hidden field, in its own place or handed on."""
ELSEWHERE = {
    "wait.duration": "in the place of `until`",
    "create_task.assignee": "names a person",
    "trigger_action.record": "names a record",
    "trigger_action.actions.record": "names a record",
    "sub_workflow.record": "names a record",
    "add_tag.tag": "a tag is told to everybody who sees the record",
    "remove_tag.tag": "a tag is told to everybody who sees the record",
    "loop.set": "what is written to a record is the record's",
    "update_data.set.value.value": "what is written to a record is the record's",
    "load_related.items.entries": "only records can be loaded",
    "loop.items.entries": "the other loop's rows, judged below",
    "mcp_task.result": "made of what the tool answers, which counts as sent there",
    "loop.checks.find": "looks into documents",
    "update_data.checks.find": "looks into documents",
    **{
        f"action.effect.{name}": "counts as sent to another system, whatever the kind: the last tests here"
        for kind in KINDS.values()
        for name in kind.model_fields.keys() - Kind.model_fields.keys()
    },
}
OF_ACTIONS = {"effects", "approval.not", "compensation"}


def takes(model: type[BaseModel], seen: tuple[type, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Names, one in the other, of the settings that take an expression or a template."""
    for name, told in model.model_fields.items():
        inside = [each for each in _models(told.annotation) if each not in seen]
        words = (told.description or "").lower()
        if not inside and (
            _said(told.annotation) or (any(word in words for word in TAKES) and _text(told.annotation))
        ):
            yield ((told.alias or name),)
        for each in inside:
            yield from ((told.alias or name, *rest) for rest in takes(each, (*seen, model)))


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _models(part)]


def _said(annotation: Any) -> bool:
    """Whether it is a sentence that may choose by a condition, whatever its description says."""
    return annotation in (document_parts.Said, document_parts.Help) or any(
        _said(part) for part in typing.get_args(annotation)
    )


def _text(annotation: Any) -> bool:
    return annotation in (str, base.Expr, base.Template) or any(
        _text(part) for part in typing.get_args(annotation)
    )


def filled(value: Any, path: tuple[str, ...]) -> bool:
    """Whether something of the hidden field stands in this place of the settings, in any entry of the lists on the way."""
    if isinstance(value, list):
        return any(filled(each, path) for each in value)
    if not path or isinstance(value, str):
        return any(mark in str(value) for mark in MARKS)
    if (
        isinstance(value, dict)
        and path[0] not in value
        and all(isinstance(each, str | list) for each in value.values())
    ):
        return any(filled(each, path) for each in value.values())  # names of the author's own
    return isinstance(value, dict) and path[0] in value and filled(value[path[0]], path[1:])


def test_every_place_of_every_type_of_step_holds_the_hidden_field() -> None:
    used: dict[str, list[dict[str, Any]]] = {}
    for one in masked.STEPS:
        used.setdefault(one["type"], []).append(one["config"])
    lacking = sorted(
        {
            place
            for name, kind in steps.all_types().items()
            for path in takes(kind.Config)
            if not any(filled(one, path) for one in used.get(name, []))
            and not _told(place := f"{name}.{'.'.join(path)}", ELSEWHERE)
        }
    )
    assert not lacking, (
        f"{', '.join(lacking)}: an expression may show a hidden value there. Give tests/steps/test_<type>.py MASKED,"
        " settings with `record.tax_id` in each such place; the rows of the types that ship stand in STEPS of tests/support/masked.py"
    )
    lacking = [
        path
        for path in map(".".join, takes(Action))
        if not filled(masked.ACTION, tuple(path.split("."))) and not _told(path, OF_ACTIONS)
    ]
    assert not lacking, (
        f"actions: {', '.join(lacking)}: put the hidden field into each, in ACTION of tests/support/masked.py"
    )


@pytest.mark.parametrize(
    ("place", "beside"),
    [
        ("form[0].help", {HELP}),
        ("documents[0].help", {HELP}),
        ("form[0].must[0].message", set()),
        ("must[0].why", set()),
        ("checks[0].said", set()),
        ("options[0].why_not", {TEXT}),
        ("why_not", {TEXT}),
        ("text", {TEXT}),
    ],
)
def test_a_sentence_beside_a_field_is_said_and_no_value_of_the_field(place: str, beside: set[str]) -> None:
    papers = next(one["config"] for one in masked.STEPS if one["type"] == "request_documents")
    config = steps.get("request_documents").Config.model_validate(papers)
    assert made_at(place, config, frozenset({"given"}), template=True) == {SAID, *beside}


def test_what_a_form_asks_of_an_item_is_not_made_of_the_items_fields() -> None:
    item = Step(
        "each",
        (
            Text(frozenset({"status"}), (("item", "verdict"),)),
            Text(frozenset({"said"}), (("item", "number"),)),
        ),
        {LIST: Taken("paper", frozenset({"number", "kind"}))},
        items=LIST,
        declared=frozenset({"verdict"}),
    )
    hidden = Closed(
        Version("c", "each", {"each": item}),
        lambda collection: frozenset({"number"}) if collection == "paper" else frozenset(),
    )
    assert hidden.names("each") == {"said"}


def test_every_place_of_every_kind_of_block_holds_the_hidden_field() -> None:
    lacking = sorted(
        f"{name}.{'.'.join(path)}"
        for name, kind in blocks.KINDS.items()
        for path in takes(kind)
        if not any(filled(one, path) for one in masked.CONTENT if one["block"] == name)
    )
    assert not lacking, (
        f"{', '.join(lacking)}: put the hidden field into each, in CONTENT of tests/support/masked.py"
    )


def test_what_a_setting_of_a_block_takes_is_told_by_its_type_and_said_in_its_description() -> None:
    for kind in blocks.KINDS.values():
        for path, told in _settings(kind):
            said = (told.description or "").lower()
            kinds = {str(part) for part in _parts(told.annotation) if part in (base.Expr, base.Template)}
            assert not kinds or any(word in said for word in TAKES), (
                f"{kind.__name__}.{path}: say what it takes"
            )


def _settings(model: type[BaseModel], seen: tuple[type, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, told in model.model_fields.items():
        yield name, told
        for each in _models(told.annotation):
            if each not in seen:
                yield from ((f"{name}.{path}", inner) for path, inner in _settings(each, (*seen, model)))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _parts(part)


def _told(place: str, of: Container[str]) -> bool:
    parts = place.split(".")
    return any(".".join(parts[:count]) in of for count in range(1, len(parts) + 1))


@pytest.mark.parametrize(
    "part", ["path", "query", "body", "headers", "result", "refused", "look_up", "follow"]
)
def test_what_goes_to_another_system_counts_as_made_of_all_it_is_given(part: str) -> None:
    places = [f"effects[0].{part}", f"effects[0].{part}.a", f"effects[0].{part}[1].value"]
    assert all(_of_action(place, None, template=part in ("path", "refused")) == {SENT} for place in places)  # type: ignore[arg-type]


def test_a_version_hands_on_what_values_are_made_of_in_circles_too() -> None:
    field, other = ("c", "secret"), ("d", "far")
    steps_ = {
        "a": Step("a", (Text(frozenset({"x"}), (("record", "secret"), ("steps", "b", "y"))),)),
        "b": Step(
            "b",
            (Text(frozenset({"y"}), (("steps", "a", "x"), ("record", "owner", "far"))),),
            {"rows": Taken("d", frozenset({"far", "near"}))},
        ),
        "c": Step(
            "c",
            (
                Text(frozenset({SAID}), (("steps", "b", "rows"),)),
                Text(frozenset({"z"}), (("steps", "b", "rows", "near"),)),
            ),
        ),
    }
    version = Version("c", "a", steps_, led={("c", "owner"): "d"})
    assert version.made["a"]["x"] >= {field, other}
    assert version.made["b"]["y"] >= {field, other}
    hidden = Closed(version, lambda collection: frozenset({"secret"}) if collection == "c" else frozenset())
    assert [set(hidden.names(step)) for step in ("a", "b", "c")] == [{"x"}, {"y"}, set()]
    assert hidden.way("steps.b.results.who.secret", "c")
    assert not hidden.way("steps.b.results.who.open", "c")
    far = Closed(version, lambda collection: frozenset({"far"}) if collection == "d" else frozenset())
    assert far.names("c") == {SAID}
    assert not far.says("c")
    assert far.way("steps.b.rows.far", "c")
    assert not far.way("steps.b.rows.near", "c")
    assert far.way("record.owner.far", "c")
    assert not far.way("record.open", "c")


@pytest.mark.parametrize(("name", "open_"), [("secret", False), ("listed_secret", True)])
def test_what_an_answer_calls_like_a_field_is_hidden_with_it_also_where_it_is_looked_up(
    name: str, open_: bool
) -> None:
    found = ways(f'lookup(lookup(steps.act.results.done.compared, item.key), "{name}")')
    version = Version("c", "act", {"act": Step("act"), "say": Step("say", (Text(frozenset({SAID}), found),))})
    assert (
        Closed(version, lambda collection: frozenset({"secret"}) if collection == "c" else frozenset()).says(
            "say"
        )
        is open_
    )
