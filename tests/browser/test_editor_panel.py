"""The settings of a step at rest: short enough for one look, for every step type and every shipped workflow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import steps, workflows
from console.core import drafting
from console.workflows import Draft
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

SHIPPED = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))
HIGHEST, MOST = 900, 40
MEASURE = """async (ids) => {
    const found = [];
    for (const id of ids) {
        const answer = await fetch(`${document.getElementById('editor').dataset.url}?step=${id}`);
        const panel = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('panel');
        document.getElementById('panel').replaceWith(panel);
        const height = [...panel.children].reduce((sum, one) => Math.max(sum, one.getBoundingClientRect().bottom), 0) - panel.getBoundingClientRect().top;
        found.push([id, Math.round(height), panel.querySelectorAll('input, select, textarea, button, a').length]);
    }
    return found;
}"""
"""[step, height of its settings, number of controls]"""


def drawn(company: Company, document: dict[str, Any]) -> Draft:
    """Return the document as the draft of a new workflow."""
    made = workflows.create(company.mona, str(document.get("title") or "Every type"))
    whole = {**document, "slug": made.slug, "team": "operations"}
    whole.pop("clearance", None)  # else it is hidden from who draws it
    return workflows.edit(company.mona, made.slug, 0, [drafting.SetDocument(value=whole)])


def every_type() -> dict[str, Any]:
    """Return a document with one step of each type, as it is when it is added."""
    return {
        "format": 1,
        "title": "Every type",
        "collection": "customer",
        "steps": [
            {"id": name, "type": name, "title": kind.title} for name, kind in steps.all_types().items()
        ],
    }


def test_the_settings_of_every_step_are_one_look_high(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    screen = screens().enter("mona")
    over = []
    for document in (every_type(), *(json.loads(file.read_bytes()) for file in SHIPPED)):
        draft = drawn(company, document)
        page = screen.go(f"/workflows/{draft.slug}/edit?view=text")
        measured = page.evaluate(MEASURE, [step["id"] for step in draft.document["steps"]])
        over += [(draft.slug, *each) for each in measured if each[1] > HIGHEST or each[2] > MOST]
    assert over == []
