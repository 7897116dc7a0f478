"""What a step will change, when it does several things."""

from console.core import blocks
from tests.core.test_blocks import found, say


def test_several_things_that_a_step_does_are_told_apart() -> None:
    effects = [
        {"summary": "Sets the supplier to active", "fields": [{"name": "status", "label": "Status", "old": "new", "new": "active"}]},
        {"summary": "Adds a task.", "fields": [{"name": "status", "label": "Status", "new": "open"}]},
    ]
    told = blocks.picture({**found({"block": "before_after"}), "ways": [{"effects": effects}]}, say)
    assert [(group["label"], [row["after"] for row in group["rows"]]) for group in told["groups"]] == [
        ("Sets the supplier to active", ["active"]),
        ("Adds a task", ["open"]),
    ]
    told = blocks.picture({**found({"block": "before_after"}), "ways": [{"effects": effects[:1]}]}, say)
    assert [group["label"] for group in told["groups"]] == [None]
