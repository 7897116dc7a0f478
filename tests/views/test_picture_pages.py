"""Pages of workflows: the list, one with its steps, rules and versions, and the picture of a run, on which nothing can act."""

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from console import runs, workflows
from console.auth import access
from console.core import drafting
from tests.company import DOCUMENT

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy


def document(**more: Any) -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT) | more


def steps_of(page: "Page") -> list[dict[str, str]]:
    """The attributes of each step of the list, in their order."""
    return [told for tag, told in page.attributes if tag == "li" and "data-step" in told]


def test_versions_and_the_draft_have_addresses(pages: "Pages") -> None:
    for number in range(2, 12):
        workflows.import_file(document(title=f"Care {number}"), publish=True)
    workflows.import_file(document(title="Care 12"))
    page = pages.olivia.get("/workflows/care-review")
    assert page.headings[0] == ("h1", "Care 11")
    assert "Version 11" in page.text
    assert "The draft has changes" not in page.text
    old = pages.olivia.get("/workflows/care-review?version=1")
    assert "This is version 1, an earlier one" in old.text
    assert old.headings[0] == ("h1", "Care review")
    mona = pages.mona.get("/workflows/care-review")
    assert "The draft has changes that are not published" in mona.text
    assert pages.mona.get("/workflows/care-review?version=draft").headings[0] == ("h1", "Care 12")
    for version in ("draft", "99", "x", ""):
        pages.olivia.get(f"/workflows/care-review?version={version}", status=404)


def test_an_unfinished_draft_and_steps_of_a_later_release_are_drawn(pages: "Pages") -> None:
    mona = pages.company.mona
    made = workflows.create(mona, "Of later", team="operations")
    steps: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "beam"}},
        {
            "id": "beam",
            "type": "hologram",
            "title": "A step of later",
            "config": {"beam": [1]},
            "next": {"default": "agree"},
        },
        {"id": "agree", "type": "approval", "title": "Agree", "config": {}, "next": {"default": "each"}},
        {"id": "each", "type": "loop", "title": "Each", "config": {"items": {}}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End"},
    ]
    document = workflows.open_draft(mona, made.slug).document | {"format": 2, "steps": steps}
    workflows.edit(mona, made.slug, 0, drafting.read_changes([{"op": "set_document", "value": document}]))
    page = pages.mona.get(f"/workflows/{made.slug}")
    for step in steps:
        assert step["title"] in page.html
    for other in ("edit", "history", "test", "publish", "triggers", "configuration"):
        pages.mona.get(f"/workflows/{made.slug}/{other}")  # comes with 200


def test_hostile_words_of_a_document_are_shown_and_not_obeyed(pages: "Pages") -> None:
    bad = '"><script>alert(1)</script>'
    made = document(
        title=bad, description=bad, groups=[{"title": bad, "steps": ["note"]}], variables={"x": bad}
    )
    made["steps"][3] |= {"title": bad}
    made["steps"][6]["config"]["options"][0]["label"] = bad
    workflows.import_file(made, publish=True)
    run_id = pages.company.at("rate")
    for path in ("/workflows", "/workflows/care-review", f"/runs/{run_id}/picture"):
        page = pages.olivia.get(path)
        assert "<script>alert" not in page.html
        assert bad in page.text


def test_the_picture_of_a_run_links_each_entry_and_offers_nothing_else(pages: "Pages") -> None:
    run_id = pages.company.at("decide")
    told = pages.company.told(run_id)
    runs.complete(
        pages.company.olivia,
        run_id,
        runs.Submission(step="decide", revision=told["revision"], values={}, outcome="again"),
    )
    page = pages.olivia.get(f"/runs/{run_id}/picture")
    by = {told["data-step"]: told for told in steps_of(page)}
    assert {
        name: (told["data-state"], told["data-visits"])
        for name, told in by.items()
        if name in ("note", "decide", "end")
    } == {
        "note": ("now", "2"),
        "decide": ("done", "1"),
        "end": ("todo", "0"),
    }
    assert by["note"]["data-target"] == f"/runs/{run_id}"
    assert by["end"]["data-target"] == "#step-end"
    target = by["decide"]["data-target"]
    assert target.startswith(f"/runs/{run_id}/replay?at=")
    assert "Decide" in pages.olivia.get(target).text
    assert f"/runs/{run_id}/picture" in pages.olivia.get(f"/runs/{run_id}").links


@pytest.mark.parametrize("at", ["", "?at=1", "?at=9", "?at=13"])
def test_nothing_on_the_picture_of_a_run_can_act(pages: "Pages", at: str) -> None:
    run_id = pages.company.at("rate")
    before = pages.company.told(run_id)["last_event"]
    page = pages.olivia.get(f"/runs/{run_id}/picture{at}")
    assert page.forms == []
    assert not [tag for tag, _ in page.attributes if tag in ("input", "select", "textarea")]
    main = page.html[page.html.index("<main") :]
    assert all("data-navigation" in button for button in re.findall(r"<button[^>]*>", main))
    assert pages.company.told(run_id)["last_event"] == before, "looking at the picture is no event of the run"


def test_a_run_is_drawn_as_the_version_that_it_keeps(pages: "Pages") -> None:
    run_id = pages.company.at("rate")
    made = document(title="Care two")
    made["steps"][3]["title"] = "Another note"
    workflows.import_file(made, publish=True)
    assert "Take a note" in pages.olivia.get(f"/runs/{run_id}/picture").text
    assert "Another note" in pages.olivia.get("/workflows/care-review").text
    assert "Version 2 is live" in pages.olivia.get(f"/runs/{run_id}").text


def test_a_right_to_see_is_enough_and_needed(pages: "Pages") -> None:
    access.grant("buyer", "workflow:care-review", ["see"], team="operations")
    pages.stan.get("/workflows/care-review", status=404)
    assert "Care review" in pages.rosa.get("/workflows/care-review").text
    assert "Care review" in pages.ada.get("/workflows").text
