"""A value that breaks a rule of its own step is never filled in, in whatever kind of step the rule stands and however sure the proposer is."""

import json
from typing import Any

import pytest

from console import runs, workflows
from tests.ai.proposals import hostile
from tests.ai.proposals.conftest import House
from tests.support.acting import imported

pytestmark = pytest.mark.slow

LIMIT = 5


def rule(severity: str, name: str) -> dict[str, Any]:
    return {"if": f"{name} < {LIMIT}", "message": "The sum that we made is lower.", "severity": severity}


def level(severity: str, root: str) -> dict[str, Any]:
    return {"name": "level", "label": "Level", "type": "decimal", "must": [rule(severity, f"{root}.level")]}


ACTION: dict[str, Any] = {
    "format": 1,
    "id": "customer.rate",
    "title": "Rate",
    "collection": "customer",
    "form": [level("explain", "input")],
    "effects": [
        {
            "name": "noted",
            "summary": "Notes it",
            "kind": "sql_write",
            "set": {"display_name": "record.display_name"},
        }
    ],
}
CHOICES = [{"value": each, "label": each} for each in ("a", "b")]
STEPS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a form that asks for a sentence": ("update_data", {"form": [level("explain", "steps.judge")]}, "level"),
    "a form that refuses": ("update_data", {"form": [level("refuse", "steps.judge")]}, "level"),
    "a field of the record": (
        "update_data",
        {"fields": ["risk"], "must": [{"field": "risk", **rule("explain", "record.balance")}]},
        "risk",
    ),
    "an action": ("trigger_action", {"action": "customer.rate"}, "level"),
    "an item of a list": (
        "loop",
        {"items": {"relation": "account", "fields": ["iban"]}, "form": [level("explain", "item")]},
        "level",
    ),
    "a choice": ("decision", {"form": [level("explain", "steps.judge")], "options": CHOICES}, "level"),
}
VALUES = {"level": "12.50", "risk": "medium"}


@pytest.mark.parametrize("place", STEPS)
def test_a_value_that_breaks_a_rule_of_the_step_is_low_or_left_out(house: House, place: str) -> None:
    """The same value is sure as long as the rule holds: it is the rule that takes the certainty."""
    kind, config, name = STEPS[place]
    found = {}
    for told, limit in (("breaks", LIMIT), ("keeps", 50)):
        written = json.loads(json.dumps([config, ACTION]).replace(f"< {LIMIT}", f"< {limit}"))
        imported(written[1])
        document = workflows.live("triage").document.to_json() | {"slug": f"ruled-{told}"}
        ways = {"a": "end", "b": "end"} if kind == "decision" else {"default": "end"}
        for step in document["steps"]:
            step.update(
                {"type": kind, "config": written[0], "next": ways, "ai": {}} if step["id"] == "judge" else {}
            )
        workflows.import_file(document, publish=True)
        house.model.obey(hostile.answer({name: VALUES[name]}, ["s1", "s2"]))
        run_id = house.at_judge(slug=f"ruled-{told}")
        items = (house.company.told(run_id)["current"].get("progress") or {"items": ()})["items"]
        runs.get(house.company.olivia, run_id, items[0]["key"] if items else None)
        found[told] = [
            each["confidence"] for each in house.proposed(run_id)["fields"] if each["name"] == name
        ]
        runs.abort(house.company.olivia, run_id, revision=None, reason="Enough.")
    assert found["keeps"] in (["high"], ["medium"])
    assert found["breaks"] in ([], ["low"])
