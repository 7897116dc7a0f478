"""Go to: on to its target, whatever was before."""

from typing import Any

from console import steps
from console.core.documents.workflow import read
from tests.steps.walk import complete, context

SMALLEST: dict[str, Any] = {}
FURTHER: list[dict[str, Any]] = [{"keep_answers": True}]


def test_it_leads_on_by_itself() -> None:
    done = complete("go_to", {}, context())
    assert (done.outcome, done.values, done.output, done.effects, done.ends) == (
        "default",
        {},
        None,
        (),
        None,
    )
    assert steps.get("go_to").automatic


def test_its_target_may_be_an_earlier_step() -> None:
    document = read(
        {
            "format": 1,
            "slug": "round",
            "title": "Round",
            "steps": [
                {
                    "id": "first",
                    "type": "guidance",
                    "title": "First",
                    "config": {"text": "x"},
                    "next": {"default": "back"},
                },
                {"id": "back", "type": "go_to", "title": "Back", "next": {"default": "first"}},
            ],
        }
    )
    assert document.target("back", complete("go_to", {}, context()).outcome) == "first"
