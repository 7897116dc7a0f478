"""The answer to a change holds only what it changed, and put into the page that asked it gives the page as a whole."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from console import workflows
from console.core import drafting
from tests.company import Company
from tests.views.test_thousand_steps import long_one
from tests.views.test_workflow_editor import CARE, changed, fixture_mona, sent

__all__ = ["fixture_mona"]

GUIDANCE = {"id": "told", "type": "guidance", "title": "Told", "config": {"text": "Look."}}
CHANGES: list[dict[str, Any]] = [
    {"op": "set", "step": "s13", "field": "title", "value": "Is it much?"},
    {"op": "add_step", "step": GUIDANCE, "after": "s12", "outcome": "default"},
    {"op": "connect", "step": "s13", "outcome": "yes", "to": "s2"},
    {"op": "disconnect", "step": "s23", "outcome": "default"},
    {"op": "rename_step", "step": "s14", "id": "noted"},
    {"op": "move", "step": "s20", "place": 3},
    {"op": "move", "step": "s5", "at": [40, 80]},
    {"op": "set", "step": "s6", "field": "config", "value": {}},
    {"op": "set", "step": "s7", "field": "description", "value": "Ask Tom."},
    {"op": "remove_step", "step": "s13"},
    {"op": "set_document", "field": "title", "value": "Another title"},
    {"op": "set_document", "field": "groups", "value": [{"title": "All", "steps": ["s1", "s2"]}]},
    {"op": "set_document", "field": "notes", "value": [{"text": "Mind this", "at": [0, 0]}]},
    {"op": "set", "step": "s6", "field": "config", "value": {"values": {"amount": "input.amount"}}},
]
Page = tuple[list[str], dict[str, str], dict[str, str], str]


def read(page: str) -> Page:
    """(order of the steps, lines of the outline, steps of the picture, problems) that a page or an answer holds."""
    order = re.search(r"data-order='([^']*)'", page)
    found = re.findall(r'<li class="(depth-\d)" data-step="([^"]+)">(.*?)</li>', page, re.DOTALL)
    lines = {step: depth + re.sub(r'\s*aria-current="true"', "", line) for depth, step, line in found}
    picture = dict(re.findall(r'<div data-step="([^"]+)"(.*?)</div>', page, re.DOTALL))
    problems = re.search(r'data-told="(\d+)"', page)
    return (json.loads(order[1]) if order else [], lines, picture, problems[1] if problems else "")


def put_in(shown: Page, answer: str) -> Page:
    """The page after the answer was put into it, as the script of the page does it."""
    order, lines, picture, problems = read(answer)
    if "data-since=" not in answer:
        return order, lines, picture, problems
    kept = order or shown[0]
    outline, drawn = (
        {step: (old | new)[step] for step in kept} for old, new in ((shown[1], lines), (shown[2], picture))
    )
    return kept, outline, drawn, problems or shown[3]


def marks(page: Page) -> str:
    """The marks on the lines, as the page tells them."""
    found = {step: re.search(r'class="mark (\w+)"', line) for step, line in page[1].items()}
    return json.dumps({step: mark[1] for step, mark in found.items() if mark})


@pytest.fixture(name="long")
def fixture_long(company: Company, mona: FlaskClient) -> FlaskClient:
    """The browser before a draft of forty steps."""
    workflows.edit(company.mona, "care-review", 0, [drafting.SetDocument(value=long_one(40))])
    return mona


@pytest.mark.slow
def test_a_page_put_together_from_answers_is_the_page_as_a_whole(long: FlaskClient) -> None:
    shown = read(long.get(f"{CARE}/edit").text)
    revision = 1
    acts: list[dict[str, Any] | str] = [*CHANGES, *["undo"] * 6, "redo", "redo"]
    for change in acts:
        told = {"shown": revision, "marks": marks(shown), "told": shown[3]}
        if isinstance(change, str):
            answer = sent(long, f"{CARE}/edit", do=change, revision=revision, **told)
        else:
            answer = changed(long, revision, change, **told)
        assert answer.status_code == 200, change
        revision += 1
        shown = put_in(shown, answer.text)
        assert shown == read(long.get(f"{CARE}/edit").text), change


def test_what_another_editor_changed_meanwhile_is_in_the_answer_too(long: FlaskClient) -> None:
    told = {"shown": 1, "marks": "{}", "told": "0"}
    changed(long, 1, CHANGES[0])
    _, lines, _, _ = read(changed(long, 1, CHANGES[8], **told).text)
    assert set(lines) == {"s13", "s7"}
