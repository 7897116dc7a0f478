"""A workflow of a thousand steps is opened, changed, checked, tried and published; one more is refused with the number. Shipped documents keep their bytes on every way."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from console import workflows
from console.auth import access
from console.core import drafting
from console.core.documents.workflow import MAX_STEPS, read
from tests.company import Company
from tests.conftest import web_app
from tests.views.test_api_workflows import Program
from tests.views.test_workflow_editor import fixture_mona, post, sent

pytestmark = pytest.mark.slow

__all__ = ["fixture_mona"]

CARE = "/workflows/care-review"
FILES = sorted((Path(__file__).parents[2] / "workflows").glob("*.json"))


@pytest.fixture(name="program")
def fixture_program(company: Company) -> Program:
    """The program of the lead of Operations."""
    return Program(web_app(), company.mona.id)


def long_one(count: int, slug: str = "care-review") -> dict[str, Any]:
    """So many steps, every tenth of which forks."""
    steps: list[dict[str, Any]] = [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {"fields": [{"name": "amount", "label": "Amount", "type": "decimal"}]},
        }
    ]
    for number in range(1, count - 1):
        fork = {"branches": [{"if": "input.amount > 500", "outcome": "yes"}]}
        kind, config = (
            ("condition", fork) if number % 10 == 3 else ("output", {"values": {"amount": "input.amount"}})
        )
        steps.append({"id": f"s{number}", "type": kind, "title": f"Step {number}", "config": config})
    steps.append({"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}})
    for place, step in enumerate(steps[:-1]):
        step["next"] = {"default": steps[place + 1]["id"]} | (
            {"yes": steps[min(place + 4, count - 1)]["id"]} if step["type"] == "condition" else {}
        )
    return {"format": 1, "slug": slug, "title": "Long one", "team": "operations", "steps": steps}


def drawn(company: Company, count: int) -> workflows.Draft:
    """The draft with so many steps."""
    return workflows.edit(company.mona, "care-review", 0, [drafting.SetDocument(value=long_one(count))])


def test_a_thousand_steps_are_opened_changed_tried_and_published(company: Company, mona: FlaskClient) -> None:
    drawn(company, MAX_STEPS)
    page = mona.get(f"{CARE}/edit?step=s13").text
    assert len(re.findall(r'<li class="depth-', page)) == MAX_STEPS
    assert "No problems" in page
    title = json.dumps([{"op": "set", "step": "s13", "field": "title", "value": "Is it much?"}])
    assert (
        "Is it much?" in sent(mona, f"{CARE}/edit", do="change", revision=1, changes=title, step="s13").text
    )
    assert "Is it much?" in mona.get(f"{CARE}/test").text
    assert "What stops it" not in mona.get(f"{CARE}/publish").text
    published = workflows.publish_draft(company.mona, "care-review", note="All of it")
    assert len(workflows.live("care-review").document.steps) == MAX_STEPS
    assert published is not None
    assert mona.get(CARE).status_code == 200


def test_one_step_more_is_kept_and_refused_with_the_number(company: Company, mona: FlaskClient) -> None:
    drawn(company, MAX_STEPS + 1)
    words = f"“Steps” has too many entries: {MAX_STEPS + 1:,}, at most {MAX_STEPS:,}."
    assert words in mona.get(f"{CARE}/edit").text
    assert words in mona.get(f"{CARE}/publish").text
    refused = post(mona, f"{CARE}/publish", note="All of it", revision=1)
    assert refused.status_code in (409, 422)
    assert f"{MAX_STEPS + 1:,}" in refused.text
    assert len(workflows.live("care-review").document.steps) < MAX_STEPS
    removed = json.dumps([{"op": "remove_step", "step": "s1"}])
    assert "too many entries" not in sent(mona, f"{CARE}/edit", do="change", revision=1, changes=removed).text


def test_every_shipped_document_keeps_its_bytes_by_program_and_as_text(
    company: Company, mona: FlaskClient, program: Program
) -> None:
    assert company.people
    access.grant(
        "operations_lead", "label:confidential", ["see"]
    )  # one of them is hidden from who is not cleared, as soon as it is read anew
    access.refresh()
    for file in FILES:
        canonical = read(file.read_bytes()).canonical()
        slug = program("POST", "/workflows", {"title": f"Kept {file.stem}"}, 201)["slug"]
        document = {**json.loads(canonical), "slug": slug, "team": "operations"}
        wanted = drafting.written(document)
        told = program(
            "PATCH",
            f"/workflows/{slug}/draft",
            {"revision": 0, "changes": [{"op": "set_document", "value": document}]},
        )
        assert drafting.written(told["document"]) == wanted, file.name
        assert drafting.written(program("GET", f"/workflows/{slug}/draft")["document"]) == wanted, file.name
        page = mona.get(f"/workflows/{slug}/edit?view=text").text
        found = re.search(r'<textarea[^>]*id="text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
        assert found, file.name
        text = html.unescape(found[1]).removeprefix("\n")
        assert text.encode() == wanted, file.name
        sent(
            mona,
            f"/workflows/{slug}/edit",
            do="text",
            revision=told["revision"],
            text=text,
            since=text,
            view="text",
        )
        assert program("GET", f"/workflows/{slug}/draft")["revision"] == told["revision"], (
            "saving what stands there changes nothing"
        )
        assert workflows.export(slug) == wanted, file.name


def test_every_shipped_document_comes_back_from_its_history_byte_for_byte(company: Company) -> None:
    for file in FILES:
        document = {
            **json.loads(read(file.read_bytes()).canonical()),
            "slug": "care-review",
            "team": "operations",
        }
        revision = workflows.open_draft(company.mona, "care-review").revision
        there = workflows.edit(company.mona, "care-review", revision, [drafting.SetDocument(value=document)])
        wanted = drafting.written(there.document)
        named = next(step["id"] for step in there.document["steps"] if step["type"] != "start")
        changes = [
            {"op": "rename_step", "step": named, "id": "quite_another"},
            {"op": "add_step", "step": {"type": "guidance"}, "after": "quite_another"},
            {"op": "set_document", "field": "notes", "value": [{"text": "Look.", "at": [0, 0]}]},
        ]
        workflows.edit(company.mona, "care-review", there.revision, drafting.read_changes(changes))
        assert drafting.written(workflows.undo(company.mona, "care-review").document) == wanted, file.name
        assert drafting.written(workflows.draft_at(company.mona, "care-review", there.revision)) == wanted, (
            file.name
        )
