"""Whether something is proposed at a step, and what the model is told about it; the rest of `ai` stands in the text of the workflow."""

import json
from collections.abc import Mapping
from typing import Any

from console.steps import StepType
from console.views.editor.step_form import Box

BY_HAND = "Nothing: it is filled in by hand"
PROPOSED = "A model fills in beforehand, or rules do"
MODES = {"off": "As the text says: never asked", "shadow": "As the text says: asked and recorded, not shown"}


def boxes(kind: StepType | None, step: Mapping[str, Any], errors: Mapping[str, str]) -> list[Box]:
    """Return the boxes; none for a step at which nothing can be proposed."""
    if kind is None or not kind.ai:
        return []
    held = step.get("ai")
    settings = held if isinstance(held, Mapping) else {}
    proposed = json.dumps(settings)
    choice = Box(
        "Proposals",
        "choice_of_json",
        '["ai"]',
        "f-ai",
        "" if held is None else proposed,
        error=errors.get("ai", ""),
        options=[("", BY_HAND), (proposed, MODES.get(str(settings.get("mode")), PROPOSED))],
    )
    if held is None:
        return [choice]
    told = str(settings.get("instruction") or "")
    return [choice, Box("What the model is told", "area", '["ai", "instruction"]', "f-ai-instruction", told)]
