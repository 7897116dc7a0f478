"""What is handed on to an inbox for some roles arrives at a step that names roles, and who works in that inbox may do it."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WORKFLOWS = [json.loads(path.read_text()) for path in sorted((ROOT / "workflows").glob("*.json"))]
INBOXES = {one["id"]: one for one in json.loads((ROOT / "console" / "demo" / "inboxes.json").read_text())}
BUILT = {"buyer": "operator", "operations_lead": "lead", "procurement_lead": "lead"}


def receiving() -> list[tuple[str, dict[str, Any], dict[str, Any], bool]]:
    """(workflow, inbox, the step that a run stands at when it is taken from there, whether a run comes there in no other way)."""
    return [
        (
            each["slug"],
            INBOXES[step["config"]["inbox"]],
            next(one for one in each["steps"] if one["id"] == target),
            ways == [step["id"]],
        )
        for each in WORKFLOWS
        for step in each["steps"]
        if step["type"] == "escalate"
        for target in step["next"].values()
        for ways in [[one["id"] for one in each["steps"] if target in one["next"].values()]]
    ]


def test_steps_that_receive_a_hold_name_their_roles() -> None:
    assert len(receiving()) >= 5
    for slug, inbox, step, only in receiving():
        if inbox.get("roles") or step["id"] in ("held_work", "dispute_work"):
            assert step.get("roles"), (slug, step["id"])
        if inbox.get("roles"):
            working = [
                role for role in step.get("roles", ()) if {role, BUILT.get(role, role)} & set(inbox["roles"])
            ]
            assert working, (slug, step["id"], "nobody of the inbox", inbox["id"], "may do it")
            assert not only or working == step["roles"], (
                slug,
                step["id"],
                step["roles"],
                "do not all work in",
                inbox["id"],
            )
