"""The head of a workflow: the same title, version, switch and buttons on each of its pages, also on that of one execution."""

import re
from typing import TYPE_CHECKING

import pytest

from console import accounts, enrolments, workflows
from console.activity import sequencing
from console.enrolments import Question
from tests.company import DOCUMENT
from tests.jobs import BEGINNING, work_until_idle

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Pages

ROBOT = "robot@fernwick.example"
TABS = ("", "/edit", "/ask", "/triggers", "/test", "/enrolled", "/executions", "/incidents", "/metrics", "/configuration")


def head(who: "Browser", address: str) -> str:
    """The head of the page, without what the editor says of the draft."""
    html = who.get(address).html.partition('<header class="top"')[2].partition("</header>")[0]
    return " ".join(re.sub(r'value="[^"]*"|<span class="muted" id="saved".*?</span>', "", html, flags=re.DOTALL).split())


@pytest.mark.parametrize("by_itself", [False, True])
def test_every_page_of_a_workflow_has_the_same_head(pages: "Pages", *, by_itself: bool) -> None:
    run_id = pages.company.finished("1")
    if by_itself:
        accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
        workflows.import_file(DOCUMENT | {"run_as": ROBOT}, publish=True)
    address = "/workflows/care-review"
    heads = {tab: head(pages.mona, address + tab) for tab in (*TABS, f"/executions/{run_id}")}
    assert {tab for tab, each in heads.items() if each != heads[""]} == set()
    assert ("/care-review/enrol" in heads[""], "More for Care review" in heads[""]) == (by_itself, True)
    assert "/care-review/start" not in heads[""], "it is about a record"


def test_the_page_of_an_execution_names_whom_it_is_about_beside_no_switch(pages: "Pages") -> None:
    run_id = pages.company.finished("1")
    page = pages.mona.get(f"/workflows/care-review/executions/{run_id}")
    assert page.headings[0] == ("h1", "Care review")
    assert "Execution: Adaeze Okonkwo-Bell" in page.text
    assert "Adaeze" not in page.html.partition('<header class="top"')[2].partition("</header>")[0]
    assert f"/workflows/care-review/executions/{run_id}/retry" in page.links


def test_each_heading_of_a_list_says_who_it_names(pages: "Pages") -> None:
    address = "/workflows/care-review"
    pages.company.finished("1")
    page = pages.mona.get(f"{address}/executions")
    assert "Started by" in page.text
    assert "Acts as" not in page.text
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    pause = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}}
    workflows.import_file(DOCUMENT | {"slug": "by-itself", "run_as": ROBOT, "steps": [pause, DOCUMENT["steps"][-1]]}, publish=True)
    enrolments.batches.begin(pages.company.mona, "by-itself", Question(keys=("1",)))
    work_until_idle(BEGINNING)
    sequencing.catch_up()
    enrolments.beginning.keep_in_step()
    page = pages.mona.get("/workflows/by-itself/executions")
    assert "Acts as" in page.text
    assert "Started by" not in page.text
    assert "Enrolled by" in pages.mona.get("/workflows/by-itself/enrolled?status=left").text
