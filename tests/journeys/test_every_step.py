"""Each step of the demo's workflows as each kind of person may see it, with each tab open for two of them, whole and in the parts that htmx asks for.

No page ends in an error, none says what only programs can read, and none weighs more than an ordinary page may; one with several forms may weigh `FORM` more for each below the first.
"""

from typing import Any

import pytest

from console.views.runs.pane import TABS
from tests.journeys.conftest import Demo, Visitor
from tests.journeys.walking import Walk
from tests.plain_words import unreadable
from tests.support.weights import MOST, weight

pytestmark = pytest.mark.slow

STORIES: dict[str, tuple[int, dict[str, Any]]] = {
    "kyc-review": (9, {"reason": "periodic"}),
    "customer-refund": (4, {}),
    "supplier-onboarding": (5, {}),
}
"""Each workflow: how many steps its walk comes to at least, and what its first form asks for."""
READERS = {
    "kyc-review": ("olivia", "mona", "rosa", "stan"),
    "customer-refund": ("olivia", "tom", "mona", "ada"),
    "supplier-onboarding": ("stan", "lena", "petra", "olivia"),
}
FORM = 4_000
PARTS = (
    "picture",
    "replay",
    "replay?at=2&since=1",
    "revise?step=start",
    "abort",
    "leave",
    "escalate",
    "assign",
    "why",
    "checks",
)
"""Pages beside the run's own; at every third step."""


@pytest.mark.parametrize("workflow", STORIES)
def test_every_step_with_every_tab_and_every_reader(demo: Demo, workflow: str) -> None:
    story = [one for one in demo.told["stories"] if one["workflow"] == workflow][-1]
    least, given = STORIES[workflow]
    walk = Walk(demo, story["by"])
    walk.start(workflow, story["collection"], story["record"], given)
    readers = {name: Visitor(demo, name) for name in READERS[workflow]}
    wrong, steps, unread, heavy = list[str](), list[str](), set[str](), list[tuple[str, int]]()
    for run in walk.stands():
        step = (run["current"] or {}).get("step", run["status"])
        if steps and steps[-1] == step:
            continue
        place = f"/runs/{run['id']}"
        asked = [(f"{place}?tab={tab}", {"HX-Request": "true", "HX-Target": "run"}) for tab in TABS]
        asked += [(place, {}), *((f"{place}/{part}", {}) for part in (PARTS if len(steps) % 3 == 0 else ()))]
        for number, (name, visitor) in enumerate(readers.items()):
            for path, headers in asked[(len(steps) + number) % len(readers) :: len(readers)]:
                answer = visitor.get(path, **headers)
                if answer.status >= 500:
                    wrong.append(f"{answer.status} {path} at {step} by {name}")
                elif answer.status == 200:
                    unread |= {
                        f"{what}, at {step} in {path.rpartition('/')[2]}" for what in unreadable(answer.text)
                    }
        steps.append(step)
        for page in (place, f"{place}/replay"):
            forms = readers[story["by"]].read(page).count('<section class="stack part')
            size = weight(readers[story["by"]].read, page)
            heavy += [(f"{page} at {step}", size)] if size > MOST + FORM * max(0, forms - 1) else []
    assert not wrong
    assert not heavy
    assert not unread
    assert len(steps) >= least, (steps, walk.refused)
