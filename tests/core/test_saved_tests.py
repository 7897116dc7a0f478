"""Tests that are kept with a workflow: their shape, what is wrong with them, and the same bytes again."""

from typing import Any

from console import steps
from console.core import drafting
from console.core.documents.workflow import read
from console.core.documents.workflow_check import check
from console.core.drafting import RenameStep, apply
from tests.company import DOCUMENT

KEPT: dict[str, Any] = {
    "name": "High is approved",
    "record": "1",
    "input": {"why": "periodic"},
    "answers": {
        "decide": [{"outcome": "again"}, {"values": {"b": None, "a": "1"}, "outcome": "approve"}],
        "rate": {"values": {"risk": "high"}},
    },
    "effects": {"rate": "succeeded"},
    "expect": {
        "path": ["start", "rate", "other/ask"],
        "outcome": "Approved",
        "effects": ["rate", {"step": "rate", "summary": "Update risk"}],
    },
}


def with_tests(*tests: Any) -> dict[str, Any]:
    return {**DOCUMENT, "tests": list(tests)}


def test_a_kept_test_is_read_written_and_ordered_as_the_same_bytes() -> None:
    made = read(with_tests(KEPT))
    again = made.canonical()
    assert read(again).canonical() == again
    assert drafting.written(made.to_json()) == again
    told = made.to_json()["tests"][0]
    assert told["effects"] == {"rate": {"outcome": "succeeded"}}
    assert list(told["answers"]["decide"][1]) == ["values", "outcome"]
    assert told["answers"]["decide"][1]["values"] == {"a": "1", "b": None}
    assert told["expect"]["effects"] == [{"step": "rate"}, {"step": "rate", "summary": "Update risk"}]
    assert "tests" not in read(DOCUMENT).to_json()
    assert read(with_tests({"name": "Nothing leaves", "expect": {"effects": []}})).to_json()["tests"] == [
        {"name": "Nothing leaves", "expect": {"effects": []}}
    ]


def test_what_is_wrong_with_a_kept_test_is_said_at_its_place() -> None:
    wrong = with_tests(
        KEPT | {"answers": {"gone": {}}, "expect": {"path": ["lost"]}},
        {
            "name": "High is approved",
            "answers": {"rate": {"value": 1}},
            "effects": {"rate": [{"outcome": "perhaps"}]},
        },
    )
    found = {(each.field, each.severity) for each in check(wrong, steps.all_types())}
    assert found >= {
        ("tests[0].answers.gone", "warning"),
        ("tests[0].expect.path[0]", "warning"),
        ("tests[1].name", "error"),
        ("tests[1].answers.rate.value", "error"),
        ("tests[1].effects.rate[0].outcome", "error"),
    }
    nothing = with_tests(KEPT) | {"collection": None}
    assert "tests[0].record" in {each.field for each in check(nothing, steps.all_types())}


def test_a_step_with_another_id_is_renamed_in_the_tests() -> None:
    after = apply(with_tests(KEPT), RenameStep(step="rate", id="assess"))["tests"][0]
    assert {"decide", "assess"} == after["answers"].keys()
    assert (after["expect"]["path"][1], after["effects"]) == ("assess", {"assess": "succeeded"})
