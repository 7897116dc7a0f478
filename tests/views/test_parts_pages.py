"""Steps that start runs of their own, on their screen and afterwards: which item or branch is how far, and which one is stuck."""

import copy
from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from console.runs.store.run_store import load
from tests.company import DOCUMENT
from tests.runs.engine.test_child_runs import begin, branching, children, looping
from tests.runs.views.test_lists import counted
from tests.support.engine import overdue, step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow


def test_a_list_counts_its_items_and_names_the_stuck_one_first(pages: "Pages") -> None:
    looping("stop", on_error="ask")
    run_id = begin("looping")
    pages.company.work()
    page = pages.mona.get(f"/runs/{run_id}")
    stuck = children(run_id)["3"].id
    assert "3 of 4 done" in page.text
    assert "Working since" in page.text
    assert page.html.index(f"/runs/{stuck}") < page.html.index(f"/runs/{children(run_id)['1'].id}")
    assert {"hx-get": f"/runs/{run_id}/parts/each", "hx-trigger": "every 2s"}.items() <= page.with_attribute(
        "hx-select"
    )[0].items()


def test_a_list_that_is_done_keeps_its_items_and_what_failed(pages: "Pages") -> None:
    looping("continue", on_error="ask")
    run_id = begin("looping")
    pages.company.work()
    assert f"/runs/{run_id}/parts/each" in pages.mona.get(f"/runs/{run_id}").html
    page = pages.mona.get(f"/runs/{run_id}/parts/each")
    assert "3 of 4 done, 1 failed" in page.text
    assert page.html.index(f"/runs/{children(run_id)['3'].id}") < page.html.index(
        f"/runs/{children(run_id)['1'].id}"
    )
    assert "every 2s" not in page.html
    with counted() as (own, _):
        parts = runs.parts_of(pages.company.mona, run_id, "each")
    assert (parts is not None and len(parts.shown), len(own)) == (4, 4)
    pages.mona.get(f"/runs/{run_id}/parts/list", status=404)
    pages.stan.get(f"/runs/{run_id}/parts/each", status=404)


def test_phases_keep_the_order_of_the_version_when_a_step_is_revised(pages: "Pages") -> None:
    document = copy.deepcopy(DOCUMENT) | {"slug": "in-phases", "title": "In phases"}
    choice = step(
        "choose", "condition", "note", {"branches": [{"if": "steps.rate.risk == 'high'", "outcome": "more"}]}
    )
    choice["next"]["more"] = "extra"
    document["steps"] = [
        step("start", "start", "rate"),
        step("rate", "update_data", "choose", {"form": [{"name": "risk", "label": "Risk"}]}),
        choice,
        step("extra", "guidance", "note", {"text": "Look closer"}),
        step("note", "guidance", "end", {"text": "Note"}),
        step("end", "end", None),
    ]
    document["groups"] = [
        {"title": "Rating", "steps": ["rate", "choose"]},
        {"title": "Closer look", "steps": ["extra"]},
        {"title": "Notes", "steps": ["note"]},
    ]
    workflows.import_file(document, publish=True)
    olivia = pages.company.olivia
    run_id = runs.start(olivia, "in-phases", "customer", "1", {})
    runs.complete(olivia, run_id, runs.Submission(step="rate", revision=None, values={"risk": "low"}))
    runs.revise(olivia, run_id, revision=None, step="rate", attempt=None, reason="It is high")
    runs.complete(olivia, run_id, runs.Submission(step="rate", revision=None, values={"risk": "high"}))
    html = pages.olivia.get(f"/runs/{run_id}").html
    places = [html.index(f"<b>{title}</b>") for title in ("Rating", "Closer look", "Notes")]
    assert places == sorted(places)


def test_branches_are_named_with_what_each_waits_for(pages: "Pages") -> None:
    branching()
    run_id = begin("branching")
    pages.company.work()
    page = pages.mona.get(f"/runs/{run_id}")
    assert "1 of 2 done" in page.text
    made = children(run_id)
    assert page.html.index(f"/runs/{made['right'].id}") < page.html.index(f"/runs/{made['left'].id}")
    assert "pause, until" in page.text
    assert "every 1s" in page.html, "the page follows its end"
    overdue(made["right"].id)
    pages.company.work()
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.status == "completed"
    assert "2 of 2 done" in pages.mona.get(f"/runs/{run_id}/parts/both").text
