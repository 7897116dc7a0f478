"""A picture that is made on the server: nothing in it stands on anything else."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from console.authoring.diagrams import draw, picture_of
from console.core.documents.workflow import read
from tests.browser.test_picture import forked, gone_back, long
from tests.company import DOCUMENT

SHIPPED = Path(__file__).parents[3] / "workflows"


@pytest.mark.parametrize(
    "document", [DOCUMENT, long(60), forked(), gone_back()], ids=lambda each: each["slug"]
)
def test_no_step_stands_on_another_and_no_name_on_a_name(document: dict[str, Any]) -> None:
    picture = picture_of(read(document), {})
    made = draw(picture.nodes, picture.groups)
    boxes = [(each.x, each.y, 252, 60) for each in made.steps]
    boxes += [(each.x - each.width // 2, each.y - 11, each.width, 22) for each in made.lines if each.label]
    assert len(made.steps) == len(document["steps"])
    assert all(
        made.left <= x and x + width <= made.left + made.width and y + height <= made.height
        for x, y, width, height in boxes
    )
    assert [
        (one, two)
        for one, two in combinations(boxes, 2)
        if one[0] < two[0] + two[2]
        and two[0] < one[0] + one[2]
        and one[1] < two[1] + two[3]
        and two[1] < one[1] + one[3]
    ] == []


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.stem)
def test_every_way_of_a_shipped_workflow_is_a_line(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    picture = picture_of(read(document), {})
    made = draw(picture.nodes, picture.groups)
    wanted = {(step["id"], to) for step in document["steps"] for to in (step.get("next") or {}).values()}
    assert wanted <= {(line.source, line.to) for line in made.lines}
