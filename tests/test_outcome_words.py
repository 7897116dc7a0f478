"""What came of a step is read by the label that its workflow gives it: in the sentences of events, on pictures and in journals."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import diagrams, sentences, steps
from console.core import outcome_words
from console.core.documents.workflow import read
from console.log import event_view
from console.sentences import Names
from console.steps.base import StepType
from console.views.run import step_values

WORKFLOWS = sorted((Path(__file__).parents[1] / "workflows").glob("*.json"))
UNSAID = ("default", "unchanged", "succeeded")
"""Outcomes that say nothing beside what was done."""


def outcomes_of(step: dict[str, Any]) -> Iterator[str]:
    kind: StepType = steps.get(step["type"])
    config = kind.Config.model_validate(step.get("config") or {})
    yield from dict.fromkeys((*(step.get("next") or {}), *kind.outcomes(config), *kind.rare_outcomes(config), *outcome_words.labels(step)))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_outcome_of_a_shipped_workflow_is_told_by_its_code(path: Path) -> None:
    """Every outcome of every step, wherever people read it: never the code where there is a label, never one with underscores."""
    content = path.read_bytes()
    document = read(content)
    found = event_view._steps(content)  # what the log keeps of a published version
    names = Names(
        steps={("w", 1, each): str(step["title"]) for each, step in found.items()},
        offers={("w", 1, each): step for each, step in found.items()},
    )
    nodes = {node.id: node for node in diagrams.picture_of(document, {}).nodes}
    for step in json.loads(content)["steps"]:
        titled = step["title"]
        for outcome in outcomes_of(step):
            label = outcome_words.labels(step).get(outcome)
            named = outcome_words.words(step, outcome)
            place = (path.stem, step["id"], outcome)
            assert "_" not in named, place
            assert label in (None, named), place
            way = next((way for way in nodes[step["id"]].ways if way.outcome == outcome), None)
            assert way is None or way.label in ("", named), place
            if outcome in UNSAID:
                continue
            assert step_values.outcomes_in_words(document.step(step["id"])).get(outcome, named) == named, place
            for kind in ("step_completed", "step_submitted", "event_arrived", "outcome_chosen"):
                body = {"type": kind, "wf": {"id": "w", "version": 1}, "step": {"id": step["id"], "attempt": 1}, "actor": {"kind": "user", "id": "u"}, "data": {"open": {"outcome": outcome}, "sealed": {}}}  # fmt: skip
                told = sentences.sentence(body, names)
                after = told.partition(sentences.plain(titled))[2] + told.partition(sentences.plain(titled))[0]
                assert "_" not in after, (place, told)
                assert label is None or sentences.plain(label) in after, (place, told)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_shipped_workflow_compares_with_null_what_may_not_be_there_at_all(path: Path) -> None:
    """What a step has not left is unknown, which `== null` is not: what stands there for the missing value would never be shown."""
    told = path.read_text("utf-8")
    inside = re.findall(r"steps\.\w+\.(?:(?:results|document)\.[\w.]+|\w+_because) == null", told)
    assert inside == [], "first(…) == null holds for both"
    assert re.findall(r'first\([^()]*, \\"\\"\)', told) == [], "an empty text is nothing that `first` gives"
