"""An automation whose account is closed: each tab says so, and nobody is offered a start."""

from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.auth import accounts
from tests.company import DOCUMENT
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.example"
CLOSED = "is closed. Open it again"
STEPS = [
    step("start", "start", "rest"),
    step("rest", "wait", "end", {"duration": "hours(48)"}),
    step("end", "end", None),
]


@pytest.fixture(autouse=True)
def closed(pages: "Pages") -> None:
    """A workflow about customers and one about nothing, whose account was closed after they were published."""
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {name: DOCUMENT[name] for name in ("format", "team", "roles")} | {"run_as": ROBOT, "steps": STEPS}
    workflows.import_file(
        head | {"slug": "nurture", "title": "Nurture", "collection": "customer"}, publish=True
    )
    workflows.import_file(head | {"slug": "nightly", "title": "Nightly"}, publish=True)
    accounts.disable_person(accounts.service_account(ROBOT).id, by=pages.company.ines)


@pytest.mark.parametrize(
    "tab", ["", "/triggers", "/enrolled", "/executions", "/incidents", "/metrics", "/configuration"]
)
def test_every_tab_says_so(pages: "Pages", tab: str) -> None:
    assert CLOSED in pages.mona.get(f"/workflows/nurture{tab}").text
    assert CLOSED not in pages.mona.get(f"/workflows/care-review{tab}").text


def test_nobody_is_offered_a_start_that_cannot_be(pages: "Pages") -> None:
    for place in ("/workflows/nightly/start", "/c/customer/1/start/nurture"):
        page = pages.mona.get(place)
        assert CLOSED in page.text
        assert "Ctrl Enter" not in page.text
    assert "Ctrl Enter" in pages.mona.get("/c/customer/1/start/care-review").text
