"""An automation whose account is closed: every place where one looks at it or starts it says so."""

from typing import TYPE_CHECKING

import pytest

from console import accounts, enrolments, monitoring, workflows
from console.db.engine import fetch
from tests.company import DOCUMENT
from tests.support.engine import step

if TYPE_CHECKING:
    from tests.views.conftest import Pages

ROBOT = "robot@fernwick.example"
CLOSED = "is closed. Open it again"
STEPS = [step("start", "start", "rest"), step("rest", "wait", "end", {"duration": "hours(48)"}), step("end", "end", None)]


@pytest.fixture(autouse=True)
def closed(pages: "Pages") -> None:
    """A workflow about customers and one about nothing, whose account was closed after they were published."""
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {name: DOCUMENT[name] for name in ("format", "team", "roles")} | {"run_as": ROBOT, "steps": STEPS}
    workflows.import_file(head | {"slug": "nurture", "title": "Nurture", "collection": "customer"}, publish=True)
    workflows.import_file(head | {"slug": "nightly", "title": "Nightly"}, publish=True)
    accounts.disable_person(accounts.service_account(ROBOT).id, by=pages.company.ines)


@pytest.mark.parametrize("tab", ["", "/triggers", "/enrolled", "/executions", "/incidents", "/metrics", "/configuration"])
def test_every_tab_says_so(pages: "Pages", tab: str) -> None:
    assert CLOSED in pages.mona.get(f"/workflows/nurture{tab}").text
    assert CLOSED not in pages.mona.get(f"/workflows/care-review{tab}").text


def test_nobody_is_offered_a_start_that_cannot_be(pages: "Pages") -> None:
    for place in ("/workflows/nightly/start", "/c/customer/1/start/nurture"):
        page = pages.mona.get(place)
        assert CLOSED in page.text
        assert "Ctrl Enter" not in page.text
    assert "Ctrl Enter" in pages.mona.get("/c/customer/1/start/care-review").text


def test_who_is_enrolled_all_the_same_is_said_to_wait_for_it(pages: "Pages") -> None:
    assert CLOSED in pages.mona.get("/workflows/nurture/enrol").text
    batch = enrolments.batches.begin(pages.company.mona, "nurture", enrolments.Question(keys=["1"]))
    assert CLOSED in pages.mona.get(f"/enrolments/{batch.id}").text
    [(lead,)] = fetch("select id from console.enrolment")
    assert CLOSED in pages.mona.get(f"/workflows/nurture/enrolled/{lead}").text


def test_the_list_and_what_happened_say_what_its_own_page_says(pages: "Pages") -> None:
    """Whether something starts it by itself or not, and while it is paused too: it can start when somebody wants it to, or it cannot."""
    for status in ("active", "paused"):
        known = next(each for each in workflows.all_known() if each.slug == "nurture")
        if known.status != status:
            workflows.change(pages.company.mona, known.id, status=status)
        assert CLOSED in pages.mona.get("/workflows/nurture").text
        cards = {card.known.slug: card.unable for card in monitoring.cards(pages.company.mona, "UTC")}
        assert {slug for slug, unable in cards.items() if unable} == {"nurture", "nightly"}
        assert pages.mona.get("/workflows").text.count("Nothing can start at the moment") == 2
        assert "Nurture: Nothing can start at the moment" in pages.mona.get("/workflows/lately").text
