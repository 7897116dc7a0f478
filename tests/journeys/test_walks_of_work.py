"""How-tos of those who do the work, walked in a browser to the letter: inboxes, approvals, proposals, workflows."""

from collections.abc import Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo
from tests.journeys.screens import Open, opening
from tests.journeys.walks import By, Walk, answered, by, choose, emphasis, fill, go, keep_run, key, lacks, named, press, reads, see, typed, way

WALKS: dict[str, list[By]] = {
    "work-with-inboxes": [
        by(
            "olivia",
            emphasis("Records of a segment", "Runs that were handed on", "Runs that were saved or let go"),
            go("/my-work"),
            press("KYC"),
            key("n"),
            keep_run("run"),
            press("More"),
            press("Hand on to an inbox…"),
            press("KYC"),
            fill("Reason", "Somebody else knows it better"),
            choose("Priority", "Urgent"),
            press("Hand on"),
            go("/"),
            key("g m"),
            see("My work"),
            press("KYC"),
            reads("Somebody else knows it better|Handed on"),
            press("Take next"),
            reads("Next ticket"),
            see("xx"),
        ),
    ],
    "let-others-approve": [
        by(
            "olivia",
            go("/c/charge/ch_Gm5EeWgFC2nEYh"),
            press("Refund the charge"),
            fill("Amount", "549.88"),
            choose("Reason", "Withdrawal"),
            press("Send the refund"),
            keep_run("run"),
            reads("Waiting for Mona Verbeek or another operations lead or finance controller to approve"),
            press("See the request"),
            reads("Not your own|asked"),
            lacks("Approve"),
        ),
        by(
            "mona",
            go("/"),
            key("g a"),
            see("Approvals"),
            reads("ch_Gm5EeWgFC2nEYh"),
            press("FERNWICK*BOOKS ch_Gm5EeWgFC2nEYh"),
            see("xx"),
        ),
    ],
    "write-a-workflow": [by("ana", go("/c/shop.customer/3"), press("Start Check customer"), see("xx"))],
    "measure-proposals": [
        by(
            "mona",
            go("/"),
            key("g p"),
            see("Proposals at work"),
            press("7 days"),
            press("90 days"),
            named("a chart of figures, which a fresh demo lacks: tests/browser/test_at_work.py", "Show as table"),
            see("Workflow"),
        )
    ],
    "ask-for-documents": [by("olivia", go("/c/customer/911"), press("Start KYC review", "Periodic review", "Start"), see("xx"))],
}


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """A screen for each person, the same in all walks."""
    with opening(chromium, demo) as open_one:
        yield cache(open_one)


@pytest.mark.parametrize("name", sorted(WALKS))
def test_a_how_to_is_walked_to_the_letter(screens: Open, name: str) -> None:
    Walk(name, screens).go(WALKS[name])
