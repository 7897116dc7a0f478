"""The head of a workflow is the same on each of its pages."""

import re
from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.auth import accounts
from tests.company import DOCUMENT

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Pages

ROBOT = "robot@fernwick.example"
TABS = (
    "",
    "/edit",
    "/ask",
    "/triggers",
    "/test",
    "/enrolled",
    "/executions",
    "/incidents",
    "/metrics",
    "/configuration",
    "/history",
    "/publish",
)


def head(who: "Browser", address: str) -> str:
    """The head of the page, without what the editor says of the draft."""
    html = who.get(address).html.partition('<header class="top"')[2].partition("</header>")[0]
    return " ".join(
        re.sub(r'value="[^"]*"|<span class="muted" id="saved".*?</span>', "", html, flags=re.DOTALL).split()
    )


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
