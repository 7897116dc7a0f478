"""How-tos of those who do the work, walked in a browser to the letter: inboxes, approvals, proposals, workflows."""

from collections.abc import Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo
from tests.journeys.screens import Open, opening
from tests.journeys.walks import (
    By,
    Walk,
    answered,
    by,
    choose,
    emphasis,
    fill,
    go,
    keep_run,
    key,
    lacks,
    named,
    press,
    reads,
    see,
)

pytestmark = pytest.mark.slow

PROPOSED = (
    "AI pre-fill",
    "Pre-filled by rule",
    "High",
    "Medium",
    "Low",
    "sources",
    "Now",
    "Proposed",
    "second look",
    "A second look agrees",
    "sees 1 value differently",
    "Accept",
    "Accept confident",
    "Use suggestion",
    "Edited by you",
    "Restore",
    "Discard",
)
LATER = (
    "Missing from “…”",
    "Supply it",
    "Retry",
    "Handle Manually",
    "Retry",
    "Look at the source yourself",
    "Retry",
)

WALKS: dict[str, list[By]] = {
    "work-with-inboxes": [
        by(
            "olivia",
            emphasis("Records of a segment", "Runs that were handed on", "Runs that were saved or released"),
            go("/"),
            press("KYC"),
            key("n"),
            keep_run("run"),
            press("More"),
            press("Reassign to an inbox…"),
            press("KYC"),
            fill("Reason", "Somebody else knows it better"),
            choose("Priority", "Urgent"),
            press("Reassign"),
            go("/work"),
            see("Work"),
            named("sent in tests/views/test_work_pages.py", "Save view", "Release", "Hand over", "Undo"),
        ),
        by(
            "tom",
            go("/inbox/kyc"),
            reads("Somebody else knows it better"),
            go("/c"),
            key("g h"),
            see("Home"),
            press("Take next"),
            keep_run("taken"),
            see("Documents"),
            press("More"),
            press("Release"),
            see("Next ticket"),
            go("/inbox/kyc"),
            press("To do", "Doing"),
            go("/runs/{taken}"),
            press("Take"),
            press("More"),
            press("Reassign to an inbox…"),
            press("Keep working"),
        ),
        by(
            "mona",
            go("/runs/{taken}"),
            press("More"),
            press("Assign to…"),
            press("Why others are not offered"),
            reads("Tom Jansen\\s+Has it already"),
            press("Cancel"),
            go("/inbox/kyc"),
            press("Backlog"),
            see("Unassign"),
            named(
                "made in tests/views/test_inbox_rules.py",
                "Work",
                "Save as inbox",
                "Rules",
                "Versions",
                "Take next",
            ),
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
            reads("Waiting for Mona Verbeek or Petra Lindholm to approve"),
            press("See the request"),
            reads("not Olivia Petrauskaitė, who asked for it"),
            lacks("Approve"),
        ),
        by(
            "mona",
            go("/"),
            key("g a"),
            see("Approvals"),
            reads(r"Fernwick Fitness, €549.88"),
            press("Fernwick Fitness, €549.88"),
            see("Submitted values", "Who decides", "The record when it was asked for", "Open the run"),
            reads("An operator refunds up to €200.00"),
            key("r"),
            answered(422),
            reads("needed to reject"),
            press("Approve €549.88"),
            reads("Approved"),
            named(
                "what holds of each request, by its rule",
                "Not your own",
                "One person counts once",
                "What moved is shown",
                "What was approved is what is done",
                "What was approved and could not be done keeps its yes",
            ),
        ),
        by(
            "olivia",
            go("/runs/{run}"),
            reads("Refund the charge is done|Done"),
        ),
    ],
    "write-a-workflow": [
        by(
            "olivia",
            named("the workflow of the guide, begun by a test of the README", "Start Check customer"),
            go("/"),
            key("g w"),
            see("Workflows"),
            press("KYC review"),
            emphasis("the picture", "the steps in words"),
            see("Overview", "Editor", "Executions", "Configuration", "Steps"),
            go("/c/customer/909"),
            press("Start KYC review", "Periodic review", "Start"),
            keep_run("run"),
            press("Picture of the run, in a new tab"),
            emphasis("Picture of the run"),
            go("/runs/{run}/replay"),
            press("Picture"),
            press("Next", "Previous"),
            emphasis("Revise"),
        ),
    ],
    "measure-proposals": [
        by(
            "mona",
            go("/c/customer/914"),
            press("Start KYC review", "Periodic review", "Start"),
            keep_run("run"),
            see("Check each document"),
            go("/"),
            key("g p"),
            see("AI performance"),
            press("7 days"),
            press("90 days"),
            see("CSV", "All figures"),
            choose("Workflow", "KYC review"),
            press("Show"),
            press("Trust", within="table"),
            reads("What automatic wants, and what was measured", "Take it back"),
        )
    ],
    "work-with-proposals": [
        by(
            "tom",
            go("/c/customer/910"),
            press("Start KYC review", "Periodic review", "Start"),
            keep_run("run"),
            named("a demo without a model: tests/browser/test_proposals.py has one", *PROPOSED),
            named("pressed in tests/browser/test_proposals.py", "Handle Manually", "Undo"),
            named("a demo without a model: tests/browser/test_proposals.py has one", *LATER),
            press("Context"),
            reads("Customer, account and activity"),
            named("a demo without a model: tests/browser/test_proposals.py has one", "Exact context"),
        ),
    ],
}


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """A screen for each person, the same in all walks."""
    with opening(chromium, demo) as open_one:
        yield cache(open_one)


@pytest.mark.parametrize("name", sorted(WALKS))
def test_a_how_to_is_walked_to_the_letter(screens: Open, name: str) -> None:
    Walk(name, screens).go(WALKS[name])
